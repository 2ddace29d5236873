"""Loads a region's catalog: its local codes with class, price limit and first self-pay, from a day on.

Knows what a region's catalog.toml declares, and that a region may use its own codes or have adopted the
unified ones. Must not know bills, policies of the insured's region, or the database.
Sources stand in each catalog.toml.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from catalogs.descriptor import Section, read_descriptor
from catalogs.faults import FaultList
from catalogs.listing import Listing, load_listing, read_class, selling_unit
from catalogs.mapping import MappingRelease, load_mapping
from catalogs.tables import Quarantined, Source
from catalogs.unified import ACTIVE, CLASS_COLUMN, UnifiedEntry, UnifiedRelease, read_kind, release_name
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel
from hub.core.codes import BILLABLE_KINDS, CatalogKind, LocalCode, Region
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Grade, Mapping
from hub.core.money import Rate, percent

_ON_EVERY_BILL = (CatalogKind.DRUG, CatalogKind.HERBAL, CatalogKind.SERVICE)
_NOTHING = Rate(Fraction(0))
_NO_LIMITS: MappingOf[HospitalLevel, Fraction] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assumption:
    """The class given, from a day on, to entries of a kind for which no source publishes one."""

    kind: CatalogKind
    benefit_class: BenefitClass
    start: date
    because: str


class Terms(NamedTuple):
    """How entries of one published class are paid, and on which days."""

    benefit_class: BenefitClass
    first_self_pay: Rate
    valid: Span


@dataclass(frozen=True, slots=True)
class Adoption:
    """A kind for which a region uses the unified codes as its own, from a day on.

    `terms` are worked out once for each class that the book publishes; the empty text stands for no published class.
    """

    kind: CatalogKind
    valid: Span
    because: str
    terms: MappingOf[str, Terms]


@dataclass(frozen=True, slots=True)
class RegionRelease:
    """A region's checked catalog, whole.

    `items` and `mappings` hold the region's own codes only; for the kinds in `adopted` each active entry of
    the unified release is an entry here (`adopted_item`, `adopted_mapping`), so that nobody needs to copy
    them.
    """

    region: Region
    name: str
    release: str
    unified_release: str
    digest: str
    valid: Span
    first_self_pay: MappingOf[BenefitClass, Rate]
    items: tuple[CatalogItem, ...]
    mappings: tuple[Mapping, ...]
    mapping_releases: tuple[MappingRelease, ...]
    adopted: tuple[Adoption, ...]
    assumed: tuple[Assumption, ...]
    sources: tuple[Source, ...]
    quarantined: tuple[Quarantined, ...]

    def adoption(self, kind: CatalogKind) -> Adoption | None:
        """Since when the region uses the unified codes of a kind as its own; None if it does not."""
        for one in self.adopted:
            if one.kind is kind:
                return one
        return None

    def adopted_item(self, entry: UnifiedEntry) -> CatalogItem | None:
        """The entry of an adopted unified code; None if its kind is not adopted or the code not active."""
        adoption = self.adoption(entry.code.kind)
        if adoption is None or entry.status != ACTIVE:
            return None
        terms = adoption.terms[entry.attributes.get(CLASS_COLUMN, "")]
        return CatalogItem(
            local=LocalCode(self.region, entry.code.kind, entry.code.code),
            name=entry.name,
            unit=selling_unit(entry.attributes.get("package", "")),
            benefit_class=terms.benefit_class,
            first_self_pay=terms.first_self_pay,
            price_limits=_NO_LIMITS,
            valid=terms.valid,
        )

    def adopted_mapping(self, entry: UnifiedEntry) -> Mapping | None:
        """The identity mapping of an adopted unified code; None as for `adopted_item`."""
        adoption = self.adoption(entry.code.kind)
        if adoption is None or entry.status != ACTIVE:
            return None
        return Mapping(
            local=LocalCode(self.region, entry.code.kind, entry.code.code),
            unified=entry.code,
            grade=Grade.EXACT,
            valid_from=adoption.valid.start,
            valid_until=adoption.valid.end,
        )


@dataclass(frozen=True, slots=True)
class _Paying:
    """A region's ratios and assumptions, from which the terms of each entry follow."""

    first_self_pay: MappingOf[BenefitClass, Rate]
    assumed: tuple[Assumption, ...]

    def terms(self, kind: CatalogKind, published: BenefitClass | None, valid: Span) -> Terms:
        """The published class, or else the assumed one from the day of the assumption."""
        if published is not None:
            return Terms(published, self.first_self_pay[published], valid)
        for one in self.assumed:
            if one.kind is kind:
                days = Span(max(valid.start, one.start), valid.end)
                return Terms(one.benefit_class, self.first_self_pay[one.benefit_class], days)
        raise Inconsistent("class_missing", f"no class is published or assumed for a {kind}: loading lets none through")


@dataclass(frozen=True, slots=True)
class _Own:
    """A kind for which the region uses its own codes: listing, mapping, and limit columns by level."""

    section: Section
    kind: CatalogKind
    listing: str
    mapping: str
    limit_columns: MappingOf[HospitalLevel, str]


def load_region(folder: Path, unified: UnifiedRelease) -> RegionRelease:
    """Read and check a region's catalog with the listings and mappings it names; whole or not at all.

    `folder` is <catalogs>/regions/<code>/<release>; listings are found under <catalogs>/regions, mappings
    under <catalogs>/mappings. Raises CatalogFaults with every fault; if a listing or a mapping is at fault,
    with theirs.
    """
    faults = FaultList()
    what = f"regions/{folder.parent.name}/{folder.name}"
    top, digest = read_descriptor(folder / "catalog.toml", faults=faults, what=what)
    release = release_name(top, folder)
    name = top.text("name")
    region_text = top.text("region")
    if unified.find(CatalogKind.AREA, region_text) is None or region_text != folder.parent.name:
        top.fault(
            "region",
            "region_unknown",
            f"is {region_text!r}: it is the folder's name and a code of the area book",
        )
    if top.text("unified") != unified.release:
        top.fault("unified", "unified_release", f"is not the unified release in use, {unified.release!r}")
    valid = Span(top.day("valid_from"))
    top.text("about")
    first_self_pay = _read_self_pay(top.section("first_self_pay"))
    own = [one for one in map(_read_own, top.sections("own")) if one]
    adoptions = [one for one in map(_read_adoption, top.sections("adopted")) if one]
    assumed = tuple(one for one in map(_read_assumption, top.sections("assumed")) if one)
    top.finish()
    _check_kinds(top, [one.kind for one in own] + [one.kind for one in adoptions])
    _check_assumed(top, unified, adoptions=adoptions, assumed=assumed)
    faults.stop_if_any(what)

    region = Region(region_text)
    paying = _Paying(MappingProxyType(first_self_pay), assumed)
    adopted = tuple(_with_terms(one, unified, paying) for one in adoptions)
    root = folder.parents[2]
    listings = [load_listing(root / "regions" / one.listing) for one in own]
    for one, listing in zip(own, listings, strict=True):
        _check_listing(one, listing, assumed)
    faults.stop_if_any(what)
    mapped = [
        load_mapping(root / "mappings" / one.mapping, region=region, unified=unified, local_codes=listing.rows.keys())
        for one, listing in zip(own, listings, strict=True)
    ]
    return RegionRelease(
        region=region,
        name=name,
        release=release,
        unified_release=unified.release,
        digest=digest,
        valid=valid,
        first_self_pay=paying.first_self_pay,
        items=tuple(
            item
            for one, listing in zip(own, listings, strict=True)
            for item in _items(one, listing, region=region, valid=valid, paying=paying)
        ),
        mappings=tuple(entry.mapping for one in mapped for entry in one.entries),
        mapping_releases=tuple(mapped),
        adopted=adopted,
        assumed=assumed,
        sources=(*(one.source for one in listings), *(one.source for one in mapped)),
        quarantined=(
            *(row for one in listings for row in one.quarantined),
            *(row for one in mapped for row in one.quarantined),
        ),
    )


def _items(own: _Own, listing: Listing, *, region: Region, valid: Span, paying: _Paying) -> list[CatalogItem]:
    items = []
    for row in listing.rows.values():
        terms = paying.terms(own.kind, row.published_class, valid)
        items.append(
            CatalogItem(
                local=LocalCode(region, own.kind, row.code),
                name=row.name,
                unit=row.unit,
                benefit_class=terms.benefit_class,
                first_self_pay=terms.first_self_pay,
                price_limits=MappingProxyType(
                    {level: row.limits[column] for level, column in own.limit_columns.items() if column in row.limits}
                ),
                valid=terms.valid,
            )
        )
    return items


def _with_terms(adoption: Adoption, unified: UnifiedRelease, paying: _Paying) -> Adoption:
    published = {entry.attributes.get(CLASS_COLUMN, "") for entry in unified.books[adoption.kind].values()}
    terms = {
        text: paying.terms(adoption.kind, read_class(text) if text else None, adoption.valid) for text in published
    }
    return replace(adoption, terms=MappingProxyType(terms))


def _read_self_pay(section: Section) -> dict[BenefitClass, Rate]:
    """The first self-pay ratio by class; class A has none by definition."""
    rates = {BenefitClass.A: _NOTHING}
    for benefit_class in (BenefitClass.B, BenefitClass.C):
        text = section.text(benefit_class.value)
        try:
            rates[benefit_class] = percent(text)
        except NotAllowed as error:
            section.fault(benefit_class.value, error.code, error.message)
    section.text("because")
    section.finish()
    return rates


def _read_own(section: Section) -> _Own | None:
    kind = read_kind(section)
    limits: dict[HospitalLevel, str] = {}
    for level, column in section.pairs("price_limits").items():
        if level in list(HospitalLevel):
            limits[HospitalLevel(level)] = column
        else:
            section.fault("price_limits", "level_unknown", f"{level!r} is not one of {', '.join(HospitalLevel)}")
    listing, mapping = section.text("listing"), section.text("mapping")
    section.text("because")
    section.finish()
    return None if kind is None else _Own(section, kind, listing, mapping, limits)


def _read_adoption(section: Section) -> Adoption | None:
    kind = read_kind(section)
    start, because = section.day("from"), section.text("because")
    section.finish()
    return None if kind is None else Adoption(kind, Span(start), because, MappingProxyType({}))


def _read_assumption(section: Section) -> Assumption | None:
    kind = read_kind(section)
    start, because, class_text = section.day("from"), section.text("because"), section.text("class")
    section.finish()
    if class_text not in list(BenefitClass):
        section.fault("class", "class_unknown", f"is {class_text!r}: it is one of {', '.join(BenefitClass)}")
        return None
    return None if kind is None else Assumption(kind, BenefitClass(class_text), start, because)


def _check_kinds(top: Section, kinds: list[CatalogKind]) -> None:
    """Each kind that a fee line can name is the region's own or adopted, once at most; those of every bill once."""
    for kind in BILLABLE_KINDS:
        if kinds.count(kind) > 1 or (kind in _ON_EVERY_BILL and not kinds.count(kind)):
            top.fault("own, adopted", "kind_once", f"name {kind} {kinds.count(kind)} times: it must be once")
    for kind in kinds:
        if kind not in BILLABLE_KINDS:
            top.fault("own, adopted", "kind_not_billable", f"name {kind}, which no fee line can name")


def _check_assumed(
    top: Section, unified: UnifiedRelease, *, adoptions: list[Adoption], assumed: tuple[Assumption, ...]
) -> None:
    """A kind has one assumption at most, and one where an adopted entry has no published class."""
    kinds = [one.kind for one in assumed]
    for kind in BILLABLE_KINDS:
        if kinds.count(kind) > 1:
            top.fault("assumed", "assumed_twice", f"gives {kind} more than one class")
    for one in adoptions:
        book = unified.books.get(one.kind)
        if book is None:
            top.fault("adopted", "book_missing", f"names {one.kind}, of which the unified release has no file")
        elif one.kind not in kinds and any(CLASS_COLUMN not in entry.attributes for entry in book.values()):
            top.fault(
                "assumed",
                "class_missing",
                f"gives {one.kind} no class, and its entries have no published one",
            )


def _check_listing(own: _Own, listing: Listing, assumed: tuple[Assumption, ...]) -> None:
    section = own.section
    if listing.kind is not own.kind:
        section.fault("listing", "kind_differs", f"is a listing of {listing.kind}, not of {own.kind}")
    for column in own.limit_columns.values():
        if column not in listing.limit_columns:
            section.fault(
                "price_limits", "column_unknown", f"names {column!r}, which is no price column of the listing"
            )
    without = sum(row.published_class is None for row in listing.rows.values())
    if without and own.kind not in {one.kind for one in assumed}:
        section.fault(
            "listing",
            "class_missing",
            f"has {without} rows without a published class: declare one under [[assumed]]",
        )
