"""The pages for patients, agencies and the operator: forms in, errands, tables out.

Knows how to hang the pages onto an application. Must not know rules or SQL.
"""

from __future__ import annotations

import flask

from hub.web.pages import (
    agency,
    faults,
    home,
    login,
    operator,
    status,
    wizard,
    workbench,
    workbench_review,
    workbench_rows,
)
from hub.web.pages.blueprint import csrf, pages
from hub.web.sessions import ServerSessions

__all__ = ["register"]

_VIEWS = (agency, home, login, operator, status, wizard, workbench, workbench_review, workbench_rows)
"""Imported for their routes: each hangs its views onto the blueprint."""


def register(app: flask.Flask) -> None:
    """Hang the pages onto an application whose `extensions["hub"]` holds the built hub."""
    built = app.extensions["hub"]
    app.session_interface = ServerSessions(
        store=built.store, now=built.clock.now, secure=built.settings.public_url.startswith("https:")
    )
    # Forms are checked on the pages' own blueprint, after their origin; the API is signed and knows no cookies.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)
    app.register_blueprint(pages)
    faults.register(app)
