"""Loads a release of the unified (national) code books, from diagnoses to areas.

Knows the columns of each book and the checks of its rows. Must not know regions, classes of benefit or
the database. Sources: each book's source, licence and known defects stand in the release's release.toml.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from catalogs.books import BOOKS, CLASS_COLUMN, NATIONAL_COLUMNS
from catalogs.descriptor import Section, read_descriptor
from catalogs.faults import FaultList
from catalogs.tables import Quarantined, Source, Table
from hub.core.codes import CatalogKind, UnifiedCode
from hub.core.errors import NotAllowed

NAME_SEPARATOR = "|"
"""Stands between the parts of an attribute that several rows of one code gave, such as ``aliases``."""

NO_VERSION = "v0000"
"""The version of who has nothing yet; it sorts before every other."""


@dataclass(frozen=True, slots=True)
class UnifiedEntry:
    """An entry of a code book; `attributes` are the other columns as published, empty ones left out.

    `version` names the release in which the entry last became different: who holds it needs the entry no more.
    """

    code: UnifiedCode
    name: str
    attributes: Mapping[str, str]
    parent: str | None
    status: str
    version: str = NO_VERSION

    def says_the_same(self, other: UnifiedEntry) -> bool:
        """Whether both say the same of one code, whatever their versions and the ids of the national record."""
        if (self.code, self.name, self.parent, self.status) != (other.code, other.name, other.parent, other.status):
            return False
        mine, theirs = self.attributes, other.attributes
        return mine == theirs or all(
            mine.get(key) == theirs.get(key) for key in mine.keys() | theirs.keys() if key not in NATIONAL_COLUMNS
        )


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

    @property
    def version(self) -> str:
        """The version of who holds this release."""
        return version_of(self.release)

    def __len__(self) -> int:
        return sum(len(book) for book in self.books.values())


def as_row(entry: UnifiedEntry) -> dict[str, str]:
    """An entry in the columns of its book, from which the loader would make the same entry again."""
    book = BOOKS[entry.code.kind]
    row = {column: entry.attributes.get(column, "") for column in (*book.columns, *book.optional)}
    row.update({book.columns[0]: entry.code.code, "name": entry.name})
    if "parent_code" in row:
        row["parent_code"] = entry.parent or ""
    if "status" in book.columns:
        row["status"] = entry.status
    return row


def version_of(release: str) -> str:
    """The version that a release gives to the entries it adds or changes, like ``v2025-01``."""
    return f"v{release}"


_NOT_ATTRIBUTES = frozenset({"code", "admdvs_code", "name", "parent_code", "status"})
_RELEASE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}", re.ASCII)


Known = dict[str, tuple[Mapping[str, UnifiedEntry], tuple[Quarantined, ...]]]
"""Books read before, by file and what the descriptor says of it: a file taken over from a release is read once."""


def load_unified(
    folder: Path,
    *,
    known: Known | None = None,
    root: Path | None = None,
    kinds: Collection[CatalogKind] | None = None,
) -> UnifiedRelease:
    """Read and check a folder of the unified code books; whole or not at all.

    Files taken over are looked for beside the folder, or under `root` while it stands elsewhere. With `kinds` only
    those books are read. Raises CatalogFaults with every fault of every file.
    """
    faults = FaultList()
    what = f"unified/{folder.name}"
    top, digest = read_descriptor(folder / "release.toml", faults=faults, what=what)
    release = release_name(top, folder)
    valid_from = top.day("valid_from")
    top.text("about")
    version = version_of(release)
    books: dict[CatalogKind, Mapping[str, UnifiedEntry]] = {}
    tables: dict[CatalogKind, Table] = {}
    sources: list[Source] = []
    quarantined: list[Quarantined] = []
    for section in top.sections("file"):
        kind = read_kind(section)
        if kinds is not None and kind not in kinds:
            continue
        repeated = section.text("repeated_codes")
        table = Table(folder, section, root=root or folder.parent)
        sources.append(table.source)
        if kind is None:
            continue
        if kind in books:
            section.fault("kind", "kind_twice", f"{kind} has a file already: a release has one file of each kind")
            continue
        if repeated not in {"refused", "gathered"}:
            section.fault("repeated_codes", "key_value", "is either 'refused' or 'gathered'")
        tables[kind] = table
        fingerprint = f"{table.path.resolve()} {section.says(without='from')}"
        if known is not None and fingerprint in known:
            books[kind], aside = known[fingerprint]
            quarantined.extend(aside)
            continue
        before = faults.total
        books[kind] = _load_book(kind, table, version=version, gather=repeated == "gathered")
        table.finish()
        quarantined.extend(table.quarantined)
        if known is not None and faults.total == before:
            known[fingerprint] = (books[kind], tuple(table.quarantined))
    top.finish()
    _check_references(books, tables)
    faults.stop_if_any(what)
    return UnifiedRelease(
        release=release,
        digest=digest,
        valid_from=valid_from,
        books=MappingProxyType(books),
        sources=tuple(sources),
        quarantined=tuple(quarantined),
    )


def with_versions(release: UnifiedRelease, *, before: UnifiedRelease) -> UnifiedRelease:
    """The release with the version of each entry that the release before it had in the same words already."""
    books: dict[CatalogKind, Mapping[str, UnifiedEntry]] = {}
    for kind, book in release.books.items():
        older = before.books.get(kind, {})
        books[kind] = book if book is older else MappingProxyType(_carried(book, older))
    return replace(release, books=MappingProxyType(books))


def _carried(book: Mapping[str, UnifiedEntry], older: Mapping[str, UnifiedEntry]) -> dict[str, UnifiedEntry]:
    carried = {}
    for code, entry in book.items():
        found = older.get(code)
        if found is not None and found.says_the_same(entry):
            carried[code] = replace(entry, version=found.version)
        else:
            carried[code] = entry
    return carried


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


def _load_book(kind: CatalogKind, table: Table, *, version: str, gather: bool) -> Mapping[str, UnifiedEntry]:
    book = BOOKS[kind]
    entries: dict[str, UnifiedEntry] = {}
    lines: dict[str, int] = {}
    for row in table.read(book.columns, layout=book.layout):
        cells = dict(zip(table.header, row.cells, strict=True))
        text = row.cells[0]
        fault = book.fault(cells)
        if fault:
            table.fault(row.line, *fault)
        if text in entries:
            if gather:
                entries[text] = _gathered(entries[text], cells)
            else:
                table.defect(row, table.header[0], "code_twice", f"{text} stands on line {lines[text]} already")
            continue
        try:
            code = UnifiedCode(kind, text)
        except NotAllowed as error:
            table.fault(row.line, table.header[0], error.code, error.message)
            continue
        lines[text] = row.line
        entries[text] = UnifiedEntry(
            code=code,
            name=cells["name"],
            attributes=MappingProxyType({k: v for k, v in cells.items() if v and k not in _NOT_ATTRIBUTES}),
            parent=cells.get("parent_code") or None,
            status=book.status(cells),
            version=version,
        )
    if book.parents:
        _resolve_parents(table, entries, lines)
    return MappingProxyType(entries)


def _check_references(
    books: Mapping[CatalogKind, Mapping[str, UnifiedEntry]], tables: Mapping[CatalogKind, Table]
) -> None:
    """A column that names a code of another book names one that the release has."""
    for kind, entries in books.items():
        for column, other in BOOKS[kind].refers.items():
            targets = books.get(other, {})
            for code, entry in entries.items():
                named = entry.attributes.get(column, "")
                if named not in targets:
                    tables[kind].faults.add(
                        f"{tables[kind].name} {code} {column}",
                        f"{other}_unknown",
                        f"{named!r} is no {other} of this release: mend the code, or take a newer book of them",
                    )


def _gathered(entry: UnifiedEntry, cells: Mapping[str, str]) -> UnifiedEntry:
    """An entry with one more row of its code: the first name stays, other names become aliases, the rest is
    joined.
    """
    attributes = dict(entry.attributes)
    if cells["name"] != entry.name:
        _join(attributes, "aliases", cells["name"], by=NAME_SEPARATOR)
    for column in entry.attributes.keys() & cells.keys():
        _join(attributes, column, cells[column], by="/" if column == CLASS_COLUMN else NAME_SEPARATOR)
    return replace(entry, attributes=MappingProxyType(attributes))


def _join(attributes: dict[str, str], key: str, value: str, *, by: str) -> None:
    parts = attributes[key].split(by) if key in attributes else []
    if value and value not in parts:
        attributes[key] = by.join([*parts, value])


def _resolve_parents(table: Table, entries: dict[str, UnifiedEntry], lines: Mapping[str, int]) -> None:
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
            message = f"{parent} is not a code of this file"
            table.defect_at(lines[text], text, "parent_code", "parent_unknown", message)
        entries[text] = replace(entry, parent=marked)
