import pytest, os
from tests.web.browser.conftest import *
from tests.web.visitor import hire, PASSWORD, ANSWERS, Visitor
from tests.world import *
from tests.web.conftest import OPERATOR
import datetime

OUT = "/tmp/look/shots"
os.makedirs(OUT, exist_ok=True)


def shot(page, name):
    for tag, size in (("390", PHONE), ("1280", DESK), ("320", NARROWEST)):
        page.set_viewport_size(size)
        page.screenshot(path=f"{OUT}/{name}-{tag}.png", full_page=True)
    page.set_viewport_size(PHONE)


def test_patient(api, phone):
    page = phone
    page.goto("/")
    shot(page, "00-start")
    page.goto("/register")
    shot(page, "01-insured")
    page.get_by_role("button", name="继续").click()
    shot(page, "01-insured-wrong")
    page.select_option("#insuring_region", QINZHOU.code)
    page.get_by_role("button", name="继续").click()
    page.fill("#name", "韦")
    page.fill("#identity", "45070219580312011X")
    page.fill("#phone", "123")
    page.get_by_role("button", name="继续").click()
    shot(page, "02-person-wrong")
    w = ANSWERS["person"]
    page.fill("#name", w["name"])
    page.fill("#identity", w["identity"])
    page.fill("#phone", w["phone"])
    shot(page, "02-person")
    page.get_by_role("button", name="继续").click()
    shot(page, "03-care")
    page.select_option("#care_region", JIANGNING.code)
    page.get_by_role("button", name="继续").click()
    shot(page, "04-category")
    page.locator("label[for=category-long_term_resident]").click()
    page.get_by_role("button", name="继续").click()
    shot(page, "05-notice")
    page.locator("label[for=notice_version]").click()
    page.get_by_role("button", name="继续").click()
    shot(page, "06-evidence")
    page.locator("label[for=evidence-promise]").click()
    shot(page, "06-evidence-chosen")
    page.get_by_role("button", name="继续").click()
    shot(page, "07-startday")
    page.get_by_role("button", name="继续").click()
    shot(page, "08-check")
    page.get_by_role("button", name="确认并提交备案").click()
    shot(page, "09-done")
    page.get_by_role("link", name="查看这份备案").click()
    shot(page, "10-own")
    page.get_by_role("link", name="撤销这份备案").click()
    shot(page, "11-cancel")
    page.get_by_role("button", name="确定撤销").click()
    shot(page, "12-cancelled")
    page.goto("/status")
    shot(page, "13-status")
    page.goto("/nowhere")
    shot(page, "14-404")
    page.goto("/help")
    shot(page, "15-help")
    page.goto("/language/en?next=/")
    shot(page, "16-start-en")
    page.goto("/login")
    shot(page, "17-login-en")


def test_staff(api, desk):
    w = api.world
    hire(w, w.agency(QINZHOU), "qz")
    hire(w, OPERATOR, "op", role="operator")
    w.register("Wei", JIANGNING)
    w.register("Nong", HUANGSHAN, category=RegistrationCategory.LONG_TERM_RESIDENT, evidence=Evidence.PROMISE)
    b = w.settled("Huang", QINZHOU, "12000.00", "380.50")
    w.settled("Jiang", QINZHOU, "8000.00")
    c = w.settled("Wei", HUANGSHAN, "56000.00")
    d = w.settled("Nong", JIANGNING, "30000.00")
    w.cancel(w.settled("Xu", JIANGNING, "3000.00"))
    w.deliver_all()
    from hub.actions import matching

    matching.match_day(w.hub, w.today, as_of=w.now)
    w.go_to(datetime.date(2026, 11, 2))
    w.close("2026-10")
    page = desk

    def login(n):
        page.goto("/login")
        page.fill("#login", n)
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="登录").click()

    page.goto("/login")
    shot(page, "20-login")
    login("qz")
    shot(page, "21-desk")
    page.goto("/desk/registrations?state=all")
    shot(page, "22-registrations")
    page.locator("tbody a").first.click()
    shot(page, "23-registration")
    page.goto("/desk/bills?month=2026-10")
    shot(page, "24-bills")
    page.goto(f"/desk/bills/{c.id}")
    shot(page, "25-bill")
    page.goto("/desk/statements")
    shot(page, "26-statements")
    page.locator("tbody a").first.click()
    shot(page, "27-statement")
    page.goto("/desk/windows")
    shot(page, "28-windows")
    page.goto("/desk/match?day=2026-10-20")
    shot(page, "29-match-agency")
    page.locator("button.linklike").click()
    login("op")
    shot(page, "30-desk-op")
    page.goto("/desk/windows/cross_province/2026-10")
    shot(page, "31-window")
    page.goto("/desk/match?day=2026-10-20")
    shot(page, "32-match")
    page.goto("/desk/registrations?state=all")
    shot(page, "33-registrations-op")
