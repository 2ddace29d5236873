"""Business days, half-open spans, clearing months and working days."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

import catalogs
from catalogs.load import load_calendar
from hub.core.dates import (
    DayKind,
    Period,
    Span,
    WorkingCalendar,
    add_months,
    business_day,
    months_from,
    start_of_day,
)
from hub.core.errors import Inconsistent, NotAllowed
from tests.core.builders import day

SHIPPED = load_calendar(Path(catalogs.__file__).parent / "calendar")
A_WEEK = WorkingCalendar.of(
    [
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 10, 2), DayKind.HOLIDAY),
        (date(2026, 10, 10), DayKind.MAKE_UP_WORKDAY),
    ]
)


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        (datetime(2026, 9, 30, 15, 59, 59, tzinfo=UTC), "2026-09-30"),
        (datetime(2026, 9, 30, 16, 0, 0, tzinfo=UTC), "2026-10-01"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=timezone(timedelta(hours=-5))), "2027-01-01"),
    ],
)
def test_a_business_day_begins_at_midnight_in_shanghai(moment, on):
    assert business_day(moment) == day(on)


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(Inconsistent) as broken:
        business_day(datetime(2026, 9, 30, 12, 0))  # noqa: DTZ001 - that it has no zone is the point.

    assert broken.value.code == "naive_moment"


def test_the_first_moment_of_a_day_lies_on_it_and_the_one_before_does_not():
    start = start_of_day(date(2026, 10, 1))

    assert start == datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
    assert business_day(start) == date(2026, 10, 1)
    assert business_day(start - timedelta(microseconds=1)) == date(2026, 9, 30)


def test_a_span_includes_its_first_day_and_excludes_its_end():
    span = Span(day("2026-03-01"), day("2026-09-01"))

    assert day("2026-02-28") not in span
    assert day("2026-03-01") in span
    assert day("2026-08-31") in span
    assert day("2026-09-01") not in span


def test_a_span_without_end_holds_until_further_notice():
    assert day("2999-12-31") in Span(day("2026-03-01"))


@pytest.mark.parametrize("end", ["2026-03-01", "2026-02-28"])
def test_a_span_that_does_not_end_after_it_starts_is_refused(end):
    with pytest.raises(NotAllowed) as refused:
        Span(day("2026-03-01"), day(end))

    assert refused.value.code == "span_empty"


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        ("2026-02-01", "2026-03-01", False),
        ("2026-02-01", "2026-03-02", True),
        ("2026-08-31", None, True),
        ("2026-09-01", None, False),
        ("2026-04-01", "2026-05-01", True),
    ],
)
def test_spans_that_only_touch_do_not_overlap(start, end, overlaps):
    span = Span(day("2026-03-01"), day("2026-09-01"))
    other = Span(day(start), day(end) if end else None)

    assert span.overlaps(other) is overlaps
    assert other.overlaps(span) is overlaps


def test_two_spans_without_end_always_overlap():
    assert Span(day("2026-03-01")).overlaps(Span(day("2999-01-01")))


def test_a_clearing_month_reads_and_writes_like_2026_10():
    assert str(Period.parse("2026-02")) == "2026-02"
    assert Period.of(day("2026-02-28")) == Period(2026, 2)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "1999-12", "2026/10", "２０２６-10", "2026-10 "])
def test_a_month_in_any_other_form_is_refused(text):
    with pytest.raises(NotAllowed) as refused:
        Period.parse(text)

    assert refused.value.code == "period_malformed"


@pytest.mark.parametrize(("year", "month"), [(2026, 0), (2026, 13), (1999, 12), (3000, 1)])
def test_a_month_that_does_not_exist_cannot_be_built(year, month):
    with pytest.raises(NotAllowed) as refused:
        Period(year, month)

    assert refused.value.code == "period_malformed"


def test_december_is_followed_by_january_of_the_next_year():
    december = Period(2026, 12)

    assert december.next() == Period(2027, 1)
    assert december.span == Span(day("2026-12-01"), day("2027-01-01"))
    assert Period(2026, 11).next() == december
    assert december < Period(2027, 1)


@pytest.mark.parametrize(
    ("later", "earlier", "months"),
    [("2027-02", "2026-12", 2), ("2026-10", "2026-10", 0), ("2026-09", "2026-10", -1), ("2028-01", "2026-12", 13)],
)
def test_months_are_counted_over_the_year_end(later, earlier, months):
    assert Period.parse(later).months_since(Period.parse(earlier)) == months


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-03-15", 6, "2026-09-15"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-11-30", 1, "2026-12-30"),
        ("2026-10-31", -1, "2026-09-30"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(start, months, end):
    assert add_months(day(start), months) == day(end)


@pytest.mark.parametrize(
    ("start", "last_day"),
    [
        ("2026-03-01", "2026-08-31"),
        ("2026-08-28", "2027-02-27"),
        ("2026-08-29", "2027-02-28"),
        ("2026-08-31", "2027-02-28"),
        ("2027-08-31", "2028-02-29"),
    ],
)
def test_six_months_are_never_cut_short_by_a_shorter_month(start, last_day):
    span = months_from(day(start), 6)

    assert day(start) in span
    assert day(last_day) in span
    assert day(last_day) + timedelta(days=1) not in span


@pytest.mark.parametrize(
    ("on", "works"),
    [("2026-09-30", True), ("2026-10-01", False), ("2026-10-03", False), ("2026-10-05", True), ("2026-10-10", True)],
)
def test_a_working_day_is_a_weekday_or_a_made_up_weekend_but_no_holiday(on, works):
    assert A_WEEK.is_working_day(day(on)) is works


def test_a_year_that_the_calendar_does_not_cover_is_refused_rather_than_guessed():
    with pytest.raises(NotAllowed) as refused:
        A_WEEK.add_working_days(day("2026-12-30"), 3)

    assert refused.value.code == "calendar_year_missing"


def test_no_working_days_later_is_the_same_day_and_counting_backwards_is_refused():
    assert A_WEEK.add_working_days(day("2026-10-03"), 0) == day("2026-10-03")
    with pytest.raises(Inconsistent) as broken:
        A_WEEK.add_working_days(day("2026-10-03"), -1)
    assert broken.value.code == "calendar_count"


def test_twenty_working_days_after_28_september_2026_end_on_30_october():
    # 29-30 Sep (2), 1-7 Oct holidays, 8-10 Oct with the made-up Saturday (5), 12-16 (10), 19-23 (15), 26-30 (20).
    assert SHIPPED.add_working_days(day("2026-09-28"), 20) == day("2026-10-30")
