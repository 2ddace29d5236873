"""How often somebody may ask: counted in Redis over all web processes, in each process's memory while Redis is away.

Knows the rates and by what they are counted. Must not know who is allowed what.
Sources: ASVS 2.4.1; engineering guide section 1 (without the fallback a dead broker turns every request into 500).
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse

from hub.web.errors import TooMany

PARTICIPANT_RATE = "1000/second"
"""Far above the busiest hospital: it stops a program that runs wild, not a busy day."""

FAILURE_RATE = "120/minute"
"""Refused signatures per address. Only those are counted and slowed: behind a proxy all share an address."""

LIMITS_DATABASE = 1
"""The numbered Redis database of the counters; the broker's messages are in another."""

_PARTICIPANT_RATE = parse(PARTICIPANT_RATE)

limiter = Limiter(
    key_func=get_remote_address,
    in_memory_fallback_enabled=True,
    strategy="fixed-window",
    key_prefix="hub",
    storage_options={"socket_timeout": 1, "socket_connect_timeout": 1},
)


def storage_uri(redis_url: str | None) -> str:
    """The broker's address in the form of the limits library, turned to the database of the counters."""
    if redis_url is None:
        return "memory://"
    parts = urlsplit(redis_url)
    if parts.scheme in ("redis+socket", "unix"):
        password = parse_qs(parts.query).get("password", [""])[0]
        login = f":{password}@" if password else ""
        return f"redis+unix://{login}{parts.path}?db={LIMITS_DATABASE}"
    return parts._replace(path=f"/{LIMITS_DATABASE}").geturl()


def register(app: flask.Flask, *, redis_url: str | None) -> None:
    """Count for this application. Connects at the first request, not here."""
    app.config["RATELIMIT_STORAGE_URI"] = storage_uri(redis_url)
    if redis_url is None:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {}
    limiter.init_app(app)


def check_participant(participant_id: str) -> None:
    """Count a verified request of a participant; raises TooMany above the rate."""
    if _counts_in_redis():
        try:
            counted = limiter.limiter.hit(_PARTICIPANT_RATE, participant_id)
        except Exception:  # noqa: BLE001 - whatever the storage raises: the slow way notices and falls back to memory.
            counted = None
        if counted:
            return
        if counted is False:
            raise TooMany("too_many", "more messages than a hospital ever sends: wait a second and send it again")
    flask.g.limited_participant = participant_id
    _turn_of_participant()


def _counts_in_redis() -> bool:
    """Whether the counters' own storage is in use. Then counting by hand spares a tenth of a small request's time."""
    return limiter.limiter.storage is limiter.storage


def count_failure() -> None:
    """Count a refused signature of an address; raises 429 above the rate."""
    _turn_of_stranger()


@limiter.limit(PARTICIPANT_RATE, key_func=lambda: f"participant:{flask.g.limited_participant}")
def _turn_of_participant() -> None:
    """Nothing to do: the decorator counts."""


@limiter.limit(FAILURE_RATE, key_func=lambda: f"refused:{get_remote_address()}")
def _turn_of_stranger() -> None:
    """Nothing to do: the decorator counts."""
