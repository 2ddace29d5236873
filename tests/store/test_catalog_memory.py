"""A worker's catalogs follow what is loaded and decided: its own decisions at once, others' within seconds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.mapping import ChangeState, Grade
from hub.core.money import Rate
from hub.ports import HUB_SCOPE
from hub.store import shelf
from hub.store.catalogs import load_into
from hub.store.engine import open_store
from hub.store.shelf import CatalogMemory
from tests.store.rows import CHENGDU, NANJING, NOON
from tests.store.test_catalogs import BED_ITEM, BED_MAPPINGS, BOOK, LOCAL_BED, REGIONAL
from tests.store.test_changes import add, approve, move, proposal

DAY = date(2025, 6, 1)
CHANGED = replace(BED_MAPPINGS[1], grade=Grade.EXACT)


@pytest.fixture
def loaded(store, owner):
    load_into(owner, [BOOK], [REGIONAL])
    owner.commit()
    return store


@pytest.fixture
def another_worker(database, key_ring):
    opened = open_store(database.app_url, key_ring, pool_size=2)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def never_old(monkeypatch):
    """A worker that takes its knowledge for fresh however old it is, so that only what it is told makes it look."""
    monkeypatch.setattr(shelf, "LOOK_AGAIN_SECONDS", 10_000)


@pytest.fixture
def always_old(monkeypatch):
    """A worker for which the seconds between two looks have always gone by."""
    monkeypatch.setattr(shelf, "LOOK_AGAIN_SECONDS", 0)


def grade(memory):
    return memory.of(NANJING).mapping(LOCAL_BED, DAY).grade


def test_a_region_is_read_once(loaded, never_old):
    memory = CatalogMemory(loaded)

    assert memory.of(NANJING) is memory.of(NANJING)


def test_a_look_that_finds_nothing_new_keeps_what_was_worked_out(loaded, always_old):
    memory = CatalogMemory(loaded)

    assert memory.of(NANJING) is memory.of(NANJING)


def test_who_decided_sees_the_change_at_once(loaded, never_old):
    memory = CatalogMemory(loaded)
    assert grade(memory) is Grade.NARROWER
    add(loaded, proposal(CHANGED))
    assert grade(memory) is Grade.NARROWER

    approve(loaded)

    assert grade(memory) is Grade.EXACT


def test_who_undid_sees_the_release_again_at_once(loaded, never_old):
    memory = CatalogMemory(loaded)
    add(loaded, proposal(CHANGED))
    approve(loaded)
    assert grade(memory) is Grade.EXACT

    move(loaded, "undo_proposed", source=ChangeState.IN_FORCE, who="stf_wang")
    assert grade(memory) is Grade.EXACT
    move(loaded, "undone", source=ChangeState.UNDO_PROPOSED, who="stf_li")

    assert grade(memory) is Grade.NARROWER


def test_a_decision_that_was_rolled_back_is_not_seen(loaded, never_old):
    memory = CatalogMemory(loaded)
    add(loaded, proposal(CHANGED))
    before = memory.of(NANJING)

    with pytest.raises(ZeroDivisionError):
        decide_and_fail(loaded)

    assert memory.of(NANJING) is before


def decide_and_fail(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.changes.move(
            "chg_1",
            source=ChangeState.PROPOSED,
            event="approved",
            target=ChangeState.IN_FORCE,
            who="stf_li",
            why="",
            at=NOON,
        )
        raise ZeroDivisionError


def test_another_workers_decision_is_seen_at_the_next_look(loaded, another_worker, always_old):
    memory = CatalogMemory(loaded)
    assert grade(memory) is Grade.NARROWER

    add(another_worker, proposal(CHANGED))
    approve(another_worker)

    assert grade(memory) is Grade.EXACT


def test_a_decision_does_not_read_the_releases_again(loaded, never_old):
    memory = CatalogMemory(loaded)
    memory.of(NANJING)
    source = memory._held[NANJING].source

    add(loaded, proposal(CHANGED))
    approve(loaded)

    assert grade(memory) is Grade.EXACT
    assert memory._held[NANJING].source is source


def test_a_release_that_became_ready_is_seen_at_the_next_look(loaded, owner, always_old):
    memory = CatalogMemory(loaded)
    assert memory.of(NANJING).item(LOCAL_BED, date(2025, 7, 1)) == BED_ITEM
    july = Span(date(2025, 7, 1))
    dearer = replace(BED_ITEM, first_self_pay=Rate(Fraction(1, 2)), valid=july)

    load_into(owner, [BOOK], [replace(REGIONAL, release="2025-07", digest="r2", items=(dearer,), valid=july)])
    owner.commit()

    assert memory.of(NANJING).item(LOCAL_BED, date(2025, 7, 1)) == dearer


def test_a_region_without_catalog_is_not_held(loaded):
    with pytest.raises(NotAllowed, match="catalog_missing"):
        CatalogMemory(loaded).of(CHENGDU)
