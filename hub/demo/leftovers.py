"""Finds and stops what a killed demonstration left running.

Knows a small file with the processes of the last play, each named by number and moment of start, so that no other
program is ever signalled. Must not know services: PostgreSQL and Valkey look after their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from hub.services.process import Process, identify, stop

_FILE = "players.json"

_STEPS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))
"""Asked to stop first, so that a task at hand is finished; then made to."""


def remember(state_dir: Path, pids: Iterable[int]) -> None:
    """Note this process and its children."""
    found = [identify(pid) for pid in (os.getpid(), *pids)]
    rows = [(one.pid, one.started) for one in found if one is not None]
    (state_dir / _FILE).write_text(json.dumps(rows), encoding="ascii")


def stop_leftovers(state_dir: Path) -> int:
    """Stop the children of an earlier play whose own process is gone; give how many. A living play is left alone."""
    rows: list[list[object]] = []
    with contextlib.suppress(OSError, ValueError):
        rows = json.loads((state_dir / _FILE).read_text(encoding="ascii"))
    processes = [Process(int(str(pid)), str(started)) for pid, started in rows]
    if not processes or processes[0].alive:
        return 0
    left = [one for one in processes[1:] if one.alive]
    for one in left:
        stop(one, steps=_STEPS)
    return len(left)
