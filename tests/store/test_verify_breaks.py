"""Every named check passes on a sound database, and fails alone when the one thing that it guards is broken by hand.

The breaks are made as the superuser with constraints and triggers put aside, in a transaction that is rolled back: so
only the checks stand between the break and the reader.
"""

from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from hub.actions.closing import close_window
from hub.actions.rendering import render
from hub.core.codes import InsuranceType, Regime, Sex
from hub.core.dates import Period
from hub.core.decision import PersonGroup, Refusal, RefusalReason
from hub.core.errors import Unreachable
from hub.core.mapping import ChangeState, Condition
from hub.core.registration import RegistrationState
from hub.ports import HUB_SCOPE
from hub.ports.records import StoredAnswer
from hub.store.catalogs import load_into
from hub.store.verify import CHECKS, run
from tests.builders import (
    HUANGSHAN,
    NANJING,
    QINZHOU,
    PlayedRegion,
    Stay,
    cancel,
    closing_hub,
    noon,
    person,
    settled_bill,
)
from tests.store.rows import registration
from tests.store.test_catalogs import BOOK, LOCAL_BED, REGIONAL
from tests.store.test_changes import ENTRY, MAPPING, add, approve, move, proposal

OCTOBER = Period(2026, 10)


GATEWAYS = {region: PlayedRegion(region) for region in (QINZHOU, HUANGSHAN, NANJING)}


def fill_catalogs(owner):
    """Nanjing's catalog, in which a bed has one mapping before 2025 and another from then on."""
    load_into(owner, [BOOK], [REGIONAL])
    owner.commit()


def decide_changes(store):
    """A mapping in force, one undone by others than those who made it, one rejected, an entry that waits, and a code
    with one mapping for women and one for men.
    """
    women, men = (replace(MAPPING, condition=Condition(sex=sex)) for sex in (Sex.FEMALE, Sex.MALE))
    for number, new in enumerate((MAPPING, MAPPING, MAPPING, ENTRY, women), start=1):
        add(store, proposal(replace(new, local=replace(LOCAL_BED, code=f"S{number}")), number))
    for number in (1, 2, 5):
        approve(store, f"chg_{number}")
    add(store, proposal(replace(men, local=replace(LOCAL_BED, code="S5")), 6))
    approve(store, "chg_6")
    move(store, "rejected", change_id="chg_3", source=ChangeState.PROPOSED, who="stf_li")
    move(store, "undo_proposed", change_id="chg_2", source=ChangeState.IN_FORCE, who="stf_li")
    move(store, "undone", change_id="chg_2", source=ChangeState.UNDO_PROPOSED, who="stf_wang")


def fill(store):
    """October with bills both ways and a cancel, closed; November with a bill and the cancel of one of October's."""
    in_october, in_november = noon(date(2026, 10, 12)), noon(date(2026, 11, 3))
    settled_bill(store, Stay(1, person(1), in_october))
    settled_bill(store, Stay(2, person(2, region=NANJING), in_october, care_region=QINZHOU, in_policy="30.01"))
    settled_bill(store, Stay(3, person(3, region=HUANGSHAN), in_october, group=PersonGroup.PUPIL, in_policy="77.77"))
    settled_bill(store, Stay(4, person(1), in_october, insurance_type=InsuranceType.EMPLOYEE, care_region=HUANGSHAN))
    early, late = (settled_bill(store, Stay(number, person(number), in_october)) for number in (5, 6))
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, early, at=in_october)
    close_window(closing_hub(store), regime=Regime.CROSS_PROVINCE, period=OCTOBER, actor="op", as_of=in_november)
    settled_bill(store, Stay(7, person(1), in_november, self_pay="0.00"))
    settled_bill(store, Stay(8, person(7), in_november, in_policy="0.00", self_pay="9.99"))
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, late, at=in_november)
        uow.registrations.add(registration(person_id="per_1"))
        uow.registrations.move(
            "reg-1",
            source=RegistrationState.SUBMITTED,
            event="approved",
            target=RegistrationState.APPROVED,
            who="officer",
            why="",
            at=in_november,
        )
        uow.idempotency.claim(participant="his", key="k1", fingerprint="f", at=in_november, lease_seconds=60)
        uow.idempotency.finish(participant="his", key="k1", answer=StoredAnswer(201, "{}"), at=in_november)
    with store.begin(HUB_SCOPE) as uow:
        uow.audit.seal()


@contextmanager
def broken_by(services, database, statements):
    """A superuser's transaction in which statements ran without keys and triggers; it is rolled back afterwards."""
    name = make_url(database.owner_url).database
    engine = create_engine(make_url(services.superuser_url).set(database=name), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount != 0, statement
        yield connection
        connection.rollback()
    engine.dispose()


def failing(connection, vault, *, gateways=None, render_with=render):
    results = run(connection, vault, gateways=gateways or GATEWAYS, render=render_with)
    return {result.name: result.findings for result in results if not result.ok}


def without_check(table, constraint):
    return f"alter table {table} drop constraint {constraint}"


FUND_LEG = """
    select entry_id, leg_no, account_id from leg join account on account.id = account_id
    where kind = 'fund_due' and entry_id = 'ent_settled_bil_7_1' order by leg_no limit 1
"""

BREAKS = {
    "bill-parts-add-up": [
        without_check("bill", "bill_borne"),
        "update bill set cash_fen = cash_fen + 1 where id = 'bil_1'",
    ],
    "bill-lines-add-up": [
        "update bill set lines = jsonb_set(lines, '{lines,0,15}', '10001') where id = 'bil_1'",
    ],
    "decision-explained": [
        "update decision set decision = jsonb_set(decision, '{steps,0,amount}', '5001') where bill_id = 'bil_1'",
    ],
    "entries-balance": [
        "update entry set leg_count = leg_count + 1 where id = 'ent_settled_bil_1_1'",
    ],
    "ledger-append-only": ["grant update on leg to hub_app"],
    "one-entry-per-event": [
        without_check("entry", "entry_once"),
        """
        insert into entry select 'ent_again', event, subject, revision, window_id, insuring_region, care_region,
            bill_id, reverses, 2, happened_at, booked_on, recorded_at from entry where id = 'ent_settled_bil_7_1'
        """,
        """
        insert into leg select 'ent_again', no, account_id, window_id, event, leg.insuring_region, leg.care_region,
            given, 1
        from leg join account on account.id = account_id cross join (values (1, 'D'), (2, 'C')) as sides (no, given)
        where entry_id = 'ent_settled_bil_7_1' and kind = 'hospital_claim'
        """,
    ],
    "waiting-lines-equal-bills": ["update waiting_line set amount_fen = amount_fen + 1 where bill_id = 'bil_1'"],
    "catalog-answers-once": ["update code_mapping set valid_until = '2025-01-02' where unified_code is null"],
    "changes-can-be-read": ["update catalog_change set says = says - 'grade' where id = 'chg_2'"],
    "change-orders-without-gaps": ["update catalog_change set decided_order = 5 where id = 'chg_6'"],
    "changes-were-reviewed": ["update catalog_change_move set who = 'stf_zhao' where event = 'approved'"],
    "changes-by-two": [
        without_check("catalog_change", "catalog_change_four_eyes"),
        "update catalog_change set reviewed_by = proposed_by where id = 'chg_1'",
        "update catalog_change_move set who = 'stf_wang' where change_id = 'chg_1'",
    ],
    "states-follow-moves": ["update bill_move set target = 'decided' where bill_id = 'bil_1' and event = 'posted'"],
    "bills-equal-ledger": [
        f"update leg set amount_fen = amount_fen - 1 where (entry_id, leg_no, account_id) in ({FUND_LEG})",
        """
        update leg set amount_fen = amount_fen + 1 from account
        where account.id = account_id and kind = 'patient_paid' and entry_id = 'ent_settled_bil_7_1'
        """,
    ],
    "every-fen-in-one-place": [
        "update entry set reverses = 'ent_settled_bil_1_1' where id = 'ent_cancelled_bil_6_1'",
    ],
    "ledger-equals-gross-matrix": [
        "update gross_cell set amount_fen = amount_fen + 1 where insuring_region = '341000' and fund = '390100'",
    ],
    "clearing-entries-equal-matrix": [
        "update leg set amount_fen = amount_fen + 1 where entry_id like 'ent_cleared_%/341000/320100/390/390100_1'",
    ],
    "nets-sum-to-zero": [
        "insert into net_position values ('win_cross_province_2026-10', '390', '510100', 1)",
    ],
    "nets-equal-gross": [
        """
        update net_position set amount_fen = amount_fen + case region when '450700' then 1 else -1 end
        where insurance_type = '390' and region in ('450700', '341000')
        """,
    ],
    "transfers-settle-positions": [
        "update net_transfer set amount_fen = amount_fen + 1 where method = 'bilateral' and payer = '341000'",
    ],
    "messages-once": [
        without_check("outbox", "outbox_once"),
        "insert into outbox (topic, key, payload, due_at) select topic, key, payload, due_at from outbox limit 1",
    ],
    "statements-replay": [
        without_check("statement", "statement_digest"),
        "update statement set content = content || 'x' where id = (select min(id) from statement)",
    ],
    "decisions-replay": [
        "update decision set request = jsonb_set(request, '{group}', '\"pupil\"') where bill_id = 'bil_1'",
    ],
    "year-to-date-folds": [
        "update person_year set totals = jsonb_set(totals, '{in_policy}', '10001') where person_id = 'per_1'",
    ],
    "sealed-values-open": [
        """
        update person set name_sealed = other.name_sealed from person as other
        where (person.id, other.id) in (('per_1', 'per_2'), ('per_2', 'per_1'))
        """,
    ],
    "audit-chain-unbroken": ["update audit set subject = 'bil_9' where id = (select min(id) from audit)"],
    "bounded-sight": ["alter table leg disable row level security"],
    "four-eyes": [
        without_check("registration", "registration_four_eyes"),
        "update registration set decided_by = submitted_by",
    ],
}


OTHER_HOSPITAL = """
        insert into account select -1, kind, insuring_region, care_region, insurance_type, fund, 'H32010200009'
        from account where kind = 'hospital_claim' and (insuring_region, insurance_type) = ('450700', '390')
            and care_region = '320100'
        """

CONDITIONS = """
    insert into code_mapping (release_id, kind, code, unified_code, grade, valid_from, condition)
    select release_id, kind, code, unified_code, grade, valid_from, cast(given.condition as jsonb)
    from code_mapping cross join (values ('{"v": 1, "sex": "2"}'), ('{"v": 1, "age_to": 14}')) as given (condition)
    where grade = 'narrower'
"""

MORE_BREAKS = [
    ("waiting-lines-equal-bills", ["delete from waiting_line where bill_id = 'bil_1'"]),
    (
        "waiting-lines-equal-bills",
        ["insert into waiting_line select id, 9, care_region, 'drug', 'x', 'x', 'unmapped', now(), 1 from bill"],
    ),
    ("waiting-lines-equal-bills", ["update bill set lines = jsonb_set(lines, '{lines,0,9}', '\"unknown_code\"')"]),
    ("catalog-answers-once", [CONDITIONS]),
    (
        "catalog-answers-once",
        ["update catalog_change set says = jsonb_set(says, '{condition}', '{\"age_to\": 14}') where id = 'chg_6'"],
    ),
    (
        "catalog-answers-once",
        [
            """
            insert into region_item select release_id, kind, code, name, unit, benefit_class, first_self_pay,
                price_limits, '2025-12-31' from region_item where kind = 'service'
            """
        ],
    ),
    ("changes-can-be-read", ["update catalog_change set valid_from = '2026-01-02' where id = 'chg_1'"]),
    ("changes-can-be-read", ["update catalog_change set says = jsonb_set(says, '{v}', '2') where id = 'chg_4'"]),
    ("change-orders-without-gaps", ["update catalog_change set decided_order = decided_order + 10"]),
    (
        "changes-were-reviewed",
        ["update catalog_change set undo_proposed_by = 'stf_zhao' where undo_proposed_by is not null"],
    ),
    ("changes-were-reviewed", ["update catalog_change set reviewed_at = now() where id = 'chg_3'"]),
    ("changes-were-reviewed", ["update catalog_change set proposed_by = 'stf_zhao' where id = 'chg_4'"]),
    (
        "changes-by-two",
        [without_check("code_mapping", "code_mapping_four_eyes"), "update code_mapping set reviewer = decider"],
    ),
    (
        "changes-by-two",
        [
            without_check("catalog_change", "catalog_change_undo_four_eyes"),
            "update catalog_change set undo_reviewed_by = undo_proposed_by where id = 'chg_2'",
            "update catalog_change_move set who = 'stf_li' where event = 'undone'",
        ],
    ),
    ("states-follow-moves", ["update catalog_change set state = 'withdrawn' where id = 'chg_4'"]),
    ("states-follow-moves", ["update catalog_change_move set source = 'in_force' where event = 'undone'"]),
    ("ledger-append-only", ["grant update (says) on catalog_change to hub_app"]),
    ("ledger-append-only", ["alter table waiting_line disable trigger waiting_line_append_only"]),
    ("bounded-sight", ["alter table catalog_change_move disable row level security"]),
    ("bill-parts-add-up", ["update bill set cash_fen = 0, personal_account_fen = cash_fen + personal_account_fen"]),
    ("bill-lines-add-up", ["update bill set lines = jsonb_set(lines, '{lines}', '[]') where id = 'bil_7'"]),
    ("decision-explained", ["update decision set decision = jsonb_set(decision, '{steps,1,article}', '\"\"')"]),
    ("decision-explained", ["update decision set decision = jsonb_set(decision, '{steps,1,value}', '\"\"')"]),
    (
        "entries-balance",
        ["update leg set window_id = 'win_cross_province_2026-12' where entry_id like '%bil_7%' and leg_no = 3"],
    ),
    ("ledger-append-only", ["grant delete on entry to hub_app"]),
    ("ledger-append-only", ["grant update (cash_fen) on bill to hub_app"]),
    ("ledger-append-only", ["alter table audit disable trigger audit_append_only"]),
    ("states-follow-moves", ["update visit set state = 'withdrawn' where id = 'vis_1'"]),
    ("states-follow-moves", ["update registration_move set event = 'refused' where event = 'approved'"]),
    ("states-follow-moves", ["delete from window_move where event = 'netted'"]),
    ("every-fen-in-one-place", ["delete from clearing_window where period = '2026-11'"]),
    ("every-fen-in-one-place", ["update entry set subject = 'bil_9' where id = 'ent_settled_bil_8_1'"]),
    ("ledger-equals-gross-matrix", ["update gross_cell set bills = bills + 1 where fund = '310100'"]),
    (
        "clearing-entries-equal-matrix",
        ["delete from leg where entry_id like '%310100_1'", "delete from entry where id like '%310100_1'"],
    ),
    ("nets-equal-gross", ["delete from net_position where insurance_type = '310'"]),
    (
        "transfers-settle-positions",
        ["delete from net_transfer where method = 'multilateral' and insurance_type = '310'"],
    ),
    (
        "messages-once",
        [without_check("idempotency", "idempotency_whole_answer"), "update idempotency set status = null"],
    ),
    ("statements-replay", ["delete from statement where region = '450700' and media_type = 'application/json'"]),
    ("statements-replay", ["update statement set region = '510100' where region = '450700'"]),
    ("year-to-date-folds", ["delete from person_year where person_id = 'per_1'"]),
    ("sealed-values-open", ["update person set identity_index = sha256('x') where id = 'per_1'"]),
    ("audit-chain-unbroken", ["delete from audit_link where seq = 3"]),
    ("bounded-sight", ["alter table statement no force row level security"]),
    ("bounded-sight", ["drop policy bill_bounded on bill"]),
    ("bounded-sight", ["alter policy bill_bounded on bill using (true)"]),
    ("bounded-sight", ["alter role hub_app bypassrls"]),
    (
        "bills-equal-ledger",
        [
            OTHER_HOSPITAL,
            """
        update leg set account_id = -1 from account
        where account.id = account_id and kind = 'hospital_claim' and entry_id = 'ent_settled_bil_7_1'
        """,
        ],
    ),
    (
        "bills-equal-ledger",
        [
            OTHER_HOSPITAL,
            "update account set kind = 'hospital_borne' where id = -1",
            """
        update leg set account_id = -1 from account
        where account.id = account_id and kind = 'patient_paid' and entry_id = 'ent_settled_bil_7_1'
        """,
        ],
    ),
    (
        "bill-parts-add-up",
        [
            "update bill_share set fund = '510100' where bill_id = 'bil_7' and fund = '390200'",
            """
            insert into account select -1, kind, insuring_region, care_region, insurance_type, '510100' from account
            where kind = 'fund_due' and fund = '390200' and (insuring_region, care_region) = ('450700', '320100')
            """,
            """update leg set account_id = -1 from account
        where account.id = account_id and fund = '390200' and entry_id = 'ent_settled_bil_7_1'""",
        ],
    ),
    (
        "year-to-date-folds",
        ["update decision set request = jsonb_set(request, '{year_to_date,in_policy}', '1') where bill_id = 'bil_7'"],
    ),
    (
        "year-to-date-folds",
        ["update decision set request = jsonb_set(request, '{year_to_date,in_policy}', '1') where bill_id = 'bil_5'"],
    ),
    ("year-to-date-folds", ["update person_year set version = version + 1 where person_id = 'per_1'"]),
    (
        "year-to-date-folds",
        [
            "update bill set year = 2025 where id = 'bil_8'",
            """
            update person_year set year = 2025, totals = jsonb_set(totals, '{year}', '2025') where person_id = 'per_7'
            """,
        ],
    ),
    (
        "bill-parts-add-up",
        [
            """
            update decision set request = jsonb_set(request, '{discharged_on}', '"2026-11-02"') where bill_id = 'bil_7'
            """
        ],
    ),
    (
        "every-fen-in-one-place",
        [
            "insert into clearing_window values ('win_cross_province_2026-12', 'cross_province', '2026-12', 'open')",
            "update bill set period = '2026-12' where id = 'bil_7'",
            "update entry set window_id = 'win_cross_province_2026-12' where id = 'ent_settled_bil_7_1'",
            "update leg set window_id = 'win_cross_province_2026-12' where entry_id = 'ent_settled_bil_7_1'",
        ],
    ),
    (
        "every-fen-in-one-place",
        [
            "insert into clearing_window values ('win_within_province_2026-11', 'within_province', '2026-11', 'open')",
            "update bill set regime = 'within_province' where id = 'bil_7'",
            "update entry set window_id = 'win_within_province_2026-11' where id = 'ent_settled_bil_7_1'",
            "update leg set window_id = 'win_within_province_2026-11' where entry_id = 'ent_settled_bil_7_1'",
        ],
    ),
    ("every-fen-in-one-place", ["update bill set months_late = 1 where id = 'bil_8'"]),
    ("every-fen-in-one-place", ["update entry set booked_on = '2026-10-31' where id = 'ent_settled_bil_7_1'"]),
    (
        "statements-replay",
        [
            """
            insert into statement select id || 'x', 'win_cross_province_2026-11', region, kind, media_type, sha256,
                content, recorded_at from statement where region = '450700'
            """
        ],
    ),
    ("every-fen-in-one-place", ["update visit set institution = 'H32010200009' where id = 'vis_8'"]),
]
"""Further ways to break what a check guards; they, too, fail it alone."""


@pytest.fixture
def filled(store, owner):
    fill_catalogs(owner)
    decide_changes(store)
    fill(store)
    return store


def test_a_sound_database_passes_every_check(services, database, filled):
    with broken_by(services, database, []) as connection:
        results = run(connection, filled.vault, gateways=GATEWAYS, render=render)

    assert [(result.name, result.findings) for result in results if not result.ok or not result.counted] == []


def test_every_check_has_a_break_and_a_name_of_its_own():
    assert sorted(BREAKS) == sorted({check.name for check in CHECKS})
    assert {check.invariant for check in CHECKS} == set(range(1, 11))


def test_each_break_fails_its_check_and_no_other(services, database, filled, subtests):
    for name, statements in (*BREAKS.items(), *MORE_BREAKS):
        with subtests.test(name), broken_by(services, database, statements) as connection:
            assert sorted(failing(connection, filled.vault)) == [name]


def test_a_leg_that_is_a_fen_off_fails_the_balance_and_the_bill(services, database, filled):
    off = ["update leg set amount_fen = amount_fen + 1 where entry_id = 'ent_settled_bil_8_1' and leg_no = 1"]
    with broken_by(services, database, off) as connection:
        assert sorted(failing(connection, filled.vault)) == ["bills-equal-ledger", "entries-balance"]


def test_a_finding_names_the_place(services, database, filled):
    with broken_by(services, database, BREAKS["bills-equal-ledger"]) as connection:
        found = failing(connection, filled.vault)

    assert found == {
        "bills-equal-ledger": (
            "bil_7 settled, fund 390100: bill 5000 fen, ledger 4999 fen",
            "bil_7 settled, patient_paid H32010200001: bill 4000 fen, ledger 4001 fen",
        ),
    }


def test_a_record_that_cannot_be_read_is_a_finding_and_the_other_checks_still_run(services, database, filled):
    spoilt = ["update decision set decision = jsonb_set(decision, '{contribution}', '7') where bill_id = 'bil_1'"]
    with broken_by(services, database, spoilt) as connection:
        results = run(connection, filled.vault, gateways=GATEWAYS, render=render)

    assert {result.name: result.findings for result in results if not result.ok} == {
        "decision-explained": ("bil_1: cannot be read",),
        "year-to-date-folds": ("cannot be checked: TypeError",),
    }
    assert len(results) == len(CHECKS)


def test_only_the_first_few_findings_are_named(services, database, filled):
    with broken_by(services, database, ["update visit_move set event = 'moved'"]) as connection:
        found = failing(connection, filled.vault)

    assert len(found["states-follow-moves"]) == 5


def test_without_regions_and_renderer_the_replays_are_skipped_and_prove_nothing(services, database, filled):
    with broken_by(services, database, []) as connection:
        results = run(connection, filled.vault)

    assert {result.name: (result.ok, result.skipped) for result in results if result.skipped} == {
        "statements-replay": (False, "no renderer given"),
        "decisions-replay": (False, "no gateways given"),
    }


class Silent(PlayedRegion):
    def decide(self, request):
        raise Unreachable("silent", "no answer", transient=True)


class Unwilling(PlayedRegion):
    def decide(self, request):
        return Refusal(RefusalReason.RULE_MISSING, "cap")


@pytest.mark.parametrize(
    ("gateways", "finding"),
    [
        ({QINZHOU: Silent(QINZHOU)}, "bil_1: region 450700 does not answer"),
        ({QINZHOU: Unwilling(QINZHOU)}, "bil_1: decided again it is refused"),
        ({NANJING: PlayedRegion(NANJING)}, "bil_1: nobody can decide for region 450700"),
    ],
)
def test_a_decision_that_cannot_be_made_again_is_a_finding(services, database, filled, gateways, finding):
    with broken_by(services, database, []) as connection:
        found = failing(connection, filled.vault, gateways={**gateways})

    assert finding in found["decisions-replay"]


def test_the_owner_of_the_tables_can_run_every_check(owner, filled):
    results = run(owner, filled.vault, gateways=GATEWAYS, render=render)

    assert all(result.ok for result in results)


def test_the_checks_change_nothing(owner, filled):
    owner.execute(text("set transaction read only"))

    assert all(result.ok for result in run(owner, filled.vault, gateways=GATEWAYS, render=render))
