"""Entries, mappings, changes, queues and impacts become messages here, in the form that the schemas describe.

Knows both. Must not know rules; no person stands in any of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hub.actions.download import NewerCodes, NewerEntries
from hub.actions.impact import Impact, MovedBill, MovedLine, Split
from hub.actions.mapping import Bulk
from hub.actions.workbench import CodeView, QueueRow, Told
from hub.core.catalog import CatalogItem, Restriction, Stretch
from hub.core.mapping import PAYABLE_GRADES, Condition, Mapping
from hub.ports.catalogs import Candidate, ChangeMove, ChangeRecord, Coverage
from hub.web.api.shapes import Json, amounts, classified, decimal_text, moment
from hub.web.api.shapes import entry as unified_entry


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


# --- what a catalog says ------------------------------------------------------------------------------------------


def condition(found: Condition) -> Json | None:
    if found.is_empty:
        return None
    return {
        "sex": found.sex,
        "age_from": found.age_from,
        "age_to": found.age_to,
        "insurance_type": found.insurance_type,
        "diagnoses": list(found.diagnoses),
    }


def restriction(found: Restriction | None) -> Json | None:
    if found is None:
        return None
    return {
        "sex": found.sex,
        "age_from": found.age_from,
        "age_to": found.age_to,
        "diagnoses": list(found.diagnoses),
        "inpatient_only": found.inpatient_only,
        "levels": sorted(found.levels),
        "most_days": found.most_days,
    }


def mapping(found: Mapping) -> Json:
    return {
        "unified_code": found.unified.code if found.unified else None,
        "grade": found.grade,
        "payable": found.grade in PAYABLE_GRADES,
        "valid_from": found.valid_from.isoformat(),
        "valid_until": _day(found.valid_until),
        "condition": condition(found.condition),
    }


def entry(found: CatalogItem) -> Json:
    standard = found.payment_standard
    return {
        "name": found.name,
        "unit": found.unit,
        "benefit_class": found.benefit_class,
        "first_self_pay": str(found.first_self_pay),
        "first_self_pay_of": {str(one): str(rate) for one, rate in found.first_self_pay_of.items()},
        "price_limits": {str(level): decimal_text(limit) for level, limit in found.price_limits.items()},
        "payment_standard": None if standard is None else decimal_text(standard),
        "restriction": restriction(found.restriction),
        "valid_from": found.valid.start.isoformat(),
        "valid_until": _day(found.valid.end),
        "grace_until": _day(found.grace_until),
    }


def item(found: CatalogItem, mapped: Mapping | None) -> Json:
    return {
        "region": found.local.region.code,
        "kind": found.local.kind,
        "code": found.local.code,
        **entry(found),
        "mapping": mapping(mapped) if mapped else None,
    }


def stretch(found: Stretch) -> Json:
    return {
        "valid_from": found.span.start.isoformat(),
        "valid_until": _day(found.span.end),
        "in_grace": found.in_grace,
        "entry": None if found.item is None else entry(found.item),
        "mappings": [mapping(one) for one in found.mappings],
    }


def newer_codes(found: NewerCodes) -> Json:
    return {
        "region": found.region.code,
        "kind": found.kind,
        "version": found.version,
        "items": [{"code": code, "stretches": [stretch(one) for one in stretches]} for code, stretches in found.codes],
        "next": found.further,
    }


def newer_entries(found: NewerEntries) -> Json:
    return {
        "kind": found.kind,
        "version": found.version,
        "items": [unified_entry(one) for one in found.entries],
        "next": found.further,
    }


# --- changes ------------------------------------------------------------------------------------------------------


def change(record: ChangeRecord) -> Json:
    new = record.new
    return {
        "id": record.id,
        "kind": record.local.kind,
        "code": record.local.code,
        "mapping": mapping(new) if isinstance(new, Mapping) else None,
        "entry": entry(new) if isinstance(new, CatalogItem) else None,
        "origin": record.origin,
        "score": record.score,
        "reason": record.reason,
        "state": record.state,
        "order": record.order,
        "proposed_by": record.proposed_by,
        "proposed_at": moment(record.proposed_at),
        "reviewed_by": record.reviewed_by,
        "reviewed_at": None if record.reviewed_at is None else moment(record.reviewed_at),
    }


def _move(found: ChangeMove) -> Json:
    return {
        "event": found.event,
        "state": found.target,
        "who": found.who,
        "why": found.why,
        "at": moment(found.at),
    }


def told(found: Told) -> Json:
    return {
        **change(found.record),
        "target_name": found.target_name,
        "before": None if found.before is None else stretch(found.before),
        "history": [_move(one) for one in found.moves],
    }


def bulk(found: Bulk) -> Json:
    return {
        "accepted": [change(one) for one in found.accepted],
        "refused": [
            {
                "kind": row.local.kind,
                "code": row.local.code,
                "name": row.name,
                "change_id": row.change_id,
                "reason": row.code,
                "message": row.message,
            }
            for row in found.refused
        ],
        "left": found.left,
    }


# --- the queue ----------------------------------------------------------------------------------------------------


def _candidate(found: Candidate) -> Json:
    return {
        "unified_code": found.unified.code,
        "name": found.name,
        "score": found.score,
        "in_answer": found.in_answer,
        "reasons": [{"zh": chinese, "en": english} for chinese, english in found.reasons],
    }


def queue_row(found: QueueRow) -> Json:
    row = found.waiting
    return {
        "kind": row.local.kind,
        "code": row.local.code,
        "name": row.name,
        "outcome": row.outcome,
        "bills": row.bills,
        "lines": row.lines,
        "amount": str(row.amount),
        "candidates": [_candidate(one) for one in found.candidates],
        "proposals": [change(one) for one in found.proposals],
    }


def coverage(found: Sequence[Coverage], *, on: date) -> Json:
    return {
        "on": on.isoformat(),
        "items": [
            {
                "kind": one.kind,
                "rows": one.rows,
                "mapped": one.mapped,
                "payable": one.payable,
                "amount": str(one.amount),
                "waiting": str(one.waiting),
            }
            for one in found
        ],
    }


def code(found: CodeView) -> Json:
    return {
        "kind": found.local.kind,
        "code": found.local.code,
        "name": found.name,
        "stretches": [stretch(one) for one in found.stretches],
        "changes": [told(one) for one in found.changes],
        "candidates": [_candidate(one) for one in found.candidates],
    }


# --- impact -------------------------------------------------------------------------------------------------------


def impact(found: Impact) -> Json:
    return {
        "looked_at": found.looked_at,
        "cut_off": found.cut_off,
        "reclassified": found.reclassified,
        "moved": found.moved,
        "to_fund": str(found.to_fund),
        "from_person": str(found.from_person),
        "from_hospital": str(found.from_hospital),
        "by_fund": [
            {
                "insuring_region": one.insuring_region.code,
                "fund": one.fund,
                "amount": str(one.amount),
                "bills": one.bills,
            }
            for one in found.by_fund
        ],
        "unanswered": [
            {
                "insuring_region": one.insuring_region.code,
                "code": one.code,
                "words": one.words,
                "bills": one.bills,
            }
            for one in found.unanswered
        ],
        "most": [_moved(one) for one in found.most],
    }


def _moved(found: MovedBill) -> Json:
    return {
        "bill_id": found.bill_id,
        "institution": found.institution.code,
        "insuring_region": found.insuring_region.code,
        "discharged_on": found.discharged_on.isoformat(),
        "to_fund": str(found.to_fund),
        "before": _split(found.before),
        "after": _split(found.after),
        "lines": [_moved_line(one) for one in found.lines],
    }


def _split(found: Split) -> Json:
    return {
        "amounts": amounts(found.amounts),
        "funds": [{"fund": fund, "amount": str(amount)} for fund, amount in found.shares.items()],
        "fund_total": str(found.fund_total),
        "person": str(found.person),
        "hospital": str(found.hospital),
    }


def _moved_line(found: MovedLine) -> Json:
    return {
        "fee_date": found.fee_date.isoformat(),
        "before": classified(found.before),
        "after": classified(found.after),
    }
