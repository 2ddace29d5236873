"""A person's running totals of an insurance year.

Knows the table person_year and its lock. Must not know how a bill changes the totals: the core folds them.
Source: design invariant 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from hub.core.codes import InsuranceType, Region
from hub.core.decision import YearToDate
from hub.core.errors import Inconsistent
from hub.ports.records import PersonYear
from hub.store import codec
from hub.vault import Vault

_PEEK = text(
    """
    select cast(totals as text) as totals, version from person_year
    where person_id = :person_id and insurance_type = :insurance_type and year = :year
    """
)
_LOCK = text(f"{_PEEK.text} for no key update")
# Changes nothing where another settlement made the row first, but waits for it and locks the row it made.
_MAKE = text(
    """
    insert into person_year (person_id, insurance_type, year, version, totals, insuring_region)
    select id, :insurance_type, :year, 0, cast(:totals as jsonb), insuring_region from person where id = :person_id
    on conflict (person_id, insurance_type, year) do update set version = person_year.version
    returning cast(totals as text) as totals, version
    """
)
_SAVE = text(
    """
    update person_year set version = :version, totals = cast(:totals as jsonb)
    where person_id = :person_id and insurance_type = :insurance_type and year = :year
        and version = :version - 1 and insuring_region = :region
    """
)


class Years:
    """The shelf of running totals; see `hub.ports.store.Years`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def peek(self, person_id: str, insurance_type: InsuranceType, year: int) -> PersonYear:
        found = self._connection.execute(_PEEK, _key(person_id, insurance_type, year)).one_or_none()
        if found is None:
            return PersonYear(YearToDate(year=year), 0)
        return PersonYear(codec.read_totals(found.totals), found.version)

    def lock(self, person_id: str, insurance_type: InsuranceType, year: int) -> PersonYear:
        key = _key(person_id, insurance_type, year)
        found = self._connection.execute(_LOCK, key).one_or_none()
        if found is None:
            empty = codec.write_totals(YearToDate(year=year))
            found = self._connection.execute(_MAKE, {**key, "totals": empty}).one_or_none()
        if found is None:
            raise Inconsistent("year_without_person", f"no person {person_id} to keep a year for")
        return PersonYear(codec.read_totals(found.totals), found.version)

    def save(
        self, person_id: str, insurance_type: InsuranceType, totals: YearToDate, *, region: Region, version: int
    ) -> None:
        """Keep new totals under the version after the one they were made from; `region` is the insuring one.

        Raises Inconsistent where the row has moved on, which a lock forbids, or belongs to another region.
        """
        saved = self._connection.execute(
            _SAVE,
            {
                **_key(person_id, insurance_type, totals.year),
                "totals": codec.write_totals(totals),
                "region": region.code,
                "version": version,
            },
        )
        if saved.rowcount != 1:
            raise Inconsistent("year_raced", f"the totals {version} of {person_id} do not follow those that are kept")


def _key(person_id: str, insurance_type: InsuranceType, year: int) -> Mapping[str, Any]:
    return {"person_id": person_id, "insurance_type": insurance_type.value, "year": year}
