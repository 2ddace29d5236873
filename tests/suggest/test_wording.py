"""Different words for one thing become one wording; words of different things stay apart."""

import pytest

from hub.suggest.text import cores
from hub.suggest.wording import Wording, usual_wording
from tests.suggest.world import asked, book


def told(name):
    return usual_wording(cores([name])[0])


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("房颤", "心房颤动"),
        ("冠心病", "冠状动脉粥样硬化性心脏病"),
        ("褥疮Ⅲ期", "压疮3期"),
        ("慢性肾功能不全", "慢性肾衰竭"),
        ("非胰岛素依赖型糖尿病", "2型糖尿病"),
        ("绿脓杆菌感染", "铜绿假单胞菌感染"),
    ],
)
def test_two_words_for_one_thing_are_one_wording(spoken, written):
    assert told(spoken) == told(written)


@pytest.mark.parametrize(
    ("one", "other"),
    [("肾结石", "输尿管结石"), ("急性胃炎", "慢性胃炎"), ("肝癌", "肝良性肿瘤"), ("肾衰竭", "心力衰竭")],
)
def test_different_things_keep_different_wordings(one, other):
    assert told(one) != told(other)


def test_a_name_of_little_words_alone_stays_what_it_is():
    assert told("其他疾病") == "其他疾病"


def test_an_entry_is_found_by_another_word_for_it():
    candidates = book()

    _, places = Wording(candidates).pairs(asked("胃癌"))

    assert candidates.ids[int(places[0])] == "C16.900"
