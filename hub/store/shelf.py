"""The catalogs of all regions in this process's memory, read from the database when a region is first asked for.

Knows when a region's catalog must be read again. Must not know how a line is classified.
Source: performance notes section 6: the codes live in each worker; the database is the truth, not the look-up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

from hub.core.catalog import CareCatalog
from hub.core.codes import Region
from hub.ports import HUB_SCOPE
from hub.store.engine import SqlStore

LOOK_AGAIN_SECONDS = 30
"""How old the knowledge of which releases are ready may be."""


@dataclass(slots=True)
class _Held:
    """A region's catalog and the releases that it was read from."""

    catalog: CareCatalog
    releases: tuple[str, ...]
    looked_at: float


class CatalogMemory:
    """Regions' catalogs, each read once per set of ready releases; threads may share it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._held: dict[Region, _Held] = {}
        self._lock = Lock()

    def of(self, region: Region) -> CareCatalog:
        """A region's catalog; at most `LOOK_AGAIN_SECONDS` behind a release that became ready."""
        held = self._held.get(region)
        if held is not None and time.monotonic() - held.looked_at < LOOK_AGAIN_SECONDS:
            return held.catalog
        with self._lock:
            held = self._held.get(region)
            with self._store.begin(HUB_SCOPE) as uow:
                releases = tuple(found.id for found in uow.catalogs.releases() if found.region == region)
                if held is None or held.releases != releases:
                    held = _Held(uow.catalogs.care_catalog(region), releases, 0.0)
            held.looked_at = time.monotonic()
            self._held[region] = held
            return held.catalog
