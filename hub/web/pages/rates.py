"""How often a visitor may ask what could be guessed: persons, reference numbers, passwords.

Knows the rates and by what they are counted. Must not know what was asked; numbers enter as digests only.
Source: ASVS 2.4.1; engineering guide section 8 rows 17 and 20.
"""

from __future__ import annotations

import hashlib

import flask
from flask_limiter.util import get_remote_address

from hub.web.limits import limiter


def _address() -> str:
    return f"page:{get_remote_address()}"


def _subject() -> str:
    return f"page-subject:{flask.g.limited_subject}"


@limiter.limit("60/minute;600/hour", key_func=_address)
def _question() -> None:
    """Nothing to do: the decorator counts."""


@limiter.limit("12/hour", key_func=_subject)
def _of_subject() -> None:
    """Nothing to do: the decorator counts."""


def count(kind: str, subject: str = "") -> None:
    """Count one guessable question of an address, and of what it is about; raises 429 above the rate.

    An address may be a whole hospital's, so its rate is generous; the one of a single subject is not.
    """
    _question()
    if subject:
        flask.g.limited_subject = hashlib.sha256(f"{kind}:{subject}".encode()).hexdigest()
        _of_subject()
