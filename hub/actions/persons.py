"""Finding out who a person is at his insured place, and knowing him from then on.

Knows the question to the insuring region and the record kept here.
Must not know categories of registration or bills.
"""

from __future__ import annotations

from datetime import date

from hub.actions.context import Hub
from hub.core.codes import IdentityNumber, Region
from hub.core.decision import Coverage
from hub.core.errors import Conflict, NotAllowed
from hub.ports import UnitOfWork
from hub.ports.records import PersonRecord


def check_person(
    hub: Hub, *, insuring_region: Region, identity: IdentityNumber, name: str, on: date
) -> Coverage | None:
    """What the insuring region says of a person; None where name and number do not belong together there."""
    return hub.gateway(insuring_region).coverage(identity=identity, name=name, on=on)


def known_coverage(hub: Hub, *, insuring_region: Region, identity: IdentityNumber, name: str, on: date) -> Coverage:
    """The same, refused in one equal sentence where the region does not know the pair."""
    found = check_person(hub, insuring_region=insuring_region, identity=identity, name=name, on=on)
    if found is None:
        raise NotAllowed(
            "person_unknown",
            "the insured place knows no such person: check the name, the identity number and the insured place",
        )
    return found


def person_here(
    hub: Hub, uow: UnitOfWork, *, insuring_region: Region, identity: IdentityNumber, name: str, phone: str = ""
) -> PersonRecord:
    """The person's record, made at the first contact; a phone given later is kept."""
    found = uow.persons.find(insuring_region, identity)
    if found is None:
        found = _kept(uow, PersonRecord(hub.new_id("per"), insuring_region, name, identity, phone))
    elif phone and phone != found.phone:
        uow.persons.set_phone(found.id, phone)
    return found


def _kept(uow: UnitOfWork, person: PersonRecord) -> PersonRecord:
    """Keep a person; where somebody else was first between the look and now, his record is the person's."""
    try:
        uow.persons.add(person)
    except Conflict:
        first = uow.persons.find(person.insuring_region, person.identity)
        if first is None:
            raise
        return first
    return person
