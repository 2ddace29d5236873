"""A dump made and restored by the runbook's own lines gives back sound books; the script that makes the roles."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hub.actions.rendering import render
from hub.ports import HUB_SCOPE
from hub.services import Services, start_services
from hub.services.postgres import find_programs, prepare_server
from hub.settings import Settings, environment_for_child
from hub.store.audit import head
from hub.store.engine import open_store
from hub.store.migrate import is_current, upgrade
from hub.store.verify import run
from hub.vault import KeyRing
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def own_server() -> Iterator[Services]:
    """A PostgreSQL of these tests alone: its database is renamed and its roles are dropped."""
    state = Path(tempfile.mkdtemp(prefix="hub-backup-"))
    state.chmod(0o711)
    with start_services(dataclasses.replace(Settings.from_env({}), state_dir=state)) as running:
        yield running
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
def server(own_server: Services) -> Services:
    """The same, with both roles and an empty database."""
    with as_superuser(own_server) as connection:
        for name in ("hub", "hub_before"):
            connection.execute(f"drop database if exists {name} with (force)")
        prepare_server(connection, database="hub")
    return own_server


@contextmanager
def as_superuser(server: Services) -> Iterator[psycopg.Connection]:
    url = make_url(server.superuser_url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def runbook_line(program: str) -> list[str]:
    """The one line of the runbook that runs a PostgreSQL program, without its user and its redirections."""
    (line,) = re.findall(rf"^compose exec -T postgres ({program} .*?)(?: [<>] .*)?$", RUNBOOK, re.MULTILINE)
    return [word for word in shlex.split(line) if not word.startswith("--username")]


def environment(server: Services) -> dict[str, str]:
    url = make_url(server.superuser_url)
    return environment_for_child({"PGHOST": url.query["host"], "PGPORT": "5432", "PGUSER": url.username})


def program(server: Services, words: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
    path = find_programs() / words[0]
    return subprocess.run([path, *words[1:]], env=environment(server), capture_output=True, check=False, **more)


@contextmanager
def as_owner(server: Services) -> Iterator[object]:
    engine = create_engine(server.database_owner_url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def fill(server: Services, ring: KeyRing) -> World:
    """A month of three bills, one cancelled, closed."""
    upgrade(server.database_owner_url)
    world = World(open_store(server.database_app_url, ring))
    world.settled("Huang", QINZHOU)
    world.settled("Jiang", HUANGSHAN)
    world.cancel(world.settled("Wei", JIANGNING))
    world.deliver_all()
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")
    with world.store.begin(HUB_SCOPE) as uow:
        uow.audit.seal()
    return world


def told(server: Services) -> list[object]:
    with as_owner(server) as owner:
        counts = [
            owner.exec_driver_sql(f"select count(*) from {table}").scalar_one()
            for table in ("bill", "entry", "leg", "gross_cell", "statement", "audit", "outbox")
        ]
        return [*counts, head(owner)]


def test_a_restored_dump_is_whole_and_every_invariant_holds(server: Services, key_ring: KeyRing):
    world = fill(server, key_ring)
    before = told(server)
    world.store.engine.dispose()

    dumped = program(server, runbook_line("pg_dump"))
    renamed = program(server, [*runbook_line("psql .*RENAME"), "--dbname=postgres"])
    restored = program(server, runbook_line("pg_restore"), input=dumped.stdout)

    assert [dumped.stderr, renamed.stderr, restored.stderr] == [b"", b"", b""]
    assert told(server) == before
    with as_owner(server) as owner:
        assert is_current(owner)
        results = run(owner, world.store.vault, gateways=world.hub.gateways, render=render)
    assert [(one.name, one.findings, one.skipped) for one in results if not one.ok] == []
    with pytest.raises(DBAPIError, match="never changed"), as_owner(server) as owner:
        owner.exec_driver_sql("update leg set amount_fen = amount_fen + 1")
    assert str(world.settled("Huang", JIANGNING).period) == "2026-11"
    world.store.engine.dispose()


def test_the_owner_cannot_dump_what_he_might_not_see(server: Services):
    upgrade(server.database_owner_url)

    refused = program(server, ["pg_dump", "--username=hub_owner", "hub"])

    assert refused.returncode != 0
    assert b"row-level security" in refused.stderr


def test_the_role_script_makes_a_server_ready_for_the_hub(server: Services):
    with as_superuser(server) as connection:
        connection.execute("drop database hub")
        connection.execute("drop role hub_owner")
        connection.execute("drop role hub_app")
    given = {**environment(server), "POSTGRES_USER": "hub", "OWNER_PASSWORD": "it's \\ ours", "APP_PASSWORD": "app"}
    given["PATH"] = f"{find_programs()}:{given['PATH']}"

    for _ in range(2):
        done = subprocess.run(
            ["sh", ROOT / "deploy" / "postgres-init.sh"], env=given, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    upgrade(server.database_owner_url)
    engine = create_engine(server.database_app_url, poolclass=NullPool)
    with engine.begin() as connection:
        assert is_current(connection)
        rights = connection.exec_driver_sql(
            "select rolname, rolsuper or rolbypassrls or rolcreatedb or rolcreaterole from pg_roles "
            "where rolname in ('hub_owner', 'hub_app') order by rolname"
        ).all()
    assert rights == [("hub_app", False), ("hub_owner", False)]
