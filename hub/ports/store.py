"""The unit of work: one transaction and the shelves it opens.

Knows which questions the actions ask of the store and which guarantees the store gives.
Must not know tables or SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol

from hub.core.bill import BillState, Hospital, VisitState
from hub.core.clearing import Window, WindowState
from hub.core.codes import IdentityNumber, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.decision import YearToDate
from hub.core.ledger import Entry
from hub.core.netting import GrossCell, Position, Transfer
from hub.core.registration import Registration, RegistrationState
from hub.core.statement import StatementRow
from hub.ports.catalogs import Changes, CodeBooks, Waiting
from hub.ports.records import (
    BillRecord,
    Claim,
    MatchRow,
    MatchRun,
    Outgoing,
    PersonRecord,
    PersonYear,
    RegistrationRecord,
    ReportedBooking,
    Scope,
    SidedBooking,
    StoredAnswer,
    StoredStatement,
    VisitRecord,
)


class Persons(Protocol):
    """Insured persons; sealed at rest, found by identity number."""

    def find(self, insuring_region: Region, identity: IdentityNumber) -> PersonRecord | None: ...

    def get(self, person_id: str) -> PersonRecord | None: ...

    def add(self, person: PersonRecord) -> None:
        """Seal and keep a person. Raises Conflict where the region already has the identity number."""
        ...

    def set_phone(self, person_id: str, phone: str) -> None: ...

    def hold(self, person_id: str) -> None:
        """Lock a person's row until the transaction ends."""
        ...


class Institutions(Protocol):
    """Designated institutions."""

    def get(self, code: InstitutionCode) -> Hospital | None: ...

    def in_region(self, region: Region) -> Sequence[Hospital]:
        """Hospitals of a region's city, ordered by code."""
        ...

    def put(self, hospital: Hospital) -> None:
        """Add a hospital, or replace what is known of it."""
        ...


class Registrations(Protocol):
    """Registrations and their moves."""

    def add(self, record: RegistrationRecord) -> None:
        """Keep a new registration together with its first move (None -> state, event ``submitted``)."""
        ...

    def get(self, registration_id: str, *, lock: bool = False) -> RegistrationRecord | None: ...

    def by_reference(self, reference: str) -> RegistrationRecord | None: ...

    def of_person(self, person_id: str) -> Sequence[Registration]:
        """All registrations of a person in every state, ordered by id."""
        ...

    def listed(
        self, *, state: RegistrationState | None, insuring_region: Region | None = None, after: str, limit: int
    ) -> Sequence[RegistrationRecord]:
        """Registrations that the scope sees, ordered by id, those after a given id only; of one insuring region's
        persons where one is named.
        """
        ...

    def move(
        self,
        registration_id: str,
        *,
        source: RegistrationState,
        event: str,
        target: RegistrationState,
        who: str,
        why: str,
        at: datetime,
    ) -> None:
        """Write a move and the state; `approved` and `refused` also set who decided and why."""
        ...

    def end_on(self, registration_id: str, *, end: date) -> None:
        """Set the day from which the registration no longer holds."""
        ...


class Visits(Protocol):
    """Stays and their moves."""

    def add(self, visit: VisitRecord, *, who: str) -> None:
        """Raises Conflict where the hospital already has the visit number."""
        ...

    def get(self, visit_id: str, *, lock: bool = False) -> VisitRecord | None: ...

    def find(self, institution: InstitutionCode, visit_no: str) -> VisitRecord | None: ...

    def move(
        self, visit_id: str, *, source: VisitState, event: str, target: VisitState, who: str, why: str, at: datetime
    ) -> None: ...


class Bills(Protocol):
    """Bills with their lines, decisions and moves."""

    def add(self, bill: BillRecord, *, moves: Sequence[tuple[BillState, str, BillState]], who: str) -> None:
        """Keep a bill, its decision and its moves.

        Raises Conflict (``bill_exists``) where the hospital already sent this bill number and revision, or the
        number or the visit already has a bill that is posted.
        """
        ...

    def get(self, bill_id: str, *, lock: bool = False) -> BillRecord | None: ...

    def revisions(self, institution: InstitutionCode, bill_no: str) -> Sequence[tuple[int, str, BillState]]:
        """(revision, bill id, state) of each time the hospital sent a bill number, ordered by revision."""
        ...

    def later_in_year(self, bill: BillRecord) -> Sequence[str]:
        """Ids of posted bills of the same person, insurance type and year that were booked after this one."""
        ...

    def listed(self, *, day: date | None, period: Period | None, after: str, limit: int) -> Sequence[BillRecord]:
        """Bills that the scope sees, ordered by id, those after a given id only; by day settled or by period booked."""
        ...

    def move(
        self, bill_id: str, *, source: BillState, event: str, target: BillState, who: str, why: str, at: datetime
    ) -> None: ...


class Years(Protocol):
    """Persons' running totals by insurance type and year."""

    def peek(self, person_id: str, insurance_type: InsuranceType, year: int) -> PersonYear:
        """The running totals as they are; zero with version 0 for a year without settlements."""
        ...

    def lock(self, person_id: str, insurance_type: InsuranceType, year: int) -> PersonYear:
        """The same, held until the transaction ends; makes the row where there is none."""
        ...

    def save(
        self, person_id: str, insurance_type: InsuranceType, totals: YearToDate, *, region: Region, version: int
    ) -> None: ...


class Ledger(Protocol):
    """Entries; append-only."""

    def add(
        self,
        entry: Entry,
        *,
        regime: Regime,
        period: Period,
        bill_id: str | None,
        happened_at: datetime,
        recorded_at: datetime,
    ) -> bool:
        """Append an entry; False where this (event, subject, revision) is already there with the same legs.

        Raises Inconsistent where it is there with other legs, and where the period no longer takes bookings.
        `cleared` entries alone may be added to a period that is cut.
        """
        ...

    def get(self, entry_id: str) -> Entry | None: ...


class Windows(Protocol):
    """Clearing windows and their moves."""

    def open_for(self, regime: Regime, day: date) -> Window:
        """The window that takes a booking of a day: its month's, or the first later one still open.

        Makes it where there is none, and holds it against being cut until the transaction ends.
        """
        ...

    def get(self, regime: Regime, period: Period, *, lock: bool = False) -> Window | None: ...

    def ensure(self, regime: Regime, period: Period) -> None: ...

    def listed(self) -> Sequence[Window]:
        """All windows, ordered by period and regime."""
        ...

    def move(self, window: Window, *, event: str, target: WindowState, who: str, why: str, at: datetime) -> None: ...


class Clearing(Protocol):
    """The figures of a window: computed from its entries, kept once."""

    def gross_from_entries(self, window: Window) -> Sequence[GrossCell]:
        """Sum the fund legs of the window's settlements and cancels, ordered by key."""
        ...

    def save_cells(self, window: Window, cells: Iterable[GrossCell]) -> None:
        """Keep the gross matrix; keeping the same again changes nothing, another raises Inconsistent."""
        ...

    def cells(self, window: Window) -> Sequence[GrossCell]: ...

    def save_nets(self, window: Window, *, positions: Iterable[Position], transfers: Iterable[Transfer]) -> None: ...

    def positions(self, window: Window) -> Sequence[Position]: ...

    def transfers(self, window: Window) -> Sequence[Transfer]: ...

    def regions(self, window: Window) -> Sequence[Region]:
        """Regions with at least one booking in the window, ordered."""
        ...

    def statement_rows(self, window: Window, region: Region) -> Sequence[StatementRow]:
        """A region's settlements and cancels of the window, in `statement_order`."""
        ...


class Statements(Protocol):
    """Rendered statements and notices; never changed."""

    def put(self, statement: StoredStatement, *, at: datetime) -> bool:
        """Keep a statement once per (window, region, kind, media type); False where the same bytes are there already.

        Raises Inconsistent where other bytes are there.
        """
        ...

    def get(self, statement_id: str) -> StoredStatement | None: ...

    def listed(
        self, *, regime: Regime | None, period: Period | None, after: str, limit: int
    ) -> Sequence[StoredStatement]:
        """Statements that the scope sees (content left empty), ordered by id."""
        ...


class Outbox(Protocol):
    """Messages that leave, queued with the effect that causes them."""

    def add(self, *, topic: str, key: str, payload: Mapping[str, Any], due_at: datetime) -> None:
        """Queue a message in this transaction; `key` is unique per topic, so the same event is never queued twice."""
        ...

    def claim(self, *, limit: int, at: datetime, lease_seconds: int) -> Sequence[Outgoing]:
        """Take due messages that nobody holds (skip locked), and count the attempt."""
        ...

    def get(self, message_id: str) -> Outgoing | None: ...

    def delivered(self, message_id: str, *, at: datetime) -> None: ...

    def failed(self, message_id: str, *, error: str, due_at: datetime | None) -> None:
        """Try again at `due_at`, or park the message for a person where it is None."""
        ...

    def waiting(self) -> int:
        """How many messages are neither delivered nor parked."""
        ...

    def parked(self, *, limit: int) -> Sequence[tuple[Outgoing, str]]:
        """Messages that wait for a person, each with its last error, the oldest first."""
        ...

    def unpark(self, message_id: str, *, due_at: datetime) -> bool:
        """Let a parked message be tried again, its attempts counted anew; False where it is not parked."""
        ...


class Inbox(Protocol):
    """Messages that came, so that a second coming is known."""

    def first_time(self, *, source: str, message_id: str, digest: str, at: datetime) -> bool:
        """Whether a message is new; raises Conflict where the id came before with another digest."""
        ...


class Idempotency(Protocol):
    """Message keys and the answers given under them."""

    def claim(self, *, participant: str, key: str, fingerprint: str, at: datetime, lease_seconds: int) -> Claim:
        """Ask for a key. Raises Conflict (``idempotency_key_reused``) where it was used for another content.

        A key whose runner died is ours again once its lease is over.
        """
        ...

    def look(self, *, participant: str, key: str, fingerprint: str) -> Claim | None:
        """What is known of a key without asking for it."""
        ...

    def finish(self, *, participant: str, key: str, answer: StoredAnswer, at: datetime) -> None:
        """Keep the answer, in the same transaction as the effect."""
        ...

    def release(self, *, participant: str, key: str, leased_until: datetime) -> None:
        """Give a key back that had no effect; nothing happens where somebody else has taken it over since.

        `leased_until` is the end of the lease under which it was claimed.
        """
        ...


class Audit(Protocol):
    """Who did what to which document; append-only and chained."""

    def write(self, *, actor: str, action: str, subject: str, at: datetime, facts: Mapping[str, str]) -> None:
        """Append a row; the chain is formed by `seal`."""
        ...

    def seal(self) -> int:
        """Chain the rows written since the last time; gives how many."""
        ...


class Jobs(Protocol):
    """Runs of periodic jobs."""

    def claim(self, *, job: str, period: str, at: datetime) -> bool:
        """Whether this run of a periodic job is ours: the first to ask has it."""
        ...


class Matching(Protocol):
    """Hospitals' day reports and the outcome of the daily match."""

    def report(
        self, institution: InstitutionCode, *, region: Region, day: date, rows: Iterable[ReportedBooking], at: datetime
    ) -> None:
        """Keep what a hospital says of a day; a later report of the day replaces the earlier one."""
        ...

    def care_side(self, *, day: date, insuring_region: Region) -> Sequence[SidedBooking]:
        """What the hospitals reported of a day for an insuring region."""
        ...

    def hub_side(self, *, day: date, insuring_region: Region) -> Sequence[SidedBooking]:
        """What the hub booked on a day for an insuring region: settlements, and cancels as negatives."""
        ...

    def save(
        self, *, day: date, insuring_region: Region, agreed: int, breaks: Iterable[MatchRow], at: datetime
    ) -> None:
        """Keep a run's outcome; a later run of the same day and region replaces it."""
        ...

    def runs(self, *, day: date) -> Sequence[MatchRun]:
        """The latest run of each insuring region that the scope sees, ordered by region; none where none ran."""
        ...

    def breaks(self, *, day: date) -> Sequence[MatchRow]:
        """Breaks of a day that the scope sees, as insuring region or as place of care, ordered by region and event."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Commits when its block ends, rolls back when an exception leaves it."""

    persons: Persons
    institutions: Institutions
    registrations: Registrations
    visits: Visits
    bills: Bills
    years: Years
    ledger: Ledger
    windows: Windows
    clearing: Clearing
    statements: Statements
    outbox: Outbox
    inbox: Inbox
    idempotency: Idempotency
    audit: Audit
    jobs: Jobs
    matching: Matching

    @property
    def changes(self) -> Changes: ...
    @property
    def waiting(self) -> Waiting: ...
    @property
    def catalogs(self) -> CodeBooks: ...


class Store(Protocol):
    """Opens units of work."""

    def begin(self, scope: Scope) -> AbstractContextManager[UnitOfWork]:
        """Start a transaction that sees what the scope may see.

        A transaction that PostgreSQL refuses as a serialization failure or deadlock raises Unreachable (transient): the
        caller runs the whole phase again.
        """
        ...
