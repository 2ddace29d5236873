"""Recording that a person was admitted, and taking that back.

Knows the question to the insuring region and the 24 h / 72 h rule of recording.
Must not know amounts. Sources: messages 2401 and 2404; seed policy P24.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from hub.actions.context import Hub, Keep, keep_nothing
from hub.actions.persons import known_coverage, person_here
from hub.core.bill import VISIT_MOVES, AdmissionKind, Hospital, VisitState, is_recorded_late
from hub.core.codes import IdentityNumber, Region, regime_of
from hub.core.dates import business_day
from hub.core.errors import NotAllowed, NotFound
from hub.ports import HUB_SCOPE, Participant, Scope, UnitOfWork
from hub.ports.records import VisitRecord


@dataclass(frozen=True, slots=True)
class Admit:
    """An admission as the hospital records it; `visit_no` is the hospital's own number."""

    visit_no: str
    insuring_region: Region
    name: str
    identity: IdentityNumber
    kind: AdmissionKind
    diagnosis: str
    admitted_at: datetime


def hospital_of(uow: UnitOfWork, by: Participant, *, as_of: datetime) -> Hospital:
    """The networked hospital that a participant speaks for."""
    hospital = uow.institutions.get(by.institution) if by.institution else None
    if hospital is None:
        raise NotAllowed("not_a_hospital", "only a designated hospital may do this")
    if business_day(as_of) < hospital.networked_from:
        raise NotAllowed("hospital_not_networked", f"{hospital.code} is networked from {hospital.networked_from}")
    return hospital


def admit(
    hub: Hub, command: Admit, *, by: Participant, as_of: datetime, keep: Keep[VisitRecord] = keep_nothing
) -> VisitRecord:
    """Record an admission after the insuring region has said that it knows the person.

    Raises NotAllowed where the person is unknown there, the moment lies in the future, or care is not off-site.
    """
    if command.admitted_at > as_of:
        raise NotAllowed("admitted_in_future", "the admission lies in the future")
    coverage = known_coverage(
        hub,
        insuring_region=command.insuring_region,
        identity=command.identity,
        name=command.name,
        on=business_day(command.admitted_at),
    )
    with hub.store.begin(HUB_SCOPE) as uow:
        hospital = hospital_of(uow, by, as_of=as_of)
        regime_of(insuring_region=command.insuring_region, care_region=hospital.region)
        person = person_here(
            hub, uow, insuring_region=command.insuring_region, identity=command.identity, name=command.name
        )
        hours = Fraction((as_of - command.admitted_at) // timedelta(microseconds=1), 3_600_000_000)
        visit = VisitRecord(
            id=hub.new_id("vis"),
            person_id=person.id,
            institution=hospital.code,
            care_region=hospital.region,
            coverage=coverage,
            visit_no=command.visit_no,
            kind=command.kind,
            diagnosis=command.diagnosis,
            admitted_at=command.admitted_at,
            recorded_at=as_of,
            recorded_late=is_recorded_late(kind=command.kind, hours_elapsed=hours),
            state=VisitState.ADMITTED,
        )
        uow.visits.add(visit, who=by.id)
        uow.audit.write(
            actor=by.id, action="admission_recorded", subject=visit.id, at=as_of, facts={"kind": command.kind}
        )
        keep(uow, visit)
    return visit


def get_visit(hub: Hub, visit_id: str, *, scope: Scope) -> VisitRecord:
    with hub.store.begin(scope) as uow:
        return _found(uow.visits.get(visit_id), visit_id)


def withdraw_admission(
    hub: Hub,
    visit_id: str,
    *,
    reason: str,
    by: Participant,
    as_of: datetime,
    keep: Keep[VisitRecord] = keep_nothing,
) -> VisitRecord:
    """Take an admission back; a settled one only after its settlement was cancelled (strict reverse order)."""
    with hub.store.begin(by.scope) as uow:
        visit = _found(uow.visits.get(visit_id, lock=True), visit_id)
        if visit.institution != by.institution:
            raise NotFound("visit_not_found", f"no visit {visit_id}")
        target = VISIT_MOVES.after(visit.state, "withdrawn")
        uow.visits.move(visit_id, source=visit.state, event="withdrawn", target=target, who=by.id, why=reason, at=as_of)
        uow.audit.write(actor=by.id, action="admission_withdrawn", subject=visit_id, at=as_of, facts={})
        moved = _found(uow.visits.get(visit_id), visit_id)
        keep(uow, moved)
    return moved


def _found(visit: VisitRecord | None, visit_id: str) -> VisitRecord:
    if visit is None:
        raise NotFound("visit_not_found", f"no visit {visit_id}")
    return visit
