"""Crashes while others work: what was acknowledged is there afterwards, and hubs that start at once find each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from hub.services import start_services

ROOT = Path(__file__).parents[2]


def test_hubs_that_start_at_the_same_moment_share_one_pair_of_servers(state):
    code = (
        "import sys\nfrom hub.services import start_services\nfrom hub.settings import Settings\n"
        f"with start_services(Settings.from_env({{'HUB_STATE_DIR': {str(state.state_dir)!r}}})) as services:\n"
        "    print(services.sockets, flush=True)\n    sys.stdin.read()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    hubs = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(3)]

    sockets = {hub.stdout.readline().strip() for hub in hubs}
    for hub in hubs:
        hub.communicate()

    assert len(sockets) == 1
    assert not Path(sockets.pop()).exists()


@pytest.mark.long
def test_no_acknowledged_row_is_lost_when_the_database_is_killed_under_load(state):
    """Four writers, four kills; each writer notes a number only after the commit was acknowledged."""
    acknowledged: list[int] = []
    ended = threading.Event()

    def write(first: int) -> None:
        number = first
        while not ended.is_set():
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    while not ended.is_set():
                        number += 1
                        connection.execute("INSERT INTO written VALUES (%s)", [number])
                        acknowledged.append(number)
            except psycopg.OperationalError:
                ended.wait(0.05)

    with start_services(state) as services:
        url = services.database_owner_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE written (number bigint UNIQUE)")
        writers = [threading.Thread(target=write, args=(first * 10**9,)) for first in range(4)]
        for writer in writers:
            writer.start()
        for _ in range(4):
            ended.wait(1.0)
            os.kill(int((state.state_dir / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            while services.ensure_running() != ("postgres",):
                ended.wait(0.02)
        ended.set()
        for writer in writers:
            writer.join()
        with psycopg.connect(url) as connection:
            found = {row[0] for row in connection.execute("SELECT number FROM written")}

    assert len(acknowledged) > 100
    assert set(acknowledged) - found == set()
