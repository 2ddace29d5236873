"""The suggester behind the hub's port: one engine for each kind of catalog, made ready when a kind is first asked for.

Knows which engine is still good. Must not know how anything is ranked, nor where the books lie: it is given a way to
read them. The engine's libraries are loaded with the first question, not with the process.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from hub.core.codes import CatalogKind
from hub.core.errors import NotAllowed
from hub.ports.catalogs import Candidate, LocalRow

if TYPE_CHECKING:
    from hub.suggest.making import BookEntry, DecidedRow, Made

LEARN_AGAIN_SECONDS = 900
"""How long an engine may not know of the newest decisions: making it ready takes seconds, so not every one is worth it.
A new release is known at once."""


class Books(Protocol):
    """What there is to suggest, and what was decided so far."""

    def releases(self) -> str:
        """Which releases the answers of the other two come from."""
        ...

    def entries(self, kind: CatalogKind) -> Sequence[BookEntry]: ...

    def decided(self, kind: CatalogKind) -> Sequence[DecidedRow]: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """An engine, the releases it was made from, and when."""

    made: Made
    releases: str
    at: float

    def is_good(self, releases: str) -> bool:
        return self.releases == releases and time.monotonic() - self.at < LEARN_AGAIN_SECONDS


class CatalogSuggester:
    """The port `Suggesting` over the engine. Threads may share it: one makes an engine ready, the others wait for the
    first one of a kind, and go on with the one before for any later.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._ready: dict[CatalogKind, _Ready] = {}
        self._locks: defaultdict[CatalogKind, Lock] = defaultdict(Lock)

    def suggest(self, kind: CatalogKind, rows: Sequence[LocalRow], *, top: int) -> Sequence[Sequence[Candidate]]:
        """Candidates of each row, the best first. Raises NotAllowed where the kind has no unified code book."""
        if not rows or not top:
            return [() for _ in rows]
        return self._made(kind).candidates(rows, top=top)

    def _made(self, kind: CatalogKind) -> Made:
        releases = self._books.releases()
        ready = self._ready.get(kind)
        if ready is not None and ready.is_good(releases):
            return ready.made
        lock = self._locks[kind]
        if ready is not None and not lock.acquire(blocking=False):
            return ready.made
        if ready is None:
            lock.acquire()
        try:
            ready = self._ready.get(kind)
            if ready is None or not ready.is_good(releases):
                ready = self._ready[kind] = _Ready(self._make(kind), releases, time.monotonic())
            return ready.made
        finally:
            lock.release()

    def _make(self, kind: CatalogKind) -> Made:
        from hub.suggest.making import Made

        entries = self._books.entries(kind)
        if not entries:
            raise NotAllowed("no_code_book", f"there is no unified code book of the kind {kind}")
        return Made(kind, entries, self._books.decided(kind))
