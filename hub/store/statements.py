"""Rendered statements and notices: bytes that never change.

Knows the table statement. Must not know what the bytes say. Source: design invariant 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.codes import Regime, Region
from hub.core.dates import Period
from hub.core.errors import Inconsistent
from hub.ports.records import StoredStatement
from hub.vault import Vault

_PUT = text(
    """
    insert into statement (id, window_id, region, kind, media_type, sha256, content, recorded_at)
    values (:id, :window_id, :region, :kind, :media_type, :sha256, :content, :at)
    on conflict do nothing
    returning id
    """
)
_SAME = text(
    """
    select count(*) from statement
    where id = :id and window_id = :window_id and region = :region and kind = :kind and media_type = :media_type
        and sha256 = :sha256 and content = :content
    """
)
_GET = text("select id, window_id, region, kind, media_type, content, sha256 from statement where id = :id")
_LISTED = text(
    """
    select statement.id, window_id, region, kind, media_type, cast('' as bytea) as content, sha256
    from statement join clearing_window on clearing_window.id = window_id
    where statement.id > :after
        and (cast(:regime as text) is null or regime = :regime)
        and (cast(:period as text) is null or period = :period)
    order by statement.id limit :limit
    """
)


class Statements:
    """The shelf of statements; see `hub.ports.store.Statements`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def put(self, statement: StoredStatement, *, at: datetime) -> bool:
        values = {
            "id": statement.id,
            "window_id": statement.window_id,
            "region": statement.region.code,
            "kind": statement.kind,
            "media_type": statement.media_type,
            "sha256": statement.sha256,
            "content": statement.content,
        }
        if self._connection.execute(_PUT, {**values, "at": at}).one_or_none() is not None:
            return True
        if self._connection.execute(_SAME, values).scalar_one() == 0:
            raise Inconsistent("statement_differs", f"{statement.id} is kept already, with other bytes")
        return False

    def get(self, statement_id: str) -> StoredStatement | None:
        found = self._connection.execute(_GET, {"id": statement_id}).one_or_none()
        return _statement(found) if found is not None else None

    def listed(
        self, *, regime: Regime | None, period: Period | None, after: str, limit: int
    ) -> Sequence[StoredStatement]:
        found = self._connection.execute(
            _LISTED,
            {
                "regime": regime.value if regime else None,
                "period": str(period) if period else None,
                "after": after,
                "limit": limit,
            },
        )
        return [_statement(row) for row in found]


def _statement(row: Row[Any]) -> StoredStatement:
    return StoredStatement(
        id=row.id,
        window_id=row.window_id,
        region=Region(row.region),
        kind=row.kind,
        media_type=row.media_type,
        content=bytes(row.content),
        sha256=row.sha256,
    )
