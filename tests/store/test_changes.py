"""Changes come back as they were proposed; the database keeps two persons, legal moves and the order of decision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.core.catalog import BenefitClass, CatalogItem, Change, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Conflict, HubError, Inconsistent, NotAllowed
from hub.core.mapping import CHANGE_MOVES, ChangeState, Condition, Grade, Mapping, Origin
from hub.core.money import Rate
from hub.ports import HUB_SCOPE
from hub.ports.catalogs import ChangeMove, ChangeRecord
from tests.store.rows import CHENGDU, NANJING, NOON, region_scope

START = date(2026, 1, 1)
BED = LocalCode(NANJING, CatalogKind.SERVICE, "110900001-3")
TARGET = UnifiedCode(CatalogKind.SERVICE, "001109000010000")
LATER = NOON + timedelta(hours=1)

MAPPING = Mapping(BED, TARGET, Grade.NARROWER, START)
CONDITIONAL = replace(
    MAPPING,
    valid_until=date(2027, 1, 1),
    condition=Condition(
        sex=Sex.FEMALE, age_from=0, age_to=17, insurance_type=InsuranceType.RESIDENT, diagnoses=("C50", "D05")
    ),
)
NOT_MAPPED = Mapping(BED, None, Grade.NONE, START)
ENTRY = CatalogItem(
    local=BED,
    name="普通病房床位费",
    unit="",
    benefit_class=BenefitClass.B,
    first_self_pay=Rate(Fraction(1, 3)),
    price_limits={HospitalLevel.LEVEL_3: Fraction(81, 2)},
    valid=Span(START, date(2026, 7, 1)),
    payment_standard=Fraction(0),
    first_self_pay_of={InsuranceType.RESIDENT: Rate(Fraction(0)), InsuranceType.EMPLOYEE: Rate(Fraction(1))},
    restriction=Restriction(
        sex=Sex.FEMALE,
        age_from=0,
        age_to=0,
        diagnoses=("O80",),
        inpatient_only=True,
        levels=frozenset({HospitalLevel.LEVEL_2, HospitalLevel.LEVEL_3}),
        most_days=10,
    ),
    grace_until=date(2026, 10, 1),
)


def proposal(new=MAPPING, number=1, **others):
    made = ChangeRecord(
        id=f"chg_{number}",
        new=new,
        origin=Origin.MANUAL,
        reason="同名",
        score=None,
        state=ChangeState.PROPOSED,
        proposed_by="stf_wang",
        proposed_at=NOON,
    )
    return replace(made, **others)


def of_code(number):
    return replace(MAPPING, local=LocalCode(NANJING, CatalogKind.SERVICE, f"S{number}"))


def add(store, record=None, scope=HUB_SCOPE):
    with store.begin(scope) as uow:
        uow.changes.add(record or proposal())


def move(store, event, *, change_id="chg_1", source, who, scope=HUB_SCOPE, target=None, at=LATER):
    with store.begin(scope) as uow:
        uow.changes.move(
            change_id,
            source=source,
            event=event,
            target=target or CHANGE_MOVES.after(source, event),
            who=who,
            why="looked at",
            at=at,
        )


def approve(store, change_id="chg_1", who="stf_li"):
    move(store, "approved", change_id=change_id, source=ChangeState.PROPOSED, who=who)


def read(store, look, scope=HUB_SCOPE):
    with store.begin(scope) as uow:
        return look(uow.changes)


def get(store, change_id="chg_1"):
    return read(store, lambda changes: changes.get(change_id, lock=True))


# --- coming back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new", [MAPPING, CONDITIONAL, NOT_MAPPED, ENTRY, replace(ENTRY, restriction=Restriction())])
def test_a_proposal_comes_back_as_it_was_made(store, new):
    record = proposal(new, origin=Origin.SUGGESTED, score=987)

    add(store, record)

    assert get(store) == record


def test_a_proposal_begins_its_history(store):
    add(store)

    assert read(store, lambda changes: changes.history("chg_1")) == [
        ChangeMove(None, "proposed", ChangeState.PROPOSED, "stf_wang", "同名", NOON)
    ]


def test_a_change_that_is_not_there_is_none(store):
    assert get(store) is None
    assert read(store, lambda changes: changes.history("chg_1")) == []


def test_a_code_has_one_mapping_and_one_entry_that_wait(store):
    add(store)
    add(store, proposal(ENTRY, 2))

    with pytest.raises(Conflict, match="change_waits"):
        add(store, proposal(CONDITIONAL, 3))


def test_a_code_that_was_decided_may_be_proposed_again(store):
    add(store)
    approve(store)

    add(store, proposal(NOT_MAPPED, 2))

    assert [one.id for one in read(store, lambda changes: changes.of_code(BED))] == ["chg_1", "chg_2"]


def test_changes_are_listed_after_an_id_by_state_and_kind(store):
    for number in (1, 2, 3):
        add(store, proposal(of_code(number), number))
    approve(store, "chg_2")

    def ids(state=None, kind=None, after="", limit=10):
        found = read(store, lambda changes: changes.listed(NANJING, state=state, kind=kind, after=after, limit=limit))
        return [one.id for one in found]

    assert ids() == ["chg_1", "chg_2", "chg_3"]
    assert ids(after="chg_1", limit=1) == ["chg_2"]
    assert ids(state=ChangeState.PROPOSED) == ["chg_1", "chg_3"]
    assert ids(kind=CatalogKind.DRUG) == []


# --- deciding -----------------------------------------------------------------------------------------------------


def test_an_approval_says_who_when_and_in_which_order(store):
    add(store)

    approve(store)

    assert get(store) == proposal(state=ChangeState.IN_FORCE, order=1, reviewed_by="stf_li", reviewed_at=LATER)


def test_a_rejection_says_who_and_when_and_takes_no_order(store):
    add(store)

    move(store, "rejected", source=ChangeState.PROPOSED, who="stf_li")

    assert get(store) == proposal(state=ChangeState.REJECTED, reviewed_by="stf_li", reviewed_at=LATER)


def test_the_orders_of_a_region_have_no_gaps(store):
    elsewhere = replace(MAPPING, local=LocalCode(CHENGDU, CatalogKind.SERVICE, "S1"))
    for number, new in enumerate((of_code(1), of_code(2), of_code(3), elsewhere), start=1):
        add(store, proposal(new, number))
    approve(store, "chg_3")
    move(store, "rejected", change_id="chg_2", source=ChangeState.PROPOSED, who="stf_li")
    approve(store, "chg_4")
    approve(store, "chg_1")

    assert [get(store, f"chg_{number}").order for number in (1, 2, 3, 4)] == [2, None, 1, 1]


def test_decisions_at_once_take_orders_of_their_own(store):
    for number in range(1, 9):
        add(store, proposal(of_code(number), number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: approve(store, f"chg_{number}"), range(1, 9)))

    assert sorted(get(store, f"chg_{number}").order for number in range(1, 9)) == list(range(1, 9))


def test_who_proposed_does_not_review(store):
    add(store)

    for event in ("approved", "rejected"):
        with pytest.raises(NotAllowed, match="same_person"):
            move(store, event, source=ChangeState.PROPOSED, who="stf_wang")


def test_who_wants_to_undo_does_not_review_the_undoing(store):
    add(store)
    approve(store)
    move(store, "undo_proposed", source=ChangeState.IN_FORCE, who="stf_wang")

    for event in ("undone", "undo_refused"):
        with pytest.raises(NotAllowed, match="same_person"):
            move(store, event, source=ChangeState.UNDO_PROPOSED, who="stf_wang")


def test_an_undoing_that_was_refused_may_be_proposed_again_by_the_other(store):
    add(store)
    approve(store)
    for proposer, reviewer, event in (("stf_wang", "stf_li", "undo_refused"), ("stf_li", "stf_wang", "undone")):
        move(store, "undo_proposed", source=ChangeState.IN_FORCE, who=proposer)
        move(store, event, source=ChangeState.UNDO_PROPOSED, who=reviewer)

    assert get(store).state is ChangeState.UNDONE
    assert [one.event for one in read(store, lambda changes: changes.history("chg_1"))] == [
        "proposed",
        "approved",
        "undo_proposed",
        "undo_refused",
        "undo_proposed",
        "undone",
    ]


def test_a_move_from_a_state_left_behind_is_a_conflict(store):
    add(store)
    approve(store)

    with pytest.raises(Conflict, match="change_moved"):
        approve(store)


def test_what_is_in_force_holds_until_its_undoing_is_approved(store):
    for number in (1, 2, 3):
        add(store, proposal(of_code(number), number))
    for change_id in ("chg_2", "chg_1"):
        approve(store, change_id)
    move(store, "undo_proposed", change_id="chg_2", source=ChangeState.IN_FORCE, who="stf_wang")

    both = [Change(1, of_code(2)), Change(2, of_code(1))]
    assert read(store, lambda changes: changes.in_force(NANJING)) == both

    move(store, "undone", change_id="chg_2", source=ChangeState.UNDO_PROPOSED, who="stf_li")

    assert read(store, lambda changes: changes.in_force(NANJING)) == both[1:]


# --- walls --------------------------------------------------------------------------------------------------------


def test_a_regions_staff_decide_about_their_own_region(store):
    add(store, scope=region_scope(NANJING))
    move(store, "approved", source=ChangeState.PROPOSED, who="stf_li", scope=region_scope(NANJING))

    assert read(store, lambda changes: changes.get("chg_1"), region_scope(NANJING)).order == 1


def test_another_regions_changes_are_neither_seen_nor_moved_nor_made(store):
    add(store)

    assert read(store, lambda changes: changes.get("chg_1"), region_scope(CHENGDU)) is None
    assert read(store, lambda changes: changes.history("chg_1"), region_scope(CHENGDU)) == []
    with pytest.raises(Conflict, match="change_moved"):
        move(store, "approved", source=ChangeState.PROPOSED, who="stf_li", scope=region_scope(CHENGDU))
    with pytest.raises(Inconsistent, match="not_permitted"):
        add(store, proposal(of_code(2), 2), scope=region_scope(CHENGDU))


@pytest.mark.parametrize(
    ("source", "event", "target"),
    [
        ("proposed", "undone", "undone"),
        ("proposed", "approved", "undo_proposed"),
        ("proposed", "withdrawn", "in_force"),
        ("proposed", "rejected", "withdrawn"),
    ],
)
def test_the_database_makes_legal_moves_only(store, source, event, target):
    add(store)

    with pytest.raises(HubError, match="constraint_broken"):
        move(store, event, source=ChangeState(source), target=ChangeState(target), who="stf_li")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into catalog_change_move values ('chg_1', 2, 'proposed', 'approved', 'in_force', 'x', '', now())",
        "insert into catalog_change_move values ('chg_1', 3, null, 'proposed', 'proposed', 'stf_wang', '', now())",
        "insert into catalog_change_move values ('chg_1', 2, 'proposed', 'proposed', 'proposed', 'x', '', now())",
    ],
)
def test_a_step_that_the_change_did_not_take_is_refused(store, owner, statement):
    add(store)

    with pytest.raises(DBAPIError, match="does not fit"):
        owner.execute(text(statement))


def test_nobody_writes_another_into_the_history(store, owner):
    add(store)
    owner.execute(text("update catalog_change set state = 'rejected', reviewed_by = 'stf_li', reviewed_at = now()"))
    step = (
        "insert into catalog_change_move values ('chg_1', 2, 'proposed', 'rejected', 'rejected', 'stf_zhao', '', now())"
    )

    with pytest.raises(DBAPIError, match="does not fit"):
        owner.execute(text(step))


@pytest.mark.parametrize(
    "statement",
    [
        "update catalog_change set says = '{}'",
        "update catalog_change set proposed_by = 'stf_zhao'",
        "update catalog_change set reviewed_by = 'stf_zhao' where state = 'in_force'",
        "delete from catalog_change",
        "update catalog_change_move set who = 'stf_zhao'",
        "delete from catalog_change_move",
        "truncate catalog_change cascade",
    ],
)
def test_not_even_the_owner_changes_what_was_proposed_or_who_decided(store, owner, statement):
    add(store)
    approve(store)

    with pytest.raises(DBAPIError, match=r"never changed|cannot become"):
        owner.execute(text(statement))


def test_nothing_comes_into_force_without_having_been_a_proposal(store, owner):
    with pytest.raises(DBAPIError, match="begins as a proposal"):
        owner.execute(
            text(
                """
                insert into catalog_change values ('chg_9', '320100', 'service', 'x', 'mapping', '{}', '2026-01-01',
                    null, 'manual', '', null, 'in_force', 'a', now(), 1, 1, 'b', now())
                """
            )
        )
