"""Outbox, inbox and periodic jobs: queued once, taken once, told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.errors import Conflict
from hub.ports import HUB_SCOPE
from tests.store.rows import NOON, QINZHOU, region_scope


def queue(store, *keys, due_at=NOON):
    with store.begin(HUB_SCOPE) as uow:
        for key in keys:
            uow.outbox.add(topic="settled", key=key, payload={"bill": key, "fen": 12_30}, due_at=due_at)


def claim(store, *, at=NOON, limit=10):
    with store.begin(HUB_SCOPE) as uow:
        return uow.outbox.claim(limit=limit, at=at, lease_seconds=60)


def bills(messages):
    return [message.payload["bill"] for message in messages]


def test_a_queued_message_is_claimed_with_its_payload(store):
    queue(store, "b1")

    (message,) = claim(store)

    assert (message.topic, message.payload, message.attempts) == ("settled", {"bill": "b1", "fen": 1230}, 1)


def test_the_same_event_is_queued_once(store):
    queue(store, "b1")
    queue(store, "b1")

    assert bills(claim(store)) == ["b1"]


def test_a_message_rolled_back_with_its_cause_is_never_sent(store):
    def fail():
        with store.begin(HUB_SCOPE) as uow:
            uow.outbox.add(topic="settled", key="b1", payload={}, due_at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert claim(store) == []


def test_a_message_is_not_claimed_before_it_is_due(store):
    queue(store, "b1", due_at=NOON + timedelta(seconds=1))

    assert claim(store) == []
    assert bills(claim(store, at=NOON + timedelta(seconds=1))) == ["b1"]


def test_a_claimed_message_is_free_again_when_its_lease_is_over(store):
    queue(store, "b1")
    claim(store)

    assert claim(store, at=NOON + timedelta(seconds=59)) == []
    assert claim(store, at=NOON + timedelta(seconds=60))[0].attempts == 2


def test_two_claims_at_once_never_share_a_message(store):
    queue(store, "b1", "b2", "b3")

    with store.begin(HUB_SCOPE) as one, store.begin(HUB_SCOPE) as other:
        first = one.outbox.claim(limit=2, at=NOON, lease_seconds=60)
        second = other.outbox.claim(limit=2, at=NOON, lease_seconds=60)

    assert (bills(first), bills(second)) == (["b1", "b2"], ["b3"])


def test_a_delivered_message_is_done(store):
    queue(store, "b1")
    (message,) = claim(store)

    with store.begin(HUB_SCOPE) as uow:
        uow.outbox.delivered(message.id, at=NOON)

        assert uow.outbox.waiting() == 0
    assert claim(store, at=NOON + timedelta(days=1)) == []


def test_a_failed_message_is_tried_again_when_it_says(store):
    queue(store, "b1")
    (message,) = claim(store)

    with store.begin(HUB_SCOPE) as uow:
        uow.outbox.failed(message.id, error="no answer", due_at=NOON + timedelta(seconds=30))

        assert uow.outbox.waiting() == 1
    assert claim(store) == []
    assert bills(claim(store, at=NOON + timedelta(seconds=30))) == ["b1"]


def test_a_parked_message_waits_for_a_person(store):
    queue(store, "b1")
    (message,) = claim(store)

    with store.begin(HUB_SCOPE) as uow:
        uow.outbox.failed(message.id, error="refused", due_at=None)

        assert uow.outbox.waiting() == 0
        assert [(found.id, error) for found, error in uow.outbox.parked(limit=10)] == [(message.id, "refused")]
    assert claim(store, at=NOON + timedelta(days=1)) == []


def test_a_parked_message_can_be_let_go_again(store):
    queue(store, "b1")
    (message,) = claim(store)

    with store.begin(HUB_SCOPE) as uow:
        uow.outbox.failed(message.id, error="refused", due_at=None)

        assert uow.outbox.unpark(message.id, due_at=NOON)
        assert not uow.outbox.unpark(message.id, due_at=NOON)
    assert claim(store)[0].attempts == 1


def test_a_region_may_queue_a_message_but_not_read_it(store):
    with store.begin(region_scope(QINZHOU)) as uow:
        uow.outbox.add(topic="decided", key="reg-1", payload={"bill": "reg-1"}, due_at=NOON)
        uow.outbox.add(topic="decided", key="reg-1", payload={"bill": "reg-1"}, due_at=NOON)

        assert uow.outbox.claim(limit=10, at=NOON, lease_seconds=60) == []
    assert bills(claim(store)) == ["reg-1"]


def test_a_message_from_outside_is_new_once(store):
    told = []
    for _ in range(2):
        with store.begin(HUB_SCOPE) as uow:
            told.append(uow.inbox.first_time(source="450700", message_id="m1", digest="d1", at=NOON))

    assert told == [True, False]


def test_two_sources_may_use_the_same_message_id(store):
    with store.begin(HUB_SCOPE) as uow:
        assert uow.inbox.first_time(source="450700", message_id="m1", digest="d1", at=NOON)
        assert uow.inbox.first_time(source="320100", message_id="m1", digest="d2", at=NOON)


def test_a_message_id_with_another_content_is_a_conflict(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.inbox.first_time(source="450700", message_id="m1", digest="d1", at=NOON)

        with pytest.raises(Conflict, match="message_id_reused"):
            uow.inbox.first_time(source="450700", message_id="m1", digest="d2", at=NOON)


def test_a_run_of_a_job_belongs_to_the_first_who_asks(store):
    told = []
    for _ in range(2):
        with store.begin(HUB_SCOPE) as uow:
            told.append(uow.jobs.claim(job="match", period="2026-11-02", at=NOON))

    assert told == [True, False]


def test_the_next_period_of_a_job_is_a_run_of_its_own(store):
    with store.begin(HUB_SCOPE) as uow:
        assert uow.jobs.claim(job="match", period="2026-11-02", at=NOON)
        assert uow.jobs.claim(job="match", period="2026-11-03", at=NOON)
