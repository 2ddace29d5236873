"""The launcher as an ordinary user, and as root for whom PostgreSQL will not run. Both need root to be tried here."""

from __future__ import annotations

import codecs
import os
import pwd
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from hub.services import postgres, start_services, valkey
from hub.services.process import Account, ServiceError
from hub.settings import Settings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

STRANGER = pwd.getpwnam("daemon").pw_uid
NAMELESS = 12345


def as_user(uid: int, work: Callable[[], None], folder: Path) -> str:
    """Do the work in a forked child that became another user; return an empty string or what went wrong.

    A new interpreter would not do: root's Python often lies in root's home, where the stranger cannot read it. For the
    same reason what is loaded late must be loaded before.
    """
    codecs.lookup("ascii")
    report = folder / "report"
    report.touch(mode=0o600)
    os.chown(report, uid, uid)
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
        except BaseException:  # noqa: BLE001 - a child must not return into the test run.
            report.write_text(traceback.format_exc())
        os._exit(0)
    os.waitpid(child, 0)
    return report.read_text()


def start_as(uid: int, home: Path) -> str:
    for folder in (postgres.find_programs(), valkey.find_program().parent):
        if not postgres.reachable(folder, Account(uid, uid)):
            pytest.skip("the installed packages lie in a folder that only root may enter")
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)
    settings = Settings.from_env({"HUB_STATE_DIR": str(home / "state")})

    def work() -> None:
        with start_services(settings) as services:
            psycopg.connect(services.database_app_url.replace("+psycopg", "")).close()
            redis.Redis.from_url(services.redis_client_url).set("key", "value")

    return as_user(uid, work, home)


def test_an_ordinary_user_starts_both_and_closes_the_state_folder(open_folder):
    state = open_folder / "stranger" / "state"

    fault = start_as(STRANGER, state.parent)

    assert fault == ""
    assert state.stat().st_mode & 0o777 == 0o700
    assert {(state / name).stat().st_uid for name in ("postgres", "valkey")} == {STRANGER}


def test_a_user_without_a_name_starts_both_or_is_told_to_get_one(open_folder):
    """PostgreSQL asks for a name; a container run under a bare number has none, and may not make a namespace."""
    fault = start_as(NAMELESS, open_folder / "nameless")

    assert fault == "" or "Give this user a name in /etc/passwd" in fault


def test_roots_postgresql_runs_as_nobody(fresh):
    with start_services(fresh) as services:
        owner = Path(f"{services.sockets}/.s.PGSQL.5432").stat().st_uid

    assert owner == 65534


def test_programs_in_a_closed_folder_are_copied_with_their_libraries(state, places, monkeypatch):
    closed = Path(tempfile.mkdtemp())
    package = postgres.find_programs().parents[1]
    shutil.copytree(package, closed / package.name, symlinks=True)
    if package.with_name(f"{package.name}.libs").exists():
        shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs", symlinks=True)
    before = set(places.glob("programs-*"))
    monkeypatch.setattr(postgres, "find_programs", lambda: closed / package.name / "pginstall" / "bin")

    with start_services(state) as services:
        answer = services.database_app_url

    assert "hub_app" in answer
    assert len(set(places.glob("programs-*")) - before) == 1
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


def test_a_state_folder_of_another_user_is_refused(fresh):
    fresh.state_dir.mkdir()
    os.chown(fresh.state_dir, NAMELESS, NAMELESS)

    with pytest.raises(ServiceError, match="belongs to user 12345"):
        start_services(fresh)


def test_an_open_place_that_others_may_write_is_refused(places):
    places.mkdir(exist_ok=True)
    places.chmod(0o777)

    with pytest.raises(ServiceError, match="can reach neither"):
        postgres._open_place(postgres.NOBODY)

    places.chmod(0o711)


def test_a_full_disk_is_named_before_anything_is_made(fresh):
    fresh.state_dir.mkdir(mode=0o711)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m,mode=0711", "tmpfs", str(fresh.state_dir)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")

    try:
        with pytest.raises(ServiceError, match="Make room and start again"):
            start_services(fresh)
    finally:
        subprocess.run(["umount", str(fresh.state_dir)], check=True)
