"""One spelling for names: what is the same thing written otherwise becomes the same text."""

import pytest

from hub.suggest.text import core, grams, inside_brackets, normalise, outside_brackets


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("压疮Ⅲ期", "压疮3期"),
        ("压疮III期", "压疮3期"),
        ("第二跖骨骨折", "第2跖骨骨折"),
        ("ＣＴ检查", "ct检查"),
        ("胃［幽门］螺杆菌", "胃(幽门)螺杆菌"),
        ("肺结核，痰培养（＋）", "肺结核,痰培养(+)"),
        ("γδＴ细胞", "γδt细胞"),
    ],
)
def test_two_ways_to_write_a_name_become_one_text(written, spelled):
    assert normalise(written) == spelled


def test_a_latin_letter_inside_a_word_is_no_roman_numeral():
    assert normalise("Civil维生素") == "civil维生素"


def test_the_core_keeps_letters_digits_and_characters_only():
    assert core(normalise("γδ-T 细胞，(NOS)")) == "γδt细胞nos"


def test_brackets_are_taken_out_and_what_stood_inside_is_given_apart():
    plain = normalise("急性白血病[M3型]")

    assert outside_brackets(plain) == "急性白血病"
    assert inside_brackets(plain) == "m3型"


def test_a_name_that_is_all_in_brackets_stays_what_it_is():
    assert outside_brackets("(其他)") == "其他"


def test_the_ends_of_a_text_are_grams_of_their_own():
    assert grams("胃炎") == ["胃", "炎", "\x02胃", "胃炎", "炎\x03"]
