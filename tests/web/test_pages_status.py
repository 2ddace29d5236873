"""Looking up and cancelling a registration: two proofs, and silence for everybody else."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hub.ids import new_reference
from tests.web.conftest import Api
from tests.web.visitor import Visitor, hire
from tests.world import JIANGNING, PERSONS, QINZHOU

END = PERSONS["Wei"].identity.number[-4:]


@pytest.fixture
def reference(api: Api) -> str:
    """The number of a registration that Wei made on another phone."""
    return Visitor(api.app).file()


def look_up(api: Api, reference: str, end: str = END) -> Visitor:
    return Visitor(api.app).send("/status", {"reference": reference, "identity_end": end})


def without_numbers(visitor: Visitor) -> str:
    """The page without the request's own number."""
    return re.sub(r"[0-9a-f]{16}", "", visitor.words)


def test_both_proofs_open_the_registration_with_the_person_masked(api: Api, reference: str):
    found = look_up(api, reference)

    assert found.status == 200
    assert "生效中" in found.words
    assert "韦**" in found.words
    assert PERSONS["Wei"].name not in found.text
    assert PERSONS["Wei"].identity.number not in found.text


def test_a_number_typed_carelessly_is_understood(api: Api, reference: str):
    assert look_up(api, f" {reference.lower().replace('-', ' ')} ").status == 200


def test_wrong_proofs_of_every_kind_give_the_same_page(api: Api, reference: str):
    answers = [
        look_up(api, reference, "0000"),
        look_up(api, new_reference(), END),
        look_up(api, "AAAA-AAAA-AAAA-AA", END),
        look_up(api, "' or 1=1 --", "%%%%"),
    ]

    assert {one.status for one in answers} == {404}
    assert len({without_numbers(one) for one in answers}) == 1


def test_the_end_of_an_identity_number_cannot_be_guessed(api: Api, reference: str):
    visitor = Visitor(api.app)
    guesses = [
        visitor.send("/status", {"reference": reference, "identity_end": f"{guess:04d}"}).status for guess in range(13)
    ]

    assert guesses == [404] * 12 + [429]
    assert "操作过于频繁" in visitor.words


def test_empty_fields_are_asked_for(api: Api):
    found = look_up(api, "", "1")

    assert found.status == 422
    assert "请填写备案编号" in found.words
    assert "最后四位" in found.words


@pytest.mark.parametrize("path", ["/status/registration", "/status/registration/cancel", "/register/done"])
def test_another_session_is_asked_for_the_proofs(api: Api, reference: str, path: str):
    other = Visitor(api.app).open(path, follow=False)

    assert other.shown.headers["Location"] == "/status"


def test_cancelling_asks_first_and_then_shows_the_end(api: Api, reference: str):
    visitor = look_up(api, reference)

    visitor.send("/status/registration/cancel")

    assert "已撤销" in visitor.words
    assert "撤销这份备案" not in visitor.words
    visitor.post("/status/registration/cancel")
    assert visitor.status == 422
    assert "状态已经改变" in visitor.words


def test_what_was_shown_is_forgotten_on_leaving(api: Api, reference: str):
    visitor = look_up(api, reference).post("/status/leave")

    visitor.open("/status/registration", follow=False)

    assert visitor.shown.headers["Location"] == "/status"


def test_the_words_follow_the_days(api: Api):
    begun = api.world.register("Wei", JIANGNING, start=date(2026, 11, 1))
    told = []

    for day in (date(2026, 10, 20), date(2026, 11, 1), date(2027, 5, 1)):
        api.world.go_to(day)
        told.append(re.findall(r'class="state \w+">([^<]+)<', look_up(api, begun.reference).text))

    assert told == [["已通过"], ["生效中"], ["已到期"]]


def test_a_refusal_shows_its_reason_and_the_way_on(api: Api):
    world = api.world
    record = world.register("Jiang", QINZHOU)
    waiting = look_up(api, record.reference, PERSONS["Jiang"].identity.number[-4:])
    assert "待受理" in waiting.words

    officer = Visitor(api.app)
    hire(world, world.agency(JIANGNING), "jia")
    officer.sign_in("jia").send(
        f"/desk/registrations/{record.registration.id}", {"decision": "refuse", "reason": "请补交<b>转诊</b>证明"}
    )

    waiting.open("/status/registration")
    assert "未通过" in waiting.words
    assert "请补交&lt;b&gt;转诊&lt;/b&gt;证明" in waiting.text
