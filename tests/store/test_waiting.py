"""What open bills wait for: in yuan by code, and how far a region's catalogs are mapped, in rows and in money."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import text

from hub.actions.closing import close_window
from hub.core.catalog import BenefitClass, CatalogItem
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, LocalCode, Regime, Sex, UnifiedCode
from hub.core.dates import Period, Span
from hub.core.errors import Inconsistent
from hub.core.mapping import CHANGE_MOVES, ChangeState, Condition, Grade, Mapping, Origin
from hub.core.money import Money, Rate
from hub.ports import HUB_SCOPE, Scope, Sight
from hub.ports.catalogs import ChangeRecord, Coverage, WaitingRow
from hub.store.catalogs import load_into
from tests.builders import (
    HOSPITALS,
    HUANGSHAN,
    NANJING,
    QINZHOU,
    Stay,
    cancel,
    closing_hub,
    noon,
    person,
    settled_bill,
)
from tests.store.rows import region_scope
from tests.store.test_catalogs import BOOK, Regional

EARLY, LATE = noon(date(2026, 10, 12)), noon(date(2026, 10, 20))
CARE = LocalCode(NANJING, CatalogKind.SERVICE, "FW999")
TARGET = UnifiedCode(CatalogKind.SERVICE, "001109000010000")


def settle(store, number, *, at=EARLY, **others):
    return settled_bill(store, Stay(number, person(number, region=others.pop("region", QINZHOU)), at, **others))


def settle_with(store, number, changed, *, at=EARLY):
    """A bill that is only kept, its lines changed by a function."""
    made = settle(store, number, at=at)
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, made, at=at)
        again = replace(made, id=f"bil_{number}b", bill_no=f"B{number}b", lines=changed(made.lines))
        uow.bills.add(again, moves=[], who="his")
    return again


def with_outcome(outcome, *, code="FW999", name="特需护理"):
    """Makes the second line one of another code and outcome."""

    def change(sent):
        line = sent[1]
        local = replace(line.classified.local, code=code)
        return (
            sent[0],
            replace(
                line,
                sent=replace(line.sent, code=code, name=name),
                classified=line.classified._replace(local=local, name=name, outcome=outcome),
            ),
        )

    return change


def queue(store, region=NANJING, *, kind=None, offset=0, limit=10, scope=HUB_SCOPE):
    with store.begin(scope) as uow:
        return uow.waiting.queue(region, kind=kind, offset=offset, limit=limit)


def decide(store, new, number=1, *, at=LATE):
    with store.begin(HUB_SCOPE) as uow:
        uow.changes.add(
            ChangeRecord(f"chg_{number}", new, Origin.MANUAL, "", None, ChangeState.PROPOSED, "stf_wang", EARLY)
        )
        uow.changes.move(
            f"chg_{number}",
            source=ChangeState.PROPOSED,
            event="approved",
            target=CHANGE_MOVES.after(ChangeState.PROPOSED, "approved"),
            who="stf_li",
            why="",
            at=at,
        )


def entry(local):
    free = Rate(Fraction(0))
    return CatalogItem(local, "特需护理", "日", BenefitClass.A, free, {}, Span(date(2026, 1, 1)))


def mapping(local=CARE, **others):
    return replace(Mapping(local, TARGET, Grade.EXACT, date(2026, 1, 1)), **others)


# --- the queue ----------------------------------------------------------------------------------------------------


def test_a_code_waits_with_its_bills_lines_and_money(store):
    settle(store, 1, self_pay="20.00")
    settle(store, 2, self_pay="0.30")

    assert queue(store) == [WaitingRow(CARE, "特需护理", LineOutcome.UNMAPPED, bills=2, lines=2, amount=Money(2030))]


def test_a_bill_whose_lines_are_all_known_leaves_nothing_waiting(store):
    settle(store, 1, self_pay="0.00")

    assert queue(store) == []


@pytest.mark.parametrize("outcome", [LineOutcome.UNKNOWN_CODE, LineOutcome.MAPPED_TOO_BROADLY])
def test_what_a_better_catalog_would_change_waits(store, outcome):
    settle_with(store, 1, with_outcome(outcome))

    assert [row.outcome for row in queue(store)] == [outcome]


@pytest.mark.parametrize("outcome", [LineOutcome.STRUCK_OFF, LineOutcome.NOT_PAYABLE, LineOutcome.WRONG_AGE])
def test_what_a_region_does_not_pay_for_does_not_wait(store, outcome):
    settle_with(store, 1, with_outcome(outcome))

    assert queue(store) == []


def test_the_most_money_comes_first_and_the_queue_is_read_in_parts(store):
    for number, code in ((1, "S1"), (2, "S2"), (3, "S2"), (4, "S3")):
        settle_with(store, number, with_outcome(LineOutcome.UNMAPPED, code=code))

    assert [row.local.code for row in queue(store)] == ["S2", "S1", "S3"]
    assert [row.local.code for row in queue(store, offset=1, limit=1)] == ["S1"]
    assert queue(store, kind=CatalogKind.DRUG) == []


def test_the_commonest_name_names_a_code(store):
    for number, name in ((1, "乙"), (2, "甲"), (3, "甲")):
        settle_with(store, number, with_outcome(LineOutcome.UNKNOWN_CODE, name=name))

    assert [(row.name, row.lines) for row in queue(store)] == [("甲", 3)]


def test_cancelled_bills_and_bills_of_closed_windows_wait_no_more(store):
    settle(store, 1)
    gone = settle(store, 2)
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, gone, at=EARLY)

    assert [row.bills for row in queue(store)] == [1]

    later = noon(date(2026, 11, 3))
    close_window(closing_hub(store), regime=Regime.CROSS_PROVINCE, period=Period(2026, 10), actor="op", as_of=later)

    assert queue(store) == []


def test_a_regions_staff_see_what_waits_at_its_own_hospitals(store):
    settle(store, 1)
    settle(store, 2, region=NANJING, care_region=QINZHOU)

    assert [row.bills for row in queue(store, scope=region_scope(NANJING))] == [1]
    assert queue(store, scope=region_scope(HUANGSHAN)) == []
    assert queue(store, QINZHOU, scope=region_scope(HUANGSHAN)) == []


def test_who_sees_a_bill_sees_its_waiting_lines_and_the_hub_alone_writes_them(store):
    settle(store, 1)
    hospital = Scope(Sight.INSTITUTION, institution=HOSPITALS[NANJING].code)

    for scope, rows in ((hospital, 1), (region_scope(QINZHOU), 1), (region_scope(HUANGSHAN), 0)):
        with store.begin(scope) as uow:
            assert uow.connection.execute(text("select count(*) from waiting_line")).scalar_one() == rows
    with pytest.raises(Inconsistent, match="not_permitted"), store.begin(hospital) as uow:
        uow.connection.execute(
            text("insert into waiting_line select 'bil_1', 9, '320100', 'drug', 'x', 'x', 'unmapped', now(), 1")
        )


# --- what was decided since ---------------------------------------------------------------------------------------


def test_a_code_mapped_after_its_bill_waits_no_more(store):
    settle(store, 1)

    decide(store, mapping())

    assert queue(store) == []


def test_a_bill_settled_after_the_decision_waits_in_spite_of_it(store):
    decide(store, mapping(condition=Condition(sex=Sex.FEMALE)), at=EARLY)
    settle(store, 1, at=LATE)

    assert [row.bills for row in queue(store)] == [1]


def test_a_decision_for_other_days_leaves_a_line_waiting(store):
    settle(store, 1)

    decide(store, mapping(valid_from=date(2026, 10, 13)))

    assert [row.bills for row in queue(store)] == [1]


def test_an_unknown_code_waits_for_its_entry_and_its_mapping(store):
    settle_with(store, 1, with_outcome(LineOutcome.UNKNOWN_CODE))

    decide(store, entry(CARE))
    assert [row.bills for row in queue(store)] == [1]

    decide(store, mapping(), 2)
    assert queue(store) == []


def test_what_was_undone_waits_again(store):
    settle(store, 1)
    decide(store, mapping())
    for source, event, who in (
        (ChangeState.IN_FORCE, "undo_proposed", "stf_wang"),
        (ChangeState.UNDO_PROPOSED, "undone", "stf_li"),
    ):
        with store.begin(HUB_SCOPE) as uow:
            uow.changes.move(
                "chg_1", source=source, event=event, target=CHANGE_MOVES.after(source, event), who=who, why="", at=LATE
            )

    assert [row.bills for row in queue(store)] == [1]


# --- coverage -----------------------------------------------------------------------------------------------------


def local(code):
    return LocalCode(NANJING, CatalogKind.SERVICE, code)


def coverage(store, *, on=date(2026, 10, 12), kind=CatalogKind.SERVICE):
    with store.begin(region_scope(NANJING)) as uow:
        found = uow.waiting.coverage(NANJING, on=on)
    return next(one for one in found if one.kind is kind)


@pytest.fixture
def loaded(store, owner):
    """Of four services one is mapped exactly, one too broadly, one to nothing, one not at all."""
    items = tuple(entry(local(f"S{number}")) for number in (1, 2, 3, 4))
    mappings = (
        mapping(local("S1")),
        mapping(local("S2"), grade=Grade.BROADER),
        mapping(local("S3"), unified=None, grade=Grade.NONE),
    )
    load_into(owner, [BOOK], [Regional(items=items, mappings=mappings, valid=Span(date(2026, 1, 1)))])
    owner.commit()
    return store


def test_rows_in_force_are_counted_with_those_mapped_and_payable(loaded):
    found = coverage(loaded)

    assert (found.rows, found.mapped, found.payable) == (4, 2, 1)


def test_every_kind_that_can_be_billed_has_its_line(store):
    with store.begin(HUB_SCOPE) as uow:
        found = uow.waiting.coverage(NANJING, on=date(2026, 10, 12))

    assert [str(one.kind) for one in found] == ["drug", "herbal", "preparation", "service", "facility", "consumable"]
    assert found[0] == Coverage(CatalogKind.DRUG, 0, 0, 0, Money(0), Money(0))


@pytest.mark.parametrize(
    ("new", "counted"),
    [
        (mapping(local("S4")), (4, 3, 2)),
        (mapping(local("S2"), grade=Grade.NARROWER), (4, 2, 2)),
        (mapping(local("S1"), unified=None, grade=Grade.NONE), (4, 1, 0)),
        (mapping(local("S4"), valid_from=date(2026, 10, 13)), (4, 2, 1)),
        (mapping(local("S1"), condition=Condition(sex=Sex.FEMALE), unified=None, grade=Grade.NONE), (4, 2, 1)),
        (mapping(local("S1"), valid_from=date(2025, 12, 31), unified=None, grade=Grade.NONE), (4, 2, 1)),
        (mapping(local("S4"), valid_from=date(2025, 12, 31)), (4, 3, 2)),
        (entry(local("S5")), (5, 2, 1)),
    ],
)
def test_what_was_decided_counts_as_it_holds(loaded, new, counted):
    decide(loaded, new)

    found = coverage(loaded)
    assert (found.rows, found.mapped, found.payable) == counted


def test_money_is_what_open_bills_charge_and_what_of_it_waits(store):
    settle(store, 1, in_policy="100.00", self_pay="20.00")
    settle(store, 2, in_policy="0.05", self_pay="0.30")

    assert coverage(store, kind=CatalogKind.DRUG).amount == Money(10005)
    assert (coverage(store).amount, coverage(store).waiting) == (Money(2030), Money(2030))

    decide(store, mapping())

    assert (coverage(store).amount, coverage(store).waiting) == (Money(2030), Money(0))


# --- bills with a code --------------------------------------------------------------------------------------------


def bills_with(store, *, code="FW999", since=date(2026, 10, 1), until=None, limit=10):
    with store.begin(HUB_SCOPE) as uow:
        return uow.waiting.bills_with(replace(CARE, code=code), since=since, until=until, limit=limit)


def test_open_bills_with_a_code_are_found_the_newest_first(store):
    for number, at in ((1, EARLY), (2, LATE), (3, LATE)):
        settle(store, number, at=at)
    settle(store, 4, self_pay="0.00")

    assert bills_with(store) == ["bil_3", "bil_2", "bil_1"]
    assert bills_with(store, limit=1) == ["bil_3"]
    assert bills_with(store, since=date(2026, 10, 13)) == ["bil_3", "bil_2"]
    assert bills_with(store, until=date(2026, 10, 20)) == ["bil_1"]
    assert bills_with(store, code="FW") == []
