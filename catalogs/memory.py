"""Answers a bill's questions about a region's catalog from memory.

Knows loaded releases and which of them is in force on which days. Must not know files, bills or the database.
Rule: the care region's catalog of the day of the fee decides (domain process, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalogs.regional import RegionRelease
from catalogs.unified import UnifiedRelease
from hub.core.catalog import CareCatalog, CatalogItem, Held
from hub.core.codes import CatalogKind, Region
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Mapping


class InMemoryCatalogs:
    """The care catalogs of any number of regions; of a region's releases the one begun last is in force."""

    def __init__(self, unified: Iterable[UnifiedRelease], regions: Iterable[RegionRelease]) -> None:
        by_name = {one.release: one for one in unified}
        tables: dict[Region, list[_RegionTable]] = {}
        for release in sorted(regions, key=lambda one: one.valid.start):
            if release.unified_release not in by_name:
                raise Inconsistent("unified_missing", f"{release.name} needs the release {release.unified_release}")
            older = tables.setdefault(release.region, [])
            if older and older[-1].start == release.valid.start:
                raise Inconsistent("release_twice", f"two releases of {release.region} begin on {release.valid.start}")
            older.append(_RegionTable(by_name[release.unified_release], release))
        self._catalogs = {region: CareCatalog(region, _Releases(several)) for region, several in tables.items()}

    def of(self, region: Region) -> CareCatalog:
        """Raises NotAllowed if no catalog of the region is loaded: not the same as a code outside the catalog."""
        found = self._catalogs.get(region)
        if found is None:
            raise NotAllowed("catalog_missing", f"no catalog of the region {region} is loaded")
        return found


class _Releases:
    """A region's releases in order of time, as a `CatalogSource`."""

    def __init__(self, tables: Sequence[_RegionTable]) -> None:
        ends = [table.start for table in tables[1:]]
        self._spans = [(Span(table.start, end), table) for table, end in zip(tables, [*ends, None], strict=True)]

    def held(self, kind: CatalogKind, code: str) -> Sequence[Held]:
        return [Held(span, table.items(kind, code), table.mappings(kind, code)) for span, table in self._spans]


class _RegionTable:
    """One release of one region, ready for look-ups by kind and code."""

    __slots__ = ("_adopted", "_items", "_mappings", "_release", "_unified", "start")

    def __init__(self, unified: UnifiedRelease, release: RegionRelease) -> None:
        self.start = release.valid.start
        self._unified = unified
        self._release = release
        self._adopted = {one.kind for one in release.adopted}
        self._items: dict[tuple[CatalogKind, str], list[CatalogItem]] = {}
        self._mappings: dict[tuple[CatalogKind, str], list[Mapping]] = {}
        for item in release.items:
            self._items.setdefault((item.local.kind, item.local.code), []).append(item)
        for mapping in release.mappings:
            self._mappings.setdefault((mapping.local.kind, mapping.local.code), []).append(mapping)

    def items(self, kind: CatalogKind, code: str) -> Sequence[CatalogItem]:
        found = self._items.get((kind, code), [])
        entry = self._unified.find(kind, code) if kind in self._adopted else None
        adopted = None if entry is None else self._release.adopted_item(entry)
        return found if adopted is None else [*found, adopted]

    def mappings(self, kind: CatalogKind, code: str) -> Sequence[Mapping]:
        found = self._mappings.get((kind, code), [])
        entry = self._unified.find(kind, code) if kind in self._adopted else None
        adopted = None if entry is None else self._release.adopted_mapping(entry)
        return found if adopted is None else [*found, adopted]
