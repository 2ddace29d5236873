"""Catalog trees for tests: the real one, loaded once, and a small one that each bad case spoils in one place."""

import shutil
from pathlib import Path

import pytest

from catalogs.load import Catalogs, load_all
from tests.catalogs.spoiling import HERE


@pytest.fixture(scope="session")
def shipped() -> Catalogs:
    return load_all()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small tree, to be spoilt."""
    return Path(shutil.copytree(HERE / "small", tmp_path / "catalogs"))
