"""A month close whose worker is killed in the middle of a step, with a real broker, scheduler and worker."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from hub.actions import closing, statements
from hub.cli.processes import Processes
from hub.clock import shift_clock
from hub.core.clearing import WindowState
from hub.core.codes import Regime
from hub.core.dates import SHANGHAI, Period
from hub.ports import HUB_SCOPE
from hub.services import Services
from hub.settings import Settings
from tests.database import Database
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World

NOVEMBER_THIRD = datetime(2026, 11, 3, 9, 0, tzinfo=SHANGHAI)
STEPS = {"gross": "gross_cell", "nets": "net_position", "statements": "statement"}


@pytest.fixture
def processes(
    settings: Settings, services: Services, database: Database, key_file: Path, world: World
) -> Iterator[Processes]:
    """Worker and beat on the world's database, not started yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = replace(
        settings,
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        redis_url=services.redis_url,
        vault_key_file=key_file,
        port=port,
    )
    shift_clock(given.state_dir, to=NOVEMBER_THIRD)
    running = Processes(given, roles=())
    yield running
    running.stop()
    (given.state_dir / "clock-shift-seconds").unlink()


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the worker did not get there in time"
        time.sleep(0.1)


def window_state(world: World) -> WindowState | None:
    with world.store.begin(HUB_SCOPE) as uow:
        window = uow.windows.get(Regime.CROSS_PROVINCE, Period(2026, 10))
    return window.state if window else None


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_a_step_leaves_a_month_that_the_next_one_finishes(
    world: World, processes: Processes, database: Database, settings: Settings, step: str
):
    for who, where in (("Huang", QINZHOU), ("Jiang", HUANGSHAN), ("Wei", JIANGNING)):
        world.settled(who, where)
    world.deliver_all()
    world.go_to(date(2026, 11, 3))
    closing.request_close(world.hub, period=Period(2026, 10), actor="test-operator", as_of=world.now)
    blocker = create_engine(database.owner_url)
    with blocker.connect() as held:
        held.execute(text(f"lock table {STEPS[step]} in access exclusive mode"))
        processes.start("worker")
        processes.start("beat")
        wait_for(lambda: _somebody_waits_for(database, STEPS[step]))
        processes.kill("worker")
    blocker.dispose()
    assert window_state(world) is not WindowState.CLOSED

    # The message is held for the dead worker until its lease ends; the played clock goes past it.
    shift_clock(settings.state_dir, to=NOVEMBER_THIRD + timedelta(minutes=5))
    processes.start("worker")
    wait_for(lambda: window_state(world) is WindowState.CLOSED)

    with world.store.begin(HUB_SCOPE) as uow:
        window = uow.windows.get(Regime.CROSS_PROVINCE, Period(2026, 10))
        assert window is not None
        recomputed = [
            one for region in uow.clearing.regions(window) for one in closing.stored_statements(uow, window, region)
        ]
    listed = statements.list_statements(world.hub, scope=HUB_SCOPE, regime=None, period=None, after="", limit=100)
    assert {(one.id, one.sha256) for one in listed} == {(one.id, one.sha256) for one in recomputed}
    assert _cleared_entries(database) == 3


def _somebody_waits_for(database: Database, table: str) -> bool:
    engine = create_engine(database.owner_url)
    with engine.connect() as looking:
        waiting = looking.execute(
            text("select count(*) from pg_locks where not granted and relation = cast(:table as regclass)"),
            {"table": table},
        ).scalar_one()
    engine.dispose()
    return bool(waiting)


def _cleared_entries(database: Database) -> int:
    engine = create_engine(database.owner_url)
    with engine.connect() as looking:
        found = looking.execute(text("select count(*) from entry where event = 'cleared'")).scalar_one()
    engine.dispose()
    return int(found)
