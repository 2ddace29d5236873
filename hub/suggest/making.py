"""An engine for one kind of catalog, made from the code book and from what was decided, and asked in the hub's words.

Knows how rows, entries and candidates of the hub become columns and back. Must not know how anything is ranked, nor
where the books lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.core.codes import CatalogKind, UnifiedCode
from hub.ports.catalogs import Candidate, LocalRow
from hub.suggest.engine import Suggester, Suggestion
from hub.suggest.ranker import NetRanker
from hub.suggest.rows import FIELDS, Decided, Rows


class BookEntry(Protocol):
    """An active entry of the unified code books."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


class DecidedRow(Protocol):
    """A local row of any region and the unified code that it was decided to stand for."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def target(self) -> str: ...


class Made:
    """An engine that is ready for one kind."""

    def __init__(self, kind: CatalogKind, entries: Sequence[BookEntry], decided: Sequence[DecidedRow]) -> None:
        self._kind = kind
        columns = {name: [one.attributes.get(name, "") for one in entries] for name in FIELDS}
        columns |= {"name": [one.name for one in entries], "code": [one.code for one in entries]}
        candidates = Rows([one.code for one in entries], columns)
        places = {one.code: place for place, one in enumerate(entries)}
        taught = [one for one in decided if one.target in places]
        if taught:
            told = Decided(_taught(taught), [(places[one.target],) for one in taught])
            self._engine: Suggester = _Remembering(candidates, told)
        else:
            self._engine = Suggester(candidates)

    def candidates(self, rows: Sequence[LocalRow], *, top: int) -> Sequence[Sequence[Candidate]]:
        """The `top` best candidates of each row."""
        columns = {name: [row.facts.get(name, "") for row in rows] for name in FIELDS}
        columns |= {"name": [row.name for row in rows], "code": [row.local.code for row in rows]}
        found = self._engine.suggest(Rows([row.local.code for row in rows], columns), top=top)
        return [[_candidate(self._kind, one) for one in suggestions] for suggestions in found]


class _Remembering(Suggester):
    """Takes what was decided into its parts at once and leaves the ranker as it ships: learning that takes a minute and
    much memory, which a web worker does not have.
    """

    def _learned(self, decided: Decided, before: NetRanker) -> NetRanker:  # noqa: ARG002 - the engine's own signature.
        return before.on(self.feature_names)


def _taught(rows: Sequence[DecidedRow]) -> Rows:
    columns = {
        "name": [one.name for one in rows],
        "code": [one.code for one in rows],
        "unit": [one.unit for one in rows],
    }
    return Rows([one.code for one in rows], columns)


def _candidate(kind: CatalogKind, found: Suggestion) -> Candidate:
    return Candidate(
        unified=UnifiedCode(kind, found.code),
        name=found.name,
        score=max(0, min(1000, round(found.score * 1000))),
        in_answer=found.in_answer,
        reasons=tuple((why.chinese, why.english) for why in found.reasons),
    )
