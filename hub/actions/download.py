"""Catalogs by version, for hospitals that keep their own copy: all at first, then only what is newer.

Knows whose catalog a participant may fetch, and in which order version and content are read. Must not change anything.
Source: national interface 1301 to 1319: the caller sends its highest version and receives what is above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.actions.context import Hub
from hub.core.catalog import Stretch
from hub.core.codes import CatalogKind, Region
from hub.core.errors import NotFound
from hub.ports import HUB_SCOPE, Participant
from hub.ports.catalogs import UnifiedEntry


@dataclass(frozen=True, slots=True)
class NewerCodes:
    """Codes about which a region's catalog says something else than at a version, each with all that holds of it.

    A code without stretches is gone. `further` is the cursor of the page after, None at the end.
    """

    region: Region
    kind: CatalogKind
    version: int
    codes: Sequence[tuple[str, Sequence[Stretch]]]
    further: str | None


@dataclass(frozen=True, slots=True)
class NewerEntries:
    """Unified entries that a holder of an older version lacks or has otherwise; see `NewerCodes`."""

    kind: CatalogKind
    version: int
    entries: Sequence[UnifiedEntry]
    further: str | None


def newer_codes(hub: Hub, *, by: Participant, kind: CatalogKind, since: int, after: str, limit: int) -> NewerCodes:
    """What the participant's own region's catalog says otherwise than at a version; everything from version 0.

    The version is read before the content: what is decided in between is given now and once more the next time, never
    missed. The hub reads it, since a hospital does not see who decided what, only what holds.
    """
    region = by.region
    if region is None:
        raise NotFound("catalog_not_found", "only a hospital or an agency has a catalog of its own")
    with hub.store.begin(HUB_SCOPE) as uow:
        version = uow.catalogs.version(region)
        found = uow.catalogs.codes_since(region, kind, version=since, after=after, limit=limit + 1)
        codes = found[:limit]
        catalog = uow.catalogs.part(region, kind, codes)
    return NewerCodes(
        region=region,
        kind=kind,
        version=version,
        codes=[(code, catalog.stretches(kind, code)) for code in codes],
        further=codes[-1] if len(found) > limit else None,
    )


def newer_entries(hub: Hub, *, by: Participant, kind: CatalogKind, since: int, after: str, limit: int) -> NewerEntries:
    """Unified entries newer than a version; all of them from version 0. Version and content as in `newer_codes`."""
    with hub.store.begin(by.scope) as uow:
        version = uow.catalogs.version(None)
        found = uow.catalogs.entries_since(kind, version=since, after=after, limit=limit + 1)
    entries = found[:limit]
    return NewerEntries(kind, version, entries, entries[-1].code.code if len(found) > limit else None)
