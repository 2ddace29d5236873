"""A region whose policy the hub holds: its members come from the roster, its bookings go to the journal.

Knows how the port's questions are answered from a policy, a roster and a journal.
Must not know files, databases or other regions.
Sources: hub/ports/regions.py for what a gateway promises; the region's policy.toml for every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hub.core.adjudication import decide
from hub.core.codes import IdentityNumber, Region
from hub.core.decision import Coverage, Decision, DecisionRequest, Refusal
from hub.core.plan import Plan, PlanBook
from hub.core.policy import Policy
from hub.core.registration import RegistrationRules
from hub.ports import Booking, BookingJournal, Roster


class RulepackGateway:
    """Answers for one region out of its policy; never `Unreachable`, since nothing outside is asked."""

    def __init__(self, policy: Policy, *, roster: Roster, journal: BookingJournal) -> None:
        self._policy = policy
        self._plans = PlanBook(policy)
        self._roster = roster
        self._journal = journal

    @property
    def region(self) -> Region:
        """The insuring region that this gateway answers for."""
        return self._policy.region

    def plan(self, *, on: date) -> Plan:
        """The plan in force on a day, compiled once per stretch of days without change."""
        return self._plans.plan(on=on)

    def registration_rules(self, *, on: date) -> RegistrationRules:
        """The region's figures for registrations filed on a day. Raises NotAllowed where it has none."""
        return self._policy.registration_rules(on=on)

    def coverage(self, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None:
        """What the roster says of a person; None where number and name do not fit a member."""
        return self._roster.find(self.region, identity=identity, name=name, on=on)

    def decide(self, request: DecisionRequest) -> Decision | Refusal:
        """Decide one bill under the plan of its discharge day; books nothing."""
        return decide(self.plan(on=request.discharged_on), request)

    def book(self, booking: Booking) -> None:
        """Book once; the same event again changes nothing."""
        self._journal.book(self.region, booking)

    def booked(self, *, day: date) -> Sequence[Booking]:
        """What was booked on a day, ordered by event id."""
        return sorted(self._journal.booked(self.region, day=day), key=lambda booking: booking.event_id)
