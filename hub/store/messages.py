"""The shelves that make effects happen once: outbox, inbox, idempotency keys and periodic jobs.

Knows leases, keys and digests. Must not know what a message means.
Sources: design section 4 (invariant 5); engineering guide sections 3 and 5; decision 0023.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.errors import Conflict, Inconsistent
from hub.ports.records import Claim, Outgoing, StoredAnswer
from hub.vault import Vault


class Outbox:
    """Messages to deliver, queued in the transaction that causes them."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, *, topic: str, key: str, payload: Mapping[str, Any], due_at: datetime) -> None:
        self._connection.execute(
            text(
                """
                insert into outbox (topic, key, payload, due_at) values (:topic, :key, cast(:payload as jsonb), :due_at)
                on conflict do nothing
                """
            ),
            {
                "topic": topic,
                "key": key,
                "payload": json.dumps(payload, ensure_ascii=False, allow_nan=False),
                "due_at": due_at,
            },
        )

    def claim(self, *, limit: int, at: datetime, lease_seconds: int) -> Sequence[Outgoing]:
        # Materialized: as a plain subquery the planner may run it once per row, and claim more than the limit.
        rows = self._connection.execute(
            text(
                """
                with due as materialized (
                    select id from outbox
                    where delivered_at is null and not parked and due_at <= :at
                        and (leased_until is null or leased_until <= :at)
                    order by due_at, id limit :limit for update skip locked
                )
                update outbox set attempts = attempts + 1, leased_until = :until
                from due where outbox.id = due.id
                returning outbox.id, topic, payload, attempts, due_at
                """
            ),
            {"at": at, "until": at + timedelta(seconds=lease_seconds), "limit": limit},
        ).all()
        return [_outgoing(row) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]

    def get(self, message_id: str) -> Outgoing | None:
        row = self._connection.execute(
            text("select id, topic, payload, attempts from outbox where id = :id"), {"id": int(message_id)}
        ).one_or_none()
        return None if row is None else _outgoing(row)

    def delivered(self, message_id: str, *, at: datetime) -> None:
        self._connection.execute(
            text("update outbox set delivered_at = :at where id = :id and delivered_at is null"),
            {"id": int(message_id), "at": at},
        )

    def failed(self, message_id: str, *, error: str, due_at: datetime | None) -> None:
        self._connection.execute(
            text(
                """
                update outbox set leased_until = null, last_error = :error, due_at = coalesce(:due_at, due_at),
                    parked = cast(:due_at as timestamptz) is null
                where id = :id and delivered_at is null
                """
            ),
            {"id": int(message_id), "error": error[:500], "due_at": due_at},
        )

    def waiting(self) -> int:
        return int(
            self._connection.execute(
                text("select count(*) from outbox where delivered_at is null and not parked")
            ).scalar_one()
        )

    def parked(self, *, limit: int) -> Sequence[tuple[Outgoing, str]]:
        """Messages that wait for a person, each with its last error, the oldest first."""
        rows = self._connection.execute(
            text(
                """
                select id, topic, payload, attempts, last_error from outbox
                where delivered_at is null and parked order by id limit :limit
                """
            ),
            {"limit": limit},
        )
        return [(_outgoing(row), row.last_error) for row in rows]

    def unpark(self, message_id: str, *, due_at: datetime) -> bool:
        """Let a parked message be tried again, its attempts counted anew; False where it is not parked."""
        changed = self._connection.execute(
            text("update outbox set parked = false, attempts = 0, due_at = :due_at where id = :id and parked"),
            {"id": int(message_id), "due_at": due_at},
        )
        return bool(changed.rowcount)


def _outgoing(row: Row[Any]) -> Outgoing:
    return Outgoing(id=str(row.id), topic=row.topic, payload=row.payload, attempts=row.attempts)


class Inbox:
    """Which messages from outside came before."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def first_time(self, *, source: str, message_id: str, digest: str, at: datetime) -> bool:
        key = {"source": source, "message_id": message_id}
        added = self._connection.execute(
            text(
                """
                insert into inbox (source, message_id, digest, at) values (:source, :message_id, :digest, :at)
                on conflict do nothing
                """
            ),
            {**key, "digest": digest, "at": at},
        )
        if added.rowcount:
            return True
        before = self._connection.execute(
            text("select digest from inbox where source = :source and message_id = :message_id"), key
        ).scalar_one()
        if before != digest:
            raise Conflict("message_id_reused", f"message {message_id} from {source} came before with another content")
        return False


class Idempotency:
    """Keys of requests, and the answers given under them. Answers are sealed: they may name a patient."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def claim(self, *, participant: str, key: str, fingerprint: str, at: datetime, lease_seconds: int) -> Claim:
        facts = {
            "participant": participant,
            "key": key,
            "fingerprint": fingerprint,
            "at": at,
            "until": at + timedelta(seconds=lease_seconds),
        }
        while True:
            # Waits for a running insert of the same key; one of any number of callers gets the row.
            if self._connection.execute(_CLAIM, facts).rowcount:
                return Claim(ours=True, answer=None)
            if self._connection.execute(_TAKE_OVER, facts).rowcount:
                return Claim(ours=True, answer=None)
            known = self.look(participant=participant, key=key, fingerprint=fingerprint)
            if known is not None:
                return known
            # The row was there and was given back in between: ask for it again.

    def look(self, *, participant: str, key: str, fingerprint: str) -> Claim | None:
        row = self._connection.execute(
            text(
                """
                select fingerprint, status, body_sealed from idempotency
                where participant = :participant and key = :key
                """
            ),
            {"participant": participant, "key": key},
        ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise Conflict(
                "idempotency_key_reused", "this Idempotency-Key was used for another content: make a new key for it"
            )
        if row.status is None:
            return Claim(ours=False, answer=None)
        body = self._vault.open(row.body_sealed, table="idempotency", column="body", row=_row_id(participant, key))
        return Claim(ours=False, answer=StoredAnswer(status=row.status, body=body))

    def finish(self, *, participant: str, key: str, answer: StoredAnswer, at: datetime) -> None:
        """Raises Conflict where another runner took the key over and finished first: this effect must not stand."""
        finished = self._connection.execute(
            text(
                """
                update idempotency set status = :status, body_sealed = :body, finished_at = :at
                where participant = :participant and key = :key and status is null
                """
            ),
            {
                "participant": participant,
                "key": key,
                "status": answer.status,
                "body": self._vault.seal(
                    answer.body, table="idempotency", column="body", row=_row_id(participant, key)
                ),
                "at": at,
            },
        )
        if finished.rowcount:
            return
        known = self._connection.execute(
            text("select from idempotency where participant = :participant and key = :key"),
            {"participant": participant, "key": key},
        ).one_or_none()
        if known is None:
            raise Inconsistent("idempotency_not_claimed", "an answer is kept under a key that nobody claimed")
        raise Conflict("idempotency_finished", "another runner answered under this key first: ask again for its answer")

    def release(self, *, participant: str, key: str, leased_until: datetime) -> None:
        """The end of the lease tells whose claim it is: a taken-over key has another."""
        self._connection.execute(
            text(
                """
                delete from idempotency
                where participant = :participant and key = :key and status is null and leased_until = :until
                """
            ),
            {"participant": participant, "key": key, "until": leased_until},
        )


_CLAIM = text(
    """
    insert into idempotency (participant, key, fingerprint, leased_until)
    values (:participant, :key, :fingerprint, :until) on conflict do nothing
    """
)

_TAKE_OVER = text(
    """
    update idempotency set leased_until = :until
    where participant = :participant and key = :key and fingerprint = :fingerprint
        and status is null and leased_until <= :at
    """
)


def _row_id(participant: str, key: str) -> str:
    """The length keeps apart two pairs that would read alike."""
    return f"{len(participant)}:{participant}:{key}"


class Jobs:
    """Which run of a periodic job has been taken."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def claim(self, *, job: str, period: str, at: datetime) -> bool:
        added = self._connection.execute(
            text("insert into job_run (job, period, at) values (:job, :period, :at) on conflict do nothing"),
            {"job": job, "period": period, "at": at},
        )
        return bool(added.rowcount)
