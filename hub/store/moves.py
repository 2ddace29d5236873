"""Moves of documents: a row for each, beside the state that is only their last line.

Knows the two shapes in which the shelves keep them. Must not know which moves are legal: the core's tables say that.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, TextClause, text


def guarded_move(table: str, *, moves: str, key: str) -> TextClause:
    """A statement that moves a row only from the state it is believed to be in, and numbers the move.

    Takes `id`, `source`, `target`, `event`, `who`, `why` and `at`; gives how many rows moved, 0 or 1.
    """
    return text(
        f"""
        with moved as (
            update {table} set state = :target where id = :id and state = :source returning id
        ), written as (
            insert into {moves} ({key}, move_no, source, event, target, who, why, at)
            select moved.id, (select coalesce(max(move_no), 0) + 1 from {moves} where {key} = moved.id),
                :source, :event, :target, :who, :why, :at
            from moved
        )
        select count(*) from moved
        """
    )


def note_move(
    connection: Connection,
    kind: str,
    document_id: str,
    *,
    source: StrEnum | None,
    event: str,
    target: StrEnum,
    who: str,
    why: str,
    at: datetime,
) -> None:
    """Append a move to ``<kind>_move`` whose state the caller has set; `source` is None for a document's first."""
    connection.execute(
        text(
            f"""
            insert into {kind}_move ({kind}_id, source, event, target, who, why, at)
            values (:id, :source, :event, :target, :who, :why, :at)
            """
        ),
        {
            "id": document_id,
            "source": None if source is None else source.value,
            "event": event,
            "target": target.value,
            "who": who,
            "why": why,
            "at": at,
        },
    )
