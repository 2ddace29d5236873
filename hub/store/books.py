"""What the suggester reads: the active entries of the unified code books, and what was decided in all regions.

Knows the tables of releases, entries, mappings and changes. Must not know how anything is suggested.
Mappings are published, so what one region decided may teach another (decision 0063).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from hub.core.codes import CatalogKind
from hub.core.mapping import HOLDING_STATES, PAYABLE_GRADES
from hub.ports import HUB_SCOPE
from hub.store.engine import SqlStore

_NEWEST = "select id from catalog_release where region is null and state = 'ready' order by valid_from desc limit 1"
_RELEASES = text("select coalesce(string_agg(id, ' ' order by id), '') from catalog_release where state = 'ready'")
_ENTRIES = text(
    f"""
    select code, name, attributes from unified_entry
    where release_id = ({_NEWEST}) and kind = :kind and status = 'active' order by code
    """
)
# A region that uses the unified code as its own teaches nothing.
_DECIDED = text(
    """
    with newest as (
        select distinct on (region) id, region from catalog_release
        where region is not null and state = 'ready' order by region, valid_from desc
    ), item as (
        select distinct on (region, code) region, code, name, unit
        from region_item join newest on newest.id = release_id
        where kind = :kind order by region, code, region_item.valid_from desc
    ), told as (
        select region, code, unified_code as target
        from code_mapping join newest on newest.id = release_id
        where kind = :kind and grade = any (cast(:payable as text[])) and code <> unified_code
        union
        select region, code, says ->> 'unified' from catalog_change
        where kind = :kind and what = 'mapping' and state = any (cast(:holding as text[]))
            and says ->> 'grade' = any (cast(:payable as text[]))
    )
    select code, name, unit, target from told join item using (region, code) order by region, code, target
    """
)


@dataclass(frozen=True, slots=True)
class BookEntry:
    """An active entry of the newest unified release."""

    code: str
    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """A region's row and the unified code that it stands for."""

    code: str
    name: str
    unit: str
    target: str


class SqlBooks:
    """The books in the database, each question in a short transaction of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def releases(self) -> str:
        """The ids of all ready releases."""
        with self._store.begin(HUB_SCOPE) as uow:
            found: str = uow.connection.execute(_RELEASES).scalar_one()
        return found

    def entries(self, kind: CatalogKind) -> Sequence[BookEntry]:
        """Ordered by code."""
        with self._store.begin(HUB_SCOPE) as uow:
            return [BookEntry(*row) for row in uow.connection.execute(_ENTRIES, {"kind": kind.value})]

    def decided(self, kind: CatalogKind) -> Sequence[DecidedRow]:
        """What the newest release of each region maps, and what people decided since, ordered by region and code."""
        asked = {
            "kind": kind.value,
            "payable": sorted(grade.value for grade in PAYABLE_GRADES),
            "holding": sorted(state.value for state in HOLDING_STATES),
        }
        with self._store.begin(HUB_SCOPE) as uow:
            return [DecidedRow(*row) for row in uow.connection.execute(_DECIDED, asked)]
