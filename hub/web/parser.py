"""Reads JSON bodies and query strings strictly: what could be read in two ways is refused, not guessed.

Knows encodings, depth, size and duplicate names. Must not know any field of the trade.
Sources: engineering guide section 4 (each sentence there is a test of this module); decision 0040.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import flask
import marshmallow
from webargs.flaskparser import FlaskParser

from hub.web.errors import Malformed, WrongMediaType, faults_of

DEEPEST = 32
"""Levels of arrays and objects in each other; a bill has three."""

MOST_DIGITS = 18
"""Digits of a whole number: what fits into 64 bits in every language that a hospital's system is written in."""


def read_json(body: bytes) -> Any:
    """Read a JSON text. Raises Malformed where it is not JSON, or JSON that two readers may understand differently."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Malformed("json_encoding", f"the body is not UTF-8 (byte {fault.start})") from None
    if text.startswith("\ufeff"):
        raise Malformed("json_byte_order_mark", "the body begins with a byte order mark: send plain UTF-8")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise Malformed("json_malformed", f"the body is not JSON: {fault.msg}, line {fault.lineno}") from None
    except RecursionError:
        _refuse_depth()
    if _is_deep(value):
        _refuse_depth()
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("json_duplicate_name", "an object of the body has the same name twice")
    return found


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise Malformed("json_number_long", f"a number of the body has more than {MOST_DIGITS} digits")
    return int(digits)


def _fraction(_text: str) -> NoReturn:
    raise Malformed(
        "json_float", 'the body holds a number with a point or an exponent: write amounts as text, like "12.50"'
    )


def _constant(name: str) -> NoReturn:
    raise Malformed("json_constant", f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _refuse_depth() -> NoReturn:
    raise Malformed("json_deep", f"the body nests deeper than {DEEPEST} levels") from None


class StrictParser(FlaskParser):
    """webargs' parser with the reader above, `Malformed` in place of its own errors, and no unknown names anywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares it as an instance attribute.
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def _raw_load_json(self, req: flask.Request) -> Any:
        return body_json(req)

    def load_querystring(self, req: flask.Request, schema: marshmallow.Schema) -> Any:
        """Refuse a parameter that is given twice: proxies and programs do not agree which one counts."""
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            raise Malformed("query_duplicate_name", "a query parameter is given twice")
        return super().load_querystring(req, schema)

    def handle_error(
        self, error: marshmallow.ValidationError, req: flask.Request, schema: marshmallow.Schema, **_: Any
    ) -> NoReturn:
        """Turn marshmallow's nested messages into a flat list of faults with their paths."""
        raise faults_of(error) from None


def body_json(request: flask.Request) -> Any:
    """The request's body as JSON, read once; a body of another kind is refused before it is looked at."""
    known = getattr(request, "_hub_json", _NOT_READ)
    if known is not _NOT_READ:
        return known
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise WrongMediaType("media_type", "send JSON with the header Content-Type: application/json")
    value = read_json(request.get_data(cache=True))
    request._hub_json = value  # type: ignore[attr-defined]  # noqa: SLF001 - kept with the request it belongs to.
    return value


_NOT_READ = object()

__all__ = ["DEEPEST", "MOST_DIGITS", "StrictParser", "body_json", "read_json"]
