"""Exactly once: one effect and one answer per message key.

Knows keys, fingerprints and stored answers; this is the one place that does.
Must not know what an errand does. Sources: engineering guide section 5; decision 0006.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from hub.actions.context import Hub, Keep
from hub.core.errors import Conflict, HubError
from hub.ports import HUB_SCOPE, UnitOfWork
from hub.ports.records import Claim, StoredAnswer

R = TypeVar("R")

LEASE_SECONDS = 60
"""How long a runner may take before its key may be run again by somebody else; longer than any region's deadline."""

WAIT_SECONDS = 10.0
"""How long a message waits for the first one with its key before it is told to come back."""

COPY_GRACE_SECONDS = 3.0
"""How long a copy to the letter waits for its original to take the key at all; the original of a copy that failed never
will, and a copy may be anybody's: it shall not hold a thread for long."""

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request's claim to run once.

    `fingerprint` is a digest of everything that was asked. `replay_only` marks a message seen before to the letter:
    it may learn the stored answer but never runs the errand.
    """

    participant: str
    key: str
    fingerprint: str
    replay_only: bool = False


def once(
    hub: Hub,
    ticket: Ticket,
    *,
    as_of: datetime,
    errand: Callable[[Keep[R]], R],
    render: Callable[[R], StoredAnswer],
    wait_seconds: float = WAIT_SECONDS,
) -> tuple[StoredAnswer, bool]:
    """Run an errand once per key and give its answer; True beside it where it was stored before.

    The answer commits in the errand's own last transaction. An errand that fails had no effect: its key is given back.
    Raises Conflict ``idempotency_key_reused`` for a key used with other content, and ``idempotency_still_running``
    where the first runner has not finished within `wait_seconds`, or where nobody ran what a copy repeats.
    """
    began = time.monotonic()
    while True:
        claim = _look(hub, ticket) if ticket.replay_only else _claim(hub, ticket, as_of)
        if claim is not None and claim.answer is not None:
            return claim.answer, True
        if claim is not None and claim.ours:
            return _run(hub, ticket, as_of=as_of, errand=errand, render=render)
        if time.monotonic() - began > (wait_seconds if claim is not None else COPY_GRACE_SECONDS):
            raise Conflict(
                "idempotency_still_running",
                "the first message with this Idempotency-Key has not been answered yet: ask again in a few seconds",
            )
        time.sleep(_POLL_SECONDS)


def _claim(hub: Hub, ticket: Ticket, as_of: datetime) -> Claim:
    with hub.store.begin(HUB_SCOPE) as uow:
        return uow.idempotency.claim(
            participant=ticket.participant,
            key=ticket.key,
            fingerprint=ticket.fingerprint,
            at=as_of,
            lease_seconds=LEASE_SECONDS,
        )


def _look(hub: Hub, ticket: Ticket) -> Claim | None:
    with hub.store.begin(HUB_SCOPE) as uow:
        return uow.idempotency.look(participant=ticket.participant, key=ticket.key, fingerprint=ticket.fingerprint)


def _run(
    hub: Hub,
    ticket: Ticket,
    *,
    as_of: datetime,
    errand: Callable[[Keep[R]], R],
    render: Callable[[R], StoredAnswer],
) -> tuple[StoredAnswer, bool]:
    """Run the errand under the claim; where somebody overtook it after its lease, the answer is the one that stands."""
    kept: list[StoredAnswer] = []

    def keep(uow: UnitOfWork, result: R) -> None:
        answer = render(result)
        uow.idempotency.finish(participant=ticket.participant, key=ticket.key, answer=answer, at=as_of)
        kept.append(answer)

    try:
        errand(keep)
    except BaseException as error:
        lease_end = as_of + timedelta(seconds=LEASE_SECONDS)
        with hub.store.begin(HUB_SCOPE) as uow:
            uow.idempotency.release(participant=ticket.participant, key=ticket.key, leased_until=lease_end)
        stands = _look(hub, ticket) if isinstance(error, HubError) else None
        if stands is not None and stands.answer is not None:
            return stands.answer, True
        raise
    return kept[-1], False
