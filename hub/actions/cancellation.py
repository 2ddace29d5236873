"""Cancelling a settled bill: new entries that mirror the old ones, in the period that is open now.

Knows the strict reverse order within a person's year.
Must not know messages or pages. Sources: message 2305; domain-process sections 7 and 9.5: a cancel after the close
joins the next clearing as a negative amount.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.actions.context import Hub, Keep, keep_nothing
from hub.actions.settlement import tell_region
from hub.core.bill import BILL_MOVES, VISIT_MOVES
from hub.core.codes import InsuranceType
from hub.core.dates import business_day
from hub.core.errors import Conflict, Inconsistent, NotAllowed, NotFound
from hub.core.ledger import Event, cancelled, entry_id
from hub.ports import HUB_SCOPE, Participant, UnitOfWork
from hub.ports.records import BillRecord


def cancel_bill(
    hub: Hub,
    bill_id: str,
    *,
    reason: str,
    by: Participant,
    as_of: datetime,
    keep: Keep[BillRecord] = keep_nothing,
) -> BillRecord:
    """Cancel a settled bill of one's own hospital; the stay is open again afterwards.

    Raises Conflict where it was cancelled before, or where a later bill of the same person and year stands: its
    decision rests on this one, so the later one is cancelled first.
    """
    if not reason:
        raise NotAllowed("reason_missing", "say why the settlement is cancelled")
    with hub.store.begin(HUB_SCOPE) as uow:
        # The person's year is locked before the bill, as a settlement does, so that the two cannot block each other.
        year = uow.years.lock(*_year_of(uow, bill_id, by))
        bill = _own_bill(uow, bill_id, by, lock=True)
        target = BILL_MOVES.after(bill.state, "cancelled")
        later = uow.bills.later_in_year(bill)
        if later:
            raise Conflict(
                "cancel_order",
                f"cancel the later bill {later[-1]} of the same person first",
                facts={"bill_id": later[-1]},
            )
        visit = uow.visits.get(bill.visit_id, lock=True)
        if visit is None:
            raise Inconsistent("bill_without_visit", f"bill {bill_id} has no visit")
        visit_target = VISIT_MOVES.after(visit.state, "settlement_cancelled")
        window = uow.windows.open_for(bill.regime, business_day(as_of))

        uow.bills.move(bill_id, source=bill.state, event="cancelled", target=target, who=by.id, why=reason, at=as_of)
        uow.visits.move(
            visit.id,
            source=visit.state,
            event="settlement_cancelled",
            target=visit_target,
            who=by.id,
            why=bill_id,
            at=as_of,
        )
        uow.years.save(
            bill.person_id,
            bill.insurance_type,
            year.totals.minus(bill.decision.contribution),
            region=bill.insuring_region,
            version=year.version + 1,
        )
        original = uow.ledger.get(entry_id(Event.SETTLED, bill_id, bill.revision))
        if original is not None:
            uow.ledger.add(
                cancelled(original),
                regime=bill.regime,
                period=window.period,
                bill_id=bill_id,
                happened_at=as_of,
                recorded_at=as_of,
            )
        tell_region(uow, bill, event="cancelled", on=business_day(as_of), as_of=as_of, sign=-1)
        uow.audit.write(
            actor=by.id,
            action="bill_cancelled",
            subject=bill_id,
            at=as_of,
            facts={"settled_in": str(bill.period), "cancelled_in": str(window.period)},
        )
        after = replace(bill, state=target)
        keep(uow, after)
    return after


def _year_of(uow: UnitOfWork, bill_id: str, by: Participant) -> tuple[str, InsuranceType, int]:
    bill = _own_bill(uow, bill_id, by, lock=False)
    return bill.person_id, bill.insurance_type, bill.year


def _own_bill(uow: UnitOfWork, bill_id: str, by: Participant, *, lock: bool) -> BillRecord:
    bill = uow.bills.get(bill_id, lock=lock)
    if bill is None or bill.institution != by.institution:
        raise NotFound("bill_not_found", f"no bill {bill_id}")
    return bill
