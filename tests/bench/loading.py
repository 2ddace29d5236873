"""Loading every shipped catalog: read and checked from files, into the database, and back into a web worker.

Yardsticks: the same files through Python's csv reader alone; the same rows copied into bare tables.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator

import psycopg

from catalogs.load import ROOT
from hub.demo.world import REGIONS
from hub.ports import HUB_SCOPE
from tests.bench.place import Place
from tests.bench.table import Figure, Target, seconds
from tests.bench.timing import once, spent

PART = "load"
MOST_SECONDS = Target(30, 30, " s", most=True)
TABLES = ("unified_entry", "region_item", "code_mapping")


def measure(place: Place) -> Iterator[Figure]:
    place.settings  # noqa: B018 - asking for the settings makes the database and times it.
    read, stored = place.seconds["read"], place.seconds["store"]
    plainly = min(spent(_read_plainly) for _ in range(2))
    times = place.seconds["read, processor"] / plainly
    copied, rows = _copy_plainly(place.superuser)
    yield Figure(PART, "read and check every file", seconds(read), f"{times:.1f} × csv.reader alone")
    yield Figure(
        PART, f"into the database, {rows:,} rows", seconds(stored), f"{stored / copied:.1f} × COPY into bare tables"
    )
    yield Figure(PART, "both", seconds(read + stored), "", MOST_SECONDS, read + stored)
    worst = max(once(lambda region=region: _into_memory(place, region)) for region in REGIONS)
    yield Figure(PART, "the largest region into a web worker, at its first bill", seconds(worst))
    yield Figure(PART, "every migration on an empty database", seconds(place.seconds["migrate"]))


def _into_memory(place: Place, region) -> None:
    with place.app.store.begin(HUB_SCOPE) as uow:
        uow.catalogs.care_catalog(region)


def _read_plainly() -> None:
    for path in sorted(ROOT.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for _ in csv.reader(file):
                pass


def _copy_plainly(address: str) -> tuple[float, int]:
    """Seconds and rows of copying what was loaded into tables without keys, checks or triggers; nothing of it stays."""
    taken = 0.0
    rows = 0
    with psycopg.connect(address) as connection:
        for table in TABLES:
            with connection.cursor() as cursor:
                with cursor.copy(f"copy {table} to stdout") as copy:
                    content = [bytes(block) for block in copy]
                cursor.execute(f"create temp table bare on commit drop as select * from {table} limit 0")
                started = time.perf_counter()
                with cursor.copy("copy bare from stdin") as copy:
                    for block in content:
                        copy.write(block)
                taken += time.perf_counter() - started
                rows += cursor.rowcount
                cursor.execute("drop table bare")
        connection.rollback()
    return taken, rows
