"""What the workbench asks of the store and of the suggester: changes of a region's catalog, what waits, candidates.

Knows which facts belong together and which guarantees the store gives.
Must not know tables, SQL, or how a candidate is found.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from hub.core.catalog import CareCatalog, CatalogItem, Change
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.mapping import ChangeState, Mapping, Origin
from hub.core.money import Money


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A proposed, decided or undone change of one code of a region's catalog.

    `order` counts the decisions of a region and is None until the change is first in force. `score` is the
    suggester's, in thousandths; None where nobody suggested. `reviewed_by` is who approved or rejected it.
    """

    id: str
    new: CatalogItem | Mapping
    origin: Origin
    reason: str
    score: int | None
    state: ChangeState
    proposed_by: str
    proposed_at: datetime
    order: int | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None

    @property
    def local(self) -> LocalCode:
        return self.new.local


@dataclass(frozen=True, slots=True)
class ChangeMove:
    """One step in the history of a change; the first comes from nothing (event ``proposed``)."""

    source: ChangeState | None
    event: str
    target: ChangeState
    who: str
    why: str
    at: datetime


class Changes(Protocol):
    """Changes of regions' catalogs; a region's staff see their own region's."""

    def add(self, record: ChangeRecord) -> None:
        """Keep a proposal and the first step of its history. Raises Conflict where the same code has a proposal of the
        same kind that waits already.
        """
        ...

    def get(self, change_id: str, *, lock: bool = False) -> ChangeRecord | None: ...

    def listed(
        self, region: Region, *, state: ChangeState | None, kind: CatalogKind | None, after: str, limit: int
    ) -> Sequence[ChangeRecord]:
        """Changes in the order of their ids, those after a given id only."""
        ...

    def of_code(self, local: LocalCode) -> Sequence[ChangeRecord]:
        """All changes of one code, the oldest first."""
        ...

    def history(self, change_id: str) -> Sequence[ChangeMove]: ...

    def move(
        self,
        change_id: str,
        *,
        source: ChangeState,
        event: str,
        target: ChangeState,
        who: str,
        why: str,
        at: datetime,
    ) -> None:
        """Write a step and the state; one that is approved gets the region's next order. Raises Conflict where the
        change is no longer in the state it starts from, and NotAllowed where the database finds one person on both
        sides.
        """
        ...

    def in_force(self, region: Region) -> Sequence[Change]:
        """What lies over the region's releases now, in the order of decision."""
        ...


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A local code that bills of open windows name and that is not paid for want of an entry or a mapping.

    `name` is the region's, or the hospital's where the region has none; `amount` is what patients pay themselves for
    that reason alone.
    """

    local: LocalCode
    name: str
    outcome: LineOutcome
    bills: int
    lines: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one catalog of a region is mapped, in rows and in the money of open bills.

    `rows` are entries in force on the day; `mapped` those with a target, `payable` those whose target is exact or
    narrower. `amount` is all that open bills charge under the kind, `waiting` the part that a mapping would change.
    """

    kind: CatalogKind
    rows: int
    mapped: int
    payable: int
    amount: Money
    waiting: Money


class Waiting(Protocol):
    """What bills of windows not yet closed wait for; a region's staff see the bills of their region's hospitals."""

    def queue(self, region: Region, *, kind: CatalogKind | None, offset: int, limit: int) -> Sequence[WaitingRow]:
        """The rows with the most money first, then by code."""
        ...

    def coverage(self, region: Region, *, on: date) -> Sequence[Coverage]:
        """One row for each kind that can be billed, in the order of the kinds."""
        ...

    def bills_with(self, local: LocalCode, *, since: date, until: date | None, limit: int) -> Sequence[str]:
        """Ids of settled bills of open windows with a line of this code on these days, the newest first."""
        ...


class UnifiedEntry(Protocol):
    """An entry of the unified code books, as a person looks at it."""

    @property
    def code(self) -> UnifiedCode: ...
    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> MappingOf[str, str]: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def status(self) -> str: ...


class CodeBooks(Protocol):
    """The newest unified release and the regions' releases; everybody may read them."""

    def entry(self, code: UnifiedCode) -> UnifiedEntry | None: ...

    def search(self, kind: CatalogKind, words: str, *, limit: int) -> Sequence[UnifiedEntry]:
        """Entries whose code begins with a text or whose name holds it, the closest first."""
        ...

    def items(self, region: Region, kind: CatalogKind, words: str, *, on: date, limit: int) -> Sequence[CatalogItem]:
        """A region's released entries of a day whose code begins with a text or whose name holds it, by code."""
        ...

    def version(self, region: Region | None) -> int:
        """The version of what is loaded and decided now: of a region's catalog, or without one of the unified books."""
        ...

    def entries_since(self, kind: CatalogKind, *, version: int, after: str, limit: int) -> Sequence[UnifiedEntry]:
        """Unified entries that a holder of an older version lacks or has otherwise, by code; at 0 all."""
        ...

    def codes_since(self, region: Region, kind: CatalogKind, *, version: int, after: str, limit: int) -> Sequence[str]:
        """Local codes about which a region's catalog says something else than at a version, in order; at 0 all."""
        ...

    def part(self, region: Region, kind: CatalogKind, codes: Sequence[str]) -> CareCatalog:
        """A region's catalog of these codes alone, as this transaction sees it. Raises NotAllowed if none is loaded."""
        ...


@dataclass(frozen=True, slots=True)
class LocalRow:
    """A row of a region's own catalog, as the suggester reads it. `facts` are its other columns (dosage_form, spec,
    unit, content, manufacturer...).
    """

    local: LocalCode
    name: str
    facts: MappingOf[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unified code that a local row may stand for. `score` is the chance that it is right, in thousandths;
    `in_answer` says that the suggester would take it.
    """

    unified: UnifiedCode
    name: str
    score: int
    in_answer: bool
    reasons: tuple[tuple[str, str], ...]


class Suggesting(Protocol):
    """Ranks unified codes for rows of a region's catalog; learns from what was decided for that kind."""

    def suggest(self, kind: CatalogKind, rows: Sequence[LocalRow], *, top: int) -> Sequence[Sequence[Candidate]]:
        """Candidates of each row, the best first. Raises NotAllowed where the kind has no unified code book."""
        ...
