"""One page as an answer: the template with what all of them need.

Knows the words and filters that templates use. Must not know what a page says.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import flask
from flask_wtf.csrf import generate_csrf

from hub.core.codes import masked_name
from hub.web.pages import context, language, words
from hub.web.sessions import signed_in

STATIC = Path(__file__).parent.parent / "static"
ASSETS = {path.name: sha256(path.read_bytes()).hexdigest()[:12] for path in STATIC.iterdir() if path.is_file()}
"""Files that pages load, each with a digest in its address: a new one is fetched at once, an old one never again."""


def page(template: str, status: int = 200, **values: Any) -> flask.Response:
    """Render a template as an answer."""
    return flask.Response(
        flask.render_template(template, **{**common(), **values}), status=status, mimetype="text/html"
    )


def asset(name: str) -> str:
    """The address of a file that pages load."""
    return flask.url_for("pages.asset", name=name, v=ASSETS[name])


def common() -> dict[str, Any]:
    """What every template may use."""
    return {
        "_": language.say,
        "either": language.either,
        "day": language.day,
        "moment": language.moment,
        "amount": language.amount,
        "region": context.region_name,
        "masked_name": masked_name,
        "words": words,
        "asset": asset,
        "csrf": generate_csrf,
        "language": language.chosen(),
        "html_language": language.LANGUAGES[language.chosen()],
        "today": context.today,
        "me": signed_in(),
    }
