"""The runbook says that losing the queue is harmless: everything in it is thrown away, with real workers around it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from hub.actions import delivery
from hub.cli.processes import Processes
from hub.clock import shift_clock
from hub.services import Services
from hub.settings import Settings
from hub.tasks.app import BOOKINGS, make_celery
from tests.database import Database
from tests.world import HUANGSHAN, QINZHOU, World


@pytest.fixture
def processes(
    settings: Settings, services: Services, database: Database, key_file: Path, tmp_path: Path
) -> Iterator[Processes]:
    """Worker and beat on the world's database, not started yet."""
    given = replace(
        settings,
        state_dir=tmp_path,
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        redis_url=services.redis_url,
        vault_key_file=key_file,
    )
    running = Processes(given, roles=())
    yield running
    running.stop()


def test_messages_lost_with_the_queue_are_sent_again_when_their_lease_ends(
    world: World, services: Services, processes: Processes, tmp_path: Path
):
    world.settled("Huang", QINZHOU)
    queue = redis.Redis.from_url(services.redis_client_url)
    celery = make_celery(services.redis_url)
    for message in delivery.claim_due(world.hub, as_of=world.now, limit=10):
        celery.send_task("hub.deliver_message", kwargs={"message_id": message.id}, queue=BOOKINGS)
    assert queue.llen(BOOKINGS) == 1

    queue.flushdb()
    shift_clock(tmp_path, to=world.now + timedelta(seconds=delivery.LEASE_SECONDS + 1))
    processes.start("worker")
    processes.start("beat")

    deadline = time.monotonic() + 90
    while delivery.waiting(world.hub):
        assert time.monotonic() < deadline, "the message was not sent again"
        time.sleep(0.2)
    assert len(world.hub.gateway(HUANGSHAN).booked(day=world.today)) == 1
    celery.close()
    queue.close()
