"""Mappings as intervals with conditions: when they apply, when they clash, and how a change of one moves."""

from datetime import date

import pytest

from hub.core.codes import InsuranceType, Sex
from hub.core.errors import NotAllowed
from hub.core.lifecycle import MoveNotAllowed
from hub.core.mapping import (
    CHANGE_MOVES,
    ChangeState,
    Circumstances,
    Condition,
    Grade,
    age_on,
    applying,
    check_other_person,
    first_clash,
)
from tests.core.builders import day, mapped

LEAP_CHILD = date(2020, 2, 29)
WOMAN = Circumstances(day("2026-09-01"), Sex.FEMALE, date(1960, 9, 1), InsuranceType.RESIDENT, frozenset({"C50.900"}))
NOBODY_KNOWN = Circumstances(day("2026-09-01"))


@pytest.mark.parametrize(("on", "years"), [("2026-02-28", 5), ("2026-03-01", 6), ("2024-02-28", 3), ("2024-02-29", 4)])
def test_who_is_born_on_29_february_turns_older_on_1_march_of_a_common_year(on, years):
    assert age_on(day(on), born=LEAP_CHILD) == years


@pytest.mark.parametrize(
    "condition",
    [
        Condition(),
        Condition(sex=Sex.FEMALE),
        Condition(age_from=66, age_to=66),
        Condition(insurance_type=InsuranceType.RESIDENT),
        Condition(diagnoses=("C61", "C50")),
    ],
)
def test_a_condition_holds_for_a_woman_of_66_with_breast_cancer(condition):
    assert condition.holds(WOMAN)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(sex=Sex.MALE),
        Condition(age_from=67),
        Condition(age_to=65),
        Condition(insurance_type=InsuranceType.EMPLOYEE),
        Condition(diagnoses=("C61",)),
    ],
)
def test_a_condition_that_one_fact_breaks_does_not_hold(condition):
    assert not condition.holds(WOMAN)


@pytest.mark.parametrize(
    "condition", [Condition(sex=Sex.MALE), Condition(age_from=0), Condition(diagnoses=("C",))], ids=str
)
def test_what_is_not_known_fulfils_no_condition(condition):
    assert not condition.holds(NOBODY_KNOWN)


def test_the_mapping_with_a_condition_that_holds_comes_before_the_one_without():
    general, special = mapped(grade=Grade.BROADER), mapped(condition=Condition(sex=Sex.FEMALE))

    assert applying([general, special], WOMAN) == special
    assert applying([general, special], NOBODY_KNOWN) == general


def test_a_mapping_applies_from_its_first_day_to_the_day_before_its_end():
    one = mapped(start="2026-09-01", end="2026-09-02")

    found = [applying([one], Circumstances(day(on))) for on in ("2026-08-31", "2026-09-01", "2026-09-02")]

    assert found == [None, one, None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"end": "2026-07-01"}, {"start": "2026-06-30"}),
        ({"condition": Condition(age_to=17)}, {"condition": Condition(age_from=17)}),
        ({"condition": Condition(diagnoses=("C50",))}, {"condition": Condition(diagnoses=("C61",))}),
    ],
)
def test_two_mappings_that_would_answer_for_one_line_clash(first, second):
    pair = (mapped(**first), mapped(**second))

    assert first_clash(pair) == pair


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"end": "2026-07-01"}, {"start": "2026-07-01"}),
        ({}, {"condition": Condition(sex=Sex.MALE)}),
        ({"condition": Condition(sex=Sex.MALE)}, {"condition": Condition(sex=Sex.FEMALE)}),
        ({"condition": Condition(age_to=17)}, {"condition": Condition(age_from=18)}),
        (
            {"condition": Condition(insurance_type=InsuranceType.EMPLOYEE)},
            {"condition": Condition(insurance_type=InsuranceType.RESIDENT)},
        ),
        ({"code": "001"}, {"code": "002"}),
    ],
)
def test_mappings_that_never_answer_for_one_line_stand_side_by_side(first, second):
    assert first_clash((mapped(**first), mapped(**second))) is None


@pytest.mark.parametrize(("first", "last"), [(18, 17), (-1, None), (0, 151)])
def test_a_condition_with_impossible_ages_is_refused(first, last):
    with pytest.raises(NotAllowed) as refused:
        Condition(age_from=first, age_to=last)

    assert refused.value.code == "condition_ages"


# --- changes ------------------------------------------------------------------------------------------------------


def test_who_proposes_a_change_does_not_review_it():
    check_other_person(proposed_by="stf_1", reviewed_by="stf_2")

    with pytest.raises(NotAllowed) as refused:
        check_other_person(proposed_by="stf_1", reviewed_by="stf_1")

    assert refused.value.code == "same_person"


def test_a_change_in_force_is_undone_in_two_steps():
    proposed = CHANGE_MOVES.after(ChangeState.IN_FORCE, "undo_proposed")

    assert CHANGE_MOVES.after(proposed, "undone") is ChangeState.UNDONE
    assert CHANGE_MOVES.after(proposed, "undo_refused") is ChangeState.IN_FORCE


@pytest.mark.parametrize("state", [ChangeState.REJECTED, ChangeState.WITHDRAWN, ChangeState.UNDONE])
def test_what_was_rejected_withdrawn_or_undone_never_comes_into_force(state):
    with pytest.raises(MoveNotAllowed):
        CHANGE_MOVES.after(state, "approved")
