"""What is asked of an insuring region, and what it answers: the Decision and its Steps.

Knows the facts that a decision rests on, the shares it hands out and the explanation of every fen.
Must not know how any region computes it, nor where the facts came from.
Sources: design section 4, invariants 1, 2 and 7; amount identities of domain-process section 7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple, Self, cast

from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import FUNDS_OF, Fund, InsuranceType, Region
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.money import ZERO, Money, total
from hub.core.registration import AccessBasis


class Place(StrEnum):
    """Where care was given, seen from the insured place."""

    WITHIN_PROVINCE = "within_province"
    OUTSIDE_PROVINCE = "outside_province"


class CareKind(StrEnum):
    """What kind of care a bill is for, as far as policies differ (national field med_type)."""

    INPATIENT = "inpatient"
    DAY_SURGERY = "day_surgery"
    OUTPATIENT = "outpatient"
    EMERGENCY = "emergency"
    SPECIAL_OUTPATIENT = "special_outpatient"
    ACCIDENT_OUTPATIENT = "accident_outpatient"
    PHARMACY = "pharmacy"


ADMISSIONS = frozenset({CareKind.INPATIENT, CareKind.DAY_SURGERY})
"""Kinds of care that count as an admission of the year."""


class Referral(StrEnum):
    """Which way a patient was referred: up to a larger hospital, down to a smaller one, or not at all."""

    NONE = "none"
    UP = "up"
    DOWN = "down"


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
    admission: bool = True

    def __post_init__(self) -> None:
        amounts = [one.fen for one in self.paid_by_fund.values()]
        amounts += (one.fen for one in self.accumulated.values())
        if min((self.in_policy.fen, self.self_pay_in_policy.fen, *amounts)) < 0:
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
        admissions[one.level] = admissions.get(one.level, 0) + (sign if one.admission else 0)
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
    """Everything an insuring region needs to decide one bill: classified amounts and facts, and no name.

    `disease` is the code of the entitlement or of the price by disease that the bill is settled under, empty where
    there is none; it is no diagnosis. `by_disease` says that the hospital is paid the disease's standard. `paid_first`
    holds what earmarked sources paid before any fund, by their name in the policy. `insured_since` is the first day of
    the present insurance, None where it is not known.
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
    care: CareKind = CareKind.INPATIENT
    referral: Referral = Referral.NONE
    disease: str = ""
    by_disease: bool = False
    paid_first: Mapping[str, Money] = field(default_factory=dict)
    insured_since: date | None = None

    def __post_init__(self) -> None:
        if self.paid_first and min(one.fen for one in self.paid_first.values()) < 0:
            raise NotAllowed("paid_first_negative", "what another source paid first is not negative")
        if self.by_disease and not self.disease:
            raise NotAllowed("disease_missing", "a bill priced by disease names the disease")


@dataclass(frozen=True, slots=True)
class Clause:
    """What a step quotes: a parameter of a layer with its value in words, since when it holds, its article, who pays.

    A policy makes each of its clauses once; the steps of a million bills share them.
    """

    layer: str
    parameter: str
    value: str
    valid_from: date
    article: str
    pays: Payer
    fund: Fund | None = None

    def __post_init__(self) -> None:
        if (self.pays is Payer.FUND) != (self.fund is not None):
            raise Inconsistent("step_payer", f"step {self.parameter}: a fund is named exactly when a fund pays")
        if not self.article or not self.parameter:
            raise Inconsistent("step_source", "a step names its parameter and its article")


class _StepParts(NamedTuple):
    clause: Clause
    base_fen: int
    amount_fen: int
    working: str | tuple[object, ...]


class Step(_StepParts):
    """One clause at work: which parameter with which value, from when and by which article, on what base, to what
    amount.

    `pays` says who bears `amount`; every fen of the bill stands in exactly one step. `base` is what the clause looked
    at, `formula` the sum as a clerk would write it. A tuple that keeps the numbers of its formula and writes them out
    when somebody reads it: explaining a bill must not cost more than deciding it.
    """

    __slots__ = ()

    def __new__(
        cls,
        *,
        layer: str,
        parameter: str,
        value: str,
        valid_from: date,
        article: str,
        base: Money,
        formula: str,
        amount: Money,
        pays: Payer,
        fund: Fund | None = None,
    ) -> Self:
        clause = Clause(layer, parameter, value, valid_from, article, pays, fund)
        if amount < ZERO:
            raise Inconsistent("step_negative", f"step {parameter}: {amount} would take something back")
        return tuple.__new__(cls, (clause, base.fen, amount.fen, formula))

    @property
    def layer(self) -> str:
        return self.clause.layer

    @property
    def parameter(self) -> str:
        return self.clause.parameter

    @property
    def value(self) -> str:
        return self.clause.value

    @property
    def valid_from(self) -> date:
        return self.clause.valid_from

    @property
    def article(self) -> str:
        return self.clause.article

    @property
    def pays(self) -> Payer:
        return self.clause.pays

    @property
    def fund(self) -> Fund | None:
        return self.clause.fund

    @property
    def base(self) -> Money:
        return Money(self.base_fen)

    @property
    def amount(self) -> Money:
        return Money(self.amount_fen)

    @property
    def formula(self) -> str:
        if isinstance(self.working, str):
            return self.working
        pattern, *figures = self.working
        return str(pattern).format(*(Money(one) if type(one) is int else one for one in figures))

    def changed(self, **facts: Any) -> Step:
        """The same step with other facts, checked like a new one."""
        kept = {name: getattr(self, name) for name in _STEP_FACTS}
        return Step(**{**kept, **facts})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            return NotImplemented
        return self[:3] == other[:3] and self.formula == other.formula

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:3])


_STEP_FACTS = (
    "layer",
    "parameter",
    "value",
    "valid_from",
    "article",
    "base",
    "formula",
    "amount",
    "pays",
    "fund",
)


def step_of(clause: Clause, base_fen: int, amount_fen: int, working: tuple[object, ...]) -> Step:
    """A step of a clause that a plan made. `working` is a pattern and its figures: whole numbers are fen."""
    return _make_step(Step, (clause, base_fen, amount_fen, working))


_make_step = cast(Callable[[type[Step], tuple[object, ...]], Step], tuple.__new__)


class RefusalReason(StrEnum):
    """Why a region does not settle a bill directly; each has words that the patient can act on."""

    NOT_INSURED = "not_insured"
    SUSPENDED = "suspended"
    NOT_REGISTERED = "not_registered"
    NOT_COVERED = "not_covered"
    WAITING = "waiting"
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
    RefusalReason.NOT_COVERED: (
        "参保地政策不支付此类就医的直接结算,请咨询参保地医保经办机构",
        "the insured place does not settle this kind of care directly: ask its agency",
    ),
    RefusalReason.WAITING: (
        "参保后的待遇等待期未满,等待期内的费用由个人支付",
        "the waiting period after joining the insurance has not ended: the cost is the patient's",
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
        parts = [share.fen for share in self.shares.values()]
        parts += (self.personal_account.fen, self.cash.fen, self.hospital_borne.fen)
        if min(parts) < 0:
            raise Inconsistent("decision_negative", "no share of a decision is negative")
        if sum(parts) != self.total.fen:
            raise Inconsistent("decision_parts", f"shares add up to {Money(sum(parts))}, the bill is {self.total}")
        wrong = steps_that_do_not_add_up(self)
        if wrong:
            raise Inconsistent("decision_unexplained", wrong)

    @property
    def fund_total(self) -> Money:
        return total(self.shares.values())


def steps_that_do_not_add_up(decision: Decision) -> str | None:
    """Say where the steps of a decision do not sum to its shares; None where each fen is explained once."""
    by_fund: dict[Fund | None, int] = {}
    by_person = by_hospital = 0
    for clause, _, amount_fen, _ in decision.steps:
        if clause.fund is not None:
            by_fund[clause.fund] = by_fund.get(clause.fund, 0) + amount_fen
        elif clause.pays is Payer.PERSON:
            by_person += amount_fen
        else:
            by_hospital += amount_fen
    for fund, share in decision.shares.items():
        if by_fund.pop(fund, 0) != share.fen:
            return f"the steps of fund {fund} do not give the decision's {share}"
    if any(by_fund.values()):
        return f"steps name a fund that the decision does not: {sorted(str(fund) for fund in by_fund)}"
    if by_person != decision.cash.fen + decision.personal_account.fen:
        return f"steps leave the person {Money(by_person)}, the decision {decision.cash + decision.personal_account}"
    if by_hospital != decision.hospital_borne.fen:
        return f"steps leave the hospital {Money(by_hospital)}, the decision {decision.hospital_borne}"
    return None


def check_answer(decision: Decision, *, request: DecisionRequest, beyond_policy: bool = False) -> None:
    """Believe a region's answer only where it fits the question; raises Inconsistent otherwise.

    A region that answers for another bill or another total, pays more than the in-policy amount, pays from a fund of
    another insurance type, or counts something else towards the person's year than it decided is not believed; only
    special outpatient care may count as an admission or not, as the region has it (P10).
    `beyond_policy` says that the region has published a layer which looks at the whole remainder (P02).
    """
    made = decision.contribution
    if decision.bill_id != request.bill_id:
        raise Inconsistent("answer_other_bill", f"asked about {request.bill_id}, answered for {decision.bill_id}")
    if decision.total != request.amounts.total:
        raise Inconsistent("answer_other_total", f"asked about {request.amounts.total}, answered {decision.total}")
    if decision.fund_total > (request.amounts.total if beyond_policy else request.amounts.in_policy):
        raise Inconsistent("answer_above_policy", "the funds pay more than the in-policy amount")
    foreign = set(decision.shares) - FUNDS_OF[request.insurance_type]
    if foreign:
        raise Inconsistent("answer_other_fund", f"{sorted(foreign)} do not pay for {request.insurance_type}")
    if (made.in_policy, made.level) != (request.amounts.in_policy, request.level):
        raise Inconsistent("answer_contribution", "the contribution's in-policy amount or level is not the bill's")
    if made.admission != (request.care in ADMISSIONS) and request.care is not CareKind.SPECIAL_OUTPATIENT:
        raise Inconsistent("answer_contribution", "the contribution counts an admission that was none, or forgets one")
    if dict(made.paid_by_fund) != {fund: amount for fund, amount in decision.shares.items() if amount}:
        raise Inconsistent("answer_contribution", "the contribution's funds are not the decision's")
    if made.self_pay_in_policy > max(ZERO, request.amounts.in_policy - decision.fund_total):
        raise Inconsistent("answer_contribution", "the contribution's self-pay is more than the funds left over")
