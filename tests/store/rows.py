"""Smallest valid records for the store's tests. Names and numbers are made up; the check digits fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hub.core.bill import AdmissionKind, Hospital, VisitState
from hub.core.catalog import HospitalLevel
from hub.core.codes import IdentityNumber, InstitutionCode, InsuranceType, Region
from hub.core.dates import Span
from hub.core.decision import Coverage, InsuranceStatus, PersonGroup
from hub.core.registration import Evidence, Registration, RegistrationCategory, RegistrationState
from hub.ports.records import PersonRecord, RegistrationRecord, Scope, Sight, VisitRecord

QINZHOU = Region("450700")
NANJING = Region("320100")
CHENGDU = Region("510100")

NANJING_FIRST = InstitutionCode("H32010200001")

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)

LI_LEI = IdentityNumber("110101199003070038")
HAN_MEIMEI = IdentityNumber("450702198512310020")


def region_scope(region: Region) -> Scope:
    return Scope(Sight.REGION, region=region.code)


def person(person_id: str = "per-1", *, identity: IdentityNumber = LI_LEI, region: Region = QINZHOU) -> PersonRecord:
    return PersonRecord(id=person_id, insuring_region=region, name="李雷", identity=identity, phone="13800138000")


def hospital(code: InstitutionCode = NANJING_FIRST, *, region: str = "320102") -> Hospital:
    return Hospital(
        code=code,
        name="南京市第一医院",
        region=Region(region),
        level=HospitalLevel.LEVEL_3,
        networked_from=date(2020, 1, 1),
    )


def registration(
    registration_id: str = "reg-1", *, person_id: str = "per-1", insuring: Region = QINZHOU, care: Region = NANJING
) -> RegistrationRecord:
    return RegistrationRecord(
        registration=Registration(
            id=registration_id,
            insuring_region=insuring,
            care_region=care,
            category=RegistrationCategory.OTHER_TEMPORARY,
            evidence=Evidence.NONE,
            span=Span(date(2026, 11, 2), date(2027, 5, 2)),
            state=RegistrationState.SUBMITTED,
        ),
        reference=f"REF-{registration_id}",
        person_id=person_id,
        channel="page",
        notice_version="2026-01",
        submitted_by="patient",
        submitted_at=NOON,
    )


def visit(visit_id: str = "vis-1", *, person_id: str = "per-1", visit_no: str = "Z2026-1") -> VisitRecord:
    return VisitRecord(
        id=visit_id,
        person_id=person_id,
        institution=NANJING_FIRST,
        care_region=NANJING,
        coverage=Coverage(
            insuring_region=QINZHOU,
            status=InsuranceStatus.NORMAL,
            insurance_type=InsuranceType.RESIDENT,
            group=PersonGroup.ADULT,
            membership_years=7,
        ),
        visit_no=visit_no,
        kind=AdmissionKind.ORDINARY,
        diagnosis="J18.9",
        admitted_at=NOON,
        recorded_at=NOON,
        recorded_late=False,
        state=VisitState.ADMITTED,
    )


def without_phone(record: PersonRecord) -> PersonRecord:
    return replace(record, phone="")
