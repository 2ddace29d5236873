"""The mapping workbench: what waits, a mapping drafted and looked at, two people, undo, bulk, coverage."""

from __future__ import annotations

import re

import pytest

from hub.core.mapping import ChangeState
from hub.ports import HUB_SCOPE
from tests.web.bench import INTRAVENOUS, NURSING_1, NURSING_2, Bench, set_up
from tests.web.conftest import OPERATOR, Api
from tests.web.test_pages_shape import assert_well_made
from tests.web.visitor import Visitor, hire
from tests.world import HUANGSHAN, JIANGNING, QINZHOU

CODE = "/desk/mapping/code?kind=service&code=JN-001"
ENTRY = "/desk/mapping/entry?kind=service&code=JN-001"
DRAFT = {"target": NURSING_1.code, "grade": "exact", "valid_from": "2026-10-01", "reason": "同名同义"}
TERMS = {
    "name": "一级护理",
    "unit": "日",
    "benefit_class": "B",
    "first_self_pay": "20",
    "valid_from": "2026-10-01",
    "reason": "苏医保发〔2026〕1号",
}


@pytest.fixture
def bench(api: Api, owner) -> Bench:
    return set_up(api, owner)


@pytest.fixture
def jia(bench: Bench) -> Visitor:
    return Visitor(bench.api.app).sign_in("jia")


@pytest.fixture
def yi(bench: Bench) -> Visitor:
    return Visitor(bench.api.app).sign_in("yi")


def changes(bench: Bench) -> list:
    with bench.api.world.store.begin(HUB_SCOPE) as uow:
        return list(uow.changes.listed(JIANGNING, state=None, kind=None, after="", limit=100))


def step(visitor: Visitor, path: str, values: dict[str, str], *, to: str) -> Visitor:
    """Open a code and send its form with what its hidden fields hold."""
    visitor.open(path)
    return visitor.post(path, {"seen": hidden(visitor, "seen"), **values, "step": to})


def hidden(visitor: Visitor, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', visitor.text)
    assert found, name
    return found[1]


# --- the queue -----------------------------------------------------------------------------------------------------


def test_the_queue_lists_what_waits_with_the_most_money_first(jia: Visitor):
    jia.open("/desk/mapping")

    codes = re.findall(r'<span class="code small">(JN-\d+|XX-9)</span>', jia.text)
    assert codes == ["JN-001", "JN-002", "JN-004", "XX-9"]
    assert "1,000.00" in jia.words
    assert "96.8%" in jia.words
    assert "名称相近" in jia.words


def test_the_queue_can_be_asked_for_one_kind(jia: Visitor):
    assert "没有结算单在等待对应" in jia.open("/desk/mapping?kind=drug").words
    assert "一级护理" in jia.open("/desk/mapping?kind=service").words


def test_a_name_from_a_file_is_shown_as_text_and_never_as_markup(jia: Visitor):
    jia.open("/desk/mapping?code=陪客")

    assert "陪客床&lt;b&gt;位&lt;/b&gt;费" in jia.text


def test_a_code_typed_to_the_letter_opens_its_row(jia: Visitor):
    found = jia.open("/desk/mapping?code=JN-003", follow=False)

    assert found.shown.headers["Location"] == "/desk/mapping/code?kind=service&code=JN-003"


def test_a_code_that_nobody_knows_is_said_so_at_the_field(jia: Visitor):
    jia.open("/desk/mapping?code=nowhere")

    assert jia.status == 422
    assert 'id="code-wrong"' in jia.text


def test_an_agency_sees_nothing_of_another_regions_queue(bench: Bench):
    hire(bench.api.world, bench.api.world.agency(QINZHOU), "qin")
    record = bench.propose("JN-001")

    visitor = Visitor(bench.api.app).sign_in("qin")

    assert "JN-001" not in visitor.open("/desk/mapping").text
    assert visitor.open(f"/desk/mapping/changes/{record.id}").status == 404
    assert visitor.open(CODE).status == 404


def test_a_region_without_a_catalog_is_told_so(bench: Bench):
    hire(bench.api.world, bench.api.world.agency(HUANGSHAN), "hua")

    visitor = Visitor(bench.api.app).sign_in("hua").open("/desk/mapping")

    assert visitor.status == 200
    assert "还没有装入目录" in visitor.words


def test_the_operator_does_not_work_on_a_regions_catalog(bench: Bench):
    hire(bench.api.world, OPERATOR, "ops", role="operator")

    visitor = Visitor(bench.api.app).sign_in("ops")

    assert visitor.open("/desk/mapping").status == 403
    assert "目录对应" not in visitor.open("/desk").words


# --- one code ------------------------------------------------------------------------------------------------------


def test_a_row_shows_its_facts_and_its_candidates_with_what_differs(jia: Visitor):
    jia.open(CODE)

    assert "2 张结算单的 2 行在等待，共 1,000.00 元" in jia.words
    assert "<del>一</del><mark>Ⅰ</mark>级护理" in jia.text
    assert "含需要护士每15—30分钟巡视观察一次" in jia.words
    assert f'value="{NURSING_1.code}" checked' in jia.text


def test_a_candidate_that_is_likelier_wrong_is_not_chosen_beforehand(jia: Visitor):
    jia.open(CODE.replace("JN-001", "JN-003"))

    assert "26.6%" in jia.words
    assert "推荐" not in jia.words
    assert " checked" not in jia.text


def test_what_differs_from_the_local_unit_is_marked(jia: Visitor):
    jia.open(CODE.replace("JN-001", "JN-002"))

    assert "计价单位：<mark>组</mark>" in jia.text


def test_a_code_that_only_a_bill_names_can_be_opened(jia: Visitor):
    jia.open(CODE.replace("JN-001", "XX-9"))

    assert jia.status == 200
    assert "地区目录里没有这个编码" in jia.words


def test_a_search_adds_what_the_candidates_lack(jia: Visitor):
    jia.open(CODE + "&q=静脉")

    assert f'value="{INTRAVENOUS.code}"' in jia.text
    assert "没有检索到" in jia.open(CODE + "&q=nothing").words


def test_a_preview_tells_what_would_move_and_writes_nothing(bench: Bench, jia: Visitor):
    step(jia, CODE, DRAFT, to="preview")

    assert jia.status == 200
    assert "尚未提交" in jia.words
    assert "基金多付" in jia.words
    assert bench.bills[0].id in jia.text
    assert changes(bench) == []


def test_a_preview_can_be_gone_back_from_with_all_that_was_typed(jia: Visitor):
    step(jia, CODE, {**DRAFT, "target": NURSING_2.code, "age_to": "14"}, to="preview")

    jia.post(CODE, {**DRAFT, "target": NURSING_2.code, "age_to": "14", "seen": hidden(jia, "seen"), "step": "edit"})

    assert f'value="{NURSING_2.code}" checked' in jia.text
    assert 'name="age_to" type="text" value="14"' in jia.text


def test_a_proposal_is_written_with_the_candidates_score_and_leads_to_the_next_row(bench: Bench, jia: Visitor):
    step(jia, CODE, DRAFT, to="propose")

    [record] = changes(bench)
    assert (record.state, record.score, record.proposed_by) == (ChangeState.PROPOSED, 968, "staff:stf-jia")
    assert "待复核：一级护理 → Ⅰ级护理" in jia.words
    assert "静脉输液(住院)" in jia.title


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"target": ""}, "target"),
        ({"target": "12"}, "target"),
        ({"target": "001299000010000"}, "target"),
        ({"target": "001200000000000"}, "target"),
        ({"grade": "best"}, "grade"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"valid_from": "2020-01-01"}, "valid_from"),
        ({"valid_until": "2026-09-01"}, "valid_until"),
        ({"age_from": "60", "age_to": "18"}, "age_to"),
        ({"age_from": "-1"}, "age_from"),
        ({"sex": "9"}, "sex"),
        ({"diagnoses": "<script>"}, "diagnoses"),
        ({"reason": " "}, "reason"),
    ],
)
@pytest.mark.parametrize("to", ["preview", "propose"])
def test_a_wrong_answer_is_told_at_its_field_and_nothing_is_written(
    bench: Bench, jia: Visitor, changed: dict[str, str], field: str, to: str
):
    step(jia, CODE, {**DRAFT, **changed}, to=to)

    assert jia.status == 422
    assert f'id="{field}-wrong"' in jia.text
    assert jia.title.startswith("错误：")
    assert changes(bench) == []


def test_a_row_decided_meanwhile_says_so_and_writes_nothing(bench: Bench, jia: Visitor):
    jia.open(CODE)
    seen = hidden(jia, "seen")
    bench.propose("JN-001", login="yi")

    jia.post(CODE, {**DRAFT, "seen": seen, "step": "propose"})

    assert jia.status == 409
    assert "没有写入任何内容" in jia.words
    assert len(changes(bench)) == 1


def test_a_second_proposal_of_a_code_is_refused_while_one_waits(bench: Bench, jia: Visitor):
    bench.propose("JN-001", login="yi")

    step(jia, CODE, DRAFT, to="propose")

    assert jia.status == 409
    assert "已有一条建议在等待复核" in jia.words


def test_a_form_without_its_token_is_refused(bench: Bench, jia: Visitor):
    found = jia.client.post(CODE, data={**DRAFT, "step": "propose"}, headers={"Origin": "http://localhost"})

    assert found.status_code == 400
    assert changes(bench) == []


# --- an entry ------------------------------------------------------------------------------------------------------


def test_the_form_of_an_entry_holds_what_holds_now(jia: Visitor):
    jia.open(ENTRY)

    assert 'name="first_self_pay" type="text" value="10"' in jia.text
    assert '<option value="B" selected>' in jia.text


def test_an_entry_is_previewed_then_proposed(bench: Bench, jia: Visitor):
    path = ENTRY.replace("JN-001", "310300001")
    terms = {**TERMS, "name": "挂号费", "unit": "次"}

    step(jia, path, terms, to="preview")
    assert "基金少付" in jia.words
    jia.post(path, {**terms, "seen": hidden(jia, "seen"), "step": "propose"})

    [record] = changes(bench)
    assert str(record.new.first_self_pay) == "20 %"
    assert "乙类，先行自付 20 %" in jia.words


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"benefit_class": "D"}, "benefit_class"),
        ({"first_self_pay": ""}, "first_self_pay"),
        ({"first_self_pay": "101"}, "first_self_pay"),
        ({"benefit_class": "A"}, "first_self_pay"),
        ({"limit_3": "3.22E+14"}, "limit_3"),
        ({"limit_2": "-5"}, "limit_2"),
        ({"payment_standard": "ten"}, "payment_standard"),
        ({"grace_until": "2027-01-01"}, "grace_until"),
        ({"most_days": "0"}, "most_days"),
        ({"age_from": "9", "age_to": "3"}, "age_to"),
        ({"valid_from": "2020-01-01"}, "valid_from"),
        ({"first_self_pay": "10"}, "valid_from"),
    ],
)
def test_a_wrong_term_is_told_at_its_field(bench: Bench, jia: Visitor, changed: dict[str, str], field: str):
    step(jia, ENTRY, {**TERMS, **changed}, to="propose")

    assert jia.status == 422
    assert f'id="{field}-wrong"' in jia.text
    assert changes(bench) == []


# --- review --------------------------------------------------------------------------------------------------------


def test_ones_own_proposal_is_listed_but_cannot_be_approved(bench: Bench, jia: Visitor):
    record = bench.propose("JN-001")
    path = f"/desk/mapping/changes/{record.id}"

    assert "您本人提出，须由同事复核" in jia.open("/desk/mapping/review").words
    jia.open(path)
    assert 'value="approve"' not in jia.text
    assert "须由另一位同事复核" in jia.words
    jia.post(path, {"decision": "approve", "reason": "", "seen": "proposed"})

    assert jia.status == 422
    assert changes(bench)[0].state is ChangeState.PROPOSED


def test_a_colleague_sees_the_impact_and_approves(bench: Bench, yi: Visitor):
    record = bench.propose("JN-001")
    path = f"/desk/mapping/changes/{record.id}"
    assert "jia 同志" in yi.open("/desk/mapping/review").words
    assert "基金多付" in yi.open(path).words

    yi.post(path, {"decision": "approve", "reason": "", "seen": "proposed"})

    assert changes(bench)[0].state is ChangeState.IN_FORCE
    assert "已生效：一级护理 → Ⅰ级护理" in yi.words
    assert "JN-001" not in re.findall(r'<span class="code small">([^<]+)<', yi.open("/desk/mapping").text)


def test_a_rejection_needs_a_reason(bench: Bench, yi: Visitor):
    record = bench.propose("JN-001")
    path = f"/desk/mapping/changes/{record.id}"
    yi.open(path)

    yi.post(path, {"decision": "reject", "reason": " ", "seen": "proposed"})
    assert yi.status == 422
    assert 'id="reason-wrong"' in yi.text
    yi.post(path, {"decision": "reject", "reason": "国家项目含义不同", "seen": "proposed"})

    assert changes(bench)[0].state is ChangeState.REJECTED
    assert "国家项目含义不同" in yi.open(CODE).words


def test_a_decision_that_another_made_first_is_told(bench: Bench, yi: Visitor):
    record = bench.propose("JN-001")
    path = f"/desk/mapping/changes/{record.id}"
    yi.open(path)
    bench.approve(record, login="bing")

    yi.post(path, {"decision": "reject", "reason": "不同", "seen": "proposed"})

    assert yi.status == 409
    assert "已被别人处理" in yi.words
    assert changes(bench)[0].state is ChangeState.IN_FORCE


def test_a_proposal_is_withdrawn_by_who_made_it(bench: Bench, jia: Visitor):
    record = bench.propose("JN-001")

    jia.send(f"/desk/mapping/changes/{record.id}", {"decision": "withdraw", "reason": "选错了", "seen": "proposed"})

    assert changes(bench)[0].state is ChangeState.WITHDRAWN


# --- undo ----------------------------------------------------------------------------------------------------------


def test_an_undo_is_proposed_by_one_and_approved_by_another(bench: Bench, jia: Visitor, yi: Visitor):
    record = bench.approve(bench.propose("JN-001"))
    path = f"/desk/mapping/changes/{record.id}"
    assert "一级护理 → Ⅰ级护理" in jia.open("/desk/mapping/in-force").words
    assert "撤销会影响哪些结算单" in jia.open(path).words

    jia.post(path, {"decision": "undo", "reason": "含义不同", "seen": "in_force"})
    assert changes(bench)[0].state is ChangeState.UNDO_PROPOSED
    assert 'value="approve"' not in jia.open(path).text
    yi.send(path, {"decision": "approve", "reason": "", "seen": "undo_proposed"})

    assert changes(bench)[0].state is ChangeState.UNDONE
    assert "撤销通过" in yi.open(CODE).words


def test_an_undo_needs_a_reason(bench: Bench, jia: Visitor):
    record = bench.approve(bench.propose("JN-001"))

    jia.send(f"/desk/mapping/changes/{record.id}", {"decision": "undo", "reason": "", "seen": "in_force"})

    assert jia.status == 422
    assert changes(bench)[0].state is ChangeState.IN_FORCE


# --- in bulk -------------------------------------------------------------------------------------------------------


def test_a_bulk_proposal_shows_its_count_before_it_is_confirmed(bench: Bench, jia: Visitor):
    jia.open("/desk/mapping/bulk?what=propose&kind=service&score=80")

    assert "确认提交这 2 条" in jia.words
    assert "1,090.50" in jia.words
    assert changes(bench) == []


def test_a_confirmed_bulk_proposal_writes_all_of_it(bench: Bench, jia: Visitor):
    jia.open("/desk/mapping/bulk?what=propose&kind=service&score=80")

    jia.post("/desk/mapping/bulk", {**bulk("propose", "2"), "valid_from": "2026-10-01"})

    assert sorted(one.score for one in changes(bench)) == [874, 968]
    assert "已提交 2 条" in jia.words


def test_a_bulk_approval_leaves_ones_own_out(bench: Bench, yi: Visitor):
    jia = Visitor(bench.api.app).sign_in("jia").open("/desk/mapping/bulk?what=propose&kind=service&score=80")
    jia.post("/desk/mapping/bulk", {**bulk("propose", "2"), "valid_from": "2026-10-01"})
    path = "/desk/mapping/bulk?what=approve&kind=service&score=90"

    assert "没有达到这个分数的行" in jia.open(path).words
    assert "确认通过这 1 条" in yi.open(path).words
    yi.post("/desk/mapping/bulk", {**bulk("approve", "1"), "score": "90"})

    assert sorted(one.state for one in changes(bench)) == [ChangeState.IN_FORCE, ChangeState.PROPOSED]


def test_a_bulk_press_on_another_number_of_rows_than_was_shown_is_refused(bench: Bench, jia: Visitor):
    jia.open("/desk/mapping/bulk?what=propose&kind=service&score=80")
    bench.propose("JN-001", login="yi")

    jia.post("/desk/mapping/bulk", {**bulk("propose", "2"), "valid_from": "2026-10-01"})

    assert jia.status == 409
    assert len(changes(bench)) == 1


@pytest.mark.parametrize("changed", [{"score": "many"}, {"score": "101"}, {"reason": ""}, {"valid_from": "soon"}])
def test_a_bulk_press_with_a_wrong_answer_writes_nothing(bench: Bench, jia: Visitor, changed: dict[str, str]):
    jia.open("/desk/mapping/bulk?what=propose&kind=service&score=80")

    jia.post("/desk/mapping/bulk", {**bulk("propose", "2"), "valid_from": "2026-10-01", **changed})

    assert jia.status == 422
    assert changes(bench) == []


def bulk(what: str, count: str) -> dict[str, str]:
    return {"what": what, "kind": "service", "score": "80", "count": count, "reason": "逐条看过"}


# --- coverage and keys ---------------------------------------------------------------------------------------------


def test_coverage_is_told_in_rows_and_in_money(bench: Bench, jia: Visitor):
    jia.open("/desk/mapping/coverage")

    assert "共 5 行：已对应 2，其中可支付 1，未对应 3" in jia.words
    assert "40.0%" in jia.words
    assert "共 51,147.50，等待 1,147.50" in jia.words


def test_the_keys_are_a_script_of_our_own_and_can_be_switched_off(jia: Visitor):
    jia.open("/desk/mapping")
    assert "script-src 'self'" in jia.shown.headers["Content-Security-Policy"]
    assert "unsafe" not in jia.shown.headers["Content-Security-Policy"]
    assert 'src="/assets/workbench.js' in jia.text

    jia.open("/desk/mapping/keys/off?next=/desk/mapping")

    assert "workbench.js" not in jia.text
    assert "data-key" not in jia.text.replace('<summary data-key="?">', "")


def test_every_page_of_the_workbench_is_well_made(bench: Bench, jia: Visitor, yi: Visitor):
    waiting, held = bench.propose("JN-002", INTRAVENOUS), bench.approve(bench.propose("JN-001"))
    for path in (
        *("/desk/mapping", "/desk/mapping?code=nowhere", CODE, CODE + "&q=护理", ENTRY, "/desk/mapping/coverage"),
        *("/desk/mapping/review", f"/desk/mapping/changes/{waiting.id}", "/desk/mapping/in-force"),
        *(f"/desk/mapping/changes/{held.id}", "/desk/mapping/bulk?what=propose&kind=service&score=50"),
        "/desk/mapping/bulk?what=approve&kind=service&score=50",
    ):
        assert_well_made(yi.open(path), path, scripts=1)
    assert_well_made(step(jia, CODE, DRAFT, to="preview"), "preview", scripts=1)
    assert_well_made(step(jia, CODE, {}, to="preview"), "faults", scripts=1)
    assert_well_made(step(jia, ENTRY, {}, to="preview"), "faults of an entry", scripts=1)


def test_the_workbench_reads_in_english_too(bench: Bench, jia: Visitor):
    bench.propose("JN-002", INTRAVENOUS, login="yi")
    jia.open("/language/en")

    for path in ("/desk/mapping", CODE, ENTRY, "/desk/mapping/review", "/desk/mapping/coverage"):
        jia.open(path)
        assert jia.status == 200
        assert not re.search(r">[^<]*(待|复核|候选)[^<]*<", jia.text.replace("中文", "")), path
