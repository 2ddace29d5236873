"""Signing in and out of the workbench.

Knows the form. Must not know passwords or sessions: hub/web/sessions.py does.
"""

from __future__ import annotations

import flask

from hub.web.guards import public
from hub.web.pages import context, rates, sheets
from hub.web.pages.blueprint import pages
from hub.web.pages.forms import Reading
from hub.web.pages.home import own_path
from hub.web.pages.language import say
from hub.web.sessions import sign_in, sign_out, signed_in


@pages.get("/login")
@public("how else to sign in")
def login() -> flask.typing.ResponseReturnValue:
    """The form; whoever is signed in already goes to his desk."""
    if signed_in() is not None:
        return flask.redirect(flask.url_for("pages.desk"), 303)
    return sheets.page("staff/login.html", typed={}, wrong={}, wanted=own_path(flask.request.args.get("next", "")))


@pages.post("/login")
@public("how else to sign in")
def check_login() -> flask.typing.ResponseReturnValue:
    """Check login and password; every failure reads the same."""
    reading = Reading.of(flask.request.form, "login", "next")
    wanted = own_path(reading.typed["next"])
    name = reading.typed["login"].strip()
    password = flask.request.form.get("password", "")[:1000]
    if not name:
        reading.complain("login", say("请填写登录名。"))
    if not password:
        reading.complain("password", say("请填写密码。"))
    if not reading.wrong:
        rates.count("login")
        if sign_in(context.store(), login=name, password=password, now=context.now()):
            return flask.redirect(wanted or flask.url_for("pages.desk"), 303)
        reading.complain("login", say("登录名或密码不正确。连续错误五次后将锁定十五分钟。"))
    return sheets.page("staff/login.html", 422, typed=reading.typed, wrong=reading.wrong, wanted=wanted)


@pages.post("/logout")
@public("ends a session; harmless for anybody")
def logout() -> flask.typing.ResponseReturnValue:
    """End the session at once."""
    sign_out()
    return flask.redirect(flask.url_for("pages.login"), 303)
