"""Tells the database, at the start of a transaction, who looks; and turns its errors into the hub's three kinds.

Knows settings, time limits and SQLSTATE codes. Must not know tables.
Sources: engineering guide sections 2 and 5; decision 0021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.core.errors import HubError, Inconsistent, NotAllowed, Unreachable
from hub.ports.records import Scope

_ENTER = text(
    """
    select set_config('hub.sight', :sight, true),
           set_config('hub.region', :region, true),
           set_config('hub.institution', :institution, true),
           set_config('hub.person', :person, true),
           set_config('statement_timeout', :statement, true),
           set_config('lock_timeout', :lock, true),
           set_config('idle_in_transaction_session_timeout', :idle, true),
           set_config('timezone', 'UTC', true)
    """
)

STATEMENT_TIMEOUT = "30s"
LOCK_TIMEOUT = "10s"
IDLE_TIMEOUT = "60s"

_AGAIN = {"40001", "40P01"}
"""Serialization failure and deadlock: the whole transaction may be run again at once."""

_LATER = {"55P03", "57014", "53300", "57P01", "57P02", "57P03"}
"""Lock or statement waited too long, no connection left, server stopping or starting."""


def enter(connection: Connection, scope: Scope) -> None:
    """Set who looks and how long a statement may take, for this transaction only: one round trip."""
    connection.execute(
        _ENTER,
        {
            "sight": scope.sight.value,
            "region": scope.region,
            "institution": scope.institution,
            "person": scope.person,
            "statement": STATEMENT_TIMEOUT,
            "lock": LOCK_TIMEOUT,
            "idle": IDLE_TIMEOUT,
        },
    )


def constraint_of(error: DBAPIError) -> str | None:
    """The name of the constraint that an error speaks of."""
    original = error.orig
    return original.diag.constraint_name if isinstance(original, psycopg.Error) else None


@contextmanager
def refusing(refusals: Mapping[str, HubError]) -> Iterator[None]:
    """Raise the named error where a statement breaks the constraint of that name.

    PostgreSQL has given the transaction up by then: only what an insert with ``on conflict`` tells leaves it alive.
    """
    try:
        yield
    except IntegrityError as error:
        refusal = refusals.get(constraint_of(error) or "")
        if refusal is None:
            raise
        raise refusal from None


def translated(error: DBAPIError) -> HubError | None:
    """The hub's error for a database's error; None where it has none and the error should be seen as it is.

    A broken constraint is reported by name only: PostgreSQL's own message quotes the row.
    """
    original = error.orig
    state = original.sqlstate if isinstance(original, psycopg.Error) else None
    if state in _AGAIN:
        return Unreachable("database_busy", "two transactions got in each other's way", transient=True)
    if state in _LATER or error.connection_invalidated or (state or "").startswith("08"):
        return Unreachable("database_unreachable", "the database does not answer in time", transient=True)
    if state is None and isinstance(original, psycopg.OperationalError):
        return Unreachable("database_unreachable", "the database cannot be reached", transient=True)
    if state == "42501":
        return Inconsistent("not_permitted", "the transaction goes beyond what it may see or do")
    if isinstance(original, psycopg.IntegrityError):
        name = original.diag.constraint_name or "unnamed"
        table = original.diag.table_name or "unnamed"
        return Inconsistent("constraint_broken", f"table {table} refuses the row: {name}", facts={"constraint": name})
    if isinstance(original, psycopg.DataError) and (state in {None, "22021", "22P05"}):
        return NotAllowed("text_unstorable", "a text holds a NUL or a character that cannot be kept: remove it")
    return None
