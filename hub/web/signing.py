"""Who sent a message: HTTP message signatures (RFC 9421) with Ed25519, over everything that decides its meaning.

Knows which parts a signature must cover, how old it may be, and that it counts once.
Must not know routes, bodies or the database: keys are looked up by a function that it is given.
Sources: RFC 9421, RFC 9530; engineering guide section 6 (what the library accepts unless told); decision 0041.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureAlgorithm
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature
from http_message_signatures.resolvers import HTTPSignatureKeyResolver

from hub import vault
from hub.core.errors import NotAllowed
from hub.ports import Participant
from hub.web.errors import NotSigned

TAG = "offsite-care-hub"
"""Says what the signature is for, so that one made for another service is worth nothing here."""

MAX_AGE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=30)
NONCE_KEPT = timedelta(minutes=10)
"""Longer than a signature is believed, so that a nonce is never forgotten while its message could still be replayed."""

ALWAYS_COVERED: tuple[str, ...] = ("@method", "@authority", "@target-uri")
BODY_COVERED: tuple[str, ...] = ("content-digest", "content-type")
KEY_COVERED = "idempotency-key"

_NONCE = re.compile(r"[!-~]{16,128}", re.ASCII)


class KnownKey(Protocol):
    """A participant's public key as the look-up gives it: 32 raw bytes, the one algorithm it is for, and the member of
    staff who alone signs with it (None for the key of a system).
    """

    @property
    def participant(self) -> Participant: ...

    @property
    def public_key(self) -> bytes: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def holder(self) -> str | None: ...


KeyLookup = Callable[[str], KnownKey | None]
"""The key of an id, or None where it is unknown, not yet or no longer valid, or revoked."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a signature is checked against. `url` is absolute and encoded as sent; header names keep their lines."""

    method: str
    url: str
    headers: Headers
    body: bytes


class Headers:
    """Header lines in the form that the library reads."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = [(name, value) for name, value in lines]

    def items(self) -> list[tuple[str, str]]:
        return self._lines

    def has(self, name: str) -> bool:
        return any(line.lower() == name for line, _ in self._lines)


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified message: whose it is, and what tells it from every other."""

    key_id: str
    participant: Participant
    nonce: str
    digest: bytes
    created: datetime


def required_components(message: Message) -> tuple[str, ...]:
    """What must be covered: always the method and the whole address; the body with its type; the idempotency key.

    A header that is there but not covered could have been added on the way, so the key must be covered once it is sent.
    """
    required = ALWAYS_COVERED
    if message.body or message.method not in ("GET", "HEAD"):
        required += BODY_COVERED
    if message.headers.has(KEY_COVERED):
        required += (KEY_COVERED,)
    return required


def verify(message: Message, *, key_of: KeyLookup, at: datetime) -> Signed:
    """Check a message's one signature and say whose it is. Writes nothing.

    Raises NotSigned where it is missing, stale, made by an unknown or revoked key, covers too little, or does not fit.
    The nonce is only read here: whether it came before, the caller asks after this has succeeded.
    """
    if not message.headers.has("signature-input") or not message.headers.has("signature"):
        raise NotSigned(
            "signature_missing", "sign the message after RFC 9421: Signature-Input and Signature are missing"
        )
    resolver = _Resolver(key_of)
    verifier = _Verifier(signature_algorithm=Ed25519, key_resolver=resolver)
    verifier.at = at
    try:
        # Without expect_tag the library refuses more than one signature; the tag is compared below.
        (result,) = verifier.verify(
            message, max_age=MAX_AGE, require_components=required_components(message), body=message.body
        )
    except (HTTPMessageSignaturesException, NotAllowed) as fault:
        if resolver.failed is not None:
            raise resolver.failed from None
        raise NotSigned("signature_invalid", f"the signature was refused: {_words(fault)}") from None
    parameters = result.parameters
    if parameters.get("tag") != TAG:
        raise NotSigned("signature_tag", f'the signature\'s tag must be "{TAG}"')
    nonce = result.nonce
    if nonce is None or not _NONCE.fullmatch(nonce):
        raise NotSigned(
            "signature_nonce", "the signature needs a nonce of 16 to 128 printable characters, new each time"
        )
    known = resolver.found
    if known is None:
        raise NotSigned("signature_invalid", "the signature was refused")
    return Signed(
        key_id=str(parameters["keyid"]),
        participant=known.participant,
        nonce=nonce,
        digest=sha256(result.covered_components['"@signature-params"'].encode() + _signature(message)).digest(),
        created=datetime.fromtimestamp(int(parameters["created"]), tz=at.tzinfo),
    )


def _signature(message: Message) -> bytes:
    return b",".join(value.encode() for name, value in message.headers.items() if name.lower() == "signature")


def _words(fault: Exception) -> str:
    """The reason in one line; never what a wrapped error of another library quotes."""
    text = fault.message if isinstance(fault, NotAllowed) else str(fault)
    return text if text.isprintable() and len(text) <= 200 else "it does not fit the message"


class Ed25519(HTTPSignatureAlgorithm):
    """The library's interface over the vault, which alone knows keys. `public_key` is raw, `private_key` PEM."""

    algorithm_id = vault.SIGNATURE_ALGORITHM

    def __init__(self, public_key: bytes | None = None, private_key: bytes | None = None) -> None:
        self._public = public_key
        self._private = private_key

    def sign(self, message: bytes) -> bytes:
        if self._private is None:
            raise NotAllowed("signing_key", "there is no private key to sign with")
        return vault.sign(self._private, message)

    def verify(self, signature: bytes, message: bytes) -> None:
        if self._public is None or not vault.is_signed(self._public, signature=signature, message=message):
            raise InvalidSignature("it does not fit the message: was something changed after signing?")


class _Resolver(HTTPSignatureKeyResolver):
    """Looks the key up and remembers whose it is. The algorithm is the key's, whatever the message says.

    `failed` is why the look-up itself could not be made: the library would call that, too, a wrong signature.
    """

    def __init__(self, key_of: KeyLookup) -> None:
        self._key_of = key_of
        self.found: KnownKey | None = None
        self.failed: Exception | None = None

    def resolve_public_key(self, key_id: str) -> bytes | None:
        try:
            known = self._key_of(key_id) if len(key_id) <= 200 and key_id.isprintable() else None
        except Exception as fault:
            self.failed = fault
            raise
        if known is None or known.algorithm != Ed25519.algorithm_id:
            raise InvalidSignature("its key is unknown here, or not valid any more")
        self.found = known
        return known.public_key

    def resolve_private_key(self, key_id: str) -> Any:
        raise InvalidSignature(f"nothing is signed here for {key_id}")


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the hub's clock in place of the machine's."""

    at: datetime

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        created = self._moment(sig_input.params.get("created"), "created")
        if created > self.at + CLOCK_SKEW:
            raise InvalidSignature("it was made in the future: check the clock of the sending machine")
        if max_age is not None and created + max_age + CLOCK_SKEW < self.at:
            raise InvalidSignature("it is older than five minutes: sign each message when it is sent")
        if "expires" in sig_input.params and self._moment(sig_input.params["expires"], "expires") < self.at:
            raise InvalidSignature("it has expired")

    def _moment(self, seconds: Any, name: str) -> datetime:
        if type(seconds) is not int or not 0 <= seconds < 1 << 40:
            raise InvalidSignature(f'its parameter "{name}" must be a number of seconds')
        return datetime.fromtimestamp(seconds, tz=self.at.tzinfo)


# --- the other side: signing --------------------------------------------------------------------------------


class _OwnKey(HTTPSignatureKeyResolver):
    def __init__(self, private_pem: bytes) -> None:
        self._pem = private_pem

    def resolve_public_key(self, key_id: str) -> Any:
        raise InvalidSignature(f"no answer is checked here with {key_id}")

    def resolve_private_key(self, key_id: str) -> bytes:  # noqa: ARG002 - a client has one key.
        return self._pem


def sign(request: Any, *, key_id: str, private_pem: bytes, nonce: str, at: datetime, body: bytes = b"") -> None:
    """Sign a request in place, as `verify` asks for it.

    `request` has a method, an encoded absolute url and headers that can be set, as a prepared one of `requests` has.
    """
    names = {name.lower() for name in request.headers}
    covered = ALWAYS_COVERED
    if request.method not in ("GET", "HEAD"):
        covered += BODY_COVERED
    if KEY_COVERED in names:
        covered += (KEY_COVERED,)
    HTTPMessageSigner(signature_algorithm=Ed25519, key_resolver=_OwnKey(private_pem)).sign(
        request,
        key_id=key_id,
        created=at,
        nonce=nonce,
        tag=TAG,
        label="hub",
        covered_component_ids=covered,
        body=body if "content-digest" in covered else None,
    )
