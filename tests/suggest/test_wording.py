"""Different words for one thing become one wording; words of different things stay apart."""

import csv

import pytest

from hub.suggest.text import cores
from hub.suggest.wording import ONE_WORD, PART, Wording, usual_wording, wide_wording
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
        ("Gitelman综合征", "吉特尔曼综合征"),
        ("DIDMOAD综合征", "沃尔弗拉姆综合征"),
        ("乳腺肿块", "乳房肿物"),
        ("肺转移癌", "肺继发恶性肿瘤"),
        ("弛缓性瘫痪", "迟缓性麻痹"),
        ("谷丙转氨酶检测", "丙氨酸氨基转移酶测定"),
    ],
)
def test_two_words_for_one_thing_are_one_wording(spoken, written):
    assert told(spoken) == told(written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("肾结石", "输尿管结石"),
        ("急性胃炎", "慢性胃炎"),
        ("肝癌", "肝良性肿瘤"),
        ("肾衰竭", "心力衰竭"),
        ("类风湿性关节炎", "风湿性关节炎"),
        ("细支气管炎", "毛细支气管炎"),
        ("肺原位癌", "肺癌"),
    ],
)
def test_different_things_keep_different_wordings(one, other):
    assert told(one) != told(other)


def test_a_name_of_little_words_alone_stays_what_it_is():
    assert told("其他疾病") == "其他疾病"


def test_a_latin_word_is_not_cut():
    assert told("MRI") == "磁共振"
    assert told("MRIX") == "mrix"


def test_a_whole_stands_for_its_parts_in_the_wide_wording():
    assert wide_wording(told("足脓肿")) == wide_wording(told("下肢脓肿"))
    assert wide_wording(told("足脓肿")) != wide_wording(told("手脓肿"))


def test_no_word_stands_in_two_rows_of_the_table():
    with ONE_WORD.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))

    words = [word for row in rows if row["field"] != PART for word in (row["usual"], *row["others"].split())]

    assert len(words) == len(set(words))


def test_an_entry_is_found_by_another_word_for_it():
    candidates = book()

    _, places = Wording(candidates).pairs(asked("胃癌"))

    assert candidates.ids[int(places[0])] == "C16.900"
