"""The index: what shares rare writing is found first, and always in the same order."""

import numpy as np

from hub.suggest.retrieval import Index

TEXTS = ["慢性胃炎", "急性胃炎", "胃恶性肿瘤", "肺炎", "慢性胃炎"]


def test_the_same_text_is_found_first_and_ties_go_by_place():
    places, scores = Index(TEXTS).search(["慢性胃炎"], top=3)

    assert places[0].tolist() == [0, 4, 1]
    assert np.isclose(scores[0, 0], 1.0)


def test_a_text_that_shares_nothing_finds_nothing():
    places, scores = Index(TEXTS).search(["xyz"], top=2)

    assert places.tolist() == [[-1, -1]]
    assert scores.tolist() == [[0.0, 0.0]]


def test_an_unknown_character_makes_a_text_less_like_every_candidate():
    _, (known, strange) = Index(TEXTS).search(["肺炎", "肺炎xyz"], top=1)

    assert strange[0] < known[0]


def test_the_cosine_of_a_pair_is_what_the_search_says_where_no_gram_is_common():
    index = Index(TEXTS)
    places, scores = index.search(["急性胃炎"], top=2)
    vectors, _ = index.vectors(["急性胃炎"])

    found = index.similarity(vectors, np.zeros(2, dtype=int), places[0])

    assert np.allclose(found, scores[0])
