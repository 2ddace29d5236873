"""The yardstick of writing: pgbench's TPC-B-like transaction on the same server, prepared, with four clients.

Knows the program in the wheel and how it is called. It runs in short turns before and after what it is compared with.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg

from hub.services.postgres import SUPERUSER, find_programs
from hub.services.process import CLEAN_ENVIRONMENT
from tests.bench.table import Skipped

CLIENTS = 4
SCALE = 10
"""A million accounts in ten branches, about 160 MB."""

DATABASE = "bench_tpcb"
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class Tpcb:
    """A filled TPC-B database on an embedded server. Raises Skipped where the wheel has no pgbench."""

    def __init__(self, superuser_address: str, sockets: Path) -> None:
        self._program = find_programs() / "pgbench"
        if not self._program.is_file():
            raise Skipped("the embedded PostgreSQL comes without pgbench")
        self._place = ["--host", str(sockets), "--port", "5432", "--username", SUPERUSER]
        self.turns: list[float] = []
        with psycopg.connect(superuser_address, autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")
        self._call("--initialize", "--quiet", f"--scale={SCALE}")

    @property
    def tps(self) -> float:
        """Transactions per second, the mean of the turns so far."""
        return sum(self.turns) / len(self.turns)

    def turn(self, seconds: int) -> None:
        """Run for so many seconds."""
        answer = self._call(
            f"--client={CLIENTS}", "--jobs=2", "--protocol=prepared", f"--time={seconds}", "--no-vacuum"
        )
        found = _TPS.search(answer)
        if found is None:
            raise Skipped(f"pgbench gave no rate: {answer[-300:]}")
        self.turns.append(float(found[1]))

    def _call(self, *arguments: str) -> str:
        ran = subprocess.run(
            [str(self._program), *self._place, *arguments, DATABASE],
            env=CLEAN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if ran.returncode:
            raise Skipped(f"pgbench cannot run here: {ran.stderr.strip()[-300:]}")
        return ran.stdout
