"""Ed25519 signatures, against the test vectors of RFC 8032 section 7.1."""

from __future__ import annotations

import pytest

from hub.core.errors import NotAllowed
from hub.vault import generate_signing_key, is_signed, public_key_bytes, public_key_pem, sign

RFC_8032_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_8032_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_vector_of_the_rfc_verifies():
    assert is_signed(RFC_8032_PUBLIC, signature=RFC_8032_SIGNATURE, message=b"\x72")


def test_a_changed_message_does_not_verify():
    assert not is_signed(RFC_8032_PUBLIC, signature=RFC_8032_SIGNATURE, message=b"\x73")


def test_what_was_signed_verifies_with_the_public_key():
    private = generate_signing_key()

    signature = sign(private, b"message")

    assert is_signed(public_key_bytes(private), signature=signature, message=b"message")


def test_another_key_does_not_verify():
    signature = sign(generate_signing_key(), b"message")

    assert not is_signed(public_key_bytes(generate_signing_key()), signature=signature, message=b"message")


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(NotAllowed, match="rsa"):
        is_signed(RFC_8032_PUBLIC, signature=RFC_8032_SIGNATURE, message=b"\x72", algorithm="rsa")


@pytest.mark.parametrize("raw", [b"", b"short", b"k" * 33])
def test_a_public_key_of_another_length_is_refused(raw):
    with pytest.raises(NotAllowed, match="32 bytes"):
        is_signed(raw, signature=RFC_8032_SIGNATURE, message=b"")


@pytest.mark.parametrize("pem", [b"", b"not a key", public_key_pem(RFC_8032_PUBLIC)])
def test_what_is_no_private_key_is_refused(pem):
    with pytest.raises(NotAllowed):
        sign(pem, b"message")
