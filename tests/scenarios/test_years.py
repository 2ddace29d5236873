"""Bills around the turn of a year or month: which year they count in, which month clears them, how late they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.actions import settlement, statements
from hub.core.bill import AdmissionKind
from hub.core.codes import Regime
from hub.core.dates import SHANGHAI, Period
from hub.core.decision import YearToDate
from hub.core.errors import NotAllowed
from hub.ports import HUB_SCOPE
from hub.ports.records import BillRecord
from tests.world import QINZHOU, World

# Huangshan (P10), level 3 outside the city: 500.00 deductible once a year, then 55 % to the fund.

DECEMBER, JANUARY = Period(2026, 12), Period(2027, 1)


def settle_on(world: World, command: settlement.SubmitBill, day: date) -> BillRecord:
    world.go_to(day)
    return settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)


def sent_on(world: World, day: date, *, days_ago: int = 5) -> settlement.SubmitBill:
    """A bill of 10,000.00 for an emergency stay that ended on a day."""
    world.go_to(day)
    return world.bill(world.admit("Huang", QINZHOU, kind=AdmissionKind.EMERGENCY, days_ago=days_ago), "10000.00")


def totals(world: World, bill: BillRecord, year: int) -> YearToDate:
    with world.store.begin(HUB_SCOPE) as uow:
        return uow.years.peek(bill.person_id, bill.insurance_type, year).totals


def cells(world: World, period: Period, regime: Regime = Regime.CROSS_PROVINCE) -> list[tuple[str, int]]:
    found = statements.matrix(world.hub, regime=regime, period=period, scope=HUB_SCOPE).cells
    return [(str(cell.amount), cell.bills) for cell in found]


def test_a_stay_over_the_turn_of_the_year_counts_whole_in_the_year_of_discharge(world: World):
    settle_on(world, sent_on(world, date(2026, 12, 20)), date(2026, 12, 20))

    bill = settle_on(world, sent_on(world, date(2027, 1, 2)), date(2027, 1, 2))

    # 2026's deductible does not serve for 2027: (10,000.00 - 500.00) x 55 %
    assert (bill.year, str(bill.decision.fund_total)) == (2027, "5225.00")
    assert str(totals(world, bill, 2026).in_policy) == str(totals(world, bill, 2027).in_policy) == "10000.00"


def test_a_december_discharge_settled_in_january_counts_in_december_and_is_cleared_in_january(world: World):
    command = sent_on(world, date(2026, 12, 31))

    bill = settle_on(world, command, date(2027, 1, 4))

    assert (bill.year, bill.period, bill.months_late) == (2026, JANUARY, 1)
    assert totals(world, bill, 2027) == YearToDate(year=2027)


def test_a_december_bill_cancelled_in_january_gives_back_december_and_is_cleared_in_january(world: World):
    bill = settle_on(world, sent_on(world, date(2026, 12, 30)), date(2026, 12, 30))
    later = settle_on(world, sent_on(world, date(2027, 1, 9)), date(2027, 1, 9))

    world.cancel(bill)

    world.go_to(date(2027, 2, 1))
    world.close("2026-12")
    world.close("2027-01")
    assert totals(world, bill, 2026) == YearToDate(year=2026)
    assert totals(world, later, 2027).in_policy == later.amounts.in_policy
    assert (cells(world, DECEMBER), cells(world, JANUARY)) == ([("5225.00", 1)], [("0.00", 2)])


def test_a_bill_settled_in_the_last_second_of_the_year_belongs_to_december(world: World):
    command = replace(sent_on(world, date(2026, 12, 31)), discharged_on=date(2026, 12, 31))
    world.clock.moment = datetime(2026, 12, 31, 23, 59, 59, tzinfo=SHANGHAI)

    bill = settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert (bill.settled_on, bill.period, bill.year) == (date(2026, 12, 31), DECEMBER, 2026)


def test_the_last_second_in_shanghai_is_not_the_last_in_greenwich(world: World):
    """00:30 on 1 January in Shanghai is still 31 December in UTC."""
    command = sent_on(world, date(2026, 12, 31))
    world.clock.moment = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)

    bill = settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert (bill.settled_on, bill.period, bill.months_late) == (date(2027, 1, 1), JANUARY, 1)


@pytest.mark.parametrize(("day", "late"), [(date(2026, 12, 31), 2), (date(2026, 11, 1), 1), (date(2026, 10, 31), 0)])
def test_a_bill_of_october_may_enter_december_at_the_latest(world: World, day: date, late: int):
    command = sent_on(world, date(2026, 10, 31))

    assert settle_on(world, command, day).months_late == late


def test_a_bill_that_is_too_late_to_be_settled_is_not_quoted_either(world: World):
    command = sent_on(world, date(2026, 10, 31))
    world.go_to(date(2027, 1, 1))

    with pytest.raises(NotAllowed) as refused:
        settlement.quote(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert refused.value.code == "bill_too_late"


def test_a_month_left_open_does_not_take_the_bills_of_the_next(world: World):
    """October stays open until December: November's bills wait for November."""
    settle_on(world, sent_on(world, date(2026, 10, 20)), date(2026, 10, 20))
    bill = settle_on(world, sent_on(world, date(2026, 11, 20)), date(2026, 11, 20))
    world.go_to(date(2026, 12, 1))
    world.close("2026-11")
    world.close("2026-10")

    assert bill.period == Period(2026, 11)
    assert cells(world, Period(2026, 10)) == [("5225.00", 1)]
    assert cells(world, Period(2026, 11)) == [("5500.00", 1)]


def test_a_quote_at_one_rate_and_a_settlement_in_the_new_year_follow_each_days_totals(world: World):
    """What was quoted before another bill was booked is not promised: the settlement is decided anew."""
    command = sent_on(world, date(2026, 12, 30))
    quoted = settlement.quote(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)
    settle_on(world, sent_on(world, date(2026, 12, 30)), date(2026, 12, 30))

    bill = settle_on(world, command, date(2026, 12, 30))

    assert (str(quoted.decision.fund_total), str(bill.decision.fund_total)) == ("5225.00", "5500.00")
