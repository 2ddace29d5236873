"""Loads a listing: a table of local codes that a province published, as its source gave it.

Knows rows with a local code, a name, a unit, a published class and price limits. Must not know which region
uses it or how. Source: each folder's listing.toml, which also says which column is which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from catalogs.descriptor import Section, read_descriptor
from catalogs.faults import FaultList
from catalogs.tables import Quarantined, Row, Source, Table
from catalogs.unified import read_kind, release_name
from hub.core.catalog import BenefitClass
from hub.core.codes import CatalogKind
from hub.core.errors import NotAllowed
from hub.core.money import exact_decimal

_CLASSES = {"甲": BenefitClass.A, "乙": BenefitClass.B, "丙": BenefitClass.C}
_UNIT = re.compile(r"[一-鿿]{1,3}")


def read_class(text: str) -> BenefitClass:
    """The class meant by ``甲``, ``乙`` or ``丙``; of several (``丙/乙``) the one that pays least.

    Several classes hold under conditions that a fee line does not carry (age, maternity benefit, use in a
    compound): the safer reading is that the condition is not met. Raises NotAllowed for any other text.
    """
    try:
        return max(_CLASSES[part] for part in text.split("/"))
    except KeyError:
        raise NotAllowed(
            "class_unknown", f"{text!r} is not a class: write 甲, 乙 or 丙, or several like 丙/乙"
        ) from None


def selling_unit(package: str) -> str:
    """The unit sold, from a text like ``0.25g*6片/盒``: the plain word after the last stroke, or nothing."""
    unit = package.rpartition("/")[2]
    return unit if "/" in package and _UNIT.fullmatch(unit) else ""


@dataclass(frozen=True, slots=True)
class ListingRow:
    """An item of a listing; `limits` are price limits in yuan by column, absent where none is stated."""

    code: str
    name: str
    unit: str
    published_class: BenefitClass | None
    limits: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked listing, whole."""

    name: str
    release: str
    kind: CatalogKind
    digest: str
    limit_columns: tuple[str, ...]
    rows: Mapping[str, ListingRow]
    source: Source
    quarantined: tuple[Quarantined, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which column of the source is which; an empty name means that the source has no such column."""

    columns: tuple[str, ...]
    code: str
    name: str
    unit: str
    package: str
    published_class: str
    limits: tuple[str, ...]
    no_limit_words: frozenset[str]
    gather: bool

    def is_heading(self, cells: Mapping[str, str]) -> bool:
        """A row with neither class nor unit is no item, if the listing has both columns."""
        if not (self.published_class and self.unit):
            return False
        return not cells[self.published_class] and not cells[self.unit]

    @classmethod
    def read(cls, section: Section) -> _Layout:
        layout = cls(
            columns=section.texts("all"),
            code=section.text("code"),
            name=section.text("name"),
            unit=section.text("unit") if section.has("unit") else "",
            package=section.text("package") if section.has("package") else "",
            published_class=section.text("class") if section.has("class") else "",
            limits=section.texts("price_limits"),
            no_limit_words=frozenset(section.texts("no_limit_words")),
            gather=section.text("repeated_codes") == "gathered",
        )
        named = (
            layout.code,
            layout.name,
            layout.unit,
            layout.package,
            layout.published_class,
            *layout.limits,
        )
        for column in named:
            if column and column not in layout.columns:
                section.fault("all", "column_unknown", f"does not hold the column {column!r}")
        section.finish()
        return layout


def load_listing(folder: Path) -> Listing:
    """Read and check a folder with a listing; whole or not at all. Raises CatalogFaults with every fault."""
    faults = FaultList()
    what = f"regions/{folder.parent.name}/{folder.name}"
    top, digest = read_descriptor(folder / "listing.toml", faults=faults, what=what)
    release = release_name(top, folder)
    name = top.text("listing")
    kind = read_kind(top)
    layout = _Layout.read(top.section("columns"))
    headings_declared = top.whole("headings")
    table = Table(folder, top.section("file"), root=folder.parents[1])
    faults.stop_if_any(what)
    assert kind is not None
    rows: dict[str, ListingRow] = {}
    lines: dict[str, int] = {}
    headings = 0
    for row in table.read(layout.columns):
        cells = dict(zip(layout.columns, row.cells, strict=True))
        if layout.is_heading(cells):
            headings += 1
            continue
        item = _row(table, row, layout, cells)
        if item.code not in rows:
            rows[item.code] = item
            lines[item.code] = row.line
        elif not (layout.gather and _same_but_name(item, rows[item.code])):
            table.defect(
                row,
                layout.code,
                "code_twice",
                f"{item.code} stands on line {lines[item.code]} with other content",
            )
    if headings != headings_declared:
        top.fault(
            "headings",
            "heading_count",
            f"is {headings_declared}, but {headings} rows have neither class nor unit",
        )
    table.finish()
    top.finish()
    faults.stop_if_any(what)
    return Listing(name, release, kind, digest, layout.limits, rows, table.source, tuple(table.quarantined))


def _same_but_name(one: ListingRow, other: ListingRow) -> bool:
    return (one.unit, one.published_class, one.limits) == (other.unit, other.published_class, other.limits)


def _row(table: Table, row: Row, layout: _Layout, cells: Mapping[str, str]) -> ListingRow:
    code, name = cells[layout.code], cells[layout.name]
    if not 1 <= len(code) <= 64 or not code.isprintable():
        table.fault(row.line, layout.code, "local_code_malformed", "a local code has 1 to 64 printable characters")
    if not name:
        table.fault(row.line, layout.name, "name_empty", "is empty: an item has a name")
    published = None
    class_text = cells[layout.published_class] if layout.published_class else ""
    if class_text:
        try:
            published = read_class(class_text)
        except NotAllowed as error:
            table.fault(row.line, layout.published_class, error.code, error.message)
    limits: dict[str, Fraction] = {}
    for column in layout.limits:
        text = cells[column]
        if not text or text in layout.no_limit_words:
            continue
        try:
            limits[column] = exact_decimal(text, places=6)
        except NotAllowed:
            table.fault(
                row.line,
                column,
                "price_malformed",
                f"{text!r} is neither a price in yuan nor one of the words for 'no limit' in listing.toml",
            )
            continue
        if limits[column] < 0:
            table.fault(row.line, column, "price_negative", f"{text!r} is negative")
    unit = cells[layout.unit] if layout.unit else selling_unit(cells[layout.package]) if layout.package else ""
    return ListingRow(code, name, unit, published, limits)
