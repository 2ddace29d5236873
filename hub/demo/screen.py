"""What the watcher sees meanwhile: a bar for each act in a terminal, one plain line for each elsewhere.

Knows the terminal. Must not know what is played.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_WIDTH = 150
"""Columns where there is no terminal to ask: wide enough that no row of a table is broken."""

Advance = Callable[[], None]


def make_console() -> Console:
    """A console on standard output that keeps lines whole where nobody watches."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


class Screen:
    """Tells act by act what happens. Several threads may advance one act."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the bars on the screen; without a terminal there are none."""
        if not self.console.is_terminal:
            yield
            return
        with self._progress:
            yield

    def finish(self) -> None:
        """Leave the bars as they are and print below them from here on."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line between the acts."""
        self.console.print(text, markup=False)

    @contextmanager
    def act(self, title: str, *, steps: int = 1) -> Iterator[Advance]:
        """One act of so many steps; the function given advances it by one."""
        began = time.monotonic()
        if self.console.is_terminal:
            task = self._progress.add_task(title, total=steps)
            yield lambda: self._progress.advance(task)
            self._progress.update(task, completed=steps)
            return
        yield _nothing
        self.say(f"{title}: {steps} {'step' if steps == 1 else 'steps'}, {time.monotonic() - began:.1f} s")


def _nothing() -> None:
    """No bar to move."""
