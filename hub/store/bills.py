"""Settled bills with their lines, decisions and moves.

Knows the tables bill, bill_share, decision, bill_move and waiting_line. Must not know what makes a bill right: the core
has checked it, and the tables repeat the sums. Sources: design invariants 1 and 2; decision 0030 for the packed lines,
decision 0062 for those that wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.bill import BillState, ClassifiedAmounts
from hub.core.classification import WAITING_OUTCOMES
from hub.core.codes import InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.errors import Conflict
from hub.core.money import Money
from hub.ports.records import BilledLine, BillRecord
from hub.store import codec
from hub.store.moves import guarded_move
from hub.vault import Vault

# One statement for the whole bill: a round trip costs more than a row (performance guide section 3).
_ADDED = """
    with kept as (
        insert into bill (
            id, visit_id, person_id, institution, insuring_region, care_region, insurance_type, regime, bill_no,
            revision, admitted_on, discharged_on, registration_id, total_fen, full_self_pay_fen, over_limit_fen,
            first_self_pay_fen, in_policy_fen, fund_total_fen, personal_account_fen, cash_fen, hospital_borne_fen,
            lines, year, year_version, months_late, settled_at, settled_on, period, state
        ) values (
            :id, :visit_id, :person_id, :institution, :insuring_region, :care_region, :insurance_type, :regime,
            :bill_no, :revision, :admitted_on, :discharged_on, :registration_id, :total, :full_self_pay, :over_limit,
            :first_self_pay, :in_policy, :fund_total, :personal_account, :cash, :hospital_borne,
            cast(:lines as jsonb), :year, :year_version, :months_late, :settled_at, :settled_on, :period, :state
        )
        on conflict do nothing
        returning id
    ), shared as (
        insert into bill_share (bill_id, layer_no, fund, amount_fen)
        select kept.id, share.layer_no, share.fund, share.amount_fen
        from kept, unnest(cast(:funds as text[]), cast(:amounts as bigint[]))
            with ordinality as share (fund, amount_fen, layer_no)
    ), explained as (
        insert into decision (bill_id, policy, request, decision)
        select kept.id, :policy, cast(:request as jsonb), cast(:decision as jsonb) from kept
    ), moved as (
        insert into bill_move (bill_id, move_no, source, event, target, who, why, at)
        select kept.id, move.move_no, move.source, move.event, move.target, :who, '', :settled_at
        from kept, unnest(cast(:sources as text[]), cast(:events as text[]), cast(:targets as text[]))
            with ordinality as move (source, event, target, move_no)
    )
"""
_KEPT = "select count(*) from kept"
_ADD = text(_ADDED + _KEPT)
# A statement of its own, so that a bill all of whose lines are known pays nothing for those that wait.
_ADD_WAITING = text(
    _ADDED
    + """
    , waits as (
        insert into waiting_line (bill_id, line_no, care_region, kind, code, name, outcome, fee_date, amount_fen)
        select kept.id, line_no, :care_region, kind, code, name, outcome, fee_date, amount_fen
        from kept, unnest(
            cast(:line_nos as integer[]), cast(:kinds as text[]), cast(:codes as text[]), cast(:names as text[]),
            cast(:outcomes as text[]), cast(:fee_dates as date[]), cast(:waiting_fen as bigint[])
        ) as line (line_no, kind, code, name, outcome, fee_date, amount_fen)
    )
    """
    + _KEPT
)

_SELECT = """
    select bill.id, visit_id, person_id, institution, insuring_region, care_region, insurance_type, regime, bill_no,
        revision, admitted_on, discharged_on, registration_id, total_fen, full_self_pay_fen, over_limit_fen,
        first_self_pay_fen, in_policy_fen, cast(lines as text) as lines, year, year_version, months_late, settled_at,
        settled_on, period, state, cast(request as text) as request, cast(decision.decision as text) as decision
    from bill join decision on decision.bill_id = bill.id
"""
_GET = text(_SELECT + " where bill.id = :id")
_GET_LOCKED = text(_SELECT + " where bill.id = :id for no key update of bill")
_LISTED = text(
    _SELECT
    + """
    where bill.id > :after
        and (cast(:day as date) is null or settled_on = :day)
        and (cast(:period as text) is null or period = :period)
    order by bill.id limit :limit
    """
)
_REVISIONS = text(
    "select revision, id, state from bill where institution = :institution and bill_no = :bill_no order by revision"
)
_LATER = text(
    """
    select id from bill
    where person_id = :person_id and insurance_type = :insurance_type and year = :year
        and year_version > :year_version and state = 'posted'
    order by year_version
    """
)
_MOVE = guarded_move("bill", moves="bill_move", key="bill_id")


class Bills:
    """The shelf of bills; see `hub.ports.store.Bills`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, bill: BillRecord, *, moves: Sequence[tuple[BillState, str, BillState]], who: str) -> None:
        values = {**_columns(bill), **_companions(bill), **_moves(moves), "who": who}
        waiting = [line for line in bill.lines if line.classified.outcome in WAITING_OUTCOMES]
        kept = self._connection.execute(
            _ADD_WAITING if waiting else _ADD, {**values, **_waiting(waiting)} if waiting else values
        )
        if kept.scalar_one() == 0:
            raise Conflict(
                "bill_exists",
                f"bill {bill.bill_no} was settled before, or the stay has a settled bill: cancel that one first",
            )

    def get(self, bill_id: str, *, lock: bool = False) -> BillRecord | None:
        found = self._connection.execute(_GET_LOCKED if lock else _GET, {"id": bill_id}).one_or_none()
        return _record(found) if found is not None else None

    def revisions(self, institution: InstitutionCode, bill_no: str) -> Sequence[tuple[int, str, BillState]]:
        found = self._connection.execute(_REVISIONS, {"institution": institution.code, "bill_no": bill_no})
        return [(revision, bill_id, BillState(state)) for revision, bill_id, state in found]

    def later_in_year(self, bill: BillRecord) -> Sequence[str]:
        found = self._connection.execute(
            _LATER,
            {
                "person_id": bill.person_id,
                "insurance_type": bill.insurance_type.value,
                "year": bill.year,
                "year_version": bill.year_version,
            },
        )
        return list(found.scalars())

    def listed(self, *, day: date | None, period: Period | None, after: str, limit: int) -> Sequence[BillRecord]:
        found = self._connection.execute(
            _LISTED,
            {"day": day, "period": str(period) if period else None, "after": after, "limit": limit},
        )
        return [_record(row) for row in found]

    def move(
        self, bill_id: str, *, source: BillState, event: str, target: BillState, who: str, why: str, at: datetime
    ) -> None:
        """Write a move and the state. Raises Conflict where the bill is no longer in the state it starts from."""
        moved = self._connection.execute(
            _MOVE,
            {
                "id": bill_id,
                "source": source.value,
                "event": event,
                "target": target.value,
                "who": who,
                "why": why,
                "at": at,
            },
        )
        if moved.scalar_one() == 0:
            raise Conflict("bill_moved", f"bill {bill_id} is no longer {source}: read it again")


def _columns(bill: BillRecord) -> dict[str, Any]:
    amounts, decision = bill.amounts, bill.decision
    return {
        "id": bill.id,
        "visit_id": bill.visit_id,
        "person_id": bill.person_id,
        "institution": bill.institution.code,
        "insuring_region": bill.insuring_region.code,
        "care_region": bill.care_region.code,
        "insurance_type": bill.insurance_type.value,
        "regime": bill.regime.value,
        "bill_no": bill.bill_no,
        "revision": bill.revision,
        "admitted_on": bill.admitted_on,
        "discharged_on": bill.discharged_on,
        "registration_id": bill.registration_id,
        "total": amounts.total.fen,
        "full_self_pay": amounts.full_self_pay.fen,
        "over_limit": amounts.over_limit.fen,
        "first_self_pay": amounts.first_self_pay.fen,
        "in_policy": amounts.in_policy.fen,
        "fund_total": decision.fund_total.fen,
        "personal_account": decision.personal_account.fen,
        "cash": decision.cash.fen,
        "hospital_borne": decision.hospital_borne.fen,
        "lines": codec.pack_lines(bill.lines),
        "year": bill.year,
        "year_version": bill.year_version,
        "months_late": bill.months_late,
        "settled_at": bill.settled_at,
        "settled_on": bill.settled_on,
        "period": str(bill.period),
        "state": bill.state.value,
    }


def _companions(bill: BillRecord) -> dict[str, Any]:
    return {
        "funds": [fund.value for fund in bill.decision.shares],
        "amounts": [amount.fen for amount in bill.decision.shares.values()],
        "policy": bill.decision.policy,
        "request": codec.write_request(bill.request),
        "decision": codec.write_decision(bill.decision),
    }


def _moves(moves: Sequence[tuple[BillState, str, BillState]]) -> dict[str, Any]:
    return {
        "sources": [source.value for source, _, _ in moves],
        "events": [event for _, event, _ in moves],
        "targets": [target.value for _, _, target in moves],
    }


def _waiting(lines: Sequence[BilledLine]) -> dict[str, Any]:
    return {
        "line_nos": [line.sent.line_no for line in lines],
        "kinds": [line.sent.kind.value for line in lines],
        "codes": [line.sent.code for line in lines],
        "names": [line.classified.name for line in lines],
        "outcomes": [line.classified.outcome.value for line in lines],
        "fee_dates": [line.sent.fee_date for line in lines],
        "waiting_fen": [line.classified.full_self_pay.fen for line in lines],
    }


def _record(row: Row[Any]) -> BillRecord:
    return BillRecord(
        id=row.id,
        visit_id=row.visit_id,
        person_id=row.person_id,
        institution=InstitutionCode(row.institution),
        insuring_region=Region(row.insuring_region),
        care_region=Region(row.care_region),
        insurance_type=InsuranceType(row.insurance_type),
        regime=Regime(row.regime),
        bill_no=row.bill_no,
        revision=row.revision,
        admitted_on=row.admitted_on,
        discharged_on=row.discharged_on,
        registration_id=row.registration_id,
        amounts=ClassifiedAmounts(
            total=Money(row.total_fen),
            full_self_pay=Money(row.full_self_pay_fen),
            over_limit=Money(row.over_limit_fen),
            first_self_pay=Money(row.first_self_pay_fen),
            in_policy=Money(row.in_policy_fen),
        ),
        lines=codec.unpack_lines(row.lines),
        request=codec.read_request(row.request),
        decision=codec.read_decision(row.decision),
        year=row.year,
        year_version=row.year_version,
        months_late=row.months_late,
        settled_at=row.settled_at,
        settled_on=row.settled_on,
        period=Period.parse(row.period),
        state=BillState(row.state),
    )
