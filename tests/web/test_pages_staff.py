"""The workbench and the console: each sees his own, decides what is his, and finds every figure below its total."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hub.actions import matching
from hub.actions.statements import list_statements
from hub.core.registration import RegistrationState
from hub.ports import HUB_SCOPE
from tests.web.conftest import OPERATOR, Api
from tests.web.visitor import Visitor, hire
from tests.world import HUANGSHAN, JIANGNING, QINZHOU

DESKS = [
    "/desk",
    "/desk/registrations",
    "/desk/bills",
    "/desk/statements",
    "/desk/windows",
    "/desk/match",
]


def officer(api: Api, region=JIANGNING, login: str = "jia") -> Visitor:
    hire(api.world, api.world.agency(region), login)
    return Visitor(api.app).sign_in(login)


def operator(api: Api) -> Visitor:
    hire(api.world, OPERATOR, "ops", role="operator")
    return Visitor(api.app).sign_in("ops")


def closed_month(api: Api):
    """A month with three bills in three directions and one cancel, closed; gives Huang's bill in Qinzhou."""
    world = api.world
    bill = world.settled("Huang", QINZHOU, "12000.00", "380.50")
    world.settled("Wei", HUANGSHAN, "56000.00")
    world.settled("Nong", JIANGNING, "30000.00")
    world.cancel(world.settled("Xu", JIANGNING, "3000.00"))
    world.go_to(date(2026, 11, 2))
    world.close("2026-10")
    return bill


@pytest.mark.parametrize(
    "path", [*DESKS, "/desk/bills/bil-1", "/desk/statements/stm_1", "/desk/windows/cross_province/2026-10"]
)
def test_no_page_of_the_desk_opens_without_signing_in(api: Api, path: str):
    found = Visitor(api.app).open(path, follow=False)

    assert found.status == 303
    assert found.shown.headers["Location"].startswith("/login")


def test_every_desk_page_opens_on_an_empty_database(api: Api):
    for visitor in (officer(api), operator(api)):
        assert [visitor.open(path).status for path in DESKS] == [200] * len(DESKS)


def test_a_role_that_the_pages_do_not_know_opens_nothing(api: Api):
    hire(api.world, api.world.hospital(QINZHOU), "hos", role="hospital")

    visitor = Visitor(api.app).sign_in("hos")

    assert visitor.status == 403
    assert "没有权限" in visitor.words


# --- applications ------------------------------------------------------------------------------------------------


def test_an_officer_approves_what_waits(api: Api):
    record = api.world.register("Jiang", QINZHOU)
    visitor = officer(api)
    assert record.reference in visitor.open("/desk/registrations").words
    assert "2026-10-22" in visitor.words

    visitor.send(f"/desk/registrations/{record.registration.id}", {"decision": "approve", "reason": ""})

    assert "生效中" in visitor.words
    assert "staff:stf-jia" in visitor.words
    assert record.reference not in visitor.open("/desk/registrations").words


def test_an_application_that_waits_too_long_is_marked(api: Api):
    api.world.register("Jiang", QINZHOU)
    api.world.go_to(date(2026, 10, 23))

    assert "已超期" in officer(api).open("/desk/registrations").words


def test_a_refusal_needs_a_reason_and_a_decision_needs_a_choice(api: Api):
    record = api.world.register("Jiang", QINZHOU)
    path = f"/desk/registrations/{record.registration.id}"
    visitor = officer(api)

    visitor.send(path, {"decision": "refuse", "reason": "  "})
    assert visitor.status == 422
    assert visitor.title.startswith("错误：")
    assert "必须写明理由" in visitor.words

    visitor.post(path, {"decision": "", "reason": "好"})
    assert "请选择通过或不予通过" in visitor.words
    assert ">好</textarea>" in visitor.text


def test_who_entered_an_application_does_not_decide_it(api: Api):
    record = api.world.register("Jiang", QINZHOU, actor="staff:stf-jia")
    path = f"/desk/registrations/{record.registration.id}"
    visitor = officer(api)

    visitor.open(path)
    assert "四眼原则" in visitor.words
    assert 'name="decision"' not in visitor.text

    visitor.post(path, {"decision": "approve"})
    assert visitor.status == 422
    assert "须由其他同事审核" in visitor.words


def test_a_decision_taken_by_a_colleague_meanwhile_is_told(api: Api):
    record = api.world.register("Jiang", QINZHOU)
    path = f"/desk/registrations/{record.registration.id}"
    visitor = officer(api).open(path)
    api.world.approve(record)

    visitor.post(path, {"decision": "approve"})

    assert visitor.status == 422
    assert "状态已经改变" in visitor.words


@pytest.mark.parametrize("region", [QINZHOU, HUANGSHAN])
def test_another_agency_neither_sees_nor_decides_an_application(api: Api, region):
    """Qinzhou is the place of care: it knows the registration, but the desk is the insured place's."""
    record = api.world.register("Jiang", QINZHOU)
    visitor = officer(api, region, "other")
    path = f"/desk/registrations/{record.registration.id}"

    assert record.reference not in visitor.open("/desk/registrations?state=all").words
    assert visitor.open(path).status == 404
    assert visitor.open("/desk").post(path, {"decision": "approve"}).status == 404
    with api.world.store.begin(HUB_SCOPE) as uow:
        assert uow.registrations.get(record.registration.id).registration.state is RegistrationState.SUBMITTED


def test_the_operator_looks_but_does_not_decide(api: Api):
    record = api.world.register("Jiang", QINZHOU)
    path = f"/desk/registrations/{record.registration.id}"
    visitor = operator(api)

    assert visitor.open(path).status == 200
    assert 'name="decision"' not in visitor.text
    assert visitor.post(path, {"decision": "approve"}).status == 403


def test_names_in_lists_are_masked(api: Api):
    api.world.register("Jiang", QINZHOU)

    visitor = officer(api).open("/desk/registrations")

    assert "江**" in visitor.words
    assert "江测平" not in visitor.text


# --- figures -----------------------------------------------------------------------------------------------------


def test_a_bill_is_explained_step_by_step_down_to_its_total(api: Api):
    bill = closed_month(api)

    visitor = officer(api, HUANGSHAN, "hua").open(f"/desk/bills/{bill.id}")

    assert "12,380.50" in visitor.words
    steps = re.search(r'id="steps".*?</table>', visitor.text, re.DOTALL)
    assert steps
    assert len(re.findall(r"<tr><th scope=\"row\">", steps[0])) == len(bill.decision.steps)
    for step in bill.decision.steps:
        assert str(step.valid_from) in steps[0]
    assert "合计，等于费用总额" in steps[0]


def test_an_agency_sees_bills_of_its_own_two_sides_only(api: Api):
    bill = closed_month(api)

    for region, status in ((HUANGSHAN, 200), (QINZHOU, 200), (JIANGNING, 404)):
        visitor = officer(api, region, f"o{region}")
        assert visitor.open(f"/desk/bills/{bill.id}").status == status
        assert (bill.id in visitor.open("/desk/bills?month=2026-10").words) is (status == 200)


def test_a_month_that_is_none_is_refused_with_the_form_it_takes(api: Api):
    visitor = officer(api).open("/desk/bills?month=2026-13")

    assert visitor.status == 422
    assert "“2026-10”" in visitor.words


def test_a_statement_opens_with_totals_that_its_bookings_make(api: Api):
    closed_month(api)
    visitor = officer(api, HUANGSHAN, "hua").open("/desk/statements")
    [link] = re.findall(r'href="(/desk/statements/[^"]+)"', visitor.text)

    visitor.open(link)

    # Huang's bill at Qinzhou and Xu's at Jiangning, which was cancelled the same day; Wei was treated at Huangshan.
    sums = re.findall(r'<dd><span class="num[^"]*">([^<]+)</span></dd>', visitor.text)
    assert sums[:4] == ["0.00", "8,074.28", "−1,540.00", "6,534.28"]
    assert sums[4:8] == ["0.00", "38,188.00", "0.00", "38,188.00"]
    assert "黄山示范医院" in visitor.words


def test_the_files_of_a_statement_are_its_own_bytes(api: Api):
    closed_month(api)
    visitor = officer(api, HUANGSHAN, "hua")
    stored = list_statements(
        api.world.hub, scope=api.world.agency(HUANGSHAN).scope, regime=None, period=None, after="", limit=10
    )

    for one in stored:
        found = visitor.open(f"/desk/statements/{one.id}/file").shown
        assert found.headers["X-Content-SHA256"] == one.sha256
        assert found.headers["Content-Disposition"].startswith(f'attachment; filename="{one.id}.')


def test_another_regions_statement_is_not_found(api: Api):
    closed_month(api)

    visitor = officer(api, JIANGNING)

    for ending in ("", "/file"):
        assert (
            visitor.open(f"/desk/statements/stm_win_cross_province_2026-10_341000_statement_json{ending}").status == 404
        )


def test_the_operator_sees_who_owes_whom_and_each_amount_leads_to_its_proof(api: Api):
    closed_month(api)
    visitor = operator(api).open("/desk/windows")
    assert "已关闭" in visitor.words

    visitor.open("/desk/windows/cross_province/2026-10")

    assert all(figure in visitor.words for figure in ("6,534.28", "38,188.00", "双边轧差", "多边轧差"))
    links = set(re.findall(r'href="(/desk/statements/[^"]+)"', visitor.text))
    assert links
    assert {visitor.open(link).status for link in links} == {200}


def test_an_agency_sees_only_the_cells_that_concern_it(api: Api):
    closed_month(api)

    visitor = officer(api, JIANGNING).open("/desk/windows/cross_province/2026-10")

    assert "19,080.00" in visitor.words
    assert "38,188.00" not in visitor.words


def test_a_month_without_a_window_is_not_found(api: Api):
    visitor = operator(api)

    assert visitor.open("/desk/windows/cross_province/2020-01").status == 404
    assert visitor.open("/desk/windows/nowhere/2026-10").status == 404


def test_the_daily_match_names_each_break_with_its_cause(api: Api):
    bill = api.world.settled("Huang", QINZHOU)
    matching.match_day(api.world.hub, api.world.today, as_of=api.world.now)
    visitor = operator(api)

    visitor.open("/desk/match?day=2026-10-20")

    assert bill.id in visitor.words
    assert "有差异" in visitor.words
    assert "医院无此笔" in visitor.words or "参保地无此笔" in visitor.words
    assert visitor.open("/desk/match?day=2026-02-30").status == 422


def test_a_day_that_was_not_matched_does_not_look_like_one_that_agrees(api: Api):
    matching.match_day(api.world.hub, api.world.today, as_of=api.world.now)
    visitor = operator(api)

    assert "没有不一致的记录" in visitor.open("/desk/match?day=2026-10-20").words
    assert "尚未核对" not in visitor.words
    assert "尚未核对" in visitor.open("/desk/match?day=2026-10-19").words
    assert "没有不一致的记录" not in visitor.words
