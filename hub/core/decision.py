"""What is asked of an insuring region, and what it answers: the Decision and its Steps.

Knows the facts that a decision rests on, the shares it hands out and the explanation of every fen.
Must not know how any region computes it, nor where the facts came from.
Sources: design section 4, invariants 1, 2 and 7; amount identities of domain-process section 7.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import FUNDS_OF, Fund, InsuranceType, Region
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, Money, total
from hub.core.registration import AccessBasis


class Place(StrEnum):
    """Where care was given, seen from the insured place."""

    WITHIN_PROVINCE = "within_province"
    OUTSIDE_PROVINCE = "outside_province"


class PersonGroup(StrEnum):
    """Groups of persons for whom policies differ; a person has exactly one in a decision."""

    ADULT = "adult"
    PUPIL = "pupil"
    LOW_INCOME = "low_income"
    POOR = "poor"


class Payer(StrEnum):
    """Who bears a step's amount. Funds are named by the step's `fund`."""

    FUND = "fund"
    PERSON = "person"
    HOSPITAL = "hospital"


class InsuranceStatus(StrEnum):
    """National insurance status codes: 0 not insured, 1 normal, 2 suspended, 3 invalid, 4 ended."""

    NOT_INSURED = "0"
    NORMAL = "1"
    SUSPENDED = "2"
    INVALID = "3"
    ENDED = "4"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the insuring region says of a person: status, insurance type, group, years of continuous membership."""

    insuring_region: Region
    status: InsuranceStatus
    insurance_type: InsuranceType
    group: PersonGroup
    membership_years: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one settled bill adds to a person's year; a cancel takes exactly this back.

    `accumulated` holds what a layer counts towards its yearly base, by the layer's name (P09 counts what basic cover
    left over, without the basic deductible, towards the catastrophic layer).
    """

    level: HospitalLevel
    in_policy: Money
    self_pay_in_policy: Money
    paid_by_fund: Mapping[Fund, Money]
    accumulated: Mapping[str, Money] = field(default_factory=dict)

    def __post_init__(self) -> None:
        amounts = (
            self.in_policy,
            self.self_pay_in_policy,
            *self.paid_by_fund.values(),
            *self.accumulated.values(),
        )
        if any(amount < ZERO for amount in amounts):
            raise Inconsistent("contribution_negative", "a settled bill adds to a year and takes nothing from it")


@dataclass(frozen=True, slots=True)
class YearToDate:
    """A person's running totals of one insurance year: the fold of his settlements, in the order they were booked.

    `self_pay_in_policy` is what he paid himself of in-policy expense after every fund, first self-pay not included.
    """

    year: int
    admissions: Mapping[HospitalLevel, int] = field(default_factory=dict)
    in_policy: Money = ZERO
    self_pay_in_policy: Money = ZERO
    paid_by_fund: Mapping[Fund, Money] = field(default_factory=dict)
    accumulated: Mapping[str, Money] = field(default_factory=dict)

    def paid(self, fund: Fund) -> Money:
        return self.paid_by_fund.get(fund, ZERO)

    def admissions_at(self, levels: Iterable[HospitalLevel]) -> int:
        return sum(self.admissions.get(level, 0) for level in levels)

    def plus(self, one: Contribution) -> YearToDate:
        return self._moved(one, sign=1)

    def minus(self, one: Contribution) -> YearToDate:
        """Take a cancelled bill's contribution back. Raises Inconsistent where a total would fall below zero."""
        return self._moved(one, sign=-1)

    def _moved(self, one: Contribution, *, sign: int) -> YearToDate:
        def shifted(old: Money, by: Money) -> Money:
            new = Money(old.fen + sign * by.fen)
            if new < ZERO:
                raise Inconsistent("year_to_date_negative", "a year's running total would fall below zero")
            return new

        admissions = dict(self.admissions)
        admissions[one.level] = admissions.get(one.level, 0) + sign
        if admissions[one.level] < 0:
            raise Inconsistent("year_to_date_negative", "a year's admissions would fall below zero")
        funds = dict(self.paid_by_fund)
        for fund, amount in one.paid_by_fund.items():
            funds[fund] = shifted(funds.get(fund, ZERO), amount)
        layers = dict(self.accumulated)
        for layer, amount in one.accumulated.items():
            layers[layer] = shifted(layers.get(layer, ZERO), amount)
        return YearToDate(
            year=self.year,
            admissions={level: count for level, count in sorted(admissions.items()) if count},
            in_policy=shifted(self.in_policy, one.in_policy),
            self_pay_in_policy=shifted(self.self_pay_in_policy, one.self_pay_in_policy),
            paid_by_fund={fund: amount for fund, amount in sorted(funds.items()) if amount},
            accumulated={layer: amount for layer, amount in sorted(layers.items()) if amount},
        )


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """Everything an insuring region needs to decide one bill: classified amounts and facts, no name and no
    diagnosis.
    """

    bill_id: str
    insuring_region: Region
    care_region: Region
    place: Place
    basis: AccessBasis
    level: HospitalLevel
    insurance_type: InsuranceType
    group: PersonGroup
    membership_years: int
    admitted_on: date
    discharged_on: date
    amounts: ClassifiedAmounts
    year_to_date: YearToDate


@dataclass(frozen=True, slots=True)
class Step:
    """One clause at work: which parameter with which value, from when and by which article, on what base, to what
    amount.

    `pays` says who bears `amount`; every fen of the bill stands in exactly one step. `base` is what the clause looked
    at.
    """

    layer: str
    parameter: str
    value: str
    valid_from: date
    article: str
    base: Money
    formula: str
    amount: Money
    pays: Payer
    fund: Fund | None = None

    def __post_init__(self) -> None:
        if (self.pays is Payer.FUND) != (self.fund is not None):
            raise Inconsistent("step_payer", f"step {self.parameter}: a fund is named exactly when a fund pays")
        if self.amount < ZERO:
            raise Inconsistent("step_negative", f"step {self.parameter}: {self.amount} would take something back")
        if not self.article or not self.parameter:
            raise Inconsistent("step_source", "a step names its parameter and its article")


class RefusalReason(StrEnum):
    """Why a region does not settle a bill directly; each has words that the patient can act on."""

    NOT_INSURED = "not_insured"
    SUSPENDED = "suspended"
    NOT_REGISTERED = "not_registered"
    RULE_MISSING = "rule_missing"


REFUSAL_WORDS: Mapping[RefusalReason, tuple[str, str]] = {
    RefusalReason.NOT_INSURED: (
        "参保地没有有效的参保记录,请联系参保地医保经办机构",
        "no valid insurance at the insured place: ask its agency",
    ),
    RefusalReason.SUSPENDED: (
        "医保待遇处于暂停状态,请先补缴或联系参保地医保经办机构",
        "the insurance is suspended: pay the arrears or ask the agency of the insured place",
    ),
    RefusalReason.NOT_REGISTERED: (
        "未办理异地就医备案,出院结算前可补办",
        "no registration for off-site care: it can still be made before discharge",
    ),
    RefusalReason.RULE_MISSING: (
        "参保地政策缺少所需参数,请凭票据回参保地报销",
        "the insured place's policy lacks a figure this bill needs: claim by hand at home",
    ),
}
"""The words a patient sees for each refusal: Chinese first, then English."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The insuring region does not settle this bill directly; `detail` names the missing figure or the state."""

    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The insuring region's answer on one bill, with one Step per clause.

    `shares` has one amount per fund that pays, in the order of the layers. Checked when built:
    shares + personal account + cash + hospital-borne = total, and the steps add up to each of them.
    """

    bill_id: str
    policy: str
    total: Money
    shares: Mapping[Fund, Money]
    personal_account: Money
    cash: Money
    hospital_borne: Money
    contribution: Contribution
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if any(part < ZERO for part in (*self.shares.values(), self.personal_account, self.cash, self.hospital_borne)):
            raise Inconsistent("decision_negative", "no share of a decision is negative")
        parts = self.fund_total + self.personal_account + self.cash + self.hospital_borne
        if parts != self.total:
            raise Inconsistent("decision_parts", f"shares add up to {parts}, the bill is {self.total}")
        wrong = steps_that_do_not_add_up(self)
        if wrong:
            raise Inconsistent("decision_unexplained", wrong)

    @property
    def fund_total(self) -> Money:
        return total(self.shares.values())


def steps_that_do_not_add_up(decision: Decision) -> str | None:
    """Say where the steps of a decision do not sum to its shares; None where each fen is explained once."""
    for fund in {*decision.shares, *(step.fund for step in decision.steps if step.fund)}:
        explained = total(step.amount for step in decision.steps if step.fund is fund)
        if explained != decision.shares.get(fund, ZERO):
            return f"steps give fund {fund} {explained}, the decision {decision.shares.get(fund, ZERO)}"
    by_person = total(step.amount for step in decision.steps if step.pays is Payer.PERSON)
    if by_person != decision.cash + decision.personal_account:
        return f"steps leave the person {by_person}, the decision {decision.cash + decision.personal_account}"
    by_hospital = total(step.amount for step in decision.steps if step.pays is Payer.HOSPITAL)
    if by_hospital != decision.hospital_borne:
        return f"steps leave the hospital {by_hospital}, the decision {decision.hospital_borne}"
    return None


def check_answer(decision: Decision, *, request: DecisionRequest) -> None:
    """Believe a region's answer only where it fits the question; raises Inconsistent otherwise.

    A region that answers for another bill or another total, pays more than the in-policy amount, pays from a fund of
    another insurance type, or counts something else towards the person's year than it decided is not believed.
    """
    made = decision.contribution
    if decision.bill_id != request.bill_id:
        raise Inconsistent("answer_other_bill", f"asked about {request.bill_id}, answered for {decision.bill_id}")
    if decision.total != request.amounts.total:
        raise Inconsistent("answer_other_total", f"asked about {request.amounts.total}, answered {decision.total}")
    if decision.fund_total > request.amounts.in_policy:
        raise Inconsistent("answer_above_policy", "the funds pay more than the in-policy amount")
    foreign = set(decision.shares) - FUNDS_OF[request.insurance_type]
    if foreign:
        raise Inconsistent("answer_other_fund", f"{sorted(foreign)} do not pay for {request.insurance_type}")
    if (made.in_policy, made.level) != (request.amounts.in_policy, request.level):
        raise Inconsistent("answer_contribution", "the contribution's in-policy amount or level is not the bill's")
    if dict(made.paid_by_fund) != {fund: amount for fund, amount in decision.shares.items() if amount}:
        raise Inconsistent("answer_contribution", "the contribution's funds are not the decision's")
    if made.self_pay_in_policy > request.amounts.in_policy - decision.fund_total:
        raise Inconsistent("answer_contribution", "the contribution's self-pay is more than the funds left over")
