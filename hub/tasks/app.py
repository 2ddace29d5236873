"""The Celery application and its schedule.

Knows the broker's settings and why each is set. Must not import anything that opens a connection.
Sources: engineering guide section 3 (each setting answers a trap listed there).
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange, Queue

UPKEEP = "upkeep"
BOOKINGS = "bookings"
CLEARING = "clearing"
QUEUES = (UPKEEP, BOOKINGS, CLEARING)

HARD_LIMIT_SECONDS = 240
"""Below the visibility timeout: a task that ran longer would be given to a second worker while it still runs."""

BROKER_SETTINGS: dict[str, Any] = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    # No result backend: with Redis as one, a broken broker blocks whoever sends a task.
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_time_limit": HARD_LIMIT_SECONDS,
    "task_soft_time_limit": 200,
    "broker_transport_options": {
        "visibility_timeout": 900,
        # Without these two a killed worker's task comes back after about a hundred seconds, whatever the timeout says.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    },
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_soft_shutdown_timeout": 30,
    "worker_max_tasks_per_child": 500,
    "worker_hijack_root_logger": False,
    # Our lines are JSON already: redirected, each would arrive wrapped in another one, as a warning.
    "worker_redirect_stdouts": False,
    "task_create_missing_queues": False,
    "task_default_queue": UPKEEP,
    "timezone": "Asia/Shanghai",
    "enable_utc": True,
}

SCHEDULE: dict[str, dict[str, Any]] = {
    # The database holds what is to be done; these two only look there, so a doubled firing does nothing.
    "pump-outbox": {"task": "hub.pump_outbox", "schedule": 1.0, "options": {"expires": 10}},
    "seal-audit": {"task": "hub.seal_audit", "schedule": 5.0, "options": {"expires": 30}},
    "forget-nonces": {"task": "hub.forget_expired", "schedule": 300.0, "options": {"expires": 300}},
    # Outside the hour in which a day changes, so that "yesterday" is never in doubt.
    "match-yesterday": {"task": "hub.match_yesterday", "schedule": crontab(hour=2, minute=30)},
}


def make_celery(redis_url: str) -> Celery:
    """The application over a broker; connects when it is first used, not before."""
    celery = Celery("hub", broker=redis_url, include=["hub.tasks.jobs"])
    celery.conf.update(BROKER_SETTINGS)
    # Each queue has its own exchange and key: with the defaults one message would reach all of them.
    celery.conf.task_queues = tuple(Queue(name, Exchange(name), routing_key=name) for name in QUEUES)
    celery.conf.beat_schedule = SCHEDULE
    return celery
