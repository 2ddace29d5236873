"""Windows: which month a bill falls into, how late it may be, and when a month may close."""

import pytest

from hub.core.clearing import (
    WINDOW_MOVES,
    ClearingRules,
    WindowState,
    check_may_close,
    months_late,
    window_id,
)
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import NotAllowed
from hub.core.lifecycle import MoveNotAllowed
from tests.core.builders import day

RULES = ClearingRules(months_late=2, source="domain-process section 9.3")


@pytest.mark.parametrize(
    ("discharged", "period", "late"),
    [
        ("2026-10-31", "2026-10", 0),
        ("2026-10-01", "2026-11", 1),
        ("2026-12-31", "2027-01", 1),
        ("2026-12-31", "2027-02", 2),
        ("2026-11-30", "2027-01", 2),
        ("2026-11-01", "2026-10", 0),
    ],
    ids=["same month", "next month", "over the year end", "at most two", "november in january", "next window open"],
)
def test_lateness_is_counted_in_months_after_the_month_of_discharge(discharged, period, late):
    assert months_late(discharged_on=day(discharged), period=Period.parse(period), rules=RULES) == late


@pytest.mark.parametrize(("discharged", "period"), [("2026-12-31", "2027-03"), ("2026-07-31", "2026-10")])
def test_a_bill_three_months_late_goes_back_to_the_insured_place(discharged, period):
    with pytest.raises(NotAllowed) as refused:
        months_late(discharged_on=day(discharged), period=Period.parse(period), rules=RULES)

    assert refused.value.code == "bill_too_late"
    assert "claims at the insured place" in refused.value.message


def test_a_month_closes_from_the_first_day_of_the_next():
    assert check_may_close(Period(2026, 12), as_of=day("2027-01-01")) is None
    with pytest.raises(NotAllowed) as refused:
        check_may_close(Period(2026, 12), as_of=day("2026-12-31"))
    assert refused.value.code == "period_not_over"


def test_a_window_is_known_by_its_regime_and_month():
    assert window_id(Regime.CROSS_PROVINCE, Period(2026, 10)) == "win_cross_province_2026-10"


def test_a_window_goes_through_its_steps_in_one_order_and_never_back():
    state = WINDOW_MOVES.start
    for event in ("cut", "grossed", "netted", "closed"):
        state = WINDOW_MOVES.after(state, event)

    assert state is WindowState.CLOSED
    assert WINDOW_MOVES.final_states() == {WindowState.CLOSED}
    with pytest.raises(MoveNotAllowed):
        WINDOW_MOVES.after(WindowState.CUT, "netted")
