"""The daily three-way match: hospital, insuring region and hub."""

import pytest

from hub.core.errors import Inconsistent
from hub.core.matching import Break, BreakCause, Told, three_way
from hub.core.money import yuan


def told(event="bil_1/settled", total="100.00", fund="60.00"):
    return Told(event, yuan(total), yuan(fund))


def cause(hub, care, insuring):
    agreed, breaks = three_way(hub=hub, care=care, insuring=insuring)
    assert agreed == 0
    return [found.cause for found in breaks]


def test_a_booking_that_all_three_tell_alike_agrees():
    assert three_way(hub=[told()], care=[told()], insuring=[told()]) == (1, ())


def test_a_day_on_which_nobody_booked_agrees():
    assert three_way(hub=[], care=[], insuring=[]) == (0, ())


@pytest.mark.parametrize(
    ("hub", "care", "insuring", "found"),
    [
        ([], [told()], [told()], "missing_at_hub"),
        ([told()], [], [told()], "missing_at_care"),
        ([told()], [told()], [], "missing_at_insuring"),
        ([told()], [told(total="100.01")], [told()], "total_differs"),
        ([told()], [told()], [told(fund="59.99")], "fund_differs"),
    ],
)
def test_each_difference_names_its_cause(hub, care, insuring, found):
    assert cause(hub, care, insuring) == [BreakCause(found)]


@pytest.mark.parametrize(
    ("hub", "care", "insuring", "found"),
    [
        ([], [told()], [], "missing_at_hub"),
        ([], [], [told()], "missing_at_hub"),
        ([told()], [], [], "missing_at_care"),
        ([told()], [], [told(total="1.00")], "missing_at_care"),
        ([told()], [told(total="1.00")], [], "missing_at_insuring"),
        ([told()], [told(total="99.00", fund="1.00")], [told()], "total_differs"),
    ],
)
def test_of_two_causes_the_first_in_the_order_of_precedence_is_named(hub, care, insuring, found):
    assert cause(hub, care, insuring) == [BreakCause(found)]


def test_a_cancel_booked_on_one_side_only_is_a_break_of_its_own():
    cancel = told("bil_1/cancelled", "-100.00", "-60.00")

    agreed, breaks = three_way(hub=[told(), cancel], care=[told()], insuring=[told(), cancel])

    assert agreed == 1
    assert breaks == (Break("bil_1/cancelled", BreakCause.MISSING_AT_CARE, cancel, None, cancel),)


def test_breaks_stand_in_the_order_of_their_events():
    _, breaks = three_way(hub=[told("c"), told("a")], care=[told("b")], insuring=[])

    assert [found.event_id for found in breaks] == ["a", "b", "c"]


def test_a_booking_told_twice_alike_counts_once():
    assert three_way(hub=[told(), told()], care=[told()], insuring=[told()]) == (1, ())


def test_a_booking_told_twice_with_two_amounts_by_one_side_stops_the_match():
    with pytest.raises(Inconsistent) as broken:
        three_way(hub=[told()], care=[told(), told(total="25.00")], insuring=[told()])

    assert broken.value.code == "told_twice"
