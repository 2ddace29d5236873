"""The whole demonstration, as `make demo` runs it."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def state_dir():
    # Root's PostgreSQL runs as another user, who must get through: pytest's own temporary folders are closed.
    folder = Path(tempfile.mkdtemp(prefix="hub-demo-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long
def test_the_demonstration_ends_as_told_and_can_be_played_again(state_dir):
    command = [sys.executable, "-m", "hub.cli", "--state-dir", str(state_dir), "demo"]

    plays = [subprocess.run(command, capture_output=True, text=True, timeout=600, check=False) for _ in range(2)]

    for play in plays:
        assert play.returncode == 0, play.stdout[-4000:] + play.stderr[-4000:]
        assert "Everything ended as it should." in play.stdout
