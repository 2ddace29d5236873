"""The `hub` command as an operator types it, on the database of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import build
from hub.services import Services
from tests.database import Database

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, services: Services, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `hub` with these words; standard input may be given."""
    given = {
        "HUB_DATABASE_URL": database.app_url,
        "HUB_DATABASE_OWNER_URL": database.owner_url,
        "HUB_REDIS_URL": services.redis_url,
        "HUB_VAULT_KEY_FILE": str(key_file),
        "HUB_STATE_DIR": str(tmp_path / "state"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    def run(*words: str, standard_input: str | None = None) -> Result:
        return CliRunner().invoke(build(), words, input=standard_input)

    return run
