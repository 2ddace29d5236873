"""Errands that meet: settle, cancel, close and copies of a message at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest

from hub.actions import once, settlement, statements
from hub.actions.context import Keep
from hub.core.bill import AdmissionKind, BillState
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.decision import Decision, DecisionRequest, Refusal
from hub.core.errors import Conflict, HubError, Unreachable
from hub.core.money import total
from hub.ports import HUB_SCOPE
from hub.ports.records import BillRecord, Claim, StoredAnswer
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World


class Slow:
    """A region whose answer takes as long as whatever is done meanwhile; only the first answer is slow."""

    def __init__(self, world: World, meanwhile: Callable[[], object], *, then: HubError | None = None) -> None:
        self._own = world.hub.gateway(HUANGSHAN)
        self._meanwhile: Callable[[], object] | None = meanwhile
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def decide(self, request: DecisionRequest) -> Decision | Refusal:
        decided = self._own.decide(request)
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
            if self._then is not None:
                raise self._then
        return decided


def at_once(*errands: Callable[[], Any]) -> list[Any]:
    """Run errands that start together; an errand's refusal is its outcome."""
    start = Barrier(len(errands))

    def run(errand: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return errand()
        except HubError as error:
            return error.code

    with ThreadPoolExecutor(len(errands)) as pool:
        return list(pool.map(run, errands))


def bills_of(world: World) -> list[BillRecord]:
    return list(settlement.list_bills(world.hub, scope=HUB_SCOPE, day=None, period=None, after="", limit=100))


def settle(world: World, command: settlement.SubmitBill, at=QINZHOU) -> BillRecord:
    return settlement.settle(world.hub, command, by=world.hospital(at), as_of=world.now)


KEY = {"participant": "his", "key": "K", "fingerprint": "same content"}


def keyed(
    world: World, command: settlement.SubmitBill, *, errand: Callable[[Keep[BillRecord]], BillRecord] | None = None
) -> tuple[StoredAnswer, bool]:
    """Settle under one message key, as the gateway does; the answer is the bill's id."""

    def settled(keep: Keep[BillRecord]) -> BillRecord:
        return settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now, keep=keep)

    return once.once(
        world.hub,
        once.Ticket(**KEY),
        as_of=world.now,
        errand=errand or settled,
        render=lambda bill: StoredAnswer(201, bill.id),
    )


def emergency(world: World, *amounts: str, **more: Any) -> settlement.SubmitBill:
    return world.bill(world.admit("Huang", QINZHOU, kind=AdmissionKind.EMERGENCY), *(amounts or ("10000.00",)), **more)


# --- one stay, one bill -------------------------------------------------------------------------------------------


def test_a_bill_sent_twice_at_once_under_two_keys_is_settled_once(world: World):
    command = emergency(world)

    outcomes = at_once(*[lambda: settle(world, command)] * 6)

    assert sum(isinstance(one, BillRecord) for one in outcomes) == 1
    assert {one for one in outcomes if isinstance(one, str)} <= {
        "bill_exists",
        "visit_settled",
        "visit_move_not_allowed",
    }
    assert len(bills_of(world)) == 1


def test_two_revisions_of_one_stay_at_once_settle_one(world: World):
    first = emergency(world, bill_no="B-A")

    outcomes = at_once(lambda: settle(world, first), lambda: settle(world, replace(first, revision=2)))

    assert sum(isinstance(one, BillRecord) for one in outcomes) == 1


def test_one_bill_number_for_two_stays_at_once_settles_one(world: World):
    """Of two persons, so that nothing but the number brings the two bills together."""
    others = [world.admit(who, QINZHOU, kind=AdmissionKind.EMERGENCY) for who in ("Huang", "Xu")]
    first = world.bill(others[0], "100.00", bill_no="B-A")
    second = world.bill(others[1], "100.00", bill_no="B-A", revision=2)
    world.with_gateway(HUANGSHAN, Slow(world, lambda: settle(world, first)))  # type: ignore[arg-type]

    with pytest.raises(Conflict) as refused:
        settle(world, second)

    assert refused.value.code in ("bill_exists", "bill_not_cancelled")
    assert [bill.revision for bill in bills_of(world) if bill.state is BillState.POSTED] == [1]


def test_two_hospitals_that_settle_one_person_at_once_charge_the_deductible_once(world: World):
    """Huangshan charges 500.00 once a year at level 2 and above: 5,225.00 once and 5,500.00 once."""
    world.approve(world.register("Huang", QINZHOU))
    world.approve(world.register("Huang", JIANGNING))
    commands = [(at, world.bill(world.admit("Huang", at), "10000.00")) for at in (QINZHOU, JIANGNING)]

    bills = at_once(*[lambda at=at, command=command: settle(world, command, at) for at, command in commands])

    assert sorted(str(bill.decision.fund_total) for bill in bills) == ["5225.00", "5500.00"]
    assert {bill.institution for bill in bills} == {world.hospital(at).institution for at, _ in commands}


# --- cancels --------------------------------------------------------------------------------------------------------


def test_two_cancels_of_one_bill_at_once_take_it_back_once(world: World):
    bill = world.settled("Huang", QINZHOU)

    outcomes = at_once(*[lambda: world.cancel(bill)] * 6)

    assert sum(isinstance(one, BillRecord) for one in outcomes) == 1
    with world.store.begin(HUB_SCOPE) as uow:
        year = uow.years.peek(bill.person_id, bill.insurance_type, 2026)
    assert (year.version, str(year.totals.in_policy)) == (2, "0.00")


def test_a_new_revision_sent_while_the_cancel_runs_is_settled_after_it_or_not_at_all(world: World):
    first = emergency(world, bill_no="B-A")
    bill = settle(world, first)

    _, second = at_once(lambda: world.cancel(bill), lambda: settle(world, replace(first, revision=2)))

    posted = [one.revision for one in bills_of(world) if one.state is BillState.POSTED]
    assert posted == ([2] if isinstance(second, BillRecord) else [])
    assert isinstance(second, BillRecord) or second in ("bill_not_cancelled", "visit_move_not_allowed")


def test_a_bill_cancelled_while_a_later_one_is_asked_about_does_not_count_in_its_decision(world: World):
    """The later bill is asked about again: it alone then pays the year's deductible."""
    bill = world.settled("Huang", QINZHOU, "10000.00")
    command = world.bill(world.admit("Huang", QINZHOU), "10000.00")
    world.with_gateway(HUANGSHAN, Slow(world, lambda: world.cancel(bill)))  # type: ignore[arg-type]

    later = settle(world, command)

    assert str(later.decision.fund_total) == "5225.00"


# --- the close ------------------------------------------------------------------------------------------------------


def test_bills_and_cancels_during_the_close_are_in_exactly_one_month(world: World):
    world.approve(world.register("Huang", QINZHOU))
    # Another person's bill is cancelled: a later bill of the same person would forbid it.
    settled_before = world.settled("Xu", QINZHOU, "1000.00")
    commands = [world.bill(world.admit("Huang", QINZHOU), "1000.00") for _ in range(4)]
    settled_on_time = world.now
    world.go_to(date(2026, 11, 1), hour=0)

    def settle_late(command: settlement.SubmitBill) -> BillRecord:
        return settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=settled_on_time)

    at_once(
        lambda: world.close("2026-10"),
        *[lambda command=command: settle_late(command) for command in commands],
        lambda: world.cancel(settled_before),
        lambda: world.close("2026-10"),
    )
    world.go_to(date(2026, 12, 1))
    world.close("2026-11")

    months = [cells_of(world, month) for month in (Period(2026, 10), Period(2026, 11))]
    standing = total(bill.decision.fund_total for bill in bills_of(world) if bill.state is BillState.POSTED)
    assert total(cell.amount for cells in months for cell in cells) == standing
    assert sum(cell.bills for cells in months for cell in cells) == len(bills_of(world)) + 1


def cells_of(world: World, month: Period) -> tuple[Any, ...]:
    return tuple(statements.matrix(world.hub, regime=Regime.CROSS_PROVINCE, period=month, scope=HUB_SCOPE).cells)


def test_many_closes_of_one_month_at_once_close_it_once(world: World):
    world.settled("Huang", QINZHOU, "10000.00")
    world.go_to(date(2026, 11, 3))

    outcomes = at_once(*[lambda: world.close("2026-10")] * 5)

    assert {one.state for one in outcomes} == {"closed"}
    assert [str(cell.amount) for cell in cells_of(world, Period(2026, 10))] == ["5225.00"]


def test_first_contacts_of_one_person_at_once_are_one_person(world: World):
    visits = at_once(*[lambda: world.admit("Huang", QINZHOU)] * 6)

    assert len({visit.person_id for visit in visits}) == 1


# --- message keys ---------------------------------------------------------------------------------------------------


def test_a_runner_overtaken_after_its_lease_gives_the_answer_of_the_one_that_booked(world: World):
    command = emergency(world)
    other: list[tuple[StoredAnswer, bool]] = []

    def lease_ends_and_the_message_comes_again() -> None:
        world.clock.moment += timedelta(seconds=once.LEASE_SECONDS)
        other.append(keyed(world, command))

    world.with_gateway(HUANGSHAN, Slow(world, lease_ends_and_the_message_comes_again))  # type: ignore[arg-type]

    answer, _ = keyed(world, command)

    assert answer == other[0][0]
    assert [bill.id for bill in bills_of(world)] == [answer.body]


def test_a_runner_that_fails_after_its_lease_leaves_the_key_to_the_one_that_took_it_over(world: World):
    command = emergency(world)
    started, taken = world.now, []

    def taken_over_and_then_failed(_keep: Keep[BillRecord]) -> BillRecord:
        with world.store.begin(HUB_SCOPE) as uow:
            later = started + timedelta(seconds=once.LEASE_SECONDS)
            taken.append(uow.idempotency.claim(**KEY, at=later, lease_seconds=once.LEASE_SECONDS).ours)
        raise Unreachable("timeout", "no answer", transient=True)

    with pytest.raises(Unreachable):
        keyed(world, command, errand=taken_over_and_then_failed)

    with world.store.begin(HUB_SCOPE) as uow:
        assert (taken, uow.idempotency.look(**KEY)) == ([True], Claim(ours=False, answer=None))
