"""Which ranked candidates make up an answer."""

from itertools import combinations

import numpy as np
import pytest

from hub.suggest.engine import Suggester
from hub.suggest.rows import Decided
from hub.suggest.several import Answers, _best_threshold
from tests.suggest.world import BOOK, asked, book


def two_of(pairs):
    """Texts that name two entries, and the places of both."""
    names = list(BOOK.values())
    return Decided(asked(*(f"{names[one]}伴{names[other]}" for one, other in pairs)), pairs)


@pytest.fixture(scope="module")
def learned():
    pairs = list(combinations(range(len(BOOK)), 2))
    return Suggester(book(), two_of(pairs[::2]))


def answer(suggester, name):
    return {one.name for one in suggester.suggest(asked(name), top=10)[0] if one.in_answer}


def test_without_anything_learned_the_answer_is_the_first_of_each_list():
    chosen = Answers(book()).choose(
        asked("肺炎", "肾结石"), np.asarray([0, 0, 1]), np.asarray([8, 9, 15]), np.ones(3, np.float32), np.ones((3, 1))
    )

    assert chosen.tolist() == [True, False, True]


def test_a_text_that_names_two_diagnoses_is_answered_with_both(learned):
    assert answer(learned, "肺炎伴肾结石") == {"肺炎", "肾结石"}


def test_the_answer_is_part_of_the_list_and_repeats_no_name(learned):
    found = [one.name for one in learned.suggest(asked("2型糖尿病伴肾结石"), top=10)[0] if one.in_answer]

    assert found
    assert len(found) == len(set(found))


def test_the_threshold_is_the_one_with_the_best_f1():
    said = np.asarray([0.9, 0.6, 0.5, 0.3], np.float32)

    # Above 0.5 two are chosen and both are right, of two wanted: F1 is 1, with any other threshold it is less.
    assert _best_threshold(said, np.asarray([True, True, False, False]), 2) == pytest.approx(0.58)
