"""Hospitals, insured persons and open stays in the database, and a signed bill for each stay.

Knows how the demonstration's world is written down. Every person is registered for the place of care, so that looking
a registration up is part of every bill; three stays of one person follow each other at one client, so that his year is
both begun and carried on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson
import requests

from hub.core.bill import AdmissionKind, Bill, Hospital, VisitState
from hub.core.codes import Region
from hub.core.dates import Span, business_day
from hub.core.decision import Coverage, InsuranceStatus
from hub.core.money import total
from hub.core.registration import Evidence, Registration, RegistrationCategory, RegistrationState
from hub.demo.bills import lines_json
from hub.demo.shelf import build_shelf
from hub.demo.world import HOSPITALS, REGIONS, Member, members
from hub.ports import HUB_SCOPE, Participant, Sight
from hub.ports.records import PersonRecord, RegistrationRecord, VisitRecord
from hub.store.access import ParticipantKey, RosterRow
from hub.vault import generate_signing_key, public_key_bytes
from hub.web.signing import sign
from tests.bench.clients import Letter
from tests.bench.place import Place
from tests.bench.wares import lines_of, shuffled

STAYS_OF_A_PERSON = 3
NIGHTS = 5


@dataclass(frozen=True)
class Stay:
    """An open stay: where, and the hospital's number of it."""

    hospital: Hospital
    visit_no: str
    admitted_on: date


class Ward:
    """Everybody who takes part, and as many open stays as are asked for."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._app = place.app
        self._port = place.settings.port
        self._items = {
            hospital.code: shuffled(build_shelf(place.catalogs, hospital.region, hospital.level))
            for hospital in HOSPITALS
        }
        self._people = {region: members(region, seed="bench") for region in REGIONS}
        self._numbers = iter(range(1, 1_000_000))
        self._keys = {hospital.code: generate_signing_key() for hospital in HOSPITALS}
        now = self._app.clock.now()
        with self._app.store.begin(HUB_SCOPE) as uow:
            for hospital in HOSPITALS:
                uow.institutions.put(hospital)
                uow.participants.add(
                    Participant(_key_id(hospital), Sight.INSTITUTION, hospital.region, hospital.code, hospital.name)
                )
                public = public_key_bytes(self._keys[hospital.code])
                uow.participants.add_key(
                    ParticipantKey(_key_id(hospital), _key_id(hospital), public, now - timedelta(days=1))
                )

    def letters(self, count: int, *, lines: int, clients: int) -> list[list[Letter]]:
        """Signed bills for `count` new stays, dealt out to so many clients; each client speaks for one hospital."""
        each = -(-count // clients)
        return [
            [self._letter(stay, lines=lines) for stay in self._open(HOSPITALS[number % len(HOSPITALS)], each)]
            for number in range(clients)
        ]

    def _open(self, hospital: Hospital, count: int) -> list[Stay]:
        now = self._app.clock.now()
        away = [region for region in REGIONS if region != hospital.region]
        stays: list[Stay] = []
        with self._app.store.begin(HUB_SCOPE) as uow:
            for number in range(-(-count // STAYS_OF_A_PERSON)):
                member = next(self._people[away[number % len(away)]])
                person = PersonRecord(
                    self._app.hub.new_id("per"), member.region, member.name, member.identity, member.phone
                )
                uow.persons.add(person)
                uow.roster.put([_on_roster(member)])
                uow.registrations.add(self._registration(person, hospital.region, now))
                for _ in range(min(STAYS_OF_A_PERSON, count - len(stays))):
                    visit = self._visit(person, member, hospital, now)
                    uow.visits.add(visit, who=_key_id(hospital))
                    stays.append(Stay(hospital, visit.visit_no, business_day(visit.admitted_at)))
        return stays

    def _registration(self, person: PersonRecord, care_region: Region, now: datetime) -> RegistrationRecord:
        registration = Registration(
            id=self._app.hub.new_id("reg"),
            insuring_region=person.insuring_region,
            care_region=care_region,
            category=RegistrationCategory.LONG_TERM_RESIDENT,
            evidence=Evidence.PROMISE,
            span=Span(business_day(now) - timedelta(days=60)),
            state=RegistrationState.APPROVED,
        )
        return RegistrationRecord(
            registration=registration,
            reference=self._app.hub.new_reference(),
            person_id=person.id,
            channel="bench",
            notice_version="2026-01",
            submitted_by="patient",
            submitted_at=now - timedelta(days=61),
            decided_by="rule",
        )

    def _visit(self, person: PersonRecord, member: Member, hospital: Hospital, now: datetime) -> VisitRecord:
        return VisitRecord(
            id=self._app.hub.new_id("vis"),
            person_id=person.id,
            institution=hospital.code,
            care_region=hospital.region,
            coverage=Coverage(
                member.region, InsuranceStatus.NORMAL, member.insurance_type, member.group, member.membership_years
            ),
            visit_no=f"V{next(self._numbers)}",
            kind=AdmissionKind.ORDINARY,
            diagnosis="J18.900",
            admitted_at=now - timedelta(days=NIGHTS),
            recorded_at=now - timedelta(days=NIGHTS),
            recorded_late=False,
            state=VisitState.ADMITTED,
        )

    def _letter(self, stay: Stay, *, lines: int) -> Letter:
        items = self._items[stay.hospital.code]
        start = next(self._numbers) % (len(items) - lines)
        sent = lines_of(items[start : start + lines], on=stay.admitted_on)
        bill = Bill(
            bill_no=f"B{next(self._numbers)}",
            admitted_on=stay.admitted_on,
            discharged_on=business_day(self._app.clock.now()),
            lines=sent,
            total=total(line.amount for line in sent),
        )
        body = orjson.dumps(
            {
                "institution": stay.hospital.code.code,
                "visit_no": stay.visit_no,
                "bill_no": bill.bill_no,
                "revision": 1,
                "discharged_on": bill.discharged_on.isoformat(),
                "total": str(bill.total),
                "lines": lines_json(bill),
            }
        )
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"settle-{bill.bill_no}"}
        url = f"http://127.0.0.1:{self._port}/v1/bills"
        prepared = requests.Request("POST", url, data=body, headers=headers).prepare()
        sign(
            prepared,
            key_id=_key_id(stay.hospital),
            private_pem=self._keys[stay.hospital.code],
            nonce=secrets.token_urlsafe(18),
            at=self._app.clock.now(),
            body=body,
        )
        return Letter("/v1/bills", body, dict(prepared.headers))


def _on_roster(member: Member) -> RosterRow:
    return RosterRow(
        region=member.region,
        identity=member.identity,
        name=member.name,
        status=InsuranceStatus.NORMAL,
        insurance_type=member.insurance_type,
        group=member.group,
        membership_years=member.membership_years,
    )


def _key_id(hospital: Hospital) -> str:
    return f"hospital-{hospital.code}"


def alternating(first: list[Letter], second: list[Letter]) -> Iterator[Letter]:
    """One of each in turn."""
    for pair in zip(first, second, strict=True):
        yield from pair
