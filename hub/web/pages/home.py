"""The start page, the language, and the files that pages load.

Knows nothing that only one person may see.
"""

from __future__ import annotations

import flask

from hub.web.guards import public
from hub.web.pages import context, language, sheets
from hub.web.pages.blueprint import pages

A_YEAR = 365 * 24 * 3600


@pages.get("/")
@public("says what this is and who can register online")
def start() -> flask.Response:
    """What this is; within ten seconds, whether the reader can register here."""
    return sheets.page("patient/start.html", insured=context.insured_places(), care=context.care_places())


@pages.get("/help")
@public("answers to questions that everybody asks")
def help() -> flask.Response:  # noqa: A001 - the endpoint's name.
    """What people ask before and after they apply."""
    return sheets.page("patient/help.html")


@pages.get("/language/<any(zh,en):chosen>")
@public("which language is shown is nobody's secret")
def choose_language(chosen: str) -> flask.typing.ResponseReturnValue:
    """Keep the choice in a cookie and go back to the page it was made on."""
    response = flask.redirect(own_path(flask.request.args.get("next", "")) or flask.url_for("pages.start"), 303)
    secure = flask.current_app.extensions["hub"].settings.public_url.startswith("https:")
    response.set_cookie(language.COOKIE, chosen, max_age=A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    return response


@pages.get("/assets/<name>")
@public("the look of the pages")
def asset(name: str) -> flask.Response:
    """A style sheet or picture; its address holds its digest, so it may be kept for long."""
    found = sheets.ASSETS.get(name)
    if found is None:
        flask.abort(404)
    response = flask.Response(found.content, mimetype=found.media_type)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response


def own_path(wanted: str) -> str:
    """A path of this site to go on to, or nothing: never another site's address."""
    safe = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if safe else ""
