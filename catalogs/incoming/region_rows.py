"""Turns the rows of the national queries 1312, 1316, 1318 and 1319 into a region's table of terms.

Knows what each query's fields mean and how their days lie over one another. Must not know files or releases.
Sources: national-interface sections 5.2 and 10.2. Assumed, since no source says it: `enddate` is the last day on which
a row holds, and a year from 2099 on means until further notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from catalogs.incoming.national import CLASS_WORDS
from catalogs.terms import COLUMNS, LIMIT_COLUMNS, OPTIONAL_COLUMNS, RATIO_COLUMNS
from catalogs.working_days import read_day
from hub.core.catalog import HospitalLevel
from hub.core.codes import CatalogKind, InsuranceType, Region
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.money import exact_decimal

TERMS_COLUMNS = (*COLUMNS, *OPTIONAL_COLUMNS)

KIND_OF_LIST = {
    "101": CatalogKind.DRUG,
    "102": CatalogKind.HERBAL,
    "103": CatalogKind.PREPARATION,
    "201": CatalogKind.SERVICE,
    "301": CatalogKind.CONSUMABLE,
}
"""list_type 目录类别; ethnic drugs (104), granules (106) and others (105) have no catalog in the hub."""

_OPEN_YEAR = 2099
_LEVELS = {level.value: level for level in HospitalLevel}
_FIRST_SHARE = "10"
_EVERYBODY = "99"

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Dated:
    """A value that holds on some days, and the line it stands on."""

    line: int
    span: Span
    cells: Cells


@dataclass(slots=True)
class RegionRows:
    """Rows of the queries by code; `left_out` counts, by reason, what a table of terms cannot say.

    `note` hears of a fault: the number of the query, then as `NoteFault` takes it.
    """

    region: Region
    kind: CatalogKind
    note: Callable[[str, int, str, str, str], None]
    entries: dict[str, list[_Dated]] = field(default_factory=dict)
    limits: dict[str, list[_Dated]] = field(default_factory=dict)
    ratios: dict[str, list[_Dated]] = field(default_factory=dict)
    national: dict[str, list[_Dated]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def _price(self, line: int, cells: Cells) -> None:
        text = cells["hilist_pric_uplmt_amt"]
        try:
            wrong = exact_decimal(text, places=6) < 0
        except NotAllowed:
            wrong = True
        if wrong:
            message = f"{text!r} is not a price: write yuan like 12.5"
            self.note("1318", line, "hilist_pric_uplmt_amt", "price_malformed", message)

    def _ratio(self, line: int, cells: Cells) -> None:
        text = cells["selfpay_prop"]
        try:
            value = exact_decimal(text, places=4)
        except NotAllowed:
            value = Fraction(-1)
        if value < 0:
            message = f"{text!r} is not a ratio: write 10 % as 0.1"
            self.note("1319", line, "selfpay_prop", "ratio_malformed", message)
        elif value > 1:
            message = f"{text!r} is above 1: write 10 % as 0.1, all of it as 1"
            self.note("1319", line, "selfpay_prop", "ratio_above_one", message)

    def take(self, number: str, line: int, cells: Cells) -> None:
        """Keep one row of a query, or note what is wrong with it."""
        if cells["vali_flag"] == "0":
            self.left_out["rows marked as not valid"] += 1
            return
        if cells["insu_admdvs"] != self.region.code:
            message = f"{cells['insu_admdvs']!r} is another region than {self.region}: import each region by itself"
            self.note(number, line, "insu_admdvs", "region_differs", message)
            return
        span = self._span(number, line, cells)
        if span is None:
            return
        if number == "1312":
            self._take_entry(line, cells, span)
        elif number == "1316":
            self._add(self.national, cells["hilist_code"], line, cells, span)
        elif number == "1318":
            self._take_limit(line, cells, span)
        else:
            self._take_ratio(line, cells, span)

    def _add(self, table: dict[str, list[_Dated]], code: str, line: int, cells: Cells, span: Span) -> None:
        table.setdefault(code, []).append(_Dated(line, span, {key: text for key, text in cells.items() if text}))

    def _take_entry(self, line: int, cells: Cells, span: Span) -> None:
        kind = KIND_OF_LIST.get(cells.get("list_type", ""))
        if cells.get("list_type") and kind is not self._asked(cells):
            self.left_out[f"rows of list_type {cells['list_type']}, not {self.kind}"] += 1
            return
        if cells["chrgitm_lv"] not in CLASS_WORDS:
            message = f"{cells['chrgitm_lv']!r} is not a class: 01, 02 or 03 for 甲, 乙, 丙"
            self.note("1312", line, "chrgitm_lv", "class_unknown", message)
            return
        if cells.get("lmt_used_flag", "0") not in {"", "0"}:
            self.left_out["restrictions that 1312 marks but does not spell out (state them by hand)"] += 1
        self._add(self.entries, cells["hilist_code"], line, cells, span)

    def _asked(self, cells: Cells) -> CatalogKind:
        """The kind of list to look for: beds are on the list of services."""
        beds = cells["hilist_code"][2:6] == "1109"
        if self.kind is CatalogKind.FACILITY and beds:
            return CatalogKind.SERVICE
        return CatalogKind.AREA if self.kind is CatalogKind.SERVICE and beds else self.kind

    def _take_limit(self, line: int, cells: Cells, span: Span) -> None:
        if cells["hilist_lmtpric_type"].lstrip("0") not in _LEVELS:
            message = f"{cells['hilist_lmtpric_type']!r} is not 01, 02 or 03 (first to third grade)"
            self.note("1318", line, "hilist_lmtpric_type", "level_unknown", message)
            return
        self._price(line, cells)
        self._add(self.limits, cells["hilist_code"], line, cells, span)

    def _take_ratio(self, line: int, cells: Cells, span: Span) -> None:
        kind_of_ratio, person = cells["selfpay_prop_type"], cells["selfpay_prop_psn_type"]
        if kind_of_ratio != _FIRST_SHARE:
            self.left_out[f"ratios of type {kind_of_ratio}, which are not first self-pay"] += 1
        elif person != _EVERYBODY and person not in list(InsuranceType):
            self.left_out[f"ratios for persons of type {person}"] += 1
        else:
            self._ratio(line, cells)
            self._add(self.ratios, cells["hilist_code"], line, cells, span)

    def _span(self, number: str, line: int, cells: Cells) -> Span | None:
        start = _day(cells["begndate"])
        if start is None:
            message = f"{cells['begndate']!r} is not a date: write it like 2024-01-01"
            self.note(number, line, "begndate", "date_malformed", message)
            return None
        text = cells.get("enddate", "")
        last = _day(text) if text else None
        if text and last is None:
            message = f"{text!r} is not a date: write it like 2024-01-01"
            self.note(number, line, "enddate", "date_malformed", message)
            return None
        end = None if last is None or last.year >= _OPEN_YEAR else last + timedelta(days=1)
        try:
            return Span(start, end)
        except NotAllowed as error:
            self.note(number, line, "enddate", error.code, error.message)
            return None

    def terms(self, *, since: date) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows of a table of terms from a day on, each with the line of the 1312 row it comes from.

        Where class, limits and ratios change on different days, a code has a row for each stretch in which none does.
        With rows of 1316 the table speaks of national codes, each with the terms of its insurance-catalog code.
        """
        for table, number in ((self.limits, "1318"), (self.ratios, "1319"), (self.national, "1316")):
            stray = [code for code in table if code not in self.entries]
            if stray:
                self.left_out[f"codes of {number} without a row in 1312"] += len(stray)
        for code, entries in self.entries.items():
            self._refuse_overlaps(code, entries)
            for entry in entries:
                yield from self._pieces(code, entry, Span(since))

    def _refuse_overlaps(self, code: str, entries: Sequence[_Dated]) -> None:
        for number, one in enumerate(entries):
            for other in entries[:number]:
                if one.span.overlaps(other.span):
                    message = f"{code} holds on these days already (line {other.line}): end one row before the other"
                    self.note("1312", one.line, "begndate", "spans_overlap", message)
                    return

    def _pieces(self, code: str, entry: _Dated, within: Span) -> Iterator[tuple[int, dict[str, str]]]:
        limits, ratios = self.limits.get(code, []), self.ratios.get(code, [])
        targets = self.national.get(code, []) if self.national else [_Dated(entry.line, entry.span, {})]
        for target in targets:
            shared = _shared(entry.span, target.span)
            shared = None if shared is None else _shared(shared, within)
            if shared is None:
                self.left_out["rows that hold on no day from the first of the release on"] += 1
                continue
            for piece in _cut(shared, (one.span for one in (*limits, *ratios))):
                row = dict.fromkeys(TERMS_COLUMNS, "")
                row["code"] = target.cells.get("med_list_codg", code)
                row["name"] = entry.cells.get("hilist_name", "")
                row["class"] = CLASS_WORDS[entry.cells["chrgitm_lv"]]
                row["valid_from"] = piece.start.isoformat()
                row["valid_until"] = "" if piece.end is None else piece.end.isoformat()
                self._put(row, piece, limits=limits, ratios=ratios)
                yield entry.line, row

    def _put(self, row: dict[str, str], piece: Span, *, limits: Sequence[_Dated], ratios: Sequence[_Dated]) -> None:
        for one in limits:
            if piece.start in one.span:
                level = _LEVELS[one.cells["hilist_lmtpric_type"].lstrip("0")]
                self._set(row, LIMIT_COLUMNS[level], one, ("1318", "hilist_pric_uplmt_amt"))
        for one in ratios:
            if piece.start in one.span:
                person = one.cells["selfpay_prop_psn_type"]
                column = "first_self_pay" if person == _EVERYBODY else RATIO_COLUMNS[InsuranceType(person)]
                self._set(row, column, one, ("1319", "selfpay_prop"))

    def _set(self, row: dict[str, str], column: str, found: _Dated, place: tuple[str, str]) -> None:
        number, name = place
        text = found.cells.get(name, "")
        if row[column] and row[column] != text:
            message = f"{text!r} and {row[column]!r} hold on {row['valid_from']} for one code: end the older row"
            self.note(number, found.line, name, "spans_overlap", message)
        row[column] = text


def _day(text: str) -> date | None:
    """A date, alone or at the beginning of a moment like ``2024-01-01 00:00:00``."""
    return read_day(text[:10]) if len(text) in {10, 19} else None


def _shared(one: Span, other: Span) -> Span | None:
    if not one.overlaps(other):
        return None
    ends = [end for end in (one.end, other.end) if end is not None]
    return Span(max(one.start, other.start), min(ends) if ends else None)


def _cut(whole: Span, by: Iterable[Span]) -> Iterator[Span]:
    """The span in pieces, cut wherever one of the others begins or ends inside it."""
    days = {day for span in by for day in (span.start, span.end) if day is not None}
    cuts = sorted(day for day in days if day in whole and day != whole.start)
    starts = [whole.start, *cuts]
    for number, start in enumerate(starts):
        yield Span(start, starts[number + 1] if number + 1 < len(starts) else whole.end)
