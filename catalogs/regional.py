"""Loads a region's catalog: its codes with class, price limit, first self-pay and restriction, from a day on.

Knows what a region's catalog.toml declares, and that a region may use its own codes, have adopted the unified ones, or
change from the former to the latter on a day. Must not know bills, policies of the insured's region, or the database.
Sources stand in each catalog.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from catalogs.books import ACTIVE, CLASS_COLUMN
from catalogs.descriptor import Section, read_descriptor
from catalogs.faults import FaultList
from catalogs.handover import Handover, check_handover
from catalogs.listing import Listing, load_listing, read_class, selling_unit
from catalogs.mapping import MappedEntry, MappingRelease, load_mapping
from catalogs.tables import Quarantined, Source, Table
from catalogs.terms import cut_at, read_terms
from catalogs.unified import UnifiedEntry, UnifiedRelease, read_kind, release_name
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel
from hub.core.codes import BILLABLE_KINDS, CatalogKind, InsuranceType, LocalCode, Region
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
    first_self_pay_of: MappingOf[InsuranceType, Rate]
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

    `items` and `mappings` hold the region's own codes, and the unified codes for which it states terms (`stated`); for
    the kinds in `adopted` each other active entry of the unified release is an entry here (`adopted_item`,
    `adopted_mapping`), so that nobody needs to copy them.
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
    stated: frozenset[tuple[CatalogKind, str]]
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
        """The entry of an adopted unified code; None if its kind is not adopted, the code not active, or its terms
        stated in `items`.
        """
        adoption = self.adoption(entry.code.kind)
        if adoption is None or entry.status != ACTIVE or (entry.code.kind, entry.code.code) in self.stated:
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
            first_self_pay_of=terms.first_self_pay_of,
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
    of_type: MappingOf[BenefitClass, MappingOf[InsuranceType, Rate]]
    assumed: tuple[Assumption, ...]

    def of_class(self, benefit_class: BenefitClass) -> tuple[Rate, MappingOf[InsuranceType, Rate]]:
        """The ratio of a class for everybody, and those set for one insurance type."""
        return self.first_self_pay[benefit_class], self.of_type[benefit_class]

    def terms(self, kind: CatalogKind, published: BenefitClass | None, valid: Span) -> Terms:
        """The published class, or else the assumed one from the day of the assumption."""
        if published is not None:
            return Terms(published, *self.of_class(published), valid)
        for one in self.assumed:
            if one.kind is kind:
                days = Span(max(valid.start, one.start), valid.end)
                return Terms(one.benefit_class, *self.of_class(one.benefit_class), days)
        raise Inconsistent("class_missing", f"no class is published or assumed for a {kind}: loading lets none through")


@dataclass(frozen=True, slots=True)
class _Tables:
    """Where a release's tables of terms lie: in its folder, or in that of an older release of the region."""

    folder: Path
    regions: Path

    def described(self, section: Section) -> Table | None:
        """The table of terms that a section describes; None if it has none."""
        return Table(self.folder, section.section("file"), root=self.regions) if section.has("file") else None


@dataclass(frozen=True, slots=True)
class _Own:
    """A kind for which the region uses its own codes: a listing or a table of terms, and their mapping."""

    section: Section
    kind: CatalogKind
    listing: str
    table: Table | None
    mapping: str
    limit_columns: MappingOf[HospitalLevel, str]
    until: date | None


@dataclass(frozen=True, slots=True)
class _Adopted:
    """An adoption as declared, with the table of terms that the region states for unified codes."""

    adoption: Adoption
    table: Table | None


@dataclass(frozen=True, slots=True)
class _Made:
    """What one kind's own codes, or terms stated for unified ones, come to."""

    items: tuple[CatalogItem, ...]
    sources: tuple[Source, ...]
    quarantined: tuple[Quarantined, ...]
    mapped: MappingRelease | None = None


def load_region(folder: Path, unified: UnifiedRelease, *, root: Path | None = None) -> RegionRelease:
    """Read and check a region's catalog with the listings and mappings it names; whole or not at all.

    `folder` is <catalogs>/regions/<code>/<release>, or stands elsewhere while `root` names <catalogs>; listings are
    found under <catalogs>/regions, mappings under <catalogs>/mappings. Raises CatalogFaults with every fault; if a
    listing or a mapping is at fault, with theirs.
    """
    faults = FaultList()
    what = f"regions/{folder.parent.name}/{folder.name}"
    root = root or folder.parents[2]
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
    first_self_pay, of_type = _read_self_pay(top.section("first_self_pay"))
    handovers: dict[CatalogKind, Handover] = {}
    tables = _Tables(folder, root / "regions")
    own = [one for one in (_read_own(part, tables, handovers) for part in top.sections("own")) if one]
    adoptions = [one for one in (_read_adoption(part, tables, handovers) for part in top.sections("adopted")) if one]
    assumed = tuple(one for one in map(_read_assumption, top.sections("assumed")) if one)
    top.finish()
    if _check_kinds(top, own=[one.kind for one in own], adopted=[one.adoption.kind for one in adoptions]):
        for kind, handover in handovers.items():
            check_handover(top, kind, handover, start=valid.start)
    _check_assumed(top, unified, adoptions=adoptions, assumed=assumed)
    faults.stop_if_any(what)

    region = Region(region_text)
    paying = _Paying(MappingProxyType(first_self_pay), MappingProxyType(of_type), assumed)
    made = [
        *(_make_own(one, region, unified, root=root, valid=valid, paying=paying, what=what) for one in own),
        *(_make_stated(one, region, unified, paying=paying, what=what) for one in adoptions if one.table),
    ]
    stated = frozenset((item.local.kind, item.local.code) for one in made[len(own) :] for item in one.items)
    mapped = tuple(one.mapped for one in made if one.mapped)
    return RegionRelease(
        region=region,
        name=name,
        release=release,
        unified_release=unified.release,
        digest=digest,
        valid=valid,
        first_self_pay=paying.first_self_pay,
        items=tuple(item for one in made for item in one.items),
        mappings=tuple(entry.mapping for one in mapped for entry in one.entries),
        mapping_releases=mapped,
        adopted=tuple(_with_terms(one.adoption, unified, paying) for one in adoptions),
        stated=stated,
        assumed=assumed,
        sources=(*(source for one in made for source in one.sources), *(one.source for one in mapped)),
        quarantined=(
            *(row for one in made for row in one.quarantined),
            *(row for one in mapped for row in one.quarantined),
        ),
    )


def _make_own(
    own: _Own, region: Region, unified: UnifiedRelease, *, root: Path, valid: Span, paying: _Paying, what: str
) -> _Made:
    """The region's own codes up to the day it gives them up, and their mappings."""
    faults = own.section.faults
    if own.table is not None:
        within = Span(valid.start, own.until)
        items = read_terms(own.table, region=region, kind=own.kind, within=within, paying=paying.of_class)
        own.table.finish()
        sources, quarantined = (own.table.source,), tuple(own.table.quarantined)
    else:
        listing = load_listing(root / "regions" / own.listing)
        _check_listing(own, listing, paying.assumed)
        faults.stop_if_any(what)
        items = [cut_at(item, own.until) for item in _items(own, listing, region=region, valid=valid, paying=paying)]
        sources, quarantined = (listing.source,), listing.quarantined
    codes = {item.local.code for item in items}
    if own.until is not None:
        for code in sorted(code for code in codes if unified.find(own.kind, code)):
            own.section.fault("until", "code_twice", f"is for own codes, but {code} is a unified code as well")
    faults.stop_if_any(what)
    mapped = None
    if own.mapping:
        found = load_mapping(root / "mappings" / own.mapping, region=region, unified=unified, local_codes=codes)
        mapped = replace(found, entries=tuple(_until(found.entries, own.until)))
    return _Made(tuple(items), sources, quarantined, mapped)


def _make_stated(adopted: _Adopted, region: Region, unified: UnifiedRelease, *, paying: _Paying, what: str) -> _Made:
    """The terms that a region states for unified codes."""
    table, adoption = adopted.table, adopted.adoption
    assert table is not None
    items = read_terms(table, region=region, kind=adoption.kind, within=adoption.valid, paying=paying.of_class)
    for item in items:
        entry = unified.find(adoption.kind, item.local.code)
        if entry is None or entry.status != ACTIVE:
            table.faults.add(
                f"{table.name} {item.local.code}",
                "code_unknown",
                f"is no active {adoption.kind} of the release {unified.release}: the region has adopted its codes",
            )
    table.finish()
    table.faults.stop_if_any(what)
    return _Made(tuple(items), (table.source,), tuple(table.quarantined))


def _until(entries: Iterable[MappedEntry], end: date | None) -> Iterator[MappedEntry]:
    """Mappings up to the day on which the region gives its codes up; one that begins later never applies."""
    for entry in entries:
        mapping = entry.mapping
        if end is None or (mapping.valid_until is not None and mapping.valid_until <= end):
            yield entry
        elif mapping.valid_from < end:
            yield replace(entry, mapping=replace(mapping, valid_until=end))


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
                first_self_pay_of=terms.first_self_pay_of,
            )
        )
    return items


def _with_terms(adoption: Adoption, unified: UnifiedRelease, paying: _Paying) -> Adoption:
    published = {entry.attributes.get(CLASS_COLUMN, "") for entry in unified.books[adoption.kind].values()}
    terms = {
        text: paying.terms(adoption.kind, read_class(text) if text else None, adoption.valid) for text in published
    }
    return replace(adoption, terms=MappingProxyType(terms))


def _read_self_pay(
    section: Section,
) -> tuple[dict[BenefitClass, Rate], dict[BenefitClass, MappingOf[InsuranceType, Rate]]]:
    """The first self-pay ratio by class, and by class and insurance type where a table of that number sets another;
    class A has none by definition.
    """
    rates = {BenefitClass.A: _NOTHING}
    of_type: dict[BenefitClass, dict[InsuranceType, Rate]] = {one: {} for one in BenefitClass}
    for benefit_class in (BenefitClass.B, BenefitClass.C):
        rate = _read_rate(section, benefit_class.value)
        if rate is not None:
            rates[benefit_class] = rate
    for insurance_type in InsuranceType:
        if section.has(insurance_type.value):
            inner = section.section(insurance_type.value)
            for benefit_class in (BenefitClass.B, BenefitClass.C):
                rate = _read_rate(inner, benefit_class.value) if inner.has(benefit_class.value) else None
                if rate is not None:
                    of_type[benefit_class][insurance_type] = rate
            inner.finish()
    section.text("because")
    section.finish()
    return rates, {one: MappingProxyType(found) for one, found in of_type.items()}


def _read_rate(section: Section, key: str) -> Rate | None:
    try:
        return percent(section.text(key))
    except NotAllowed as error:
        section.fault(key, error.code, error.message)
        return None


def _read_own(section: Section, tables: _Tables, handovers: dict[CatalogKind, Handover]) -> _Own | None:
    kind = read_kind(section)
    limits: dict[HospitalLevel, str] = {}
    for level, column in section.pairs("price_limits").items():
        if level in list(HospitalLevel):
            limits[HospitalLevel(level)] = column
        else:
            section.fault("price_limits", "level_unknown", f"{level!r} is not one of {', '.join(HospitalLevel)}")
    table = tables.described(section)
    listing = "" if table is not None else section.text("listing")
    mapping = section.text("mapping") if section.has("mapping") else ""
    until = section.day("until") if section.has("until") else None
    gap = section.text("gap_because") if section.has("gap_because") else ""
    section.text("because")
    section.finish()
    if kind is None:
        return None
    handovers[kind] = Handover(own=True, until=until, gap_because=gap)
    return _Own(section, kind, listing, table, mapping, limits, until)


def _read_adoption(section: Section, tables: _Tables, handovers: dict[CatalogKind, Handover]) -> _Adopted | None:
    kind = read_kind(section)
    start, because = section.day("from"), section.text("because")
    table = tables.described(section)
    gap = section.text("gap_because") if section.has("gap_because") else ""
    overlap = section.text("overlap_because") if section.has("overlap_because") else ""
    section.finish()
    if kind is None:
        return None
    before = handovers.get(kind, Handover())
    handovers[kind] = replace(before, adopted=start, gap_because=before.gap_because or gap, overlap_because=overlap)
    return _Adopted(Adoption(kind, Span(start), because, MappingProxyType({})), table)


def _read_assumption(section: Section) -> Assumption | None:
    kind = read_kind(section)
    start, because, class_text = section.day("from"), section.text("because"), section.text("class")
    section.finish()
    if class_text not in list(BenefitClass):
        section.fault("class", "class_unknown", f"is {class_text!r}: it is one of {', '.join(BenefitClass)}")
        return None
    return None if kind is None else Assumption(kind, BenefitClass(class_text), start, because)


def _check_kinds(top: Section, *, own: list[CatalogKind], adopted: list[CatalogKind]) -> bool:
    """Each kind that a fee line can name has own codes once at most and is adopted once at most; those of every bill
    are one or the other, or first one and then the other. Says whether it is so.
    """
    before = top.faults.total
    for kind in BILLABLE_KINDS:
        if own.count(kind) > 1 or adopted.count(kind) > 1:
            count = own.count(kind) + adopted.count(kind)
            top.fault("own, adopted", "kind_once", f"name {kind} {count} times: it must be once")
        elif kind in _ON_EVERY_BILL and kind not in (*own, *adopted):
            top.fault("own, adopted", "kind_once", f"name {kind} 0 times: it must be once")
    for kind in (*own, *adopted):
        if kind not in BILLABLE_KINDS:
            top.fault("own, adopted", "kind_not_billable", f"name {kind}, which no fee line can name")
    return top.faults.total == before


def _check_assumed(
    top: Section, unified: UnifiedRelease, *, adoptions: list[_Adopted], assumed: tuple[Assumption, ...]
) -> None:
    """A kind has one assumption at most, and one where an adopted entry has no published class."""
    kinds = [one.kind for one in assumed]
    for kind in BILLABLE_KINDS:
        if kinds.count(kind) > 1:
            top.fault("assumed", "assumed_twice", f"gives {kind} more than one class")
    for one in adoptions:
        kind = one.adoption.kind
        book = unified.books.get(kind)
        if book is None:
            top.fault("adopted", "book_missing", f"names {kind}, of which the unified release has no file")
        elif kind not in kinds and any(CLASS_COLUMN not in entry.attributes for entry in book.values()):
            top.fault("assumed", "class_missing", f"gives {kind} no class, and its entries have no published one")


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
