"""The suggester as a whole, on a small code book with the ranker that ships."""

import numpy as np
import pytest

from hub.suggest.engine import Suggester
from tests.suggest.world import BOOK, asked, book, decided


@pytest.fixture(scope="module")
def cold():
    return Suggester(book())


def codes(found):
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("慢性浅表性胃炎", "K29.500"),
        ("压疮Ⅲ期", "L89.200"),
        ("右肾结石", "N20.000"),
        ("慢性支气管炎急性发作", "J42.x00"),
    ],
)
def test_a_name_that_differs_a_little_finds_its_entry_first(cold, name, code):
    assert codes(cold.suggest(asked(name), top=5)[0])[0] == code


def test_a_name_that_the_book_has_word_for_word_is_never_outranked():
    """A decided mapping of a merely similar name is no reason against the entry of just this name."""
    candidates = book()
    told = decided(candidates, [("急性阑尾炎穿孔", "K36.x00"), ("急性阑尾炎(单纯性)", "K36.x00")])

    best = Suggester(candidates, told).suggest(asked("急性阑尾炎"), top=3)[0][0]

    assert best.code == "K35.800"
    assert best.in_answer


def test_the_scores_are_probabilities_and_fall_from_rank_to_rank(cold):
    scores = [one.score for one in cold.suggest(asked("桡骨骨折"), top=10)[0]]

    assert all(0.0 <= score <= 1.0 for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_a_proposal_says_why_in_two_languages(cold):
    best = cold.suggest(asked("脑梗死"), top=1)[0][0]

    assert (best.reasons[0].code, best.reasons[0].chinese) == ("same_name", "名称相同")


def test_the_code_of_a_row_leads_to_its_branch_where_the_name_does_not(cold):
    best = cold.suggest(asked("石头", codes=["N20.100x001"]), top=3)[0]

    assert "N20.100" in codes(best)


def test_a_gray_code_of_the_code_books_is_never_proposed():
    entries = {**BOOK, "K29.500x001": "慢性浅表性胃炎"}

    found = Suggester(book(entries), known={"慢性浅表性胃炎": "K29.500x001"}).suggest(asked("慢性浅表性胃炎"), top=20)

    assert "K29.500x001" not in codes(found[0])


def test_a_query_is_answered_alike_alone_and_in_company(cold):
    alone = cold.rank(asked("慢性胃病"), top=5)
    company = cold.rank(asked("慢性胃病", "胫骨骨折", "肺部感染"), top=5)
    own = company.q_idx == 0

    assert alone.c_idx.tolist() == company.c_idx[own].tolist()
    assert np.allclose(alone.scores, company.scores[own], atol=1e-5)


def test_what_was_learned_twice_from_the_same_rows_is_the_same():
    candidates = book()
    pairs = [(f"{side}{name}", code) for code, name in BOOK.items() for side in ("右", "疑似", "轻度", "老年")]
    queries = asked("左桡骨下端骨折", "肺部炎症")

    one, other = (Suggester(candidates, decided(candidates, pairs)).rank(queries, top=5) for _ in range(2))

    assert one.c_idx.tolist() == other.c_idx.tolist()
    assert one.scores.tobytes() == other.scores.tobytes()


def test_no_query_gives_no_suggestion(cold):
    assert cold.suggest(asked(), top=5) == []
