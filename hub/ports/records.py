"""What the store keeps, as the actions see it: plain records around core values.

Knows which facts belong together and how wide a reader's sight is.
Must not know tables, SQL or sealing: names and numbers here are open, and only the store seals them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from hub.core.bill import AdmissionKind, BillLine, BillState, ClassifiedAmounts, VisitState
from hub.core.classification import ClassifiedLine
from hub.core.codes import IdentityNumber, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.decision import Coverage, Decision, DecisionRequest, YearToDate
from hub.core.matching import Break, Told
from hub.core.money import Money
from hub.core.registration import Registration


class Sight(StrEnum):
    """Who looks; the database shows each only its own rows (row-level security)."""

    HUB = "hub"
    REGION = "region"
    INSTITUTION = "institution"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a unit of work sees. `HUB_SCOPE` is for errands that decide between parties; reads use the reader's
    own.
    """

    sight: Sight
    region: str = ""
    institution: str = ""
    person: str = ""


HUB_SCOPE = Scope(Sight.HUB)


@dataclass(frozen=True, slots=True)
class Participant:
    """A hospital, an agency or the hub itself, as it takes part; `actor` is what logs and audit rows name."""

    id: str
    sight: Sight
    region: Region | None
    institution: InstitutionCode | None
    name: str

    @property
    def scope(self) -> Scope:
        return Scope(
            self.sight,
            region=self.region.code if self.region else "",
            institution=self.institution.code if self.institution else "",
        )


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """An insured person in one region. `phone` is empty where none was given."""

    id: str
    insuring_region: Region
    name: str
    identity: IdentityNumber
    phone: str


@dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """A registration with who filed it, when, through which channel and under which notice."""

    registration: Registration
    reference: str
    person_id: str
    channel: str
    notice_version: str
    submitted_by: str
    submitted_at: datetime
    decided_by: str | None = None
    decided_reason: str = ""


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One stay at one hospital; `visit_no` is the hospital's own number, unique in the hospital."""

    id: str
    person_id: str
    institution: InstitutionCode
    care_region: Region
    coverage: Coverage
    visit_no: str
    kind: AdmissionKind
    diagnosis: str
    admitted_at: datetime
    recorded_at: datetime
    recorded_late: bool
    state: VisitState

    @property
    def insuring_region(self) -> Region:
        return self.coverage.insuring_region


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line as sent, beside what it was classified to."""

    sent: BillLine
    classified: ClassifiedLine


@dataclass(frozen=True, slots=True)
class BillRecord:
    """A settled (or since cancelled) bill with everything that its decision rests on."""

    id: str
    visit_id: str
    person_id: str
    institution: InstitutionCode
    insuring_region: Region
    care_region: Region
    insurance_type: InsuranceType
    regime: Regime
    bill_no: str
    revision: int
    admitted_on: date
    discharged_on: date
    registration_id: str | None
    amounts: ClassifiedAmounts
    lines: tuple[BilledLine, ...]
    request: DecisionRequest
    decision: Decision
    year: int
    year_version: int
    months_late: int
    settled_at: datetime
    settled_on: date
    period: Period
    state: BillState


@dataclass(frozen=True, slots=True)
class PersonYear:
    """A person's running totals and how often they have changed; the version guards against a race of two bills."""

    totals: YearToDate
    version: int


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered under an idempotency key; `body` is the exact text."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The outcome of asking for an idempotency key: ours to run, done already, or still running elsewhere."""

    ours: bool
    answer: StoredAnswer | None


class Topic(StrEnum):
    """What a message of the outbox asks for: `hub.actions.delivery` does it, `hub.tasks.jobs` names its queue."""

    REGION_BOOKING = "region_booking"
    MATCH_DAY = "match_day"
    CLOSE_WINDOW = "close_window"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message of the outbox, claimed for delivery. `payload` holds ids, dates and amounts, never a person's
    data.
    """

    id: str
    topic: str
    payload: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """One rendered statement or notice of a window: its bytes never change."""

    id: str
    window_id: str
    region: Region
    kind: str
    media_type: str
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class ReportedBooking:
    """What a hospital says it booked on a day for a person of an insuring region; cancels are negative."""

    event_id: str
    insuring_region: Region
    total: Money
    fund_total: Money


@dataclass(frozen=True, slots=True)
class SidedBooking:
    """One booking as the hub or a hospital tells it, with the place it happened at."""

    told: Told
    care_region: Region
    institution: InstitutionCode


@dataclass(frozen=True, slots=True)
class MatchRun:
    """One insuring region's daily match as it came out: how many bookings agreed, how many did not, and when it ran."""

    day: date
    insuring_region: Region
    agreed: int
    broken: int
    at: datetime


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One stored break of the daily match; care region and hospital are None where only the insuring side has it."""

    day: date
    insuring_region: Region
    care_region: Region | None
    institution: InstitutionCode | None
    found: Break
