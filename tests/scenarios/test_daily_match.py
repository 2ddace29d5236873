"""The daily three-way match on the real database, with the bookings carried to the regions by the outbox."""

from __future__ import annotations

from hub.actions import matching
from hub.core.matching import BreakCause
from hub.core.money import Money
from hub.ports.records import BillRecord, ReportedBooking
from tests.world import HUANGSHAN, QINZHOU, World


def as_reported(bill: BillRecord, *, off_by_fen: int = 0) -> ReportedBooking:
    return ReportedBooking(
        event_id=f"{bill.id}/settled",
        insuring_region=bill.insuring_region,
        total=Money(bill.decision.total.fen + off_by_fen),
        fund_total=bill.decision.fund_total,
    )


def report(world: World, *rows: ReportedBooking) -> None:
    matching.report_day(world.hub, world.today, rows, by=world.hospital(QINZHOU), as_of=world.now)


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
