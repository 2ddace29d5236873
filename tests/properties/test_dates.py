"""Random days: months, spans and working days behave the same at every edge of the calendar."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

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

some = settings(max_examples=100, deadline=None)
days = st.dates(date(2001, 1, 1), date(2090, 12, 31))
months = st.integers(0, 60)
periods = st.builds(Period, st.integers(2000, 2998), st.integers(1, 12))
years = st.sampled_from([2026, 2027])
calendars = st.builds(
    lambda rows: WorkingCalendar.of([(date(2026, 1, 1), DayKind.HOLIDAY), (date(2027, 1, 1), DayKind.HOLIDAY), *rows]),
    st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sampled_from(list(DayKind))), max_size=40),
)
spans = st.builds(lambda start, length: Span(start, start + timedelta(days=length)), days, st.integers(1, 400))


@some
@given(days, months)
@example(date(2028, 2, 29), 12)
@example(date(2026, 8, 31), 6)
def test_months_later_lies_in_the_month_so_many_months_on(day, count):
    later = add_months(day, count)

    assert Period.of(later).months_since(Period.of(day)) == count
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@some
@given(days, months, st.integers(0, 40))
@example(date(2026, 8, 28), 6, 1)
def test_who_starts_later_is_covered_at_least_as_long(day, count, more):
    earlier, later = months_from(day, count + 1), months_from(day + timedelta(days=more), count + 1)

    assert earlier.end <= later.end
    assert (earlier.end - earlier.start).days >= 28 * (count + 1)


@some
@given(periods)
def test_a_month_holds_its_own_days_and_meets_the_next_without_a_gap(period):
    assert period.first_day in period.span
    assert period.span.end == period.next().first_day
    assert not period.span.overlaps(period.next().span)
    assert Period.parse(str(period)) == period


@some
@given(spans, spans)
def test_two_spans_overlap_exactly_when_they_share_a_day(one, other):
    shared = any(one.start + timedelta(days=n) in other for n in range((one.end - one.start).days))

    assert one.overlaps(other) == other.overlaps(one) == shared


@some
@given(st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_every_moment_lies_within_its_business_day(moment):
    day = business_day(moment)

    assert start_of_day(day) <= moment < start_of_day(day + timedelta(days=1))


@some
@given(calendars, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 40), st.integers(0, 40))
def test_more_working_days_never_end_earlier_and_can_be_counted_in_two_steps(calendar, day, first, more):
    then = calendar.add_working_days(day, first)

    assert calendar.add_working_days(then, more) == calendar.add_working_days(day, first + more) >= then >= day
    assert first == 0 or calendar.is_working_day(then)


@some
@given(calendars, st.dates(date(2026, 1, 1), date(2026, 11, 30)), st.integers(0, 30), st.integers(0, 30))
def test_a_later_start_never_ends_earlier(calendar, day, ahead, count):
    assert calendar.add_working_days(day, count) <= calendar.add_working_days(day + timedelta(days=ahead), count)
