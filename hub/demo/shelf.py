"""What a hospital may put on a bill: items of the real catalogs in the region's own codes, each with a price.

Knows where a price comes from, and which items belong on an ordinary ward. Must not know persons or stays.
Prices: the region's limit or the drug's listed price where the catalogs have one, and Jiangsu's price of the same
national service elsewhere; what has none gets a plausible price of its chapter, the same each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from catalogs.load import Catalogs, RegionRelease
from hub.core.catalog import CatalogItem, HospitalLevel
from hub.core.codes import CatalogKind, Region
from hub.core.errors import Inconsistent
from hub.core.mapping import PAYABLE_GRADES

BED = "bed"
NURSING = "nursing"
HERBAL = "herbal"

LAB = "25"
IMAGING = ("21", "22", "23")
TREATMENT = ("12", "31", "34", "42", "43", "45")
OPERATION = "33"
ANAESTHESIA = "3301"

_BEDS = ("三人间床位费", "普通病房床位费(三人间)")
_NURSINGS = ("Ⅱ级护理",)

_CHAPTER_PRICES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "11": (30, 35, 40, 45),
        "12": (4, 8, 12, 20, 30),
        "21": (60, 110, 180, 260, 480),
        "22": (30, 60, 110, 160),
        "23": (80, 160, 280, 400),
        "25": (5, 8, 12, 20, 40, 80),
        "31": (20, 45, 90, 150, 260),
        "33": (600, 900, 1400, 2100, 2900),
        "34": (15, 25, 40),
        "42": (20, 40, 60),
        "43": (20, 30, 45),
        "45": (20, 30, 45),
    }
)
"""Made-up prices in whole yuan for services whose price no catalog states, by the chapter of the national list."""

_DRUG_PRICES = (4, 9, 18, 36, 72)
_HERBAL_FEN_PER_GRAM = (4, 7, 11, 16, 28, 45)

_LOCAL_PRICE_LEVEL = MappingProxyType({"450700": Fraction(85, 100), "341000": Fraction(90, 100)})
"""What a region charges of Jiangsu's price, where Jiangsu's stands in for its own; made up."""

_NOT_ON_A_WARD = ("加收", "新生儿", "婴", "儿童", "牙", "远程", "尸", "酌情", "胎", "阴道", "精子")
"""Surcharges, and what would look odd on the bill of a grown-up patient drawn at random."""


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """One billable item. `price` is yuan with at most two decimals; `group` is a drug class or a chapter.

    `limit` is the region's price limit for the hospital's level, if it has one.
    """

    kind: CatalogKind
    code: str
    name: str
    price: Fraction
    group: str
    limit: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that the hospitals of one level in one region bill from, grouped, in the order of the codes.

    `drugs` by the first two letters of the national drug code (XJ: anti-infectives), `services` by chapter and, for
    operations, by the first four digits. `unmapped` are real local codes that nobody has mapped to the national list,
    `uncovered` are these and those that are mapped but paid by no fund.
    """

    region: Region
    bed: ShelfItem
    nursing: ShelfItem
    drugs: Mapping[str, tuple[ShelfItem, ...]]
    services: Mapping[str, tuple[ShelfItem, ...]]
    herbals: tuple[ShelfItem, ...]
    unmapped: tuple[ShelfItem, ...]
    uncovered: tuple[ShelfItem, ...]


def build_shelf(catalogs: Catalogs, region: Region, level: HospitalLevel) -> Shelf:
    """Sort a region's catalog into what its hospitals of a level would bill."""
    releases = [one for one in catalogs.regions if one.region == region]
    if not releases:
        raise Inconsistent("demo_region", f"no catalog of {region} ships with the hub")
    release = max(releases, key=lambda one: one.valid.start)
    payable: list[ShelfItem] = []
    unmapped: list[ShelfItem] = []
    not_payable: list[ShelfItem] = []
    jiangsu = _jiangsu_prices(catalogs, level)
    target_of = {
        mapping.local.code: mapping.unified.code
        for mapping in release.mappings
        if mapping.unified is not None and mapping.grade in PAYABLE_GRADES
    }
    mapped = {mapping.local.code for mapping in release.mappings}
    for item in release.items:
        local = item.local
        target = target_of.get(local.code)
        if target is not None:
            chosen = payable if item.first_self_pay.value < 1 else not_payable
            chosen.append(_own(catalogs, item, target, level))
        elif local.code not in mapped and item.unit and item.first_self_pay.value < 1:
            unmapped.append(_own(catalogs, item, local.code, level))
    for kind in (CatalogKind.DRUG, CatalogKind.SERVICE, CatalogKind.FACILITY, CatalogKind.HERBAL):
        if release.adoption(kind) is not None:
            payable += _adopted(catalogs, release, kind, jiangsu)
    return _sorted_out(region, payable, unmapped=unmapped, not_payable=not_payable)


def _own(catalogs: Catalogs, item: CatalogItem, national: str, level: HospitalLevel) -> ShelfItem:
    """An item under the region's own code; `national` is its national code, or its own where it has none."""
    kind = item.local.kind
    limit = item.limit_for(level)
    if kind is CatalogKind.DRUG:
        price = _drug_price(catalogs, national)
        return ShelfItem(kind, item.local.code, item.name, price, national[:2])
    chapter = item.local.code[:4]
    return ShelfItem(
        kind, item.local.code, item.name, limit or _chapter_price(item.local.code, chapter), chapter, limit
    )


def _adopted(
    catalogs: Catalogs, release: RegionRelease, kind: CatalogKind, jiangsu: Mapping[str, Fraction]
) -> Iterable[ShelfItem]:
    share = _LOCAL_PRICE_LEVEL.get(release.region.code, Fraction(1))
    for entry in catalogs.unified.books[kind].values():
        item = release.adopted_item(entry)
        if item is None or item.first_self_pay.value == 1:
            continue
        code = entry.code.code
        if kind is CatalogKind.DRUG:
            yield ShelfItem(kind, code, entry.name, _drug_price(catalogs, code), code[:2])
        elif kind is CatalogKind.HERBAL:
            yield ShelfItem(kind, code, entry.name, Fraction(_one_of(_HERBAL_FEN_PER_GRAM, code), 100), HERBAL)
        elif code.startswith("00"):
            # Jiangsu's price taken to the local level, at whole yuan and not below one.
            known = jiangsu.get(code)
            price = Fraction(max(1, round(known * share))) if known else _chapter_price(code, code[2:6])
            yield ShelfItem(kind, code, entry.name, price, code[2:6])


def _sorted_out(
    region: Region, payable: Iterable[ShelfItem], *, unmapped: Sequence[ShelfItem], not_payable: Sequence[ShelfItem]
) -> Shelf:
    drugs: dict[str, list[ShelfItem]] = {}
    services: dict[str, list[ShelfItem]] = {}
    herbals: list[ShelfItem] = []
    beds: list[ShelfItem] = []
    nursings: list[ShelfItem] = []
    for item in sorted(payable, key=lambda one: one.code):
        if item.kind is CatalogKind.DRUG:
            drugs.setdefault(item.group, []).append(item)
        elif item.kind is CatalogKind.HERBAL:
            herbals.append(item)
        elif item.name in _BEDS:
            beds.append(item)
        elif item.name in _NURSINGS:
            nursings.append(item)
        elif not any(word in item.name for word in _NOT_ON_A_WARD):
            key = item.group if item.group.startswith(OPERATION) else item.group[:2]
            services.setdefault(key, []).append(item)
    return Shelf(
        region=region,
        bed=beds[0],
        nursing=nursings[0],
        drugs={key: tuple(found) for key, found in sorted(drugs.items())},
        services={key: tuple(found) for key, found in sorted(services.items())},
        herbals=tuple(herbals),
        unmapped=_on_a_ward(unmapped),
        uncovered=_on_a_ward((*unmapped, *not_payable)),
    )


def _on_a_ward(items: Iterable[ShelfItem]) -> tuple[ShelfItem, ...]:
    usual = (item for item in items if not any(word in item.name for word in _NOT_ON_A_WARD))
    return tuple(sorted(usual, key=lambda one: one.code))


def _jiangsu_prices(catalogs: Catalogs, level: HospitalLevel) -> Mapping[str, Fraction]:
    """Price limit of Jiangsu by the national code that its item is mapped to exactly; the highest where several are."""
    found: dict[str, Fraction] = {}
    for release in catalogs.regions:
        limits = {item.local: item.limit_for(level) for item in release.items}
        for mapping in release.mappings:
            limit = limits.get(mapping.local)
            if (
                mapping.local.kind in (CatalogKind.SERVICE, CatalogKind.FACILITY)
                and mapping.unified
                and mapping.grade in PAYABLE_GRADES
                and limit
            ):
                code = mapping.unified.code
                found[code] = max(found.get(code, limit), limit)
    return found


def _drug_price(catalogs: Catalogs, code: str) -> Fraction:
    entry = catalogs.unified.find(CatalogKind.DRUG, code)
    listed = entry.attributes.get("listed_price_yuan", "") if entry else ""
    return (listed and _whole_fen(listed)) or Fraction(_one_of(_DRUG_PRICES, code))


@cache
def _whole_fen(price: str) -> Fraction:
    """A price with its decimals rounded to the fen; prices repeat a lot."""
    return Fraction(round(Fraction(price) * 100), 100)


def _chapter_price(code: str, chapter: str) -> Fraction:
    return Fraction(_one_of(_CHAPTER_PRICES.get(chapter[:2], (20, 40, 60)), code))


def _one_of(choices: tuple[int, ...], code: str) -> int:
    """The same choice for the same code, on every machine."""
    return choices[int.from_bytes(hashlib.sha256(code.encode()).digest()[:4], "big") % len(choices)]
