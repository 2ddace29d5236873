"""Turns every error into one kind of answer: RFC 9457 problem details with a stable code.

Knows the one table from classes of error to status codes. Must not know why a rule refuses anything.
Sources: RFC 9457; engineering guide section 4; decision 0040. No answer quotes what was sent in a person's field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

import flask
import marshmallow
import orjson
import structlog
from werkzeug.exceptions import HTTPException

from hub.core.errors import Conflict, Fault, HubError, Inconsistent, NotAllowed, NotFound, Unreachable

PROBLEM_MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger("hub.web")


class WebError(NotAllowed):
    """A request refused before any errand saw it; `headers` go into the answer."""

    headers: ClassVar[Mapping[str, str]] = {}


class Malformed(WebError):
    """The message cannot be read, or lacks what every message must have."""


class NotSigned(WebError):
    """Nobody is known to have sent this: no signature, an altered, stale or replayed one, or an unknown key."""

    headers: ClassVar = {"WWW-Authenticate": 'Signature realm="offsite-care-hub"'}


class NotYours(WebError):
    """The sender is known and may not do this, or names somebody else as the one who does."""


class NotServed(WebError):
    """Nothing is served at this address."""


class TooLarge(WebError):
    """The body is larger than the hub reads."""


class WrongMediaType(WebError):
    """The body is of a kind or in a coding that the hub does not read."""


class NotAcceptable(WebError):
    """No kind of answer that the sender accepts is made here."""


class TooMany(WebError):
    """More requests than the sender may send for now."""

    headers: ClassVar = {"Retry-After": "1"}


STATUS: Mapping[type[Exception], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    NotSigned: HTTPStatus.UNAUTHORIZED,
    NotYours: HTTPStatus.FORBIDDEN,
    NotServed: HTTPStatus.NOT_FOUND,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    TooLarge: HTTPStatus(413),
    WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    NotAllowed: HTTPStatus(422),
    Unreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    Inconsistent: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The one table: the first class of an error's ancestry that stands here decides."""

STATUS_OF_CODE: Mapping[str, HTTPStatus] = {
    # The IETF draft on idempotency keys asks for 422 here: no waiting will make this request right.
    "idempotency_key_reused": HTTPStatus(422),
}
"""Codes whose status differs from that of their class."""

TITLES: Mapping[int, str] = {
    400: "The message cannot be read",
    401: "The message is not signed as required",
    403: "Not yours to do",
    404: "Not found",
    405: "Method not allowed",
    406: "No acceptable kind of answer",
    409: "It does not fit the present state",
    413: "The body is too large",
    414: "The address is too long",
    415: "The kind of body is not read here",
    422: "The content is refused",
    429: "Too many requests",
    431: "The headers are too large",
    500: "Our mistake",
    503: "Not available now",
}

RETRY_AFTER_SECONDS = "5"


class Complaint(NamedTuple):
    """What a field says of a value, in place of marshmallow's bare text."""

    code: str
    message: str


MARSHMALLOW_MESSAGES: Mapping[str, Complaint] = {
    "Missing data for required field.": Complaint("field_missing", "this field is required"),
    "Field may not be null.": Complaint("field_null", "null is not allowed here: leave the field out or give a value"),
    "Unknown field.": Complaint("field_unknown", "there is no such field: remove it"),
    "Invalid input type.": Complaint("field_type", "an object is expected here"),
    "Not a valid list.": Complaint("field_type", "an array is expected here"),
}


class Refused(NotAllowed):
    """Fields of the body or the query that are missing, unknown or malformed."""


def faults_of(error: marshmallow.ValidationError) -> Refused:
    """All faults of one message with their paths, as `lines[3].quantity`."""
    messages: Any = error.normalized_messages()
    # webargs puts the place (json, query) around everything; the sender knows where he put it.
    inner = [value for key, value in messages.items() if key in ("json", "query")] if isinstance(messages, dict) else []
    found = tuple(fault for part in (inner or [messages]) for fault in _flat(part, ""))
    return Refused("fields_refused", "the message was refused as a whole; mend every fault listed", faults=found)


def _flat(messages: Any, where: str) -> Iterator[Fault]:
    if isinstance(messages, Fault):
        yield messages
    elif isinstance(messages, Complaint):
        yield Fault(where, *messages)
    elif isinstance(messages, str):
        yield Fault(where, *MARSHMALLOW_MESSAGES.get(messages, Complaint("field_malformed", messages)))
    elif isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, _path(where, key))
    else:
        for inner in messages:
            yield from _flat(inner, where)


def _path(where: str, key: Any) -> str:
    if key == "_schema":
        return where
    if isinstance(key, int):
        return f"{where}[{key}]"
    name = printable(str(key))[:60]
    return f"{where}.{name}" if where else name


def printable(text: str) -> str:
    """Text that any JSON writer and any log can take: lone surrogates and control characters become escapes."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


# --- answers ------------------------------------------------------------------------------------------------


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    faults: tuple[Fault, ...] = (),
    facts: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> flask.Response:
    """A problem+json answer. `facts` are further members with codes and ids, never a person's data."""
    flask.g.problem_code = code
    body: dict[str, Any] = {
        "type": f"/docs#status-{int(status)}",
        "status": int(status),
        "code": code,
        "title": TITLES.get(int(status), HTTPStatus(status).phrase),
        "detail": printable(detail),
        "faults": [{"where": one.where, "code": one.code, "message": printable(one.message)} for one in faults],
        "request_id": flask.g.get("request_id", ""),
    }
    if facts:
        body["facts"] = {key: printable(str(value)) for key, value in facts.items()}
    answer = flask.Response(orjson.dumps(body), status=int(status), mimetype=PROBLEM_MEDIA_TYPE)
    answer.headers.update(headers or {})
    return answer


def status_of(error: HubError) -> HTTPStatus:
    """The status of one of the hub's own errors."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer_to(error: HubError) -> flask.Response:
    """The answer to one of the hub's own errors; our own mistakes are logged and keep their details to themselves."""
    status = status_of(error)
    if isinstance(error, Inconsistent):
        _log.error("inconsistent", code=error.code, exc_info=error)
        return problem(
            status, code="internal", detail="the hub found a mistake of its own: nothing was booked; we were told"
        )
    headers: dict[str, str] = {}
    if isinstance(error, WebError):
        headers.update(error.headers)
    if isinstance(error, Unreachable):
        _log.warning("unreachable", code=error.code, transient=error.transient)
        if error.transient:
            headers["Retry-After"] = RETRY_AFTER_SECONDS
    if error.code == "idempotency_still_running":
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return problem(
        status, code=error.code, detail=error.message, faults=error.faults, facts=error.facts, headers=headers
    )


_CODES_OF_STATUS = {
    400: "malformed",
    404: "address_unknown",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "media_type",
    429: "too_many",
}

_WORDS_OF_STATUS = {
    400: "the request cannot be read: check its Host header and the length of its body",
    404: "nothing is served at this address",
    405: "this address does not serve that method: see the Allow header",
    413: "the body is larger than the hub reads: split the bill",
    429: "too many requests: wait and send the same message again",
}


def answer_to_http(error: HTTPException) -> flask.Response:
    """The answer to an error of the framework; headers such as Allow and Retry-After are kept."""
    status = error.code or 500
    if status < 400:
        return flask.Response(error.get_response(flask.request.environ).response, status)
    kept = {
        name: value
        for name, value in error.get_response(flask.request.environ).headers.items()
        if name in ("Allow", "Retry-After", "WWW-Authenticate")
    }
    if status == 429:
        kept.setdefault("Retry-After", RETRY_AFTER_SECONDS)
    return problem(
        status,
        code=_CODES_OF_STATUS.get(status, "refused"),
        detail=_WORDS_OF_STATUS.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase),
        headers=kept,
    )


def answer_to_bug(error: Exception) -> flask.Response:
    """The answer to anything unforeseen: logged with its stack, told without a detail."""
    _log.error("unforeseen", kind=type(error).__name__, exc_info=error)
    return problem(500, code="internal", detail="the hub found a mistake of its own: nothing was booked; we were told")


def wants_page(request: flask.Request) -> bool:
    """Whether the sender is a browser looking at pages: the API's addresses always answer in problem+json."""
    if request.path.startswith(("/v1/", "/health/", "/openapi.json")):
        return False
    return request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html"


def register(app: flask.Flask) -> None:
    """Install the handlers. Pages may put their own handlers on their blueprint; these stand behind them."""
    app.register_error_handler(HubError, answer_to)
    app.register_error_handler(HTTPException, answer_to_http)
    app.register_error_handler(Exception, answer_to_bug)
