"""The hub's processes as children of one: migrate first, then web, worker and beat.

Knows how each role is started and when it is ready; `deploy/` starts the same roles by the same commands.
Must not know what they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.settings import Settings, environment_for_child

ROLES = ("web", "worker", "beat")
READY_SECONDS = 60
STOP_SECONDS = 40
MOST_REVIVALS = 5
"""How often one role is started again: whoever ends more often than that has a fault that a restart does not mend."""


class NotReady(Exception):
    """A process ended or did not answer in time; the message names its log."""


def role_command(role: str) -> list[str]:
    """The command of a role, the same in `hub serve` and in a container."""
    return [sys.executable, "-m", "hub.cli", role]


def child_environment(settings: Settings) -> Mapping[str, str]:
    """The environment of a child: the caller's, with the addresses of the services that were started."""
    given = {
        "HUB_STATE_DIR": str(settings.state_dir),
        "HUB_PORT": str(settings.port),
        "HUB_PUBLIC_URL": settings.public_url,
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_DATABASE_OWNER_URL": settings.database_owner_url,
        "HUB_REDIS_URL": settings.redis_url,
        "HUB_VAULT_KEY_FILE": str(settings.vault_key_file or ""),
        "PYTHONUNBUFFERED": "1",
    }
    return environment_for_child({name: value for name, value in given.items() if value})


class Processes:
    """Web, worker and beat on a state folder; leaving the block stops them in order.

    The settings name the database and the queue. Each process writes its log to ``<state>/<role>.log``.
    On Linux none outlives a killed parent.
    """

    def __init__(self, settings: Settings, *, roles: tuple[str, ...] = ROLES) -> None:
        self._settings = settings
        self._environment = child_environment(settings)
        self._roles = roles
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._revivals: dict[str, int] = {}

    def __enter__(self) -> Self:
        if "web" in self._roles:
            self._check_port()
        try:
            for role in self._roles:
                self.start(role)
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _check_port(self) -> None:
        """Refuse a port that somebody else listens on: his answers would be taken for ours."""
        with socket.socket() as probe:
            probe.settimeout(2)
            if probe.connect_ex(("127.0.0.1", self._settings.port)) == 0:
                raise NotReady(f"port {self._settings.port} is in use: stop what listens there, or set HUB_PORT")

    def log_of(self, role: str) -> Path:
        return self._settings.state_dir / f"{role}.log"

    def start(self, role: str) -> None:
        with self.log_of(role).open("ab") as log:
            self.running[role] = subprocess.Popen(
                [*role_command(role), "--parent", str(os.getpid())],
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own: Ctrl-C in the terminal reaches the parent alone, which then stops all in order.
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait until the web server answers; raises NotReady where a process ended or the time is over."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if "web" not in self.running or self._web_answers():
                return
            time.sleep(0.1)
        raise NotReady(f"the web server did not answer within {READY_SECONDS} s: see {self.log_of('web')}")

    def check(self) -> None:
        """Raise NotReady where a process has ended."""
        for role, process in self.running.items():
            if process.poll() is not None:
                raise NotReady(f"{role} ended with status {process.returncode}: see {self.log_of(role)}")

    def revive(self) -> list[str]:
        """Start again what has ended, and say what that was; raises NotReady where a role keeps ending."""
        ended = [role for role, process in self.running.items() if process.poll() is not None]
        for role in ended:
            self._revivals[role] = self._revivals.get(role, 0) + 1
            if self._revivals[role] > MOST_REVIVALS:
                self.check()
            self.start(role)
        return ended

    def kill(self, role: str) -> None:
        """End a role and its children at once, as a crash would."""
        process = self.running.pop(role)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stop in the order beat, worker, web: nothing new is scheduled while the worker finishes what it has."""
        for role in reversed(list(self.running)):
            process = self.running.pop(role)
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._settings.port}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
