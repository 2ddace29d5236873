"""Loads a mapping file: which unified codes each local code stands for, on which days, when, and how well.

Knows the columns of a mapping and its checks. Must not know prices, classes or how a mapping was suggested.
Sources: each folder's mapping.toml; domain-process sections 2 (one code may stand for several, by condition) and 6.3
(mappings are intervals); design invariant 10 (who decides is not who reviews).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalogs.books import ACTIVE, LIST_SEPARATOR
from catalogs.descriptor import read_descriptor
from catalogs.faults import FaultList, NoteFault
from catalogs.tables import Quarantined, Row, Source, Table
from catalogs.unified import UnifiedRelease, read_kind, release_name
from catalogs.working_days import read_day
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, Sex, UnifiedCode
from hub.core.errors import NotAllowed
from hub.core.mapping import Condition, Grade, Mapping, check_other_person

COLUMNS = (
    "local_code",
    "local_name",
    "unified_code",
    "unified_name",
    "grade",
    "valid_from",
    "valid_until",
    "origin",
)
OPTIONAL_COLUMNS = (
    "if_sex",
    "if_age_from",
    "if_age_to",
    "if_insurance_type",
    "if_diagnoses",
    "reason",
    "decided_by",
    "reviewed_by",
)
"""Columns that a file may have after the required ones: when the row applies, and why and by whom it was decided."""


@dataclass(frozen=True, slots=True)
class MappedEntry:
    """A row of a mapping file: the mapping, the local name it was decided on, and who or what decided it, and why."""

    mapping: Mapping
    local_name: str
    origin: str
    reason: str = ""
    decided_by: str = ""
    reviewed_by: str = ""


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


def mapping_layout(found: Sequence[str]) -> tuple[str, ...] | None:
    """The columns of a mapping file's header; None if it is not the required ones and then optional ones in order."""
    head, tail = tuple(found[: len(COLUMNS)]), list(found[len(COLUMNS) :])
    if head != COLUMNS or tail != [column for column in OPTIONAL_COLUMNS if column in tail]:
        return None
    return (*head, *tail)


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
    table = Table(folder, top.section("file"), root=folder.parents[1])
    entries: list[MappedEntry] = []
    if kind is not None:
        reader = MappingReader(region=region, kind=kind, unified=unified, local_codes=local_codes, fault=table.fault)
        rows = table.read(COLUMNS, layout=mapping_layout)
        entries = [entry for row in rows if (entry := reader.entry(row, table.header))]
    table.finish()
    top.finish()
    faults.stop_if_any(what)
    assert kind is not None
    return MappingRelease(name, release, kind, digest, tuple(entries), table.source, tuple(table.quarantined))


class MappingReader:
    """Reads rows of a mapping one by one and finds those that would answer for the same line as an earlier one.

    With `repeats` two rows for the very same days and condition are left to somebody else to compare.
    """

    def __init__(
        self,
        *,
        region: Region,
        kind: CatalogKind,
        unified: UnifiedRelease,
        fault: NoteFault,
        local_codes: Collection[str] | None = None,
        repeats: bool = False,
    ) -> None:
        self._note = fault
        self._faults = 0
        self._repeats = repeats
        self._region = region
        self._kind = kind
        self._unified = unified
        self._local_codes = local_codes
        self._earlier: dict[str, list[tuple[int, Mapping]]] = {}

    def entry(self, row: Row, columns: Sequence[str]) -> MappedEntry | None:
        """One row as a value; None, with its faults noted, if it cannot be one."""
        cells = dict(zip(columns, row.cells, strict=True))
        before = self._faults
        start = self._day(row, "valid_from", cells["valid_from"])
        end = self._day(row, "valid_until", cells["valid_until"]) if cells["valid_until"] else None
        self._check_target(row, cells)
        condition = self._condition(row, cells)
        if not cells["origin"]:
            self._fault(row, "origin", "origin_missing", "say who or what decided this mapping")
        self._check_people(row, cells)
        if self._faults > before or start is None:
            return None
        local, target = cells["local_code"], cells["unified_code"]
        try:
            mapping = Mapping(
                local=LocalCode(self._region, self._kind, local),
                unified=UnifiedCode(self._kind, target) if target else None,
                grade=Grade(cells["grade"]),
                valid_from=start,
                valid_until=end,
                condition=condition,
            )
        except NotAllowed as error:
            column = "valid_until" if error.code == "mapping_span" else "local_code"
            self._fault(row, column, error.code, error.message)
            return None
        self._check_others(row, mapping)
        return MappedEntry(
            mapping=mapping,
            local_name=cells["local_name"],
            origin=cells["origin"],
            reason=cells.get("reason", ""),
            decided_by=cells.get("decided_by", ""),
            reviewed_by=cells.get("reviewed_by", ""),
        )

    def _fault(self, row: Row, column: str, code: str, message: str) -> None:
        self._faults += 1
        self._note(row.line, column, code, message)

    def _day(self, row: Row, column: str, text: str) -> date | None:
        day = read_day(text)
        if day is None:
            self._fault(row, column, "date_malformed", f"{text!r} is not a date: write it like 2024-01-01")
        return day

    def _check_target(self, row: Row, cells: MappingOf[str, str]) -> None:
        """The grade is a known one, and the target an active entry of the unified release under its own name."""
        target, grade = cells["unified_code"], cells["grade"]
        if grade not in list(Grade):
            self._fault(row, "grade", "value_unknown", f"{grade!r} is not one of {', '.join(Grade)}")
        elif (grade == Grade.NONE) != (not target):
            self._fault(row, "grade", "grade_target", "a row has no unified code exactly when its grade is 'none'")
        if not target:
            return
        found = self._unified.find(self._kind, target)
        if found is None:
            message = f"{target} is no {self._kind} of the release {self._unified.release}"
            self._fault(row, "unified_code", "target_unknown", message)
        elif found.status != ACTIVE:
            message = f"{target} is {found.status}: map to an active code"
            self._fault(row, "unified_code", "target_inactive", message)
        elif found.name != cells["unified_name"]:
            message = f"{target} is called {found.name!r}, not {cells['unified_name']!r}"
            self._fault(row, "unified_name", "name_differs", message)

    def _condition(self, row: Row, cells: MappingOf[str, str]) -> Condition:
        """When the row applies; the empty condition where the file has no such columns, or with a fault noted."""
        before = self._faults
        sex, insurance = cells.get("if_sex", ""), cells.get("if_insurance_type", "")
        if sex and sex not in list(Sex):
            self._fault(row, "if_sex", "value_unknown", f"{sex!r} is not one of {', '.join(Sex)} (1 male, 2 female)")
        if insurance and insurance not in list(InsuranceType):
            message = f"{insurance!r} is not one of {', '.join(InsuranceType)}"
            self._fault(row, "if_insurance_type", "value_unknown", message)
        first, last = (self._age(row, column, cells.get(column, "")) for column in ("if_age_from", "if_age_to"))
        if self._faults > before:
            return Condition()
        try:
            return Condition(
                sex=Sex(sex) if sex else None,
                age_from=first,
                age_to=last,
                insurance_type=InsuranceType(insurance) if insurance else None,
                diagnoses=read_beginnings(cells.get("if_diagnoses", "")),
            )
        except NotAllowed as error:
            self._fault(row, "if_age_to", error.code, error.message)
            return Condition()

    def _age(self, row: Row, column: str, text: str) -> int | None:
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 3:
            return int(text)
        self._fault(row, column, "age_malformed", f"{text!r} is not an age: write whole years")
        return None

    def _check_people(self, row: Row, cells: MappingOf[str, str]) -> None:
        """Where the file says who decided and who reviewed, they are two."""
        decider, reviewer = cells.get("decided_by", ""), cells.get("reviewed_by", "")
        if reviewer and not decider:
            self._fault(row, "decided_by", "decider_missing", "who decided is missing, though somebody reviewed")
        elif reviewer:
            try:
                check_other_person(proposed_by=decider, reviewed_by=reviewer)
            except NotAllowed as error:
                self._fault(row, "reviewed_by", error.code, error.message)

    def _check_others(self, row: Row, mapping: Mapping) -> None:
        local = mapping.local.code
        if self._local_codes is not None and local not in self._local_codes:
            self._fault(row, "local_code", "local_unknown", f"{local} is not in the listing this maps")
        earlier = self._earlier.setdefault(local, [])
        for line, other in earlier:
            if self._repeats and (mapping.valid, mapping.condition) == (other.valid, other.condition):
                continue
            if mapping.clashes_with(other):
                message = (
                    f"{local} is mapped on these days already, under a condition that can hold at once (line {line}): "
                    "end the earlier row, or part the two by condition"
                )
                self._fault(row, "valid_from", "spans_overlap", message)
                break
        earlier.append((row.line, mapping))


def read_beginnings(text: str) -> tuple[str, ...]:
    """Beginnings of diagnosis codes, parted by strokes."""
    return tuple(part for part in text.split(LIST_SEPARATOR) if part)
