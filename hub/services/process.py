"""Processes that the launcher starts and must find again after its own death.

Knows how to tell a process from a later one with the same number, how to stop one, and when a data folder is free.
Must not know PostgreSQL or Valkey. A process is never signalled on the strength of its number alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.core.errors import Unreachable

# The servers see nothing of the caller's environment: PGPORT, LD_PRELOAD and the like would change them.
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# How long to wait for the processes of an earlier run to let go of their data.
PATIENCE_SECONDS = 30.0

# Children of this process, kept so that they can be reaped. They outlive it on purpose if it is killed.
_children: dict[int, subprocess.Popen[bytes]] = {}


class ServiceError(Unreachable):
    """An embedded service cannot run; `cure` says what to do about it and is part of the message."""

    def __init__(self, code: str, message: str, *, cure: str) -> None:
        super().__init__(f"service_{code}", f"{message}. {cure}", transient=False)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a server runs as when the caller is root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process named so that no later one can be taken for it: number and moment of start."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """True while this very process runs; a zombie counts as gone."""
        return identify(self.pid) == self


def identify(pid: int) -> Process | None:
    """Return the process that has this number now, None if none does or it only waits to be reaped."""
    found = _identify_by_proc(pid) if Path("/proc/self/stat").exists() else _identify_by_ps(pid)
    child = _children.get(pid)
    if child is not None and found is None:
        # Our own child ended: take its exit status, so that no zombie stays.
        child.wait()
        del _children[pid]
    return found


def _identify_by_proc(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses itself; state and start time follow the last one.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return Process(pid, f"{boot}/{fields[19]}")
    return Process(pid, fields[19])


def _identify_by_ps(pid: int) -> Process | None:
    answer = subprocess.run(
        ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=CLEAN_ENVIRONMENT,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return Process(pid, started.strip()) if started and not state.startswith("Z") else None


def command_line(pid: int) -> str:
    """Return the command line of a process as one string, empty if it cannot be read."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    answer = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=CLEAN_ENVIRONMENT,
    )
    return answer.stdout.strip()


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll until `condition` holds; return whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(process: Process, *, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send one signal after the other, giving each its seconds, until the process is gone.

    Raises ServiceError if it survives them all or belongs to another user.
    """
    for number, seconds in steps:
        if not process.alive:
            return
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as fault:
            raise ServiceError(
                "foreign_process", f"process {process.pid} belongs to another user", cure="Stop it as that user"
            ) from fault
        if wait_until(lambda: not process.alive, seconds=seconds):
            return
    raise ServiceError(
        "unstoppable", f"process {process.pid} does not end", cure="Look at it with `ps`; its disk may hang"
    )


@contextlib.contextmanager
def exclusive(path: Path, *, seconds: float, busy: ServiceError) -> Iterator[int]:
    """Hold the lock on `path` and yield its descriptor; raise `busy` if others hold it for `seconds`.

    A server that inherits the descriptor keeps the lock until it and all its children are gone, also after a kill and
    also when it runs in a container whose process numbers are not ours. That is what makes the data folder free.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not wait_until(lambda: _locked(descriptor), seconds=seconds):
            raise busy
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno in {errno.EWOULDBLOCK, errno.EINTR}:
            return False
        raise
    return True


def run(command: Sequence[str | Path], *, account: Account | None, folder: Path | str = "/") -> tuple[int, str]:
    """Run a short program to its end; return its exit status and all it printed, 127 if it could not be started."""
    try:
        answer = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=folder,
            env=CLEAN_ENVIRONMENT,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as fault:
        return 127, str(fault)
    return answer.returncode, answer.stdout.decode("utf-8", "replace").strip()


def spawn(command: Sequence[str | Path], *, account: Account | None, log: Path, lock: int) -> Process:
    """Start a server that outlives this process; what it prints is added to `log`, `lock` stays held while it lives.

    It gets its own session, so that Ctrl-C in the terminal reaches only the hub, which then stops it in order.

    Raises ServiceError if the program cannot be executed.
    """
    with _append(log) as output:
        try:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=CLEAN_ENVIRONMENT,
                umask=0o077,
                start_new_session=True,
                pass_fds=(lock,),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as fault:
            raise ServiceError(
                "not_executable",
                f"{command[0]} cannot be executed: {fault}",
                cure="Run `make clean` and try again, or give HUB_DATABASE_URL and HUB_REDIS_URL",
            ) from fault
    _children[child.pid] = child
    return identify(child.pid) or Process(child.pid, "gone")


@contextlib.contextmanager
def _append(log: Path) -> Iterator[int]:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_size > 16 * 1024 * 1024:
            os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)
