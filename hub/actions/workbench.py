"""What an agency's workbench shows: what waits for how much money, how far catalogs are mapped, what was decided.

Knows reading only. Must not change anything, nor know pages or messages.
Sources: decision 0063; engineering guide section 11 (the work queue as home).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.actions.context import Hub
from hub.actions.drafting import local_code, own_region
from hub.actions.mapping import asked, asked_code, found_change
from hub.core.catalog import CareCatalog, Stretch
from hub.core.codes import CatalogKind, LocalCode
from hub.core.errors import NotAllowed, NotFound
from hub.core.mapping import ChangeState, Mapping
from hub.ports import Participant, UnitOfWork
from hub.ports.catalogs import (
    Candidate,
    ChangeMove,
    ChangeRecord,
    Coverage,
    LocalRow,
    UnifiedEntry,
    WaitingRow,
)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A waiting row with the candidates for it, the best first, and the proposals on it that wait for review."""

    waiting: WaitingRow
    candidates: Sequence[Candidate]
    proposals: Sequence[ChangeRecord]


@dataclass(frozen=True, slots=True)
class Told:
    """A change with its history. `before` is what the catalog holds on its first day, `target_name` the name of the
    unified entry that a mapping leads to.
    """

    record: ChangeRecord
    moves: Sequence[ChangeMove]
    before: Stretch | None
    target_name: str


@dataclass(frozen=True, slots=True)
class CodeView:
    """All that is known of one local code: what holds when, what was ever proposed, and what it may stand for."""

    local: LocalCode
    name: str
    stretches: Sequence[Stretch]
    changes: Sequence[Told]
    candidates: Sequence[Candidate]


def queue(
    hub: Hub, *, by: Participant, kind: CatalogKind | None = None, offset: int = 0, limit: int = 50, top: int = 5
) -> Sequence[QueueRow]:
    """Codes of open bills that are not paid for want of an entry or a mapping, the most money first."""
    region = own_region(by)
    with hub.store.begin(by.scope) as uow:
        rows = uow.waiting.queue(region, kind=kind, offset=offset, limit=limit)
        waiting = [_waiting_proposals(uow, row.local) for row in rows]
    ranked = _ranked(hub, asked(rows, hub.catalog(region)), top=top)
    return [QueueRow(*found) for found in zip(rows, ranked, waiting, strict=True)]


def waiting(hub: Hub, *, by: Participant, kind: CatalogKind | None = None, limit: int) -> Sequence[WaitingRow]:
    """The rows of the queue alone, without candidates."""
    region = own_region(by)
    with hub.store.begin(by.scope) as uow:
        return uow.waiting.queue(region, kind=kind, offset=0, limit=limit)


def coverage(hub: Hub, *, by: Participant, on: date) -> Sequence[Coverage]:
    """How far each catalog that can be billed is mapped, in rows and in the money of open bills."""
    region = own_region(by)
    with hub.store.begin(by.scope) as uow:
        return uow.waiting.coverage(region, on=on)


def changes(
    hub: Hub, *, by: Participant, state: ChangeState | None, kind: CatalogKind | None, after: str = "", limit: int
) -> Sequence[ChangeRecord]:
    """Changes of the region's catalog ordered by id, those after a given id only."""
    region = own_region(by)
    with hub.store.begin(by.scope) as uow:
        return uow.changes.listed(region, state=state, kind=kind, after=after, limit=limit)


def change(hub: Hub, change_id: str, *, by: Participant) -> Told:
    """One change with its history. Raises NotFound where the region has no such change."""
    catalog = hub.catalog(own_region(by))
    with hub.store.begin(by.scope) as uow:
        return _told(uow, found_change(uow, change_id, by), catalog)


def code(hub: Hub, *, by: Participant, kind: CatalogKind, code: str, top: int = 10) -> CodeView:
    """One local code. Raises NotFound where neither the catalog nor any change has it and no open bill waits for it."""
    region = own_region(by)
    local = local_code(region, kind, code)
    catalog = hub.catalog(region)
    stretches = catalog.stretches(kind, code)
    with hub.store.begin(by.scope) as uow:
        told = [_told(uow, record, catalog) for record in uow.changes.of_code(local)]
        row = asked_code(uow, local, catalog)
    if not stretches and not told and not row.name:
        raise NotFound("code_not_found", f"neither the catalog nor an open bill has the {kind} {code}")
    return CodeView(local, row.name, stretches, told, _ranked(hub, [row], top=top)[0])


def search_unified(
    hub: Hub, *, by: Participant, kind: CatalogKind, words: str, limit: int = 20
) -> Sequence[UnifiedEntry]:
    """Entries of the newest unified release for an officer who knows better than the candidates."""
    own_region(by)
    with hub.store.begin(by.scope) as uow:
        return uow.catalogs.search(kind, words, limit=limit)


def _ranked(hub: Hub, rows: Sequence[LocalRow], *, top: int) -> Sequence[Sequence[Candidate]]:
    """Candidates of rows of any kinds, in their order; none for a kind without a unified code book."""
    found: list[Sequence[Candidate]] = [()] * len(rows)
    for kind in dict.fromkeys(row.local.kind for row in rows):
        places = [place for place, row in enumerate(rows) if row.local.kind is kind]
        try:
            ranked = hub.suggesting.suggest(kind, [rows[place] for place in places], top=top)
        except NotAllowed:
            continue
        for place, candidates in zip(places, ranked, strict=True):
            found[place] = candidates
    return found


def _waiting_proposals(uow: UnitOfWork, local: LocalCode) -> Sequence[ChangeRecord]:
    return [one for one in uow.changes.of_code(local) if one.state is ChangeState.PROPOSED]


def _told(uow: UnitOfWork, record: ChangeRecord, catalog: CareCatalog) -> Told:
    new = record.new
    entry = uow.catalogs.entry(new.unified) if isinstance(new, Mapping) and new.unified is not None else None
    return Told(
        record=record,
        moves=uow.changes.history(record.id),
        before=catalog.on(record.local.kind, record.local.code, new.valid.start),
        target_name="" if entry is None else entry.name,
    )
