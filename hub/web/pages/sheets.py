"""One page as an answer: the template with what all of them need.

Knows the words and filters that templates use. Must not know what a page says.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import flask
from flask_wtf.csrf import generate_csrf

from hub.core.codes import masked_name
from hub.web.pages import context, language, words
from hub.web.sessions import signed_in

STATIC = Path(__file__).parent.parent / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load; `digest` stands in its address, so that a new one is fetched and an old one kept."""

    content: bytes
    media_type: str
    digest: str


def _asset_of(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, mimetypes.guess_type(path.name)[0] or "", sha256(content).hexdigest()[:12])


ASSETS = {path.name: _asset_of(path) for path in STATIC.iterdir() if path.is_file()}


def page(template: str, status: int = 200, **values: Any) -> flask.Response:
    """Render a template as an answer."""
    return flask.Response(
        flask.render_template(template, **{**common(), **values}), status=status, mimetype="text/html"
    )


def asset(name: str) -> str:
    """The address of a file that pages load."""
    return flask.url_for("pages.asset", name=name, v=ASSETS[name].digest)


def common() -> dict[str, Any]:
    """What every template may use."""
    return {
        "_": language.say,
        "either": language.either,
        "day": language.day,
        "moment": language.moment,
        "amount": language.amount,
        "clause": language.clause,
        "region": context.region_name,
        "masked_name": masked_name,
        "words": words,
        "asset": asset,
        "csrf": generate_csrf,
        "language": language.chosen(),
        "html_language": language.LANGUAGES[language.chosen()],
        "today": context.today,
        "me": signed_in(),
        "demonstration": not flask.current_app.extensions["hub"].settings.production,
    }
