"""Fixtures for tests against the real database: migrated once, emptied after each test.

A test may commit what it likes. Whoever needs a database without tables asks for `empty_database`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from hub.services import Services
from hub.store.engine import SqlStore, open_store
from hub.store.migrate import upgrade
from hub.vault import KeyRing, create_key_file, read_key_file


@dataclass(frozen=True)
class Database:
    """The URLs of one database, for the role that owns the tables and for the application."""

    owner_url: str
    app_url: str


@pytest.fixture(scope="session")
def _server(services: Services) -> Iterator[Engine]:
    """The way to make and drop databases."""
    assert services.superuser_url is not None
    engine = create_engine(services.superuser_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _migrated(_server: Engine, services: Services) -> Iterator[tuple[Database, Engine]]:
    """The database of the whole run and a way into it as the owner. What the migrations put in stays on a shelf."""
    with _new_database(_server, services) as made:
        upgrade(made.owner_url)
        engine = create_engine(made.owner_url)
        with engine.begin() as connection:
            connection.execute(_SHELVE)
        yield made, engine
        engine.dispose()


@pytest.fixture
def database(_migrated: tuple[Database, Engine]) -> Iterator[Database]:
    """A migrated database without rows but those of the migrations."""
    made, engine = _migrated
    yield made
    with engine.begin() as connection:
        connection.execute(_EMPTY)


@pytest.fixture(scope="session")
def _scratch(_server: Engine, services: Services) -> Iterator[Database]:
    with _new_database(_server, services) as made:
        yield made


@pytest.fixture
def empty_database(_scratch: Database) -> Database:
    """A database without any table."""
    engine = create_engine(_scratch.owner_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
        connection.execute(text("grant usage on schema public to public"))
    return _scratch


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vault") / "keys.json"
    create_key_file(path)
    return path


@pytest.fixture(scope="session")
def key_ring(key_file: Path) -> KeyRing:
    return read_key_file(key_file)


@pytest.fixture
def store(database: Database, key_ring: KeyRing) -> Iterator[SqlStore]:
    """A store as the application's role."""
    opened = open_store(database.app_url, key_ring, pool_size=20)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """A connection as the role that owns the tables; what a test does not commit is rolled back."""
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def _new_database(server: Engine, services: Services) -> Iterator[Database]:
    """Make a database owned by the owner's role, and drop it again."""
    name = f"hub_test_{secrets.token_hex(6)}"
    with server.connect() as connection:
        connection.execute(text(f"create database {name} owner hub_owner"))
    try:
        yield Database(_at(services.database_owner_url, name), _at(services.database_app_url, name))
    finally:
        with server.connect() as connection:
            connection.execute(text(f"drop database if exists {name} with (force)"))


def _at(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


_SHELVE = text(
    """
    do $$
    declare one text; filled boolean;
    begin
        create schema shelf;
        for one in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' loop
            execute format('select exists (select from %I)', one) into filled;
            if filled then
                execute format('create table shelf.%I as table %I', one, one);
            end if;
        end loop;
    end $$
    """
)

# Tables that are only ever added to refuse the owner too: for the emptying their triggers are switched off. Rows are
# deleted, not truncated, since each truncation leaves files for the server to flush; a table whose rows are still
# referred to waits for the next round.
_EMPTY = text(
    """
    do $$
    declare
        one text; filled boolean; left_over text[]; emptied text[] = cast(array[] as text[]); waiting text[];
    begin
        set local lock_timeout = '10s';
        select array_agg(tablename) into left_over from pg_tables
            where schemaname = 'public' and tablename <> 'alembic_version';
        while left_over is not null loop
            waiting = null;
            foreach one in array left_over loop
                execute format('select exists (select from %I)', one) into filled;
                continue when not filled;
                begin
                    execute format('alter table %I disable trigger user', one);
                    execute format('delete from %I', one);
                    emptied = emptied || one;
                exception when foreign_key_violation then
                    waiting = waiting || one;
                end;
            end loop;
            left_over = waiting;
        end loop;
        for one in select tablename from pg_tables where schemaname = 'shelf' loop
            execute format('insert into %I overriding system value table shelf.%I', one, one);
        end loop;
        foreach one in array emptied loop
            execute format('alter table %I enable trigger user', one);
        end loop;
    end $$
    """
)
