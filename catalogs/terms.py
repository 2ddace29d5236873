"""Reads a region's table of terms: what it pays for each code, in dated rows.

Knows the columns of such a table and the checks of a row. Must not know mappings, bills or where the table came from.
Sources: domain-process sections 3 and 6.3; columns follow the national queries 1312 (class, restriction, days), 1318
(price limit by hospital level) and 1319 (first self-pay ratio by kind of insured person).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from catalogs.books import LIST_SEPARATOR
from catalogs.faults import NoteFault
from catalogs.mapping import read_beginnings
from catalogs.tables import Row, Table
from catalogs.working_days import read_day
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, Sex
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.money import Rate, exact_decimal

COLUMNS = ("code", "name", "unit", "class", "first_self_pay", "valid_from", "valid_until")
LIMIT_COLUMNS = {level: f"price_limit_{level.value}" for level in HospitalLevel}
RATIO_COLUMNS = {one: f"first_self_pay_{one.value}" for one in InsuranceType}
OPTIONAL_COLUMNS = (
    "grace_until",
    *LIMIT_COLUMNS.values(),
    "payment_standard",
    *RATIO_COLUMNS.values(),
    "only_sex",
    "only_age_from",
    "only_age_to",
    "only_diagnoses",
    "only_inpatient",
    "only_levels",
    "only_days",
)
"""Columns that a table may have after the required ones, in this order; an empty cell says nothing."""

CLASS_WORDS = {"甲": BenefitClass.A, "乙": BenefitClass.B, "丙": BenefitClass.C}


def class_word(benefit_class: BenefitClass) -> str:
    return next(word for word, one in CLASS_WORDS.items() if one is benefit_class)


@dataclass(frozen=True, slots=True)
class RegionTerms:
    """What a row says of itself alone: its place, the entry, and nothing of other rows."""

    line: int
    item: CatalogItem


def terms_layout(found: Sequence[str]) -> tuple[str, ...] | None:
    """The columns of a table's header; None if it is not the required ones and then optional ones in order."""
    head, tail = tuple(found[: len(COLUMNS)]), list(found[len(COLUMNS) :])
    if head != COLUMNS or tail != [column for column in OPTIONAL_COLUMNS if column in tail]:
        return None
    return (*head, *tail)


Paying = Callable[[BenefitClass], tuple[Rate, MappingOf[InsuranceType, Rate]]]
"""A region's ratios of a class: for everybody, and those for one insurance type; used where a row states none."""


class TermsReader:
    """Reads rows one by one; `fault` hears of each thing wrong. With `repeats` two rows of one code for the very same
    days are left to somebody else to compare.
    """

    def __init__(
        self,
        *,
        region: Region,
        kind: CatalogKind,
        within: Span,
        paying: Paying,
        fault: NoteFault,
        repeats: bool = False,
    ) -> None:
        self._region = region
        self._kind = kind
        self._within = within
        self._paying = paying
        self._note = fault
        self._repeats = repeats
        self._faults = 0
        self._by_code: dict[str, list[RegionTerms]] = {}

    def _fault(self, line: int, column: str, code: str, message: str) -> None:
        self._faults += 1
        self._note(line, column, code, message)

    def read(self, row: Row, columns: Sequence[str]) -> CatalogItem | None:
        """One row as an entry; None, with its faults noted, if it cannot be one."""
        cells = dict(zip(columns, row.cells, strict=True))
        before = self._faults
        line = row.line
        if not cells["name"]:
            self._fault(line, "name", "name_empty", "is empty: an entry has a name")
        benefit_class = CLASS_WORDS.get(cells["class"])
        if benefit_class is None:
            self._fault(line, "class", "class_unknown", f"{cells['class']!r} is not a class: write 甲, 乙 or 丙")
        valid = self._valid(line, cells)
        grace = self._day(line, "grace_until", cells.get("grace_until", ""))
        last = self._within.end
        if grace is not None and last is not None and grace > last:
            self._fault(line, "grace_until", "day_outside", f"the region gives these codes up on {last}")
        ratio = self._ratio(line, "first_self_pay", cells["first_self_pay"])
        ratios = {one: self._ratio(line, name, cells.get(name, "")) for one, name in RATIO_COLUMNS.items()}
        limits = {level: self._price(line, name, cells.get(name, "")) for level, name in LIMIT_COLUMNS.items()}
        standard = self._price(line, "payment_standard", cells.get("payment_standard", ""))
        restriction = self._restriction(line, cells)
        if self._faults > before or benefit_class is None or valid is None:
            return None
        usual, usual_of = self._paying(benefit_class)
        stated = {one: found for one, found in ratios.items() if found is not None}
        try:
            item = CatalogItem(
                local=LocalCode(self._region, self._kind, cells["code"]),
                name=cells["name"],
                unit=cells["unit"],
                benefit_class=benefit_class,
                first_self_pay=usual if ratio is None else ratio,
                price_limits={level: limit for level, limit in limits.items() if limit is not None},
                valid=valid,
                payment_standard=standard,
                first_self_pay_of=stated if ratio is not None else {**usual_of, **stated},
                restriction=restriction,
                grace_until=grace,
            )
        except NotAllowed as error:
            self._fault(line, _COLUMN_OF.get(error.code, "code"), error.code, error.message)
            return None
        self._check_others(RegionTerms(line, item))
        return item

    def _check_others(self, new: RegionTerms) -> None:
        """Rows of one code hold one after the other; the grace of one ends before the next begins."""
        code = new.item.local.code
        others = self._by_code.setdefault(code, [])
        for other in others:
            if self._repeats and new.item.valid == other.item.valid:
                continue
            if new.item.valid.overlaps(other.item.valid):
                message = f"{code} holds on these days already (line {other.line}): end one row where the other begins"
                self._fault(new.line, "valid_from", "spans_overlap", message)
                break
            if new.item.payable.overlaps(other.item.payable):
                message = f"{code} is in its grace on these days (line {other.line}): end the grace where a row begins"
                self._fault(new.line, "grace_until", "grace_overlaps", message)
                break
        others.append(new)

    def _valid(self, line: int, cells: MappingOf[str, str]) -> Span | None:
        first, last = self._within.start, self._within.end
        stated = self._day(line, "valid_from", cells["valid_from"])
        end = self._day(line, "valid_until", cells["valid_until"])
        if end is not None and end <= first:
            self._fault(line, "valid_until", "day_outside", f"{end}: these terms begin on {first}, take the row out")
            return None
        # A row may begin before the release does: from the release's first day on it is this release that says so.
        start = first if stated is None else max(stated, first)
        if last is not None and (start >= last or (end is not None and end > last)):
            self._fault(line, "valid_until", "day_outside", f"the region gives these codes up on {last}")
            return None
        try:
            return Span(start, last if end is None else end)
        except NotAllowed as error:
            self._fault(line, "valid_until", error.code, error.message)
            return None

    def _day(self, line: int, column: str, text: str) -> date | None:
        day = read_day(text) if text else None
        if text and day is None:
            self._fault(line, column, "date_malformed", f"{text!r} is not a date: write it like 2024-01-01")
        return day

    def _ratio(self, line: int, column: str, text: str) -> Rate | None:
        if not text:
            return None
        try:
            value = exact_decimal(text, places=4)
        except NotAllowed:
            value = Fraction(-1)
        if value < 0:
            self._fault(line, column, "ratio_malformed", f"{text!r} is not a ratio: write 10 % as 0.1")
        elif value > 1:
            self._fault(line, column, "ratio_above_one", f"{text!r} is above 1: write 10 % as 0.1, all of it as 1")
        else:
            return Rate(value)
        return None

    def _price(self, line: int, column: str, text: str) -> Fraction | None:
        if not text:
            return None
        try:
            value = exact_decimal(text, places=6)
        except NotAllowed:
            self._fault(line, column, "price_malformed", f"{text!r} is not a price: write yuan like 12.5, or nothing")
            return None
        if value < 0:
            self._fault(line, column, "price_negative", f"{text!r} is negative")
        return value

    def _whole(self, line: int, column: str, text: str) -> int | None:
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 4:
            return int(text)
        self._fault(line, column, "number_malformed", f"{text!r} is not a whole number")
        return None

    def _restriction(self, line: int, cells: MappingOf[str, str]) -> Restriction | None:
        sex, inpatient = cells.get("only_sex", ""), cells.get("only_inpatient", "")
        levels = [part for part in cells.get("only_levels", "").split(LIST_SEPARATOR) if part]
        before = self._faults
        if sex and sex not in list(Sex):
            message = f"{sex!r} is not one of {', '.join(Sex)} (1 male, 2 female)"
            self._fault(line, "only_sex", "value_unknown", message)
        if inpatient not in {"", "0", "1"}:
            message = f"{inpatient!r} is not 1 (in hospital only), 0 or empty"
            self._fault(line, "only_inpatient", "value_unknown", message)
        for level in levels:
            if level not in list(HospitalLevel):
                message = f"{level!r} is not one of {', '.join(HospitalLevel)}"
                self._fault(line, "only_levels", "value_unknown", message)
        ages = [self._whole(line, column, cells.get(column, "")) for column in ("only_age_from", "only_age_to")]
        days = self._whole(line, "only_days", cells.get("only_days", ""))
        if self._faults > before:
            return None
        try:
            found = Restriction(
                sex=Sex(sex) if sex else None,
                age_from=ages[0],
                age_to=ages[1],
                diagnoses=read_beginnings(cells.get("only_diagnoses", "")),
                inpatient_only=inpatient == "1",
                levels=frozenset(HospitalLevel(level) for level in levels),
                most_days=days,
            )
        except NotAllowed as error:
            self._fault(line, _COLUMN_OF[error.code], error.code, error.message)
            return None
        return None if found == Restriction() else found


_COLUMN_OF = {
    "class_a_self_pay": "first_self_pay",
    "grace_span": "grace_until",
    "restriction_ages": "only_age_to",
    "restriction_days": "only_days",
    "local_code_malformed": "code",
}


def read_terms(table: Table, *, region: Region, kind: CatalogKind, within: Span, paying: Paying) -> list[CatalogItem]:
    """All rows of a table as entries, without those at fault."""
    reader = TermsReader(region=region, kind=kind, within=within, paying=paying, fault=table.fault)
    rows = table.read(COLUMNS, layout=terms_layout)
    return [item for row in rows if (item := reader.read(row, table.header))]


def cut_at(item: CatalogItem, end: date | None) -> CatalogItem:
    """The entry up to a day on which the region gives its codes up, its grace with it."""
    if end is None or (item.valid.end is not None and item.valid.end <= end):
        return item
    return replace(item, valid=Span(item.valid.start, end), grace_until=None)
