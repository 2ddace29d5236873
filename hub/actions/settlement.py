"""Quoting and settling a bill: classify here, decide there, enter here.

Knows the phases of a settlement and how two bills of one person are kept from racing.
Must not know any region's rule, nor messages. Sources: design section 2; domain-process sections 3, 7; decision 0007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.actions.admission import hospital_of
from hub.actions.context import Hub, Keep, keep_nothing
from hub.core.adjudication import check_status
from hub.core.bill import (
    BILL_MOVES,
    VISIT_MOVES,
    AdmissionKind,
    Bill,
    BillLine,
    BillState,
    ClassifiedAmounts,
    Hospital,
    VisitState,
    add_up,
    check_bill,
    classify,
)
from hub.core.catalog import HospitalLevel
from hub.core.classification import ClassifiedLine, Treated
from hub.core.clearing import months_late
from hub.core.codes import Regime, Region, regime_of
from hub.core.dates import Period, business_day
from hub.core.decision import (
    REFUSAL_WORDS,
    Decision,
    DecisionRequest,
    Place,
    Refusal,
    RefusalReason,
    check_answer,
)
from hub.core.errors import Conflict, Inconsistent, NotAllowed, NotFound, Unreachable
from hub.core.ledger import settled
from hub.core.matching import booking_event
from hub.core.money import Money
from hub.core.registration import AccessBasis, basis_of_access
from hub.ports import HUB_SCOPE, Booking, Participant, Scope, UnitOfWork
from hub.ports.records import BilledLine, BillRecord, PersonRecord, PersonYear, Topic, VisitRecord

MOST_RACES = 5
"""How often a settlement starts again because another bill of the same person was booked meanwhile."""


@dataclass(frozen=True, slots=True)
class SubmitBill:
    """A bill as the hospital sends it, for a visit that it recorded before."""

    visit_no: str
    bill_no: str
    revision: int
    discharged_on: date
    lines: tuple[BillLine, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a settlement would give now; nothing is booked."""

    amounts: ClassifiedAmounts
    lines: tuple[BilledLine, ...]
    basis: AccessBasis
    decision: Decision | Refusal


class RefusedByRegion(NotAllowed):
    """The insuring region's rules do not settle this bill directly; the words tell the patient what he can do."""

    def __init__(self, refusal: Refusal) -> None:
        chinese, english = REFUSAL_WORDS[refusal.reason]
        super().__init__(
            "refused_by_region",
            f"{english} ({refusal.detail})",
            facts={"reason": refusal.reason, "words_zh": chinese, "words_en": english},
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """All that the first phase fetched and the core made of it."""

    hospital: Hospital
    visit: VisitRecord
    person: PersonRecord
    bill: Bill
    classified: tuple[ClassifiedLine, ...]
    registration_id: str | None
    year: PersonYear
    request: DecisionRequest

    @property
    def lines(self) -> tuple[BilledLine, ...]:
        return tuple(BilledLine(*pair) for pair in zip(self.bill.lines, self.classified, strict=True))


def quote(hub: Hub, command: SubmitBill, *, by: Participant, as_of: datetime) -> Quoted:
    """What would be paid by whom if the bill were settled now; books nothing, writes nothing."""
    with hub.store.begin(HUB_SCOPE) as uow:
        prepared = _prepare(hub, uow, command, bill_id="bil_quote", by=by, as_of=as_of)
    decision = _ask(hub, prepared)
    return Quoted(prepared.request.amounts, prepared.lines, prepared.request.basis, decision)


def settle(
    hub: Hub, command: SubmitBill, *, by: Participant, as_of: datetime, keep: Keep[BillRecord] = keep_nothing
) -> BillRecord:
    """Settle a bill: fetch, ask the insuring region outside any transaction, then book everything at once.

    If another bill of the same person was booked between the two transactions, the region is asked again with the new
    running totals. Raises RefusedByRegion where its rules do not settle the bill; Conflict where the bill was sent
    before.
    """
    bill_id = hub.new_id("bil")
    for _ in range(MOST_RACES):
        with hub.store.begin(HUB_SCOPE) as uow:
            prepared = _prepare(hub, uow, command, bill_id=bill_id, by=by, as_of=as_of)
        decision = _ask(hub, prepared)
        if isinstance(decision, Refusal):
            raise RefusedByRegion(decision)
        with hub.store.begin(HUB_SCOPE) as uow:
            record = _book(hub, uow, prepared, command, decision, by=by, as_of=as_of)
            if record is not None:
                keep(uow, record)
                return record
    raise Unreachable(
        "person_busy", "other bills of the same person are being settled: send the same message again", transient=True
    )


def get_bill(hub: Hub, bill_id: str, *, scope: Scope) -> BillRecord:
    with hub.store.begin(scope) as uow:
        found = uow.bills.get(bill_id)
    if found is None:
        raise NotFound("bill_not_found", f"no bill {bill_id}")
    return found


def list_bills(
    hub: Hub, *, scope: Scope, day: date | None, period: Period | None, after: str, limit: int
) -> Sequence[BillRecord]:
    with hub.store.begin(scope) as uow:
        return uow.bills.listed(day=day, period=period, after=after, limit=limit)


def place_of_care(*, insuring_region: Region, care_region: Region) -> Place:
    """Where care was given, seen from the insured place."""
    regime = regime_of(insuring_region=insuring_region, care_region=care_region)
    return Place.WITHIN_PROVINCE if regime is Regime.WITHIN_PROVINCE else Place.OUTSIDE_PROVINCE


def _prepare(
    hub: Hub, uow: UnitOfWork, command: SubmitBill, *, bill_id: str, by: Participant, as_of: datetime
) -> _Prepared:
    """First phase: read everything, check the bill, classify its lines."""
    hospital = hospital_of(uow, by, as_of=as_of)
    visit = uow.visits.find(hospital.code, command.visit_no)
    if visit is None:
        raise NotFound("visit_not_found", f"no visit {command.visit_no} was recorded: send the admission first")
    person = uow.persons.get(visit.person_id)
    if person is None:
        raise Inconsistent("visit_without_person", f"visit {visit.id} has no person")
    _check_not_sent_before(uow, command, hospital)
    VISIT_MOVES.after(visit.state, "settled")
    bill = Bill(
        bill_no=command.bill_no,
        admitted_on=business_day(visit.admitted_at),
        discharged_on=command.discharged_on,
        lines=command.lines,
        total=command.total,
    )
    today = business_day(as_of)
    check_bill(bill, as_of=today)
    # No window can be earlier than today's, so what is too late for it need not ask the region.
    months_late(discharged_on=bill.discharged_on, period=Period.of(today), rules=hub.clearing_rules)
    classified = classify(
        bill, catalog=hub.catalog(hospital.region), treated=treated(visit, person, level=hospital.level)
    )
    basis, registration_id = basis_of_access(
        uow.registrations.of_person(visit.person_id),
        care_region=hospital.region,
        admitted_on=bill.admitted_on,
        discharged_on=bill.discharged_on,
        emergency=visit.kind is AdmissionKind.EMERGENCY,
    )
    year = uow.years.peek(visit.person_id, visit.coverage.insurance_type, bill.discharged_on.year)
    request = DecisionRequest(
        bill_id=bill_id,
        insuring_region=visit.insuring_region,
        care_region=hospital.region,
        place=place_of_care(insuring_region=visit.insuring_region, care_region=hospital.region),
        basis=basis,
        level=hospital.level,
        insurance_type=visit.coverage.insurance_type,
        group=visit.coverage.group,
        membership_years=visit.coverage.membership_years,
        admitted_on=bill.admitted_on,
        discharged_on=bill.discharged_on,
        amounts=add_up(classified),
        year_to_date=year.totals,
    )
    return _Prepared(hospital, visit, person, bill, classified, registration_id, year, request)


def treated(visit: VisitRecord, person: PersonRecord, *, level: HospitalLevel) -> Treated:
    """What the catalog's limits and restrictions ask about the stay."""
    return Treated(
        level=level,
        insurance_type=visit.coverage.insurance_type,
        sex=person.identity.sex,
        birth_date=person.identity.birth_date,
        diagnoses=frozenset({visit.diagnosis}),
    )


def _check_not_sent_before(uow: UnitOfWork, command: SubmitBill, hospital: Hospital) -> None:
    """A bill number comes once per revision, revisions only rise, and a new one needs the old to be cancelled."""
    for revision, bill_id, state in uow.bills.revisions(hospital.code, command.bill_no):
        if revision >= command.revision:
            raise Conflict(
                "bill_exists",
                f"bill {command.bill_no} revision {revision} was settled before as {bill_id}",
                facts={"bill_id": bill_id},
            )
        if state is not BillState.CANCELLED:
            raise Conflict(
                "bill_not_cancelled",
                f"bill {command.bill_no} revision {revision} stands: cancel it before sending a new revision",
                facts={"bill_id": bill_id},
            )


def _ask(hub: Hub, prepared: _Prepared) -> Decision | Refusal:
    """Second phase, outside any transaction: the insuring region decides, and is believed only where the answer fits.

    Whether the person is insured is asked again for the day of discharge: at admission he may have been, and no
    longer be.
    """
    gateway = hub.gateway(prepared.request.insuring_region)
    person = prepared.person
    coverage = gateway.coverage(identity=person.identity, name=person.name, on=prepared.bill.discharged_on)
    if coverage is None:
        return Refusal(RefusalReason.NOT_INSURED, "no longer known at the insured place")
    refusal = check_status(coverage)
    if refusal is not None:
        return refusal
    answer = gateway.decide(prepared.request)
    if isinstance(answer, Decision):
        check_answer(answer, request=prepared.request)
    return answer


def _book(
    hub: Hub,
    uow: UnitOfWork,
    prepared: _Prepared,
    command: SubmitBill,
    decision: Decision,
    *,
    by: Participant,
    as_of: datetime,
) -> BillRecord | None:
    """Third phase: everything in one transaction, or None where another bill of the person came first.

    Locks are taken in one order everywhere: the person's year, the visit, the window.
    """
    request, visit = prepared.request, prepared.visit
    today = business_day(as_of)
    year = uow.years.lock(visit.person_id, request.insurance_type, prepared.year.totals.year)
    if year.version != prepared.year.version:
        return None
    locked = uow.visits.get(visit.id, lock=True)
    if locked is None or locked.state is not VisitState.ADMITTED:
        raise Conflict("visit_settled", f"visit {command.visit_no} was settled or withdrawn meanwhile")
    regime = regime_of(insuring_region=request.insuring_region, care_region=request.care_region)
    window = uow.windows.open_for(regime, today)
    record = BillRecord(
        id=request.bill_id,
        visit_id=visit.id,
        person_id=visit.person_id,
        institution=prepared.hospital.code,
        insuring_region=request.insuring_region,
        care_region=request.care_region,
        insurance_type=request.insurance_type,
        regime=regime,
        bill_no=command.bill_no,
        revision=command.revision,
        admitted_on=request.admitted_on,
        discharged_on=request.discharged_on,
        registration_id=prepared.registration_id,
        amounts=request.amounts,
        lines=prepared.lines,
        request=request,
        decision=decision,
        year=year.totals.year,
        year_version=year.version + 1,
        months_late=months_late(discharged_on=request.discharged_on, period=window.period, rules=hub.clearing_rules),
        settled_at=as_of,
        settled_on=today,
        period=window.period,
        state=BillState.POSTED,
    )
    moves = [move for move in BILL_MOVES.moves if move[1] in ("coded", "decided", "posted")]
    uow.bills.add(record, moves=moves, who=by.id)
    uow.years.save(
        visit.person_id,
        request.insurance_type,
        year.totals.plus(decision.contribution),
        region=request.insuring_region,
        version=record.year_version,
    )
    uow.visits.move(
        visit.id, source=locked.state, event="settled", target=VisitState.SETTLED, who=by.id, why=record.id, at=as_of
    )
    entry = settled(
        decision,
        insuring_region=request.insuring_region,
        care_region=request.care_region,
        institution=prepared.hospital.code,
        insurance_type=request.insurance_type,
        revision=command.revision,
    )
    if entry is not None:
        uow.ledger.add(
            entry, regime=regime, period=window.period, bill_id=record.id, happened_at=as_of, recorded_at=as_of
        )
    tell_region(uow, record, event="settled", on=today, as_of=as_of, sign=1)
    uow.audit.write(
        actor=by.id,
        action="bill_settled",
        subject=record.id,
        at=as_of,
        facts={"total": str(decision.total), "fund": str(decision.fund_total), "period": str(window.period)},
    )
    return record


def tell_region(uow: UnitOfWork, bill: BillRecord, *, event: str, on: date, as_of: datetime, sign: int) -> None:
    """Queue the booking for the insuring region, in the transaction of the effect itself."""
    booking = Booking(
        event_id=booking_event(bill.id, event),
        bill_id=bill.id,
        booked_on=on,
        insurance_type=bill.insurance_type,
        total=Money(sign * bill.decision.total.fen),
        fund_total=Money(sign * bill.decision.fund_total.fen),
    )
    uow.outbox.add(
        topic=Topic.REGION_BOOKING,
        key=booking.event_id,
        payload={
            "region": bill.insuring_region.code,
            "event_id": booking.event_id,
            "bill_id": booking.bill_id,
            "booked_on": booking.booked_on.isoformat(),
            "insurance_type": str(booking.insurance_type),
            "total_fen": booking.total.fen,
            "fund_total_fen": booking.fund_total.fen,
        },
        due_at=as_of,
    )
