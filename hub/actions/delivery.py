"""Carrying out what the outbox asks for: telling a region of a booking, matching a day, closing a window.

Knows the topics and how a failed delivery is tried again.
Must not know queues or brokers: a message may arrive twice, late, or after it was done. Sources: engineering guide
section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hub.actions.closing import close_window
from hub.actions.context import Hub
from hub.actions.matching import match_day
from hub.core.codes import InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.errors import HubError, Inconsistent, Unreachable
from hub.core.money import Money
from hub.ports import HUB_SCOPE, Booking
from hub.ports.records import Outgoing, Topic

LEASE_SECONDS = 120
"""How long a claimed message is left alone before it is sent again: a worker that died is not waited for."""

MOST_ATTEMPTS = 16
"""After so many failures a message is parked for a person: a region silent for about eight hours, or a message at which
every worker dies, must not run for ever."""

FIRST_DELAY_SECONDS = 15
LONGEST_DELAY_SECONDS = 3600


def claim_due(hub: Hub, *, as_of: datetime, limit: int) -> Sequence[Outgoing]:
    """Messages that are due and nobody holds; each is held for `LEASE_SECONDS`."""
    with hub.store.begin(HUB_SCOPE) as uow:
        return uow.outbox.claim(limit=limit, at=as_of, lease_seconds=LEASE_SECONDS)


def deliver(hub: Hub, message_id: str, *, as_of: datetime) -> bool:
    """Carry out one message; True where it is done now. Done before, or parked: nothing happens.

    The effect is idempotent at its receiver, so a death between effect and acknowledgement only repeats it.
    """
    with hub.store.begin(HUB_SCOPE) as uow:
        message = uow.outbox.get(message_id)
    if message is None:
        return False
    if message.attempts > MOST_ATTEMPTS:
        # Nobody put it back: each worker that took it died over it.
        with hub.store.begin(HUB_SCOPE) as uow:
            uow.outbox.failed(message.id, error="workers_died", due_at=None)
        return False
    try:
        _carry_out(hub, message, as_of=as_of)
    except HubError as error:
        _put_back(hub, message, error, as_of=as_of)
        if isinstance(error, Inconsistent):
            raise
        return False
    with hub.store.begin(HUB_SCOPE) as uow:
        uow.outbox.delivered(message_id, at=as_of)
    return True


def parked(hub: Hub, *, limit: int) -> Sequence[tuple[Outgoing, str]]:
    """Messages that wait for a person, each with the code of its last error, the oldest first."""
    with hub.store.begin(HUB_SCOPE) as uow:
        return uow.outbox.parked(limit=limit)


def waiting(hub: Hub) -> int:
    """How many messages are neither carried out nor parked."""
    with hub.store.begin(HUB_SCOPE) as uow:
        return uow.outbox.waiting()


def retry_parked(hub: Hub, message_id: str, *, actor: str, as_of: datetime) -> bool:
    """Let a parked message be tried again at once, with all its attempts; False where none is parked under this id."""
    with hub.store.begin(HUB_SCOPE) as uow:
        if not uow.outbox.unpark(message_id, due_at=as_of):
            return False
        uow.audit.write(actor=actor, action="message_retried", subject=f"outbox/{message_id}", at=as_of, facts={})
    return True


def _carry_out(hub: Hub, message: Outgoing, *, as_of: datetime) -> None:
    if message.topic == Topic.REGION_BOOKING:
        hub.gateway(Region(message.payload["region"])).book(_booking(message.payload))
    elif message.topic == Topic.CLOSE_WINDOW:
        close_window(
            hub,
            regime=Regime(message.payload["regime"]),
            period=Period.parse(message.payload["period"]),
            actor=message.payload["actor"],
            as_of=as_of,
        )
    elif message.topic == Topic.MATCH_DAY:
        match_day(hub, date.fromisoformat(message.payload["day"]), as_of=as_of)
    else:
        raise Inconsistent("outbox_topic", f"message {message.id} has the unknown topic {message.topic}")


def _put_back(hub: Hub, message: Outgoing, error: HubError, *, as_of: datetime) -> None:
    """Later each time, twice as long up to an hour; parked when trying again cannot help or has been tried enough."""
    hopeless = not isinstance(error, Unreachable) or not error.transient or message.attempts >= MOST_ATTEMPTS
    seconds = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** max(0, message.attempts - 1))
    delay = timedelta(seconds=seconds)
    with hub.store.begin(HUB_SCOPE) as uow:
        uow.outbox.failed(message.id, error=error.code, due_at=None if hopeless else as_of + delay)


def _booking(payload: Any) -> Booking:
    return Booking(
        event_id=payload["event_id"],
        bill_id=payload["bill_id"],
        booked_on=date.fromisoformat(payload["booked_on"]),
        insurance_type=InsuranceType(payload["insurance_type"]),
        total=Money(payload["total_fen"]),
        fund_total=Money(payload["fund_total_fen"]),
    )
