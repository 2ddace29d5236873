"""Catalogs by version: everything at first, then only what is newer, and a hospital fetches its own region's alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from catalogs.load import load_all
from hub.actions import mapping
from hub.actions.drafting import ProposeEntry
from hub.client import HubClient, Problem
from hub.core.catalog import HospitalLevel
from hub.core.codes import CatalogKind
from hub.core.money import exact_decimal
from hub.ports.catalogs import ChangeRecord
from hub.store.catalogs import load_into
from hub.store.shelf import CatalogMemory
from tests.catalogs.spoiling import HERE
from tests.web.conftest import OPERATOR, Api
from tests.world import JIANGNING, QINZHOU

OXYGEN = "120300001"


@pytest.fixture
def stocked(api: Api, owner: Connection) -> HubClient:
    """The small catalog tree of the tests in the database; gives a hospital of the one region in it."""
    loaded = load_all(HERE / "small")
    load_into(owner, loaded.unified_releases, loaded.regions)
    owner.commit()
    api.world.hub = replace(api.world.hub, catalog=CatalogMemory(api.world.store).of)
    return api.client(api.world.hospital(JIANGNING))


def limit_oxygen(api: Api, limit: str) -> ChangeRecord:
    """Two officers set another price limit for oxygen from today on."""
    world = api.world
    draft = ProposeEntry(
        CatalogKind.SERVICE,
        OXYGEN,
        world.today,
        "price list",
        price_limits={HospitalLevel.LEVEL_3: exact_decimal(limit, places=2)},
    )
    agency = world.agency(JIANGNING)
    made = mapping.propose_entry(world.hub, draft, by=agency, actor="staff:1", as_of=world.now)
    return mapping.review(world.hub, made.id, approve=True, reason="", by=agency, actor="staff:2", as_of=world.now)


def test_at_first_everything_comes_with_all_its_days(stocked: HubClient):
    version, codes = stocked.newer_codes("service")

    oxygen = next(one for one in codes if one["code"] == OXYGEN)
    days = [(one["valid_from"], one["valid_until"]) for one in oxygen["stretches"]]
    assert version > 0
    assert days == [("2024-01-01", "2024-04-01"), ("2024-04-01", None)]
    assert [one["mappings"][0]["grade"] for one in oxygen["stretches"]] == ["broader", "exact"]
    assert oxygen["stretches"][0]["entry"]["price_limits"] == {"3": "4.5"}


def test_who_holds_the_newest_version_gets_nothing(stocked: HubClient):
    version, _ = stocked.newer_codes("service")

    assert stocked.newer_codes("service", since=version) == (version, [])


def test_a_decision_and_its_undoing_come_as_one_code_each(api: Api, stocked: HubClient):
    version, _ = stocked.newer_codes("service")
    change = limit_oxygen(api, "9.5")
    decided, codes = stocked.newer_codes("service", since=version)
    world, agency = api.world, api.world.agency(JIANGNING)
    mapping.propose_undo(world.hub, change.id, reason="x", by=agency, actor="staff:1", as_of=world.now)
    between = stocked.newer_codes("service", since=decided)
    mapping.review_undo(world.hub, change.id, approve=True, reason="", by=agency, actor="staff:2", as_of=world.now)

    undone, back = stocked.newer_codes("service", since=decided)

    assert [(one["code"], one["stretches"][-1]["entry"]["price_limits"]) for one in codes] == [(OXYGEN, {"3": "9.5"})]
    assert between == (decided, [])
    assert [(one["code"], one["stretches"][-1]["entry"]["price_limits"]) for one in back] == [(OXYGEN, {"3": "4.5"})]
    assert version < decided < undone


def test_pages_join_without_a_gap(stocked: HubClient):
    path = "/v1/catalogs/downloads/own/service"
    first = stocked._get(path, {"limit": "1"})
    second = stocked._get(path, {"limit": "1", "after": first["next"]})

    _, whole = stocked.newer_codes("service")

    assert [one["code"] for one in first["items"] + second["items"]] == [one["code"] for one in whole][:2]


def test_unified_entries_are_fetched_by_version_as_well(stocked: HubClient):
    version, entries = stocked.newer_entries("service")

    assert [one["name"] for one in entries] == ["氧气吸入", "血清丙氨酸氨基转移酶测定"]
    assert stocked.newer_entries("service", since=version) == (version, [])


def test_a_hospital_of_another_region_gets_none_of_it_and_the_operator_has_no_own(api: Api, stocked: HubClient):
    elsewhere = api.client(api.world.hospital(QINZHOU))

    with pytest.raises(Problem) as refused:
        elsewhere.newer_codes("service")
    answer = api.send(OPERATOR, "GET", "/v1/catalogs/downloads/own/service")

    assert (refused.value.status, refused.value.code) == (422, "catalog_missing")
    assert answer.status_code == 403


def test_the_agency_fetches_its_own_region_too(api: Api, stocked: HubClient):
    agency = api.client(api.world.agency(JIANGNING))

    assert agency.newer_codes("service") == stocked.newer_codes("service")


@pytest.mark.parametrize(
    "query", ["since=-1", "since=1e3", "limit=0", "limit=5001", "since=1&since=2", "region=450700"]
)
def test_a_question_that_is_none_is_refused(api: Api, stocked: HubClient, query: str):
    answer = api.send(api.world.hospital(JIANGNING), "GET", f"/v1/catalogs/downloads/own/service?{query}")

    assert answer.status_code in {400, 422}
