"""The catalogs of all regions in this process's memory, read from the database when a region is first asked for.

Knows when a region's catalog must be read again. Must not know how a line is classified.
Sources: performance notes section 6 (the codes live in each worker; the database is the truth, not the look-up);
decision 0062.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from threading import Lock

from hub.core.catalog import CareCatalog, CatalogSource
from hub.core.codes import Region
from hub.ports import HUB_SCOPE
from hub.store.catalog_shelf import CatalogStamp
from hub.store.engine import SqlStore

LOOK_AGAIN_SECONDS = 2
"""How old the knowledge of what is in force may be: so long another worker's decision or a new release may go unseen.

A look costs one short transaction per region and worker."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A region's catalog, what it was read from, and when that was last seen to be so."""

    catalog: CareCatalog
    source: CatalogSource
    stamp: CatalogStamp
    looked_at: float


class CatalogMemory:
    """Regions' catalogs, each read once per set of releases and decided changes; threads may share it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._held: dict[Region, _Held] = {}
        self._told_at: dict[Region, float] = {}
        self._locks: defaultdict[Region, Lock] = defaultdict(Lock)
        store.on_catalog_change(self.look_again)

    def of(self, region: Region) -> CareCatalog:
        """A region's catalog, at most `LOOK_AGAIN_SECONDS` behind what is in force; at once with what this process
        itself decided. Raises NotAllowed where no catalog of the region is loaded.
        """
        held = self._fresh(region)
        if held is None:
            with self._locks[region]:
                held = self._fresh(region) or self._look(region)
        return held.catalog

    def look_again(self, region: Region) -> None:
        """Take nothing for granted that was seen of a region before now."""
        self._told_at[region] = time.monotonic()

    def _fresh(self, region: Region) -> _Held | None:
        held = self._held.get(region)
        if held is None or held.looked_at <= self._told_at.get(region, 0.0):
            return None
        return held if time.monotonic() - held.looked_at < LOOK_AGAIN_SECONDS else None

    def _look(self, region: Region) -> _Held:
        """Read what has changed. A decision made meanwhile is later than the moment noted, so it is looked for."""
        looked_at = time.monotonic()
        before = self._held.get(region)
        with self._store.begin(HUB_SCOPE) as uow:
            stamp = uow.catalogs.stamp(region)
            if before is not None and before.stamp == stamp:
                held = _Held(before.catalog, before.source, stamp, looked_at)
            else:
                same_releases = before is not None and before.stamp.releases == stamp.releases
                source = before.source if before is not None and same_releases else uow.catalogs.source(region)
                changes = uow.catalogs.in_force(region)
                held = _Held(CareCatalog(region, source, changes=changes), source, stamp, looked_at)
        self._held[region] = held
        return held
