"""What stands before every route: a signature of a participant who may, or a stated reason why nobody is asked.

Knows the order of the checks: signature, role, ownership of what the body names, rate, nonce. Nothing is written
before all but the nonce have passed. Must not know what a route does.
Sources: ASVS 8.2; attack table rows 2 to 5; decision 0044.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import flask
import structlog

from hub.ports import Participant, Sight
from hub.web import limits, signing
from hub.web.errors import Malformed, NotSigned, NotYours
from hub.web.parser import body_json

View = TypeVar("View", bound=Callable[..., Any])

Owner = Callable[[Participant, dict[str, Any]], bool]
"""Whether what a body names belongs to the sender."""

SECURITY_SCHEME = "messageSignature"

_IDEMPOTENCY_KEY = re.compile(r"[!-~]{8,128}", re.ASCII)

_log = structlog.get_logger("hub.web")


@dataclass(frozen=True, slots=True)
class Guard:
    """How a route is guarded: by whom it may be used, or why anybody may (`reason` is empty for signed routes)."""

    sights: frozenset[Sight]
    writes: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified sender of the request at hand. `replayed` marks a message that came before to the letter.

    `holder` is the member of staff who alone signs with the key; None for the key of a system.
    """

    participant: Participant
    key_id: str
    replayed: bool
    idempotency_key: str
    as_of: datetime
    holder: str | None

    @property
    def person(self) -> str:
        """Who did it, where a rule asks for two people: the same name as when he is signed in at the pages.

        Raises NotYours for the key of a system: behind it stands anybody, or nobody.
        """
        if self.holder is None:
            raise NotYours(
                "key_without_holder",
                "this needs a person: sign with a key that the operator registered for one member of your staff",
            )
        return f"staff:{self.holder}"


def guard_of(view: Callable[..., Any]) -> Guard | None:
    """The guard of a view function as it stands in the application; None for one that was forgotten."""
    return getattr(view, "hub_guard", None)


def public(reason: str) -> Callable[[View], View]:
    """Declare that a route asks nobody who he is, and why that is right."""
    if not reason:
        raise ValueError("say why the route is public")

    def decorate(view: View) -> View:
        view.hub_guard = Guard(frozenset(), writes=False, reason=reason)  # type: ignore[attr-defined]
        return view

    return decorate


def signed(*sights: Sight, writes: bool = False, owner: Owner | None = None) -> Callable[[View], View]:
    """Let only participants of these kinds through, with a valid signature.

    `writes` asks for an Idempotency-Key. `owner` sees the body before anything is written: what it refuses is 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                flask.g.caller = _admit(frozenset(sights), writes=writes, owner=owner)
            except (NotSigned, NotYours) as fault:
                _log.warning("access_denied", reason=fault.code, key_id=flask.g.get("key_id"), route=_route())
                if isinstance(fault, NotSigned):
                    limits.count_failure()
                raise
            return view(*args, **kwargs)

        guarded.hub_guard = Guard(frozenset(sights), writes=writes, reason="")  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def caller() -> Caller:
    """The sender of the request at hand, behind a `signed` route."""
    found: Caller = flask.g.caller
    return found


def own_institution(participant: Participant, body: dict[str, Any]) -> bool:
    """The body's `institution` is the sender itself."""
    return participant.institution is not None and body.get("institution") == participant.institution.code


def own_side(participant: Participant, body: dict[str, Any]) -> bool:
    """An agency files for its own insured persons; a hospital for stays in, or referrals from, its own city."""
    if participant.region is None:
        return False
    if participant.sight is Sight.REGION:
        return body.get("insuring_region") == participant.region.code
    sides = (body.get("insuring_region"), body.get("care_region"))
    return any(isinstance(side, str) and side.startswith(participant.region.city) for side in sides)


def _admit(sights: frozenset[Sight], *, writes: bool, owner: Owner | None) -> Caller:
    hub_app = flask.current_app.extensions["hub"]
    access = hub_app.access
    at = flask.g.as_of
    message = _message(hub_app.settings)

    def key_of(key_id: str) -> signing.KnownKey | None:
        flask.g.key_id = key_id
        found: signing.KnownKey | None = access.keys.find(key_id, at=at)
        flask.g.key_holder = None if found is None else found.holder
        return found

    found = signing.verify(message, key_of=key_of, at=at)
    flask.g.participant_id = found.participant.id
    if found.participant.sight not in sights:
        raise NotYours("role_not_allowed", f"this address serves: {', '.join(sorted(sights))}")
    key = _idempotency_key() if writes else ""
    if owner is not None:
        body = body_json(flask.request)
        if not isinstance(body, dict):
            raise Malformed("json_not_object", "the body must be one JSON object")
        if not owner(found.participant, body):
            raise NotYours("not_the_sender", "the message names an institution or a region that is not the sender's")
    limits.check_participant(found.participant.id)
    seen = access.nonces.use(
        found.key_id, found.nonce, signature_digest=found.digest, expires_at=at + signing.NONCE_KEPT
    )
    if seen == "other" or (seen == "same" and not writes):
        raise NotSigned("nonce_reused", "this message was sent before: make a new nonce and a new signature")
    return Caller(
        found.participant,
        found.key_id,
        replayed=seen == "same",
        idempotency_key=key,
        as_of=at,
        holder=flask.g.key_holder,
    )


def _idempotency_key() -> str:
    key = flask.request.headers.get("Idempotency-Key", "")
    if not key:
        raise Malformed(
            "idempotency_key_missing",
            "send the header Idempotency-Key: a key of your own for each thing to be done, the same when you try again",
        )
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Malformed("idempotency_key_malformed", "an Idempotency-Key has 8 to 128 printable ASCII characters")
    return key


def _message(settings: Any) -> signing.Message:
    """The request as it was signed: the address as sent, under the name that the outside knows in production."""
    request = flask.request
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if not target.startswith("/"):
        raise NotSigned("signature_invalid", "send the request with a path, not with a whole address")
    origin = settings.public_url if settings.production else request.host_url.rstrip("/")
    return signing.Message(
        method=request.method,
        url=origin + target,
        headers=signing.Headers(request.headers.items()),
        body=request.get_data(cache=True),
    )


def _route() -> str:
    return flask.request.url_rule.rule if flask.request.url_rule else ""


__all__ = [
    "SECURITY_SCHEME",
    "Caller",
    "Guard",
    "caller",
    "guard_of",
    "own_institution",
    "own_side",
    "public",
    "signed",
]
