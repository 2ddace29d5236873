"""Ids sort by time; reference numbers show a slip of the keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hub.ids import new_id, new_reference, read_reference

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)


def test_ids_sort_by_the_moment_they_were_made():
    moments = [NOON, NOON + timedelta(milliseconds=1), NOON + timedelta(days=400), NOON + timedelta(days=4000)]

    ids = [new_id("reg", at=moment) for moment in moments]

    assert ids == sorted(ids)


def test_ids_of_one_moment_differ():
    assert len({new_id("reg", at=NOON) for _ in range(1000)}) == 1000


def test_an_id_names_its_prefix_and_keeps_its_length():
    assert new_id("reg", at=NOON).startswith("reg-")
    assert len(new_id("reg", at=NOON)) == 30


def test_a_reference_number_has_thirteen_random_characters_and_a_check():
    assert [len(part) for part in new_reference().split("-")] == [4, 4, 4, 2]


def test_a_reference_number_reads_back_however_it_is_typed():
    reference = new_reference()

    assert read_reference(reference.lower().replace("-", " ")) == reference


def test_letters_that_look_like_digits_are_read_as_digits():
    references = (new_reference() for _ in range(1000))
    reference = next(found for found in references if {"0", "1", "2"} <= set(found))

    assert read_reference(reference.replace("0", "O").replace("1", "l").replace("2", "z")) == reference


def test_every_wrong_character_is_noticed():
    reference = new_reference()

    for place, right in enumerate(reference):
        for wrong in "0123456789ABCDEFGHJKMNPQRSTVWXY":
            if right not in {"-", wrong}:
                assert read_reference(reference[:place] + wrong + reference[place + 1 :]) is None


def test_every_swap_of_neighbours_is_noticed():
    plain = new_reference().replace("-", "")

    for place, (left, right) in enumerate(pairwise(plain)):
        if left != right:
            assert read_reference(plain[:place] + right + left + plain[place + 2 :]) is None


@pytest.mark.parametrize("typed", ["", "A", "-" * 14, "０" * 14, "U" * 14, "A" * 15, "'; drop table--"])
def test_what_cannot_be_a_reference_number_is_none(typed):
    assert read_reference(typed) is None
