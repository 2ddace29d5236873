"""The mapping workbench in Chromium: driven by the keyboard alone, without JavaScript, and measured by axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Connection

from hub.core.mapping import ChangeState
from hub.ports import HUB_SCOPE
from tests.web.bench import INTRAVENOUS, NURSING_1, NURSING_2, Bench, set_up
from tests.web.browser.conftest import DESK, PHONE, serving
from tests.web.browser.test_browser import measure
from tests.web.conftest import Api
from tests.web.visitor import PASSWORD
from tests.world import JIANGNING

CODE = "/desk/mapping/code?kind=service&code="


@pytest.fixture
def bench(api: Api, owner: Connection) -> Bench:
    return set_up(api, owner)


@pytest.fixture
def address(bench: Bench) -> Iterator[str]:
    with serving(bench.api) as found:
        yield found


@pytest.fixture
def plain(chromium: Browser, address: str) -> Iterator[Page]:
    """An officer's screen whose browser runs no script."""
    context = chromium.new_context(viewport=DESK, java_script_enabled=False, locale="zh-CN", base_url=address)
    yield context.new_page()
    context.close()


def sign_in(page: Page, login: str) -> None:
    """By keyboard, as all else here."""
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_label("登录名").focus()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")


def press(page: Page, key: str) -> None:
    """Press a key and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press(key)


def states(bench: Bench) -> list[ChangeState]:
    with bench.api.world.store.begin(HUB_SCOPE) as uow:
        found = uow.changes.listed(JIANGNING, state=None, kind=None, after="", limit=10)
    return [one.state for one in found]


def test_an_officer_maps_a_row_with_the_keyboard_alone(bench: Bench, desk: Page):
    sign_in(desk, "jia")
    desk.goto("/desk/mapping")
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    desk.keyboard.press("k")
    expect(desk.get_by_role("link", name="一级护理")).to_be_focused()
    press(desk, "Enter")
    desk.keyboard.press("2")
    expect(desk.locator(f'[value="{NURSING_2.code}"]')).to_be_checked()
    desk.keyboard.press("1")
    expect(desk.locator(f'[value="{NURSING_1.code}"]')).to_be_focused()

    press(desk, "a")
    expect(desk.get_by_role("heading", name="会影响哪些结算单")).to_be_visible()
    assert states(bench) == []
    press(desk, "a")

    assert states(bench) == [ChangeState.PROPOSED]
    expect(desk.get_by_role("status")).to_contain_text("待复核：一级护理")
    expect(desk.get_by_role("heading", level=1)).to_contain_text("静脉输液")
    press(desk, "n")
    expect(desk.get_by_role("heading", level=1)).to_contain_text("特殊护理")


def test_a_colleague_reviews_and_both_undo_with_the_keyboard_alone(bench: Bench, desk: Page):
    bench.propose("JN-001")
    sign_in(desk, "yi")
    desk.goto("/desk/mapping/review")
    desk.keyboard.press("j")
    press(desk, "a")
    desk.keyboard.press("r")
    expect(desk.get_by_label("意见")).to_be_focused()
    desk.keyboard.type("a r u 1 / ?")
    expect(desk.get_by_label("意见")).to_have_value("a r u 1 / ?")
    assert states(bench) == [ChangeState.PROPOSED]
    desk.keyboard.press("Escape")
    press(desk, "a")
    assert states(bench) == [ChangeState.IN_FORCE]

    desk.goto("/desk/mapping/in-force")
    desk.keyboard.press("j")
    press(desk, "u")
    desk.keyboard.press("u")
    desk.keyboard.type("不是同一项")
    desk.keyboard.press("Escape")
    press(desk, "u")
    assert states(bench) == [ChangeState.UNDO_PROPOSED]

    sign_in(desk, "jia")
    desk.goto("/desk/mapping/review")
    desk.keyboard.press("j")
    press(desk, "a")
    press(desk, "a")
    assert states(bench) == [ChangeState.UNDONE]


def test_searching_and_the_table_of_keys_need_no_mouse(bench: Bench, desk: Page):
    sign_in(desk, "jia")
    desk.goto(CODE + "JN-002")
    desk.keyboard.press("/")
    desk.keyboard.type("护理")
    press(desk, "Enter")
    desk.keyboard.press("1")
    expect(desk.locator(f'[value="{NURSING_1.code}"]')).to_be_checked()

    desk.keyboard.press("?")

    expect(desk.get_by_text("离开输入框")).to_be_visible()
    expect(desk.locator("#keys summary")).to_be_focused()
    desk.keyboard.press("?")
    expect(desk.get_by_text("离开输入框")).to_be_hidden()


def test_a_key_that_is_held_with_control_is_the_browsers_own(bench: Bench, desk: Page):
    sign_in(desk, "jia")
    desk.goto(CODE + "JN-001")

    desk.keyboard.press("Control+a")
    desk.keyboard.press("Alt+2")

    expect(desk).to_have_url(f"{desk.url.partition('/desk')[0]}{CODE}JN-001")
    expect(desk.locator(f'[value="{NURSING_1.code}"]')).to_be_checked()


def test_keys_that_are_switched_off_do_nothing(bench: Bench, desk: Page):
    sign_in(desk, "jia")
    desk.goto("/desk/mapping/keys/off?next=/desk/mapping")

    desk.keyboard.press("j")

    assert desk.evaluate("document.activeElement.tagName") == "BODY"
    expect(desk.get_by_text("快捷键已关闭")).to_be_hidden()
    expect(desk.locator("kbd").first).to_be_hidden()


def test_everything_works_without_javascript(bench: Bench, plain: Page):
    page = plain
    page.goto("/login")
    page.get_by_label("登录名").fill("jia")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.goto("/desk/mapping")
    page.get_by_role("link", name="一级护理").click()
    page.get_by_role("button", name="预览影响").click()
    page.get_by_role("button", name="提交复核").click()

    expect(page.get_by_role("status")).to_contain_text("待复核")
    expect(page.locator("kbd").first).to_be_hidden()
    assert states(bench) == [ChangeState.PROPOSED]


def test_axe_finds_nothing_on_the_workbench(bench: Bench, desk: Page, axe_source: str):
    waiting, held = bench.propose("JN-002", INTRAVENOUS), bench.approve(bench.propose("JN-001"))
    page, faults = desk, []
    sign_in(page, "yi")
    page.set_viewport_size(PHONE)
    for path in (
        *("/desk", "/desk/mapping", "/desk/mapping?code=nowhere", CODE + "JN-001&q=护理", CODE + "XX-9"),
        *("/desk/mapping/entry?kind=service&code=JN-001", "/desk/mapping/coverage", "/desk/mapping/review"),
        *(f"/desk/mapping/changes/{waiting.id}", "/desk/mapping/in-force", f"/desk/mapping/changes/{held.id}"),
        "/desk/mapping/bulk?what=approve&kind=service&score=50",
        "/desk/mapping/bulk?what=propose&kind=service&score=50",
    ):
        page.goto(path)
        for closed in page.locator("details").all():
            closed.evaluate("one => { one.open = true }")
        faults += measure(page, axe_source)
    page.goto(CODE + "JN-004")
    press_button(page, "预览影响")
    faults += measure(page, axe_source)
    page.get_by_label("没有对应").check()
    page.get_by_label("理由").fill("国家没有这一项")
    press_button(page, "预览影响")
    faults += measure(page, axe_source)

    assert not faults, "\n".join(faults)


def press_button(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()
