"""The one place that asks what time it is.

Knows the machine's clock and, in development, by how much the played time differs from it.
Must not be used by anything but the shells: core and actions are given their moment.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

_SHIFT_FILE = "clock-shift-seconds"


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one clock.


class PlayedClock:
    """The machine's clock moved by a whole number of seconds, for playing another day; development only.

    The shift stands in a small file, so that every process of one state folder tells the same time.
    """

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / _SHIFT_FILE

    def now(self) -> datetime:
        return SystemClock().now() + timedelta(seconds=self._shift())

    def _shift(self) -> int:
        try:
            return int(self._file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0


def shift_clock(state_dir: Path, *, to: datetime) -> None:
    """Make it `to` now for every process of a state folder, from where time goes on running."""
    seconds = round((to - SystemClock().now()).total_seconds())
    beside = state_dir / (_SHIFT_FILE + ".new")
    beside.write_text(str(seconds), encoding="ascii")
    beside.replace(state_dir / _SHIFT_FILE)
