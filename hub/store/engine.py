"""Connections to PostgreSQL, and the store that opens units of work on them.

Knows pools, isolation and forks. Must not know tables or rules.
Sources: engineering guide sections 2, 3 (forked pools) and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from hub.core.codes import Region
from hub.core.errors import NotAllowed
from hub.ports.records import HUB_SCOPE, Scope
from hub.store.data_keys import SqlDataKeys
from hub.store.scope import enter, translated
from hub.store.unit_of_work import SqlUnitOfWork
from hub.vault import KeyRing, Vault


def make_engine(url: str, *, pool_size: int = 5, overflow: int = 5) -> Engine:
    """A pool of connections; none is opened before it is needed.

    Values of parameters never appear in an error message.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=10,
        pool_recycle=1800,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "prepare_threshold": 5,
            "connect_timeout": 10,
            "application_name": "hub",
        },
    )


@contextmanager
def one_snapshot(url: str) -> Iterator[Connection]:
    """A read of the whole database as it was at one moment: what is written meanwhile is not seen by half of it."""
    engine = make_engine(url, pool_size=1).execution_options(isolation_level="REPEATABLE READ")
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def forget_connections(engine: Engine) -> None:
    """Give up the connections inherited over a fork without closing them: they belong to the parent process."""
    engine.dispose(close=False)


class SqlStore:
    """The store on PostgreSQL. Several threads may use it at once; after a fork call `forget_connections`."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault
        self._catalog_listeners: list[Callable[[Region], None]] = []

    def on_catalog_change(self, listener: Callable[[Region], None]) -> None:
        """Have a listener told of each region in whose catalog a unit of work of this process decided something."""
        self._catalog_listeners.append(listener)

    @contextmanager
    def begin(self, scope: Scope) -> Iterator[SqlUnitOfWork]:
        """Start a transaction that sees what the scope may see; commits at the end of the block.

        Raises Unreachable (transient) for a serialization failure, a deadlock, a time-out or a lost connection,
        Inconsistent for a broken constraint that no shelf foresees, NotAllowed for a text that cannot be kept.
        """
        with translating():
            # Before the transaction: fetching data keys takes a connection of its own.
            self.vault.prepare()
            with self._begun(scope) as connection:
                uow = SqlUnitOfWork(connection, self.vault)
                yield uow
                connection.commit()
            for region in uow.changes.decided:
                for listener in self._catalog_listeners:
                    listener(region)

    def _begun(self, scope: Scope) -> Connection:
        """A connection in a transaction that knows who looks.

        A pooled connection may have died while nobody used it. Nothing was done on it yet, so its first statement is
        tried once more on a fresh one: cheaper than asking each connection before every transaction whether it lives.
        """
        connection = self.engine.connect()
        try:
            enter(connection, scope)
        except DBAPIError as error:
            connection.close()
            if not error.connection_invalidated:
                raise
            connection = self.engine.connect()
            enter(connection, scope)
        return connection

    def is_alive(self) -> bool:
        """Whether the database answers now."""
        try:
            with translating(), self._begun(HUB_SCOPE):
                pass
        except Exception:  # noqa: BLE001 - a health page wants a yes or no, whatever went wrong.
            return False
        return True


@contextmanager
def translating() -> Iterator[None]:
    """Turn the database's errors into the hub's."""
    try:
        yield
    except DBAPIError as error:
        known = translated(error)
        if known is None:
            raise
        # Without the cause: PostgreSQL's message may quote a row or a parameter.
        raise known from None
    except UnicodeEncodeError:
        raise NotAllowed("text_unstorable", "a text holds half a character and cannot be kept") from None


def open_store(url: str, ring: KeyRing, *, pool_size: int = 5) -> SqlStore:
    """A store over a database URL (as the application's role) and the keys of the key file."""
    engine = make_engine(url, pool_size=pool_size)
    return SqlStore(engine, Vault(ring, SqlDataKeys(engine)))
