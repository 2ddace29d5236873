"""The daily three-way match: hospital, insuring region and hub tell the same story, or a break names the cause.

Knows three lists keyed by settlement and the causes of a difference.
Must not know files, messages or repairs.
Sources: domain-process section 8.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.core.errors import Inconsistent
from hub.core.money import Money


def booking_event(bill_id: str, event: str) -> str:
    """The key under which hospital, region and hub speak of one settlement or cancel: ``<bill>/settled``."""
    return f"{bill_id}/{event}"


class BreakCause(StrEnum):
    """What is wrong with one booking, in order of precedence."""

    MISSING_AT_HUB = "missing_at_hub"
    MISSING_AT_CARE = "missing_at_care"
    MISSING_AT_INSURING = "missing_at_insuring"
    TOTAL_DIFFERS = "total_differs"
    FUND_DIFFERS = "fund_differs"


@dataclass(frozen=True, slots=True)
class Told:
    """What one side tells about one booking; cancels are negative."""

    event_id: str
    total: Money
    fund_total: Money


@dataclass(frozen=True, slots=True)
class Break:
    """One booking on which the three sides differ."""

    event_id: str
    cause: BreakCause
    hub: Told | None
    care: Told | None
    insuring: Told | None


def three_way(*, hub: Iterable[Told], care: Iterable[Told], insuring: Iterable[Told]) -> tuple[int, tuple[Break, ...]]:
    """Match three lists; gives the number of bookings that agree and every break, ordered by event id."""
    sides = [_by_event(side) for side in (hub, care, insuring)]
    agreed = 0
    breaks: list[Break] = []
    for event_id in sorted({event for side in sides for event in side}):
        at_hub, at_care, at_insuring = (side.get(event_id) for side in sides)
        cause = _cause(at_hub, at_care, at_insuring)
        if cause is None:
            agreed += 1
        else:
            breaks.append(Break(event_id, cause, at_hub, at_care, at_insuring))
    return agreed, tuple(breaks)


def _by_event(side: Iterable[Told]) -> Mapping[str, Told]:
    found: dict[str, Told] = {}
    for told in side:
        if found.setdefault(told.event_id, told) != told:
            raise Inconsistent("told_twice", f"{told.event_id} is told twice with different amounts by one side")
    return found


def _cause(at_hub: Told | None, at_care: Told | None, at_insuring: Told | None) -> BreakCause | None:
    if at_hub is None:
        return BreakCause.MISSING_AT_HUB
    if at_care is None:
        return BreakCause.MISSING_AT_CARE
    if at_insuring is None:
        return BreakCause.MISSING_AT_INSURING
    if not at_hub.total == at_care.total == at_insuring.total:
        return BreakCause.TOTAL_DIFFERS
    if not at_hub.fund_total == at_care.fund_total == at_insuring.fund_total:
        return BreakCause.FUND_DIFFERS
    return None
