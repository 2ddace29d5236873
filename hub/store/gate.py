"""The gate of the shells: keys, nonces and the expiry of both, each question in a short transaction of its own.

Knows which shelf answers what a web request must know before anything else happens.
Must not know signatures or cookies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.ports import HUB_SCOPE, Participant
from hub.store.access import NonceUse
from hub.store.engine import SqlStore


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that counts at the moment asked for, with the participant that it belongs to."""

    participant: Participant
    public_key: bytes
    algorithm: str
    holder: str | None


class Keys:
    """Public keys by id."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def find(self, key_id: str, *, at: datetime) -> KnownKey | None:
        """None for an unknown, revoked, future or expired key."""
        with self._store.begin(HUB_SCOPE) as uow:
            key = uow.participants.key(key_id, at=at)
            participant = uow.participants.get(key.participant_id) if key else None
        if key is None or participant is None:
            return None
        return KnownKey(participant, key.public_key, key.algorithm, key.holder)


class Nonces:
    """Nonces of signed messages."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def use(self, key_id: str, nonce: str, *, signature_digest: bytes, expires_at: datetime) -> NonceUse:
        """Note a nonce; of any number of callers with the same one, exactly one is told that it is new."""
        with self._store.begin(HUB_SCOPE) as uow:
            return uow.participants.use_nonce(
                key_id=key_id, nonce=nonce, signature_digest=signature_digest, expires_at=expires_at
            )


class Gate:
    """Everything a shell asks before it lets a request in."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.keys = Keys(store)
        self.nonces = Nonces(store)

    def forget_expired(self, *, at: datetime) -> int:
        """Delete nonces and sessions whose time is over; gives how many."""
        with self._store.begin(HUB_SCOPE) as uow:
            return uow.participants.forget_nonces(at=at) + uow.sessions.forget_expired(at=at)
