"""A policy compiled for a stretch of days without change: straight values for each case.

Knows which rows hold on a day and for a case, how adjustments move a rate, and what is missing.
Must not know bills, persons' years, files or any region in particular.
Sources: seed-policies P09 and P10 for the adjustments; decision record 0012 for how they add up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.dates import Span
from hub.core.decision import (
    ADMISSIONS,
    CareKind,
    DecisionRequest,
    PersonGroup,
    Place,
    Referral,
    Refusal,
    RefusalReason,
)
from hub.core.money import ZERO, Money, Rate
from hub.core.policy import (
    Accumulation,
    Base,
    Bonus,
    Cap,
    Case,
    CatalogOf,
    Change,
    ChangeKind,
    Charged,
    CombineOrder,
    Condition,
    CountFrom,
    Deductible,
    DiseaseList,
    Layer,
    Opening,
    Parameter,
    Policy,
    Row,
    Standard,
    Tilt,
    Treatment,
    Value,
    YearAttribution,
    in_force,
)
from hub.core.registration import AccessBasis


@dataclass(frozen=True, slots=True)
class Quote:
    """What a step quotes: the value in words, since when it holds, and the article."""

    value: str
    valid_from: date
    article: str


@dataclass(frozen=True, slots=True)
class Band:
    """One segment with every adjustment of the case applied; bounds in fen, on the scale that the layer counts."""

    lower_fen: int
    upper_fen: int | None
    rate: Rate
    clause: Quote

    def part_of(self, low_fen: int, high_fen: int) -> int:
        """How many fen between two points of the scale lie in this band."""
        upper = high_fen if self.upper_fen is None else min(high_fen, self.upper_fen)
        return max(0, upper - max(low_fen, self.lower_fen))


@dataclass(frozen=True, slots=True)
class Terms:
    """One layer's straight values for one case: nothing is left to look up.

    `missing` names a figure that nobody stated and that only what lies above the deductible would need.
    """

    layer: str
    fund: Fund
    base: Base
    base_clause: Quote
    without_deductible_of: frozenset[str]
    per_year: bool
    count_from_zero: bool
    deductible: Deductible
    deductible_clause: Quote
    bands: tuple[Band, ...]
    caps: tuple[tuple[Cap, Quote], ...]
    opening: Opening | None = None
    less: frozenset[str] = frozenset()
    less_clause: Quote | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A policy as it stands on a stretch of days without change; figures for a case are worked out once and
    kept.

    `terms` answers a Refusal (RULE_MISSING) naming the parameter where the case needs a figure that nobody
    stated.
    """

    region: Region
    policy: str
    span: Span | None
    layers: tuple[Layer, ...]
    access: Mapping[AccessBasis, Parameter[Treatment]]
    year_attribution: Parameter[YearAttribution] | None
    catalog_of: Parameter[CatalogOf] | None
    lists: tuple[Row[DiseaseList], ...] = ()
    standards: tuple[Row[Standard], ...] = ()
    waiting: tuple[Row[int], ...] = ()
    admissions: tuple[Row[bool], ...] = ()
    most_admission: int = 1
    kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """A place for what others work out of this plan by case; it goes when the plan goes."""
    _known: dict[tuple[Case, InsuranceType, int], tuple[Terms, ...] | Refusal] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _shared: dict[tuple[Terms, ...], tuple[Terms, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def treatment(self, basis: AccessBasis) -> Parameter[Treatment] | Refusal:
        """How the policy treats a ground of access."""
        found = self.access.get(basis)
        return found if found is not None else self.missing(f"access.{basis}")

    def terms(self, case: Case, *, insurance_type: InsuranceType, membership_years: int) -> tuple[Terms, ...] | Refusal:
        """The layers of an insurance type for one case, in the order in which they pay."""
        reached = max(
            (row.parameter.value.from_year for layer in self.layers for row in layer.bonuses
             if row.parameter.value.from_year <= membership_years),
            default=0,
        )  # fmt: skip
        key = (case, insurance_type, reached)
        if key not in self._known:
            self._known[key] = self._work_out(case, insurance_type=insurance_type, membership_years=reached)
        return self._known[key]

    def _work_out(
        self, case: Case, *, insurance_type: InsuranceType, membership_years: int
    ) -> tuple[Terms, ...] | Refusal:
        layers = [layer for layer in self.layers if layer.insurance_type is insurance_type]
        if not layers:
            return self.missing(f"layers for insurance type {insurance_type}")
        found: list[Terms] = []
        for layer in layers:
            if not _covers(layer, case):
                continue
            try:
                found.append(_terms_of(layer, case=case, membership_years=membership_years))
            except _NotStated as gap:
                return self.missing(f"{layer.name}.{gap.parameter} ({case})")
        if not found:
            return Refusal(RefusalReason.NOT_COVERED, f"{self.policy} has no layer for {case}")
        terms = tuple(found)
        return self._shared.setdefault(terms, terms)

    def lists_with(self, disease: str) -> frozenset[str]:
        """The names of the policy's lists that a disease stands on."""
        if not disease:
            return frozenset()
        return frozenset(row.parameter.value.name for row in self.lists if disease in row.parameter.value.codes)

    def case_of(self, request: DecisionRequest, *, treatment: Treatment) -> Case:
        """The facts of a request that select figures."""
        admission = 1
        if self.most_admission > 1:
            admission = min(self.most_admission, request.year_to_date.admissions_at(HospitalLevel) + 1)
        return Case(
            level=request.level,
            group=request.group,
            place=request.place,
            treatment=treatment,
            care=request.care,
            referral=request.referral,
            lists=self.lists_with(request.disease),
            admission=admission,
        )

    def counts_as_admission(self, request: DecisionRequest) -> bool:
        """Whether a bill counts as an admission of the year: a stay does, other care where the policy says so (P10)."""
        if request.care in ADMISSIONS:
            return True
        case = self.case_of(request, treatment=Treatment.AS_AT_HOME)
        return any(row.when.fits(case) for row in self.admissions)

    def missing(self, parameter: str) -> Refusal:
        """The refusal of a bill that needs a figure which the policy does not hold in the plan's days."""
        since = f"from {self.span.start}" if self.span is not None else "before its first date"
        return Refusal(RefusalReason.RULE_MISSING, f"{self.policy} states no {parameter} {since}")


class PlanBook:
    """Compiles a policy at most once per stretch of days without change."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._changes = policy.changes()
        self._plans: dict[int, Plan] = {}

    def plan(self, *, on: date) -> Plan:
        """The plan in force on a day."""
        stretch = bisect_right(self._changes, on)
        if stretch not in self._plans:
            self._plans[stretch] = compile_plan(self.policy, on=on)
        return self._plans[stretch]


def compile_plan(policy: Policy, *, on: date) -> Plan:
    """Resolve every date of a policy for one day; what is not in force that day is not in the plan.

    The plan holds from the last change up to `on` until the next one; before the first change it has no
    layers.
    """
    changes = policy.changes()
    place = bisect_right(changes, on)
    span = Span(changes[place - 1], changes[place] if place < len(changes) else None) if place else None
    access: dict[AccessBasis, Parameter[Treatment]] = {}
    for basis, rows in policy.access.items():
        for row in in_force(rows, on=on):
            access[basis] = row.parameter
    attribution = in_force(policy.year_attribution, on=on)
    catalog_of = in_force(policy.catalog_of, on=on)
    return Plan(
        region=policy.region,
        policy=policy.label,
        span=span,
        layers=tuple(_layer_on(layer, on=on) for layer in policy.layers if on in layer.span),
        access=access,
        year_attribution=attribution[0].parameter if attribution else None,
        catalog_of=catalog_of[0].parameter if catalog_of else None,
        lists=in_force(policy.lists, on=on),
        standards=in_force(policy.standards, on=on),
        waiting=in_force(policy.waiting, on=on),
        admissions=in_force(policy.admissions, on=on),
        most_admission=max((when.from_admission for when in conditions(policy)), default=1),
    )


def conditions(policy: Policy) -> Iterable[Condition]:
    """The condition of every row of a policy's layers."""
    for layer in policy.layers:
        yield from (row.when for row in layer.rows())


def _layer_on(layer: Layer, *, on: date) -> Layer:
    return Layer(
        name=layer.name,
        insurance_type=layer.insurance_type,
        fund=layer.fund,
        span=layer.span,
        source=layer.source,
        base=in_force(layer.base, on=on),
        without_deductible_of=in_force(layer.without_deductible_of, on=on),
        accumulate=in_force(layer.accumulate, on=on),
        count_from=in_force(layer.count_from, on=on),
        combine=in_force(layer.combine, on=on),
        deductibles=in_force(layer.deductibles, on=on),
        segments=in_force(layer.segments, on=on),
        elsewhere=in_force(layer.elsewhere, on=on),
        tilts=in_force(layer.tilts, on=on),
        bonuses=in_force(layer.bonuses, on=on),
        caps=in_force(layer.caps, on=on),
        covers=in_force(layer.covers, on=on),
        opens=in_force(layer.opens, on=on),
        less=in_force(layer.less, on=on),
    )


def _covers(layer: Layer, case: Case) -> bool:
    """Whether a layer is for a case: the first of its rows that fits says it, and none means that it is not."""
    return not layer.covers or next((row.parameter.value for row in layer.covers if row.when.fits(case)), False)


class _NotStated(Exception):  # it never leaves this module: `Plan.terms` turns it into a value.
    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


def _first(rows: Sequence[Row[Value]], *, case: Case, name: str) -> Parameter[Value]:
    for row in rows:
        if row.when.fits(case):
            return row.parameter
    raise _NotStated(name)


def _clause(value: str, *parameters: Parameter[Value]) -> Quote:
    """Quote several parameters at once: the latest of their dates, each article once."""
    return Quote(
        value=value,
        valid_from=max(parameter.span.start for parameter in parameters),
        article="; ".join(dict.fromkeys(parameter.source for parameter in parameters)),
    )


def _terms_of(layer: Layer, *, case: Case, membership_years: int) -> Terms:
    base = _first(layer.base, case=case, name="base")
    accumulate = _first(layer.accumulate, case=case, name="accumulate")
    count_from = _first(layer.count_from, case=case, name="segments_count_from")
    excluded: frozenset[str] = frozenset()
    if base.value is Base.LEFT_OVER:
        excluded = _first(layer.without_deductible_of, case=case, name="without_deductible_of").value
    caps = [row.parameter for row in layer.caps if row.when.fits(case)]
    missing = "" if caps else "cap"
    bands: tuple[Band, ...] = ()
    try:
        bands = _bands(layer, case=case, membership_years=membership_years)
    except _NotStated as gap:
        missing = gap.parameter
    per_year = accumulate.value is Accumulation.YEAR
    try:
        stated = _first(layer.deductibles, case=case, name="deductible")
        deductible, deductible_clause = stated.value, _clause(str(stated.value.amount), stated)
    except _NotStated as gap:
        # The first fen of the base needs the deductible: everything lies above one of nothing.
        missing, bands = gap.parameter, ()
        deductible = Deductible(ZERO, Charged.YEAR if per_year else Charged.EACH_ADMISSION)
        deductible_clause = _clause("not stated", base)
    opens = [row.parameter.value for row in layer.opens if row.when.fits(case)][:1]
    less = [row.parameter for row in layer.less if row.when.fits(case)][:1]
    return Terms(
        layer=layer.name,
        fund=layer.fund,
        base=base.value,
        base_clause=_clause(str(base.value), base),
        without_deductible_of=excluded,
        per_year=per_year,
        count_from_zero=count_from.value is CountFrom.ZERO,
        deductible=deductible,
        deductible_clause=deductible_clause,
        bands=bands,
        caps=tuple((cap.value, _clause(_cap_words(cap.value), cap)) for cap in caps),
        opening=opens[0] if opens else None,
        less=less[0].value if less else frozenset(),
        less_clause=_clause(", ".join(sorted(less[0].value)), less[0]) if less else None,
        missing=f"{missing} ({case})" if missing else "",
    )


def _cap_words(cap: Cap) -> str:
    return f"{cap.amount} {cap.kind}" if cap.amount is not None else str(cap.kind)


def _bands(layer: Layer, *, case: Case, membership_years: int) -> tuple[Band, ...]:
    segments = [row.parameter for row in layer.segments if row.when.fits(case)]
    if not segments:
        raise _NotStated("segment")
    tilts = [row.parameter for row in layer.tilts if row.when.fits(case)][:1]
    fitting = [row.parameter for row in layer.bonuses if row.when.fits(case)]
    bonuses = [bonus for bonus in fitting if bonus.value.from_year <= membership_years]
    place = None
    if case.treatment is not Treatment.AS_AT_HOME:
        place = _first(layer.elsewhere, case=case, name="elsewhere")
    if place is not None and place.value.kind is ChangeKind.FLAT:
        flat = Rate(place.value.amount)
        changes = [_as_change(tilt, tilt.value.change) for tilt in tilts if tilt.value.on_flat]
        changes += _last_bonus(bonuses)
        rate, words = _adjusted(flat, changes, layer=layer, case=case)
        first = min(segments, key=lambda segment: segment.value.above)
        return (Band(first.value.above.fen, None, rate, _clause(words, place, *changes)),)
    changes = [place] if place is not None and place.value.kind is not ChangeKind.NONE else []
    changes += [_as_change(tilt, tilt.value.change) for tilt in tilts] + _last_bonus(bonuses)
    bands = []
    for segment in segments:
        rate, words = _adjusted(segment.value.rate, changes, layer=layer, case=case)
        upper = segment.value.up_to
        cited = Quote(words, segment.span.start, segment.source)
        if changes:
            moved = _clause(words, *changes)
            article = "; ".join(dict.fromkeys((segment.source, *moved.article.split("; "))))
            cited = Quote(words, max(segment.span.start, moved.valid_from), article)
        bands.append(Band(segment.value.above.fen, upper.fen if upper is not None else None, rate, cited))
    return tuple(bands)


def _as_change(parameter: Parameter[Tilt], change: Change) -> Parameter[Change]:
    return Parameter(parameter.name, change, parameter.unit, parameter.span, parameter.source)


def _last_bonus(bonuses: Sequence[Parameter[Bonus]]) -> list[Parameter[Change]]:
    """The bonus of the highest year reached; a row of zero points changes nothing."""
    if not bonuses:
        return []
    last = max(bonuses, key=lambda bonus: bonus.value.from_year)
    if not last.value.points:
        return []
    change = Change(ChangeKind.POINTS, last.value.points)
    return [Parameter(last.name, change, last.unit, last.span, last.source)]


def _adjusted(rate: Rate, changes: Sequence[Parameter[Change]], *, layer: Layer, case: Case) -> tuple[Rate, str]:
    """Apply all points and all factors, and hold the result between 0 and 1 once, at the end.

    Points are added up before the rate is held, so that +10 and -10 cancel out at any rate. Where a case has
    points and factors, the layer's `combine` says which come first; without it the figure counts as missing.
    """
    if not changes:
        return rate, str(rate)
    points = [one.value for one in changes if one.value.kind is ChangeKind.POINTS]
    factors = [one.value for one in changes if one.value.kind is ChangeKind.FACTOR]
    groups = [points, factors]
    if points and factors and _first(layer.combine, case=case, name="combine").value is CombineOrder.FACTOR_THEN_POINTS:
        groups = [factors, points]
    value, words = rate.value, str(rate)
    for position, group in enumerate(groups):
        for one in group:
            value = value + one.amount / 100 if one.kind is ChangeKind.POINTS else value * one.amount
            words = f"{words} {one}"
        if position == 0 and points and factors:
            words = f"({words})"
    held = Rate(min(Fraction(1), max(Fraction(0), value)))
    return held, f"{words} = {held}"


def band_faults(terms: Terms) -> str | None:
    """Say where the bands of a layer leave a gap, overlap or never end; None where they tile the scale."""
    if not terms.bands:
        return None
    bands = sorted(terms.bands, key=lambda band: band.lower_fen)
    always_charged = terms.deductible.charged is not Charged.FIRST_ADMISSION
    start = terms.deductible.amount.fen if terms.count_from_zero and always_charged else 0
    if bands[0].lower_fen > start:
        return f"the first segment begins at {Money(bands[0].lower_fen)}, after the deductible"
    for band, following in pairwise(bands):
        if band.upper_fen != following.lower_fen:
            return f"the segment from {Money(band.lower_fen)} does not end where the next one begins"
    if bands[-1].upper_fen is not None:
        return "the last segment has an end: what lies above it is not said"
    return None


def all_cases(policy: Policy) -> Iterable[Case]:
    """Every combination of facts that can select figures of a policy; what no row mentions is left at its default."""
    when = list(conditions(policy))
    care = {CareKind.INPATIENT, *(one for row in when for one in row.care)}
    referrals = {Referral.NONE, *(one for row in when for one in row.referrals)}
    lists = {frozenset[str](), *(frozenset({one}) for row in when for one in row.lists)}
    admissions = {1, *(row.from_admission for row in when)}
    facts = product(HospitalLevel, PersonGroup, Place, Treatment, sorted(care), sorted(referrals), lists, admissions)
    for one in facts:
        if one[3] is not Treatment.REFUSE:
            yield Case(*one)
