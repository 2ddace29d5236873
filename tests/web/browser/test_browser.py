"""The pages in Chromium: a patient without JavaScript, and axe (WCAG 2.2 AA) on every page at phone and desk width."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.core.registration import Evidence, RegistrationCategory
from tests.web.browser.conftest import DESK, NARROWEST, PHONE
from tests.web.conftest import OPERATOR, Api
from tests.web.visitor import ANSWERS, PASSWORD, hire
from tests.world import HUANGSHAN, JIANGNING, PERSONS, QINZHOU

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def press(page: Page, button: str) -> None:
    """Press a button and wait until the page that it leads to has arrived."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def go_on(page: Page) -> None:
    press(page, "继续")


def answer(page: Page, question: str) -> None:
    """Answer the question shown as Wei does, and go on."""
    person = ANSWERS["person"]
    if question == "insured-place":
        page.get_by_label("您在哪里参保？").select_option(QINZHOU.code)
    elif question == "person":
        for label, name in (("姓名", "name"), ("身份证号码", "identity"), ("手机号码", "phone")):
            page.get_by_label(label).fill(person[name])
    elif question == "care-place":
        page.get_by_label("您要去哪个城市就医？").select_option(JIANGNING.code)
    elif question == "start":
        page.get_by_label("备案从哪一天开始？").fill("2026-10-20")
    else:
        chosen = {"category": "异地长期居住人员", "notice": "我已阅读并同意", "evidence": "个人承诺"}
        page.get_by_label(chosen[question]).check()
    go_on(page)


def answer_until(page: Page, last: str) -> None:
    """Answer the questions up to and with one of them; the page of the next one is shown then."""
    page.goto("/register")
    for question in ANSWERS:
        answer(page, question)
        if question == last:
            return


def test_a_patient_without_javascript_registers_looks_it_up_and_cancels(phone: Page):
    page = phone
    page.goto("/")
    page.get_by_role("link", name="开始备案").click()
    answer_until(page, "start")
    expect(page).to_have_title("核对您填写的信息 - 异地就医备案与结算")
    press(page, "确认并提交备案")

    expect(page.get_by_role("heading", level=1)).to_have_text("备案成功")
    reference = page.locator(".ref").inner_text()
    page.get_by_role("link", name="查看这份备案").click()
    press(page, "退出查询")

    page.get_by_role("link", name="查询或撤销已有备案").click()
    page.get_by_label("备案编号").fill(reference)
    page.get_by_label("身份证号码最后四位").fill(PERSONS["Wei"].identity.number[-4:])
    press(page, "查询")
    page.get_by_role("link", name="撤销这份备案").click()
    press(page, "确定撤销")

    expect(page.locator(".state")).to_have_text("已撤销")


def test_the_browsers_own_back_button_works(phone: Page):
    answer_until(phone, "care-place")

    phone.go_back()
    phone.go_back()

    expect(phone.get_by_label("姓名")).to_have_value(PERSONS["Wei"].name)
    go_on(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("您属于哪种情况？")


def test_the_link_in_the_summary_of_faults_leads_into_the_field(phone: Page):
    answer_until(phone, "insured-place")
    go_on(phone)

    phone.get_by_role("link", name="请填写手机号码。").click()

    expect(phone.get_by_label("手机号码")).to_be_focused()


# --- every page, measured ------------------------------------------------------------------------------------------


@pytest.fixture
def measured(chromium: Browser, address: str) -> Iterator[Page]:
    """A browser in which measures can be taken: the pages' own policy forbids scripts, the driver's do run."""
    context = chromium.new_context(viewport=PHONE, locale="zh-CN", base_url=address)
    yield context.new_page()
    context.close()


def measure(page: Page, axe_source: str) -> list[str]:
    """What is wrong with the page shown, at three widths."""
    faults = []
    where = page.url.partition("/")[2].partition("/")[2].partition("/")[2]
    page.evaluate(axe_source)
    for size in (PHONE, DESK, NARROWEST):
        page.set_viewport_size(size)
        found = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)
        for one in found["violations"]:
            targets = [node["html"][:120] for node in one["nodes"][:3]]
            faults.append(f"/{where} at {size['width']}: {one['id']}: {targets}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > size["width"]:
            faults.append(f"/{where} at {size['width']} is {wide} wide")
        faults += [f"/{where} at {size['width']}: too small: {small}" for small in page.evaluate(SMALL_TARGETS)]
    page.set_viewport_size(PHONE)
    return faults


SMALL_TARGETS = """() => {
  // Links within a sentence or a table are excepted from 44 pixels, and need 24 only where nothing else is near.
  const inline = 'p a, li a:not(nav a):not(.foot a), td a, th a, caption a, .hint a';
  return [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
    .filter(one => !one.matches(inline) && !one.matches('.choice input, .option input, .tick input, .skip'))
    .map(one => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
    .map(([one, box]) => one.outerHTML.slice(0, 80) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height));
}"""


def test_axe_finds_nothing_on_the_patients_pages(measured: Page, axe_source: str):
    page, faults = measured, []
    for path in ("/", "/help", "/status", "/nowhere", "/login", "/register"):
        page.goto(path)
        faults += measure(page, axe_source)
    for question in ANSWERS:
        if question != "start":  # The day is filled in already: today.
            go_on(page)
            faults += measure(page, axe_source)
        answer(page, question)
        faults += measure(page, axe_source)
    press(page, "确认并提交备案")
    faults += measure(page, axe_source)
    for path in ("/status/registration", "/status/registration/cancel", "/language/en?next=/status/registration"):
        page.goto(path)
        faults += measure(page, axe_source)

    assert not faults, "\n".join(faults)


def test_axe_finds_nothing_on_the_desks_pages(api: Api, measured: Page, axe_source: str):
    world, page, faults = api.world, measured, []
    hire(world, OPERATOR, "ops", role="operator")
    hire(world, world.agency(JIANGNING), "jia")
    waiting = world.register("Jiang", QINZHOU)
    bill = world.settled("Huang", QINZHOU, "12000.00", "380.50")
    world.register("Nong", HUANGSHAN, category=RegistrationCategory.LONG_TERM_RESIDENT, evidence=Evidence.PROMISE)
    world.cancel(world.settled("Wei", HUANGSHAN, "56000.00"))
    world.go_to(date(2026, 11, 2))
    world.close("2026-10")
    decide = f"/desk/registrations/{waiting.registration.id}"
    for login, paths in (
        ("jia", ["/desk", "/desk/registrations", decide, "/desk/bills", "/desk/statements"]),
        (
            "ops",
            [
                "/desk",
                "/desk/registrations?state=all",
                "/desk/bills?month=2026-10",
                f"/desk/bills/{bill.id}",
                "/desk/statements/stm_win_cross_province_2026-10_450700_statement_json",
                "/desk/windows",
                "/desk/windows/cross_province/2026-10",
                "/desk/match?day=2026-10-20",
            ],
        ),
    ):
        page.context.clear_cookies()
        page.goto("/login")
        page.get_by_label("登录名").fill(login)
        page.get_by_label("密码").fill(PASSWORD)
        press(page, "登录")
        for path in paths:
            page.goto(path)
            faults += measure(page, axe_source)

    assert not faults, "\n".join(faults)


def test_focus_is_seen_at_every_stop_and_follows_the_page(measured: Page):
    answer_until(measured, "insured-place")
    stops = []
    while not stops or stops[-1][0] != "工作人员登录":
        measured.keyboard.press("Tab")
        stops.append(
            measured.evaluate(
                """() => { const one = document.activeElement, style = getComputedStyle(one);
                return [one.id || one.textContent.trim(), parseFloat(style.outlineWidth), style.outlineStyle] }"""
            )
        )

    names = [name for name, _, _ in stops]
    assert names[0] == "跳到正文"
    assert names.index("name") < names.index("identity") < names.index("phone") < names.index("继续")
    assert all(width >= 2 and style == "solid" for _, width, style in stops)


def test_text_of_double_size_still_fits_a_phone(measured: Page):
    answer_until(measured, "start")

    measured.evaluate("document.documentElement.style.fontSize = '200%'")

    assert measured.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
