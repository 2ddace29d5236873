"""What pages show beside an errand's own answer: whose registration it is, and where care is networked.

Knows reading only. Must not change anything, nor know pages.
Sources: engineering guide section 8 row 20; design invariant 9: the scope decides what is seen.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hub.actions.context import Hub
from hub.core.bill import Hospital
from hub.core.codes import Region
from hub.core.errors import Inconsistent, NotFound
from hub.core.registration import RegistrationState
from hub.ports import HUB_SCOPE, Scope, UnitOfWork
from hub.ports.records import MatchRow, MatchRun, PersonRecord, RegistrationRecord


@dataclass(frozen=True, slots=True)
class PersonalRegistration:
    """A registration beside the person it belongs to."""

    record: RegistrationRecord
    person: PersonRecord


@dataclass(frozen=True, slots=True)
class DayMatch:
    """A day's match: which insuring regions were matched, and what did not agree.

    Breaks may exceed the runs' own count: a region sees those of its hospitals, too, but only its own persons' run.
    """

    runs: Sequence[MatchRun]
    breaks: Sequence[MatchRow]


def own_registration(hub: Hub, *, reference: str, identity_end: str) -> PersonalRegistration | None:
    """The registration of a patient who gives its number and the last four characters of his identity number.

    None where either is wrong: the two look the same, so that nobody learns which numbers exist.
    """
    with hub.store.begin(HUB_SCOPE) as uow:
        record = uow.registrations.by_reference(reference)
        if record is None:
            return None
        person = _person(uow, record)
    if not hmac.compare_digest(person.identity.number[-4:].encode(), identity_end.encode()):
        return None
    return PersonalRegistration(record, person)


def registration_with_person(hub: Hub, registration_id: str, *, scope: Scope) -> PersonalRegistration:
    """Raises NotFound where the scope does not see the registration."""
    with hub.store.begin(scope) as uow:
        record = uow.registrations.get(registration_id)
        if record is None:
            raise NotFound("registration_not_found", f"no registration {registration_id}")
        return PersonalRegistration(record, _person(uow, record))


def registrations_with_persons(
    hub: Hub, *, scope: Scope, state: RegistrationState | None, insuring_region: Region | None, after: str, limit: int
) -> Sequence[PersonalRegistration]:
    """Registrations that the scope sees, ordered by id, those after a given id only; of one insuring region's persons
    where one is named.
    """
    with hub.store.begin(scope) as uow:
        records = uow.registrations.listed(state=state, insuring_region=insuring_region, after=after, limit=limit)
        return [PersonalRegistration(record, _person(uow, record)) for record in records]


def networked_hospitals(hub: Hub, *, on: date) -> Mapping[Region, Sequence[Hospital]]:
    """The hospitals of each region of the hub that settle directly on a day; regions without one are left out."""
    found: dict[Region, Sequence[Hospital]] = {}
    with hub.store.begin(HUB_SCOPE) as uow:
        for region in sorted(hub.gateways):
            hospitals = [one for one in uow.institutions.in_region(region) if one.networked_from <= on]
            if hospitals:
                found[region] = hospitals
    return found


def day_match(hub: Hub, *, day: date, scope: Scope) -> DayMatch:
    """How a day's match came out, as far as the scope sees it."""
    with hub.store.begin(scope) as uow:
        return DayMatch(runs=uow.matching.runs(day=day), breaks=uow.matching.breaks(day=day))


def _person(uow: UnitOfWork, record: RegistrationRecord) -> PersonRecord:
    person = uow.persons.get(record.person_id)
    if person is None:
        raise Inconsistent("registration_person", f"the person of {record.registration.id} cannot be read")
    return person
