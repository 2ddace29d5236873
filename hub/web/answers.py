"""How an answer leaves: JSON by orjson, pages of a list by cursor, and errands that run once per key.

Knows bytes, cursors and fingerprints. Must not know any record of the trade.
Sources: engineering guide sections 4 and 5; decision 0041.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import flask
import orjson

from hub.actions.context import Hub, Keep
from hub.actions.once import Ticket, once
from hub.ports.records import StoredAnswer
from hub.web.guards import caller
from hub.web.parser import body_json

R = TypeVar("R")

REPLAYED_HEADER = "Idempotency-Replayed"


def the_hub() -> Hub:
    """The hub that this application serves."""
    found: Hub = flask.current_app.extensions["hub"].hub
    return found


def answer(body: Any, status: int = 200, *, headers: Mapping[str, str] | None = None) -> flask.Response:
    """A JSON answer. Money is text by the time it comes here: JSON numbers lose fen in some readers."""
    found = flask.Response(orjson.dumps(body), status=status, mimetype="application/json")
    found.headers.update(headers or {})
    return found


def run_once(
    errand: Callable[[Keep[R]], R], *, shape: Callable[[R], Mapping[str, Any]], status: int = 200
) -> flask.Response:
    """Run an errand under the request's Idempotency-Key; a repeated request gets the first answer, byte for byte."""
    sender = caller()
    ticket = Ticket(
        participant=sender.participant.id,
        key=sender.idempotency_key,
        fingerprint=fingerprint(),
        replay_only=sender.replayed,
    )
    stored, before = once(
        the_hub(),
        ticket,
        as_of=sender.as_of,
        errand=errand,
        render=lambda result: StoredAnswer(status, orjson.dumps(shape(result)).decode()),
    )
    found = flask.Response(stored.body, status=stored.status, mimetype="application/json")
    if before:
        found.headers[REPLAYED_HEADER] = "true"
    return found


def fingerprint() -> str:
    """What was asked, as a digest: the sender, the method, the path and the body whatever its blanks and order."""
    head = f"{caller().participant.id}\n{flask.request.method}\n{flask.request.path}\n"
    body = orjson.dumps(body_json(flask.request), option=orjson.OPT_SORT_KEYS)
    return sha256(head.encode() + body).hexdigest()


def page(
    found: Sequence[R], *, limit: int, shape: Callable[[R], Mapping[str, Any]], cursor: Callable[[R], str]
) -> flask.Response:
    """One page of a list that was asked for one more than `limit`; `next` is the cursor of the page after, or null."""
    rows = found[:limit]
    further = cursor(rows[-1]) if len(found) > limit else None
    return answer({"items": [shape(row) for row in rows], "next": further})
