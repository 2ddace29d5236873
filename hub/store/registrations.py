"""The shelf of registrations and their moves.

Knows the table and that a move writes the state and its history together. Must not know which moves are legal.
Sources: domain-process section 4; decision 0021 (who sees which side).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.codes import Region
from hub.core.dates import Span
from hub.core.errors import Conflict, NotAllowed
from hub.core.registration import Evidence, Registration, RegistrationCategory, RegistrationState
from hub.ports.records import RegistrationRecord
from hub.store.moves import note_move
from hub.store.scope import refusing
from hub.vault import Vault

_COLUMNS = """
    id, reference, person_id, insuring_region, care_region, category, evidence, starts_on, ends_on, state,
    channel, notice_version, submitted_by, submitted_at, decided_by, decided_reason
"""

_DECIDING = frozenset({"approved", "refused"})


class Registrations:
    """Registrations; the insuring region, the place of care and the person himself see them."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, record: RegistrationRecord) -> None:
        registration = record.registration
        self._connection.execute(
            text(
                f"""
                insert into registration ({_COLUMNS}) values (
                    :id, :reference, :person_id, :insuring_region, :care_region, :category, :evidence,
                    :starts_on, :ends_on, :state, :channel, :notice_version, :submitted_by, :submitted_at,
                    :decided_by, :decided_reason
                )
                """
            ),
            {
                "id": registration.id,
                "reference": record.reference,
                "person_id": record.person_id,
                "insuring_region": registration.insuring_region.code,
                "care_region": registration.care_region.code,
                "category": registration.category.value,
                "evidence": registration.evidence.value,
                "starts_on": registration.span.start,
                "ends_on": registration.span.end,
                "state": registration.state.value,
                "channel": record.channel,
                "notice_version": record.notice_version,
                "submitted_by": record.submitted_by,
                "submitted_at": record.submitted_at,
                "decided_by": record.decided_by,
                "decided_reason": record.decided_reason,
            },
        )
        note_move(
            self._connection,
            "registration",
            registration.id,
            source=None,
            event="submitted",
            target=registration.state,
            who=record.submitted_by,
            why="",
            at=record.submitted_at,
        )

    def get(self, registration_id: str, *, lock: bool = False) -> RegistrationRecord | None:
        row = self._connection.execute(
            text(f"select {_COLUMNS} from registration where id = :id {'for update' if lock else ''}"),
            {"id": registration_id},
        ).one_or_none()
        return None if row is None else _record(row)

    def by_reference(self, reference: str) -> RegistrationRecord | None:
        row = self._connection.execute(
            text(f"select {_COLUMNS} from registration where reference = :reference"), {"reference": reference}
        ).one_or_none()
        return None if row is None else _record(row)

    def of_person(self, person_id: str) -> Sequence[Registration]:
        rows = self._connection.execute(
            text(f"select {_COLUMNS} from registration where person_id = :person_id order by id"),
            {"person_id": person_id},
        )
        return [_registration(row) for row in rows]

    def listed(
        self, *, state: RegistrationState | None, insuring_region: Region | None = None, after: str, limit: int
    ) -> Sequence[RegistrationRecord]:
        rows = self._connection.execute(
            text(
                f"""
                select {_COLUMNS} from registration
                where id > :after and (cast(:state as text) is null or state = :state)
                    and (cast(:insuring_region as text) is null or insuring_region = :insuring_region)
                order by id limit :limit
                """
            ),
            {
                "after": after,
                "state": None if state is None else state.value,
                "insuring_region": None if insuring_region is None else insuring_region.code,
                "limit": limit,
            },
        )
        return [_record(row) for row in rows]

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
        """Raises Conflict where it is not in `source` any more, NotAllowed where who submitted also decides."""
        decides = event in _DECIDING
        four_eyes = NotAllowed("four_eyes", "who submitted cannot decide: ask a colleague")
        with refusing({"registration_four_eyes": four_eyes}):
            moved = self._connection.execute(
                text(
                    """
                    update registration set
                        state = :target,
                        decided_by = case when :decides then :who else decided_by end,
                        decided_reason = case when :decides then :why else decided_reason end
                    where id = :id and state = :source
                    """
                ),
                {
                    "id": registration_id,
                    "source": source.value,
                    "target": target.value,
                    "decides": decides,
                    "who": who,
                    "why": why,
                },
            )
        if not moved.rowcount:
            raise Conflict("registration_changed", f"registration {registration_id} has changed: look at it again")
        note_move(
            self._connection,
            "registration",
            registration_id,
            source=source,
            event=event,
            target=target,
            who=who,
            why=why,
            at=at,
        )

    def end_on(self, registration_id: str, *, end: date) -> None:
        self._connection.execute(
            text("update registration set ends_on = :end where id = :id"), {"id": registration_id, "end": end}
        )


def _registration(row: Row[Any]) -> Registration:
    return Registration(
        id=row.id,
        insuring_region=Region(row.insuring_region),
        care_region=Region(row.care_region),
        category=RegistrationCategory(row.category),
        evidence=Evidence(row.evidence),
        span=Span(row.starts_on, row.ends_on),
        state=RegistrationState(row.state),
    )


def _record(row: Row[Any]) -> RegistrationRecord:
    return RegistrationRecord(
        registration=_registration(row),
        reference=row.reference,
        person_id=row.person_id,
        channel=row.channel,
        notice_version=row.notice_version,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        decided_by=row.decided_by,
        decided_reason=row.decided_reason,
    )
