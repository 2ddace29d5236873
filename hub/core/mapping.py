"""How a region's own code stands for a unified one: on which days, under which conditions, how well, by whose decision.

Knows mappings as intervals, their conditions, and what it takes to change one.
Must not know prices, classes, files or how a candidate was found.
Sources: domain-process section 6.3 (mappings are intervals, not facts) and section 2 (one national chronic disease fans
out into several local entitlements); design invariant 10 (who enters does not approve).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hub.core.codes import InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.lifecycle import Lifecycle


class Grade(StrEnum):
    """How well a mapping's target says what the local entry says."""

    EXACT = "exact"
    NARROWER = "narrower"
    BROADER = "broader"
    PARTIAL = "partial"
    NONE = "none"


PAYABLE_GRADES = frozenset({Grade.EXACT, Grade.NARROWER})
"""A line is paid under a mapping only if the unified entry means the same or less than the local one."""


class Origin(StrEnum):
    """Where a mapping came from: a file of the region, a candidate of the suggester, or a person's own search."""

    IMPORTED = "imported"
    SUGGESTED = "suggested"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of the person and the care when a code is looked up; None where it is not known.

    `on` is the day that ages are counted on. `diagnoses` are codes of the diagnosis book.
    """

    on: date
    sex: Sex | None = None
    birth_date: date | None = None
    insurance_type: InsuranceType | None = None
    diagnoses: frozenset[str] | None = None

    @property
    def age(self) -> int | None:
        """Whole years completed on the day; None where the date of birth is not known."""
        return None if self.birth_date is None else age_on(self.on, born=self.birth_date)


def age_on(day: date, *, born: date) -> int:
    """Whole years completed; who is born on 29 February turns a year older on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Condition:
    """When a mapping applies. An absent part does not matter; ages are whole years, both ends included.

    `diagnoses` are beginnings of diagnosis codes, of which one must fit. What is not known does not fulfil a condition.
    """

    sex: Sex | None = None
    age_from: int | None = None
    age_to: int | None = None
    insurance_type: InsuranceType | None = None
    diagnoses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.age_from is not None and self.age_to is not None and self.age_to < self.age_from:
            raise NotAllowed("condition_ages", f"ages {self.age_from} to {self.age_to}: the first is above the last")
        if any(age is not None and not 0 <= age <= 150 for age in (self.age_from, self.age_to)):
            raise NotAllowed("condition_ages", "an age lies between 0 and 150 years")

    @property
    def is_empty(self) -> bool:
        return self == Condition()

    def holds(self, found: Circumstances) -> bool:
        if self.sex is not None and found.sex is not self.sex:
            return False
        if self.insurance_type is not None and found.insurance_type is not self.insurance_type:
            return False
        if not within_ages(found.age, first=self.age_from, last=self.age_to):
            return False
        return not self.diagnoses or any(code.startswith(self.diagnoses) for code in found.diagnoses or ())

    def excludes(self, other: Condition) -> bool:
        """Whether no person can fulfil both. Diagnoses exclude nothing: a person may have several."""
        if self.sex is not None and other.sex is not None and self.sex is not other.sex:
            return True
        if None not in (self.insurance_type, other.insurance_type) and self.insurance_type is not other.insurance_type:
            return True
        first = max(self.age_from or 0, other.age_from or 0)
        last = min(150 if one.age_to is None else one.age_to for one in (self, other))
        return last < first


def within_ages(age: int | None, *, first: int | None, last: int | None) -> bool:
    """Whether an age lies in a range with both ends; an age that is not known lies only in the range without ends."""
    if first is None and last is None:
        return True
    return age is not None and (first is None or first <= age) and (last is None or age <= last)


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Mapping:
    """A local code's unified code, valid over a span of days (first day in, end day out; no end = until further
    notice), for the persons and care that fulfil the condition.
    """

    local: LocalCode
    unified: UnifiedCode | None
    grade: Grade
    valid_from: date
    valid_until: date | None = None
    condition: Condition = ALWAYS

    def __post_init__(self) -> None:
        if (self.unified is None) != (self.grade is Grade.NONE):
            raise Inconsistent("mapping_grade", "a mapping has no target exactly when its grade is 'none'")
        if self.unified is not None and self.unified.kind is not self.local.kind:
            raise NotAllowed("mapping_kind", f"a {self.local.kind} cannot map to a {self.unified.kind}")
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise NotAllowed("mapping_span", "a mapping must end after it begins")

    @property
    def valid(self) -> Span:
        return Span(self.valid_from, self.valid_until)

    def clashes_with(self, other: Mapping) -> bool:
        """Whether both would answer for one line: the same local code, a common day, and conditions that can meet.

        An unconditional mapping stands behind conditional ones, so it clashes only with another unconditional one.
        """
        if self.local != other.local or not self.valid.overlaps(other.valid):
            return False
        if self.condition.is_empty or other.condition.is_empty:
            return self.condition.is_empty and other.condition.is_empty
        return not self.condition.excludes(other.condition)


def first_clash(mappings: Sequence[Mapping]) -> tuple[Mapping, Mapping] | None:
    """The first two mappings of one local code that would answer for the same line; None if nothing overlaps."""
    for number, one in enumerate(mappings):
        for other in mappings[number + 1 :]:
            if one.clashes_with(other):
                return one, other
    return None


def applying(mappings: Iterable[Mapping], found: Circumstances) -> Mapping | None:
    """The mapping that applies on the day: one whose condition holds, else the unconditional one, else none."""
    fallback = None
    for one in mappings:
        if found.on not in one.valid:
            continue
        if one.condition.is_empty:
            fallback = one
        elif one.condition.holds(found):
            return one
    return fallback


# --- changing a mapping or an entry -------------------------------------------------------------------------------


class ChangeState(StrEnum):
    """Where a change of a region's catalog stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    UNDO_PROPOSED = "undo_proposed"
    UNDONE = "undone"


CHANGE_MOVES = Lifecycle(
    "catalog change",
    start=ChangeState.PROPOSED,
    moves=[
        (ChangeState.PROPOSED, "approved", ChangeState.IN_FORCE),
        (ChangeState.PROPOSED, "rejected", ChangeState.REJECTED),
        (ChangeState.PROPOSED, "withdrawn", ChangeState.WITHDRAWN),
        # what is in force changes bills, so taking it back needs two people as well
        (ChangeState.IN_FORCE, "undo_proposed", ChangeState.UNDO_PROPOSED),
        (ChangeState.UNDO_PROPOSED, "undone", ChangeState.UNDONE),
        (ChangeState.UNDO_PROPOSED, "undo_refused", ChangeState.IN_FORCE),
    ],
)

HOLDING_STATES = frozenset({ChangeState.IN_FORCE, ChangeState.UNDO_PROPOSED})
"""A change holds until its undoing is approved, not from when somebody proposes it."""


def check_other_person(*, proposed_by: str, reviewed_by: str) -> None:
    """Who proposed a change does not review it. Raises NotAllowed with code ``same_person``."""
    if proposed_by == reviewed_by:
        raise NotAllowed("same_person", "who proposes a change does not review it: ask a colleague")
