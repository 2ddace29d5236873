"""Looking codes up: the small catalog tree of the tests in the database, and a region's own codes on a day."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection

from catalogs.load import load_all
from hub.client import Problem
from hub.ports import Participant
from hub.store.catalogs import load_into
from tests.catalogs.spoiling import HERE
from tests.web.conftest import Api
from tests.world import JIANGNING, SERVICE


@pytest.fixture
def small(owner: Connection) -> None:
    loaded = load_all(HERE / "small")
    load_into(owner, loaded.unified_releases, loaded.regions)
    owner.commit()


def test_entries_are_found_by_a_part_of_their_name(api: Api, agency: Participant, small: None):
    found = api.client(agency).search_catalog("herbal", "蒲黄")

    assert [(one["code"], one["name"]) for one in found] == [("T001100687", "生蒲黄")]
    assert api.client(agency).catalog_entry("herbal", "T001100687") == found[0]


@pytest.mark.parametrize("words", ["%", "_", "' or 1=1 --", "\\"])
def test_wild_cards_and_quotes_stand_for_themselves(api: Api, agency: Participant, small: None, words: str):
    assert api.client(agency).search_catalog("drug", words) == []


@pytest.mark.parametrize("path", ["drug/NONE", "diagnosis/M8140/3", "herbal/T999999999", "diagnosis/%2e%2e%2fx"])
def test_a_code_that_is_none_is_not_found(api: Api, agency: Participant, small: None, path: str):
    assert api.send(agency, "GET", f"/v1/catalogs/{path}").status_code == 404


def test_a_regions_own_code_is_told_with_class_and_mapping_of_the_day(api: Api, hospital: Participant):
    client = api.client(hospital)

    found = client.regional_item("320115", "service", SERVICE[JIANGNING])

    assert found["region"] == "320115"
    assert found["benefit_class"] in {"A", "B", "C"}
    assert found["mapping"]["payable"] is True


def test_before_the_catalog_began_there_is_no_entry(api: Api, hospital: Participant):
    with pytest.raises(Problem) as refused:
        api.client(hospital).regional_item("450700", "service", "001101000010000", on=date(2019, 1, 1))

    assert (refused.value.status, refused.value.code) == (404, "code_not_found")
