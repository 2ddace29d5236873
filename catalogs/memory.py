"""Answers a bill's questions about a region's catalog from memory.

Knows loaded releases and which of them holds on a day. Must not know files, bills or the database.
Rule: the care region's catalog of the day of the fee decides (domain process, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from catalogs.regional import RegionRelease
from catalogs.unified import UnifiedRelease
from hub.core.catalog import CatalogItem
from hub.core.codes import CatalogKind, LocalCode, Mapping
from hub.core.errors import Inconsistent, NotAllowed


class InMemoryCatalog:
    """A `CareCatalog` over any number of regions; of a region's releases the one begun last holds.

    Look-ups are by dictionary. Entries of an adopted kind are made when first asked for and kept; two threads
    that make the same one at once make equal values, so no lock is needed.
    """

    def __init__(self, unified: Iterable[UnifiedRelease], regions: Iterable[RegionRelease]) -> None:
        by_name = {one.release: one for one in unified}
        self._regions: dict[str, tuple[_RegionTable, ...]] = {}
        for release in sorted(regions, key=lambda one: one.valid.start):
            tables = self._regions.get(release.region.code, ())
            if tables and tables[0].start == release.valid.start:
                raise Inconsistent("release_twice", f"two releases of {release.region} begin on {release.valid.start}")
            if release.unified_release not in by_name:
                raise Inconsistent("unified_missing", f"{release.name} needs the release {release.unified_release}")
            self._regions[release.region.code] = (
                _RegionTable(by_name[release.unified_release], release),
                *tables,
            )

    def item(self, local: LocalCode, on: date) -> CatalogItem | None:
        """The entry of a local code on a day; None if the catalog of that day has none.

        Raises NotAllowed if no catalog of the region is loaded: not the same as a code outside the catalog.
        """
        table = self._table(local, on)
        found = None if table is None else table.item(local.kind, local.code)
        return found if found is not None and on in found.valid else None

    def mapping(self, local: LocalCode, on: date) -> Mapping | None:
        """The mapping of a local code on a day; None if it is not mapped then. Raises as `item`."""
        table = self._table(local, on)
        if table is None:
            return None
        for one in table.mappings(local.kind, local.code):
            if one.valid_from <= on and (one.valid_until is None or on < one.valid_until):
                return one
        return None

    def _table(self, local: LocalCode, on: date) -> _RegionTable | None:
        tables = self._regions.get(local.region.code)
        if tables is None:
            raise NotAllowed("catalog_missing", f"no catalog of the region {local.region} is loaded")
        for table in tables:
            if table.start <= on:
                return table
        return None


class _RegionTable:
    """One release of one region, ready for look-ups by kind and code."""

    __slots__ = ("_adopted", "_items", "_mappings", "_release", "_unified", "start")

    def __init__(self, unified: UnifiedRelease, release: RegionRelease) -> None:
        self.start = release.valid.start
        self._unified = unified
        self._release = release
        self._adopted = {one.kind for one in release.adopted}
        self._items: dict[CatalogKind, dict[str, CatalogItem]] = {kind: {} for kind in CatalogKind}
        self._mappings: dict[CatalogKind, dict[str, tuple[Mapping, ...]]] = {kind: {} for kind in CatalogKind}
        for item in release.items:
            self._items[item.local.kind][item.local.code] = item
        for mapping in release.mappings:
            of_kind = self._mappings[mapping.local.kind]
            of_kind[mapping.local.code] = (*of_kind.get(mapping.local.code, ()), mapping)

    def item(self, kind: CatalogKind, code: str) -> CatalogItem | None:
        items = self._items[kind]
        found = items.get(code)
        if found is None and kind in self._adopted:
            entry = self._unified.find(kind, code)
            found = None if entry is None else self._release.adopted_item(entry)
            if found is not None:
                items[code] = found
        return found

    def mappings(self, kind: CatalogKind, code: str) -> tuple[Mapping, ...]:
        mappings = self._mappings[kind]
        found = mappings.get(code, ())
        if not found and kind in self._adopted:
            entry = self._unified.find(kind, code)
            identity = None if entry is None else self._release.adopted_mapping(entry)
            if identity is not None:
                found = mappings[code] = (identity,)
        return found
