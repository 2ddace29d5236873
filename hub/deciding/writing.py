"""Writes a decision or a refusal as a document of plain values.

Knows the document's fields. Must not know how a bill is decided. Source: decision record 0072.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.decision import REFUSAL_WORDS, Decision, Refusal, Step
from hub.core.errors import HubError


def write_answer(bill_id: str, answer: Decision | Refusal) -> Mapping[str, object]:
    """A decision with its steps, or a refusal with its code and the words for the patient. Amounts are yuan."""
    if isinstance(answer, Refusal):
        chinese, english = REFUSAL_WORDS[answer.reason]
        refusal = {"code": answer.reason.value, "detail": answer.detail, "words_zh": chinese, "words_en": english}
        return {"id": bill_id, "refusal": refusal}
    made = answer.contribution
    return {
        "id": bill_id,
        "decision": {
            "policy": answer.policy,
            "total": str(answer.total),
            "shares": {fund.value: str(share) for fund, share in answer.shares.items()},
            "fund_total": str(answer.fund_total),
            "personal_account": str(answer.personal_account),
            "cash": str(answer.cash),
            "hospital_borne": str(answer.hospital_borne),
            "adds_to_year": {
                "admission": made.admission,
                "level": made.level.value,
                "in_policy": str(made.in_policy),
                "self_pay_in_policy": str(made.self_pay_in_policy),
                "paid_by_fund": {fund.value: str(one) for fund, one in made.paid_by_fund.items()},
                "accumulated": {layer: str(one) for layer, one in made.accumulated.items()},
            },
            "steps": [_step(step) for step in answer.steps],
        },
    }


def write_fault(bill_id: str, wrong: HubError) -> Mapping[str, object]:
    """What is wrong with a document, by field."""
    faults = [{"where": fault.where, "code": fault.code, "message": fault.message} for fault in wrong.faults]
    return {"id": bill_id, "error": {"code": wrong.code, "message": wrong.message, "faults": faults}}


def _step(step: Step) -> Mapping[str, object]:
    return {
        "layer": step.layer,
        "parameter": step.parameter,
        "value": step.value,
        "valid_from": step.valid_from.isoformat(),
        "article": step.article,
        "base": str(step.base),
        "formula": step.formula,
        "amount": str(step.amount),
        "pays": step.pays.value,
        "fund": None if step.fund is None else step.fund.value,
    }
