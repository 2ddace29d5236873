"""flask-smorest with the hub's habits: strict parsing, problem+json, every status written down.

Knows how OpenAPI is made. Must not know any message.
Sources: engineering guide section 4; RFC 9457; decision 0040.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import flask
from flask_smorest import Api, Blueprint
from werkzeug.routing import BaseConverter

from hub.web import fields
from hub.web.api.outgoing import ProblemOut
from hub.web.errors import PROBLEM_MEDIA_TYPE
from hub.web.guards import SECURITY_SCHEME
from hub.web.parser import StrictParser

DESCRIPTION = """\
The clearing hub of off-site care (异地就医直接结算). Hospitals record admissions, ask what a bill would cost whom,
settle and cancel; agencies file and decide registrations and fetch what a closed month came to.

**Amounts** are texts with exactly two decimals (`"1234.50"`), never JSON numbers. **Days** are business days in
Asia/Shanghai.

**Signing.** Every message carries one HTTP message signature (RFC 9421) with Ed25519 over `@method`, `@authority`,
`@target-uri`, and for POST also `content-digest` (RFC 9530), `content-type` and, where it is sent, `idempotency-key`;
with `created`, `keyid`, a fresh `nonce` and the tag `offsite-care-hub`. It is believed for five minutes and counts
once.

**Trying again.** POSTs that change something carry an `Idempotency-Key`. The same key with the same content gets the
first answer with `Idempotency-Replayed: true`; with another content it is refused with 422. After a timeout send the
same key again.

**Errors** are problem details (RFC 9457) with a stable `code`, and `faults` that name each field and how to mend it.
"""

SIGNATURE_DESCRIPTION = (
    "HTTP message signature (RFC 9421), algorithm ed25519, in the headers Signature-Input and Signature. "
    "Register a public key with the hub's operator to get a key id."
)


class IdConverter(BaseConverter):
    """An id or a code in a path: a stroke cannot stand in it, nor anything that is not printable ASCII."""

    regex = r"[A-Za-z0-9_.:+*~-]{1,120}"


ID_PATTERN = f"^{IdConverter.regex}$"


def id_parameter(name: str, description: str, example: str) -> dict[str, Any]:
    """The OpenAPI description of a path parameter that is an id or a code."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "pattern": ID_PATTERN},
        "example": example,
    }


IDEMPOTENCY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own key for this one thing; the same when you try again.",
    "schema": {"type": "string", "pattern": "^[!-~]{8,128}$"},
    "example": "7f0c0a1e-settle-ZY20261031-0007",
}

REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` where the key came before and the first answer is given again.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


class ApiBlueprint(Blueprint):
    """A blueprint whose operations say which problems they may answer with."""

    ARGUMENTS_PARSER = StrictParser()

    def problems(self, *statuses: int) -> Callable[[Any], Any]:
        """Document the errors of an operation."""

        def decorate(view: Any) -> Any:
            for status in statuses:
                view = self.alt_response(status, HTTPStatus(status).name)(view)
            return view

        return decorate

    def reads(self, *statuses: int) -> Callable[[Any], Any]:
        """Document a signed reading operation: what any of them may answer, and these."""

        def decorate(view: Any) -> Any:
            view = self.problems(400, 401, 403, 429, 500, 503, *statuses)(view)
            return self.doc(security=[{SECURITY_SCHEME: []}])(view)

        return decorate

    def writes(self, *statuses: int) -> Callable[[Any], Any]:
        """Document a signed operation with a body that runs once per Idempotency-Key."""

        def decorate(view: Any) -> Any:
            view = self.problems(400, 401, 403, 404, 409, 413, 415, 429, 500, 503, *statuses)(view)
            return self.doc(security=[{SECURITY_SCHEME: []}], parameters=[IDEMPOTENCY_PARAMETER])(view)

        return decorate


class HubApi(Api):
    """flask-smorest's registry with problem+json in place of its own errors, which `hub.web.errors` answers."""

    ERROR_SCHEMA = ProblemOut
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave the handlers to hub.web.errors: they keep Allow and Retry-After."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= 400:
                self.spec.components.response(
                    status.name,
                    {
                        "description": status.phrase,
                        "content": {PROBLEM_MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}},
                    },
                    lazy=True,
                )


def _row_items(self: Any, field: Any, **_: Any) -> dict[str, Any]:
    """Describe `Rows`, which checks by hand, from the same field table."""
    if not isinstance(field, fields.Rows):
        return {}
    required = [name for name, one in field.table.items() if one.required]
    return {
        "type": "array",
        "minItems": field.least,
        "maxItems": field.most,
        "items": {
            "type": "object",
            "properties": {name: self.field2property(one) for name, one in field.table.items()},
            "required": required,
            "additionalProperties": False,
        },
    }


def make_api(app: flask.Flask, *, version: str) -> HubApi:
    """The registry of an application; blueprints are added by the caller."""
    app.config.update(
        API_TITLE="Off-site care clearing hub",
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={"info": {"description": DESCRIPTION}},
    )
    api = HubApi()
    api.init_app(app)
    api.spec.components.security_scheme(
        SECURITY_SCHEME, {"type": "http", "scheme": "signature", "description": SIGNATURE_DESCRIPTION}
    )
    api.ma_plugin.converter.add_attribute_function(_row_items)
    api.register_converter(IdConverter, lambda _converter: {"type": "string", "pattern": ID_PATTERN})
    return api
