"""The blueprint that all pages hang on, and what holds for each of them: form tokens, origin, headers.

Knows what a page must carry. Must not know any one page.
Sources: engineering guide section 8 rows 14, 15 and 29; ASVS 3.x.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest

pages = flask.Blueprint("pages", __name__, template_folder="../templates")

csrf = CSRFProtect()

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No script at all: the pages have none, so an injected one does not run either. Only the mapping workbench adds
its own file (decision 0052)."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class ForeignForm(BadRequest):
    """A form that was not sent from one of our own pages."""


@pages.before_request
def only_own_forms() -> None:
    """A form comes from our own origin and carries the token of its session."""
    if flask.request.method in ("GET", "HEAD", "OPTIONS"):
        return
    told = flask.request.headers.get("Origin") or flask.request.headers.get("Referer", "")
    if urlsplit(told).netloc != flask.request.host:
        raise ForeignForm
    csrf.protect()


@pages.after_request
def with_headers(response: flask.Response) -> flask.Response:
    """What a browser is told of every page."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
