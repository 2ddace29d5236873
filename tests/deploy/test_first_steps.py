"""The first steps of the README, typed and run as they stand there, against a real web server."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.cli.processes import Processes
from hub.cli.setup import prepare_database
from hub.settings import Settings, environment_for_child
from tests.deploy.conftest import Run

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "README.md").read_text(encoding="utf-8").partition("## First steps")[2]


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", STEPS, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def web(run: Run, tmp_path: Path) -> Iterator[Settings]:
    """The web server alone, on the database that `run` works on."""
    (tmp_path / "state").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(Settings.from_env(), port=port, web_workers=1, public_url=f"http://localhost:{port}")
    prepare_database(settings)
    with Processes(settings, roles=("web",)):
        yield settings


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the hospital's own tool, not the hub's")
def test_the_first_steps_lead_to_a_settled_bill(
    web: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for line in block("sh").splitlines():
        program, *words = shlex.split(line)
        if program == ".venv/bin/hub":
            result = run(*words)
            assert result.exit_code == 0, result.output
        else:
            subprocess.run([program, *words], check=True, capture_output=True)

    script = block("python").replace("http://localhost:8080", web.public_url)
    environment = environment_for_child({"PYTHONPATH": str(ROOT)})
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "'fund_total':" in done.stdout
