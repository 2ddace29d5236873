"""The patient's registration page by page, with every wrong answer, and without JavaScript: plain requests."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date

import pytest

from hub.core.codes import IdentityNumber
from hub.core.decision import Coverage
from hub.core.errors import Unreachable
from hub.web.pages.draft import KEY, QUESTIONS, Draft
from hub.web.pages.wizard import _file
from tests.web.conftest import Api
from tests.web.visitor import ANSWERS, Visitor
from tests.world import HUANGSHAN, JIANGNING, PERSONS, QINZHOU


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api.app)


def before(question: str) -> list[str]:
    """The questions that come before one."""
    asked = list(QUESTIONS)
    return asked[: asked.index(question)]


def test_a_patient_registers_in_eight_pages_and_gets_a_reference_number(api: Api, visitor: Visitor):
    reference = visitor.file()

    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}", reference)
    assert "备案成功" in visitor.title
    assert "现在已经生效" in visitor.words
    assert "江宁示范医院" in visitor.words
    assert api.count("registration") == 1


def test_an_application_that_waits_for_an_officer_says_by_which_working_day(visitor: Visitor):
    jiang = PERSONS["Jiang"]
    visitor.file(
        insured_place={"insuring_region": JIANGNING.code},
        person={"name": jiang.name, "identity": jiang.identity.number, "phone": jiang.phone},
        care_place={"care_region": QINZHOU.code},
        category={"category": "other_temporary"},
    )

    assert "备案申请已提交" in visitor.title
    # 20 October 2026 is a Tuesday: two working days later is the Thursday.
    assert "2026年10月22日" in visitor.words


WRONG = {
    "no insured place": ("insured-place", {"insuring_region": ""}, "insuring_region", "请选择您的参保地"),
    "a place of another list": ("insured-place", {"insuring_region": "120000"}, "insuring_region", "请选择您的参保地"),
    "no name": ("person", {"name": " "}, "name", "请填写姓名"),
    "a name of digits": ("person", {"name": "李4"}, "name", "不含数字"),
    "a hidden character": ("person", {"name": "韦\u202e测安"}, "name", "不可见的控制字符"),
    "no identity number": ("person", {"identity": ""}, "identity", "请填写 18 位身份证号码"),
    "a short identity number": ("person", {"identity": "4507021958"}, "identity", "应为 18 位"),
    "no such province": ("person", {"identity": "990702195803120119"}, "identity", "前两位"),
    "no such day of birth": ("person", {"identity": "450702195813120119"}, "identity", "出生日期"),
    "a wrong check digit": ("person", {"identity": "450702195803120118"}, "identity", "校验位不符"),
    "no phone": ("person", {"phone": ""}, "phone", "请填写手机号码"),
    "a phone of a house": ("person", {"phone": "07772830000"}, "phone", "11 位数字"),
    "no city": ("care-place", {"care_region": ""}, "care_region", "请选择您要去就医的城市"),
    "the insured place itself": ("care-place", {"care_region": QINZHOU.code}, "care_region", "不需要备案"),
    "no category": ("category", {"category": ""}, "category", "请选择一种备案类别"),
    "an emergency": ("category", {"category": "emergency"}, "category", "请选择一种备案类别"),
    "the notice not accepted": ("notice", {"notice_version": ""}, "notice_version", "我已阅读并同意"),
    "another notice": ("notice", {"notice_version": "2020-01"}, "notice_version", "我已阅读并同意"),
    "no evidence": ("evidence", {"evidence": ""}, "evidence", "请选择证明方式"),
    "evidence of another category": ("evidence", {"evidence": "referral_certificate"}, "evidence", "请选择证明方式"),
    "no day": ("start", {"start": ""}, "start", "请填写备案开始日期"),
    "no such day": ("start", {"start": "2026-02-30"}, "start", "不是有效的日期"),
    "yesterday": ("start", {"start": "2026-10-19"}, "start", "不能早于今天"),
    "too far ahead": ("start", {"start": "2027-04-21"}, "start", "六个月"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_wrong_answer_is_shown_on_top_and_at_its_field_with_how_to_mend_it(visitor: Visitor, question: str):
    visitor.answer(*before(question))
    for asked, wrong, field, words in WRONG.values():
        if asked == question:
            visitor.send(f"/register/{question}", {**ANSWERS[question], **wrong})

            assert_mendable(visitor, field, words)


def assert_mendable(visitor: Visitor, field: str, words: str) -> None:
    """The complaint stands in the title, in the summary with a link that leads somewhere, and at the field."""
    assert visitor.status == 422
    assert visitor.title.startswith("错误：")
    summary = re.search(r'<div class="faults".*?</div>', visitor.text, re.DOTALL)
    assert summary
    assert words in html.unescape(summary[0])
    target = re.search(r'href="#([^"]+)"', summary[0])
    assert target
    assert f'id="{target[1]}"' in visitor.text
    assert re.search(rf'id="{field}-wrong".*?{words}', html.unescape(visitor.text), re.DOTALL)
    assert f"{field}-wrong" in str(re.findall(r'aria-describedby="([^"]+)"', visitor.text))


def test_what_was_typed_is_kept_and_escaped(visitor: Visitor):
    visitor.answer("insured-place")

    visitor.send("/register/person", {**ANSWERS["person"], "name": '"><script>alert(1)</script>', "phone": "12"})

    assert "<script" not in visitor.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in visitor.text
    assert 'value="12"' in visitor.text
    assert f'value="{ANSWERS["person"]["identity"]}"' in visitor.text


def test_full_width_digits_blanks_a_small_x_and_the_country_code_are_forgiven(visitor: Visitor):
    visitor.answer("insured-place")

    visitor.send(
        "/register/person",
        {"name": " 韦测安 ", "identity": "４５０７０２ 19580312 0119", "phone": "+86 139-0000-0011"},
    )

    assert "您要去哪个城市就医" in visitor.title


@pytest.mark.parametrize(
    ("who", "insured"),
    [
        ({"name": "韦测平"}, QINZHOU),
        ({"identity": PERSONS["Nong"].identity.number}, QINZHOU),
        ({}, HUANGSHAN),
    ],
)
def test_a_pair_that_the_insured_place_does_not_know_gives_one_equal_sentence(visitor: Visitor, who, insured):
    visitor.answer("insured-place", insured_place={"insuring_region": insured.code})

    visitor.send("/register/person", {**ANSWERS["person"], **who})

    assert visitor.status == 422
    found = re.search(r'id="name-wrong">.*?</span>([^<]+)<', visitor.text)
    assert found
    assert html.unescape(found[1]) == "所选参保地查不到这位参保人。请核对姓名、证件号码和参保地后重试。"


def test_a_person_whose_insurance_is_paused_is_told_whom_to_ask(visitor: Visitor):
    paused = PERSONS["Paused"]
    visitor.answer("insured-place")

    visitor.send("/register/person", {"name": paused.name, "identity": paused.identity.number, "phone": paused.phone})

    assert "不是正常参保状态" in visitor.words
    assert "12393" in visitor.words


class Silent:
    """A region that does not answer."""

    def coverage(self, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None:
        raise Unreachable("region_silent", "no answer", transient=True)


def test_a_region_that_does_not_answer_loses_nothing_that_was_typed(api: Api, visitor: Visitor):
    built = api.app.extensions["hub"]
    gateways = {**built.hub.gateways, QINZHOU: Silent()}
    api.app.extensions["hub"] = replace(built, hub=replace(built.hub, gateways=gateways))

    visitor.answer("insured-place", "person")

    assert "暂时没有回应" in visitor.words
    assert ANSWERS["person"]["name"] in visitor.text


# --- order of the questions ----------------------------------------------------------------------------------------


def test_no_question_can_be_skipped(visitor: Visitor):
    for question in [*list(QUESTIONS)[1:], "check"]:
        visitor.open(f"/register/{question}", follow=False)
        assert visitor.shown.headers["Location"] == "/register/insured-place"

        visitor.open("/register/insured-place").post(f"/register/{question}", ANSWERS.get(question), follow=False)
        assert visitor.shown.headers["Location"] == "/register/insured-place"


def test_a_question_that_is_none_is_not_found(visitor: Visitor):
    assert visitor.open("/register/nothing").status == 404


def test_going_back_shows_the_answer_given_before(visitor: Visitor):
    visitor.answer("insured-place", "person", "care-place")

    visitor.open("/register/care-place")

    assert f'value="{JIANGNING.code}" selected' in visitor.text
    assert 'href="/register/person"' in visitor.text


def test_a_change_from_the_summary_leads_straight_back_to_it(visitor: Visitor):
    visitor.answer_all()

    visitor.send("/register/start", {"start": "2026-11-01"})

    assert "核对您填写的信息" in visitor.title
    assert "2026年11月1日" in visitor.words


def test_another_insured_place_is_asked_about_the_person_again(visitor: Visitor):
    visitor.answer_all()

    visitor.send("/register/insured-place", {"insuring_region": HUANGSHAN.code})

    assert "谁要去外地就医" in visitor.title
    assert "查不到这位参保人" in visitor.words
    assert ANSWERS["person"]["identity"] in visitor.text


def test_another_category_voids_evidence_that_it_does_not_accept(visitor: Visitor):
    visitor.answer_all()

    visitor.send("/register/category", {"category": "referred"})

    assert "核对您填写的信息" in visitor.title
    assert "转诊证明" in visitor.words
    assert "个人承诺" not in visitor.words


def test_a_category_without_a_choice_of_evidence_is_not_asked_for_it(visitor: Visitor):
    visitor.answer("insured-place", "person", "care-place")

    visitor.send("/register/category", {"category": "other_temporary"})
    visitor.answer("notice")

    assert "备案从哪一天开始" in visitor.title
    assert "第 6 步，共 7 步" in visitor.words


def test_fields_that_no_question_asks_for_are_left_aside(api: Api, visitor: Visitor):
    visitor.answer_all().send(
        "/register/check", {"state": "approved", "submitted_by": "x", "insuring_region": "341000"}
    )

    assert "备案成功" in visitor.title
    assert api.count("registration") == 1


# --- sending -------------------------------------------------------------------------------------------------------


def test_a_second_registration_for_the_same_place_is_refused_where_it_can_be_mended(api: Api, visitor: Visitor):
    visitor.file()
    again = Visitor(api.app).answer_all()

    again.send("/register/check")

    assert again.status == 422
    assert "已有一份未结束的备案" in again.words
    assert 'href="#care-place"' in again.text
    assert api.count("registration") == 1


def test_a_button_pressed_twice_files_once(api: Api):
    held = {
        KEY: {
            "key": "one-draft",
            "checked": "yes",
            **{name: value for answers in ANSWERS.values() for name, value in answers.items()},
        }
    }

    with api.app.test_request_context("/register/check"):
        first = _file(Draft(held))
        second = _file(Draft(held))

    assert first == second
    assert api.count("registration") == 1


def test_after_sending_the_draft_is_gone_and_the_button_leads_to_the_result(visitor: Visitor):
    visitor.file()

    visitor.open("/status").post("/register/check", follow=False)

    assert visitor.shown.headers["Location"] == "/register/done"
    assert ANSWERS["person"]["identity"] not in visitor.open("/register").text


def test_no_address_and_no_link_holds_a_persons_data(visitor: Visitor):
    addresses = []
    for question, answers in ANSWERS.items():
        visitor.send(f"/register/{question}", answers)
        addresses += [one.request.url for one in (*visitor.shown.history, visitor.shown)]
        addresses += re.findall(r'(?:href|action)="([^"]+)"', visitor.text)
    reference = visitor.send("/register/check").words
    addresses += [one.request.url for one in (*visitor.shown.history, visitor.shown)]

    told = " ".join(addresses)
    for private in (*ANSWERS["person"].values(), re.findall(r"\w{4}-\w{4}-\w{4}-\w{2}", reference)[0]):
        assert private not in told
        assert html.escape(private) not in told


def test_the_pages_speak_english_when_asked_and_never_send_to_another_site(visitor: Visitor):
    visitor.open("/language/en?next=/register")
    assert "Where are you insured?" in visitor.title
    assert '<html lang="en">' in visitor.text

    for foreign in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        visitor.open(f"/language/zh?next={foreign}", follow=False)
        assert visitor.shown.headers["Location"] == "/"
