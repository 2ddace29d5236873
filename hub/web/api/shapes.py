"""Records become messages here, in the form that the schemas describe.

Knows both. Must not know rules; nothing that names a person leaves unmasked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.actions.matching import DayReport
from hub.actions.settlement import Quoted
from hub.actions.statements import Matrix
from hub.core.bill import PUBLIC_STATES, ClassifiedAmounts
from hub.core.classification import OUTCOME_WORDS, ClassifiedLine
from hub.core.clearing import Window
from hub.core.codes import IdentityNumber, masked_name
from hub.core.dates import SHANGHAI
from hub.core.decision import REFUSAL_WORDS, Decision, Refusal, Step
from hub.core.money import Money
from hub.ports.records import BilledLine, BillRecord, RegistrationRecord, StoredStatement, VisitRecord

Json = dict[str, Any]


def moment(at: datetime) -> str:
    """A moment in Shanghai, to the second."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def person(*, name: str, identity: IdentityNumber) -> Json:
    return {"name": masked_name(name), "identity": identity.masked}


def registration(record: RegistrationRecord) -> Json:
    found = record.registration
    return {
        "id": found.id,
        "reference": record.reference,
        "insuring_region": found.insuring_region.code,
        "care_region": found.care_region.code,
        "category": found.category,
        "evidence": found.evidence,
        "valid_from": found.span.start.isoformat(),
        "valid_until": found.span.end.isoformat() if found.span.end else None,
        "state": found.state,
        "channel": record.channel,
        "notice_version": record.notice_version,
        "submitted_at": moment(record.submitted_at),
        "decided_reason": record.decided_reason,
    }


def admission(visit: VisitRecord, *, to_hospital: bool) -> Json:
    """`to_hospital`: the diagnosis is told to the hospital that made it, and to nobody else."""
    told = {
        "id": visit.id,
        "visit_no": visit.visit_no,
        "institution": visit.institution.code,
        "insuring_region": visit.insuring_region.code,
        "care_region": visit.care_region.code,
        "insurance_type": visit.coverage.insurance_type,
        "kind": visit.kind,
        "admitted_at": moment(visit.admitted_at),
        "recorded_at": moment(visit.recorded_at),
        "recorded_late": visit.recorded_late,
        "state": visit.state,
    }
    return {**told, "diagnosis": visit.diagnosis} if to_hospital else told


def amounts(found: ClassifiedAmounts) -> Json:
    return {
        "total": str(found.total),
        "full_self_pay": str(found.full_self_pay),
        "over_limit": str(found.over_limit),
        "first_self_pay": str(found.first_self_pay),
        "in_policy": str(found.in_policy),
    }


def split(decision: Decision) -> Json:
    return {
        "funds": [{"fund": fund, "amount": str(amount)} for fund, amount in decision.shares.items()],
        "fund_total": str(decision.fund_total),
        "personal_account": str(decision.personal_account),
        "cash": str(decision.cash),
        "hospital_borne": str(decision.hospital_borne),
    }


def step(found: Step) -> Json:
    return {
        "layer": found.layer,
        "parameter": found.parameter,
        "value": found.value,
        "valid_from": found.valid_from.isoformat(),
        "article": found.article,
        "base": str(found.base),
        "formula": found.formula,
        "amount": str(found.amount),
        "pays": found.pays,
        "fund": found.fund,
    }


def line(found: BilledLine) -> Json:
    return classified(found.classified)


def classified(found: ClassifiedLine) -> Json:
    chinese, english = OUTCOME_WORDS[found.outcome]
    return {
        "line_no": found.line_no,
        "kind": found.local.kind,
        "code": found.local.code,
        "name": found.name,
        "unified_code": found.unified.code if found.unified else None,
        "outcome": found.outcome,
        "words": {"zh": chinese, "en": english},
        "benefit_class": found.benefit_class,
        "amount": str(found.amount),
        "full_self_pay": str(found.full_self_pay),
        "over_limit": str(found.over_limit),
        "first_self_pay": str(found.first_self_pay),
        "in_policy": str(found.in_policy),
    }


def bill_head(bill: BillRecord) -> Json:
    return {
        "id": bill.id,
        "bill_no": bill.bill_no,
        "revision": bill.revision,
        "state": PUBLIC_STATES[bill.state],
        "visit_id": bill.visit_id,
        "institution": bill.institution.code,
        "insuring_region": bill.insuring_region.code,
        "care_region": bill.care_region.code,
        "insurance_type": bill.insurance_type,
        "regime": bill.regime,
        "admitted_on": bill.admitted_on.isoformat(),
        "discharged_on": bill.discharged_on.isoformat(),
        "settled_on": bill.settled_on.isoformat(),
        "period": str(bill.period),
        "months_late": bill.months_late,
        "amounts": amounts(bill.amounts),
        "split": split(bill.decision),
    }


def settled(bill: BillRecord) -> Json:
    """The answer to a settlement; without the lines just sent, since answers are kept for years."""
    return {
        **bill_head(bill),
        "policy": bill.decision.policy,
        "registration_id": bill.registration_id,
        "steps": [step(found) for found in bill.decision.steps],
    }


def bill(record: BillRecord) -> Json:
    return {**settled(record), "lines": [line(found) for found in record.lines]}


def refusal(found: Refusal) -> Json:
    chinese, english = REFUSAL_WORDS[found.reason]
    return {"reason": found.reason, "detail": found.detail, "words": {"zh": chinese, "en": english}}


def quoted(found: Quoted) -> Json:
    decided = found.decision if isinstance(found.decision, Decision) else None
    return {
        "amounts": amounts(found.amounts),
        "basis": found.basis,
        "split": split(decided) if decided else None,
        "steps": [step(one) for one in decided.steps] if decided else [],
        "refusal": refusal(found.decision) if isinstance(found.decision, Refusal) else None,
        "lines": [line(one) for one in found.lines],
    }


def day_report(found: DayReport) -> Json:
    return {
        "day": found.day.isoformat(),
        "bookings": found.bookings,
        "total": str(Money(found.total_fen)),
        "fund_total": str(Money(found.fund_total_fen)),
    }


def entry(found: Any) -> Json:
    return {
        "kind": found.code.kind,
        "code": found.code.code,
        "name": found.name,
        "status": found.status,
        "parent": found.parent,
        "attributes": dict(found.attributes),
    }


def decimal_text(value: Any) -> str:
    """An exact price as a plain decimal of up to six places."""
    millionths = value * 1_000_000
    whole, part = divmod(abs(int(millionths)), 1_000_000)
    sign = "-" if millionths < 0 else ""
    return f"{sign}{whole}.{part:06d}".rstrip("0").rstrip(".")


def statement_head(found: StoredStatement) -> Json:
    return {
        "id": found.id,
        "window_id": found.window_id,
        "region": found.region.code,
        "kind": found.kind,
        "media_type": found.media_type,
        "sha256": found.sha256,
    }


def window(found: Window) -> Json:
    return {"id": found.id, "regime": found.regime, "period": str(found.period), "state": found.state}


def matrix(found: Matrix) -> Json:
    return {
        "window": window(found.window),
        "cells": [
            {
                "insuring_region": cell.insuring_region.code,
                "care_region": cell.care_region.code,
                "insurance_type": cell.insurance_type,
                "fund": cell.fund,
                "amount": str(cell.amount),
                "bills": cell.bills,
            }
            for cell in found.cells
        ],
        "positions": [
            {"insurance_type": one.insurance_type, "region": one.region.code, "amount": str(one.amount)}
            for one in found.positions
        ],
        "transfers": [
            {
                "method": one.method,
                "insurance_type": one.insurance_type,
                "payer": one.payer.code,
                "payee": one.payee.code,
                "amount": str(one.amount),
            }
            for one in found.transfers
        ],
    }
