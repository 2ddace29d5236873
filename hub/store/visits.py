"""The shelf of visits and their moves.

Knows the table, and that a diagnosis is sealed. Must not know which moves are legal, nor bills.
Sources: domain-process section 6 (admission); design section 4 (invariant 8).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.bill import AdmissionKind, VisitState
from hub.core.codes import InstitutionCode, InsuranceType, Region
from hub.core.decision import Coverage, InsuranceStatus, PersonGroup
from hub.core.errors import Conflict
from hub.ports.records import VisitRecord
from hub.store.moves import note_move
from hub.vault import Vault

_COLUMNS = """
    id, person_id, institution, visit_no, insuring_region, care_region, kind, diagnosis_sealed, admitted_at,
    recorded_at, recorded_late, state, status, insurance_type, person_group, membership_years
"""


class Visits:
    """Stays; the hospital, both regions and the person himself see them."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, visit: VisitRecord, *, who: str) -> None:
        added = self._connection.execute(
            text(
                f"""
                insert into visit ({_COLUMNS}) values (
                    :id, :person_id, :institution, :visit_no, :insuring_region, :care_region, :kind, :diagnosis,
                    :admitted_at, :recorded_at, :recorded_late, :state, :status, :insurance_type, :person_group,
                    :membership_years
                )
                on conflict on constraint visit_number do nothing
                """
            ),
            {
                "id": visit.id,
                "person_id": visit.person_id,
                "institution": visit.institution.code,
                "visit_no": visit.visit_no,
                "insuring_region": visit.insuring_region.code,
                "care_region": visit.care_region.code,
                "kind": visit.kind.value,
                "diagnosis": self._vault.seal(visit.diagnosis, table="visit", column="diagnosis", row=visit.id),
                "admitted_at": visit.admitted_at,
                "recorded_at": visit.recorded_at,
                "recorded_late": visit.recorded_late,
                "state": visit.state.value,
                "status": visit.coverage.status.value,
                "insurance_type": visit.coverage.insurance_type.value,
                "person_group": visit.coverage.group.value,
                "membership_years": visit.coverage.membership_years,
            },
        )
        if not added.rowcount:
            raise Conflict("visit_exists", f"the hospital already has a visit {visit.visit_no}")
        note_move(
            self._connection,
            "visit",
            visit.id,
            source=None,
            event=visit.state.value,
            target=visit.state,
            who=who,
            why="",
            at=visit.recorded_at,
        )

    def get(self, visit_id: str, *, lock: bool = False) -> VisitRecord | None:
        row = self._connection.execute(
            text(f"select {_COLUMNS} from visit where id = :id {'for update' if lock else ''}"), {"id": visit_id}
        ).one_or_none()
        return None if row is None else self._opened(row)

    def find(self, institution: InstitutionCode, visit_no: str) -> VisitRecord | None:
        row = self._connection.execute(
            text(f"select {_COLUMNS} from visit where institution = :institution and visit_no = :visit_no"),
            {"institution": institution.code, "visit_no": visit_no},
        ).one_or_none()
        return None if row is None else self._opened(row)

    def move(
        self, visit_id: str, *, source: VisitState, event: str, target: VisitState, who: str, why: str, at: datetime
    ) -> None:
        """Raises Conflict where the visit is not in `source` any more."""
        moved = self._connection.execute(
            text("update visit set state = :target where id = :id and state = :source"),
            {"id": visit_id, "source": source.value, "target": target.value},
        )
        if not moved.rowcount:
            raise Conflict("visit_changed", f"visit {visit_id} has changed: look at it again")
        note_move(
            self._connection, "visit", visit_id, source=source, event=event, target=target, who=who, why=why, at=at
        )

    def _opened(self, row: Row[Any]) -> VisitRecord:
        return VisitRecord(
            id=row.id,
            person_id=row.person_id,
            institution=InstitutionCode(row.institution),
            care_region=Region(row.care_region),
            coverage=Coverage(
                insuring_region=Region(row.insuring_region),
                status=InsuranceStatus(row.status),
                insurance_type=InsuranceType(row.insurance_type),
                group=PersonGroup(row.person_group),
                membership_years=row.membership_years,
            ),
            visit_no=row.visit_no,
            kind=AdmissionKind(row.kind),
            diagnosis=self._vault.open(row.diagnosis_sealed, table="visit", column="diagnosis", row=row.id),
            admitted_at=row.admitted_at,
            recorded_at=row.recorded_at,
            recorded_late=row.recorded_late,
            state=VisitState(row.state),
        )
