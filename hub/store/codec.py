"""Core values as JSON text and back, exact to the fen and the fraction.

Knows how a bill's lines, the question to a region, its answer and a year's totals are written down, and under which
version. Must not know tables or rules. Amounts are whole fen, exact numbers are texts, days are ISO dates, and whatever
has an order is an array, since jsonb keeps none for the keys of an object. Sources: decisions 0030 and 0031.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import orjson

from hub.core.bill import BillLine, ClassifiedAmounts
from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import ClassifiedLine, LineOutcome
from hub.core.codes import CatalogKind, Fund, InsuranceType, LocalCode, Region, UnifiedCode
from hub.core.decision import (
    CareKind,
    Contribution,
    Decision,
    DecisionRequest,
    Payer,
    PersonGroup,
    Place,
    Referral,
    Step,
    YearToDate,
)
from hub.core.errors import Inconsistent
from hub.core.money import Money
from hub.core.registration import AccessBasis
from hub.ports.records import BilledLine

VERSION = 1
"""Written into every value; a reader refuses a version that it does not know."""

LINE_NO, LINE_KIND, LINE_CODE, LINE_NAME, LINE_FEE_DATE, LINE_OUTCOME, LINE_CATALOG_NAME = 0, 1, 2, 3, 7, 9, 16
LINE_AMOUNT, LINE_FULL_SELF_PAY, LINE_OVER_LIMIT, LINE_FIRST_SELF_PAY, LINE_IN_POLICY = 6, 12, 13, 14, 15
"""Where a packed line keeps its parts, for SQL that adds lines up or looks for a code."""


def pack_lines(lines: tuple[BilledLine, ...]) -> str:
    """All lines of a bill as one value: a head and an array of arrays.

    A line's catalog name is left out where it is the name that was sent. Raises Inconsistent where a line and its
    classification speak of different things.
    """
    regions = {line.classified.local.region.code for line in lines}
    if len(regions) > 1:
        raise Inconsistent("lines_many_regions", "the lines of one bill are classified in one region")
    return _text({"v": VERSION, "region": next(iter(regions), ""), "lines": [_packed(line) for line in lines]})


def unpack_lines(text: str) -> tuple[BilledLine, ...]:
    """Undo `pack_lines`."""
    found = _read(text)
    if not found["lines"]:
        return ()
    # Made once, not for each of hundreds of lines: a preview reads two thousand bills.
    region = Region(found["region"])
    return tuple([_unpacked(row, region=region) for row in found["lines"]])


def write_request(request: DecisionRequest) -> str:
    """The question to an insuring region."""
    amounts = request.amounts
    return _text(
        {
            "v": VERSION,
            "bill_id": request.bill_id,
            "insuring_region": request.insuring_region.code,
            "care_region": request.care_region.code,
            "place": request.place,
            "basis": request.basis,
            "level": request.level,
            "insurance_type": request.insurance_type,
            "group": request.group,
            "membership_years": request.membership_years,
            "admitted_on": request.admitted_on.isoformat(),
            "discharged_on": request.discharged_on.isoformat(),
            "amounts": {
                "total": amounts.total.fen,
                "full_self_pay": amounts.full_self_pay.fen,
                "over_limit": amounts.over_limit.fen,
                "first_self_pay": amounts.first_self_pay.fen,
                "in_policy": amounts.in_policy.fen,
            },
            "year_to_date": _totals(request.year_to_date),
            **_rarer_facts(request),
        }
    )


def _rarer_facts(request: DecisionRequest) -> dict[str, Any]:
    """Facts that most bills do not have; left out where they say nothing."""
    found: dict[str, Any] = {}
    if request.care is not CareKind.INPATIENT:
        found["care"] = request.care
    if request.referral is not Referral.NONE:
        found["referral"] = request.referral
    if request.disease:
        found["disease"] = request.disease
    if request.by_disease:
        found["by_disease"] = True
    if request.paid_first:
        found["paid_first"] = {name: amount.fen for name, amount in sorted(request.paid_first.items())}
    if request.insured_since is not None:
        found["insured_since"] = request.insured_since.isoformat()
    return found


def read_request(text: str) -> DecisionRequest:
    """Undo `write_request`."""
    found = _read(text)
    return DecisionRequest(
        bill_id=found["bill_id"],
        insuring_region=Region(found["insuring_region"]),
        care_region=Region(found["care_region"]),
        place=Place(found["place"]),
        basis=AccessBasis(found["basis"]),
        level=HospitalLevel(found["level"]),
        insurance_type=InsuranceType(found["insurance_type"]),
        group=PersonGroup(found["group"]),
        membership_years=found["membership_years"],
        admitted_on=date.fromisoformat(found["admitted_on"]),
        discharged_on=date.fromisoformat(found["discharged_on"]),
        amounts=ClassifiedAmounts(**{part: Money(fen) for part, fen in found["amounts"].items()}),
        year_to_date=_read_totals(found["year_to_date"]),
        care=CareKind(found.get("care", CareKind.INPATIENT)),
        referral=Referral(found.get("referral", Referral.NONE)),
        disease=found.get("disease", ""),
        by_disease=found.get("by_disease", False),
        paid_first={name: Money(fen) for name, fen in found.get("paid_first", {}).items()},
        insured_since=date.fromisoformat(found["insured_since"]) if "insured_since" in found else None,
    )


def write_decision(decision: Decision) -> str:
    """The answer of an insuring region with every step."""
    return _text(
        {
            "v": VERSION,
            "bill_id": decision.bill_id,
            "policy": decision.policy,
            "total": decision.total.fen,
            "shares": _by_key(decision.shares),
            "personal_account": decision.personal_account.fen,
            "cash": decision.cash.fen,
            "hospital_borne": decision.hospital_borne.fen,
            "contribution": _contribution(decision.contribution),
            "steps": [_step(step) for step in decision.steps],
        }
    )


def read_decision(text: str) -> Decision:
    """Undo `write_decision`; raises Inconsistent where the steps no longer add up to the shares."""
    found = _read(text)
    return Decision(
        bill_id=found["bill_id"],
        policy=found["policy"],
        total=Money(found["total"]),
        shares=_funds(found["shares"]),
        personal_account=Money(found["personal_account"]),
        cash=Money(found["cash"]),
        hospital_borne=Money(found["hospital_borne"]),
        contribution=read_contribution(found["contribution"]),
        steps=tuple(_read_step(step) for step in found["steps"]),
    )


def write_totals(totals: YearToDate) -> str:
    """A person's running totals of a year."""
    return _text({"v": VERSION, **_totals(totals)})


def read_totals(text: str) -> YearToDate:
    """Undo `write_totals`."""
    return _read_totals(_read(text))


def read_contribution(found: Mapping[str, Any]) -> Contribution:
    """The contribution within a decision that was read as JSON."""
    return Contribution(
        level=HospitalLevel(found["level"]),
        in_policy=Money(found["in_policy"]),
        self_pay_in_policy=Money(found["self_pay_in_policy"]),
        paid_by_fund=_funds(found["paid_by_fund"]),
        accumulated=_layers(found["accumulated"]),
        admission=found.get("admission", True),
    )


# ---- lines


def _packed(line: BilledLine) -> list[Any]:
    sent, classified = line.sent, line.classified
    unified = classified.unified
    if (sent.line_no, sent.kind, sent.code, sent.amount) != (
        classified.line_no,
        classified.local.kind,
        classified.local.code,
        classified.amount,
    ) or (unified is not None and unified.kind is not sent.kind):
        raise Inconsistent("line_pair", f"line {sent.line_no} was classified as something else")
    return [
        sent.line_no,
        sent.kind,
        sent.code,
        sent.name,
        str(sent.unit_price),
        str(sent.quantity),
        sent.amount.fen,
        sent.fee_date.isoformat(),
        sent.returns,
        classified.outcome,
        classified.benefit_class,
        unified.code if unified else None,
        classified.full_self_pay.fen,
        classified.over_limit.fen,
        classified.first_self_pay.fen,
        classified.in_policy.fen,
        None if classified.name == sent.name else classified.name,
    ]


def _unpacked(row: list[Any], *, region: Region) -> BilledLine:
    (line_no, kind_code, code, name, price, quantity, amount, day, returns, *rest) = row
    (outcome, benefit_class, unified, full_self_pay, over_limit, first_self_pay, in_policy, catalog_name) = rest
    kind = CatalogKind(kind_code)
    return BilledLine(
        sent=BillLine(
            line_no=line_no,
            kind=kind,
            code=code,
            name=name,
            unit_price=Fraction(price),
            quantity=Fraction(quantity),
            amount=Money(amount),
            fee_date=date.fromisoformat(day),
            returns=returns,
        ),
        classified=ClassifiedLine(
            line_no=line_no,
            local=LocalCode(region, kind, code),
            unified=UnifiedCode(kind, unified) if unified is not None else None,
            name=name if catalog_name is None else catalog_name,
            outcome=LineOutcome(outcome),
            benefit_class=BenefitClass(benefit_class) if benefit_class is not None else None,
            amount=Money(amount),
            full_self_pay=Money(full_self_pay),
            over_limit=Money(over_limit),
            first_self_pay=Money(first_self_pay),
            in_policy=Money(in_policy),
        ),
    )


# ---- parts of decisions and totals


def _step(step: Step) -> dict[str, Any]:
    return {
        "layer": step.layer,
        "parameter": step.parameter,
        "value": step.value,
        "valid_from": step.valid_from.isoformat(),
        "article": step.article,
        "base": step.base.fen,
        "formula": step.formula,
        "amount": step.amount.fen,
        "pays": step.pays,
        "fund": step.fund,
    }


def _read_step(found: Mapping[str, Any]) -> Step:
    return Step(
        layer=found["layer"],
        parameter=found["parameter"],
        value=found["value"],
        valid_from=date.fromisoformat(found["valid_from"]),
        article=found["article"],
        base=Money(found["base"]),
        formula=found["formula"],
        amount=Money(found["amount"]),
        pays=Payer(found["pays"]),
        fund=Fund(found["fund"]) if found["fund"] is not None else None,
    )


def _contribution(one: Contribution) -> dict[str, Any]:
    return {
        "level": one.level,
        "in_policy": one.in_policy.fen,
        "self_pay_in_policy": one.self_pay_in_policy.fen,
        "paid_by_fund": _by_key(one.paid_by_fund),
        "accumulated": _by_key(one.accumulated),
        **({} if one.admission else {"admission": False}),
    }


def _totals(totals: YearToDate) -> dict[str, Any]:
    return {
        "year": totals.year,
        "admissions": [[level, count] for level, count in totals.admissions.items()],
        "in_policy": totals.in_policy.fen,
        "self_pay_in_policy": totals.self_pay_in_policy.fen,
        "paid_by_fund": _by_key(totals.paid_by_fund),
        "accumulated": _by_key(totals.accumulated),
    }


def _read_totals(found: Mapping[str, Any]) -> YearToDate:
    return YearToDate(
        year=found["year"],
        admissions={HospitalLevel(level): count for level, count in found["admissions"]},
        in_policy=Money(found["in_policy"]),
        self_pay_in_policy=Money(found["self_pay_in_policy"]),
        paid_by_fund=_funds(found["paid_by_fund"]),
        accumulated=_layers(found["accumulated"]),
    )


def _by_key(amounts: Mapping[Fund, Money] | Mapping[str, Money]) -> list[list[Any]]:
    return [[key, amount.fen] for key, amount in amounts.items()]


def _funds(pairs: Iterable[tuple[str, int]]) -> dict[Fund, Money]:
    return {Fund(fund): Money(fen) for fund, fen in pairs}


def _layers(pairs: Iterable[tuple[str, int]]) -> dict[str, Money]:
    return {layer: Money(fen) for layer, fen in pairs}


def _text(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document).decode()


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    if found.get("v") != VERSION:
        raise Inconsistent("stored_version", f"a stored value has version {found.get('v')!r}, known is {VERSION}")
    return found
