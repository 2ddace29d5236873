"""Loads a release of the unified (national) code books, from diagnoses to areas.

Knows the columns of each book and the checks of its rows. Must not know regions, classes of benefit or
the database. Sources: each book's source, licence and known defects stand in the release's release.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from catalogs.descriptor import Section, read_descriptor
from catalogs.faults import FaultList
from catalogs.tables import Quarantined, Row, Source, Table
from hub.core.codes import CatalogKind, UnifiedCode
from hub.core.errors import NotAllowed
from hub.core.money import exact_decimal

ACTIVE = "active"
"""The status of an entry that may stand in a bill; others are headings, gray codes and morphology codes."""

NAME_SEPARATOR = "|"
"""Stands between the parts of an attribute that several rows of one code gave, such as ``aliases``."""

CLASS_COLUMN = "insurance_class"
"""The column and attribute with the published class; several classes of one code are joined by a stroke."""


@dataclass(frozen=True, slots=True)
class UnifiedEntry:
    """An entry of a code book; `attributes` are the other columns as published, empty ones left out."""

    code: UnifiedCode
    name: str
    attributes: Mapping[str, str]
    parent: str | None
    status: str


@dataclass(frozen=True, slots=True)
class UnifiedRelease:
    """A checked release; `digest` is the SHA-256 of its descriptor, which holds the sum of each file."""

    release: str
    digest: str
    valid_from: date
    books: Mapping[CatalogKind, Mapping[str, UnifiedEntry]]
    sources: tuple[Source, ...]
    quarantined: tuple[Quarantined, ...]

    def entry(self, code: UnifiedCode) -> UnifiedEntry | None:
        """The entry of a unified code; None if the release does not hold it."""
        return self.find(code.kind, code.code)

    def find(self, kind: CatalogKind, code: str) -> UnifiedEntry | None:
        """The entry under a text that may or may not be a code of this kind."""
        book = self.books.get(kind)
        return None if book is None else book.get(code)

    def entries(self) -> Iterator[UnifiedEntry]:
        """All entries, book by book, in the order of the files."""
        for book in self.books.values():
            yield from book.values()

    def __len__(self) -> int:
        return sum(len(book) for book in self.books.values())


@dataclass(frozen=True, slots=True)
class _Book:
    """How the file of one kind is laid out."""

    columns: tuple[str, ...]
    allowed: Mapping[str, frozenset[str]]
    status: Callable[[Mapping[str, str]], str]
    parents: bool = False
    check: Callable[[Mapping[str, str]], tuple[str, str, str] | None] = lambda _cells: None


def _words(text: str, *, empty: bool = False) -> frozenset[str]:
    return frozenset(text.split()) | (frozenset({""}) if empty else frozenset())


def _always_active(_cells: Mapping[str, str]) -> str:
    return ACTIVE


def _drug_fault(cells: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The price is a decimal, and the three group codes are prefixes of the product's code."""
    price = cells["listed_price_yuan"]
    try:
        if price and exact_decimal(price, places=6) < 0:
            return "listed_price_yuan", "price_negative", f"{price!r} is negative"
    except NotAllowed:
        return (
            "listed_price_yuan",
            "price_malformed",
            f"{price!r} is not a price: write yuan like 12.5, or nothing",
        )
    for column in ("class_code", "generic_code", "generic_form_code"):
        if not cells["code"].startswith(cells[column]):
            return column, "prefix", f"{cells[column]!r} is not the beginning of the code {cells['code']}"
    return None


_BOOKS: Mapping[CatalogKind, _Book] = {
    CatalogKind.DIAGNOSIS: _Book(
        columns=("code", "name", "level", "parent_code", "status"),
        allowed={
            "level": _words("category subcategory code"),
            "status": _words("active gray morphology heading"),
        },
        status=lambda cells: cells["status"],
        parents=True,
    ),
    CatalogKind.PROCEDURE: _Book(
        columns=("code", "name", "level", "parent_code", "is_drg_operation"),
        allowed={
            "level": _words("chapter category subcategory detail code"),
            "is_drg_operation": _words("0 1", empty=True),
        },
        status=lambda cells: ACTIVE if cells["level"] == "code" else "heading",
        parents=True,
    ),
    CatalogKind.SERVICE: _Book(
        columns=("code", "name", "is_national", "sources"),
        allowed={"is_national": _words("0 1")},
        status=_always_active,
    ),
    CatalogKind.DRUG: _Book(
        columns=(
            "code",
            "name",
            "dosage_form",
            "spec",
            "package",
            "approval_no",
            "manufacturer",
            "listed_price_yuan",
            "class_code",
            "generic_code",
            "generic_form_code",
        ),
        allowed={},
        status=_always_active,
        check=_drug_fault,
    ),
    CatalogKind.HERBAL: _Book(
        columns=("code", "name", "insurance_class", "standard"),
        allowed={"insurance_class": _words("甲 乙 丙")},
        status=_always_active,
    ),
    CatalogKind.AREA: _Book(
        columns=("admdvs_code", "name", "level", "parent_code", "path"),
        allowed={"level": _words("1 2 3")},
        status=_always_active,
        parents=True,
    ),
}
_NOT_ATTRIBUTES = frozenset({"code", "admdvs_code", "name", "parent_code", "status"})
_RELEASE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}", re.ASCII)


def load_unified(folder: Path) -> UnifiedRelease:
    """Read and check a folder of the unified code books; whole or not at all.

    Raises CatalogFaults with every fault of every file.
    """
    faults = FaultList()
    what = f"unified/{folder.name}"
    top, digest = read_descriptor(folder / "release.toml", faults=faults, what=what)
    release = release_name(top, folder)
    valid_from = top.day("valid_from")
    top.text("about")
    books: dict[CatalogKind, Mapping[str, UnifiedEntry]] = {}
    tables: list[Table] = []
    for section in top.sections("file"):
        kind = read_kind(section)
        repeated = section.text("repeated_codes")
        table = Table(folder, section)
        tables.append(table)
        if kind is None:
            continue
        if kind in books:
            section.fault("kind", "kind_twice", f"{kind} has a file already: a release has one file of each kind")
            continue
        if repeated not in {"refused", "gathered"}:
            section.fault("repeated_codes", "key_value", "is either 'refused' or 'gathered'")
        books[kind] = _load_book(kind, table, gather=repeated == "gathered")
        table.finish()
    top.finish()
    faults.stop_if_any(what)
    return UnifiedRelease(
        release=release,
        digest=digest,
        valid_from=valid_from,
        books=MappingProxyType(books),
        sources=tuple(table.source for table in tables),
        quarantined=tuple(one for table in tables for one in table.quarantined),
    )


def release_name(top: Section, folder: Path) -> str:
    """The release named in a descriptor, which must be the name of its folder."""
    release = top.text("release")
    if release != folder.name or not _RELEASE_NAME.fullmatch(release):
        top.fault("release", "release_name", f"is {release!r}: it must be the folder's name, {folder.name!r}")
    return release


def read_kind(section: Section) -> CatalogKind | None:
    """The kind of catalog that a section of a descriptor speaks of; None, with a fault noted, for an unknown
    one.
    """
    text = section.text("kind")
    try:
        return CatalogKind(text)
    except ValueError:
        section.fault("kind", "kind_unknown", f"is {text!r}: it is one of {', '.join(CatalogKind)}")
        return None


def _load_book(kind: CatalogKind, table: Table, *, gather: bool) -> Mapping[str, UnifiedEntry]:
    book = _BOOKS[kind]
    columns = book.columns
    entries: dict[str, UnifiedEntry] = {}
    rows: dict[str, Row] = {}
    for row in table.read(columns):
        cells = dict(zip(columns, row.cells, strict=True))
        text = row.cells[0]
        fault = _row_fault(book, cells)
        if fault:
            table.fault(row.line, *fault)
        if text in entries:
            if gather:
                entries[text] = _gathered(entries[text], cells)
            else:
                table.defect(row, columns[0], "code_twice", f"{text} stands on line {rows[text].line} already")
            continue
        try:
            code = UnifiedCode(kind, text)
        except NotAllowed as error:
            table.fault(row.line, columns[0], error.code, error.message)
            continue
        rows[text] = row
        entries[text] = UnifiedEntry(
            code=code,
            name=cells["name"],
            attributes=MappingProxyType({k: v for k, v in cells.items() if v and k not in _NOT_ATTRIBUTES}),
            parent=cells.get("parent_code") or None,
            status=book.status(cells),
        )
    if book.parents:
        _resolve_parents(table, entries, rows)
    return MappingProxyType(entries)


def _row_fault(book: _Book, cells: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The first thing wrong with a row: column, code, message."""
    if not cells["name"]:
        return "name", "name_empty", "is empty: an entry has a name"
    for column, allowed in book.allowed.items():
        if cells[column] not in allowed:
            return column, "value_unknown", f"{cells[column]!r} is not one of {', '.join(sorted(allowed))}"
    return book.check(cells)


def _gathered(entry: UnifiedEntry, cells: Mapping[str, str]) -> UnifiedEntry:
    """An entry with one more row of its code: the first name stays, other names become aliases, the rest is
    joined.
    """
    attributes = dict(entry.attributes)
    if cells["name"] != entry.name:
        _join(attributes, "aliases", cells["name"], by=NAME_SEPARATOR)
    for column in entry.attributes.keys() & cells.keys():
        _join(attributes, column, cells[column], by="/" if column == CLASS_COLUMN else NAME_SEPARATOR)
    return UnifiedEntry(
        code=entry.code,
        name=entry.name,
        attributes=MappingProxyType(attributes),
        parent=entry.parent,
        status=entry.status,
    )


def _join(attributes: dict[str, str], key: str, value: str, *, by: str) -> None:
    parts = attributes[key].split(by) if key in attributes else []
    if value and value not in parts:
        attributes[key] = by.join([*parts, value])


def _resolve_parents(table: Table, entries: dict[str, UnifiedEntry], rows: Mapping[str, Row]) -> None:
    """Give each entry a parent that exists.

    In the diagnoses a heading of the dagger-and-asterisk system carries its mark (``A17+``) where its
    children name it without (``A17``): the marked heading is the parent then. A parent that is nowhere is
    a fault or a declared defect.
    """
    for text, entry in entries.items():
        parent = entry.parent
        if parent is None or parent in entries:
            continue
        marked = next((parent + mark for mark in "+*" if parent + mark in entries), None)
        if marked is None:
            table.defect(rows[text], "parent_code", "parent_unknown", f"{parent} is not a code of this file")
        entries[text] = UnifiedEntry(
            code=entry.code, name=entry.name, attributes=entry.attributes, parent=marked, status=entry.status
        )
