"""Changes of regions' catalogs, each with its history.

Knows the tables catalog_change and catalog_change_move. Must not know what makes a change right, nor what it does to
bills. The database keeps legal moves, two persons and the order of decision. Sources: design invariant 10; decision
0062.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.catalog import CatalogItem, Change
from hub.core.codes import CatalogKind, LocalCode, Region
from hub.core.errors import Conflict, NotAllowed
from hub.core.mapping import HOLDING_STATES, ChangeState, Mapping, Origin
from hub.ports.catalogs import ChangeMove, ChangeRecord
from hub.store import catalog_codec as codec
from hub.store.scope import refusing
from hub.vault import Vault

_COLUMNS = """
    id, region, kind, code, what, cast(says as text) as says, origin, reason, score, state, proposed_by, proposed_at,
    decided_order, reviewed_by, reviewed_at
"""
_SELECT = f"select {_COLUMNS} from catalog_change"
_GET = text(f"{_SELECT} where id = :id")
_GET_LOCKED = text(f"{_SELECT} where id = :id for no key update")
_LISTED = text(
    f"""
    {_SELECT}
    where region = :region and id > :after
        and (cast(:state as text) is null or state = :state) and (cast(:kind as text) is null or kind = :kind)
    order by id limit :limit
    """
)
_OF_CODE = text(f"{_SELECT} where region = :region and kind = :kind and code = :code order by proposed_at, id")
_IN_FORCE = text(
    """
    select region, kind, code, what, cast(says as text) as says, decided_order from catalog_change
    where region = :region and state = any (cast(:holding as text[])) order by decided_order
    """
)
_ADD = text(
    """
    insert into catalog_change (
        id, region, kind, code, what, says, valid_from, valid_until, origin, reason, score, state, proposed_by,
        proposed_at
    ) values (
        :id, :region, :kind, :code, :what, cast(:says as jsonb), :valid_from, :valid_until, :origin, :reason, :score,
        :state, :proposed_by, :proposed_at
    )
    on conflict (region, kind, code, what) where state = 'proposed' do nothing
    """
)
_BEGIN = text(
    """
    insert into catalog_change_move (change_id, move_no, source, event, target, who, why, at)
    values (:id, 1, null, 'proposed', :state, :who, :why, :at)
    """
)
# One statement, as `hub.store.moves` has it; but a change also keeps who reviewed it and who takes it back.
_MOVE = text(
    """
    with moved as (
        update catalog_change set
            state = :target,
            reviewed_by = case when :event in ('approved', 'rejected') then :who else reviewed_by end,
            reviewed_at = case when :event in ('approved', 'rejected') then :at else reviewed_at end,
            undo_proposed_by = case when :event = 'undo_proposed' then :who else undo_proposed_by end,
            undo_reviewed_by = case
                when :event = 'undo_proposed' then null
                when :event in ('undone', 'undo_refused') then :who
                else undo_reviewed_by
            end
        where id = :id and state = :source
        returning id, region
    ), written as (
        insert into catalog_change_move (change_id, move_no, source, event, target, who, why, at)
        select moved.id, (select max(move_no) + 1 from catalog_change_move where change_id = moved.id),
            :source, :event, :target, :who, :why, :at
        from moved
    )
    select region from moved
    """
)
_HISTORY = text(
    "select source, event, target, who, why, at from catalog_change_move where change_id = :id order by move_no"
)

_SAME_PERSON = NotAllowed("same_person", "who proposes a change does not review it: ask a colleague")
_TWO_PERSONS = {"catalog_change_four_eyes": _SAME_PERSON, "catalog_change_undo_four_eyes": _SAME_PERSON}


class Changes:
    """The shelf of changes; see `hub.ports.catalogs.Changes`. A region's staff see and write their own region's."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection
        self.decided: set[Region] = set()
        """Regions in whose catalog this unit of work brought something into force or took it back."""

    def add(self, record: ChangeRecord) -> None:
        new = record.new
        added = self._connection.execute(
            _ADD,
            {
                "id": record.id,
                "region": record.local.region.code,
                "kind": record.local.kind.value,
                "code": record.local.code,
                "what": _MAPPING if isinstance(new, Mapping) else _ENTRY,
                "says": codec.write_change(new),
                "valid_from": new.valid.start,
                "valid_until": new.valid.end,
                "origin": record.origin.value,
                "reason": record.reason,
                "score": record.score,
                "state": record.state.value,
                "proposed_by": record.proposed_by,
                "proposed_at": record.proposed_at,
            },
        )
        if not added.rowcount:
            raise Conflict(
                "change_waits",
                f"a change of {record.local.code} waits for its review already: decide or withdraw that one first",
            )
        self._connection.execute(
            _BEGIN,
            {
                "id": record.id,
                "state": record.state.value,
                "who": record.proposed_by,
                "why": record.reason,
                "at": record.proposed_at,
            },
        )

    def get(self, change_id: str, *, lock: bool = False) -> ChangeRecord | None:
        found = self._connection.execute(_GET_LOCKED if lock else _GET, {"id": change_id}).one_or_none()
        return None if found is None else _record(found)

    def listed(
        self, region: Region, *, state: ChangeState | None, kind: CatalogKind | None, after: str, limit: int
    ) -> Sequence[ChangeRecord]:
        found = self._connection.execute(
            _LISTED,
            {
                "region": region.code,
                "state": None if state is None else state.value,
                "kind": None if kind is None else kind.value,
                "after": after,
                "limit": limit,
            },
        )
        return [_record(row) for row in found]

    def of_code(self, local: LocalCode) -> Sequence[ChangeRecord]:
        found = self._connection.execute(
            _OF_CODE, {"region": local.region.code, "kind": local.kind.value, "code": local.code}
        )
        return [_record(row) for row in found]

    def history(self, change_id: str) -> Sequence[ChangeMove]:
        return [
            ChangeMove(
                source=None if row.source is None else ChangeState(row.source),
                event=row.event,
                target=ChangeState(row.target),
                who=row.who,
                why=row.why,
                at=row.at,
            )
            for row in self._connection.execute(_HISTORY, {"id": change_id})
        ]

    def move(
        self,
        change_id: str,
        *,
        source: ChangeState,
        event: str,
        target: ChangeState,
        who: str,
        why: str,
        at: datetime,
    ) -> None:
        with refusing(_TWO_PERSONS):
            moved = self._connection.execute(
                _MOVE,
                {
                    "id": change_id,
                    "source": source.value,
                    "event": event,
                    "target": target.value,
                    "who": who,
                    "why": why,
                    "at": at,
                },
            )
        region = moved.scalar_one_or_none()
        if region is None:
            raise Conflict("change_moved", f"change {change_id} is no longer {source}: look at it again")
        if (source in HOLDING_STATES) != (target in HOLDING_STATES):
            self.decided.add(Region(region))

    def in_force(self, region: Region) -> Sequence[Change]:
        found = self._connection.execute(
            _IN_FORCE, {"region": region.code, "holding": [state.value for state in HOLDING_STATES]}
        )
        return [Change(row.decided_order, read_new(row)) for row in found]


_ENTRY, _MAPPING = "entry", "mapping"


def read_new(row: Row[Any]) -> CatalogItem | Mapping:
    """What a row of changes says of its code; `says` comes as text."""
    local = LocalCode(Region(row.region), CatalogKind(row.kind), row.code)
    read = codec.read_mapping if row.what == _MAPPING else codec.read_entry
    return read(row.says, local=local)


def _record(row: Row[Any]) -> ChangeRecord:
    return ChangeRecord(
        id=row.id,
        new=read_new(row),
        origin=Origin(row.origin),
        reason=row.reason,
        score=row.score,
        state=ChangeState(row.state),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        order=row.decided_order,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
    )
