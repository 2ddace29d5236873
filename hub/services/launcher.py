"""Starting and stopping the embedded services of one state folder, for any number of hub processes at once.

Knows the record in the state folder: who uses the services, which processes they are, where their sockets lie.
Must not know what the services are used for. The rule is that of a shared room: the first in turns on the light, the
last out turns it off, and whoever comes in first looks whether those on the list are really there.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.services import postgres, process, valkey
from hub.services.process import Account, Process, ServiceError
from hub.settings import Settings

# Linux allows 108 bytes and macOS 104, both with the name of the socket.
LONGEST_SOCKET_FOLDER = 80
SOCKETS_PREFIX = "hub-sockets-"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What `hub check` prints of one service; `place` is the state folder or the address without its password."""

    name: str
    embedded: bool
    place: str
    running: bool
    detail: str


class Services:
    """The addresses of a running PostgreSQL and Redis; leaving the `with` block stops what nobody else uses.

    `database_owner_url`, `database_app_url` and `superuser_url` are in SQLAlchemy's form for psycopg; the last is None
    where the database is given by URL. `redis_url` is in Celery's form, `redis_client_url` in redis-py's.
    """

    def __init__(self, settings: Settings) -> None:
        self._state = settings.state_dir
        self._token = secrets.token_hex(8)
        self._pid = os.getpid()
        self._wanted = _wanted(settings)
        sockets = self._enter() if self._wanted else Path()
        self.sockets: Path | None = sockets if self._wanted else None
        self.superuser_url: str | None = None
        if settings.database_url is None:
            self.superuser_url = postgres.url(sockets, role=postgres.SUPERUSER)
            self.database_owner_url = postgres.url(sockets, role=postgres.OWNER)
            self.database_app_url = postgres.url(sockets, role=postgres.APPLICATION)
        else:
            self.database_owner_url = settings.database_owner_url or settings.database_url
            self.database_app_url = settings.database_url
        redis_url = settings.redis_url or f"redis+socket://{valkey.socket(sockets)}?virtual_host=0"
        self.redis_url = redis_url.replace("unix://", "redis+socket://", 1)
        self.redis_client_url = _client_url(redis_url)

    def ensure_running(self) -> tuple[str, ...]:
        """Start again what died, on the same sockets and data; return the names of what had to be started."""
        if not self._wanted:
            return ()
        with _record(self._state) as record:
            return _start_missing(self._state, record, self._wanted)

    def stop(self) -> None:
        """Leave; the last to leave stops the servers in order. Twice, or in a forked child, it does nothing."""
        if not self._wanted or os.getpid() != self._pid:
            return
        self._wanted = ()
        with _record(self._state) as record:
            record.users.pop(self._token, None)
            if not record.users_alive():
                _stop_all(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _enter(self) -> Path:
        _make_state_folder(self._state)
        with _record(self._state) as record:
            if not record.users_alive():
                _stop_orphans(self._state, record)
            record.users[self._token] = process.identify(self._pid) or Process(self._pid, "")
            try:
                _start_missing(self._state, record, self._wanted)
            except BaseException:
                del record.users[self._token]
                if not record.users_alive():
                    _stop_all(record)
                raise
            return record.sockets


def start_services(settings: Settings) -> Services:
    """Start what no URL in the settings replaces, or join the hub that already runs it on the same state folder.

    Raises ServiceError with the cure if a service cannot run.
    """
    return Services(settings)


def service_status(settings: Settings) -> tuple[ServiceStatus, ...]:
    """Look at both services without starting or changing anything; a server is running if it answers within 5 s."""
    record = _Record.read(settings.state_dir)
    rows = []
    for name, given, answers in (
        ("postgres", settings.database_url, _database_answers),
        ("redis", settings.redis_url, _redis_answers),
    ):
        key = "valkey" if name == "redis" else name
        server = record.servers.get(key)
        if given is None and (server is None or not server.alive):
            rows.append(ServiceStatus(name, True, str(settings.state_dir), False, "not running"))
            continue
        if name == "postgres":
            address = given or postgres.url(record.sockets, role=postgres.APPLICATION)
        else:
            address = _client_url(given or f"unix://{valkey.socket(record.sockets)}")
        fault = answers(address)
        detail = fault or (f"process {server.pid}" if given is None and server else "answers")
        place = str(settings.state_dir) if given is None else _without_password(given)
        rows.append(ServiceStatus(name, given is None, place, not fault, detail))
    return tuple(rows)


def remove_data(settings: Settings) -> None:
    """Delete everything the embedded services keep for this state folder: for a demonstration that begins anew.

    Raises ServiceError if a hub still uses it.
    """
    state = settings.state_dir
    if not state.exists():
        return
    with _record(state) as record:
        if record.users_alive():
            raise ServiceError("in_use", f"a hub runs on {state}", cure="Stop it first")
        _stop_orphans(state, record)
        pointer = state / "postgres.folder"
        if pointer.exists():
            shutil.rmtree(Path(pointer.read_text(encoding="utf-8").strip()).parent, ignore_errors=True)
        for name in ("postgres", "postgres.new", "valkey"):
            shutil.rmtree(state / name, ignore_errors=True)
        for name in ("postgres.folder", "postgres.log", "valkey.log"):
            (state / name).unlink(missing_ok=True)


# ---- the record


@dataclass(slots=True)
class _Record:
    """services.json: the users by token, the servers by name, the folder of the sockets."""

    users: dict[str, Process]
    servers: dict[str, Process]
    sockets: Path

    @classmethod
    def read(cls, state: Path) -> _Record:
        """Read the record; one that is missing or torn counts as empty, since all it says can be found out anew."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads((state / "services.json").read_text(encoding="utf-8"))
            users = {token: Process(*entry) for token, entry in data["users"].items()}
            servers = {name: Process(*entry) for name, entry in data["servers"].items()}
            return cls(users, servers, Path(data["sockets"]))
        return cls({}, {}, Path())

    def write(self, state: Path) -> None:
        """Replace the file in one step, so that a kill leaves the old or the new record."""
        data = {
            "users": {token: [user.pid, user.started] for token, user in self.users.items()},
            "servers": {name: [server.pid, server.started] for name, server in self.servers.items()},
            "sockets": str(self.sockets),
        }
        unfinished = state / "services.json.new"
        unfinished.write_text(json.dumps(data, indent=1), encoding="utf-8")
        unfinished.replace(state / "services.json")

    def users_alive(self) -> bool:
        """Strike users that died without leaving; return whether any is left."""
        self.users = {token: user for token, user in self.users.items() if user.alive}
        return bool(self.users)


@contextlib.contextmanager
def _record(state: Path) -> Iterator[_Record]:
    """Read the record for changing it; others wait. It is written back even if the change failed half-way."""
    busy = ServiceError(
        "start_busy",
        f"another hub has been starting or stopping on {state} for two minutes",
        cure="Look for it with `ps`, or set HUB_STATE_DIR to another folder",
    )
    with process.exclusive(state / "services.lock", seconds=120, busy=busy):
        record = _Record.read(state)
        try:
            yield record
        finally:
            record.write(state)


def _wanted(settings: Settings) -> tuple[str, ...]:
    wanted = (("postgres", settings.database_url), ("valkey", settings.redis_url))
    names = tuple(name for name, given in wanted if given is None)
    if names and settings.production:
        raise ServiceError(
            "production", "embedded services are for development only", cure="Set HUB_DATABASE_URL and HUB_REDIS_URL"
        )
    return names


def _start_missing(state: Path, record: _Record, wanted: tuple[str, ...]) -> tuple[str, ...]:
    missing = [name for name in wanted if not (name in record.servers and record.servers[name].alive)]
    if not missing:
        return ()
    home = postgres.settle(state) if "postgres" in wanted else None
    account = home.account if home else None
    if not _usable(record.sockets, account):
        record.sockets = _make_socket_folder(account)
    starters: dict[str, Callable[[], Process]] = {"valkey": lambda: valkey.start(state, record.sockets)}
    if home is not None:
        starters["postgres"] = lambda: postgres.start(home, record.sockets)
    for name in missing:
        record.servers[name] = starters[name]()
        # Written at once: if this process is killed now, the next one finds the server.
        record.write(state)
    return tuple(missing)


_STOP_STEPS = {"postgres": postgres.STOP_STEPS, "valkey": valkey.STOP_STEPS}


def _stop_all(record: _Record) -> None:
    for name, server in list(record.servers.items()):
        process.stop(server, steps=_STOP_STEPS[name])
        del record.servers[name]
    # Only what the launcher itself made is removed, whatever the record says.
    if record.sockets.name.startswith(SOCKETS_PREFIX):
        shutil.rmtree(record.sockets, ignore_errors=True)
    record.sockets = Path()


def _stop_orphans(state: Path, record: _Record) -> None:
    """Stop the servers of a hub that was killed, also one whose start was not yet in the record."""
    data = postgres.find_data(state)
    if data is not None:
        orphan = postgres.find_orphan(data)
        if orphan is not None:
            record.servers["postgres"] = orphan
            record.sockets = postgres.find_sockets(data) or record.sockets
    orphan = valkey.find_orphan(state)
    if orphan is not None:
        record.servers["valkey"] = orphan
    _stop_all(record)


# ---- folders


def _make_state_folder(state: Path) -> None:
    """Make the state folder: closed to others, or only passable where root must let the server's account through."""
    root = os.geteuid() == 0
    try:
        if not state.exists():
            state.mkdir(parents=True, exist_ok=True)
            state.chmod(0o711 if root else 0o700)
        (state / ".try").touch()
        (state / ".try").unlink(missing_ok=True)
        owner = state.stat().st_uid
    except OSError as fault:
        raise ServiceError(
            "state_folder",
            f"the state folder {state} cannot be written ({fault.strerror})",
            cure="Set HUB_STATE_DIR to a folder of your own",
        ) from fault
    if owner != os.geteuid():
        # Two users taking turns on one folder would leave each other files that they cannot read.
        raise ServiceError(
            "foreign_state",
            f"the state folder {state} belongs to user {owner}",
            cure="Run the hub as that user, or set HUB_STATE_DIR to a folder of your own",
        )


def _usable(sockets: Path, account: Account | None) -> bool:
    """Return whether the recorded socket folder is still there and still closed to others."""
    if sockets == Path():
        return False
    with contextlib.suppress(OSError):
        found = sockets.lstat()
        owner = account.uid if account else os.geteuid()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077
    return False


def _make_socket_folder(account: Account | None) -> Path:
    """Make a folder with a short path that only the server's user may enter; its name cannot be guessed."""
    places = list(dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]))  # noqa: S108 - mkdtemp makes it ours.
    for place in places:
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix=SOCKETS_PREFIX, dir=place))
            if account:
                os.chown(folder, account.uid, account.gid)
            short = len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER
            if (
                short
                and str(folder).isascii()
                and not set(str(folder)) & set(" ,?#%&")
                and postgres.reachable(folder, account)
            ):
                return folder
            folder.rmdir()
    raise ServiceError(
        "socket_path",
        f"no folder for sockets with a path of at most {LONGEST_SOCKET_FOLDER} plain bytes can be made in "
        + ", ".join(places),
        cure="Set TMPDIR to a short, writable folder",
    )


# ---- addresses


def _client_url(text: str) -> str:
    """Return a Redis URL as redis-py wants it: Celery writes sockets as redis+socket, with the database otherwise."""
    if text.startswith("redis+socket://"):
        return text.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)
    return text


def _without_password(text: str) -> str:
    parts = urlsplit(text)
    if parts.password is None:
        return text
    return text.replace(f":{parts.password}@", ":***@", 1)


def _database_answers(address: str) -> str:
    """Return an empty string if the database answers, else why not."""
    try:
        psycopg.connect(address.replace("postgresql+psycopg://", "postgresql://", 1), connect_timeout=5).close()
    except psycopg.OperationalError as fault:
        return str(fault).strip().splitlines()[0]
    return ""


def _redis_answers(address: str) -> str:
    """Return an empty string if Redis answers, else why not."""
    try:
        with redis.Redis.from_url(
            address, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
    except (redis.RedisError, OSError) as fault:
        return str(fault).strip().splitlines()[0]
    return ""
