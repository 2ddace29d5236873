"""Fixtures for every test: a PostgreSQL and a Redis that belong to this run alone.

With HUB_DATABASE_URL the suite makes a database of its own on that server and drops it at the end; the URL's user needs
to be a superuser or to have CREATEDB and CREATEROLE. With HUB_REDIS_URL that numbered database is used and emptied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from hub.services import Services, start_services
from hub.services.postgres import APPLICATION, OWNER, prepare_server
from hub.settings import Settings

pytest_plugins = ["tests.database", "tests.world", "tests.log_watch"]


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """The caller's settings, with a state folder of this run and, where a server is given, a database of this run."""
    # Root's PostgreSQL runs as another user, who must get through: pytest's own temporary folders are closed.
    state = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    state.chmod(0o711)
    given = dataclasses.replace(Settings.from_env(), state_dir=state)
    try:
        if given.database_url is None:
            yield given
        else:
            with _scratch_database(given.database_url) as (owner_url, app_url):
                yield dataclasses.replace(given, database_owner_url=owner_url, database_url=app_url)
    finally:
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def services(settings: Settings) -> Iterator[Services]:
    """Running PostgreSQL and Redis with empty databases; `superuser_url` may make further databases."""
    given_url = Settings.from_env().database_url
    with start_services(settings) as running:
        if given_url is not None:
            running.superuser_url = given_url
        yield running


@contextlib.contextmanager
def _scratch_database(given: str) -> Iterator[tuple[str, str]]:
    """Make a database with a fresh name and yield its URLs for the owner and the application; drop it afterwards.

    Both log in as the given user and then take the role: the server's rules for passwords need no change.
    """
    name = f"hub_test_{secrets.token_hex(6)}"
    address = given.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        prepare_server(connection, database=name)
    try:
        yield _as_role(given, name, OWNER), _as_role(given, name, APPLICATION)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _as_role(given: str, database: str, role: str) -> str:
    url = make_url(given).set(database=database).update_query_dict({"options": f"-crole={role}"})
    return url.render_as_string(hide_password=False)
