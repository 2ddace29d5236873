"""The audit log: rows that are only ever added, and the chain of digests over them.

Knows how rows are chained and how a break is found. Must not know what the actions mean.
Sources: engineering guide section 7 (audit log) and section 8, case 31; decision 0024.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.vault import Vault

LOOK_BACK = 200_000
"""A row committed late has a smaller number than rows chained before it, but never by more than this many rows."""

_BATCH = 5_000
_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_ONE_AT_A_TIME = 0x6875620003
_HEAD_COLUMN = "audit_head.mark"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many rows it holds, and the digest of the last. Worth noting outside the database."""

    seq: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold; `audit_id` is None where no row is left to name."""

    seq: int
    audit_id: int | None
    why: str


class Audit:
    """Writes rows for everybody, chains and lists them for the hub."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def write(self, *, actor: str, action: str, subject: str, at: datetime, facts: Mapping[str, str]) -> None:
        self._connection.execute(
            text(
                """
                insert into audit (at, actor, action, subject, facts)
                values (:at, :actor, :action, :subject, cast(:facts as jsonb))
                """
            ),
            {
                "at": at,
                "actor": actor,
                "action": action,
                "subject": subject,
                "facts": json.dumps(dict(facts), ensure_ascii=False),
            },
        )

    def seal(self) -> int:
        """Chain committed rows that are not chained yet, by number and under a lock; gives how many."""
        self._connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
        start = last = head(self._connection)
        highest = self._connection.execute(text("select coalesce(max(audit_id), 0) from audit_link")).scalar_one()
        after = highest - LOOK_BACK
        while rows := self._connection.execute(_UNCHAINED, {"after": after, "limit": _BATCH}).all():
            last = self._chain(rows, last)
            after = rows[-1].id
        if last != start:
            self._connection.execute(
                text("update audit_head set seq = :seq, digest = :digest, mark = :mark"),
                {"seq": last.seq, "digest": last.digest, "mark": _mark(last, self._vault)},
            )
        return last.seq - start.seq

    def _chain(self, rows: Sequence[Row[Any]], last: Head) -> Head:
        links: list[tuple[int, int, bytes, bytes]] = []
        for row in rows:
            digest = _digest(last.digest, row)
            links.append((last.seq + 1, row.id, last.digest, digest))
            last = Head(last.seq + 1, digest)
        seqs, ids, before, digests = (list(column) for column in zip(*links, strict=True))
        self._connection.execute(
            text(
                """
                insert into audit_link (seq, audit_id, previous, digest)
                select * from unnest(
                    cast(:seqs as bigint[]), cast(:ids as bigint[]), cast(:before as bytea[]), cast(:digests as bytea[])
                )
                """
            ),
            {"seqs": seqs, "ids": ids, "before": before, "digests": digests},
        )
        return last


def head(connection: Connection) -> Head:
    """The end of the chain as the database tells it."""
    row = connection.execute(text("select seq, digest from audit_head")).one()
    return Head(row.seq, bytes(row.digest))


def verify_chain(connection: Connection, vault: Vault, *, noted: Head | None = None) -> Break | None:
    """Recompute the chain from its first row; gives the first break, None for a sound chain.

    Finds rows changed, deleted, exchanged or put in between, links removed from the end, and a head written without the
    vault's key. `noted` is a head noted outside earlier: with it, a whole older database put back is found as well.
    """
    last = Head(0, b"")
    while rows := connection.execute(_LINKS, {"after": last.seq, "limit": _BATCH}).all():
        for row in rows:
            why = _why_broken(row, last)
            if why:
                return Break(last.seq + 1, row.audit_id, why)
            last = Head(row.seq, bytes(row.digest))
            if noted is not None and noted.seq == last.seq and noted != last:
                return Break(last.seq, row.audit_id, "the chain is not the one whose head was noted")
    if noted is not None and noted.seq > last.seq:
        return Break(last.seq + 1, None, "the chain is shorter than when its head was noted")
    told = connection.execute(text("select seq, digest, mark from audit_head")).one_or_none()
    if told is None or Head(told.seq, bytes(told.digest)) != last:
        return Break(last.seq + 1, None, "links are missing at the end")
    if last.seq and not (told.mark and compare_digest(bytes(told.mark), _mark(last, vault))):
        return Break(last.seq, None, "the head was not written by the hub")
    stray = connection.execute(_NEVER_CHAINED, {"look_back": LOOK_BACK}).scalar_one_or_none()
    return None if stray is None else Break(last.seq + 1, stray, "the row was never chained")


def _why_broken(row: Row[Any], last: Head) -> str:
    if row.seq != last.seq + 1:
        return "a link is missing"
    if bytes(row.previous) != last.digest:
        return "the link does not follow the one before"
    if row.id is None:
        return "the row was deleted"
    if bytes(row.digest) != _digest(last.digest, row):
        return "the row was changed"
    return ""


def _digest(previous: bytes, row: Row[Any]) -> bytes:
    """SHA-256 over the digest before and the row as JSON with sorted keys, without blanks, the moment in UTC."""
    told = [row.id, row.at.astimezone(UTC).isoformat(timespec="microseconds"), row.actor, row.action, row.subject]
    return sha256(previous + _canonical([*told, row.facts]).encode("utf-8")).digest()


def _mark(end: Head, vault: Vault) -> bytes:
    """A keyed hash of the head: who can write the tables but has no key cannot cut the chain and say so."""
    return vault.blind_index(f"{end.seq}|{end.digest.hex()}", column=_HEAD_COLUMN)


_UNCHAINED = text(
    """
    select id, at, actor, action, subject, facts from audit
    where id > :after and not exists (select from audit_link where audit_link.audit_id = audit.id)
    order by id limit :limit
    """
)

_NEVER_CHAINED = text(
    """
    select min(id) from audit
    where id <= (select coalesce(max(audit_id), 0) from audit_link) - :look_back
        and not exists (select from audit_link where audit_link.audit_id = audit.id)
    """
)

_LINKS = text(
    """
    select link.seq, link.audit_id, link.previous, link.digest,
        audit.id, audit.at, audit.actor, audit.action, audit.subject, audit.facts
    from audit_link as link left join audit on audit.id = link.audit_id
    where link.seq > :after order by link.seq limit :limit
    """
)
