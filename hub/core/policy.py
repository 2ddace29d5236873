"""One region's dated parameters with their sources.

Knows layers of benefit, their deductibles, segments, adjustments and caps, and which figures hold for which case.
Must not know bills, persons' years, files or TOML: `hub.core.policy_file` reads a policy from plain data.
Sources: seed-policies P01-P15 for the shapes that regions published; decision records 0010-0014 for the readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, Generic, TypeVar

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.dates import Span
from hub.core.decision import CareKind, PersonGroup, Place, Referral
from hub.core.errors import NotAllowed
from hub.core.money import Money, Rate
from hub.core.registration import AccessBasis, RegistrationRules

Value = TypeVar("Value")


class Treatment(StrEnum):
    """How a policy treats a ground of access: benefit as at home, as with a proper referral, as without, or none."""

    AS_AT_HOME = "as_at_home"
    WITH_REFERRAL = "with_referral"
    WITHOUT_REFERRAL = "without_referral"
    REFUSE = "refuse"


class Base(StrEnum):
    """What a layer looks at: the in-policy amount, what the earlier layers left over of it, or all that the person is
    left with, items outside the catalog included.
    """

    IN_POLICY = "in_policy"
    LEFT_OVER = "left_over"
    WHOLE_REMAINDER = "whole_remainder"


class Accumulation(StrEnum):
    """Whether segments are counted afresh for each visit or over all visits of the insurance year."""

    VISIT = "visit"
    YEAR = "year"


class CountFrom(StrEnum):
    """Where the bounds of segments count from: the deductible, or zero of the base."""

    DEDUCTIBLE = "deductible"
    ZERO = "zero"


class Charged(StrEnum):
    """When a deductible is taken."""

    EACH_ADMISSION = "each_admission"
    FIRST_ADMISSION = "first_admission"
    YEAR = "year"


class CapKind(StrEnum):
    """What is known of a cap. `NOT_STATED` is not `NONE`: its amount says up to where payment is safe."""

    PER_YEAR = "per_year"
    PER_VISIT = "per_visit"
    NONE = "none"
    NOT_STATED = "not_stated"


class ChangeKind(StrEnum):
    """How an adjustment moves a rate; points and factors are different things and never stand for each other."""

    NONE = "none"
    POINTS = "points"
    FACTOR = "factor"
    FLAT = "flat"


class CombineOrder(StrEnum):
    """In which order points and factors act where one layer has both."""

    POINTS_THEN_FACTOR = "points_then_factor"
    FACTOR_THEN_POINTS = "factor_then_points"


class YearAttribution(StrEnum):
    """How a stay across 31 December is attributed (domain-process 7.3)."""

    WHOLE_AT_DISCHARGE = "whole_at_discharge"
    SPLIT_AT_YEAR_END = "split_at_year_end"


class CatalogOf(StrEnum):
    """Whose catalog classifies the lines and takes the first self-pay (decision record 0013)."""

    CARE_PLACE = "care_place"
    INSURED_PLACE = "insured_place"


@dataclass(frozen=True, slots=True)
class Parameter(Generic[Value]):
    """One figure or word of a policy: its value and unit, the days on which it holds, and where it stands.

    `assumed` marks what no document says: the hub's declared reading, to be replaced when the region states
    it.
    """

    name: str
    value: Value
    unit: str
    span: Span
    source: str
    note: str = ""
    assumed: bool = False

    def __post_init__(self) -> None:
        if not self.source:
            raise NotAllowed("parameter_source", f"{self.name}: a parameter names its source")


@dataclass(frozen=True, slots=True)
class Case:
    """The facts that select figures. `lists` are the policy's lists that the bill's disease stands on; `admission`
    counts the admissions of the year with this one, as far as the policy tells them apart.
    """

    level: HospitalLevel
    group: PersonGroup
    place: Place
    treatment: Treatment
    care: CareKind = CareKind.INPATIENT
    referral: Referral = Referral.NONE
    lists: frozenset[str] = frozenset()
    admission: int = 1

    def __str__(self) -> str:
        words = [f"level {self.level}", self.group, self.place, self.treatment]
        if self.care is not CareKind.INPATIENT:
            words.append(self.care)
        if self.referral is not Referral.NONE:
            words.append(f"referred {self.referral}")
        words += sorted(self.lists)
        if self.admission > 1:
            words.append(f"admission {self.admission}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Condition:
    """For whom a row holds; an empty set means everyone. `from_admission` is the first admission of the year for which
    the row holds.
    """

    levels: frozenset[HospitalLevel] = frozenset()
    groups: frozenset[PersonGroup] = frozenset()
    places: frozenset[Place] = frozenset()
    treatments: frozenset[Treatment] = frozenset()
    care: frozenset[CareKind] = frozenset()
    referrals: frozenset[Referral] = frozenset()
    lists: frozenset[str] = frozenset()
    from_admission: int = 1

    def fits(self, case: Case) -> bool:
        """Whether the row holds for a case."""
        return (
            (not self.levels or case.level in self.levels)
            and (not self.groups or case.group in self.groups)
            and (not self.places or case.place in self.places)
            and (not self.treatments or case.treatment in self.treatments)
            and (not self.care or case.care in self.care)
            and (not self.referrals or case.referral in self.referrals)
            and (not self.lists or not self.lists.isdisjoint(case.lists))
            and case.admission >= self.from_admission
        )


@dataclass(frozen=True, slots=True)
class Row(Generic[Value]):
    """A parameter and the condition under which it holds. Of several rows that fit, the first in the file counts."""

    when: Condition
    parameter: Parameter[Value]


@dataclass(frozen=True, slots=True)
class Deductible:
    """An amount taken off a layer's base. `first_among`: the levels whose admissions count where only the
    first pays.
    """

    amount: Money
    charged: Charged
    first_among: frozenset[HospitalLevel] = frozenset()


@dataclass(frozen=True, slots=True)
class Segment:
    """A rate for the part of the base from `above` to `up_to` (no end = without limit)."""

    above: Money
    up_to: Money | None
    rate: Rate


@dataclass(frozen=True, slots=True)
class Change:
    """An adjustment of a rate: points (``-5``), a factor (``9/10``) or a flat rate (``1/2``) that replaces it."""

    kind: ChangeKind
    amount: Fraction = Fraction(0)

    def __str__(self) -> str:
        if self.kind is ChangeKind.POINTS:
            return f"{'−' if self.amount < 0 else '+'} {short_decimal(abs(self.amount))} pp"
        if self.kind is ChangeKind.FACTOR:
            return f"× {short_decimal(self.amount)}"
        return str(Rate(self.amount)) if self.kind is ChangeKind.FLAT else ""


@dataclass(frozen=True, slots=True)
class Tilt:
    """An adjustment for a person group; `on_flat` says whether it also moves a flat off-site rate."""

    change: Change
    on_flat: bool


@dataclass(frozen=True, slots=True)
class Bonus:
    """Percentage points from a year of continuous membership on (1 = the first year)."""

    from_year: int
    points: Fraction


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a layer's fund pays; `amount` is None exactly when the source says that there is no cap.

    `shared` names further funds whose payments count into the same cap.
    """

    kind: CapKind
    amount: Money | None
    shared: frozenset[Fund] = frozenset()

    def __post_init__(self) -> None:
        if (self.amount is None) != (self.kind is CapKind.NONE):
            raise NotAllowed("cap_amount", "a cap has an amount unless it is 'none'")


@dataclass(frozen=True, slots=True)
class Opening:
    """A layer opens once a fund has paid so much for the person in the year, this bill included."""

    fund: Fund
    paid: Money


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of benefit: which fund pays what part of which base. Rows are in the order of the file.

    Without `covers` the layer is for every case; else the first of its rows that fits says whether it is. `less` names
    earmarked sources whose payments come off the base first.
    """

    name: str
    insurance_type: InsuranceType
    fund: Fund
    span: Span
    source: str
    base: tuple[Row[Base], ...]
    without_deductible_of: tuple[Row[frozenset[str]], ...]
    accumulate: tuple[Row[Accumulation], ...]
    count_from: tuple[Row[CountFrom], ...]
    combine: tuple[Row[CombineOrder], ...]
    deductibles: tuple[Row[Deductible], ...]
    segments: tuple[Row[Segment], ...]
    elsewhere: tuple[Row[Change], ...]
    tilts: tuple[Row[Tilt], ...]
    bonuses: tuple[Row[Bonus], ...]
    caps: tuple[Row[Cap], ...]
    covers: tuple[Row[bool], ...] = ()
    opens: tuple[Row[Opening], ...] = ()
    less: tuple[Row[frozenset[str]], ...] = ()

    def rows(self) -> Iterable[Row[Any]]:
        """Every dated row of the layer."""
        for several in (
            self.base,
            self.without_deductible_of,
            self.accumulate,
            self.count_from,
            self.combine,
            self.deductibles,
            self.segments,
            self.elsewhere,
            self.tilts,
            self.bonuses,
            self.caps,
            self.covers,
            self.opens,
            self.less,
        ):
            yield from several

    def spans(self) -> Iterable[Span]:
        """Every span of days that the layer's figures name."""
        yield self.span
        yield from (row.parameter.span for row in self.rows())


def _spans(rows: Sequence[Row[Value]]) -> Iterable[Span]:
    return (row.parameter.span for row in rows)


@dataclass(frozen=True, slots=True)
class DiseaseList:
    """Diseases that a policy treats alike, under the policy's own name for the list."""

    name: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standard:
    """The price of a disease: what a stay for it costs beyond that is the hospital's (P12)."""

    disease: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a region's policy file says; `label` is the form that decisions carry."""

    region: Region
    name: str
    kind: str
    version: str
    digest: str
    layers: tuple[Layer, ...]
    access: Mapping[AccessBasis, tuple[Row[Treatment], ...]]
    year_attribution: tuple[Row[YearAttribution], ...]
    catalog_of: tuple[Row[CatalogOf], ...]
    registration: tuple[Row[RegistrationRules], ...]
    lists: tuple[Row[DiseaseList], ...] = ()
    standards: tuple[Row[Standard], ...] = ()
    waiting: tuple[Row[int], ...] = ()
    admissions: tuple[Row[bool], ...] = ()

    @property
    def label(self) -> str:
        """``<region>@<version>#<first twelve hex digits of the file's SHA-256>``."""
        return f"{self.region}@{self.version}#{self.digest[:12]}"

    def changes(self) -> tuple[date, ...]:
        """The days on which any figure begins or ends, in order; between two of them the policy stands still."""
        spans = [span for layer in self.layers for span in layer.spans()]
        spans += [row.parameter.span for row in self.year_attribution]
        spans += [row.parameter.span for row in self.catalog_of]
        spans += [row.parameter.span for rows in self.access.values() for row in rows]
        spans += [*_spans(self.lists), *_spans(self.standards), *_spans(self.waiting)]
        spans += _spans(self.admissions)
        return tuple(sorted({day for span in spans for day in (span.start, span.end) if day is not None}))

    def registration_rules(self, *, on: date) -> RegistrationRules:
        """The figures for registrations filed on a day. Raises NotAllowed where the policy has none for it."""
        row = in_force(self.registration, on=on)
        if not row:
            raise NotAllowed("rule_missing", f"{self.label}: no registration rules are in force on {on}")
        return row[0].parameter.value


def in_force(rows: Sequence[Row[Value]], *, on: date) -> tuple[Row[Value], ...]:
    """The rows that hold on a day, in the order of the file."""
    return tuple(row for row in rows if on in row.parameter.span)


def short_decimal(number: Fraction) -> str:
    """A fraction as a plain decimal where it has one, else as numerator/denominator."""
    for places in range(7):
        scaled = number * 10**places
        if scaled.denominator == 1:
            digits = f"{abs(scaled.numerator):0{places + 1}d}"
            text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
            return f"-{text}" if number < 0 else text
    return f"{number.numerator}/{number.denominator}"
