"""Releases of code books and regional catalogs in the database: loaded whole, then read only.

Knows the tables of releases, entries and mappings. Must not know files, nor how a line is classified.
Sources: style guide model 6 (importing, then ready, then never changed); domain-process section 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, Row, text

from hub.core.catalog import BenefitClass, CareCatalog, CatalogItem, Held, HospitalLevel
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Conflict, Inconsistent, NotAllowed
from hub.core.mapping import Grade, Mapping
from hub.core.money import Rate
from hub.vault import Vault

# --- what a loader hands over ---------------------------------------------------------------------------------------


class Source(Protocol):
    """A file of a release."""

    @property
    def sha256(self) -> str: ...


class Entry(Protocol):
    """An entry of a unified code book."""

    @property
    def code(self) -> UnifiedCode: ...
    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> MappingOf[str, str]: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def status(self) -> str: ...


class Unified(Protocol):
    """A checked release of the unified code books."""

    @property
    def release(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def sources(self) -> Sequence[Source]: ...
    def entries(self) -> Iterator[Any]: ...


class Regional(Protocol):
    """A checked release of a region's catalog."""

    @property
    def region(self) -> Region: ...
    @property
    def name(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def unified_release(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def valid(self) -> Span: ...
    @property
    def items(self) -> Sequence[CatalogItem]: ...
    @property
    def mappings(self) -> Sequence[Mapping]: ...
    @property
    def sources(self) -> Sequence[Source]: ...
    def adopted_item(self, entry: Any) -> CatalogItem | None: ...
    def adopted_mapping(self, entry: Any) -> Mapping | None: ...


# --- loading --------------------------------------------------------------------------------------------------------


def load_into(owner: Connection, unified: Iterable[Unified], regions: Iterable[Regional]) -> int:
    """Load releases that are not there yet, as the role that owns the tables; gives how many.

    A region's adopted unified codes become rows of its own, so that one table answers for a region. Nothing is visible
    before the caller's transaction commits: whole or not at all. Raises Conflict where a release of that name is there
    with another content.
    """
    books = {one.release: one for one in unified}
    loaded = 0
    for book in sorted(books.values(), key=lambda one: one.valid_from):
        loaded += _load_unified(owner, book)
    for release in regions:
        if release.unified_release not in books:
            raise Inconsistent("unified_missing", f"{release.name} needs the release {release.unified_release}")
        loaded += _load_region(owner, release, books[release.unified_release])
    return loaded


def _load_unified(owner: Connection, book: Unified) -> bool:
    release_id = _unified_id(book.release)
    if not _begin(owner, release_id, release=book, name=book.release, region=None, valid_from=book.valid_from):
        return False
    _copy(
        owner,
        "unified_entry (release_id, kind, code, name, attributes, parent, status)",
        (
            (
                release_id,
                entry.code.kind.value,
                entry.code.code,
                entry.name,
                json.dumps(dict(entry.attributes), ensure_ascii=False),
                entry.parent,
                entry.status,
            )
            for entry in book.entries()
        ),
    )
    _finish(owner, release_id)
    return True


def _load_region(owner: Connection, release: Regional, book: Unified) -> bool:
    release_id = f"region/{release.region}/{release.release}"
    begun = _begin(
        owner, release_id, release=release, name=release.name, region=release.region, valid_from=release.valid.start
    )
    if not begun:
        return False
    adopted_items = (item for entry in book.entries() if (item := release.adopted_item(entry)))
    adopted_mappings = (one for entry in book.entries() if (one := release.adopted_mapping(entry)))
    _copy(owner, f"region_item ({_ITEM_COLUMNS})", _item_rows(release_id, release.items, adopted_items))
    _copy(owner, f"code_mapping ({_MAPPING_COLUMNS})", _mapping_rows(release_id, release.mappings, adopted_mappings))
    _finish(owner, release_id)
    return True


_ITEM_COLUMNS = """
    release_id, kind, code, name, unit, benefit_class, first_self_pay, price_limits, valid_from, valid_until
"""
_MAPPING_COLUMNS = "release_id, kind, code, unified_code, grade, valid_from, valid_until"


def _item_rows(release_id: str, *groups: Iterable[CatalogItem]) -> Iterator[tuple[object, ...]]:
    for items in groups:
        for item in items:
            limits = {level.value: str(limit) for level, limit in item.price_limits.items()}
            yield (
                release_id,
                item.local.kind.value,
                item.local.code,
                item.name,
                item.unit,
                item.benefit_class.value,
                str(item.first_self_pay.value),
                json.dumps(limits) if limits else "",
                item.valid.start,
                item.valid.end,
            )


def _mapping_rows(release_id: str, *groups: Iterable[Mapping]) -> Iterator[tuple[object, ...]]:
    for mappings in groups:
        for one in mappings:
            yield (
                release_id,
                one.local.kind.value,
                one.local.code,
                None if one.unified is None else one.unified.code,
                one.grade.value,
                one.valid_from,
                one.valid_until,
            )


def _unified_id(release: str) -> str:
    return f"unified/{release}"


def _begin(
    owner: Connection,
    release_id: str,
    *,
    release: Unified | Regional,
    name: str,
    region: Region | None,
    valid_from: date,
) -> bool:
    """Note a release as importing; False where the same is ready already."""
    # The descriptor's digest does not reach into listings and mappings that a region's catalog names: their sums do.
    digest = sha256("\n".join([release.digest, *(one.sha256 for one in release.sources)]).encode()).hexdigest()
    added = owner.execute(
        text(
            """
            insert into catalog_release (id, region, name, release, unified_id, digest, valid_from, state)
            values (:id, :region, :name, :release, :unified_id, :digest, :valid_from, 'importing')
            on conflict (id) do nothing
            """
        ),
        {
            "id": release_id,
            "region": None if region is None else region.code,
            "name": name,
            "release": release.release,
            "unified_id": None if region is None else _unified_id(getattr(release, "unified_release", "")),
            "digest": digest,
            "valid_from": valid_from,
        },
    )
    if added.rowcount:
        return True
    kept = owner.execute(text("select digest from catalog_release where id = :id"), {"id": release_id}).scalar_one()
    if kept != digest:
        raise Conflict("release_changed", f"{release_id} is loaded with another content: a release never changes")
    return False


def _finish(owner: Connection, release_id: str) -> None:
    owner.execute(text("update catalog_release set state = 'ready' where id = :id"), {"id": release_id})


def _copy(owner: Connection, target: str, rows: Iterable[tuple[object, ...]]) -> None:
    driver = owner.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise Inconsistent("driver", "catalogs are copied through psycopg")
    with driver.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


# --- looking up -----------------------------------------------------------------------------------------------------


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


class CatalogShelf:
    """Look-ups in ready releases; everybody may read them."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

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
                select {_ITEM_COLUMNS} from region_item
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

    def care_catalog(self, region: Region) -> CareCatalog:
        """A region's whole catalog, for classifying bills from memory; read it once and keep it.

        Raises NotAllowed if none of the region's releases is ready.
        """
        releases = self._connection.execute(
            text(
                """
                select id, valid_from from catalog_release where region = :region and state = 'ready'
                order by valid_from
                """
            ),
            {"region": region.code},
        ).all()
        if not releases:
            raise NotAllowed("catalog_missing", f"no catalog of the region {region} is loaded")
        tables = []
        for release in releases:
            items = self._connection.execute(
                text(f"select {_ITEM_COLUMNS} from region_item where release_id = :id"), {"id": release.id}
            )
            mappings = self._connection.execute(
                text(f"select {_MAPPING_COLUMNS} from code_mapping where release_id = :id order by valid_from"),
                {"id": release.id},
            )
            tables.append(_ReleaseTable(region, release.valid_from, items.all(), mappings.all()))
        return CareCatalog(region, _StoredReleases(tables))


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
    limits = json.loads(row.price_limits) if row.price_limits else {}
    return CatalogItem(
        local=LocalCode(region, CatalogKind(row.kind), row.code),
        name=row.name,
        unit=row.unit,
        benefit_class=BenefitClass(row.benefit_class),
        first_self_pay=Rate(Fraction(row.first_self_pay)),
        price_limits={HospitalLevel(level): Fraction(limit) for level, limit in limits.items()},
        valid=Span(row.valid_from, row.valid_until),
    )


def _escaped(words: str) -> str:
    """The text for LIKE, its wild cards standing for themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
