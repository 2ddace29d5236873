"""Where wrapped data keys are kept.

Knows the table data_key. Must not know the keys themselves: they arrive wrapped and leave wrapped.
Source: engineering guide section 6; decision 0020.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from hub.vault import Vault, WrappedKey

_ONE_AT_A_TIME = 0x6875620002
"""Number of the advisory lock under which the first keys are made."""


class SqlDataKeys:
    """The vault's source of data keys; each call is a short transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> Sequence[WrappedKey]:
        with self._engine.begin() as connection:
            return _all(connection)

    def found(self, first: Sequence[WrappedKey]) -> Sequence[WrappedKey]:
        with self._engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
            kept = _all(connection)
            if kept:
                return kept
            for key in first:
                keep_data_key(connection, key)
            return first


def keep_data_key(connection: Connection, key: WrappedKey) -> None:
    """Add a data key; from then on new values are sealed with it, and old ones opened with theirs."""
    connection.execute(
        text("insert into data_key (id, purpose, kek_id, wrapped) values (:id, :purpose, :kek_id, :wrapped)"),
        {"id": key.id, "purpose": key.purpose, "kek_id": key.kek_id, "wrapped": key.wrapped},
    )


def rewrap_data_keys(owner: Connection, vault: Vault) -> int:
    """Wrap every data key by the first key of the key file, as the role that owns the tables; gives how many changed.

    Afterwards the older keys of the file open nothing any more and can leave it.
    """
    changed = 0
    for key in _all(owner):
        fresh = vault.rewrapped(key)
        if fresh.kek_id != key.kek_id:
            owner.execute(
                text("update data_key set kek_id = :kek_id, wrapped = :wrapped where id = :id"),
                {"id": key.id, "kek_id": fresh.kek_id, "wrapped": fresh.wrapped},
            )
            changed += 1
    return changed


def _all(connection: Connection) -> list[WrappedKey]:
    rows = connection.execute(text("select id, purpose, kek_id, wrapped from data_key order by position"))
    return [WrappedKey(row.id, row.purpose, row.kek_id, bytes(row.wrapped)) for row in rows]
