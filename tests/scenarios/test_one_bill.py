"""One bill's way from registration to settlement and back, on the real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from hub.actions import settlement
from hub.actions.registration import cancel_registration
from hub.core.bill import AdmissionKind, BillState, VisitState
from hub.core.errors import Conflict, NotAllowed, NotFound
from hub.core.money import yuan
from hub.core.registration import AccessBasis, Evidence, RegistrationCategory, RegistrationState
from hub.ports import HUB_SCOPE
from hub.ports.records import RegistrationRecord
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World

# Huangshan (P10), outside the city: 500.00 deductible at level 3, then 55 % to the fund.


def test_a_registered_person_pays_only_his_own_share(world: World):
    world.register("Huang", QINZHOU)

    bill = world.settle(world.admit("Huang", QINZHOU), "10000.00")

    # (10,000.00 - 500.00) x 55 % = 5,225.00
    assert bill.decision.fund_total == yuan("5225.00")
    assert bill.decision.cash == yuan("4775.00")
    assert bill.state is BillState.POSTED


def test_a_quote_gives_the_same_split_and_books_nothing(world: World):
    world.register("Huang", QINZHOU)
    visit = world.admit("Huang", QINZHOU)
    command = world.bill(visit, "10000.00")

    quoted = settlement.quote(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert quoted.decision.fund_total == yuan("5225.00")
    assert settlement.list_bills(world.hub, scope=HUB_SCOPE, day=None, period=None, after="", limit=10) == []


def test_an_emergency_needs_no_registration(world: World):
    visit = world.admit("Huang", QINZHOU, kind=AdmissionKind.EMERGENCY)

    bill = world.settle(visit, "10000.00")

    assert bill.request.basis is AccessBasis.EMERGENCY


def test_without_registration_or_emergency_qinzhou_refuses_and_nothing_is_written(world: World):
    visit = world.admit("Wei", HUANGSHAN)

    with pytest.raises(settlement.RefusedByRegion) as refused:
        world.settle(visit, "10000.00")

    assert refused.value.facts["reason"] == "not_registered"
    assert settlement.list_bills(world.hub, scope=HUB_SCOPE, day=None, period=None, after="", limit=10) == []


def test_a_registration_made_before_discharge_counts_for_the_stay(world: World):
    visit = world.admit("Wei", HUANGSHAN, days_ago=5)
    world.register("Wei", HUANGSHAN)

    bill = world.settle(visit, "10000.00")

    assert bill.request.basis is AccessBasis.TEMPORARY


def test_a_person_whose_insurance_is_paused_cannot_register(world: World):
    with pytest.raises(NotAllowed) as refused:
        world.register("Paused", HUANGSHAN)

    assert refused.value.code == "insurance_not_active"


def test_the_same_bill_number_is_refused_a_second_time(world: World):
    first = world.settled("Huang", QINZHOU)
    command = world.bill(world.admit("Huang", QINZHOU), "1.00", bill_no=first.bill_no)

    with pytest.raises(Conflict) as refused:
        settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert refused.value.code == "bill_exists"


def test_a_cancelled_bill_opens_the_stay_again_and_its_next_revision_is_accepted(world: World):
    visit = world.admit("Xu", QINZHOU, kind=AdmissionKind.EMERGENCY)
    first = world.settle(visit, "10000.00", bill_no="B-A")
    world.cancel(first)

    second = world.settle(visit, "9000.00", bill_no="B-A", revision=2)

    assert second.revision == 2
    assert second.state is BillState.POSTED


def test_a_cancel_gives_the_year_back_what_the_bill_took(world: World):
    world.settled("Wei", HUANGSHAN, "10000.00")
    second = world.settled("Wei", HUANGSHAN, "20000.00")
    before = second.request.year_to_date

    world.cancel(second)

    with world.store.begin(HUB_SCOPE) as uow:
        assert uow.years.peek(second.person_id, second.insurance_type, 2026).totals == before


def test_an_earlier_bill_cannot_be_cancelled_before_a_later_one(world: World):
    first = world.settled("Wei", HUANGSHAN, "10000.00")
    second = world.settled("Wei", HUANGSHAN, "20000.00")

    with pytest.raises(Conflict) as refused:
        world.cancel(first)

    assert refused.value.code == "cancel_order"
    assert refused.value.facts["bill_id"] == second.id


def test_another_hospital_cannot_cancel_the_bill(world: World):
    from hub.actions.cancellation import cancel_bill

    bill = world.settled("Wei", HUANGSHAN)

    with pytest.raises(NotFound):
        cancel_bill(world.hub, bill.id, reason="x", by=world.hospital(JIANGNING), as_of=world.now)


def test_two_bills_of_one_person_at_once_are_decided_one_after_the_other(world: World):
    """Huangshan charges the deductible of level 2 and above once a year: only one of the two may pay it."""
    world.register("Huang", QINZHOU)
    commands = [world.bill(world.admit("Huang", QINZHOU), "10000.00") for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        bills = list(
            pool.map(
                lambda command: settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now),
                commands,
            )
        )

    # One pays 5,225.00 (after 500.00), the others 10,000.00 x 55 % = 5,500.00.
    assert sorted(str(bill.decision.fund_total) for bill in bills) == ["5225.00", "5500.00", "5500.00", "5500.00"]
    assert sorted(bill.year_version for bill in bills) == [1, 2, 3, 4]


def test_a_settled_stay_cannot_be_withdrawn(world: World):
    from hub.actions.admission import get_visit, withdraw_admission

    bill = world.settled("Huang", QINZHOU)

    with pytest.raises(Conflict):
        withdraw_admission(world.hub, bill.visit_id, reason="x", by=world.hospital(QINZHOU), as_of=world.now)

    assert get_visit(world.hub, bill.visit_id, scope=HUB_SCOPE).state is VisitState.SETTLED


def test_a_bill_discharged_three_months_ago_is_too_late(world: World):
    world.register("Huang", QINZHOU, start=date(2026, 10, 20))
    visit = world.admit("Huang", QINZHOU)
    command = world.bill(visit, "10000.00")
    world.go_to(date(2027, 1, 5))

    with pytest.raises(NotAllowed) as refused:
        settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert refused.value.code == "bill_too_late"


def test_only_a_colleague_may_approve_what_an_officer_filed(world: World):
    from hub.actions.registration import decide_registration

    record = world.register(
        "Jiang",
        QINZHOU,
        category=RegistrationCategory.LONG_TERM_RESIDENT,
        evidence=Evidence.PAPERS,
        actor="officer-1",
    )

    with pytest.raises(NotAllowed) as refused:
        decide_registration(
            world.hub,
            record.registration.id,
            approve=True,
            reason="",
            by=world.agency(JIANGNING),
            actor="officer-1",
            as_of=world.now,
        )

    assert refused.value.code == "four_eyes"


def cancel_of(world: World, record: RegistrationRecord) -> RegistrationRecord:
    return cancel_registration(
        world.hub, record.registration.id, reason="moved", scope=HUB_SCOPE, actor="patient", as_of=world.now
    )


def test_a_stay_that_ended_before_its_registration_was_cancelled_is_settled_under_it(world: World):
    record = world.register("Wei", HUANGSHAN)
    world.go_to(date(2026, 10, 25))
    visit = world.admit("Wei", HUANGSHAN, days_ago=3)
    command = world.bill(visit, "10000.00")
    world.go_to(date(2026, 10, 26))
    cancelled = cancel_of(world, record)

    bill = settlement.settle(world.hub, command, by=world.hospital(HUANGSHAN), as_of=world.now)

    assert cancelled.registration.state is RegistrationState.CANCELLED
    assert cancelled.registration.span.end == date(2026, 10, 26)
    assert bill.request.basis is AccessBasis.TEMPORARY


def test_a_registration_cancelled_before_its_first_day_is_withdrawn(world: World):
    record = world.register("Wei", HUANGSHAN, start=date(2026, 11, 1))

    assert cancel_of(world, record).registration.state is RegistrationState.WITHDRAWN
