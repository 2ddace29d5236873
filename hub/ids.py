"""Makes ids that sort by time, and reference numbers that cannot be guessed or mistyped unnoticed.

Knows alphabets and check characters. Must not know what time it is, nor what an id names.
Source: engineering guide section 8, case 20 (60 random bits or more and a check character).
"""

from __future__ import annotations

import secrets
from datetime import datetime

_SORTABLE = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's 32 characters in the order of their codes, so that texts sort as the numbers do."""

_REFERENCE = "0123456789ABCDEFGHJKMNPQRSTVWXY"
"""31 characters, a prime: a weighted sum then finds every single slip and every swap. Left out: I L O U Z."""

_REFERENCE_LENGTH = 13
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "Z": "2", "-": "", " ": ""})


def new_id(prefix: str, *, at: datetime) -> str:
    """An id such as ``reg-01jd3x5v2m8q0c6k4t7w9y1z3b``: 48 bits of milliseconds, then 80 random bits.

    Ids of one prefix sort by the moment they were made; within a millisecond in no order.
    """
    number = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    return f"{prefix}-{_spelt(number, _SORTABLE, length=26)}"


def new_reference() -> str:
    """A reference number for people: 13 random characters (64 bits) and a check character, ``7K3M-Q9WD-0XAR-5T``."""
    body = "".join(secrets.choice(_REFERENCE) for _ in range(_REFERENCE_LENGTH))
    whole = body + _check_character(body)
    return "-".join(whole[start : start + 4] for start in range(0, len(whole), 4))


def read_reference(typed: str) -> str | None:
    """The reference number that somebody typed, in its written form; None if it cannot be one.

    Case, blanks and hyphens do not matter, and O, I, L and Z are read as 0, 1, 1 and 2.
    """
    text = typed.strip().upper().translate(_MISREAD)
    if len(text) != _REFERENCE_LENGTH + 1 or any(letter not in _REFERENCE for letter in text):
        return None
    if _check_character(text[:-1]) != text[-1]:
        return None
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _check_character(body: str) -> str:
    weighted = sum(weight * _REFERENCE.index(letter) for weight, letter in enumerate(body, start=2))
    return _REFERENCE[weighted % len(_REFERENCE)]


def _spelt(number: int, alphabet: str, *, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(reversed(letters))
