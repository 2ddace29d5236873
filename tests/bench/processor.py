"""How much processor time a group of processes has used: what a busy neighbour on the machine does not change.

Knows /proc of Linux; elsewhere there is no answer and the figure is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
# Places in /proc/<pid>/stat behind the name in parentheses.
_PARENT, _SESSION, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 3, 11, 12, 13, 14


def spent_by_session(leader: int) -> float | None:
    """Seconds of every living process in a session, and of those of their children that have ended."""
    return _sum(fields for _, fields in _processes() if int(fields[_SESSION]) == leader)


def spent_by_family(parent: int) -> float | None:
    """Seconds of a process and its children, living and ended."""
    return _sum(fields for pid, fields in _processes() if pid == parent or int(fields[_PARENT]) == parent)


def parent_of(pid: int) -> int | None:
    """The process that started another."""
    return next((int(fields[_PARENT]) for found, fields in _processes() if found == pid), None)


def _processes() -> Iterator[tuple[int, list[str]]]:
    for place in _PROC.glob("[0-9]*/stat"):
        try:
            text = place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # It ended while we looked.
        yield int(place.parent.name), text.rpartition(")")[2].split()


def _sum(found: Iterator[list[str]]) -> float | None:
    ticks = [
        sum(int(fields[place]) for place in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)) for fields in found
    ]
    return sum(ticks) / os.sysconf("SC_CLK_TCK") if ticks else None
