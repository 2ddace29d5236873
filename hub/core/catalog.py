"""A region's catalog: its entries over time, and what holds for one of its codes on one day.

Knows classes, price limits, payment standards, first self-pay ratios, restrictions and grace, and how releases and
decided changes lie over one another. Must not know how a line divides, any insuring region's rule, files or databases.
Sources: care-place catalog (就医地目录), domain-process sections 3 and 6.3; price limits and ratios as in the national
queries 1318 and 1319; a drug struck off may stay payable for a while at the old standard.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, Protocol

from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, Sex
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Circumstances, Mapping, applying, within_ages
from hub.core.money import Rate


class HospitalLevel(StrEnum):
    """Hospital levels (医院等级): the first is the smallest."""

    LEVEL_1 = "1"
    LEVEL_2 = "2"
    LEVEL_3 = "3"


class BenefitClass(StrEnum):
    """甲: wholly in policy; 乙: in policy after a first self-pay; 丙: see the region's rule, usually not payable."""

    A = "A"
    B = "B"
    C = "C"


class CareSetting(StrEnum):
    """Where care is given: in a ward, or to somebody who goes home."""

    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"


class Unmet(StrEnum):
    """Which part of a restriction a line does not meet."""

    SEX = "sex"
    AGE = "age"
    DIAGNOSIS = "diagnosis"
    SETTING = "setting"
    LEVEL = "level"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class Restriction:
    """For whom and where an entry is paid (限定支付范围). An absent part does not matter.

    Ages are whole years, both ends included. `diagnoses` are beginnings of diagnosis codes, of which one must fit.
    `most_days` is the longest course in one stay, counted in days on which the code is charged. What is not known
    does not meet a restriction: the hospital sends it, or the line is the person's.
    """

    sex: Sex | None = None
    age_from: int | None = None
    age_to: int | None = None
    diagnoses: tuple[str, ...] = ()
    inpatient_only: bool = False
    levels: frozenset[HospitalLevel] = frozenset()
    most_days: int | None = None

    def __post_init__(self) -> None:
        if self.age_from is not None and self.age_to is not None and self.age_to < self.age_from:
            raise NotAllowed("restriction_ages", f"ages {self.age_from} to {self.age_to}: the first is above the last")
        if self.most_days is not None and self.most_days < 1:
            raise NotAllowed("restriction_days", "a course has at least one day")

    def unmet(
        self, found: Circumstances, *, level: HospitalLevel, setting: CareSetting, day_of_course: int
    ) -> Unmet | None:
        """The first part that is not met, in the order of the fields; None if all are."""
        if self.sex is not None and found.sex is not self.sex:
            return Unmet.SEX
        if not within_ages(found.age, first=self.age_from, last=self.age_to):
            return Unmet.AGE
        if self.diagnoses and not any(code.startswith(self.diagnoses) for code in found.diagnoses or ()):
            return Unmet.DIAGNOSIS
        if self.inpatient_only and setting is not CareSetting.INPATIENT:
            return Unmet.SETTING
        if self.levels and level not in self.levels:
            return Unmet.LEVEL
        if self.most_days is not None and day_of_course > self.most_days:
            return Unmet.COURSE
        return None


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """An entry of a region's catalog over a span of days.

    `price_limits` gives the highest price per unit in yuan, exact, by hospital level; a level that is absent has no
    limit. `payment_standard` (医保支付标准) is the price in yuan that the funds share in, at every level: what is above
    it is the person's, and a lower price is shared as it is. `first_self_pay` is the part of the price that the person
    pays before any fund (先行自付), `Rate(1)` meaning not payable; `first_self_pay_of` holds where a region sets
    another ratio for one insurance type. Struck off on the last day of `valid`, the entry stays payable at its old
    terms up to the day before `grace_until`.
    """

    local: LocalCode
    name: str
    unit: str
    benefit_class: BenefitClass
    first_self_pay: Rate
    price_limits: MappingOf[HospitalLevel, Fraction]
    valid: Span
    payment_standard: Fraction | None = None
    first_self_pay_of: MappingOf[InsuranceType, Rate] = field(default_factory=dict)
    restriction: Restriction | None = None
    grace_until: date | None = None

    def __post_init__(self) -> None:
        rates = (self.first_self_pay, *self.first_self_pay_of.values())
        if self.benefit_class is BenefitClass.A and any(rate.value != 0 for rate in rates):
            raise NotAllowed("class_a_self_pay", f"{self.local.code}: a class A entry has no first self-pay")
        if any(limit < 0 for limit in self.price_limits.values()):
            raise NotAllowed("price_limit_negative", f"{self.local.code}: a price limit is not negative")
        if self.payment_standard is not None and self.payment_standard < 0:
            raise NotAllowed("payment_standard_negative", f"{self.local.code}: a payment standard is not negative")
        if self.grace_until is not None and (self.valid.end is None or self.grace_until <= self.valid.end):
            raise NotAllowed("grace_span", f"{self.local.code}: grace begins when the entry is struck off")

    @property
    def payable(self) -> Span:
        """The days on which the entry is paid, with its grace."""
        return self.valid if self.grace_until is None else Span(self.valid.start, self.grace_until)

    def limit_for(self, level: HospitalLevel) -> Fraction | None:
        return self.price_limits.get(level)

    def self_pay_for(self, insurance_type: InsuranceType | None) -> Rate:
        if insurance_type is None:
            return self.first_self_pay
        return self.first_self_pay_of.get(insurance_type, self.first_self_pay)


# --- over time ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What one release says of one code, and on which days that release is the one in force."""

    span: Span
    items: Sequence[CatalogItem]
    mappings: Sequence[Mapping]


class CatalogSource(Protocol):
    """Where a region's catalog comes from: its releases, each for the days on which it is in force."""

    def held(self, kind: CatalogKind, code: str) -> Sequence[Held]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """A decided change of one code: an entry or a mapping in place of the release's, on its own days.

    `order` says which of two changes was decided later. A release that begins after a change did and names the code
    itself takes its place.
    """

    order: int
    new: CatalogItem | Mapping

    @property
    def local(self) -> LocalCode:
        return self.new.local


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which nothing changes for one code: its entry, and the mappings that may apply."""

    span: Span
    item: CatalogItem | None
    mappings: tuple[Mapping, ...]
    in_grace: bool


class CareCatalog:
    """One region's catalog: what holds for a code on a day, worked out when first asked for and kept.

    Threads may share it: two that work out one code at once find equal values.
    """

    def __init__(self, region: Region, source: CatalogSource, *, changes: Iterable[Change] = ()) -> None:
        self.region = region
        self._source = source
        self._changes: dict[tuple[CatalogKind, str], list[Change]] = {}
        for change in changes:
            if change.local.region != region:
                raise Inconsistent("change_region", f"a change of {change.local.region} in the catalog of {region}")
            self._changes.setdefault((change.local.kind, change.local.code), []).append(change)
        # Only codes that exist are kept: what hospitals mistype must not fill the memory.
        self._known: dict[tuple[CatalogKind, str], tuple[Stretch, ...]] = {}
        self._kept: dict[Hashable, dict[str, Any]] = {}

    def with_changes(self, changes: Iterable[Change]) -> CareCatalog:
        """The same catalog as it would be with further changes, for looking at before they are decided."""
        kept = [one for several in self._changes.values() for one in several]
        return CareCatalog(self.region, self._source, changes=[*kept, *changes])

    def without_change(self, order: int) -> CareCatalog:
        """The same catalog as it would be had one decided change never been, for looking at before it is undone."""
        kept = [one for several in self._changes.values() for one in several if one.order != order]
        return CareCatalog(self.region, self._source, changes=kept)

    def stretches(self, kind: CatalogKind, code: str) -> tuple[Stretch, ...]:
        """All that ever holds for a code, in order of time; nothing where the region has no such code."""
        found = self._known.get((kind, code))
        if found is None:
            found = _stretches(self._source.held(kind, code), self._changes.get((kind, code), ()))
            if found:
                self._known[kind, code] = found
        return found

    def kept(self, key: Hashable) -> dict[str, Any]:
        """A place for what others work out of this catalog by code; it goes when the catalog goes."""
        return self._kept.setdefault(key, {})

    def on(self, kind: CatalogKind, code: str, day: date) -> Stretch | None:
        """What holds for a code on a day."""
        return next((one for one in self.stretches(kind, code) if day in one.span), None)

    def item(self, local: LocalCode, on: date) -> CatalogItem | None:
        """The entry of a local code on a day, grace included; None if the catalog of that day has none."""
        self._check(local)
        found = self.on(local.kind, local.code, on)
        return None if found is None else found.item

    def mapping(self, local: LocalCode, on: date) -> Mapping | None:
        """The mapping of a local code on a day where no condition is looked at; None if it is not mapped then."""
        self._check(local)
        found = self.on(local.kind, local.code, on)
        return None if found is None else applying(found.mappings, Circumstances(on))

    def _check(self, local: LocalCode) -> None:
        if local.region != self.region:
            raise NotAllowed("catalog_missing", f"this is the catalog of {self.region}, not of {local.region}")


def _stretches(held: Sequence[Held], changes: Sequence[Change]) -> tuple[Stretch, ...]:
    """Cut time wherever anything begins or ends, and say of each piece what holds; pieces alike are joined."""
    starts: set[date] = set()
    ends: set[date] = set()
    for span in _all_spans(held, changes):
        starts.add(span.start)
        if span.end is not None:
            ends.add(span.end)
    cuts = sorted(starts | ends)
    found: list[Stretch] = []
    for number, start in enumerate(cuts):
        end = cuts[number + 1] if number + 1 < len(cuts) else None
        piece = _piece(Span(start, end), held, changes)
        if piece is None:
            continue
        last = found[-1] if found else None
        if last is not None and last.span.end == start and _alike(last, piece):
            found[-1] = Stretch(Span(last.span.start, end), piece.item, piece.mappings, piece.in_grace)
        else:
            found.append(piece)
    return tuple(found)


def _all_spans(held: Sequence[Held], changes: Sequence[Change]) -> Iterable[Span]:
    for one in held:
        yield one.span
        for item in one.items:
            yield item.valid
            yield item.payable
        for mapping in one.mappings:
            yield mapping.valid
    for change in changes:
        yield change.new.valid
        if isinstance(change.new, CatalogItem):
            yield change.new.payable


def _alike(one: Stretch, other: Stretch) -> bool:
    return (one.item, one.mappings, one.in_grace) == (other.item, other.mappings, other.in_grace)


def _piece(span: Span, held: Sequence[Held], changes: Sequence[Change]) -> Stretch | None:
    """What holds on days within which nothing begins or ends."""
    day = span.start
    release = next((one for one in held if day in one.span), None)
    item, in_grace = _item_on(day, () if release is None else release.items)
    mappings = () if release is None else tuple(one for one in release.mappings if day in one.valid)
    has_item, has_mappings = item is not None, bool(mappings)
    for change in sorted(changes, key=lambda one: one.order):
        new = change.new
        begins_later = release is not None and release.span.start > new.valid.start
        if isinstance(new, CatalogItem):
            if day in new.payable and not (begins_later and has_item):
                item, in_grace = new, day not in new.valid
        elif day in new.valid and not (begins_later and has_mappings):
            mappings = (*(one for one in mappings if one.condition != new.condition), new)
    if item is None and not mappings:
        return None
    return Stretch(span, item, mappings, in_grace)


def _item_on(day: date, items: Sequence[CatalogItem]) -> tuple[CatalogItem | None, bool]:
    """The entry in force on a day, or else one in its grace."""
    in_force = next((one for one in items if day in one.valid), None)
    if in_force is not None:
        return in_force, False
    in_grace = next((one for one in items if day in one.payable), None)
    return in_grace, in_grace is not None
