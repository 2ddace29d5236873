"""Decides one bill: plan + request -> Decision with one Step per clause, or a Refusal.

Knows how a layer's deductible, segments and caps act on an amount, and how the layers follow each other.
Must not know where the plan or the request came from, nor any region in particular.
Sources: order of layers and identities from domain-process 3 and 7.2; roundings in decision records 0010 and 0011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, Region
from hub.core.decision import (
    Clause,
    Contribution,
    Coverage,
    Decision,
    DecisionRequest,
    InsuranceStatus,
    Payer,
    Refusal,
    RefusalReason,
    Step,
    YearToDate,
    step_of,
)
from hub.core.errors import Inconsistent
from hub.core.layer import CompiledCase, Done, Unstated
from hub.core.money import ZERO, Money, part_of, total
from hub.core.plan import Band, Plan, Terms
from hub.core.policy import Base, CatalogOf, Parameter, Standard, Treatment, YearAttribution
from hub.core.registration import AccessBasis

CATALOG_LAYER = "catalog"
"""The layer named by the steps of what never enters the insured place's rules."""


def check_status(coverage: Coverage) -> Refusal | None:
    """Whether the state of a person's insurance lets him be settled directly; None where it is normal."""
    if coverage.status is InsuranceStatus.NORMAL:
        return None
    words = f"insurance status {coverage.status} ({coverage.status.name.lower()})"
    if coverage.status is InsuranceStatus.SUSPENDED:
        return Refusal(RefusalReason.SUSPENDED, words)
    return Refusal(RefusalReason.NOT_INSURED, words)


def _treatment(plan: Plan, basis: AccessBasis) -> Treatment | Refusal:
    found = plan.treatment(basis)
    if isinstance(found, Refusal):
        return found
    if found.value is Treatment.REFUSE:
        return Refusal(RefusalReason.NOT_REGISTERED, f"access.{basis} is refused ({found.source})")
    return found.value


@dataclass(frozen=True, slots=True)
class Share:
    """What one segment did: the part of the base that lies in it, and what the fund pays of it after the caps."""

    band: Band
    base: Money
    before_cap: Money
    fund: Money


@dataclass(frozen=True, slots=True)
class LayerShare:
    """What one layer did with its base: base = below_deductible + remainder + over_cap + paid.

    `accumulated` is what it adds to the layer's running total of the year. `cap` is the cap that held it, in
    words, if one did.
    """

    terms: Terms
    base: Money
    below_deductible: Money
    bands: tuple[Share, ...]
    over_cap: Money
    cap: str
    accumulated: Money

    @property
    def paid(self) -> Money:
        """What the layer's fund pays."""
        return total(band.fund for band in self.bands)

    @property
    def remainder(self) -> Money:
        """What the rates leave of the part above the deductible."""
        return self.base - self.below_deductible - self.paid - self.over_cap


def pay_layer(terms: Terms, *, base: Money, year_to_date: YearToDate) -> LayerShare | Unstated:
    """Divide one layer's base between its fund and what is left over, as if it were the only layer.

    Order: deductible, then segments, then caps. The fund's part is rounded once, half up to the fen; where the layer
    accumulates over the year, the year's part is rounded and the bill is paid the difference to what the year so far
    gives under the same terms, so that the sum never depends on how a year is cut into bills (record 0010).

    Answers Unstated where a figure is needed that nobody stated. Raises Inconsistent for a negative base.
    """
    if base < ZERO:
        raise Inconsistent("layer_base_negative", f"layer {terms.layer}: base {base}")
    case = CompiledCase((replace(terms, base=Base.IN_POLICY),))
    found = case.run(base.fen, base.fen, year_to_date, {})
    if isinstance(found, Unstated):
        return found
    (layer,), (done,) = case.layers, found
    shares = tuple(
        Share(terms.bands[place], Money(part), Money(before_cap), Money(paid))
        for place, part, before_cap, paid in layer.handed_out(done)
    )
    held = layer.cap_of(done).value if done.over_cap else ""
    return LayerShare(terms, base, Money(done.below), shares, Money(done.over_cap), held, Money(done.accumulated))


def decide(plan: Plan, request: DecisionRequest) -> Decision | Refusal:
    """Decide one bill under a plan; books nothing, and the same request gives the same answer.

    The plan is the one of the discharge day. Refusals: NOT_REGISTERED by the policy's treatment of the ground of
    access, WAITING before the benefit begins, NOT_COVERED where no layer is for this kind of care, RULE_MISSING where
    the bill needs a figure that nobody stated.

    Raises Inconsistent where plan, request and year to date do not belong together.
    """
    _check_together(plan, request)
    case = case_of(plan, request)
    if isinstance(case, Refusal):
        return case
    amounts = request.amounts
    standard = _above_standard(plan, request) if request.by_disease else None
    if isinstance(standard, Refusal):
        return standard
    borne = 0 if standard is None else standard.amount_fen
    found = case.run(amounts.in_policy.fen - borne, amounts.total.fen - borne, request.year_to_date, request.paid_first)
    if isinstance(found, Unstated):
        needed = found.parameter
        if found.year_payments:
            needed += f" for payments of {Money(found.year_payments)} in the year"
        return plan.missing(needed)
    # A layer that looks at all that is left explains what the catalog left out; one that did not open explains nothing.
    whole = case.whole_remainder and any(
        layer.whole_remainder and done.opened for layer, done in zip(case.layers, found, strict=True)
    )
    steps = [] if whole else _catalog_steps(request)
    if standard is not None:
        steps.append(standard)
    _explain(case, found, steps)
    return _decision(plan, request, case=case, found=found, borne=borne, steps=steps)


def _explain(case: CompiledCase, found: Sequence[Done], steps: list[Step]) -> None:
    """One step for each clause that took or paid something, in the order of the layers."""
    own: dict[str, Done] = {}
    for layer, done in zip(case.layers, found, strict=True):
        if done.opened:
            for name in [name for name in own if name not in layer.without]:
                del own[name]
            if done.below:
                own[layer.name] = done
    last = None
    for layer, done in zip(case.layers, found, strict=True):
        if not done.opened:
            continue
        if done.taken:
            layer.first_steps(done, steps)
        if layer.name in own:
            steps.append(layer.deductible_step(done))
        if done.paid:
            layer.fund_steps(done, steps)
        last = layer, done
    if last is not None:
        last[0].last_steps(last[1], steps)


def _decision(
    plan: Plan,
    request: DecisionRequest,
    *,
    case: CompiledCase,
    found: Sequence[Done],
    borne: int,
    steps: Sequence[Step],
) -> Decision:
    amounts = request.amounts
    funds: dict[Fund, Money] = {}
    accumulated: dict[str, Money] = {}
    by_funds = 0
    for layer, done in zip(case.layers, found, strict=True):
        if done.paid:
            funds[layer.fund] = part_of(done.paid)
            by_funds += done.paid
        if done.accumulated:
            accumulated[layer.name] = part_of(done.accumulated)
    own = amounts.in_policy.fen - by_funds - borne
    return Decision(
        bill_id=request.bill_id,
        policy=plan.policy,
        total=amounts.total,
        shares=funds,
        personal_account=ZERO,
        cash=part_of(amounts.total.fen - by_funds - borne),
        hospital_borne=part_of(borne) if borne else ZERO,
        contribution=Contribution(
            level=request.level,
            in_policy=amounts.in_policy,
            self_pay_in_policy=part_of(own) if own > 0 else ZERO,
            paid_by_fund=dict(funds),
            accumulated=accumulated,
            admission=plan.counts_as_admission(request),
        ),
        steps=tuple(steps),
    )


def standard_of(plan: Plan, request: DecisionRequest) -> Parameter[Standard] | Refusal:
    """The price of a request's disease."""
    case = plan.case_of(request, treatment=Treatment.AS_AT_HOME)
    for row in plan.standards:
        if row.parameter.value.disease == request.disease and row.when.fits(case):
            return row.parameter
    return plan.missing(f"standard for the disease {request.disease}")


def _above_standard(plan: Plan, request: DecisionRequest) -> Step | Refusal | None:
    """What a bill priced by disease costs above the disease's standard: the hospital bears it (P12)."""
    found = standard_of(plan, request)
    if isinstance(found, Refusal):
        return found
    in_policy = request.amounts.in_policy.fen
    excess = in_policy - found.value.amount.fen
    if excess <= 0:
        return None
    words = str(found.value.amount)
    clause = Clause("standard", "by_disease", words, found.span.start, found.source, Payer.HOSPITAL)
    return step_of(clause, in_policy, excess, ("{} − {} = {}", in_policy, words, excess))


def case_of(plan: Plan, request: DecisionRequest) -> CompiledCase | Refusal:
    """The layers of a request's case, compiled once and kept with the plan; or why it is not decided."""
    admission = 1
    if plan.most_admission > 1:
        admission = min(plan.most_admission, request.year_to_date.admissions_at(HospitalLevel) + 1)
    key = (
        request.basis,
        request.level,
        request.group,
        request.place,
        request.insurance_type,
        request.membership_years,
        request.admitted_on.year == request.discharged_on.year,
        request.care,
        request.referral,
        plan.lists_with(request.disease) if request.disease else None,
        admission,
    )
    found: CompiledCase | Refusal | None = plan.kept.get(key)
    if found is None:
        found = plan.kept[key] = _compiled(plan, request)
    if plan.waiting and not isinstance(found, Refusal):
        return _waiting(plan, request) or found
    return found


def _compiled(plan: Plan, request: DecisionRequest) -> CompiledCase | Refusal:
    treatment = _treatment(plan, request.basis)
    if isinstance(treatment, Refusal):
        return treatment
    unsuitable = _unsuitable(plan, request)
    if unsuitable is not None:
        return unsuitable
    case = plan.case_of(request, treatment=treatment)
    terms = plan.terms(case, insurance_type=request.insurance_type, membership_years=request.membership_years)
    if isinstance(terms, Refusal):
        return terms
    # Most facts select the same figures: cases with equal terms share one function, or a city fills a machine's memory.
    shared: CompiledCase | None = plan.kept.get(terms)
    if shared is None:
        shared = plan.kept[terms] = CompiledCase(terms)
    return shared


def _waiting(plan: Plan, request: DecisionRequest) -> Refusal | None:
    """Whether the benefit has begun; a policy with a waiting period needs to know since when a person is insured."""
    case = plan.case_of(request, treatment=Treatment.AS_AT_HOME)
    for row in plan.waiting:
        if row.when.fits(case):
            since = request.insured_since
            if since is None:
                return plan.missing("insured_since for its waiting period that the request would carry")
            first = since + timedelta(days=row.parameter.value)
            if request.admitted_on < first:
                words = f"{row.parameter.value} days from {since}: benefits begin on {first} ({row.parameter.source})"
                return Refusal(RefusalReason.WAITING, words)
            return None
    return None


def _check_together(plan: Plan, request: DecisionRequest) -> None:
    if plan.region != request.insuring_region:
        raise Inconsistent("plan_other_region", f"plan of {plan.region}, bill of {request.insuring_region}")
    if plan.span is not None and request.discharged_on not in plan.span:
        raise Inconsistent("plan_other_date", f"plan of {plan.span.start}, discharge on {request.discharged_on}")
    if request.year_to_date.year != request.discharged_on.year:
        raise Inconsistent(
            "year_to_date_other_year",
            f"year to date of {request.year_to_date.year}, discharge on {request.discharged_on}",
        )


def _unsuitable(plan: Plan, request: DecisionRequest) -> Refusal | None:
    """Rules of the bill as a whole: whose catalog classified it, and to which year it belongs."""
    if plan.catalog_of is None:
        return plan.missing("catalog_of")
    if plan.catalog_of.value is not CatalogOf.CARE_PLACE:
        return plan.missing("classification by its own catalog that a bill could carry (catalog_of)")
    if plan.year_attribution is None:
        return plan.missing("year_attribution")
    across = request.admitted_on.year != request.discharged_on.year
    if across and plan.year_attribution.value is YearAttribution.SPLIT_AT_YEAR_END:
        return plan.missing("division of a stay across the year end that one bill could carry (year_attribution)")
    return None


def _catalog_steps(request: DecisionRequest) -> list[Step]:
    """What the care place's catalog leaves to the person before any fund is asked."""
    amounts = request.amounts
    parts = (amounts.full_self_pay.fen, amounts.over_limit.fen, amounts.first_self_pay.fen)
    if not any(parts):
        return []
    whole = amounts.total.fen
    clauses = _catalog_clauses(request.care_region, request.admitted_on)
    return [step_of(clause, whole, fen, ("= {}", fen)) for clause, fen in zip(clauses, parts, strict=True) if fen]


@lru_cache(maxsize=4096)
def _catalog_clauses(care_region: Region, admitted_on: date) -> tuple[Clause, ...]:
    article = f"care-place catalog of {care_region} (就医地目录)"
    return tuple(
        Clause(CATALOG_LAYER, name, "100 %", admitted_on, article, Payer.PERSON)
        for name in ("full_self_pay", "over_limit", "first_self_pay")
    )
