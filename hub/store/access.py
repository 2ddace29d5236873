"""Who takes part and with which key, who may log in, who is logged in, and who is on a roster that the hub holds.

Knows these tables. Must not know HTTP, cookies, password hashing or how a signature is made.
Sources: engineering guide sections 6 (keys, nonces), 7 (sessions, lock-out); decision 0025.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.codes import IdentityNumber, InstitutionCode, InsuranceType, Region
from hub.core.decision import Coverage, InsuranceStatus, PersonGroup
from hub.core.errors import Conflict, NotAllowed
from hub.ports.records import Participant, Sight
from hub.store.scope import refusing
from hub.vault import Vault

# --- participants, their keys, the nonces they used ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParticipantKey:
    """A public key with which a participant signs; raw bytes of Ed25519.

    `holder` is the id of the member of staff who alone signs with it; None for the key of a system.
    """

    id: str
    participant_id: str
    public_key: bytes
    valid_from: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    algorithm: str = "ed25519"
    holder: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether a signature made at a moment counts; a revoked key counts for nothing, not even earlier."""
        begun = self.valid_from <= at
        return self.revoked_at is None and begun and (self.valid_until is None or at < self.valid_until)


class NonceUse(StrEnum):
    """What is known of a nonce: new; the same signed message once more; another message under a used nonce."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class Participants:
    """Hospitals, agencies and the hub itself, with their keys and the nonces of their messages."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, participant: Participant) -> None:
        """Raises Conflict where the id is taken."""
        added = self._connection.execute(
            text(
                """
                insert into participant (id, sight, region, institution, name)
                values (:id, :sight, :region, :institution, :name) on conflict (id) do nothing
                """
            ),
            {
                "id": participant.id,
                "sight": participant.sight.value,
                "region": participant.region.code if participant.region else None,
                "institution": participant.institution.code if participant.institution else None,
                "name": participant.name,
            },
        )
        if not added.rowcount:
            raise Conflict("participant_exists", f"there is a participant {participant.id} already")

    def get(self, participant_id: str) -> Participant | None:
        row = self._connection.execute(
            text(f"select {_PARTICIPANT_COLUMNS} from participant where id = :id"), {"id": participant_id}
        ).one_or_none()
        return None if row is None else _participant(row)

    def listed(self) -> Sequence[Participant]:
        """All that the scope sees, ordered by id."""
        rows = self._connection.execute(text(f"select {_PARTICIPANT_COLUMNS} from participant order by id"))
        return [_participant(row) for row in rows]

    def add_key(self, key: ParticipantKey) -> None:
        """Raises Conflict where the key id is taken, NotAllowed where the holder does not work at the participant."""
        stranger = NotAllowed("holder_unknown", f"the holder of key {key.id} does not work at {key.participant_id}")
        with refusing({"participant_key_holder": stranger}):
            added = self._connection.execute(
                text(
                    """
                    insert into participant_key (
                        id, participant_id, public_key, algorithm, valid_from, valid_until, holder
                    )
                    values (:id, :participant_id, :public_key, :algorithm, :valid_from, :valid_until, :holder)
                    on conflict (id) do nothing
                    """
                ),
                {
                    "id": key.id,
                    "participant_id": key.participant_id,
                    "public_key": key.public_key,
                    "algorithm": key.algorithm,
                    "valid_from": key.valid_from,
                    "valid_until": key.valid_until,
                    "holder": key.holder,
                },
            )
        if not added.rowcount:
            raise Conflict("key_exists", f"there is a key {key.id} already")

    def key(self, key_id: str, *, at: datetime) -> ParticipantKey | None:
        """The key that counts under an id at a moment; None for an unknown, revoked, future or expired one."""
        row = self._connection.execute(
            text(f"select {_KEY_COLUMNS} from participant_key where id = :id"), {"id": key_id}
        ).one_or_none()
        found = None if row is None else _key(row)
        return found if found is not None and found.holds(at) else None

    def keys(self, participant_id: str) -> Sequence[ParticipantKey]:
        """All keys of a participant, whatever their state, ordered by the moment they begin."""
        rows = self._connection.execute(
            text(f"select {_KEY_COLUMNS} from participant_key where participant_id = :id order by valid_from, id"),
            {"id": participant_id},
        )
        return [_key(row) for row in rows]

    def revoke_key(self, key_id: str, *, at: datetime) -> bool:
        """Takes effect at once; False where there is no such key or it was revoked before."""
        revoked = self._connection.execute(
            text("update participant_key set revoked_at = :at where id = :id and revoked_at is null"),
            {"id": key_id, "at": at},
        )
        return bool(revoked.rowcount)

    def use_nonce(self, *, key_id: str, nonce: str, signature_digest: bytes, expires_at: datetime) -> NonceUse:
        """Note a nonce, and tell whether it came before and then with which signature."""
        key = {"key_id": key_id, "nonce": nonce}
        added = self._connection.execute(
            text(
                """
                insert into nonce (key_id, nonce, signature_digest, expires_at)
                values (:key_id, :nonce, :digest, :expires_at) on conflict do nothing
                """
            ),
            {**key, "digest": signature_digest, "expires_at": expires_at},
        )
        if added.rowcount:
            return NonceUse.NEW
        before = self._connection.execute(
            text("select signature_digest from nonce where key_id = :key_id and nonce = :nonce"), key
        ).scalar_one_or_none()
        # Swept away in between: then it is too old for a signature that is young enough, and counts as another's.
        return NonceUse.SAME if before is not None and bytes(before) == signature_digest else NonceUse.OTHER

    def forget_nonces(self, *, at: datetime) -> int:
        """Delete nonces that expired before a moment; gives how many."""
        return self._connection.execute(text("delete from nonce where expires_at < :at"), {"at": at}).rowcount


_PARTICIPANT_COLUMNS = "id, sight, region, institution, name"
_KEY_COLUMNS = "id, participant_id, public_key, algorithm, valid_from, valid_until, revoked_at, holder"


def _participant(row: Row[Any]) -> Participant:
    return Participant(
        id=row.id,
        sight=Sight(row.sight),
        region=Region(row.region) if row.region else None,
        institution=InstitutionCode(row.institution) if row.institution else None,
        name=row.name,
    )


def _key(row: Row[Any]) -> ParticipantKey:
    return ParticipantKey(
        id=row.id,
        participant_id=row.participant_id,
        public_key=bytes(row.public_key),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        revoked_at=row.revoked_at,
        algorithm=row.algorithm,
        holder=row.holder,
    )


# --- staff and their sessions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person who works at a participant. `password_hash` is the hasher's own text."""

    id: str
    participant_id: str
    login: str
    name: str
    role: str
    password_hash: str = field(repr=False)
    failed_count: int = 0
    locked_until: datetime | None = None


class Staff:
    """Who may log in, and how often he failed to."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, member: StaffMember) -> None:
        """Raises Conflict where the login name is taken."""
        with refusing({"staff_login": Conflict("login_taken", f"the login name {member.login} is taken")}):
            self._connection.execute(
                text(
                    """
                    insert into staff (id, participant_id, login, name, role, password_hash)
                    values (:id, :participant_id, :login, :name, :role, :password_hash)
                    """
                ),
                {
                    "id": member.id,
                    "participant_id": member.participant_id,
                    "login": member.login,
                    "name": member.name,
                    "role": member.role,
                    "password_hash": member.password_hash,
                },
            )

    def by_login(self, login: str, *, lock: bool = False) -> StaffMember | None:
        """With `lock`, two attempts at one login wait for each other, so that none is left uncounted."""
        return self._one(f"where login = :key {'for update' if lock else ''}", login)

    def get(self, staff_id: str) -> StaffMember | None:
        return self._one("where id = :key", staff_id)

    def of(self, participant_id: str) -> Sequence[StaffMember]:
        """A participant's staff, ordered by login."""
        rows = self._connection.execute(
            text(f"select {_STAFF_COLUMNS} from staff where participant_id = :id order by login"),
            {"id": participant_id},
        )
        return [StaffMember(*row) for row in rows]

    def note_failure(self, staff_id: str, *, locked_until: datetime | None) -> None:
        self._connection.execute(
            text("update staff set failed_count = failed_count + 1, locked_until = :until where id = :id"),
            {"id": staff_id, "until": locked_until},
        )

    def note_success(self, staff_id: str) -> None:
        self._connection.execute(
            text("update staff set failed_count = 0, locked_until = null where id = :id"), {"id": staff_id}
        )

    def set_password(self, staff_id: str, *, password_hash: str) -> None:
        """Also ends every session of this member."""
        self._connection.execute(
            text("update staff set password_hash = :hash, failed_count = 0, locked_until = null where id = :id"),
            {"id": staff_id, "hash": password_hash},
        )
        self._end_sessions(staff_id)

    def set_role(self, staff_id: str, *, role: str) -> None:
        """Also ends every session of this member: changed rights act at once."""
        self._connection.execute(text("update staff set role = :role where id = :id"), {"id": staff_id, "role": role})
        self._end_sessions(staff_id)

    def _end_sessions(self, staff_id: str) -> None:
        self._connection.execute(text("delete from web_session where staff_id = :id"), {"id": staff_id})

    def _one(self, where: str, key: str) -> StaffMember | None:
        row = self._connection.execute(text(f"select {_STAFF_COLUMNS} from staff {where}"), {"key": key}).one_or_none()
        return None if row is None else StaffMember(*row)


_STAFF_COLUMNS = "id, participant_id, login, name, role, password_hash, failed_count, locked_until"


@dataclass(frozen=True, slots=True)
class WebSession:
    """A server-side session. `token_digest` is a hash of the cookie's token, so that the table opens no session."""

    token_digest: bytes
    data: str = field(repr=False)
    staff_id: str | None
    created_at: datetime
    expires_at: datetime


class WebSessions:
    """Sessions of pages; their data is sealed, since a patient's draft holds his name and number."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def put(self, session: WebSession) -> None:
        """Keep a session, or the new data and end of one that is kept; owner and start of a session never change."""
        self._connection.execute(
            text(
                """
                insert into web_session (token_digest, data, staff_id, created_at, expires_at)
                values (:digest, :data, :staff_id, :created_at, :expires_at)
                on conflict (token_digest) do update set data = excluded.data, expires_at = excluded.expires_at
                """
            ),
            {
                "digest": session.token_digest,
                "data": self._vault.seal(
                    session.data, table="web_session", column="data", row=session.token_digest.hex()
                ),
                "staff_id": session.staff_id,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
            },
        )

    def get(self, token_digest: bytes, *, at: datetime) -> WebSession | None:
        """A session that has not expired at a moment."""
        row = self._connection.execute(
            text(
                """
                select data, staff_id, created_at, expires_at from web_session
                where token_digest = :digest and expires_at > :at
                """
            ),
            {"digest": token_digest, "at": at},
        ).one_or_none()
        if row is None:
            return None
        data = self._vault.open(row.data, table="web_session", column="data", row=token_digest.hex())
        return WebSession(token_digest, data, row.staff_id, row.created_at, row.expires_at)

    def end(self, token_digest: bytes) -> None:
        self._connection.execute(text("delete from web_session where token_digest = :digest"), {"digest": token_digest})

    def forget_expired(self, *, at: datetime) -> int:
        """Delete sessions that expired before a moment; gives how many."""
        return self._connection.execute(text("delete from web_session where expires_at <= :at"), {"at": at}).rowcount


# --- the roster of a region whose policy the hub holds ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person insured in a region, as the region tells it."""

    region: Region
    identity: IdentityNumber
    name: str
    status: InsuranceStatus
    insurance_type: InsuranceType
    group: PersonGroup
    membership_years: int


class RosterShelf:
    """The rosters; found by keyed hashes of number and name together."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def put(self, rows: Iterable[RosterRow]) -> None:
        """Add persons, or replace what is known of them."""
        told = [self._sealed(row) for row in rows]
        if told:
            self._connection.execute(_PUT_ROSTER, told)

    def find(self, region: Region, *, identity: IdentityNumber, name: str) -> Coverage | None:
        """None where the region does not know the number, or knows it under another name."""
        row = self._connection.execute(
            text(
                """
                select status, insurance_type, person_group, membership_years from roster
                where region = :region and identity_index = :identity_index and name_index = :name_index
                """
            ),
            {
                "region": region.code,
                "identity_index": self._vault.blind_index(identity.number, column="roster.identity"),
                "name_index": self._vault.blind_index(name, column="roster.name"),
            },
        ).one_or_none()
        if row is None:
            return None
        return Coverage(
            insuring_region=region,
            status=InsuranceStatus(row.status),
            insurance_type=InsuranceType(row.insurance_type),
            group=PersonGroup(row.person_group),
            membership_years=row.membership_years,
        )

    def _sealed(self, row: RosterRow) -> dict[str, Any]:
        index = self._vault.blind_index(row.identity.number, column="roster.identity")
        place = f"{row.region}:{index.hex()}"
        return {
            "region": row.region.code,
            "identity_index": index,
            "name_index": self._vault.blind_index(row.name, column="roster.name"),
            "name_sealed": self._vault.seal(row.name, table="roster", column="name", row=place),
            "identity_sealed": self._vault.seal(row.identity.number, table="roster", column="identity", row=place),
            "status": row.status.value,
            "insurance_type": row.insurance_type.value,
            "person_group": row.group.value,
            "membership_years": row.membership_years,
        }


_PUT_ROSTER = text(
    """
    insert into roster (
        region, identity_index, name_index, name_sealed, identity_sealed, status, insurance_type, person_group,
        membership_years
    ) values (
        :region, :identity_index, :name_index, :name_sealed, :identity_sealed, :status, :insurance_type, :person_group,
        :membership_years
    )
    on conflict (region, identity_index) do update set name_index = excluded.name_index,
        name_sealed = excluded.name_sealed, identity_sealed = excluded.identity_sealed, status = excluded.status,
        insurance_type = excluded.insurance_type, person_group = excluded.person_group,
        membership_years = excluded.membership_years
    """
)
