"""Ready releases of code books and regional catalogs, looked up.

Knows the tables of releases, entries and mappings, and that decided changes lie over them. Must not know files, nor how
a line is classified. Sources: domain-process section 3; decision 0062.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.catalog import BenefitClass, CareCatalog, CatalogItem, CatalogSource, Change, Held
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.mapping import Grade, Mapping
from hub.core.money import Rate
from hub.store import catalog_codec as codec
from hub.store.changes import Changes
from hub.vault import Vault

_ITEMS = """
    kind, code, name, unit, benefit_class, first_self_pay, price_limits, valid_from, valid_until, payment_standard,
    cast(first_self_pay_of as text) as first_self_pay_of, cast(restriction as text) as restriction, grace_until
"""
_MAPPINGS = "kind, code, unified_code, grade, valid_from, valid_until, cast(condition as text) as condition"
_RELEASES = text(
    "select id, valid_from from catalog_release where region = :region and state = 'ready' order by valid_from"
)
_STAMP = text(
    """
    select
        array(
            select id from catalog_release where region = :region and state = 'ready' order by valid_from
        ) as releases,
        (select coalesce(max(version), 0) from catalog_change where region = :region) as changed
    """
)
_VERSION = text(
    """
    select greatest(
        (select max(version) from catalog_release where region = :region and state = 'ready'),
        (select max(version) from catalog_change where region = :region),
        0
    )
    """
)
_BOOKS_VERSION = text(
    """
    select coalesce((
        select version from catalog_release where region is null and state = 'ready' order by valid_from desc limit 1
    ), 0)
    """
)
_ENTRIES_SINCE = text(
    """
    with held as (
        select entry.* from unified_entry as entry join catalog_release on catalog_release.id = release_id
        where region is null and state = 'ready' and version = :version and kind = :kind and code > :after
    ), newest as (
        select * from unified_entry
        where kind = :kind and code > :after and release_id = (
            select id from catalog_release where region is null and state = 'ready' order by valid_from desc limit 1
        )
    )
    select coalesce(newest.kind, held.kind) as kind, code, coalesce(newest.name, held.name) as name,
        coalesce(newest.attributes, held.attributes) as attributes,
        case when newest.name is null then held.parent else newest.parent end as parent,
        case when newest.name is null then :gone else newest.status end as status
    from newest full join held using (code)
    where (newest.name, newest.attributes, newest.parent, newest.status)
        is distinct from (held.name, held.attributes, held.parent, held.status)
    order by code limit :limit
    """
)
# A row that only begins anew because its release does has not changed, nor one that ended before the release began.
_CODES_SINCE = text(
    """
    with newer as (
        select id, valid_from as begins, (
            select earlier.id from catalog_release as earlier
            where earlier.region = :region and earlier.state = 'ready' and earlier.valid_from < newer.valid_from
            order by earlier.valid_from desc limit 1
        ) as before_id
        from catalog_release as newer where region = :region and state = 'ready' and version > :version
    ), touched as (
        select code from newer join region_item on release_id in (newer.id, before_id)
        where kind = :kind and code > :after and (coalesce(grace_until, valid_until) > begins or valid_until is null)
        group by newer.id, code, greatest(valid_from, begins), valid_until, name, unit, benefit_class, first_self_pay,
            price_limits, payment_standard, first_self_pay_of, restriction, grace_until
        having count(*) = 1
        union
        select code from newer join code_mapping on release_id in (newer.id, before_id)
        where kind = :kind and code > :after and (valid_until is null or valid_until > begins)
        group by newer.id, code, greatest(valid_from, begins), valid_until, unified_code, grade, condition
        having count(*) = 1
        union
        select code from catalog_change
        where region = :region and kind = :kind and code > :after and version > :version
    )
    select code from touched order by code limit :limit
    """
)

GONE = "gone"
"""The status of an entry that an older release had and the newest has not."""


@dataclass(frozen=True, slots=True)
class Release:
    """A ready release; `region` is None for the unified code books."""

    id: str
    region: Region | None
    name: str
    release: str
    digest: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry of the newest unified code book, as a page shows it."""

    code: UnifiedCode
    name: str
    attributes: MappingOf[str, str]
    parent: str | None
    status: str


@dataclass(frozen=True, slots=True)
class CatalogStamp:
    """A region's ready releases, and the version of what was decided last."""

    releases: tuple[str, ...]
    changed: int


class CatalogShelf:
    """Look-ups in ready releases; everybody may read them."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def releases(self) -> Sequence[Release]:
        """Ready releases: the unified ones first, then by region; of each the newest first."""
        rows = self._connection.execute(
            text(
                """
                select id, region, name, release, digest, valid_from from catalog_release where state = 'ready'
                order by region nulls first, valid_from desc
                """
            )
        )
        return [
            Release(
                id=row.id,
                region=Region(row.region) if row.region else None,
                name=row.name,
                release=row.release,
                digest=row.digest,
                valid_from=row.valid_from,
            )
            for row in rows
        ]

    def entry(self, code: UnifiedCode) -> FoundEntry | None:
        """An entry of the newest unified release."""
        row = self._connection.execute(
            text(f"{_ENTRIES} and entry.kind = :kind and entry.code = :code"),
            {"kind": code.kind.value, "code": code.code},
        ).one_or_none()
        return None if row is None else _entry(row)

    def search(self, kind: CatalogKind, words: str, *, limit: int) -> Sequence[FoundEntry]:
        """Entries of the newest unified release whose code begins with a text or whose name holds it.

        What begins with it comes first, short names before long ones. ``%`` and ``_`` stand for themselves.
        """
        rows = self._connection.execute(
            text(
                f"""
                {_ENTRIES} and entry.kind = :kind and (entry.code like :prefix or entry.name like :anywhere)
                order by entry.code not like :prefix and entry.name not like :prefix, length(entry.name), entry.code
                limit :limit
                """
            ),
            {
                "kind": kind.value,
                "prefix": f"{_escaped(words)}%",
                "anywhere": f"%{_escaped(words)}%",
                "limit": limit,
            },
        )
        return [_entry(row) for row in rows]

    def items(self, region: Region, kind: CatalogKind, words: str, *, on: date, limit: int) -> Sequence[CatalogItem]:
        """A region's entries that hold on a day and whose code begins with a text or whose name holds it, by code."""
        rows = self._connection.execute(
            text(
                f"""
                select {_ITEMS} from region_item
                where release_id = (
                        select id from catalog_release where region = :region and state = 'ready' and valid_from <= :on
                        order by valid_from desc limit 1
                    )
                    and kind = :kind and (code like :prefix or name like :anywhere)
                    and valid_from <= :on and (valid_until is null or valid_until > :on)
                order by code limit :limit
                """
            ),
            {
                "region": region.code,
                "kind": kind.value,
                "on": on,
                "prefix": f"{_escaped(words)}%",
                "anywhere": f"%{_escaped(words)}%",
                "limit": limit,
            },
        )
        return [_item(region, row) for row in rows]

    def version(self, region: Region | None) -> int:
        """The version of what is loaded and decided now: of a region's catalog, or without one of the unified books.

        It grows with every release and decision; 0 where there is none. Who keeps it asks later for what is newer.
        """
        if region is None:
            return int(self._connection.execute(_BOOKS_VERSION).scalar_one())
        return int(self._connection.execute(_VERSION, {"region": region.code}).scalar_one())

    def entries_since(self, kind: CatalogKind, *, version: int, after: str, limit: int) -> Sequence[FoundEntry]:
        """Entries of the newest unified release that a holder of an older version lacks or has otherwise, by code.

        For a version that is none of a unified release, such as 0, these are all. One that is `GONE` has that status.
        """
        rows = self._connection.execute(
            _ENTRIES_SINCE, {"kind": kind.value, "version": version, "after": after, "limit": limit, "gone": GONE}
        )
        return [_entry(row) for row in rows]

    def codes_since(self, region: Region, kind: CatalogKind, *, version: int, after: str, limit: int) -> Sequence[str]:
        """Local codes about which a region's catalog says something else than at a version, in order; at 0 all.

        What it says now is for the care catalog to tell: a code without stretches is gone. Decided changes are seen by
        the hub and the region alone.
        """
        found = self._connection.execute(
            _CODES_SINCE,
            {"region": region.code, "kind": kind.value, "version": version, "after": after, "limit": limit},
        )
        return list(found.scalars())

    def stamp(self, region: Region) -> CatalogStamp:
        """What a region's catalog is made of now; what was read under an equal stamp is still true."""
        row = self._connection.execute(_STAMP, {"region": region.code}).one()
        return CatalogStamp(tuple(row.releases), row.changed)

    def care_catalog(self, region: Region) -> CareCatalog:
        """A region's whole catalog, for classifying bills from memory; read it once and keep it.

        Raises NotAllowed if none of the region's releases is ready.
        """
        return CareCatalog(region, self.source(region), changes=self.in_force(region))

    def in_force(self, region: Region) -> Sequence[Change]:
        """The decided changes that lie over the region's releases, in the order of decision."""
        return Changes(self._connection, self._vault).in_force(region)

    def source(self, region: Region) -> CatalogSource:
        """A region's releases, whole. Raises NotAllowed if none is ready."""
        return self._source(region, "", {})

    def part(self, region: Region, kind: CatalogKind, codes: Sequence[str]) -> CareCatalog:
        """A region's catalog of these codes alone, as this transaction sees it. Raises as `care_catalog`."""
        asked = {"kind": kind.value, "codes": list(codes)}
        source = self._source(region, "and kind = :kind and code = any (cast(:codes as text[]))", asked)
        return CareCatalog(region, source, changes=self.in_force(region))

    def _source(self, region: Region, which: str, asked: MappingOf[str, object]) -> CatalogSource:
        releases = self._connection.execute(_RELEASES, {"region": region.code}).all()
        if not releases:
            raise NotAllowed("catalog_missing", f"no catalog of the region {region} is loaded")
        tables = []
        for release in releases:
            items = self._connection.execute(
                text(f"select {_ITEMS} from region_item where release_id = :id {which} order by valid_from"),
                {"id": release.id, **asked},
            )
            mappings = self._connection.execute(
                text(f"select {_MAPPINGS} from code_mapping where release_id = :id {which} order by valid_from"),
                {"id": release.id, **asked},
            )
            tables.append(_ReleaseTable(region, release.valid_from, items.all(), mappings.all()))
        return _StoredReleases(tables)


class _StoredReleases:
    """A region's stored releases in order of time, as a `CatalogSource`."""

    def __init__(self, tables: Sequence[_ReleaseTable]) -> None:
        ends = [table.start for table in tables[1:]]
        self._spans = [(Span(table.start, end), table) for table, end in zip(tables, [*ends, None], strict=True)]

    def held(self, kind: CatalogKind, code: str) -> Sequence[Held]:
        return [Held(span, table.items(kind, code), table.mappings(kind, code)) for span, table in self._spans]


class _ReleaseTable:
    """The rows of one release by kind and code; values are made when a code is asked for."""

    __slots__ = ("_item_rows", "_mapping_rows", "_region", "start")

    def __init__(self, region: Region, start: date, items: Sequence[Row[Any]], mappings: Sequence[Row[Any]]) -> None:
        self.start = start
        self._region = region
        self._item_rows: dict[tuple[str, str], list[Row[Any]]] = {}
        self._mapping_rows: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in items:
            self._item_rows.setdefault((row.kind, row.code), []).append(row)
        for row in mappings:
            self._mapping_rows.setdefault((row.kind, row.code), []).append(row)

    def items(self, kind: CatalogKind, code: str) -> Sequence[CatalogItem]:
        return [_item(self._region, row) for row in self._item_rows.get((kind.value, code), ())]

    def mappings(self, kind: CatalogKind, code: str) -> Sequence[Mapping]:
        local = LocalCode(self._region, kind, code)
        return [_mapping(local, row) for row in self._mapping_rows.get((kind.value, code), ())]


def _mapping(local: LocalCode, row: Row[Any]) -> Mapping:
    return Mapping(
        local=local,
        unified=None if row.unified_code is None else UnifiedCode(local.kind, row.unified_code),
        grade=Grade(row.grade),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        condition=codec.read_condition(row.condition),
    )


_ENTRIES = """
    select entry.kind, entry.code, entry.name, entry.attributes, entry.parent, entry.status from unified_entry as entry
    where entry.release_id = (
        select id from catalog_release where region is null and state = 'ready' order by valid_from desc limit 1
    )
"""


def _entry(row: Row[Any]) -> FoundEntry:
    code = UnifiedCode(CatalogKind(row.kind), row.code)
    return FoundEntry(code, row.name, row.attributes, row.parent, row.status)


def _item(region: Region, row: Row[Any]) -> CatalogItem:
    return CatalogItem(
        local=LocalCode(region, CatalogKind(row.kind), row.code),
        name=row.name,
        unit=row.unit,
        benefit_class=BenefitClass(row.benefit_class),
        first_self_pay=Rate(Fraction(row.first_self_pay)),
        price_limits=codec.read_limits(row.price_limits),
        valid=Span(row.valid_from, row.valid_until),
        payment_standard=None if row.payment_standard is None else Fraction(row.payment_standard),
        first_self_pay_of=codec.read_ratios(row.first_self_pay_of),
        restriction=codec.read_restriction(row.restriction),
        grace_until=row.grace_until,
    )


def _escaped(words: str) -> str:
    """The text for LIKE, its wild cards standing for themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
