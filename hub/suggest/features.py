"""How alike two names are: edits, order, shared and left-over characters, brackets, numerals, negations and sides.

Knows pairs of names. Must not know codes, learned words or any column but the name.
Rules: general string measures; the small tables are words that turn a meaning round
(左 and 右, 开放 and 闭合).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
from rapidfuzz import distance, process

from hub.suggest.parts import Part
from hub.suggest.retrieval import Index
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Flags, Floats, Ints, pick

_TOKEN = re.compile(r"[0-9]+|[a-z]+|[α-ω]")

CONTRARY: tuple[tuple[str, ...], ...] = (
    ("左", "右", "双"),
    ("急性", "慢性", "亚急性"),
    ("开放", "闭合"),
    ("良性", "恶性", "交界"),
    ("原发", "继发"),
    ("先天", "后天", "获得性"),
    ("新生儿", "婴儿", "儿童", "成人", "老年"),
    ("全部", "部分"),
    ("全切", "部分切"),
    ("单侧", "双侧"),
    ("单胎", "双胎", "多胎"),
    ("男性", "女性"),
    ("上肢", "下肢"),
    ("上", "下", "中"),
    ("内", "外"),
    ("前", "后"),
    ("近端", "远端"),
    ("动脉", "静脉"),
    ("伴有", "不伴有", "未伴"),
    ("高", "低"),
    ("增多", "减少"),
    ("植入", "取出", "置换", "修补", "切除"),
    ("手指", "足趾"),
    ("尺", "桡"),
    ("胫", "腓"),
    ("甲型", "乙型", "丙型", "丁型", "戊型"),
)
"""Words that exclude one another: a name with one of a row and a name with only another of it do not mean the same."""

NEGATIONS = ("未", "非", "不", "无")
VAGUE = ("其他", "未特指", "特指", "部位", "nos", "个人史", "家族史", "后遗症", "术后", "状态", "妊娠", "疑似")
"""Words that by themselves make another entry out of the same illness."""


class NameFeatures(Part):
    """Similarity of the names alone; needs nothing decided."""

    names = (
        "cosine", "gram_query_covered", "gram_candidate_covered", "edit", "order", "common", "query_covered",
        "candidate_covered", "prefix", "postfix", "same_core", "same_outer", "outer_edit", "inner_edit", "has_inner",
        "candidate_has_inner", "length_query", "length_more", "contrary", "negation", "vague_extra", "vague_missing",
        "tokens_shared", "tokens_more", "tokens_missing",
    )  # fmt: skip

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:  # noqa: ARG002 - a Maker takes both.
        self._candidates = candidates
        self.index = Index(candidates.core)
        self._facts = _Facts(candidates)

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not len(q_idx):
            return found
        mine, theirs = pick(queries.core, q_idx), pick(self._candidates.core, c_idx)
        mine_outer, theirs_outer = pick(queries.outer, q_idx), pick(self._candidates.outer, c_idx)
        facts = _Facts(queries)
        length_mine, length_theirs = facts.length[q_idx], self._facts.length[c_idx]
        longest = np.maximum(length_mine, length_theirs)
        vectors, norms = self.index.vectors(queries.core)
        cosine = self.index.similarity(vectors, q_idx, c_idx)
        ratio = self.index.norms[c_idx] / norms[q_idx]
        common = _measured(mine, theirs, distance.LCSseq.similarity)
        found[:, 0] = cosine
        found[:, 1] = cosine * ratio
        found[:, 2] = cosine / ratio
        found[:, 3] = _measured(mine, theirs, distance.Levenshtein.normalized_similarity)
        found[:, 4] = _measured(mine, theirs, distance.Indel.normalized_similarity)
        found[:, 5] = common
        found[:, 6] = common / length_mine
        found[:, 7] = common / length_theirs
        found[:, 8] = _measured(mine, theirs, distance.Prefix.similarity) / longest
        found[:, 9] = _measured(mine, theirs, distance.Postfix.similarity) / longest
        found[:, 10] = _equal(mine, theirs)
        found[:, 11] = _equal(mine_outer, theirs_outer)
        found[:, 12] = _measured(mine_outer, theirs_outer, distance.Levenshtein.normalized_similarity)
        bracketed = np.flatnonzero(facts.bracketed[q_idx] & self._facts.bracketed[c_idx]).astype(np.int32)
        found[bracketed, 13] = _measured(
            pick(queries.inner, q_idx[bracketed]),
            pick(self._candidates.inner, c_idx[bracketed]),
            distance.Levenshtein.normalized_similarity,
        )
        found[:, 14] = facts.bracketed[q_idx]
        found[:, 15] = self._facts.bracketed[c_idx]
        found[:, 16] = np.log(length_mine)
        found[:, 17] = np.log(length_theirs) - np.log(length_mine)
        side, other = facts.sides[q_idx], self._facts.sides[c_idx]
        found[:, 18] = ((side != 0) & (other != 0) & ((side & other) == 0)).sum(axis=1)
        found[:, 19] = np.abs(facts.negations[q_idx] - self._facts.negations[c_idx])
        vague, theirs_vague = facts.vague[q_idx], self._facts.vague[c_idx]
        found[:, 20] = np.bitwise_count(theirs_vague & ~vague)
        found[:, 21] = np.bitwise_count(vague & ~theirs_vague)
        tokens, theirs_tokens = facts.tokens[q_idx], self._facts.tokens[c_idx]
        found[:, 22] = np.bitwise_count(tokens & theirs_tokens)
        found[:, 23] = np.bitwise_count(theirs_tokens & ~tokens)
        found[:, 24] = np.bitwise_count(tokens & ~theirs_tokens)
        return found


class _Facts:
    """What one name says by itself, as bits and numbers, so that pairs are compared in bulk."""

    def __init__(self, rows: Rows) -> None:
        self.length = np.asarray([max(len(one), 1) for one in rows.core], dtype=np.float32)
        self.bracketed = np.asarray([bool(one) for one in rows.inner], dtype=np.bool_)
        self.sides = np.asarray([_sides(one) for one in rows.core], dtype=np.uint8).reshape(len(rows), len(CONTRARY))
        self.negations = np.asarray([sum(one.count(no) for no in NEGATIONS) for one in rows.core], dtype=np.float32)
        self.vague = np.asarray(
            [sum(1 << bit for bit, word in enumerate(VAGUE) if word in one) for one in rows.core], dtype=np.uint64
        )
        self.tokens = np.asarray([_token_bits(one) for one in rows.plain], dtype=np.uint64)


def _sides(text: str) -> list[int]:
    """For each row of CONTRARY which of its words stand in the text, one bit a word."""
    return [sum(1 << bit for bit, word in enumerate(words) if word in text) for words in CONTRARY]


def _token_bits(plain: str) -> int:
    """The numbers, Latin words and Greek letters of a name, each as one of 64 bits by its checksum."""
    bits = 0
    for token in _TOKEN.findall(plain):
        bits |= 1 << (crc32(token.encode()) & 63)
    return bits


def _measured(mine: list[str], theirs: list[str], scorer: Callable[..., Any]) -> Floats:
    """One measure over pairs of texts, pair by pair."""
    return np.asarray(process.cpdist(mine, theirs, scorer=scorer, dtype=np.float32, workers=1), dtype=np.float32)


def _equal(mine: list[str], theirs: list[str]) -> Flags:
    return np.asarray([one == other for one, other in zip(mine, theirs, strict=True)], dtype=np.bool_)
