"""What is learned from decided mappings: words put for others, remembered texts, and nothing where nothing is known."""

import numpy as np
import pytest

from hub.suggest.lexicon import Lexicon, Unlearned, lexicon
from hub.suggest.pieces import Vocabulary, only
from hub.suggest.rows import Decided
from tests.suggest.world import asked, book, decided

OPERATIONS = {
    "46.52": "横结肠造口闭合术",
    "46.51": "回肠造口闭合术",
    "46.50": "乙状结肠造口闭合术",
    "46.03": "结肠造口术",
    "57.82": "膀胱造口闭合术",
    "57.81": "膀胱裂伤缝合术",
    "45.75": "左半结肠切除术",
    "85.21": "乳房病损局部切除术",
}
TOLD = [
    ("横结肠造口还纳术", "46.52"),
    ("回肠造口还纳术", "46.51"),
    ("乙状结肠造口还纳", "46.50"),
    ("右乳肿块切除", "85.21"),
    ("左乳肿块切除", "85.21"),
]
FIRST, BLADDER, SUTURE, BREAST = 0, 4, 5, 7


@pytest.fixture(scope="module")
def learned():
    candidates = book(OPERATIONS)
    return Lexicon(candidates, decided(candidates, TOLD))


def measured(part, name, *places):
    found = part.features(asked(name), np.zeros(len(places), np.int32), np.asarray(places, np.int32))
    return [dict(zip(part.names, row.tolist(), strict=True)) for row in found]


def test_a_substitute_seen_elsewhere_speaks_for_a_target_never_chosen_before(learned):
    bladder, suture = measured(learned, "膀胱造口还纳术", BLADDER, SUTURE)

    assert bladder["memory_chosen_before"] == 0
    assert bladder["lexicon_contained_reworded"] > bladder["lexicon_contained"]
    assert bladder["lexicon_linear"] > suture["lexicon_linear"]


def test_a_text_with_the_other_side_is_near_to_what_was_decided(learned):
    (breast,) = measured(learned, "右乳肿块切除术", BREAST)

    assert breast["memory_nearest"] > 0.5
    assert breast["memory_alias_edit"] == pytest.approx(12 / 13)
    assert breast["memory_chosen_before"] == pytest.approx(np.log(3))


def test_a_remembered_text_proposes_its_target(learned):
    q_idx, c_idx = learned.pairs(asked("肿块"))

    assert BREAST in c_idx[q_idx == 0].tolist()


def test_a_name_word_for_word_is_contained_and_leaves_nothing_over(learned):
    (literal,) = measured(learned, "横结肠造口闭合术", FIRST)

    assert literal["lexicon_contained"] == pytest.approx(1)
    assert literal["lexicon_left_over"] == pytest.approx(0, abs=1e-5)


def test_a_row_is_measured_alike_in_any_company(learned):
    alone = learned.features(asked("膀胱造口还纳术"), np.asarray([0]), np.asarray([BLADDER]))
    queries = asked("右乳肿块切除", "膀胱造口还纳术")

    beside = learned.features(queries, np.asarray([0, 1]), np.asarray([BREAST, BLADDER]))

    assert beside[1].tolist() == alone[0].tolist()


def test_learning_twice_gives_the_same_measures(learned):
    candidates = book(OPERATIONS)
    again = Lexicon(candidates, decided(candidates, TOLD))

    assert measured(again, "膀胱造口还纳术", BLADDER) == measured(learned, "膀胱造口还纳术", BLADDER)


@pytest.mark.parametrize("told", [None, Decided(asked(), [])])
def test_where_nothing_is_decided_the_columns_are_silent(told):
    part = lexicon(book(OPERATIONS), told)

    assert isinstance(part, Unlearned)
    assert not part.features(asked("膀胱造口还纳术"), np.asarray([0]), np.asarray([BLADDER])).any()


def test_choosing_columns_leaves_the_rows_they_come_from_as_they_are():
    rows = Vocabulary(book(OPERATIONS)).of_candidates
    before = (rows.indices.tolist(), rows.indptr.tolist())

    few = only(rows, np.arange(rows.shape[1]) < 3)

    assert few.nnz < rows.nnz
    assert (rows.indices.tolist(), rows.indptr.tolist()) == before
