"""Builds the web application around a built hub.

Knows the order in which requests pass the walls: host, size, coding, request id, guard, view; and what every answer
carries. Must not know routes' contents, nor build a hub. Opens no connection.
Sources: engineering guide sections 1, 4 and 7; decision 0044.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import flask
import structlog
from werkzeug.routing import AnyConverter, BaseConverter, Map

from hub.core.codes import CatalogKind, Regime
from hub.web import answers, docs, errors, health, limits, pages
from hub.web.api import admissions, bills, catalogs, clearing, day_reports, mappings, registrations
from hub.web.api.blueprint import IdConverter, make_api
from hub.web.errors import WrongMediaType

if TYPE_CHECKING:
    from hub.wiring import App

VERSION = "1.0.0"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_log = structlog.get_logger("hub.web")


class CodeConverter(BaseConverter):
    """A code of a catalog in a path; a few diagnoses hold a stroke."""

    part_isolating = False
    regex = r"[A-Za-z0-9_.:+*~-][A-Za-z0-9_.:+*~/-]{0,63}"


class MonthConverter(BaseConverter):
    """A clearing month in a path."""

    regex = r"2[0-9]{3}-(?:0[1-9]|1[0-2])"


class AreaConverter(BaseConverter):
    """An area code in a path."""

    regex = r"[1-9][0-9]{5}"


class KindConverter(AnyConverter):
    """A kind of catalog in a path."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, *CatalogKind)


class RegimeConverter(AnyConverter):
    """A regime in a path."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, *Regime)


def create_app(hub_app: App) -> flask.Flask:
    """The web application over a hub that wiring built."""
    settings = hub_app.settings
    app = flask.Flask("hub.web", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=hub_app.secret_key,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        # Forms of pages are small; none has files.
        MAX_FORM_MEMORY_SIZE=100_000,
        MAX_FORM_PARTS=200,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        PROVIDE_AUTOMATIC_OPTIONS=False,
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.extensions["hub"] = hub_app
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(
        id=IdConverter,
        code=CodeConverter,
        month=MonthConverter,
        area=AreaConverter,
        kind=KindConverter,
        regime=RegimeConverter,
    )
    app.before_request(_begin)
    app.after_request(_finish)
    errors.register(app)
    limits.register(app, redis_url=settings.redis_url)

    api = make_api(app, version=VERSION)
    for blueprint in (
        registrations.blueprint,
        admissions.blueprint,
        bills.blueprint,
        day_reports.blueprint,
        catalogs.blueprint,
        mappings.blueprint,
        clearing.statements,
        clearing.windows,
        health.blueprint,
    ):
        api.register_blueprint(blueprint)
    docs.register(app, api)

    pages.register(app)
    return app


def _begin() -> None:
    """Name the request, ask the clock once, and refuse what no route reads."""
    request = flask.request
    flask.g.started = time.perf_counter()
    # Ours and not the client's: an id from outside could be another's, or a whole line of a log.
    flask.g.request_id = secrets.token_hex(8)
    flask.g.as_of = flask.current_app.extensions["hub"].clock.now()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=flask.g.request_id)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        # A packed body of a kilobyte can be a gigabyte: sizes are checked before anything is read.
        raise WrongMediaType("content_coding", "send the body as it is, without Content-Encoding")


def _finish(response: flask.Response) -> flask.Response:
    """Put on what every answer carries, and write the one line of the access log."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if flask.current_app.extensions["hub"].settings.production:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if flask.request.endpoint is None or not flask.request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = flask.g.get("request_id", "")
    rule = flask.request.url_rule
    started = flask.g.get("started")
    _log.info(
        "request_served",
        method=flask.request.method if flask.request.method.isalpha() else "other",
        # The rule and not the address: a searched name or a reference number would stand in the address.
        route=rule.rule if rule else "",
        status=response.status_code,
        code=flask.g.get("problem_code"),
        participant=flask.g.get("participant_id"),
        replayed=response.headers.get(answers.REPLAYED_HEADER) == "true",
        microseconds=round((time.perf_counter() - started) * 1e6) if started else None,
    )
    return response
