"""The hub's processes as children: none outlives a parent that was killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hub.cli.processes import NotReady, Processes
from hub.services.process import identify
from hub.settings import Settings

PARENT = """
import os, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1], str(os.getpid())])
"""
# It tells its number only when it is bound: a parent killed earlier would prove nothing.
CHILD = """
import os, sys, time
from hub.cli.lifeline import end_with
end_with(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal exists on Linux only")
def test_a_child_ends_with_its_killed_parent():
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, cwd=root)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert identify(child) is not None

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 20
    while identify(child) is not None:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.1)


def test_a_port_in_use_is_named_before_anything_is_started(settings: Settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(NotReady, match=f"port {port} is in use"), Processes(replace(settings, port=port)):
            pass


def test_a_role_that_ended_is_started_again_but_not_for_ever(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub.cli.processes.role_command", lambda _role: [sys.executable, "-c", "pass"])
    processes = Processes(settings, roles=())
    processes.start("beat")

    for _ in range(5):
        processes.running["beat"].wait()
        assert processes.revive() == ["beat"]
    processes.running["beat"].wait()

    with pytest.raises(NotReady, match="beat ended"):
        processes.revive()
