"""The daily three-way match on the real database, with the bookings carried to the regions by the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from hub.actions import matching
from hub.core.codes import Region
from hub.core.dates import SHANGHAI
from hub.core.errors import Unreachable
from hub.core.matching import BreakCause
from hub.core.money import Money
from hub.ports import HUB_SCOPE, Booking
from hub.ports.records import BillRecord, MatchRun, ReportedBooking
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World

SANDBOX = Region("990100")


def as_reported(bill: BillRecord, *, off_by_fen: int = 0) -> ReportedBooking:
    return ReportedBooking(
        event_id=f"{bill.id}/settled",
        insuring_region=bill.insuring_region,
        total=Money(bill.decision.total.fen + off_by_fen),
        fund_total=bill.decision.fund_total,
    )


def as_cancelled(bill: BillRecord) -> ReportedBooking:
    return ReportedBooking(
        event_id=f"{bill.id}/cancelled",
        insuring_region=bill.insuring_region,
        total=-bill.decision.total,
        fund_total=-bill.decision.fund_total,
    )


def report(world: World, *rows: ReportedBooking, by: Region = QINZHOU) -> None:
    matching.report_day(world.hub, world.today, rows, by=world.hospital(by), as_of=world.now)


class Silent:
    """A region that does not answer."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def booked(self, *, day: date) -> Sequence[Booking]:
        raise Unreachable("timeout", f"no answer for {day}", transient=True)


def runs(world: World) -> Sequence[MatchRun]:
    with world.store.begin(HUB_SCOPE) as uow:
        return uow.matching.runs(day=world.today)


def matched(world: World) -> matching.RegionMatch:
    found = matching.match_day(world.hub, world.today, as_of=world.now)
    return next(one for one in found if one.insuring_region == HUANGSHAN)


def test_a_booking_that_all_three_sides_have_agrees(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world, as_reported(bill))

    assert matched(world).agreed == 1


def test_a_region_that_was_not_told_yet_is_a_break_with_its_cause(world: World):
    bill = world.settled("Huang", QINZHOU)
    report(world, as_reported(bill))

    assert [one.cause for one in matched(world).breaks] == [BreakCause.MISSING_AT_INSURING]


def test_a_hospital_that_is_one_fen_off_is_a_break_with_its_cause(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world, as_reported(bill, off_by_fen=1))

    assert [one.cause for one in matched(world).breaks] == [BreakCause.TOTAL_DIFFERS]


def test_a_corrected_report_heals_the_break(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world)
    assert [one.cause for one in matched(world).breaks] == [BreakCause.MISSING_AT_CARE]

    report(world, as_reported(bill))

    assert matched(world).breaks == ()


def test_delivering_the_outbox_again_books_nothing_twice(world: World):
    world.settled("Huang", QINZHOU)
    assert world.deliver_all() == 1

    assert world.deliver_all() == 0

    assert len(world.hub.gateway(HUANGSHAN).booked(day=world.today)) == 1


def test_a_hospital_that_speaks_of_anothers_bill_neither_stops_nor_changes_the_match(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world, as_reported(bill))
    meddling = [as_reported(bill, off_by_fen=1)]
    matching.report_day(world.hub, world.today, tuple(meddling), by=world.hospital(JIANGNING), as_of=world.now)

    found = matched(world)

    assert (found.agreed, found.breaks) == (1, ())


def test_two_hospitals_that_invent_one_booking_do_not_stop_the_match(world: World):
    invented = [ReportedBooking("bil-x/settled", HUANGSHAN, Money(fen), Money(fen)) for fen in (100, 200)]
    report(world, invented[0])
    matching.report_day(world.hub, world.today, (invented[1],), by=world.hospital(JIANGNING), as_of=world.now)

    assert [one.cause for one in matched(world).breaks] == [BreakCause.MISSING_AT_HUB]


def test_another_hospitals_report_does_not_stand_in_for_the_one_that_booked(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world, as_reported(bill), by=JIANGNING)

    assert [one.cause for one in matched(world).breaks] == [BreakCause.MISSING_AT_CARE]


def test_a_region_that_does_not_answer_holds_up_no_other_regions_match(world: World):
    bill = world.settled("Huang", QINZHOU)
    world.deliver_all()
    report(world, as_reported(bill))
    world.with_gateway(JIANGNING, Silent(JIANGNING))  # type: ignore[arg-type]

    with pytest.raises(Unreachable):
        matching.match_day(world.hub, world.today, as_of=world.now)

    matched = {run.insuring_region: run.agreed for run in runs(world)}
    assert matched == {region: int(region == HUANGSHAN) for region in world.hub.gateways if region != JIANGNING}


def test_a_cancel_after_midnight_is_matched_on_its_own_day(world: World):
    world.clock.moment = datetime(2026, 10, 20, 23, 59, 59, tzinfo=SHANGHAI)
    bill = world.settled("Huang", QINZHOU)
    report(world, as_reported(bill))
    world.clock.moment += timedelta(seconds=1)
    world.cancel(bill)
    report(world, as_cancelled(bill))
    world.deliver_all()

    days = [matching.match_day(world.hub, day, as_of=world.now) for day in (date(2026, 10, 20), date(2026, 10, 21))]

    assert [[(one.agreed, one.breaks) for one in day if one.insuring_region == HUANGSHAN] for day in days] == [
        [(1, ())],
        [(1, ())],
    ]
