"""The made-up October, told once: its stays, its shelves and its bills."""

import pytest

from catalogs.load import Catalogs, load_all
from hub.core.bill import Bill
from hub.demo.shelf import build_shelf
from hub.demo.story import ShelfOf, Story, bill_of, tell
from hub.demo.world import HOSPITALS


@pytest.fixture(scope="session")
def catalogs() -> Catalogs:
    return load_all()


@pytest.fixture(scope="session")
def shelves(catalogs: Catalogs) -> ShelfOf:
    return {(one.region, one.level): build_shelf(catalogs, one.region, one.level) for one in HOSPITALS}


@pytest.fixture(scope="session")
def story() -> Story:
    return tell()


@pytest.fixture(scope="session")
def bills(story: Story, shelves: ShelfOf) -> dict[int, Bill]:
    return {stay.number: bill_of(stay, shelves) for stay in story.stays}
