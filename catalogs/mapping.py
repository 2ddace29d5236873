"""Loads a mapping file: which unified code each local code stands for, on which days, and how well.

Knows the columns of a mapping and its checks. Must not know prices, classes or how a mapping was suggested.
Source: each folder's mapping.toml; the column `origin` says of each row who or what decided it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalogs.descriptor import read_descriptor
from catalogs.faults import FaultList
from catalogs.tables import Quarantined, Row, Source, Table
from catalogs.unified import ACTIVE, UnifiedRelease, read_kind, release_name
from catalogs.working_days import read_day
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.mapping import Grade, Mapping

_COLUMNS = (
    "local_code",
    "local_name",
    "unified_code",
    "unified_name",
    "grade",
    "valid_from",
    "valid_until",
    "origin",
)


@dataclass(frozen=True, slots=True)
class MappedEntry:
    """A row of a mapping file: the mapping, the local name it was decided on, and who or what decided it."""

    mapping: Mapping
    local_name: str
    origin: str


@dataclass(frozen=True, slots=True)
class MappingRelease:
    """A checked mapping file, for one region."""

    name: str
    release: str
    kind: CatalogKind
    digest: str
    entries: tuple[MappedEntry, ...]
    source: Source
    quarantined: tuple[Quarantined, ...]


def load_mapping(
    folder: Path, *, region: Region, unified: UnifiedRelease, local_codes: Collection[str] | None = None
) -> MappingRelease:
    """Read and check a folder of mappings; the local codes become codes of `region`.

    With `local_codes`, a row for any other code is a fault. Raises CatalogFaults with every fault.
    """
    faults = FaultList()
    what = f"mappings/{folder.parent.name}/{folder.name}"
    top, digest = read_descriptor(folder / "mapping.toml", faults=faults, what=what)
    release = release_name(top, folder)
    name = top.text("mapping")
    kind = read_kind(top)
    top.text("grading")
    if top.text("unified") != unified.release:
        top.fault("unified", "unified_release", f"is not the unified release in use, {unified.release!r}")
    table = Table(folder, top.section("file"))
    entries: list[MappedEntry] = []
    spans: dict[str, list[Span]] = {}
    for row in table.read(_COLUMNS):
        entry = None if kind is None else _entry(table, row, region=region, kind=kind, unified=unified)
        if entry is None:
            continue
        local = entry.mapping.local.code
        if local_codes is not None and local not in local_codes:
            table.fault(row.line, "local_code", "local_unknown", f"{local} is not in the listing this maps")
        span = Span(entry.mapping.valid_from, entry.mapping.valid_until)
        if any(span.overlaps(other) for other in spans.setdefault(local, [])):
            table.fault(
                row.line,
                "valid_from",
                "spans_overlap",
                f"{local} is mapped on these days already: end the earlier row",
            )
        spans[local].append(span)
        entries.append(entry)
    table.finish()
    top.finish()
    faults.stop_if_any(what)
    assert kind is not None
    return MappingRelease(name, release, kind, digest, tuple(entries), table.source, tuple(table.quarantined))


def _entry(table: Table, row: Row, *, region: Region, kind: CatalogKind, unified: UnifiedRelease) -> MappedEntry | None:
    """One row as a value; None, with its faults noted, if it cannot be one."""
    local, local_name, target, target_name, grade_text, start_text, end_text, origin = row.cells
    before = table.faults.total
    start = _day(table, row, "valid_from", start_text)
    end = _day(table, row, "valid_until", end_text) if end_text else None
    if grade_text not in list(Grade):
        table.fault(row.line, "grade", "value_unknown", f"{grade_text!r} is not one of {', '.join(Grade)}")
    elif (grade_text == Grade.NONE) != (not target):
        table.fault(row.line, "grade", "grade_target", "a row has no unified code exactly when its grade is 'none'")
    if target:
        found = unified.find(kind, target)
        if found is None:
            table.fault(
                row.line,
                "unified_code",
                "target_unknown",
                f"{target} is no {kind} of the release {unified.release}",
            )
        elif found.status != ACTIVE:
            table.fault(
                row.line,
                "unified_code",
                "target_inactive",
                f"{target} is {found.status}: map to an active code",
            )
        elif found.name != target_name:
            table.fault(
                row.line,
                "unified_name",
                "name_differs",
                f"{target} is called {found.name!r}, not {target_name!r}",
            )
    if not origin:
        table.fault(row.line, "origin", "origin_missing", "say who or what decided this mapping")
    if table.faults.total > before or start is None:
        return None
    try:
        mapping = Mapping(
            local=LocalCode(region, kind, local),
            unified=UnifiedCode(kind, target) if target else None,
            grade=Grade(grade_text),
            valid_from=start,
            valid_until=end,
        )
    except NotAllowed as error:
        column = "valid_until" if error.code == "mapping_span" else "local_code"
        table.fault(row.line, column, error.code, error.message)
        return None
    return MappedEntry(mapping, local_name, origin)


def _day(table: Table, row: Row, column: str, text: str) -> date | None:
    day = read_day(text)
    if day is None:
        table.fault(row.line, column, "date_malformed", f"{text!r} is not a date: write it like 2024-01-01")
    return day
