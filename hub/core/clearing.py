"""A clearing window: which month a booking falls into, and the moves of a window until it is closed.

Knows windows, lateness and the steps of a month close.
Must not know SQL, banks or statements' bytes.
Sources: domain-process sections 9.3 to 9.5: closed periods never reopen; what comes late joins the open period, at
most two months late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import NotAllowed
from hub.core.lifecycle import Lifecycle


class WindowState(StrEnum):
    """Where a clearing window stands; only an open one takes bookings."""

    OPEN = "open"
    CUT = "cut"
    GROSSED = "grossed"
    NETTED = "netted"
    CLOSED = "closed"


WINDOW_MOVES = Lifecycle(
    "window",
    start=WindowState.OPEN,
    moves=[
        # from here on the database takes no more bookings for the period
        (WindowState.OPEN, "cut", WindowState.CUT),
        # the gross matrix and its clearing entries exist
        (WindowState.CUT, "grossed", WindowState.GROSSED),
        # both nets exist
        (WindowState.GROSSED, "netted", WindowState.NETTED),
        # every notice and statement exists
        (WindowState.NETTED, "closed", WindowState.CLOSED),
    ],
)


@dataclass(frozen=True, slots=True)
class Window:
    """One regime's clearing month."""

    id: str
    regime: Regime
    period: Period
    state: WindowState


def window_id(regime: Regime, period: Period) -> str:
    """Derived, so that a month can never have two windows of one regime."""
    return f"win_{regime}_{period}"


def check_may_close(period: Period, *, as_of: date) -> None:
    """Refuse to cut a month that has not ended."""
    if as_of < period.next().first_day:
        raise NotAllowed("period_not_over", f"{period} has not ended: it can be closed from {period.next().first_day}")


@dataclass(frozen=True, slots=True)
class ClearingRules:
    """What the clearing scheme itself lays down, with its source.

    `months_late`: how many months after the discharge month a settlement may still be booked.
    """

    months_late: int
    source: str


CLEARING_RULES = ClearingRules(
    months_late=2,
    source="monthly calendar of cross-province clearing: late items at most two months (unverified; from 2024-01-01)",
)
"""The scheme's own figures, the same for every region and both regimes."""


def months_late(*, discharged_on: date, period: Period, rules: ClearingRules) -> int:
    """How many months late a bill enters a period; raises NotAllowed where it is too late for direct settlement."""
    late = max(0, period.months_since(Period.of(discharged_on)))
    if late > rules.months_late:
        raise NotAllowed(
            "bill_too_late",
            f"discharged on {discharged_on}, {late} months before {period}: at most {rules.months_late} are cleared; "
            "the patient claims at the insured place",
        )
    return late
