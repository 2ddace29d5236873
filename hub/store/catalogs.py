"""Releases of code books and regional catalogs, loaded into the database whole; read only once they are ready.

Knows how a release becomes rows. Must not know files, nor how rows are looked up.
Sources: style guide model 6 (importing, then ready, then never changed); domain-process section 3; decision 0062.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, text

from hub.core.catalog import CatalogItem
from hub.core.codes import Region
from hub.core.dates import Span
from hub.core.errors import Conflict, Inconsistent, NotAllowed
from hub.core.mapping import Mapping, Origin
from hub.store import catalog_codec as codec
from hub.store.scope import refusing

# --- what a loader hands over ---------------------------------------------------------------------------------------


class Source(Protocol):
    """A file of a release."""

    @property
    def sha256(self) -> str: ...


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


class Decided(Protocol):
    """A mapping of a release and who or what decided it."""

    @property
    def mapping(self) -> Mapping: ...
    @property
    def origin(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def decided_by(self) -> str: ...
    @property
    def reviewed_by(self) -> str: ...


class Mapped(Protocol):
    """A file of mappings within a release."""

    @property
    def entries(self) -> Sequence[Decided]: ...


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
    def mapping_releases(self) -> Sequence[Mapped]: ...
    @property
    def sources(self) -> Sequence[Source]: ...
    def adopted_item(self, entry: Any) -> CatalogItem | None: ...
    def adopted_mapping(self, entry: Any) -> Mapping | None: ...


# --- loading --------------------------------------------------------------------------------------------------------


def load_into(owner: Connection, unified: Iterable[Unified], regions: Iterable[Regional]) -> int:
    """Load releases that are not there yet, as the role that owns the tables; gives how many.

    A region's adopted unified codes become rows of its own, so that one table answers for a region. Nothing is visible
    before the caller's transaction commits: whole or not at all. Raises Conflict where a release of that name is there
    with another content or one that begins on the same day, NotAllowed where two entries or mappings of a release hold
    for one line.
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
    own = (entry for file in release.mapping_releases for entry in file.entries)
    _copy(owner, f"region_item ({ITEM_COLUMNS})", _item_rows(release_id, release.items, adopted_items))
    _copy(owner, f"code_mapping ({_MAPPING_COLUMNS})", _mapping_rows(release_id, own, adopted_mappings))
    _finish(owner, release_id)
    return True


ITEM_COLUMNS = """
    release_id, kind, code, name, unit, benefit_class, first_self_pay, price_limits, valid_from, valid_until,
    payment_standard, first_self_pay_of, restriction, grace_until
"""
_MAPPING_COLUMNS = """
    release_id, kind, code, unified_code, grade, valid_from, valid_until, condition, origin, reason, decider, reviewer
"""

_ADOPTED = "the region uses the unified code as its own"


def _item_rows(release_id: str, *groups: Iterable[CatalogItem]) -> Iterator[tuple[object, ...]]:
    for items in groups:
        for item in items:
            yield (
                release_id,
                item.local.kind.value,
                item.local.code,
                item.name,
                item.unit,
                item.benefit_class.value,
                str(item.first_self_pay.value),
                codec.write_limits(item.price_limits),
                item.valid.start,
                item.valid.end,
                None if item.payment_standard is None else str(item.payment_standard),
                codec.write_ratios(item.first_self_pay_of),
                codec.write_restriction(item.restriction),
                item.grace_until,
            )


def _mapping_rows(release_id: str, own: Iterable[Decided], adopted: Iterable[Mapping]) -> Iterator[tuple[object, ...]]:
    for entry in own:
        reason = "; ".join(part for part in (entry.origin, entry.reason) if part)
        people = (entry.decided_by or None, entry.reviewed_by or None)
        yield (*_mapping_row(release_id, entry.mapping), reason, *people)
    for mapping in adopted:
        yield (*_mapping_row(release_id, mapping), _ADOPTED, None, None)


def _mapping_row(release_id: str, one: Mapping) -> tuple[object, ...]:
    return (
        release_id,
        one.local.kind.value,
        one.local.code,
        None if one.unified is None else one.unified.code,
        one.grade.value,
        one.valid_from,
        one.valid_until,
        codec.write_condition(one.condition),
        Origin.IMPORTED.value,
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
    same_day = Conflict("release_begins", f"{release_id} begins on {valid_from}, as another release of the region does")
    with refusing({"catalog_release_begins": same_day}):
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
    """Close the release; the database looks whether any two of its rows would answer for the same line."""
    overlaps = {
        "region_item_overlap": NotAllowed("entries_overlap", f"{release_id} has two entries of a code on one day"),
        "code_mapping_overlap": NotAllowed("mappings_overlap", f"{release_id} has two mappings for one person and day"),
    }
    with refusing(overlaps):
        owner.execute(text("update catalog_release set state = 'ready' where id = :id"), {"id": release_id})


def _copy(owner: Connection, target: str, rows: Iterable[tuple[object, ...]]) -> None:
    driver = owner.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise Inconsistent("driver", "catalogs are copied through psycopg")
    with driver.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
        for row in rows:
            copy.write_row(row)
