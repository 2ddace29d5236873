"""Filing, deciding and cancelling a registration.

Knows the order of an application: the insuring region is asked first, then the rules, then the record.
Must not know pages or messages. Sources: domain-process section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.actions.context import Hub, Keep, keep_nothing
from hub.actions.persons import known_coverage, person_here
from hub.core.codes import IdentityNumber, Region
from hub.core.dates import business_day
from hub.core.decision import InsuranceStatus
from hub.core.errors import NotAllowed, NotFound
from hub.core.registration import (
    REGISTRATION_MOVES,
    Evidence,
    Registration,
    RegistrationCategory,
    RegistrationState,
    check_new,
    validity,
)
from hub.ports import HUB_SCOPE, Participant, Scope, Sight, UnitOfWork
from hub.ports.records import RegistrationRecord

APPROVED_BY_RULE = "rule"
"""Who decided where the insuring region approves a category at once, without an officer."""


@dataclass(frozen=True, slots=True)
class FileRegistration:
    """An application as it comes from a page, a window or a system."""

    insuring_region: Region
    care_region: Region
    category: RegistrationCategory
    evidence: Evidence
    start: date
    name: str
    identity: IdentityNumber
    phone: str
    channel: str
    notice_version: str


def file_registration(
    hub: Hub,
    command: FileRegistration,
    *,
    actor: str,
    as_of: datetime,
    keep: Keep[RegistrationRecord] = keep_nothing,
) -> RegistrationRecord:
    """File an application; it is approved at once where the insuring region says so for its category.

    Raises NotAllowed where the person is unknown or not insured, or where the rules refuse the application.
    """
    today = business_day(as_of)
    coverage = known_coverage(
        hub, insuring_region=command.insuring_region, identity=command.identity, name=command.name, on=today
    )
    if coverage.status is not InsuranceStatus.NORMAL:
        raise NotAllowed(
            "insurance_not_active",
            "the insurance is not active at the insured place: ask its agency before registering",
        )
    rules = hub.gateway(command.insuring_region).registration_rules(on=today)

    with hub.store.begin(HUB_SCOPE) as uow:
        person = person_here(
            hub,
            uow,
            insuring_region=command.insuring_region,
            identity=command.identity,
            name=command.name,
            phone=command.phone,
        )
        # Two applications of one person at once must see each other: his record is the lock.
        uow.persons.hold(person.id)
        check_new(
            insuring_region=command.insuring_region,
            care_region=command.care_region,
            category=command.category,
            evidence=command.evidence,
            start=command.start,
            as_of=today,
            active=uow.registrations.of_person(person.id),
        )
        registration = Registration(
            id=hub.new_id("reg"),
            insuring_region=command.insuring_region,
            care_region=command.care_region,
            category=command.category,
            evidence=command.evidence,
            span=validity(command.category, start=command.start, rules=rules),
            state=RegistrationState.SUBMITTED,
        )
        record = RegistrationRecord(
            registration=registration,
            reference=hub.new_reference(),
            person_id=person.id,
            channel=command.channel,
            notice_version=command.notice_version,
            submitted_by=actor,
            submitted_at=as_of,
        )
        uow.registrations.add(record)
        if command.category in rules.instant_categories:
            record = _move(uow, record, event="approved", actor=APPROVED_BY_RULE, reason=rules.source, as_of=as_of)
        uow.audit.write(
            actor=actor,
            action="registration_filed",
            subject=registration.id,
            at=as_of,
            facts={"category": command.category, "state": record.registration.state},
        )
        keep(uow, record)
    return record


def decide_registration(
    hub: Hub,
    registration_id: str,
    *,
    approve: bool,
    reason: str,
    by: Participant,
    actor: str,
    as_of: datetime,
    keep: Keep[RegistrationRecord] = keep_nothing,
) -> RegistrationRecord:
    """An officer of the insuring region decides; never the one who submitted it."""
    with hub.store.begin(by.scope) as uow:
        record = _found(uow.registrations.get(registration_id, lock=True), registration_id)
        if by.sight is not Sight.REGION or by.region != record.registration.insuring_region:
            raise NotFound("registration_not_found", f"no registration {registration_id}")
        if actor == record.submitted_by:
            raise NotAllowed("four_eyes", "who submitted a registration cannot decide it: ask a colleague")
        if not approve and not reason:
            raise NotAllowed("reason_missing", "a refusal needs a reason that the patient can act on")
        event = "approved" if approve else "refused"
        record = _move(uow, record, event=event, actor=actor, reason=reason, as_of=as_of)
        uow.audit.write(actor=actor, action=f"registration_{event}", subject=registration_id, at=as_of, facts={})
        keep(uow, record)
    return record


def cancel_registration(
    hub: Hub,
    registration_id: str,
    *,
    reason: str,
    scope: Scope,
    actor: str,
    as_of: datetime,
    keep: Keep[RegistrationRecord] = keep_nothing,
) -> RegistrationRecord:
    """Withdraw an application or a registration that has not begun; end one that holds from today on.

    Days before the cancel stay covered: a stay that ended yesterday is still settled under the registration. The region
    of care sees a registration, but it is not its to end.
    """
    today = business_day(as_of)
    with hub.store.begin(scope) as uow:
        record = _found(uow.registrations.get(registration_id, lock=True), registration_id)
        if scope.sight is Sight.REGION and scope.region != record.registration.insuring_region.code:
            raise NotFound("registration_not_found", f"no registration {registration_id}")
        waiting = record.registration.state is RegistrationState.SUBMITTED
        event = "withdrawn" if waiting or today <= record.registration.span.start else "cancelled"
        if event == "cancelled" and today in record.registration.span:
            uow.registrations.end_on(registration_id, end=today)
        record = _move(uow, record, event=event, actor=actor, reason=reason, as_of=as_of)
        uow.audit.write(actor=actor, action=f"registration_{event}", subject=registration_id, at=as_of, facts={})
        keep(uow, record)
    return record


def get_registration(hub: Hub, registration_id: str, *, scope: Scope) -> RegistrationRecord:
    with hub.store.begin(scope) as uow:
        return _found(uow.registrations.get(registration_id), registration_id)


def list_registrations(
    hub: Hub, *, scope: Scope, state: RegistrationState | None, after: str, limit: int
) -> Sequence[RegistrationRecord]:
    with hub.store.begin(scope) as uow:
        return uow.registrations.listed(state=state, after=after, limit=limit)


def _found(record: RegistrationRecord | None, registration_id: str) -> RegistrationRecord:
    if record is None:
        raise NotFound("registration_not_found", f"no registration {registration_id}")
    return record


def _move(
    uow: UnitOfWork, record: RegistrationRecord, *, event: str, actor: str, reason: str, as_of: datetime
) -> RegistrationRecord:
    source = record.registration.state
    target = REGISTRATION_MOVES.after(source, event)
    uow.registrations.move(
        record.registration.id, source=source, event=event, target=target, who=actor, why=reason, at=as_of
    )
    return _found(uow.registrations.get(record.registration.id), record.registration.id)
