"""Thin tasks: read ids and dates, call one action, log one event.

Knows which action belongs to which task and queue. Must not know rules or SQL. Every task may run twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task

from hub.actions import delivery, matching
from hub.core.dates import business_day
from hub.ports import HUB_SCOPE
from hub.ports.records import Topic
from hub.tasks.app import BOOKINGS, CLEARING, UPKEEP
from hub.tasks.runtime import app

log = structlog.get_logger("hub.tasks")

PUMP_BATCH = 200
QUEUE_OF_TOPIC: Mapping[str, str] = {
    Topic.REGION_BOOKING: BOOKINGS,
    Topic.CLOSE_WINDOW: CLEARING,
    Topic.MATCH_DAY: UPKEEP,
}


@shared_task(name="hub.pump_outbox", queue=UPKEEP)
def pump_outbox(**_: Any) -> None:
    """Hand due messages of the outbox to the workers; a lost hand-over is due again when its lease ends."""
    running = app()
    sent = 0
    for message in delivery.claim_due(running.hub, as_of=running.clock.now(), limit=PUMP_BATCH):
        # An unknown topic goes to a worker too, who parks it; here it would stop the rest of the batch.
        deliver_message.apply_async(kwargs={"message_id": message.id}, queue=QUEUE_OF_TOPIC.get(message.topic, UPKEEP))
        sent += 1
    if sent:
        log.info("outbox_pumped", messages=sent)


@shared_task(name="hub.deliver_message", queue=BOOKINGS)
def deliver_message(*, message_id: str, **_: Any) -> None:
    """Carry out one message of the outbox."""
    running = app()
    done = delivery.deliver(running.hub, message_id, as_of=running.clock.now())
    log.info("message_delivered" if done else "message_not_delivered", message_id=message_id)


@shared_task(name="hub.seal_audit", queue=UPKEEP)
def seal_audit(**_: Any) -> None:
    """Chain the audit rows written since the last time."""
    with app().hub.store.begin(HUB_SCOPE) as uow:
        sealed = uow.audit.seal()
    if sealed:
        log.info("audit_sealed", rows=sealed)


@shared_task(name="hub.forget_expired", queue=UPKEEP)
def forget_expired(**_: Any) -> None:
    """Drop nonces and sessions whose time is over."""
    running = app()
    running.access.forget_expired(at=running.clock.now())


@shared_task(name="hub.match_yesterday", queue=UPKEEP)
def match_yesterday(**_: Any) -> None:
    """Ask for the match of the day before; asking twice is asking once."""
    running = app()
    now = running.clock.now()
    matching.request_match(running.hub, business_day(now) - timedelta(days=1), as_of=now)
