"""Sealing, blind look-up and signatures: the only importer of `cryptography`.

Knows keys, how a value is sealed to its place, and that unknown keys, versions and algorithms are refused.
Must not know tables or what a value means; where wrapped data keys are kept, its source knows.
Sources: engineering guide section 6 (envelope, place as additional data, keyed index); decision 0020.
"""

# ruff: noqa: TID251 - this is the one place that may.

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hub.core.errors import Inconsistent, NotAllowed

SEALED_VERSION = 1
"""First byte of a sealed value: AES-256-GCM, 8 bytes of data key id, 12 bytes of nonce, then ciphertext and tag."""

SIGNATURE_ALGORITHM = "ed25519"

_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD_BYTES = 1 + _ID_BYTES + _NONCE_BYTES
_TAG_BYTES = 16


# --- the key file: keys that never enter the database ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key-encryption keys by id; the first wraps, all unwrap, so that an old one can be replaced in two steps."""

    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise NotAllowed("vault_keys", "the vault's key file holds no key")
        for key_id, key in self.keys.items():
            if not key_id or len(key) != _KEY_BYTES:
                raise NotAllowed("vault_keys", f"the vault key {key_id!r} must have an id and {_KEY_BYTES} bytes")

    @property
    def current(self) -> str:
        return next(iter(self.keys))


def create_key_file(path: Path) -> None:
    """Make a key file with one fresh key, readable by its owner only. Raises FileExistsError if there is one.

    It appears whole or not at all: two processes that make it at once never read half a file or two different ones.
    """
    key_id = f"kek-{secrets.token_hex(4)}"
    content = json.dumps({key_id: base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")}, indent=1)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()


def read_key_file(path: Path) -> KeyRing:
    """Read a JSON object of key id -> base64 of 32 bytes; the first key is the current one.

    Raises NotAllowed if the file is missing or malformed; its content is never quoted.
    """
    try:
        pairs = json.loads(path.read_text(encoding="ascii"), object_pairs_hook=list)
        keys = {str(key_id): base64.b64decode(text, validate=True) for key_id, text in pairs}
    except FileNotFoundError:
        raise NotAllowed("vault_keys", f"there is no key file {path.name}: a new one would open nothing") from None
    except (ValueError, TypeError, binascii.Error):
        raise NotAllowed("vault_keys", f"{path.name} is not a JSON object of key id and base64") from None
    if len(keys) != len(pairs):
        raise NotAllowed("vault_keys", f"{path.name} names a key twice")
    return KeyRing(keys)


# --- the envelope --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it: sealed by a key of the key file. `purpose` is ``seal`` or ``index``."""

    id: str
    purpose: str
    kek_id: str
    wrapped: bytes


class DataKeySource(Protocol):
    """Where wrapped data keys are kept."""

    def load(self) -> Sequence[WrappedKey]:
        """All of them, the oldest first."""
        ...

    def found(self, first: Sequence[WrappedKey]) -> Sequence[WrappedKey]:
        """Keep these as the first keys, unless there are some already; give what is kept then."""
        ...


class Vault:
    """Seals texts to their place, opens them there only, and makes keyed hashes to find them by.

    Data keys are fetched from the source at first use and again when a value names one that is not known yet.
    """

    def __init__(self, ring: KeyRing, source: DataKeySource) -> None:
        self._ring = ring
        self._source = source
        self._lock = Lock()
        self._ciphers: dict[str, AESGCM] = {}
        self._current = ""
        self._index_key = b""
        self._column_keys: dict[str, bytes] = {}

    def prepare(self) -> None:
        """Fetch the data keys if that has not happened yet; a store calls this before it opens a transaction."""
        if not self._current:
            self._fetch()

    def seal(self, text: str, *, table: str, column: str, row: str) -> bytes:
        """Encrypt a text for one place. The same text sealed twice differs."""
        self.prepare()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = bytes([SEALED_VERSION]) + bytes.fromhex(self._current) + nonce
        place = _place(table, column, row)
        return head + self._ciphers[self._current].encrypt(nonce, text.encode("utf-8"), place)

    def open(self, blob: bytes, *, table: str, column: str, row: str) -> str:
        """Decrypt what was sealed for this place.

        Raises Inconsistent if it was changed, moved from another place, or names an unknown version or key.
        """
        blob = bytes(blob)
        if len(blob) < _HEAD_BYTES + _TAG_BYTES or blob[0] != SEALED_VERSION:
            raise Inconsistent("sealed_version", f"{table}.{column} of {row} is not sealed in a known way")
        cipher = self._cipher(blob[1 : 1 + _ID_BYTES].hex(), what=f"{table}.{column} of {row}")
        nonce = blob[1 + _ID_BYTES : _HEAD_BYTES]
        try:
            return cipher.decrypt(nonce, blob[_HEAD_BYTES:], _place(table, column, row)).decode("utf-8")
        except InvalidTag:
            raise Inconsistent("sealed_broken", f"{table}.{column} of {row} was changed or moved") from None

    def blind_index(self, text: str, *, column: str) -> bytes:
        """A keyed hash (HMAC-SHA-256) of a text, by which a sealed column is searched; each column has its own key."""
        self.prepare()
        key = self._column_keys.get(column)
        if key is None:
            key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"blind index|" + column.encode()).derive(self._index_key)
            self._column_keys[column] = key
        return hmac.digest(key, text.encode("utf-8"), sha256)

    def new_data_key(self, purpose: str = "seal") -> WrappedKey:
        """A fresh data key, wrapped by the current key of the key file."""
        return self._wrap(secrets.token_hex(_ID_BYTES), purpose, secrets.token_bytes(_KEY_BYTES))

    def rewrapped(self, key: WrappedKey) -> WrappedKey:
        """The same data key under the current key of the key file; sealed values stay as they are."""
        return self._wrap(key.id, key.purpose, self._unwrap(key))

    def _cipher(self, key_id: str, *, what: str) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            self._fetch()
            cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Inconsistent("data_key_unknown", f"{what} is sealed with a data key that is not kept: {key_id}")
        return cipher

    def _fetch(self) -> None:
        with self._lock:
            kept = self._source.load()
            if not kept:
                kept = self._source.found([self.new_data_key("index"), self.new_data_key("seal")])
            current = ""
            for one in kept:
                key = self._unwrap(one)
                if one.purpose == "index":
                    self._index_key = key
                else:
                    self._ciphers[one.id] = AESGCM(key)
                    current = one.id
            if not current or not self._index_key:
                raise Inconsistent("data_keys", "the database keeps no data key to seal with, or none to index with")
            # Set last: other threads take it as the sign that everything else is there.
            self._current = current

    def _wrap(self, key_id: str, purpose: str, key: bytes) -> WrappedKey:
        kek_id = self._ring.current
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._ring.keys[kek_id]).encrypt(nonce, key, _wrapping_place(key_id, purpose, kek_id))
        return WrappedKey(key_id, purpose, kek_id, nonce + sealed)

    def _unwrap(self, one: WrappedKey) -> bytes:
        kek = self._ring.keys.get(one.kek_id)
        if kek is None:
            raise Inconsistent("kek_unknown", f"data key {one.id} is wrapped by {one.kek_id}, not in the key file")
        place = _wrapping_place(one.id, one.purpose, one.kek_id)
        try:
            return AESGCM(kek).decrypt(one.wrapped[:_NONCE_BYTES], one.wrapped[_NONCE_BYTES:], place)
        except InvalidTag:
            raise Inconsistent("data_key_broken", f"data key {one.id} was changed or is another file's") from None


def _place(table: str, column: str, row: str) -> bytes:
    """The row comes last and alone may hold a stroke, so that two places never read alike."""
    if "|" in table or "|" in column:
        raise Inconsistent("sealed_place", f"no stroke in a table or column name: {table}, {column}")
    return f"{table}|{column}|{row}".encode()


def _wrapping_place(key_id: str, purpose: str, kek_id: str) -> bytes:
    return f"data_key|{key_id}|{purpose}|{kek_id}".encode()


# --- signatures ----------------------------------------------------------------------------------------------------


def generate_signing_key() -> bytes:
    """A fresh Ed25519 private key as PEM (PKCS 8, not encrypted): for a file that only its owner reads."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_key_bytes(private_pem: bytes) -> bytes:
    """The 32 raw bytes of the public key that belongs to a private key."""
    return _private_key(private_pem).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_key_pem(public_key: bytes) -> bytes:
    """The PEM form of a raw public key, as libraries for signed messages ask for it."""
    return _public_key(public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(private_pem: bytes, message: bytes) -> bytes:
    """The Ed25519 signature, 64 bytes."""
    return _private_key(private_pem).sign(message)


def is_signed(public_key: bytes, *, signature: bytes, message: bytes, algorithm: str = SIGNATURE_ALGORITHM) -> bool:
    """Whether a signature of a message fits a raw public key. Raises NotAllowed for an unknown algorithm."""
    if algorithm != SIGNATURE_ALGORITHM:
        raise NotAllowed("signature_algorithm", f"signatures are {SIGNATURE_ALGORITHM}, not {algorithm[:20]!r}")
    try:
        _public_key(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _private_key(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise NotAllowed("signing_key", "the signing key is not an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotAllowed("signing_key", "the signing key is not an Ed25519 key")
    return key


def _public_key(raw: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes(raw))
    except ValueError:
        raise NotAllowed("public_key", "an Ed25519 public key has 32 bytes") from None
