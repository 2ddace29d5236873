"""What every page must be whoever reads it: guarded, in two languages, labelled, headed, and free of scripts.

A browser checks more (tests/web/browser); these run everywhere.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import flask
import pytest

from hub.web import pages as pages_package
from hub.web.guards import guard_of
from hub.web.pages import language
from hub.web.pages.english import ENGLISH
from hub.web.pages.guards import PageGuard
from hub.web.pages.words import REFUSAL
from tests.web.conftest import OPERATOR, Api
from tests.web.visitor import ANSWERS, Fields, Visitor, hire
from tests.world import HUANGSHAN, JIANGNING, PERSONS, QINZHOU

WEB = Path(pages_package.__file__).parent.parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SAID = re.compile(r"""_\(\s*(["'])(.+?)\1\s*[,)]""")


def said_in_code() -> set[str]:
    """Every text that the code hands to `say`."""
    found = set()
    for path in (WEB / "pages").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                [text] = node.args
                assert isinstance(text, ast.Constant), f"{path.name}:{node.lineno} says something put together"
                found.add(text.value)
    return found


def test_every_page_says_who_may_see_it(api: Api):
    missing = [
        name for name, view in api.app.view_functions.items() if name.startswith("pages.") and guard_of(view) is None
    ]

    assert missing == []


def test_pages_of_the_desk_name_their_roles(api: Api):
    for rule in api.app.url_map.iter_rules():
        if rule.rule.startswith("/desk"):
            guard = guard_of(api.app.view_functions[rule.endpoint])
            assert isinstance(guard, PageGuard)
            assert guard.roles, rule.rule


def test_every_text_has_its_english_and_none_is_left_over():
    said = said_in_code() | {text for path in TEMPLATES for _, text in SAID.findall(path.read_text(encoding="utf-8"))}

    assert said - ENGLISH.keys() == set()
    assert ENGLISH.keys() - said == set()


def test_both_languages_fill_in_the_same_names():
    for chinese, english in ENGLISH.items():
        assert set(re.findall(r"{\w+}", chinese)) == set(re.findall(r"{\w+}", english)), chinese


def test_no_template_holds_a_script_a_style_or_a_handler():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        if path.name == "workbench_frame.html":
            text = text.replace("""<script src="{{ asset('workbench.js') }}" defer></script>""", "", 1)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|\|\s*safe", text), path.name


def test_no_chinese_stands_in_a_template_without_its_english():
    for path in TEMPLATES:
        rest = SAID.sub("", re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
        assert re.findall(r"[\u4e00-\u9fff]+", rest) in ([], ["中文"]), path.name


def test_targets_are_at_least_44_pixels_and_focus_is_drawn():
    style = (WEB / "static" / "hub.css").read_text(encoding="utf-8")

    assert "--target: 2.75rem" in style
    assert ":focus-visible { outline: 3px solid" in style
    for control in ('input[type="text"]', ".go, .plain-button, .danger {", ".choice label {", ".tools a,"):
        rule = style[style.index(control) :].partition("}")[0]
        assert "min-height: 3" in rule or "min-height: var(--target)" in rule, control


# --- pages as they are sent ----------------------------------------------------------------------------------------


def assert_well_made(visitor: Visitor, where: str, *, scripts: int = 0) -> None:
    fields = Fields(visitor.text)
    ids = [found["id"] for _, found in fields.found if "id" in found]
    labels = {found.get("for") for found in fields.of("label")}
    headings = [int(tag[1]) for tag, _ in fields.found if re.fullmatch(r"h[1-6]", tag)]
    assert fields.of("html")[0]["lang"] == "zh-CN", where
    assert len(ids) == len(set(ids)), where
    assert headings.count(1) == 1, where
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings)), (where, headings)
    for field in fields.of("input", "select", "textarea"):
        if field.get("type") not in ("hidden", "submit"):
            assert field.get("id") in labels, (where, field)
            assert "placeholder" not in field, (where, field)
    for label in labels:
        assert label in ids, (where, label)
    assert len(fields.of("caption")) == len(fields.of("table")), where
    assert all(found.get("scope") in ("col", "row") for found in fields.of("th")), where
    assert all("csrf_token" in form for form in re.findall(r'<form method="post".*?</form>', visitor.text, re.DOTALL))
    assert not fields.of("style"), where
    assert [one.get("src", "").partition("?")[0] for one in fields.of("script")] == ["/assets/workbench.js"] * scripts
    assert len(fields.of("title")) == 1
    assert visitor.title.strip()


def test_every_patient_page_is_well_made(api: Api):
    visitor = Visitor(api.app)
    for path in ("/", "/help", "/status", "/login", "/nowhere"):
        assert_well_made(visitor.open(path), path)
    for question, answers in ANSWERS.items():
        assert_well_made(visitor.open(f"/register/{question}"), question)
        assert_well_made(visitor.post(f"/register/{question}"), f"{question} unanswered")
        visitor.post(f"/register/{question}", answers)
    assert_well_made(visitor.open("/register/check"), "check")
    assert_well_made(visitor.post("/register/check"), "done")
    for path in ("/status/registration", "/status/registration/cancel"):
        assert_well_made(visitor.open(path), path)


def test_every_desk_page_is_well_made(api: Api):
    world = api.world
    hire(world, OPERATOR, "ops", role="operator")
    hire(world, world.agency(JIANGNING), "jia")
    waiting = world.register("Jiang", QINZHOU)
    bill = world.settled("Huang", QINZHOU, "12000.00")
    world.cancel(world.settled("Wei", HUANGSHAN))
    world.go_to(date(2026, 11, 2))
    world.close("2026-10")
    for login in ("ops", "jia"):
        visitor = Visitor(api.app).sign_in(login)
        for path in (
            "/desk",
            "/desk/registrations?state=all",
            f"/desk/registrations/{waiting.registration.id}",
            "/desk/bills?month=2026-10",
            "/desk/bills?month=x",
            "/desk/statements",
            "/desk/windows",
            "/desk/windows/cross_province/2026-10",
            "/desk/match?day=2026-10-20",
        ):
            assert_well_made(visitor.open(path), path)
    visitor = Visitor(api.app).sign_in("ops")
    assert_well_made(visitor.open(f"/desk/bills/{bill.id}"), "bill")
    assert_well_made(visitor.open("/desk/statements/stm_win_cross_province_2026-10_450700_statement_json"), "statement")


def test_fields_of_a_person_tell_the_browser_what_they_are(api: Api):
    visitor = Visitor(api.app).answer("insured-place").open("/register/person")

    found = {one["name"]: one for one in Fields(visitor.text).of("input") if one.get("type") != "hidden"}

    assert found["name"]["autocomplete"] == "name"
    assert found["phone"]["autocomplete"] == "tel-national"
    login = {one["name"]: one for one in Fields(visitor.open("/login").text).of("input")}
    assert login["login"]["autocomplete"] == "username"
    assert login["password"]["autocomplete"] == "current-password"


def test_pages_forbid_scripts_frames_and_caches(api: Api):
    for path in ("/", "/login", "/nowhere"):
        headers = Visitor(api.app).open(path).shown.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_demonstration_says_that_it_is_one_and_production_does_not(api: Api):
    built = api.app.extensions["hub"]
    assert "演示系统" in Visitor(api.app).open("/").words

    api.app.extensions["hub"] = replace(built, settings=replace(built.settings, env="production"))

    assert "演示系统" not in Visitor(api.app).open("/").words


def test_the_style_sheet_is_kept_by_browsers_until_it_changes(api: Api):
    visitor = Visitor(api.app).open("/")
    found = re.search(r'rel="stylesheet" href="([^"]+)"', visitor.text)
    assert found

    style = visitor.open(found[1]).shown

    assert style.status_code == 200
    assert "immutable" in style.headers["Cache-Control"]
    assert Visitor(api.app).open("/assets/..%2Fsessions.py").status == 404
    assert Visitor(api.app).open("/assets/nothing.css").status == 404


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/desk/x", 404), ("/logout", 405)])
def test_a_browser_gets_its_errors_as_pages(api: Api, path: str, status: int):
    visitor = Visitor(api.app).open(path)

    assert visitor.status == status
    assert visitor.shown.mimetype == "text/html"
    assert "回到首页" in visitor.words


def test_a_program_gets_its_errors_as_problems(api: Api):
    found = api.app.test_client().get("/v1/nowhere", headers={"Accept": "text/html"})

    assert found.mimetype == "application/problem+json"


def test_a_mistake_of_ours_tells_a_browser_nothing_but_its_number(api: Api, monkeypatch):
    def broken(*_args: object) -> NoReturn:
        raise RuntimeError(PERSONS["Wei"].identity.number)

    monkeypatch.setitem(api.app.view_functions, "pages.help", broken)

    visitor = Visitor(api.app).open("/help")

    assert visitor.status == 500
    assert "系统出现问题" in visitor.title
    assert PERSONS["Wei"].identity.number not in visitor.text
    assert re.search(r'请求编号 <span class="code">[0-9a-f]{16}<', visitor.text)


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "chinese", "english"),
    [("2026-11-22", "2026年11月22日", "22 November 2026"), ("2027-01-05", "2027年1月5日", "5 January 2027")],
)
def test_days_are_written_out(written: str, chinese: str, english: str):
    app = flask.Flask(__name__)

    assert language.day(written) == chinese
    with app.test_request_context(headers={"Cookie": f"{language.COOKIE}=en"}):
        assert language.day(date.fromisoformat(written)) == english


@pytest.mark.parametrize(
    ("written", "shown"),
    [("0.00", "0.00"), ("1234567.80", "1,234,567.80"), ("-12.30", "−12.30"), ("999.99", "999.99")],
)
def test_amounts_are_shown_with_commas_and_a_real_minus(written: str, shown: str):
    assert language.amount(written) == shown


def test_a_refusal_that_has_no_words_here_speaks_for_itself():
    from hub.core.errors import NotAllowed
    from hub.web.pages.forms import words_of

    assert words_of(NotAllowed("nobody_knows", "mend it so")) == "未能办理：mend it so"
    assert all(zh and en for zh, en in REFUSAL.values())


def test_what_the_core_writes_into_a_step_is_read_in_the_pages_language(api: Api):
    written = "586384.20 × 65 % = 381149.73; cap 250000.00 per_year leaves 12.00"

    with api.app.test_request_context():
        assert language.clause(written) == "586,384.20 × 65 % = 381,149.73；限额 每年 250,000.00，余 12.00"
        assert language.clause("min(8042.96, 600.00) = 600.00") == "取小（8,042.96；600.00） = 600.00"
    with api.app.test_request_context(headers={"Cookie": "hub-language=en"}):
        assert language.clause(written) == "586,384.20 × 65 % = 381,149.73; cap 250,000.00 a year leaves 12.00"
