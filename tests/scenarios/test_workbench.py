"""A region's catalog is changed by two people, one code at a time or many at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from hub.actions import impact, mapping, workbench
from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, Sex
from hub.core.errors import Conflict, NotAllowed, NotFound
from hub.core.lifecycle import MoveNotAllowed
from hub.core.mapping import ChangeState, Condition, Grade, Origin
from hub.core.money import Rate
from hub.ports import HUB_SCOPE, Participant, Sight
from tests.workbench import (
    ALSO_UNMAPPED,
    FIRST_OFFICER,
    HEADING,
    LIMITED,
    OTHER_TARGET,
    PAID,
    SECOND_OFFICER,
    TARGET,
    UNMAPPED,
    Bench,
    bench,
)
from tests.world import JIANGNING, QINZHOU, care_catalogs

__all__ = ["bench"]

HALF = Rate(Fraction(1, 2))


def code_of(refused: pytest.ExceptionInfo[NotAllowed]) -> tuple[str, str]:
    """The code of a refusal and the field at fault."""
    return refused.value.code, refused.value.faults[0].where if refused.value.faults else ""


# --- proposing ------------------------------------------------------------------------------------------------------


def test_a_mapping_holds_from_the_approval_by_another_person_on(bench: Bench):
    proposed = bench.propose()
    before = bench.catalog(JIANGNING).mapping(proposed.local, date(2026, 10, 10))

    approved = bench.review(proposed)

    after = bench.catalog(JIANGNING).mapping(proposed.local, date(2026, 10, 10))
    assert (proposed.state, before) == (ChangeState.PROPOSED, None)
    assert (approved.state, approved.reviewed_by, approved.order) == (ChangeState.IN_FORCE, SECOND_OFFICER, 1)
    assert after is not None
    assert after.unified.code == TARGET


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"target": "001102000049999"}, ("target_unknown", "target")),
        ({"target": HEADING}, ("target_not_active", "target")),
        ({"target": "X1"}, ("code_malformed", "target")),
        ({"target": None}, ("mapping_grade", "target")),
        ({"grade": Grade.NONE}, ("mapping_grade", "target")),
        ({"until": date(2026, 10, 1)}, ("mapping_span", "until")),
        ({"first_day": date(2026, 7, 31)}, ("first_day_too_early", "first_day")),
        ({"code": "NEVER-SEEN"}, ("code_unknown", "code")),
        ({"code": ""}, ("local_code_malformed", "code")),
        ({"origin": Origin.SUGGESTED}, ("not_suggested", "origin")),
    ],
)
def test_a_proposal_at_fault_is_refused_with_its_field(bench: Bench, more: dict, fault: tuple[str, str]):
    with pytest.raises(NotAllowed) as refused:
        bench.propose(**more)

    assert code_of(refused) == fault


def test_a_change_reaches_back_as_far_as_a_late_bill_of_the_earliest_open_month_may(bench: Bench):
    """October is open and bills are up to two months late; once it is closed, November is the earliest."""
    assert mapping.earliest_first_day(bench.world.hub, by=bench.agency, as_of=bench.world.now) == date(2026, 8, 1)
    bench.settled("Huang", (PAID, "1000.00"))
    bench.world.go_to(date(2026, 11, 3))
    still_open = mapping.earliest_first_day(bench.world.hub, by=bench.agency, as_of=bench.world.now)
    bench.world.close("2026-10")

    closed = mapping.earliest_first_day(bench.world.hub, by=bench.agency, as_of=bench.world.now)

    assert (still_open, closed) == (date(2026, 8, 1), date(2026, 9, 1))


def test_a_code_that_only_a_hospital_names_may_be_proposed_for(bench: Bench):
    bench.settled("Huang", ("HIS-77", "100.00"))

    assert bench.propose("HIS-77").state is ChangeState.PROPOSED


def test_one_proposal_of_a_kind_waits_for_a_code_at_a_time(bench: Bench):
    bench.propose()
    bench.propose_entry(benefit_class=BenefitClass.B, first_self_pay=HALF)

    with pytest.raises(Conflict) as refused:
        bench.propose(target=OTHER_TARGET)

    assert refused.value.code == "change_waits"


def test_two_mappings_whose_conditions_one_person_can_meet_do_not_stand_together(bench: Bench):
    bench.in_force(condition=Condition(sex=Sex.FEMALE))

    with pytest.raises(NotAllowed) as refused:
        bench.propose(condition=Condition(age_from=60))
    men = bench.propose(condition=Condition(sex=Sex.MALE, age_from=60))

    assert code_of(refused) == ("mapping_overlaps", "condition")
    assert men.state is ChangeState.PROPOSED


def test_a_memory_that_is_behind_lets_no_overlap_through(bench: Bench):
    bench.in_force(condition=Condition(sex=Sex.FEMALE))
    bench.world.hub = replace(bench.world.hub, catalog=care_catalogs().of)

    with pytest.raises(NotAllowed) as refused:
        bench.propose(condition=Condition(age_from=60))

    assert code_of(refused) == ("mapping_overlaps", "condition")


def test_a_candidate_is_kept_with_the_suggesters_own_score(bench: Bench):
    bench.played.answers[UNMAPPED] = [(OTHER_TARGET, 700), (TARGET, 640)]

    assert bench.propose(origin=Origin.SUGGESTED).score == 640
    assert bench.propose(ALSO_UNMAPPED).score is None


# --- entries --------------------------------------------------------------------------------------------------------


def test_an_entry_keeps_what_nobody_wants_otherwise(bench: Bench):
    proposed = bench.propose_entry(LIMITED, price_limits={HospitalLevel.LEVEL_3: Fraction(40)})

    new = proposed.new
    assert (new.benefit_class, str(new.first_self_pay), new.unit) == (BenefitClass.B, "10 %", "次")
    assert new.price_limits == {HospitalLevel.LEVEL_3: Fraction(40)}
    assert (new.valid.start, new.valid.end) == (date(2026, 10, 1), None)


def test_class_a_has_no_first_self_pay_and_another_class_must_name_its_own(bench: Bench):
    better = bench.propose_entry(LIMITED, benefit_class=BenefitClass.A)
    with pytest.raises(NotAllowed) as refused:
        bench.propose_entry(UNMAPPED, benefit_class=BenefitClass.B)

    assert better.new.first_self_pay == Rate(Fraction(0))
    assert code_of(refused) == ("ratio_missing", "first_self_pay")


def test_a_proposal_that_changes_nothing_is_refused(bench: Bench):
    with pytest.raises(NotAllowed) as refused:
        bench.propose_entry(benefit_class=BenefitClass.A)

    assert refused.value.code == "entry_same"


def test_a_new_entry_needs_all_that_an_entry_says(bench: Bench):
    bench.settled("Huang", ("HIS-77", "100.00"))

    with pytest.raises(NotAllowed) as refused:
        bench.propose_entry("HIS-77", name="特需观察费", benefit_class=BenefitClass.A)
    whole = bench.propose_entry(
        "HIS-77", name="特需观察费", unit="日", benefit_class=BenefitClass.B, first_self_pay=HALF
    )

    assert [fault.where for fault in refused.value.faults] == ["unit", "first_self_pay"]
    assert whole.new.name == "特需观察费"


def test_an_entry_and_a_mapping_together_pay_a_code_that_nobody_knew(bench: Bench):
    bench.settled("Huang", ("HIS-77", "100.00"))
    whole = {"name": "特需观察费", "unit": "日", "benefit_class": BenefitClass.B, "first_self_pay": HALF}
    bench.review(bench.propose_entry("HIS-77", **whole))
    bench.in_force("HIS-77")

    bill = bench.settled("Wei", ("HIS-77", "100.00"))

    assert (bill.lines[0].classified.outcome, str(bill.amounts.in_policy)) == (LineOutcome.COVERED, "50.00")


# --- two people -----------------------------------------------------------------------------------------------------


def test_who_proposed_a_change_reviews_neither_it_nor_rejects_it(bench: Bench):
    proposed = bench.propose()

    for approve in (True, False):
        with pytest.raises(NotAllowed) as refused:
            bench.review(proposed, approve=approve, actor=FIRST_OFFICER, reason="my own")
        assert refused.value.code == "same_person"


def test_a_rejection_gives_its_reason_and_frees_the_code(bench: Bench):
    proposed = bench.propose()
    with pytest.raises(NotAllowed) as refused:
        bench.review(proposed, approve=False)

    rejected = bench.review(proposed, approve=False, reason="that is a bed, not a consultation")

    assert refused.value.code == "reason_missing"
    assert rejected.state is ChangeState.REJECTED
    assert bench.propose(target=OTHER_TARGET).state is ChangeState.PROPOSED


def test_only_the_proposer_withdraws_a_proposal(bench: Bench):
    proposed, hub, now = bench.propose(), bench.world.hub, bench.world.now

    with pytest.raises(NotAllowed) as refused:
        mapping.withdraw(hub, proposed.id, reason="no", by=bench.agency, actor=SECOND_OFFICER, as_of=now)
    taken = mapping.withdraw(hub, proposed.id, reason="no", by=bench.agency, actor=FIRST_OFFICER, as_of=now)

    assert refused.value.code == "not_the_proposer"
    assert taken.state is ChangeState.WITHDRAWN


def test_a_proposal_that_has_become_wrong_is_not_approved(bench: Bench):
    """Its first day has come to lie in a month whose bills can no longer be late."""
    bench.settled("Huang", (PAID, "1000.00"))
    proposed = bench.propose(first_day=date(2026, 8, 1))
    bench.world.go_to(date(2026, 11, 3))
    bench.world.close("2026-10")

    with pytest.raises(NotAllowed) as refused:
        bench.review(proposed)

    assert refused.value.code == "first_day_too_early"


def test_undoing_takes_two_people_again_and_holds_until_both_agree(bench: Bench):
    change, hub, now = bench.in_force(), bench.world.hub, bench.world.now
    day, local = date(2026, 10, 10), change.local

    asked = mapping.propose_undo(hub, change.id, reason="wrong", by=bench.agency, actor=SECOND_OFFICER, as_of=now)
    held = bench.catalog(JIANGNING).mapping(local, day)
    with pytest.raises(NotAllowed) as refused:
        mapping.review_undo(hub, change.id, approve=True, reason="", by=bench.agency, actor=SECOND_OFFICER, as_of=now)
    undone = mapping.review_undo(
        hub, change.id, approve=True, reason="", by=bench.agency, actor=FIRST_OFFICER, as_of=now
    )

    assert (asked.state, undone.state) == (ChangeState.UNDO_PROPOSED, ChangeState.UNDONE)
    assert refused.value.code == "same_person"
    assert held is not None
    assert bench.catalog(JIANGNING).mapping(local, day) is None


def test_a_refused_undoing_leaves_the_change_in_force(bench: Bench):
    change, hub, now = bench.in_force(), bench.world.hub, bench.world.now
    mapping.propose_undo(hub, change.id, reason="wrong", by=bench.agency, actor=FIRST_OFFICER, as_of=now)

    back = mapping.review_undo(
        hub, change.id, approve=False, reason="it is right", by=bench.agency, actor=SECOND_OFFICER, as_of=now
    )

    assert back.state is ChangeState.IN_FORCE
    events = [move.event for move in workbench.change(hub, change.id, by=bench.agency).moves]
    assert events == ["proposed", "approved", "undo_proposed", "undo_refused"]


def test_what_is_over_is_not_moved_any_more(bench: Bench):
    rejected = bench.review(bench.propose(), approve=False, reason="no")

    with pytest.raises(MoveNotAllowed):
        bench.review(rejected)


def test_every_step_leaves_an_audit_row(bench: Bench):
    change = bench.in_force()

    with bench.world.store.begin(HUB_SCOPE) as uow:
        rows = uow.connection.exec_driver_sql(
            "select actor, action from audit where subject = %s order by id", (change.id,)
        ).all()
    assert [tuple(row) for row in rows] == [
        (FIRST_OFFICER, "catalog_change_proposed"),
        (SECOND_OFFICER, "catalog_change_approved"),
    ]


def test_another_regions_agency_sees_and_moves_nothing(bench: Bench):
    change, hub, now = bench.propose(), bench.world.hub, bench.world.now
    other = bench.world.agency(QINZHOU)

    with pytest.raises(NotFound):
        workbench.change(hub, change.id, by=other)
    with pytest.raises(NotFound):
        mapping.review(hub, change.id, approve=True, reason="", by=other, actor="staff:x", as_of=now)
    with pytest.raises(NotFound):
        impact.impact_of_change(hub, change.id, by=other)
    assert workbench.changes(hub, by=other, state=None, kind=None, limit=10) == []


def test_hospitals_and_the_operator_have_no_workbench(bench: Bench):
    operator = Participant("hub-operator", Sight.HUB, None, None, "operator")

    for who in (bench.world.hospital(JIANGNING), operator):
        with pytest.raises(NotFound):
            workbench.queue(bench.world.hub, by=who)


# --- what waits -----------------------------------------------------------------------------------------------------


def test_the_queue_is_by_the_money_that_waits_with_candidates_and_proposals(bench: Bench):
    bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "300.00"), (ALSO_UNMAPPED, "200.00"))
    bench.settled("Wei", (ALSO_UNMAPPED, "150.00"))
    bench.played.answers[UNMAPPED] = [(TARGET, 910)]
    proposed = bench.propose(UNMAPPED)

    rows = workbench.queue(bench.world.hub, by=bench.agency)

    told = [(row.waiting.local.code, str(row.waiting.amount), row.waiting.bills) for row in rows]
    assert told == [(ALSO_UNMAPPED, "350.00", 2), (UNMAPPED, "300.00", 1)]
    assert [one.unified.code for one in rows[1].candidates] == [TARGET]
    assert [[one.id for one in row.proposals] for row in rows] == [[], [proposed.id]]


def test_a_code_shows_what_holds_its_history_and_candidates(bench: Bench):
    change = bench.in_force()
    bench.played.answers[UNMAPPED] = [(OTHER_TARGET, 300)]

    view = workbench.code(bench.world.hub, by=bench.agency, kind=CatalogKind.SERVICE, code=UNMAPPED)

    assert view.name == "门急诊留观诊察费"
    assert [told.record.id for told in view.changes] == [change.id]
    assert view.changes[0].target_name == "急诊观察床位费"
    assert [len(stretch.mappings) for stretch in view.stretches][-1] == 1
    assert view.candidates[0].score == 300


def test_a_code_that_nobody_ever_named_is_not_found(bench: Bench):
    with pytest.raises(NotFound):
        workbench.code(bench.world.hub, by=bench.agency, kind=CatalogKind.SERVICE, code="NEVER-SEEN")


# --- many at once ---------------------------------------------------------------------------------------------------


def propose_above(bench: Bench, score: int, *, limit: int = 500) -> mapping.Bulk:
    return mapping.propose_above(
        bench.world.hub,
        kind=CatalogKind.SERVICE,
        least_score=score,
        first_day=date(2026, 10, 1),
        reason="names agree",
        by=bench.agency,
        actor=FIRST_OFFICER,
        as_of=bench.world.now,
        limit=limit,
    )


def approve_above(bench: Bench, score: int, *, actor: str = SECOND_OFFICER) -> mapping.Bulk:
    return mapping.approve_above(
        bench.world.hub,
        kind=None,
        least_score=score,
        reason="looked through",
        by=bench.agency,
        actor=actor,
        as_of=bench.world.now,
    )


@pytest.fixture
def waiting(bench: Bench) -> Bench:
    """Three codes wait: one with a sure candidate, one with a heading, one with a doubtful candidate."""
    bench.settled("Huang", (UNMAPPED, "300.00"), (ALSO_UNMAPPED, "200.00"), (LIMITED, "20.00"), ("HIS-77", "10.00"))
    bench.played.answers = {
        UNMAPPED: [(TARGET, 990)],
        ALSO_UNMAPPED: [(HEADING, 980)],
        LIMITED: [(OTHER_TARGET, 500)],
        "HIS-77": [(OTHER_TARGET, 970)],
    }
    return bench


def test_many_rows_above_a_score_are_proposed_and_each_refusal_is_listed(waiting: Bench):
    done = propose_above(waiting, 950)

    assert [(one.local.code, one.score, one.origin) for one in done.accepted] == [(UNMAPPED, 990, Origin.SUGGESTED)]
    assert [(row.local.code, row.code) for row in done.refused] == [
        (ALSO_UNMAPPED, "target_not_active"),
        ("HIS-77", "entry_missing"),
    ]
    assert done.left is False


def test_pressed_twice_nothing_is_proposed_twice(waiting: Bench):
    propose_above(waiting, 950)

    again = propose_above(waiting, 950)

    assert again.accepted == ()
    assert (again.refused[0].local.code, again.refused[0].code) == (UNMAPPED, "change_waits")


def test_a_bulk_stops_at_its_limit_and_says_so(waiting: Bench):
    waiting.played.answers[LIMITED] = [(OTHER_TARGET, 960)]

    done = propose_above(waiting, 950, limit=1)

    assert (len(done.accepted), done.left) == (1, True)


def test_what_people_decided_by_hand_is_not_proposed_over_in_bulk(waiting: Bench):
    """A bill settled after somebody decided that the code stands for nothing waits all the same."""
    waiting.in_force(UNMAPPED, target=None, grade=Grade.NONE)
    waiting.settled("Wei", (UNMAPPED, "100.00"))

    done = propose_above(waiting, 985)

    assert [(row.local.code, row.code) for row in done.refused] == [(UNMAPPED, "change_decided")]


def test_a_colleague_approves_many_but_nobody_his_own(waiting: Bench):
    propose_above(waiting, 950)
    by_hand = waiting.propose(LIMITED, target=OTHER_TARGET)

    own = approve_above(waiting, 950, actor=FIRST_OFFICER)
    done = approve_above(waiting, 950)

    assert [row.code for row in own.refused] == ["same_person"]
    assert [one.local.code for one in done.accepted] == [UNMAPPED]
    assert workbench.change(waiting.world.hub, by_hand.id, by=waiting.agency).record.state is ChangeState.PROPOSED


def test_a_bulk_that_dies_before_its_end_leaves_nothing(waiting: Bench):
    def dies(*_: object) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        mapping.propose_above(
            waiting.world.hub,
            kind=CatalogKind.SERVICE,
            least_score=950,
            first_day=date(2026, 10, 1),
            reason="names agree",
            by=waiting.agency,
            actor=FIRST_OFFICER,
            as_of=waiting.world.now,
            keep=dies,
        )

    assert workbench.changes(waiting.world.hub, by=waiting.agency, state=None, kind=None, limit=10) == []
