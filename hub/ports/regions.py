"""The ways to the insuring regions, and the clock, as small protocols.

Knows the shapes of gateways, rosters, journals and clocks, and what an insuring region books.
Must not know any implementation: wiring puts them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hub.core.codes import IdentityNumber, InsuranceType, Region
from hub.core.decision import Coverage, Decision, DecisionRequest, Refusal
from hub.core.money import Money
from hub.core.registration import RegistrationRules


class Clock(Protocol):
    """The one source of "now"; always with a time zone."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Booking:
    """What an insuring region books of one settlement or its cancel; the key of the three-way match is `event_id`.

    `fund_total` and `total` are negative for a cancel.
    """

    event_id: str
    bill_id: str
    booked_on: date
    insurance_type: InsuranceType
    total: Money
    fund_total: Money


class Roster(Protocol):
    """Who is insured in a region whose policy the hub holds itself."""

    def find(self, region: Region, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None: ...


class BookingJournal(Protocol):
    """The insuring side's own journal for a region whose policy the hub holds itself."""

    def book(self, region: Region, booking: Booking) -> None:
        """Book once: the same event a second time changes nothing; another content under it raises Inconsistent."""
        ...

    def booked(self, region: Region, *, day: date) -> Sequence[Booking]: ...


class RegionGateway(Protocol):
    """The way to one insuring region. Every kind of adapter passes the same contract suite.

    All calls raise `Unreachable` where the region does not answer; none is called inside a transaction.
    """

    @property
    def region(self) -> Region: ...

    def registration_rules(self, *, on: date) -> RegistrationRules:
        """The region's own figures for registrations filed on a day."""
        ...

    def coverage(self, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None:
        """What the region says of a person; None where it does not know him, or the name does not fit the number."""
        ...

    def decide(self, request: DecisionRequest) -> Decision | Refusal:
        """Decide one bill; books nothing. The same request gives the same answer."""
        ...

    def book(self, booking: Booking) -> None:
        """Tell the region that a decision was settled or cancelled; safe to repeat."""
        ...

    def booked(self, *, day: date) -> Sequence[Booking]:
        """What the region booked on a day, for the daily match, ordered by event id."""
        ...
