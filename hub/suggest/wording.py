"""Names told in the words of the insurance version: one word for each thing, and little words left out.

Knows pairs of words that coders treat as one (wording.csv). Must not know any decided mapping.
Rules: general medical vocabulary, written from knowledge: outdated and present names (搭桥 for 旁路移植), spoken and
written forms (房颤), eponyms in their spellings, germs after the revised taxonomy, names and short names of tests.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import numpy as np
from rapidfuzz import distance, process

from hub.suggest.parts import Part
from hub.suggest.retrieval import Index
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints, core, normalise, pick

WIDTH = 25
"""Candidates looked up by the wording of a query."""

ONE_WORD = Path(__file__).with_name("wording.csv")
"""One row a thing: its field of medicine, the usual word, and the others (separated by blanks) that it stands for."""

PART = "part"
"""The field whose rows do not name one thing, but a whole and its parts."""

ONE_CHARACTER = str.maketrans("粘藓泡瘀颚疤颔返踇矽疼癍郭侯", "黏癣疱淤腭瘢颌反拇硅痛瘢廓候")
"""Characters that are written for one another, in the names of illnesses at least."""

LITTLE = re.compile(
    "类(?!风|天|癌|固|肉|鼻|丹)|[的性型症病部处等为及和与伴]|有(?=[^害])"
    "|合并|并发|其他|特指|未特指|疾患|疾病|不可归类在他处者|nos|nec"
)


def told(core: str) -> str:
    """A name in the core spelling without little words; the name itself where nothing is left."""
    written = core.translate(ONE_CHARACTER)
    return LITTLE.sub("", written) or written


@cache
def _words(*, parts: bool) -> dict[str, tuple[tuple[str, str], ...]]:
    """By its first character each word of the table, longest first, with the word that stands for it.

    A word that stands for others is in the table too, as itself: 肾衰竭 is not 肾衰 with 竭 behind it.
    """
    found: dict[str, set[tuple[str, str]]] = {}
    with ONE_WORD.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if (row["field"] == PART) is not parts:
                continue
            words = [told(core(normalise(word))) for word in (row["usual"], *row["others"].split())]
            if parts:
                words = [_put_in(word, _words(parts=False)) for word in words]
            for word in words:
                found.setdefault(word[0], set()).add((word, words[0]))
    return {first: tuple(sorted(words, key=lambda pair: (-len(pair[0]), pair))) for first, words in found.items()}


def usual_wording(core: str) -> str:
    """A name in the core spelling as it would be told in the usual words."""
    return _put_in(told(core), _words(parts=False))


def wide_wording(usual: str) -> str:
    """A name in the usual words with the whole in place of its parts: 下肢 for 足, as residual entries are named."""
    return _put_in(usual, _words(parts=True))


def _put_in(text: str, by_first: dict[str, tuple[tuple[str, str], ...]]) -> str:
    """The text with every word replaced by the one that stands for it: from the left, the longest word first."""
    found = []
    at = 0
    while at < len(text):
        for word, usual in by_first.get(text[at], ()):
            if text.startswith(word, at) and _whole(text, at, at + len(word)):
                found.append(usual)
                at += len(word)
                break
        else:
            found.append(text[at])
            at += 1
    return "".join(found)


def _whole(text: str, begin: int, end: int) -> bool:
    """Whether no Latin word is cut at the ends of this piece: mri is no mr."""
    return not any(0 < at < len(text) and "a" <= text[at - 1] <= "z" and "a" <= text[at] <= "z" for at in (begin, end))


class Wording(Part):
    """How alike two names are once both are told in the usual words."""

    names = (
        "wording_cosine", "wording_query_covered", "wording_covered", "wording_edit", "wording_same",
        "wording_wide_cosine", "wording_wide_query_covered", "wording_wide_covered",
    )  # fmt: skip

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:  # noqa: ARG002 - a Maker takes both.
        self._texts = [usual_wording(core) for core in candidates.core]
        self._index = Index(self._texts)
        self._wide = Index([wide_wording(text) for text in self._texts])

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        places, _ = self._index.search([usual_wording(core) for core in queries.core], top=WIDTH)
        row, rank = np.nonzero(places >= 0)
        return row, places[row, rank]

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not len(q_idx):
            return found
        texts = [usual_wording(core) for core in queries.core]
        _compare(self._index, texts, q_idx, c_idx, found[:, :3])
        _compare(self._wide, [wide_wording(text) for text in texts], q_idx, c_idx, found[:, 5:])
        mine, theirs = pick(texts, q_idx), pick(self._texts, c_idx)
        found[:, 3] = process.cpdist(
            mine, theirs, scorer=distance.Indel.normalized_similarity, dtype=np.float32, workers=1
        )
        found[:, 4] = [one == other for one, other in zip(mine, theirs, strict=True)]
        return found


def _compare(index: Index, texts: list[str], q_idx: Ints, c_idx: Ints, found: Floats) -> None:
    """Fill three columns: the cosine, and how much of the text and of the candidate is shared."""
    vectors, norms = index.vectors(texts)
    cosine = index.similarity(vectors, q_idx, c_idx)
    ratio = index.norms[c_idx] / norms[q_idx]
    found[:, 0] = cosine
    found[:, 1] = cosine * ratio
    found[:, 2] = cosine / ratio
