"""What leaves the hub by the outbox: tried again later and later, parked when that cannot help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from hub.actions import delivery
from hub.core.errors import Conflict, HubError, Unreachable
from hub.ports import Booking
from tests.world import HUANGSHAN, QINZHOU, World


class Deaf:
    """A region whose booking desk fails in a given way; everything else is its own gateway's."""

    def __init__(self, world: World, error: HubError) -> None:
        self._own = world.hub.gateway(HUANGSHAN)
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._own, name)

    def book(self, booking: Booking) -> None:
        raise self._error

    def booked(self, *, day: date) -> Sequence[Booking]:
        return self._own.booked(day=day)


def deliver_after(world: World, seconds: int) -> int:
    """Let time pass, then carry out what is due; gives how many messages were due."""
    world.clock.moment += timedelta(seconds=seconds)
    due = delivery.claim_due(world.hub, as_of=world.now, limit=10)
    for message in due:
        delivery.deliver(world.hub, message.id, as_of=world.now)
    return len(due)


@pytest.fixture
def silent(world: World) -> World:
    """A bill is settled; the region it is told to does not answer for now."""
    world.settled("Huang", QINZHOU)
    world.with_gateway(HUANGSHAN, Deaf(world, Unreachable("timeout", "no answer", transient=True)))  # type: ignore[arg-type]
    return world


def test_a_silent_region_is_asked_again_after_fifteen_seconds_and_then_thirty(silent: World):
    assert deliver_after(silent, 0) == 1

    assert [deliver_after(silent, seconds) for seconds in (14, 1, 29, 1)] == [0, 1, 0, 1]


def test_after_sixteen_failures_the_booking_waits_for_a_person(silent: World):
    for _ in range(16):
        assert delivery.parked(silent.hub, limit=10) == []
        deliver_after(silent, 3600)

    ((message, error),) = delivery.parked(silent.hub, limit=10)
    assert (message.topic, message.attempts, error) == ("region_booking", 16, "timeout")


def test_what_trying_again_cannot_mend_is_parked_at_once(world: World):
    world.settled("Huang", QINZHOU)
    world.with_gateway(HUANGSHAN, Deaf(world, Conflict("refused", "never")))  # type: ignore[arg-type]

    deliver_after(world, 0)

    assert [error for _, error in delivery.parked(world.hub, limit=10)] == ["refused"]


def test_a_message_over_which_every_worker_dies_is_parked_in_the_end(world: World):
    """A worker that dies neither delivers nor puts back: only the claims count up, one a lease."""
    world.settled("Huang", QINZHOU)
    for _ in range(16):
        world.clock.moment += timedelta(seconds=delivery.LEASE_SECONDS)
        assert len(delivery.claim_due(world.hub, as_of=world.now, limit=10)) == 1

    deliver_after(world, delivery.LEASE_SECONDS)

    assert [error for _, error in delivery.parked(world.hub, limit=10)] == ["workers_died"]
