"""Registrations with their moves; who submitted never decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from hub.core.dates import Span
from hub.core.errors import Conflict, NotAllowed
from hub.core.registration import RegistrationState
from hub.ports import HUB_SCOPE
from tests.store.rows import CHENGDU, NANJING, NOON, QINZHOU, person, region_scope, registration

SUBMITTED, APPROVED = RegistrationState.SUBMITTED, RegistrationState.APPROVED


@pytest.fixture
def kept(store):
    """A store with a person and his submitted registration."""
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
        uow.registrations.add(registration())
    return store


def approve(uow, *, who="officer", registration_id="reg-1"):
    uow.registrations.move(
        registration_id, source=SUBMITTED, event="approved", target=APPROVED, who=who, why="papers fit", at=NOON
    )


def test_a_registration_comes_back_as_it_was_kept(kept):
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.registrations.get("reg-1") == registration()
        assert uow.registrations.by_reference("REF-reg-1") == registration()
        assert uow.registrations.of_person("per-1") == [registration().registration]


def test_a_registration_without_end_comes_back_without_one(kept):
    record = registration("reg-2")
    open_ended = replace(record, registration=replace(record.registration, span=Span(date(2026, 11, 2))))

    with kept.begin(HUB_SCOPE) as uow:
        uow.registrations.add(open_ended)

        assert uow.registrations.get("reg-2") == open_ended


def test_an_approval_names_who_decided_and_why(kept):
    with kept.begin(HUB_SCOPE) as uow:
        approve(uow)

        found = uow.registrations.get("reg-1")
    assert found is not None
    assert (found.registration.state, found.decided_by, found.decided_reason) == (APPROVED, "officer", "papers fit")


def test_a_later_cancel_leaves_who_decided(kept):
    with kept.begin(HUB_SCOPE) as uow:
        approve(uow)
        uow.registrations.move(
            "reg-1",
            source=APPROVED,
            event="cancelled",
            target=RegistrationState.CANCELLED,
            who="patient",
            why="not needed",
            at=NOON,
        )

        found = uow.registrations.get("reg-1")
    assert found is not None
    assert (found.decided_by, found.decided_reason) == ("officer", "papers fit")


def test_each_move_is_written_down(kept, owner):
    with kept.begin(HUB_SCOPE) as uow:
        approve(uow)

    moves = owner.execute(text("select source, event, target, who, why from registration_move order by id")).all()

    assert [tuple(move) for move in moves] == [
        (None, "submitted", "submitted", "patient", ""),
        ("submitted", "approved", "approved", "officer", "papers fit"),
    ]


def test_who_submitted_cannot_decide(kept):
    with pytest.raises(NotAllowed, match="four_eyes"), kept.begin(HUB_SCOPE) as uow:
        approve(uow, who="patient")

    with kept.begin(HUB_SCOPE) as uow:
        assert uow.registrations.get("reg-1") == registration()


def test_a_rule_may_decide_at_once(kept):
    with kept.begin(HUB_SCOPE) as uow:
        approve(uow, who="rule")

        assert uow.registrations.of_person("per-1")[0].state is APPROVED


def test_a_registration_that_has_moved_on_is_not_moved_again(kept):
    with kept.begin(HUB_SCOPE) as uow:
        approve(uow)

        with pytest.raises(Conflict, match="registration_changed"):
            approve(uow)


def test_the_end_of_a_registration_can_be_set(kept):
    with kept.begin(HUB_SCOPE) as uow:
        uow.registrations.end_on("reg-1", end=date(2026, 12, 1))

        assert uow.registrations.of_person("per-1")[0].span == Span(date(2026, 11, 2), date(2026, 12, 1))


def test_registrations_are_listed_by_id_after_a_given_one(kept):
    with kept.begin(HUB_SCOPE) as uow:
        for number in (4, 2, 3):
            uow.registrations.add(registration(f"reg-{number}"))
        approve(uow, registration_id="reg-3")

        page = uow.registrations.listed(state=None, after="reg-1", limit=2)
        waiting = uow.registrations.listed(state=SUBMITTED, after="", limit=10)

    assert [record.registration.id for record in page] == ["reg-2", "reg-3"]
    assert [record.registration.id for record in waiting] == ["reg-1", "reg-2", "reg-4"]


@pytest.mark.parametrize(("region", "ids"), [(QINZHOU, ["reg-1"]), (NANJING, ["reg-1"]), (CHENGDU, [])])
def test_a_list_holds_what_the_region_takes_part_in(kept, region, ids):
    with kept.begin(region_scope(region)) as uow:
        records = uow.registrations.listed(state=None, after="", limit=10)

    assert [record.registration.id for record in records] == ids


@pytest.mark.parametrize(("insuring_region", "ids"), [(QINZHOU, ["reg-1"]), (NANJING, []), (None, ["reg-1"])])
def test_a_list_can_be_narrowed_to_the_persons_of_one_region(kept, insuring_region, ids):
    with kept.begin(region_scope(NANJING)) as uow:
        records = uow.registrations.listed(state=None, insuring_region=insuring_region, after="", limit=10)

    assert [record.registration.id for record in records] == ids


def test_an_insuring_region_decides_inside_its_own_sight(kept):
    with kept.begin(region_scope(QINZHOU)) as uow:
        assert uow.registrations.get("reg-1", lock=True) is not None
        approve(uow)

    with kept.begin(HUB_SCOPE) as uow:
        assert uow.registrations.of_person("per-1")[0].state is APPROVED
