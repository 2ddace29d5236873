"""One documented little world, made only through the hub's own errands.

Three regions that send and receive patients: Qinzhou (450700), Nanjing Jiangning (320115), Huangshan (341000). One
hospital in each, one agency in each, and a handful of made-up insured persons. Bills are made of real services, billed
by the unified code in Qinzhou and Huangshan and by Jiangsu's own code in Jiangning.

The world's clock stands still until a test moves it. It begins on 20 October 2026 at nine in the morning in Shanghai.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache

import pytest

from adapters.registry import build_gateways
from catalogs.load import Catalogs, InMemoryCatalogs, load_all
from hub.actions import admission, cancellation, closing, delivery, registration, settlement
from hub.actions.context import Hub
from hub.core.bill import AdmissionKind, BillLine, Hospital
from hub.core.catalog import HospitalLevel
from hub.core.clearing import ClearingRules, Window
from hub.core.codes import (
    CatalogKind,
    IdentityNumber,
    InstitutionCode,
    InsuranceType,
    Regime,
    Region,
    identity_check_digit,
)
from hub.core.dates import SHANGHAI, Period, business_day
from hub.core.decision import InsuranceStatus, PersonGroup
from hub.core.money import total, yuan
from hub.core.registration import Evidence, RegistrationCategory, RegistrationState
from hub.ids import new_id, new_reference
from hub.ports import HUB_SCOPE, Participant, RegionGateway, Sight
from hub.ports.records import BillRecord, RegistrationRecord, VisitRecord
from hub.store.access import RosterRow
from hub.store.engine import SqlStore
from hub.store.insured import SqlRoster
from hub.store.journal import SqlBookingJournal

QINZHOU = Region("450700")
JIANGNING = Region("320115")
HUANGSHAN = Region("341000")
REGIONS = (QINZHOU, JIANGNING, HUANGSHAN)

START = datetime(2026, 10, 20, 9, 0, tzinfo=SHANGHAI)

HOSPITALS = {
    QINZHOU: Hospital(
        InstitutionCode("H45070200001"), "钦州市示范医院", QINZHOU, HospitalLevel.LEVEL_3, date(2024, 1, 1)
    ),
    JIANGNING: Hospital(
        InstitutionCode("H32011500001"), "江宁示范医院", JIANGNING, HospitalLevel.LEVEL_3, date(2024, 1, 1)
    ),
    HUANGSHAN: Hospital(
        InstitutionCode("H34100200001"), "黄山示范医院", HUANGSHAN, HospitalLevel.LEVEL_2, date(2024, 1, 1)
    ),
}

SERVICE = {QINZHOU: "001101000010000", HUANGSHAN: "001101000010000", JIANGNING: "310300001"}
"""A service code that each region's hospitals may bill; Jiangsu's own code in Jiangning."""


@dataclass(frozen=True)
class Insured:
    """A made-up insured person as he would show himself at a desk."""

    region: Region
    name: str
    identity: IdentityNumber
    phone: str


def made_up_identity(area: str, born: str, sequence: int) -> IdentityNumber:
    """An identity number that belongs to nobody: area, date of birth, sequence, and the check digit that fits."""
    first = f"{area}{born}{sequence:03d}"
    return IdentityNumber(first + identity_check_digit(first))


PERSONS = {
    "Wei": Insured(QINZHOU, "韦测安", made_up_identity("450702", "19580312", 11), "13900000011"),
    "Nong": Insured(QINZHOU, "农测贫", made_up_identity("450703", "19700101", 12), "13900000012"),
    "Jiang": Insured(JIANGNING, "江测平", made_up_identity("320115", "19651130", 21), "13900000021"),
    "Huang": Insured(HUANGSHAN, "黄测松", made_up_identity("341002", "19800229", 31), "13900000031"),
    "Xu": Insured(HUANGSHAN, "许测童", made_up_identity("341002", "20150601", 32), "13900000032"),
    "Paused": Insured(QINZHOU, "停测保", made_up_identity("450702", "19900909", 13), "13900000013"),
}

_GROUPS = {"Nong": PersonGroup.POOR, "Xu": PersonGroup.PUPIL}


@cache
def shipped_catalogs() -> Catalogs:
    """The catalogs that ship with the hub, read once per run."""
    return load_all()


@cache
def care_catalogs() -> InMemoryCatalogs:
    return shipped_catalogs().in_memory()


class StandingClock:
    """A clock that tells what it was set to."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class World:
    """The little world on a real database; every method is one errand, with as few words as a test needs."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = StandingClock(START)
        self.hub = Hub(
            store=store,
            gateways=build_gateways(roster=SqlRoster(store), journal=SqlBookingJournal(store), with_sandbox=True),
            catalog=care_catalogs().of,
            calendar=shipped_catalogs().calendar,
            clearing_rules=ClearingRules(months_late=2, source="test"),
            new_id=lambda prefix: new_id(prefix, at=self.clock.now()),
            new_reference=new_reference,
        )
        self._numbers = iter(range(1, 100_000))
        with store.begin(HUB_SCOPE) as uow:
            for hospital in HOSPITALS.values():
                uow.institutions.put(hospital)
                uow.participants.add(self.hospital(hospital.region))
            for region in REGIONS:
                uow.participants.add(self.agency(region))
            uow.roster.put([_roster_row(key, one) for key, one in PERSONS.items()])

    # --- who takes part ---------------------------------------------------------------------------------------------

    def hospital(self, region: Region) -> Participant:
        found = HOSPITALS[region]
        return Participant(f"hos-{region}", Sight.INSTITUTION, region, found.code, found.name)

    def agency(self, region: Region) -> Participant:
        return Participant(f"age-{region}", Sight.REGION, region, None, f"{region} agency")

    def with_gateway(self, region: Region, gateway: RegionGateway) -> None:
        """Put another gateway in a region's place, as a region that answers differently."""
        self.hub = replace(self.hub, gateways={**self.hub.gateways, region: gateway})

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return business_day(self.now)

    def go_to(self, day: date, hour: int = 9) -> None:
        self.clock.moment = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)

    # --- errands ----------------------------------------------------------------------------------------------------

    def register(
        self,
        who: str,
        to: Region,
        *,
        category: RegistrationCategory = RegistrationCategory.OTHER_TEMPORARY,
        evidence: Evidence = Evidence.NONE,
        start: date | None = None,
        actor: str = "patient",
    ) -> RegistrationRecord:
        person = PERSONS[who]
        command = registration.FileRegistration(
            insuring_region=person.region,
            care_region=to,
            category=category,
            evidence=evidence,
            start=start or self.today,
            name=person.name,
            identity=person.identity,
            phone=person.phone,
            channel="test",
            notice_version="2026-01",
        )
        return registration.file_registration(self.hub, command, actor=actor, as_of=self.now)

    def approve(self, record: RegistrationRecord) -> RegistrationRecord:
        """Have an officer approve what the insuring region does not approve at once."""
        if record.registration.state is RegistrationState.APPROVED:
            return record
        return registration.decide_registration(
            self.hub,
            record.registration.id,
            approve=True,
            reason="",
            by=self.agency(record.registration.insuring_region),
            actor="officer-2",
            as_of=self.now,
        )

    def admit(
        self,
        who: str,
        at: Region,
        *,
        days_ago: int = 5,
        kind: AdmissionKind = AdmissionKind.ORDINARY,
        visit_no: str | None = None,
    ) -> VisitRecord:
        person = PERSONS[who]
        command = admission.Admit(
            visit_no=visit_no or f"V{next(self._numbers)}",
            insuring_region=person.region,
            name=person.name,
            identity=person.identity,
            kind=kind,
            diagnosis="K35.800",
            admitted_at=self.now - timedelta(days=days_ago),
        )
        return admission.admit(self.hub, command, by=self.hospital(at), as_of=self.now)

    def bill(
        self, visit: VisitRecord, *amounts: str, bill_no: str | None = None, revision: int = 1
    ) -> settlement.SubmitBill:
        """A bill of one real service per amount, each on the day of admission."""
        day = business_day(visit.admitted_at)
        lines = tuple(
            self.line(number, visit.care_region, amount, day) for number, amount in enumerate(amounts, start=1)
        )
        return settlement.SubmitBill(
            visit_no=visit.visit_no,
            bill_no=bill_no or f"B{next(self._numbers)}",
            revision=revision,
            discharged_on=self.today,
            lines=lines,
            total=total(line.amount for line in lines),
        )

    def line(self, number: int, region: Region, amount: str, day: date, *, code: str | None = None) -> BillLine:
        return BillLine(
            line_no=number,
            kind=CatalogKind.SERVICE,
            code=code or SERVICE[region],
            name="service",
            unit_price=Fraction(amount),
            quantity=Fraction(1),
            amount=yuan(amount),
            fee_date=day,
        )

    def settle(self, visit: VisitRecord, *amounts: str, **more: object) -> BillRecord:
        command = self.bill(visit, *amounts, **more)  # type: ignore[arg-type]
        return settlement.settle(self.hub, command, by=self.hospital(visit.care_region), as_of=self.now)

    def settled(self, who: str, at: Region, *amounts: str) -> BillRecord:
        """A person registered, admitted and settled in one go."""
        if not any(found.care_region == at for found in self._registrations(who)):
            self.approve(self.register(who, at))
        return self.settle(self.admit(who, at), *(amounts or ("10000.00",)))

    def cancel(self, bill: BillRecord, *, reason: str = "wrong bill") -> BillRecord:
        return cancellation.cancel_bill(
            self.hub, bill.id, reason=reason, by=self.hospital(bill.care_region), as_of=self.now
        )

    def close(self, period: str, regime: Regime = Regime.CROSS_PROVINCE) -> Window:
        return closing.close_window(
            self.hub, regime=regime, period=Period.parse(period), actor="test-operator", as_of=self.now
        )

    def deliver_all(self) -> int:
        """Carry out everything that is due in the outbox, as the workers would; gives how many messages."""
        due = delivery.claim_due(self.hub, as_of=self.now, limit=10_000)
        return sum(delivery.deliver(self.hub, message.id, as_of=self.now) for message in due)

    def _registrations(self, who: str) -> list[object]:
        person = PERSONS[who]
        with self.store.begin(HUB_SCOPE) as uow:
            found = uow.persons.find(person.region, person.identity)
            return list(uow.registrations.of_person(found.id)) if found else []


def _roster_row(key: str, one: Insured) -> RosterRow:
    return RosterRow(
        region=one.region,
        identity=one.identity,
        name=one.name,
        status=InsuranceStatus.SUSPENDED if key == "Paused" else InsuranceStatus.NORMAL,
        insurance_type=InsuranceType.RESIDENT,
        group=_GROUPS.get(key, PersonGroup.ADULT),
        membership_years=1,
    )


@pytest.fixture
def world(store: SqlStore) -> World:
    return World(store)
