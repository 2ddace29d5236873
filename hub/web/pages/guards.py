"""Who may look at a page: staff of a role, or a patient who proved that a registration is his.

Knows the session's answer to "who is this". Must not know what a page shows.
The guards stand beside the views as `hub.web.guards` keeps them, so that one test asks every route.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import flask

from hub.web.guards import Guard
from hub.web.sessions import SignedIn, proved_registration, signed_in

View = TypeVar("View", bound=Callable[..., Any])

AGENCY = "agency"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class PageGuard(Guard):
    """A page that a session opens: for staff of `roles`, or for the patient himself where there are none."""

    roles: tuple[str, ...] = ()


def staff(*roles: str) -> Callable[[View], View]:
    """For signed-in staff of one of these roles. A stranger is sent to the login, another role is refused (403)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            known = signed_in()
            if known is None:
                wanted = flask.request.full_path.rstrip("?") if flask.request.method == "GET" else None
                return flask.redirect(flask.url_for("pages.login", next=wanted), 303)
            if known.role not in roles:
                flask.abort(403)
            return view(*args, **kwargs)

        return _marked(guarded, PageGuard(frozenset(), False, f"a staff session: {', '.join(roles)}", roles))

    return decorate


def patient(view: View) -> View:
    """For a patient who proved in this session that a registration is his; anybody else is asked for the proof."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if proved_registration() is None:
            return flask.redirect(flask.url_for("pages.status"), 303)
        return view(*args, **kwargs)

    return _marked(guarded, PageGuard(frozenset(), False, "a session whose patient proved his registration"))


def me() -> SignedIn:
    """Who is signed in, behind a `staff` page."""
    return cast(SignedIn, signed_in())


def _marked(view: Callable[..., Any], guard: PageGuard) -> Any:
    view.hub_guard = guard  # type: ignore[attr-defined]
    return view
