"""A killed play is cleared away; a living one, and any other program, is left alone."""

import json
import subprocess
import sys

import pytest

from hub.demo.leftovers import remember, stop_leftovers
from hub.services.process import identify


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def _change_owner(state_dir, *, pid, started):
    rows = json.loads((state_dir / "players.json").read_text())
    (state_dir / "players.json").write_text(json.dumps([[pid, started], *rows[1:]]))


def test_the_children_of_a_play_that_is_gone_are_stopped(tmp_path, child):
    remember(tmp_path, [child.pid])
    _change_owner(tmp_path, pid=child.pid, started="long ago")

    stopped = stop_leftovers(tmp_path)

    assert stopped == 1
    assert child.wait() != 0


def test_a_living_play_is_left_alone(tmp_path, child):
    remember(tmp_path, [child.pid])

    assert stop_leftovers(tmp_path) == 0
    assert child.poll() is None


def test_a_later_program_with_the_same_number_is_left_alone(tmp_path, child):
    (tmp_path / "players.json").write_text(json.dumps([[child.pid, "long ago"], [child.pid, "long ago"]]))

    assert stop_leftovers(tmp_path) == 0
    assert identify(child.pid) is not None


@pytest.mark.parametrize("content", [None, "", "[["])
def test_a_missing_or_torn_note_counts_as_none(tmp_path, content):
    if content is not None:
        (tmp_path / "players.json").write_text(content)

    assert stop_leftovers(tmp_path) == 0
