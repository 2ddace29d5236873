"""What the suggester is given: active entries, and what regions and their people decided."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection

from catalogs.load import load_all
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.mapping import CHANGE_MOVES, ChangeState, Grade, Mapping, Origin
from hub.ports import HUB_SCOPE
from hub.ports.catalogs import ChangeRecord
from hub.store.books import SqlBooks
from hub.store.catalogs import load_into
from hub.store.engine import SqlStore
from tests.catalogs.spoiling import HERE
from tests.store.rows import NOON

JIANGNING = Region("320115")
ALANINE = "002503050070000"


@pytest.fixture
def books(store: SqlStore, owner: Connection) -> SqlBooks:
    loaded = load_all(HERE / "small")
    load_into(owner, loaded.unified_releases, loaded.regions)
    owner.commit()
    return SqlBooks(store)


def decide(store: SqlStore, code: str, grade: Grade) -> None:
    local = LocalCode(JIANGNING, CatalogKind.SERVICE, code)
    new = Mapping(local, UnifiedCode(CatalogKind.SERVICE, ALANINE), grade, date(2026, 1, 1))
    with store.begin(HUB_SCOPE) as uow:
        uow.changes.add(ChangeRecord(f"chg-{code}", new, Origin.MANUAL, "x", None, CHANGE_MOVES.start, "staff:1", NOON))
        uow.changes.move(
            f"chg-{code}",
            source=ChangeState.PROPOSED,
            event="approved",
            target=ChangeState.IN_FORCE,
            who="staff:2",
            why="",
            at=NOON,
        )


def test_only_active_entries_are_candidates(books: SqlBooks):
    assert [one.code for one in books.entries(CatalogKind.DIAGNOSIS)] == ["A17.000x001+G05.0*"]
    assert [one.name for one in books.entries(CatalogKind.SERVICE)] == ["氧气吸入", "血清丙氨酸氨基转移酶测定"]
    assert books.entries(CatalogKind.CONSUMABLE) == []


def test_what_a_release_maps_exactly_teaches_and_what_it_adopts_does_not(books: SqlBooks):
    found = [(one.code, one.name, one.target) for one in books.decided(CatalogKind.SERVICE)]

    assert found == [
        ("120300001", "氧气吸入", "001203000010000"),
        ("250305007", "丙氨酸氨基转移酶测定", ALANINE),
    ]
    assert books.decided(CatalogKind.HERBAL) == []


def test_what_two_people_decided_teaches_unless_it_is_too_broad(books: SqlBooks, store: SqlStore):
    before = len(books.decided(CatalogKind.SERVICE))
    decide(store, "999", Grade.NARROWER)
    decide(store, "120300001", Grade.BROADER)

    after = books.decided(CatalogKind.SERVICE)

    assert len(after) == before + 1
    assert ("999", ALANINE) in [(one.code, one.target) for one in after]


def test_a_new_release_is_told_by_its_name(books: SqlBooks):
    assert books.releases() == "region/320000/2024-06 region/320115/2024-06 unified/2024-06"
