"""Days, half-open spans, settlement periods and China's working days.

Knows how days relate to each other and which moment belongs to which business day.
Must not know what time it is now: every function receives its moment.
Sources: the working-day table comes from the State Council's yearly holiday notices (catalogs/calendar/); business
days are in Asia/Shanghai.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from hub.core.errors import Inconsistent, NotAllowed

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China keeps one time zone, without summer time since 1992: a fixed offset says it exactly."""


def business_day(moment: datetime) -> date:
    """The calendar day in Shanghai on which a moment falls. Raises Inconsistent for a moment without a time zone."""
    if moment.tzinfo is None:
        raise Inconsistent("naive_moment", "a moment must carry its time zone")
    return moment.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The first moment of a business day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` (included) to `end` (excluded); no end means until further notice."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise NotAllowed("span_empty", f"a span must end after it starts ({self.start} to {self.end})")

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def overlaps(self, other: Span) -> bool:
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A clearing month, written ``2026-10``."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (2000 <= self.year <= 2999 and 1 <= self.month <= 12):
            raise NotAllowed("period_malformed", f"{self.year}-{self.month} is not a month")

    @classmethod
    def parse(cls, text: str) -> Period:
        found = re.fullmatch(r"(2[0-9]{3})-(0[1-9]|1[0-2])", text, re.ASCII)
        if not found:
            raise NotAllowed("period_malformed", f"{text[:20]!r} is not a month: write it like 2026-10")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Period:
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def span(self) -> Span:
        return Span(self.first_day, self.next().first_day)

    def next(self) -> Period:
        return Period(self.year + 1, 1) if self.month == 12 else Period(self.year, self.month + 1)

    def months_since(self, earlier: Period) -> int:
        """How many months this period lies after another; negative if it lies before."""
        return (self.year - earlier.year) * 12 + self.month - earlier.month


def add_months(day: date, months: int) -> date:
    """The same day of the month some months later; the last day of that month where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def months_from(start: date, months: int) -> Span:
    """Whole months from a day on, the day itself included; where the last month has no such day, all of it counts.

    Six months from 12 October end with 11 April; six months from 29, 30 or 31 August end with the last of February.
    """
    end = add_months(start, months)
    return Span(start, end if end.day == start.day else end + timedelta(days=1))


class DayKind(StrEnum):
    """How a day departs from the usual week."""

    HOLIDAY = "holiday"
    MAKE_UP_WORKDAY = "make_up_workday"


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """China's working days: Monday to Friday, less holidays, plus make-up workdays.

    `exceptions` lists only the days that depart from the week; `years` says for which years the table is complete.
    A day outside those years is refused: a calendar that guesses gives wrong deadlines silently.
    """

    exceptions: Mapping[date, DayKind]
    years: frozenset[int]

    @classmethod
    def of(cls, rows: Iterable[tuple[date, DayKind]]) -> WorkingCalendar:
        exceptions = dict(rows)
        return cls(exceptions, frozenset(day.year for day in exceptions))

    def is_working_day(self, day: date) -> bool:
        """Raises NotAllowed if the table does not reach the day's year."""
        if day.year not in self.years:
            raise NotAllowed(
                "calendar_year_missing",
                f"the working-day table does not cover {day.year}: load that year's State Council notice",
            )
        kind = self.exceptions.get(day)
        if kind is None:
            return day.weekday() < 5
        return kind is DayKind.MAKE_UP_WORKDAY

    def add_working_days(self, day: date, count: int) -> date:
        """The last of `count` working days, counted from the day after `day`."""
        if count < 0:
            raise Inconsistent("calendar_count", "working days are counted forward")
        while count:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        return day
