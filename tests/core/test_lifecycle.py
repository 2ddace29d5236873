"""A table of moves: what follows, what is refused, and how the table is drawn."""

from enum import StrEnum

import pytest

from hub.core.bill import BILL_MOVES, VISIT_MOVES, BillState
from hub.core.errors import Inconsistent
from hub.core.lifecycle import Lifecycle, MoveNotAllowed


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


MOVES = [(Door.OPEN, "shut", Door.SHUT), (Door.SHUT, "opened", Door.OPEN), (Door.SHUT, "locked", Door.LOCKED)]
DOOR = Lifecycle("door", start=Door.OPEN, moves=MOVES)


def test_a_move_in_the_table_leads_to_the_next_state():
    assert DOOR.after(Door.SHUT, "locked") is Door.LOCKED


def test_a_move_not_in_the_table_is_refused_and_names_what_may_happen():
    with pytest.raises(MoveNotAllowed) as refused:
        DOOR.after(Door.SHUT, "shut")

    assert refused.value.code == "door_move_not_allowed"
    assert refused.value.message == "a door that is shut cannot be shut; possible now: opened, locked"
    assert refused.value.facts == {"state": "shut", "event": "shut"}


def test_a_final_state_says_that_nothing_more_can_happen():
    with pytest.raises(MoveNotAllowed) as refused:
        DOOR.after(Door.LOCKED, "opened")

    assert "nothing more" in refused.value.message
    assert DOOR.final_states() == {Door.LOCKED}
    assert DOOR.events_from(Door.SHUT) == ("opened", "locked")


def test_a_table_in_which_one_event_leads_two_ways_is_refused():
    with pytest.raises(Inconsistent) as broken:
        Lifecycle("door", start=Door.OPEN, moves=[*MOVES, (Door.SHUT, "opened", Door.LOCKED)])

    assert broken.value.code == "lifecycle_ambiguous"


def test_a_table_in_which_a_state_has_no_move_to_it_is_refused():
    with pytest.raises(Inconsistent) as broken:
        Lifecycle("door", start=Door.OPEN, moves=MOVES[:2])

    assert broken.value.code == "lifecycle_unreachable"


def test_states_that_only_lead_to_each_other_count_as_unreachable():
    circle = [(Door.SHUT, "locked", Door.LOCKED), (Door.LOCKED, "unlocked", Door.SHUT)]

    with pytest.raises(Inconsistent) as broken:
        Lifecycle("door", start=Door.OPEN, moves=circle)

    assert broken.value.code == "lifecycle_unreachable"


def test_a_table_is_drawn_with_its_start_its_moves_and_its_ends():
    assert DOOR.as_mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> open",
        "    open --> shut: shut",
        "    shut --> open: opened",
        "    shut --> locked: locked",
        "    locked --> [*]",
    ]


def test_a_posted_bill_is_undone_by_a_cancel_and_by_nothing_else():
    assert BILL_MOVES.events_from(BillState.POSTED) == ("cancelled",)
    assert BILL_MOVES.final_states() == {BillState.CANCELLED}


def test_a_stay_is_open_again_after_its_settlement_was_cancelled():
    settled = VISIT_MOVES.after(VISIT_MOVES.start, "settled")

    assert VISIT_MOVES.after(settled, "settlement_cancelled") is VISIT_MOVES.start
    with pytest.raises(MoveNotAllowed):
        VISIT_MOVES.after(settled, "withdrawn")
