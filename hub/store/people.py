"""The shelves of persons and of institutions.

Knows what of a person is sealed and by which keyed hash he is found. Must not know registrations or bills.
Sources: design section 4 (invariant 8); engineering guide section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.bill import Hospital
from hub.core.catalog import HospitalLevel
from hub.core.codes import IdentityNumber, InstitutionCode, Region
from hub.core.errors import Conflict
from hub.ports.records import PersonRecord
from hub.vault import Vault

IDENTITY_COLUMN = "person.identity"
"""The blind index under which a person's identity number is found."""

_PERSON_COLUMNS = "id, insuring_region, name_sealed, identity_sealed, phone_sealed"


class Persons:
    """Insured persons; one row per insuring region and identity number."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def find(self, insuring_region: Region, identity: IdentityNumber) -> PersonRecord | None:
        row = self._connection.execute(
            text(f"select {_PERSON_COLUMNS} from person where insuring_region = :region and identity_index = :index"),
            {"region": insuring_region.code, "index": self._index(identity)},
        ).one_or_none()
        return None if row is None else self._opened(row)

    def get(self, person_id: str) -> PersonRecord | None:
        row = self._connection.execute(
            text(f"select {_PERSON_COLUMNS} from person where id = :id"), {"id": person_id}
        ).one_or_none()
        return None if row is None else self._opened(row)

    def add(self, person: PersonRecord) -> None:
        added = self._connection.execute(
            text(
                """
                insert into person (id, insuring_region, name_sealed, identity_sealed, phone_sealed, identity_index)
                values (:id, :region, :name, :identity, :phone, :index)
                on conflict on constraint person_identity do nothing
                """
            ),
            {
                "id": person.id,
                "region": person.insuring_region.code,
                "name": self._sealed(person.name, column="name", person_id=person.id),
                "identity": self._sealed(person.identity.number, column="identity", person_id=person.id),
                "phone": self._sealed(person.phone, column="phone", person_id=person.id) if person.phone else None,
                "index": self._index(person.identity),
            },
        )
        if not added.rowcount:
            raise Conflict("person_exists", "the region already has a person with this identity number")

    def set_phone(self, person_id: str, phone: str) -> None:
        self._connection.execute(
            text("update person set phone_sealed = :phone where id = :id"),
            {"id": person_id, "phone": self._sealed(phone, column="phone", person_id=person_id) if phone else None},
        )

    def hold(self, person_id: str) -> None:
        self._connection.execute(text("select from person where id = :id for update"), {"id": person_id})

    def _index(self, identity: IdentityNumber) -> bytes:
        return self._vault.blind_index(identity.number, column=IDENTITY_COLUMN)

    def _sealed(self, value: str, *, column: str, person_id: str) -> bytes:
        return self._vault.seal(value, table="person", column=column, row=person_id)

    def _opened(self, row: Row[Any]) -> PersonRecord:
        def plain(sealed: bytes, column: str) -> str:
            return self._vault.open(sealed, table="person", column=column, row=row.id)

        return PersonRecord(
            id=row.id,
            insuring_region=Region(row.insuring_region),
            name=plain(row.name_sealed, "name"),
            identity=IdentityNumber(plain(row.identity_sealed, "identity")),
            phone="" if row.phone_sealed is None else plain(row.phone_sealed, "phone"),
        )


class Institutions:
    """Designated institutions; everybody may read them."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def get(self, code: InstitutionCode) -> Hospital | None:
        row = self._connection.execute(
            text("select code, name, region, level, networked_from from institution where code = :code"),
            {"code": code.code},
        ).one_or_none()
        return None if row is None else _hospital(row)

    def in_region(self, region: Region) -> Sequence[Hospital]:
        rows = self._connection.execute(
            text(
                """
                select code, name, region, level, networked_from from institution
                where region like :city order by code
                """
            ),
            {"city": f"{region.city}%"},
        )
        return [_hospital(row) for row in rows]

    def put(self, hospital: Hospital) -> None:
        self._connection.execute(
            text(
                """
                insert into institution (code, region, name, level, networked_from)
                values (:code, :region, :name, :level, :networked_from)
                on conflict (code) do update set region = excluded.region, name = excluded.name,
                    level = excluded.level, networked_from = excluded.networked_from
                """
            ),
            {
                "code": hospital.code.code,
                "region": hospital.region.code,
                "name": hospital.name,
                "level": hospital.level.value,
                "networked_from": hospital.networked_from,
            },
        )


def _hospital(row: Row[Any]) -> Hospital:
    return Hospital(
        code=InstitutionCode(row.code),
        name=row.name,
        region=Region(row.region),
        level=HospitalLevel(row.level),
        networked_from=row.networked_from,
    )
