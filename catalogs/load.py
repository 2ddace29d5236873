"""The way in: load one folder, or everything that ships with the hub.

Knows where the folders lie. Must not know the database, which `hub/store` fills from what this gives.
Rule: whole or not at all; a fault anywhere loads nothing (see README.md beside this file).
"""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalogs.books import ACTIVE, BOOKS
from catalogs.faults import CatalogFaults
from catalogs.listing import Listing, ListingRow, load_listing, read_class
from catalogs.mapping import MappedEntry, MappingRelease, load_mapping
from catalogs.memory import InMemoryCatalogs
from catalogs.regional import Adoption, Assumption, RegionRelease, load_region
from catalogs.tables import Quarantined, Source
from catalogs.unified import Known, UnifiedEntry, UnifiedRelease, load_unified, with_versions
from catalogs.working_days import load_calendar
from hub.core.codes import CatalogKind
from hub.core.dates import WorkingCalendar
from hub.core.errors import NotAllowed

ROOT = Path(__file__).parent
"""The folder that ships with the hub."""


@dataclass(frozen=True, slots=True)
class Catalogs:
    """Everything that ships with the hub, checked; unified releases in the order in which they begin."""

    unified_releases: tuple[UnifiedRelease, ...]
    regions: tuple[RegionRelease, ...]
    calendar: WorkingCalendar

    @property
    def unified(self) -> UnifiedRelease:
        """The unified release that begins last."""
        return self.unified_releases[-1]

    def in_memory(self) -> InMemoryCatalogs:
        """All regions, ready for the look-ups of a bill."""
        return InMemoryCatalogs(self.unified_releases, self.regions)


def load_all(root: Path = ROOT) -> Catalogs:
    """Load every unified release, each region's catalogs against the one it names, and the working days.

    Raises CatalogFaults for the first folder at fault, with every fault of that folder.
    """
    with _without_collecting():
        return _load_all(root)


def _load_all(root: Path) -> Catalogs:
    releases = load_unified_releases(root)
    by_name = {one.release: one for one in releases}
    # A release that is not there is reported by load_region, beside the other faults of the folder.
    regions = [
        load_region(folder, by_name.get(_unified_named(folder), releases[-1])) for folder in region_folders(root)
    ]
    return Catalogs(tuple(releases), tuple(regions), load_calendar(root / "calendar"))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """What is read is kept and holds no circles: looking for garbage among it costs a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def load_unified_releases(root: Path = ROOT, *, kinds: Collection[CatalogKind] | None = None) -> list[UnifiedRelease]:
    """Every unified release, in the order in which they begin, which must be that of their names: an entry's version
    is compared by it. With `kinds` only those books are read, and those they refer to.
    """
    known: Known = {}
    if kinds is not None:
        kinds = {*kinds, *(other for kind in kinds for other in BOOKS[kind].refers.values())}
    folders = [path.parent for path in sorted((root / "unified").glob("*/release.toml"))]
    found = [load_unified(folder, known=known, kinds=kinds) for folder in folders]
    if not found:
        raise NotAllowed("catalog_empty", f"there is no unified/<release>/release.toml under {root.name}")
    releases: list[UnifiedRelease] = []
    for one in found:
        if releases and one.valid_from <= releases[-1].valid_from:
            raise NotAllowed(
                "release_order",
                f"unified/{one.release} does not begin after {releases[-1].release}: name releases in their order",
            )
        releases.append(with_versions(one, before=releases[-1]) if releases else one)
    return releases


def region_folders(root: Path = ROOT) -> list[Path]:
    """The folders of all region catalogs, by region code and release."""
    return sorted(path.parent for path in (root / "regions").glob("*/*/catalog.toml"))


def _unified_named(folder: Path) -> str:
    """The unified release that a region's catalog names; empty if its descriptor cannot be read."""
    try:
        return str(tomllib.loads((folder / "catalog.toml").read_text(encoding="utf-8")).get("unified", ""))
    except ValueError:
        return ""


__all__ = [
    "ACTIVE",
    "ROOT",
    "Adoption",
    "Assumption",
    "CatalogFaults",
    "Catalogs",
    "InMemoryCatalogs",
    "Listing",
    "ListingRow",
    "MappedEntry",
    "MappingRelease",
    "Quarantined",
    "RegionRelease",
    "Source",
    "UnifiedEntry",
    "UnifiedRelease",
    "load_all",
    "load_calendar",
    "load_listing",
    "load_mapping",
    "load_region",
    "load_unified",
    "load_unified_releases",
    "read_class",
    "region_folders",
]
