"""A played region with a few made-up persons, and amounts that make it misbehave on purpose.

Knows its persons, its own journal in memory, and the magic totals that stand for each way a region can fail.
Must not know the roster or the journal of the hub, files or other regions.
Sources: domain-process 7.4 and 8.3 for what goes wrong in practice; all persons and figures are made up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from enum import Enum
from threading import Lock

from hub.core.adjudication import decide
from hub.core.codes import Fund, IdentityNumber, InsuranceType, Region, identity_check_digit
from hub.core.decision import (
    Contribution,
    Coverage,
    Decision,
    DecisionRequest,
    InsuranceStatus,
    Payer,
    PersonGroup,
    Refusal,
)
from hub.core.errors import Inconsistent, Unreachable
from hub.core.money import ZERO, Money, yuan
from hub.core.plan import Plan, PlanBook
from hub.core.policy import Policy
from hub.core.registration import RegistrationRules
from hub.ports import Booking


class Trick(Enum):
    """What a bill's total makes the region do; the amounts are unlikely by accident and easy to type."""

    TIMES_OUT = yuan("44.04")
    IS_CLOSED_FOR_GOOD = yuan("44.10")
    ANSWERS_OTHER_BILL = yuan("44.21")
    ANSWERS_OTHER_TOTAL = yuan("44.22")
    PAYS_ABOVE_POLICY = yuan("44.23")
    ANSWERS_NEGATIVE = yuan("44.24")
    FORGETS_CONTRIBUTION = yuan("44.25")
    BOOKS_BUT_ANSWERS_LATE = yuan("44.31")


def _number(first_seventeen: str) -> str:
    return first_seventeen + identity_check_digit(first_seventeen)


@dataclasses.dataclass(frozen=True, slots=True)
class Player:
    """One made-up person of the sandbox. `answers` is False for the one whose look-up times out."""

    number: str
    name: str
    status: InsuranceStatus = InsuranceStatus.NORMAL
    group: PersonGroup = PersonGroup.ADULT
    membership_years: int = 1
    insurance_type: InsuranceType = InsuranceType.RESIDENT
    answers: bool = True


PLAYERS = (
    Player(_number("11010119800101001"), "沙一"),
    Player(_number("11010119800101002"), "沙贫", group=PersonGroup.POOR),
    Player(_number("11010119800101003"), "沙停", status=InsuranceStatus.SUSPENDED),
    Player(_number("11010119800101004"), "沙终", status=InsuranceStatus.ENDED),
    Player(_number("11010119800101005"), "沙职", insurance_type=InsuranceType.EMPLOYEE),
    Player(_number("11010119800101006"), "沙慢", answers=False),
)
"""Everybody insured in the sandbox: plain, poor, suspended, ended, employee, and the one whose look-up times out."""


class SandboxGateway:
    """Plays an insuring region. Bookings live in memory and are gone with the process."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._plans = PlanBook(policy)
        self._bookings: dict[str, Booking] = {}
        self._lock = Lock()

    @property
    def region(self) -> Region:
        """The insuring region that this gateway plays."""
        return self._policy.region

    def plan(self, *, on: date) -> Plan:
        """The plan in force on a day."""
        return self._plans.plan(on=on)

    def registration_rules(self, *, on: date) -> RegistrationRules:
        """The sandbox's figures for registrations. Raises NotAllowed before its first day."""
        return self._policy.registration_rules(on=on)

    def coverage(self, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None:
        """One of the `PLAYERS`, or None. Raises Unreachable for the slow one; the day makes no difference here."""
        del on
        for player in PLAYERS:
            if player.number != identity.number or player.name != name:
                continue
            if not player.answers:
                raise _timed_out()
            return Coverage(
                insuring_region=self.region,
                status=player.status,
                insurance_type=player.insurance_type,
                group=player.group,
                membership_years=player.membership_years,
            )
        return None

    def decide(self, request: DecisionRequest) -> Decision | Refusal:
        """Decide by the sandbox's policy, or misbehave where the total is one of the `Trick` amounts."""
        _answer_at_all(request.amounts.total)
        honest = decide(self.plan(on=request.discharged_on), request)
        if isinstance(honest, Refusal):
            return honest
        match _trick(request.amounts.total):
            case Trick.ANSWERS_OTHER_BILL:
                return dataclasses.replace(honest, bill_id=f"{honest.bill_id}-other")
            case Trick.ANSWERS_OTHER_TOTAL:
                return _made_up(honest, total_paid=honest.total + yuan("1.00"), fund=ZERO)
            case Trick.PAYS_ABOVE_POLICY:
                return _made_up(honest, total_paid=honest.total, fund=request.amounts.in_policy + Money(1))
            case Trick.ANSWERS_NEGATIVE:
                return dataclasses.replace(honest, cash=-honest.total)
            case Trick.FORGETS_CONTRIBUTION:
                empty = Contribution(request.level, ZERO, ZERO, {})
                return dataclasses.replace(honest, contribution=empty)
            case _:
                return honest

    def book(self, booking: Booking) -> None:
        """Book once. The late trick books and then times out the first time, so that the caller asks again."""
        _answer_at_all(booking.total)
        with self._lock:
            known = self._bookings.get(booking.event_id)
            if known is not None and known != booking:
                raise Inconsistent("booking_differs", f"event {booking.event_id} was booked with other content")
            self._bookings[booking.event_id] = booking
        if known is None and _trick(booking.total) is Trick.BOOKS_BUT_ANSWERS_LATE:
            raise _timed_out()

    def booked(self, *, day: date) -> Sequence[Booking]:
        """What was booked on a day, ordered by event id."""
        with self._lock:
            found = [booking for booking in self._bookings.values() if booking.booked_on == day]
        return sorted(found, key=lambda booking: booking.event_id)


def _trick(amount: Money) -> Trick | None:
    return next((trick for trick in Trick if trick.value == abs(amount)), None)


def _timed_out() -> Unreachable:
    return Unreachable("region_timed_out", "the region did not answer in time", transient=True)


def _answer_at_all(amount: Money) -> None:
    trick = _trick(amount)
    if trick is Trick.TIMES_OUT:
        raise _timed_out()
    if trick is Trick.IS_CLOSED_FOR_GOOD:
        raise Unreachable("region_closed", "the region has left direct settlement", transient=False)


def _made_up(honest: Decision, *, total_paid: Money, fund: Money) -> Decision:
    """An answer that adds up in itself but does not fit the question: one made-up step for the fund, one for the
    person.
    """
    step = honest.steps[0]
    cash = total_paid - fund
    paying = step.changed(amount=fund, pays=Payer.FUND, fund=Fund.RESIDENT_BASIC)
    own = step.changed(amount=cash, pays=Payer.PERSON, fund=None)
    shares = {Fund.RESIDENT_BASIC: fund} if fund else {}
    return dataclasses.replace(
        honest,
        total=total_paid,
        shares=shares,
        cash=cash,
        contribution=dataclasses.replace(honest.contribution, paid_by_fund=shares),
        steps=(paying, own) if fund else (own,),
    )
