"""Changing a region's catalog: proposed by one person, reviewed by another, undone by two again.

Knows the errands of a change and the bulk ones. Must not know what makes a draft right (`drafting`), pages or messages.
Sources: design invariant 10 (who enters does not approve); domain-process section 6.3; decision 0063.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.actions.context import Hub, Keep, keep_nothing
from hub.actions.drafting import (
    ProposeEntry,
    ProposeMapping,
    check_first_day,
    check_known,
    check_mapping,
    drafted_entry,
    drafted_mapping,
    earliest_for,
    own_region,
    refused,
)
from hub.core.catalog import CareCatalog, CatalogItem
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, LocalCode
from hub.core.errors import Conflict, Inconsistent, NotAllowed, NotFound
from hub.core.mapping import (
    CHANGE_MOVES,
    HOLDING_STATES,
    ChangeState,
    Grade,
    Mapping,
    Origin,
    check_other_person,
)
from hub.ports import Participant, UnitOfWork
from hub.ports.catalogs import Candidate, ChangeRecord, LocalRow, WaitingRow

MOST_IN_BULK = 500
"""Rows accepted by one press: what one transaction writes in a second or two, and a person answers for."""

MOST_CANDIDATES = 50
"""Candidates of one row that anybody is ever shown."""

MOST_LOOKED_AT = 2_000
"""Rows that one press looks at, the refused ones included."""


def propose_mapping(
    hub: Hub,
    command: ProposeMapping,
    *,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Propose a mapping; it holds once another person approves it.

    Where a candidate of the suggester is said to be taken, its score is asked anew: a colleague may approve many by
    their scores, so nobody may give his own. Raises NotAllowed naming the field at fault, and Conflict where a mapping
    of the code waits for review already.
    """
    region = own_region(by)
    draft = drafted_mapping(region, command)
    catalog = hub.catalog(region)
    score = _score(hub, draft, catalog=catalog, by=by) if command.origin is Origin.SUGGESTED else None
    with hub.store.begin(by.scope) as uow:
        check_known(uow, draft.local, catalog=catalog)
        check_mapping(uow, draft, catalog=catalog, earliest=earliest_for(hub, uow, as_of=as_of))
        record = _proposal(
            hub, draft, origin=command.origin, reason=command.reason, score=score, actor=actor, as_of=as_of
        )
        _add(uow, record)
        keep(uow, record)
    return record


def propose_entry(
    hub: Hub,
    command: ProposeEntry,
    *,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Propose another entry for a code: the old one from a day on with what shall be otherwise.

    Raises as `propose_mapping`.
    """
    catalog = hub.catalog(own_region(by))
    draft = drafted_entry(command, catalog=catalog)
    with hub.store.begin(by.scope) as uow:
        check_known(uow, draft.local, catalog=catalog)
        check_first_day(draft.valid.start, earliest=earliest_for(hub, uow, as_of=as_of))
        record = _proposal(
            hub, draft, origin=Origin.MANUAL, reason=command.reason, score=None, actor=actor, as_of=as_of
        )
        _add(uow, record)
        keep(uow, record)
    return record


def review(
    hub: Hub,
    change_id: str,
    *,
    approve: bool,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Approve or reject a proposal, as another person than who made it.

    What is approved is checked once more: meanwhile its target may have been struck off, its first day may have come to
    lie in a closed window, or another mapping may have been decided. Bills settled before keep their
    classification; open ones change only by a cancel and a new settlement.
    """
    if not approve and not reason:
        raise NotAllowed("reason_missing", "a rejection needs a reason that the colleague can act on")
    catalog = hub.catalog(own_region(by))
    with hub.store.begin(by.scope) as uow:
        record = found_change(uow, change_id, by, lock=True)
        event = "approved" if approve else "rejected"
        CHANGE_MOVES.after(record.state, event)
        check_other_person(proposed_by=record.proposed_by, reviewed_by=actor)
        if approve:
            _check_again(uow, record, catalog=catalog, earliest=earliest_for(hub, uow, as_of=as_of))
        after = _move(uow, record, event=event, actor=actor, why=reason, as_of=as_of)
        keep(uow, after)
    return after


def withdraw(
    hub: Hub,
    change_id: str,
    *,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Take one's own proposal back before it is reviewed; a colleague rejects it instead."""
    own_region(by)
    with hub.store.begin(by.scope) as uow:
        record = found_change(uow, change_id, by, lock=True)
        CHANGE_MOVES.after(record.state, "withdrawn")
        if actor != record.proposed_by:
            raise NotAllowed("not_the_proposer", "only who proposed it takes it back: reject it with a reason instead")
        after = _move(uow, record, event="withdrawn", actor=actor, why=reason, as_of=as_of)
        keep(uow, after)
    return after


def propose_undo(
    hub: Hub,
    change_id: str,
    *,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Ask for a change in force to be taken back; it holds until another person agrees."""
    if not reason:
        raise NotAllowed("reason_missing", "say why the change shall be taken back")
    own_region(by)
    with hub.store.begin(by.scope) as uow:
        record = found_change(uow, change_id, by, lock=True)
        CHANGE_MOVES.after(record.state, "undo_proposed")
        after = _move(uow, record, event="undo_proposed", actor=actor, why=reason, as_of=as_of)
        keep(uow, after)
    return after


def review_undo(
    hub: Hub,
    change_id: str,
    *,
    approve: bool,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[ChangeRecord] = keep_nothing,
) -> ChangeRecord:
    """Agree to an undoing or refuse it, as another person than who asked for it; who made the change may agree."""
    if not approve and not reason:
        raise NotAllowed("reason_missing", "a refusal needs a reason that the colleague can act on")
    own_region(by)
    with hub.store.begin(by.scope) as uow:
        record = found_change(uow, change_id, by, lock=True)
        event = "undone" if approve else "undo_refused"
        CHANGE_MOVES.after(record.state, event)
        asked = [move.who for move in uow.changes.history(change_id) if move.event == "undo_proposed"]
        if not asked:
            raise Inconsistent("undo_unasked", f"change {change_id} is {record.state} and nobody asked for it")
        check_other_person(proposed_by=asked[-1], reviewed_by=actor)
        after = _move(uow, record, event=event, actor=actor, why=reason, as_of=as_of)
        keep(uow, after)
    return after


def earliest_first_day(hub: Hub, *, by: Participant, as_of: datetime) -> date:
    """The first day from which a change may hold now; see `drafting.earliest_day`."""
    own_region(by)
    with hub.store.begin(by.scope) as uow:
        return earliest_for(hub, uow, as_of=as_of)


# --- many at once -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that a bulk errand left as it was, and why; `change_id` is None where nothing was proposed."""

    local: LocalCode
    name: str
    change_id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """What one press did. `left`: more rows may lie above the score; press again."""

    accepted: tuple[ChangeRecord, ...]
    refused: tuple[RefusedRow, ...]
    left: bool


def propose_above(
    hub: Hub,
    *,
    kind: CatalogKind,
    least_score: int,
    first_day: date,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    limit: int = MOST_IN_BULK,
    keep: Keep[Bulk] = keep_nothing,
) -> Bulk:
    """Propose the best candidate of each waiting row of a kind whose score (thousandths) reaches a bound, as exact.

    The rows with the most money at stake come first. All that is proposed commits in one transaction with the stored
    answer, or nothing does; a row that may not be proposed is listed and leaves nothing behind.
    """
    region = own_region(by)
    with hub.store.begin(by.scope) as uow:
        rows = uow.waiting.queue(region, kind=kind, offset=0, limit=MOST_LOOKED_AT + 1)
    left = len(rows) > MOST_LOOKED_AT
    rows = rows[:MOST_LOOKED_AT]
    catalog = hub.catalog(region)
    best = [ranked[0] if ranked else None for ranked in hub.suggesting.suggest(kind, asked(rows, catalog), top=1)]
    accepted: list[ChangeRecord] = []
    left_out: list[RefusedRow] = []
    with hub.store.begin(by.scope) as uow:
        earliest = earliest_for(hub, uow, as_of=as_of)
        for row, candidate in zip(rows, best, strict=True):
            if candidate is None or candidate.score < least_score:
                continue
            if len(accepted) == limit:
                left = True
                break
            try:
                draft = _draft_of_candidate(uow, row, candidate, first_day=first_day)
                check_mapping(uow, draft, catalog=catalog, earliest=earliest)
            except NotAllowed as fault:
                left_out.append(RefusedRow(row.local, row.name, None, fault.code, fault.message))
                continue
            record = _proposal(
                hub, draft, origin=Origin.SUGGESTED, reason=reason, score=candidate.score, actor=actor, as_of=as_of
            )
            _add(uow, record)
            accepted.append(record)
        done = Bulk(tuple(accepted), tuple(left_out), left)
        keep(uow, done)
    return done


def approve_above(
    hub: Hub,
    *,
    kind: CatalogKind | None,
    least_score: int,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    limit: int = MOST_IN_BULK,
    keep: Keep[Bulk] = keep_nothing,
) -> Bulk:
    """Approve the proposals of others that took a candidate whose score (thousandths) reaches a bound, by their ids.

    One transaction for all and the stored answer, as `propose_above`; one's own proposals are among the refused.
    """
    region = own_region(by)
    catalog = hub.catalog(region)
    accepted: list[ChangeRecord] = []
    left_out: list[RefusedRow] = []
    left = False
    with hub.store.begin(by.scope) as uow:
        earliest = earliest_for(hub, uow, as_of=as_of)
        for looked_at, listed in enumerate(_proposals(uow, by, kind=kind)):
            if len(accepted) == limit or looked_at == MOST_LOOKED_AT:
                left = True
                break
            if listed.origin is not Origin.SUGGESTED or listed.score is None or listed.score < least_score:
                continue
            try:
                # Listed without a lock: somebody may have reviewed it since.
                record = found_change(uow, listed.id, by, lock=True)
                CHANGE_MOVES.after(record.state, "approved")
                check_other_person(proposed_by=record.proposed_by, reviewed_by=actor)
                _check_again(uow, record, catalog=catalog, earliest=earliest)
            except NotAllowed as fault:
                name = _name(catalog, listed)
                left_out.append(RefusedRow(listed.local, name, listed.id, fault.code, fault.message))
                continue
            accepted.append(_move(uow, record, event="approved", actor=actor, why=reason, as_of=as_of))
        done = Bulk(tuple(accepted), tuple(left_out), left)
        keep(uow, done)
    return done


def asked(rows: Sequence[WaitingRow], catalog: CareCatalog) -> list[LocalRow]:
    """Waiting rows as the suggester reads them: name and unit are the catalog's own where it has the code."""
    return [_asked(row.local, row.name, catalog) for row in rows]


def asked_code(uow: UnitOfWork, local: LocalCode, catalog: CareCatalog) -> LocalRow:
    """The same for one code; a code that only hospitals name has the name that they give it, or none."""
    row = _asked(local, "", catalog)
    if row.name:
        return row
    waiting = uow.waiting.queue(local.region, kind=local.kind, offset=0, limit=MOST_LOOKED_AT)
    return next((_asked(local, one.name, catalog) for one in waiting if one.local == local), row)


def _asked(local: LocalCode, name: str, catalog: CareCatalog) -> LocalRow:
    stretches = catalog.stretches(local.kind, local.code)
    item = next((one.item for one in reversed(stretches) if one.item is not None), None)
    if item is None:
        return LocalRow(local, name)
    return LocalRow(local, item.name, {"unit": item.unit} if item.unit else {})


def _score(hub: Hub, draft: Mapping, *, catalog: CareCatalog, by: Participant) -> int:
    with hub.store.begin(by.scope) as uow:
        row = asked_code(uow, draft.local, catalog)
    (ranked,) = hub.suggesting.suggest(draft.local.kind, [row], top=MOST_CANDIDATES)
    for candidate in ranked:
        if candidate.unified == draft.unified:
            return candidate.score
    raise refused("origin", "not_suggested", "the target is none of the candidates: propose it as found by hand")


def _draft_of_candidate(uow: UnitOfWork, row: WaitingRow, candidate: Candidate, *, first_day: date) -> Mapping:
    if row.outcome is LineOutcome.UNKNOWN_CODE:
        raise NotAllowed("entry_missing", "the catalog has no entry of this code: propose the entry first")
    mappings = [one for one in uow.changes.of_code(row.local) if isinstance(one.new, Mapping)]
    if any(one.state is ChangeState.PROPOSED for one in mappings):
        raise Conflict("change_waits", "a mapping of this code waits for review already")
    if any(one.state in HOLDING_STATES and first_day in one.new.valid for one in mappings):
        raise Conflict("change_decided", "people have decided this code before: propose another mapping by hand")
    return Mapping(row.local, candidate.unified, Grade.EXACT, first_day)


def _proposals(uow: UnitOfWork, by: Participant, *, kind: CatalogKind | None) -> Iterator[ChangeRecord]:
    after = ""
    while True:
        found = uow.changes.listed(own_region(by), state=ChangeState.PROPOSED, kind=kind, after=after, limit=500)
        yield from found
        if len(found) < 500:
            return
        after = found[-1].id


def _name(catalog: CareCatalog, record: ChangeRecord) -> str:
    item = catalog.item(record.local, record.new.valid.start)
    return "" if item is None else item.name


# --- writing ------------------------------------------------------------------------------------------------------


def _proposal(
    hub: Hub,
    draft: CatalogItem | Mapping,
    *,
    origin: Origin,
    reason: str,
    score: int | None,
    actor: str,
    as_of: datetime,
) -> ChangeRecord:
    return ChangeRecord(
        id=hub.new_id("chg"),
        new=draft,
        origin=origin,
        reason=reason,
        score=score,
        state=CHANGE_MOVES.start,
        proposed_by=actor,
        proposed_at=as_of,
    )


def _add(uow: UnitOfWork, record: ChangeRecord) -> None:
    uow.changes.add(record)
    _note(uow, record, event="proposed", actor=record.proposed_by, as_of=record.proposed_at)


def _move(uow: UnitOfWork, record: ChangeRecord, *, event: str, actor: str, why: str, as_of: datetime) -> ChangeRecord:
    target = CHANGE_MOVES.after(record.state, event)
    uow.changes.move(record.id, source=record.state, event=event, target=target, who=actor, why=why, at=as_of)
    _note(uow, record, event=event, actor=actor, as_of=as_of)
    after = uow.changes.get(record.id)
    if after is None:
        raise Inconsistent("change_gone", f"change {record.id} moved and cannot be read")
    return after


def _note(uow: UnitOfWork, record: ChangeRecord, *, event: str, actor: str, as_of: datetime) -> None:
    uow.audit.write(
        actor=actor,
        action=f"catalog_change_{event}",
        subject=record.id,
        at=as_of,
        facts={"region": record.local.region.code, "kind": record.local.kind, "code": record.local.code},
    )


def found_change(uow: UnitOfWork, change_id: str, by: Participant, *, lock: bool = False) -> ChangeRecord:
    """A change of the agency's own region; raises NotFound for any other."""
    record = uow.changes.get(change_id, lock=lock)
    if record is None or record.local.region != own_region(by):
        raise NotFound("change_not_found", f"no change {change_id}")
    return record


def _check_again(uow: UnitOfWork, record: ChangeRecord, *, catalog: CareCatalog, earliest: date) -> None:
    if isinstance(record.new, Mapping):
        check_mapping(uow, record.new, catalog=catalog, earliest=earliest)
    else:
        check_first_day(record.new.valid.start, earliest=earliest)


__all__ = [
    "MOST_IN_BULK",
    "Bulk",
    "ProposeEntry",
    "ProposeMapping",
    "RefusedRow",
    "approve_above",
    "asked",
    "asked_code",
    "earliest_first_day",
    "found_change",
    "propose_above",
    "propose_entry",
    "propose_mapping",
    "propose_undo",
    "review",
    "review_undo",
    "withdraw",
]
