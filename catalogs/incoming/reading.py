"""What every way of reading a table has in common: rows with their place, progress, and limits.

Knows rows, faults of a file and how large one may be. Must not know encodings, workbooks or columns.
Source: engineering guide section 8, rows 11 and 22: what is too large is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from catalogs.faults import FaultList

Progress = Callable[[int, int], None]
"""Hears how much of how much has been read, in whatever unit; now and then, not after each row."""


def nobody_watches(_done: int, _whole: int) -> None:
    """Progress where nobody looks."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be before it is refused, in bytes, rows, columns and characters."""

    file_bytes: int = 512 * 1024 * 1024
    unpacked_bytes: int = 1024 * 1024 * 1024
    members: int = 200
    times_packed: int = 200
    rows: int = 2_000_000
    columns: int = 300
    line_characters: int = 100_000
    shared_text_bytes: int = 256 * 1024 * 1024


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Run:
    """One import: where its faults go, who watches, and what is too large for it."""

    faults: FaultList
    progress: Progress = nobody_watches
    limits: Limits = LIMITS


class SourceRow(NamedTuple):
    """A row as it stands in a file: its number as an editor or a spreadsheet shows it, and its cells."""

    line: int
    cells: list[str]


class Reader(Protocol):
    """A file opened for reading: what it turned out to be, and its rows."""

    @property
    def described(self) -> str:
        """What the file is and how it is read, in words: ``CSV, GB18030``."""
        ...

    def rows(self, faults: FaultList, *, progress: Progress) -> Iterator[SourceRow]:
        """The rows that are not empty, one at a time. What makes reading on pointless is noted and ends them."""
        ...
