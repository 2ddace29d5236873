"""Who is looking at the pages: sessions kept in the database, sign-in of staff, proof of a patient.

Knows the cookie, its row, idle and absolute ends, and the lock after wrong passwords.
Must not know any page. Sources: engineering guide section 7 and section 8 rows 16 and 17; decision 0050.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

import flask
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from hub.ports import HUB_SCOPE, Participant

IDLE = timedelta(minutes=30)
"""A session without a request for this long is over: a patient needs minutes for a page, an officer has a pause."""

LONGEST = timedelta(hours=10)
"""No session outlives a working day."""

TOUCH = timedelta(minutes=2)
"""The idle end is moved on at most this often, so that reading pages does not write at every click."""

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)

WITHOUT_SESSION = ("/assets/", "/v1/", "/health/")
"""Addresses that are the same for everybody, or signed: no session is looked up for them."""

_TOKEN_BYTES = 32


class StaffRecord(Protocol):
    """What sign-in reads of a member of staff."""

    @property
    def id(self) -> str: ...
    @property
    def participant_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def password_hash(self) -> str: ...
    @property
    def failed_count(self) -> int: ...
    @property
    def locked_until(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the store keeps it; the store seals `data`, and knows a token only by its digest."""

    token_digest: bytes
    data: str = field(repr=False)
    staff_id: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, for whom he works and what he may do; `actor` is the name in records and the audit log."""

    staff_id: str
    name: str
    role: str
    participant: Participant

    @property
    def actor(self) -> str:
        return f"staff:{self.staff_id}"


# --- the session of one request ----------------------------------------------------------------------------------


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """A session's values; `token` is empty until it is first kept, `renewed` asks for a new token."""

    def __init__(
        self, values: Mapping[str, Any] | None = None, *, token: str = "", row: SessionRow | None = None
    ) -> None:
        def touched(changed: ServerSession) -> None:
            changed.modified = True

        super().__init__(values or {}, cast(Any, touched))
        self.token = token
        self.row = row
        self.modified = False
        self.accessed = True
        self.renewed = False

    def renew(self) -> None:
        """Ask for a new token: whoever knew the old one knows nothing from now on."""
        self.renewed = True
        self.modified = True


class ServerSessions(SessionInterface):
    """Sessions as rows: the cookie holds 256 random bits, the database their SHA-256 and the sealed values."""

    def __init__(self, *, store: Any, now: Callable[[], datetime], secure: bool) -> None:
        self._store = store
        self._now = now
        self._secure = secure
        # The prefix makes browsers refuse the cookie from another host or without TLS.
        self.cookie = "__Host-hub" if secure else "hub-session"

    def open_session(self, app: flask.Flask, request: flask.Request) -> ServerSession:  # noqa: ARG002 - Flask's signature.
        """The session of the cookie; a fresh empty one where there is none or it is over."""
        token = request.cookies.get(self.cookie, "")
        if not token or request.path.startswith(WITHOUT_SESSION):
            return ServerSession()
        now = self._now()
        with self._store.begin(HUB_SCOPE) as uow:
            row = uow.sessions.get(digest_of(token), at=now)
        if row is None or now >= row.created_at + LONGEST:
            return ServerSession()
        return ServerSession(json.loads(row.data), token=token, row=row)

    def save_session(self, app: flask.Flask, session: SessionMixin, response: flask.Response) -> None:  # noqa: ARG002
        """Keep what changed; an emptied session loses its row and its cookie."""
        held = cast(ServerSession, session)
        if not held:
            if held.token:
                self._end(held.token)
                response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
            return
        response.vary.add("Cookie")
        now = self._now()
        created = now if held.row is None or held.renewed else held.row.created_at
        expires = min(now + IDLE, created + LONGEST)
        due = held.row is None or expires - held.row.expires_at >= TOUCH
        if not (held.modified or due):
            return
        token = held.token
        if held.renewed and token:
            self._end(token)
        if held.renewed or not token:
            token = secrets.token_urlsafe(_TOKEN_BYTES)
            response.set_cookie(self.cookie, token, path="/", secure=self._secure, httponly=True, samesite="Lax")
        data = json.dumps(dict(held), ensure_ascii=False)
        with self._store.begin(HUB_SCOPE) as uow:
            # Signed out elsewhere or by a new password meanwhile: then this request must not bring the row back.
            if token == held.token and uow.sessions.get(digest_of(token), at=now) is None:
                return
            uow.sessions.put(SessionRow(digest_of(token), data, held.get(_STAFF), created, expires))

    def _end(self, token: str) -> None:
        with self._store.begin(HUB_SCOPE) as uow:
            uow.sessions.end(digest_of(token))


def digest_of(token: str) -> bytes:
    """What the database knows of a token: whoever reads the table cannot sign in with it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def current() -> ServerSession:
    """The session of this request."""
    return cast(ServerSession, flask.session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001


# --- staff -------------------------------------------------------------------------------------------------------

_STAFF = "staff"
_PASSWORD = "password_mark"  # noqa: S105 - the name of a session value.
_PROVED = "proved"

_hasher = PasswordHasher()
_HASH_OF_NOBODY = _hasher.hash(secrets.token_urlsafe(_TOKEN_BYTES))
"""Checked where nobody has the login, so that an unknown login takes as long as a wrong password."""


def hash_password(password: str) -> str:
    """The text under which a password is kept (argon2id)."""
    return _hasher.hash(password)


def sign_in(store: Any, *, login: str, password: str, now: datetime) -> bool:
    """Check a password and begin a fresh session; False where login or password is wrong, or the login is locked.

    The three look alike from outside and take one hash each. The fifth failure in a row locks the login for a quarter
    of an hour; the right password counts for nothing until then.
    """
    with store.begin(HUB_SCOPE) as uow:
        known: StaffRecord | None = uow.staff.by_login(login, lock=True)
        fits = _fits(_HASH_OF_NOBODY if known is None else known.password_hash, password)
        if known is None or (known.locked_until is not None and now < known.locked_until):
            return False
        if not fits:
            locked = known.failed_count + 1 >= MOST_FAILURES
            uow.staff.note_failure(known.id, locked_until=now + LOCKED_FOR if locked else None)
            return False
        uow.staff.note_success(known.id)
    session = current()
    session.clear()
    session.renew()
    session[_STAFF] = known.id
    session[_PASSWORD] = _mark(known.password_hash)
    flask.g.pop("signed_in", None)
    return True


def sign_out() -> None:
    """End the session: its row goes, and the cookie opens nothing any more."""
    flask.session.clear()
    flask.g.pop("signed_in", None)


def signed_in() -> SignedIn | None:
    """Who is signed in. His row is read once per request: a changed role or password acts at once."""
    if "signed_in" not in flask.g:
        flask.g.signed_in = _read_staff()
    return cast(SignedIn | None, flask.g.signed_in)


def _read_staff() -> SignedIn | None:
    staff_id = flask.session.get(_STAFF)
    if not staff_id:
        return None
    with flask.current_app.extensions["hub"].store.begin(HUB_SCOPE) as uow:
        known: StaffRecord | None = uow.staff.get(staff_id)
        participant = None if known is None else uow.participants.get(known.participant_id)
    same = known is not None and hmac.compare_digest(_mark(known.password_hash), flask.session.get(_PASSWORD, ""))
    if known is None or participant is None or not same:
        flask.session.clear()
        return None
    return SignedIn(known.id, known.name, known.role, participant)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _mark(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()[:32]


# --- patients ----------------------------------------------------------------------------------------------------


def prove(registration_id: str, person_id: str) -> None:
    """Remember that this session's patient showed both proofs for a registration; the session gets a new token."""
    current().renew()
    flask.session[_PROVED] = [registration_id, person_id]


def proved_registration() -> tuple[str, str] | None:
    """The registration that this session may see, and the person it belongs to."""
    found = flask.session.get(_PROVED)
    return (found[0], found[1]) if found else None


def forget_proof() -> None:
    """Show the registration no longer; for the end of a visit on a borrowed phone."""
    flask.session.pop(_PROVED, None)
