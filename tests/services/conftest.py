"""A state folder of its own for each test of the launcher, and short ways to look into both servers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.services import postgres, remove_data, start_services
from hub.settings import Settings


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass: pytest's own are closed, and root's PostgreSQL runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="hub-services-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def fresh(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings whose state folder does not exist yet; what runs on it is stopped afterwards, however the test ends."""
    settings = at(open_folder / request.node.name[:60] / "state")
    settings.state_dir.parent.mkdir(mode=0o711)
    yield settings
    if settings.state_dir.is_dir():
        remove_data(settings)


@pytest.fixture
def state(fresh: Settings, used: Path) -> Settings:
    """Settings whose state folder was used and left in order: a copy, since making a cluster takes most of a second."""
    subprocess.run(["cp", "-a", used, fresh.state_dir], check=True)
    return fresh


@pytest.fixture(scope="module")
def used(open_folder: Path) -> Path:
    """A state folder on which services ran once."""
    folder = open_folder / "used"
    with start_services(at(folder)):
        pass
    return folder


@pytest.fixture(autouse=True)
def places(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root's open place is made inside the test's folder, not on the machine."""
    place = open_folder / "open-place"
    monkeypatch.setattr(postgres, "OPEN_PLACES", (place,))
    return place


def at(folder: Path) -> Settings:
    return Settings.from_env({"HUB_STATE_DIR": str(folder)})
