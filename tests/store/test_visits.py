"""Visits with their moves; a diagnosis is sealed."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.core.bill import VisitState
from hub.core.errors import Conflict
from hub.ports import HUB_SCOPE
from tests.store.rows import NANJING_FIRST, NOON, person, visit


@pytest.fixture
def kept(store):
    """A store with a person and his visit."""
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
        uow.visits.add(visit(), who="H32010200001")
    return store


def settle(uow):
    uow.visits.move(
        "vis-1",
        source=VisitState.ADMITTED,
        event="settled",
        target=VisitState.SETTLED,
        who="H32010200001",
        why="",
        at=NOON,
    )


def test_a_visit_comes_back_as_it_was_kept(kept):
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.visits.get("vis-1") == visit()
        assert uow.visits.find(NANJING_FIRST, "Z2026-1") == visit()
        assert uow.visits.find(NANJING_FIRST, "Z2026-2") is None


def test_a_hospitals_visit_number_is_given_once(kept):
    with kept.begin(HUB_SCOPE) as uow, pytest.raises(Conflict, match="visit_exists"):
        uow.visits.add(visit("vis-2"), who="H32010200001")


def test_no_diagnosis_lies_open_in_the_database(kept, owner):
    row = owner.execute(text("select cast(to_jsonb(visit.*) as text) from visit")).scalar_one()

    assert "J18.9" not in row
    assert b"J18.9".hex() not in row


def test_a_move_writes_state_and_history(kept, owner):
    with kept.begin(HUB_SCOPE) as uow:
        settle(uow)

    assert owner.execute(text("select state from visit")).scalar_one() == "settled"
    assert owner.execute(text("select event from visit_move order by id")).scalars().all() == ["admitted", "settled"]


def test_a_visit_that_has_moved_on_is_not_moved_again(kept):
    with kept.begin(HUB_SCOPE) as uow:
        settle(uow)

        with pytest.raises(Conflict, match="visit_changed"):
            settle(uow)
