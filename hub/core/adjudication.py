"""Decides one bill: plan + request -> Decision with one Step per clause, or a Refusal.

Knows how a layer's deductible, segments and caps act on an amount, and how the layers follow each other.
Must not know where the plan or the request came from, nor any region in particular.
Sources: order of layers and identities from domain-process 3 and 7.2; roundings in decision records 0010 and 0011.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hub.core.codes import Fund
from hub.core.decision import (
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
)
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, Money, round_half_up, total
from hub.core.plan import Band, Clause, Plan, Terms
from hub.core.policy import (
    CapKind,
    Case,
    CatalogOf,
    Charged,
    Treatment,
    YearAttribution,
)
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
class BandShare:
    """What one segment did: the fen of the base that lie in it, and what the fund pays of them after the caps."""

    band: Band
    base: Money
    exact_fen: Fraction
    before_cap: Money
    fund: Money


@dataclass(frozen=True, slots=True)
class LayerShare:
    """What one layer did with its base: base = below_deductible + remainder + over_cap + paid.

    `accumulated` is what it adds to the layer's running total of the year. `cap` is the clause that held it,
    if any did.
    """

    terms: Terms
    base: Money
    below_deductible: Money
    bands: tuple[BandShare, ...]
    over_cap: Money
    cap: Clause | None
    accumulated: Money

    @property
    def paid(self) -> Money:
        """What the layer's fund pays."""
        return total(band.fund for band in self.bands)

    @property
    def remainder(self) -> Money:
        """What the rates leave of the part above the deductible."""
        return self.base - self.below_deductible - self.paid - self.over_cap


@dataclass(frozen=True, slots=True)
class CapNotStated:
    """The source states no cap, and the year's payments would go beyond what the policy declares safe."""

    year_payments: Money


def pay_layer(terms: Terms, *, base: Money, year_to_date: YearToDate) -> LayerShare | CapNotStated:
    """Divide one layer's base between its fund and what is left over.

    Order: deductible, then segments, then caps. The fund's part is rounded once, half up to the fen; where
    the layer accumulates over the year, the year's part is rounded and the bill is paid the difference to
    what the year so far gives under the same terms, so that the sum never depends on how a year is cut into
    bills (record 0010). The rounded part is handed out to the segments by largest remainder (record 0011).
    Caps cut the last segments first.

    Answers CapNotStated where only a cap that nobody stated could tell. Raises Inconsistent for a negative
    base.
    """
    if base < ZERO:
        raise Inconsistent("layer_base_negative", f"layer {terms.layer}: base {base}")
    before = year_to_date.accumulated.get(terms.layer, ZERO).fen if terms.per_year else 0
    below, low, high, origin = _counted(terms, base_fen=base.fen, before_fen=before, year_to_date=year_to_date)
    due = round_half_up(_exact(terms.bands, origin, high)) - round_half_up(_exact(terms.bands, origin, low))
    before_cap = _hand_out(terms.bands, low=low, high=high, amount=due)
    left, cap = _cap_left(terms, due=due, year_to_date=year_to_date)
    if left is None:
        return CapNotStated(year_to_date.paid(terms.fund) + due)
    shares = []
    remaining = left
    for band, part, share in before_cap:
        paid = min(share, remaining)
        remaining -= paid
        shares.append(BandShare(band, Money(part), part * band.rate.value, share, paid))
    over_cap = due - min(due, left)
    by_admission = terms.deductible.charged is not Charged.YEAR
    accumulated = ZERO
    if terms.per_year:
        accumulated = base - Money(below) if by_admission else base
    return LayerShare(terms, base, Money(below), tuple(shares), over_cap, cap if over_cap else None, accumulated)


def _counted(terms: Terms, *, base_fen: int, before_fen: int, year_to_date: YearToDate) -> tuple[int, int, int, int]:
    """What lies below the deductible, and the stretch (low, high] of the segments' scale that the bill fills.

    The last figure is where the scale begins to pay. All in fen.
    """
    deductible = terms.deductible
    amount = deductible.amount.fen
    if deductible.charged is Charged.YEAR:
        after = before_fen + base_fen
        below = min(after, amount) - min(before_fen, amount)
        shift = 0 if terms.count_from_zero else amount
        return below, max(before_fen, amount) - shift, max(after, amount) - shift, amount - shift
    if deductible.charged is Charged.FIRST_ADMISSION and year_to_date.admissions_at(deductible.first_among):
        amount = 0
    below = min(base_fen, amount)
    if terms.per_year:
        return below, before_fen, before_fen + base_fen - below, 0
    start = below if terms.count_from_zero else 0
    return below, start, start + base_fen - below, start


def _exact(bands: Sequence[Band], origin_fen: int, point_fen: int) -> Fraction:
    return sum((band.part_of(origin_fen, point_fen) * band.rate.value for band in bands), Fraction(0))


def _hand_out(bands: Sequence[Band], *, low: int, high: int, amount: Money) -> list[tuple[Band, int, Money]]:
    """Divide a layer's rounded amount among its segments by largest remainder, the earlier one first where
    two are equal.

    Each segment gets its exact part cut down to the fen; the fen that rounding left over go to the largest
    cut-off fractions. No segment gets more than its base, for a part with a cut-off fraction is smaller than
    its base.
    """
    parts = [(band, band.part_of(low, high)) for band in bands]
    exact = [part * band.rate.value for band, part in parts]
    whole = [part.numerator // part.denominator for part in exact]
    left_over = amount.fen - sum(whole)
    by_fraction = sorted(range(len(parts)), key=lambda index: (whole[index] - exact[index], index))
    extra = set(by_fraction[:left_over])
    return [(band, part, Money(whole[index] + (index in extra))) for index, (band, part) in enumerate(parts) if part]


def _cap_left(terms: Terms, *, due: Money, year_to_date: YearToDate) -> tuple[Money | None, Clause | None]:
    """What the tightest cap still allows, and its clause; None where only an unstated cap could tell."""
    left, clause = due, None
    paid = year_to_date.paid(terms.fund)
    for cap, words in terms.caps:
        if cap.amount is None:
            continue
        room = cap.amount if cap.kind is CapKind.PER_VISIT else max(ZERO, cap.amount - paid)
        if due > room and cap.kind is CapKind.NOT_STATED:
            return None, words
        if left > room:
            left, clause = room, words
    return left, clause


def decide(plan: Plan, request: DecisionRequest) -> Decision | Refusal:
    """Decide one bill under a plan; books nothing, and the same request gives the same answer.

    The plan is the one of the discharge day. Refusals: NOT_REGISTERED by the policy's treatment of the ground
    of access, RULE_MISSING where the bill needs a figure that nobody stated.

    Raises Inconsistent where plan, request and year to date do not belong together.
    """
    _check_together(plan, request)
    treatment = _treatment(plan, request.basis)
    if isinstance(treatment, Refusal):
        return treatment
    unsuitable = _unsuitable(plan, request)
    if unsuitable is not None:
        return unsuitable
    case = Case(request.level, request.group, request.place, treatment)
    layers = plan.terms(case, insurance_type=request.insurance_type, membership_years=request.membership_years)
    if isinstance(layers, Refusal):
        return layers

    shares: list[LayerShare] = []
    deductibles: dict[str, Money] = {}
    open_amount = request.amounts.in_policy
    for terms in layers:
        kept = {name: amount for name, amount in deductibles.items() if name in terms.without_deductible_of}
        open_amount += total(deductibles.values()) - total(kept.values())
        deductibles = kept
        share = pay_layer(terms, base=open_amount, year_to_date=request.year_to_date)
        if isinstance(share, CapNotStated):
            return plan.missing(f"{terms.layer}.cap for payments of {share.year_payments} in the year")
        shares.append(share)
        deductibles[terms.layer] = share.below_deductible
        open_amount = share.remainder + share.over_cap
    steps = _catalog_steps(request)
    for share in shares:
        own = deductibles.get(share.terms.layer, ZERO)
        steps += [_deductible_step(share)] if own else []
        steps += _fund_steps(share)
    steps += _last_steps(shares[-1])
    return _decision(plan, request, shares=shares, steps=steps)


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
    parts = (
        ("full_self_pay", amounts.full_self_pay),
        ("over_limit", amounts.over_limit),
        ("first_self_pay", amounts.first_self_pay),
    )
    return [
        Step(
            layer=CATALOG_LAYER,
            parameter=name,
            value=str(amount),
            valid_from=request.admitted_on,
            article=f"care-place catalog of {request.care_region} (就医地目录)",
            base=amounts.total,
            formula=f"= {amount}",
            amount=amount,
            pays=Payer.PERSON,
        )
        for name, amount in parts
        if amount
    ]


def _fund_steps(share: LayerShare) -> list[Step]:
    steps = []
    for band in share.bands:
        if not band.fund:
            continue
        sign = "=" if band.exact_fen == band.before_cap.fen else "≈"
        formula = f"{band.base} × {band.band.rate} {sign} {band.before_cap}"
        if band.fund != band.before_cap and share.cap is not None:
            formula += f"; cap {share.cap.value} leaves {band.fund}"
        steps.append(
            Step(
                layer=share.terms.layer,
                parameter="segment",
                value=band.band.clause.value,
                valid_from=band.band.clause.valid_from,
                article=band.band.clause.article,
                base=band.base,
                formula=formula,
                amount=band.fund,
                pays=Payer.FUND,
                fund=share.terms.fund,
            )
        )
    return steps


def _person_step(
    share: LayerShare, parameter: str, clause: Clause, *, base: Money, formula: str, amount: Money
) -> Step:
    return Step(
        layer=share.terms.layer,
        parameter=parameter,
        value=clause.value,
        valid_from=clause.valid_from,
        article=clause.article,
        base=base,
        formula=formula,
        amount=amount,
        pays=Payer.PERSON,
    )


def _deductible_step(share: LayerShare) -> Step:
    clause = share.terms.deductible_clause
    amount = share.below_deductible
    formula = f"min({share.base}, {clause.value}) = {amount}"
    if share.terms.deductible.charged is Charged.YEAR:
        formula = f"{amount} ≤ {clause.value}"
    return _person_step(share, "deductible", clause, base=share.base, formula=formula, amount=amount)


def _last_steps(share: LayerShare) -> list[Step]:
    """What the last layer leaves to the person beside its deductible."""
    above = share.base - share.below_deductible
    steps = []
    if share.remainder:
        due = share.paid + share.over_cap
        formula = f"{above} − {due} = {share.remainder}"
        rates = {str(band.band.rate) for band in share.bands}
        value = f"100 % − {rates.pop()}" if len(rates) == 1 else "100 % − rate"
        clause = dataclasses.replace(share.terms.base_clause, value=value)
        steps.append(_person_step(share, "remainder", clause, base=above, formula=formula, amount=share.remainder))
    if share.over_cap and share.cap is not None:
        due = share.paid + share.over_cap
        formula = f"{due} − {share.paid} = {share.over_cap}"
        steps.append(_person_step(share, "cap", share.cap, base=due, formula=formula, amount=share.over_cap))
    return steps


def _decision(plan: Plan, request: DecisionRequest, *, shares: Sequence[LayerShare], steps: Sequence[Step]) -> Decision:
    funds: Mapping[Fund, Money] = {share.terms.fund: share.paid for share in shares if share.paid}
    paid = total(funds.values())
    return Decision(
        bill_id=request.bill_id,
        policy=plan.policy,
        total=request.amounts.total,
        shares=funds,
        personal_account=ZERO,
        cash=request.amounts.total - paid,
        hospital_borne=ZERO,
        contribution=Contribution(
            level=request.level,
            in_policy=request.amounts.in_policy,
            self_pay_in_policy=request.amounts.in_policy - paid,
            paid_by_fund=dict(funds),
            accumulated={share.terms.layer: share.accumulated for share in shares if share.accumulated},
        ),
        steps=tuple(steps),
    )
