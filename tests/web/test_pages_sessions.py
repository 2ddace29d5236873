"""Sessions, form tokens and sign-in: what a stolen, old, forged or guessed one opens, which is nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.core.errors import Unreachable
from hub.ports import HUB_SCOPE
from hub.web import sessions
from hub.web.app import create_app
from hub.web.sessions import IDLE, LONGEST, digest_of, hash_password
from tests.web.conftest import Api
from tests.web.visitor import ANSWERS, PASSWORD, Visitor, hire
from tests.world import QINZHOU


@pytest.fixture
def officer(api: Api) -> Visitor:
    """An officer of Qinzhou who has signed in."""
    hire(api.world, api.world.agency(QINZHOU), "qin")
    return Visitor(api.app).sign_in("qin")


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.open("/desk").status == 200 and "工作台" in visitor.title


def with_cookie(api: Api, value: str) -> Visitor:
    """Somebody else's browser that has got hold of a cookie."""
    other = Visitor(api.app)
    other.client.set_cookie("hub-session", value)
    return other


# --- forms ---------------------------------------------------------------------------------------------------------

FORMS = [
    "/register/insured-place",
    "/register/check",
    "/status",
    "/status/registration/cancel",
    "/status/leave",
    "/login",
    "/logout",
    "/desk/registrations/reg-1",
]


@pytest.mark.parametrize("token", [None, "", "forged", "IjAi.aaaa.bbbb"])
def test_a_form_without_its_token_is_refused(api: Api, token: str | None):
    visitor = Visitor(api.app).open("/login")
    data = {} if token is None else {"csrf_token": token}

    for path in FORMS:
        found = visitor.client.post(path, data=data, headers={"Accept": "text/html", "Origin": "http://localhost"})

        assert found.status_code == 400, path
        assert "页面已过期" in found.get_data(as_text=True)


def test_a_form_sent_from_elsewhere_is_refused(api: Api):
    visitor = Visitor(api.app).open("/register/insured-place")
    token = visitor.text.partition('name="csrf_token" value="')[2].partition('"')[0]

    for told in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil/"}):
        found = visitor.client.post(
            "/register/insured-place",
            data={"csrf_token": token, **ANSWERS["insured-place"]},
            headers={"Accept": "text/html", **told},
        )

        assert found.status_code == 400, told


def test_a_token_of_another_session_is_refused(api: Api):
    mine, other = Visitor(api.app).open("/login"), Visitor(api.app).open("/login")
    other.shown = mine.shown

    other.post("/login", {"login": "qin", "password": PASSWORD})

    assert other.status == 400


# --- sessions ------------------------------------------------------------------------------------------------------


def test_signing_in_gives_a_new_session_and_the_old_one_opens_nothing(api: Api):
    hire(api.world, api.world.agency(QINZHOU), "qin")
    visitor = Visitor(api.app).open("/login")
    planted = visitor.cookie()

    visitor.post("/login", {"login": "qin", "password": PASSWORD})

    assert visitor.cookie() != planted
    assert is_signed_in(visitor)
    assert not is_signed_in(with_cookie(api, planted))


def test_a_made_up_cookie_is_not_taken_over(api: Api):
    visitor = with_cookie(api, "chosen-by-somebody-else")

    visitor.open("/login")

    assert visitor.cookie() != "chosen-by-somebody-else"


def test_signing_out_kills_the_session_at_once(api: Api, officer: Visitor):
    kept = officer.cookie()

    officer.post("/logout")

    assert not is_signed_in(officer)
    assert not is_signed_in(with_cookie(api, kept))


def test_a_new_password_ends_every_session(api: Api, officer: Visitor):
    with api.world.store.begin(HUB_SCOPE) as uow:
        uow.staff.set_password("stf-qin", password_hash=hash_password("another-password"))

    assert not is_signed_in(officer)


def test_a_changed_role_acts_at_once(api: Api, officer: Visitor):
    with api.world.store.begin(HUB_SCOPE) as uow:
        uow.staff.set_role("stf-qin", role="hospital")

    assert not is_signed_in(officer)
    assert officer.sign_in("qin").status == 403


def test_an_idle_session_is_over_and_a_used_one_is_not(api: Api, officer: Visitor):
    for _ in range(3):
        api.world.clock.moment += IDLE - timedelta(minutes=1)
        assert is_signed_in(officer)

    api.world.clock.moment += IDLE
    assert not is_signed_in(officer)


def test_no_session_outlives_a_working_day(api: Api, officer: Visitor):
    end = api.world.now + LONGEST
    while api.world.now + timedelta(minutes=20) < end:
        api.world.clock.moment += timedelta(minutes=20)
        assert is_signed_in(officer)

    api.world.clock.moment = end
    assert not is_signed_in(officer)


def test_the_database_knows_neither_token_nor_answers(api: Api):
    visitor = Visitor(api.app).answer("insured-place", "person")
    token = visitor.cookie()

    with api.world.store.begin(HUB_SCOPE) as uow:
        [(digest, data)] = uow.connection.exec_driver_sql("select token_digest, data from web_session").all()

    assert bytes(digest) == digest_of(token)
    assert token.encode() not in bytes(data)
    for private in ANSWERS["person"].values():
        assert private.encode() not in bytes(data)


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_connections(api: Api):
    plain = Visitor(api.app).open("/login").shown.headers["Set-Cookie"]
    built = api.app.extensions["hub"]
    secure = create_app(replace(built, settings=replace(built.settings, public_url="https://localhost")))

    safe = secure.test_client().get("/login", base_url="https://localhost").headers["Set-Cookie"]

    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert safe.startswith("__Host-hub=")
    assert all(part in safe for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in safe


def test_a_page_without_a_form_leaves_no_session_behind(api: Api):
    Visitor(api.app).open("/").open("/help")

    assert api.count("web_session") == 0


# --- sign-in -------------------------------------------------------------------------------------------------------


def test_an_unknown_login_and_a_wrong_password_read_the_same_and_cost_one_hash_each(api: Api, monkeypatch):
    hire(api.world, api.world.agency(QINZHOU), "qin")
    hashed: list[str] = []
    real = sessions._fits
    monkeypatch.setattr(sessions, "_fits", lambda kept, typed: hashed.append(kept) or real(kept, typed))

    wrong = Visitor(api.app).sign_in("qin", "wrong")
    unknown = Visitor(api.app).sign_in("nobody", "wrong")

    assert "登录名或密码不正确" in wrong.words
    assert wrong.words.replace("qin", "") == unknown.words.replace("nobody", "")
    assert wrong.status == unknown.status == 422
    assert len(hashed) == 2


def test_five_failures_lock_the_login_for_a_quarter_of_an_hour(api: Api):
    hire(api.world, api.world.agency(QINZHOU), "qin")
    visitor = Visitor(api.app)
    for _ in range(5):
        visitor.sign_in("qin", "wrong")

    assert "登录名或密码不正确" in visitor.sign_in("qin").words

    api.world.clock.moment += timedelta(minutes=15)
    visitor.sign_in("qin")
    assert is_signed_in(visitor)


def test_a_success_forgets_earlier_failures(api: Api):
    hire(api.world, api.world.agency(QINZHOU), "qin")
    visitor = Visitor(api.app)
    for _ in range(3):
        for _ in range(4):
            visitor.sign_in("qin", "wrong")
        visitor.sign_in("qin")
        assert is_signed_in(visitor)
        visitor.post("/logout")


def test_who_is_sent_to_sign_in_comes_back_to_the_page_he_wanted(api: Api):
    hire(api.world, api.world.agency(QINZHOU), "qin")
    visitor = Visitor(api.app).open("/desk/bills?month=2026-10")
    assert "工作人员登录" in visitor.title

    visitor.post("/login", {"login": "qin", "password": PASSWORD, "next": "/desk/bills?month=2026-10"}, follow=False)

    assert visitor.shown.headers["Location"] == "/desk/bills?month=2026-10"


def test_signing_in_never_leads_to_another_site(api: Api):
    hire(api.world, api.world.agency(QINZHOU), "qin")

    for foreign in ("https://evil.example", "//evil.example", "/\\evil.example", "evil"):
        visitor = Visitor(api.app).open("/login")
        visitor.post("/login", {"login": "qin", "password": PASSWORD, "next": foreign}, follow=False)

        assert visitor.shown.headers["Location"] == "/desk"


def test_an_address_cannot_try_passwords_without_end(api: Api):
    visitor = Visitor(api.app).open("/login")

    for _ in range(61):
        visitor.client.post("/login", data={}, headers={"Origin": "http://localhost"})
        if visitor.sign_in("nobody", "x").status == 429:
            break

    assert visitor.status == 429
    assert "操作过于频繁" in visitor.words


def test_a_session_that_cannot_be_looked_up_is_no_fault_of_ours(officer: Visitor, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object, **__: object) -> None:
        raise Unreachable("database_unreachable", "the database cannot be reached", transient=True)

    monkeypatch.setattr(officer.client.application.session_interface._store, "begin", away)

    assert officer.open("/desk").status == 503
    assert "暂时无法连接" in officer.text
