"""How much each piece of writing counts for or against a candidate: a linear model learned from decided texts.

Knows pieces that agree, pieces a candidate adds, pieces that stand for one another, and pieces that go with a target.
Must not know where the pairs came from. Rules: maximum likelihood of the decided candidate among its rivals (softmax),
with a penalty on every weight, solved by L-BFGS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from hub.suggest.pieces import Words, flat
from hub.suggest.text import Flags, Floats, Ints

PENALTY = 8e-4
ROUNDS = 50
_SCALE_OF_ADDED = 0.7
_SCALE_OF_COMPANY = 0.5
"""How freely a weight may move: a smaller scale is a stronger penalty."""


class LinearModel:
    """Weights by kind: `agree` and `added` a piece, `instead` a substitution, `company` a (target, piece) pair."""

    def __init__(self, words: Words, substitutes: sparse.csr_array, company: sparse.csr_array) -> None:
        self._words = words
        self._instead = _numbered(substitutes)
        self._company = _numbered(company)
        self.agree = np.zeros(words.width, dtype=np.float32)
        self.added = np.zeros(words.width, dtype=np.float32)
        self.instead = substitutes.copy()
        self.company = company.copy()
        self.plain = np.zeros(0, dtype=np.float32)

    def fit(
        self, texts: sparse.csr_array, q_idx: Ints, c_idx: Ints, *, seen: Ints, plain: Floats, right: Flags
    ) -> None:
        """Learn from pairs (row of `texts`, candidate), sorted by query.

        `seen` is each candidate's row in `company`, or -1; `plain` are measures of the pair that need no learning, in
        the order of the later `self.plain`.
        """
        entries = self._entries(texts, q_idx, c_idx, seen)
        scale = self._scale()
        entries = sparse.csr_array(
            (entries.data * scale[entries.indices], entries.indices, entries.indptr), shape=entries.shape
        )
        deviation = plain.std(axis=0) + np.float32(1e-6)
        weight = _fitted(entries, plain / deviation, q_idx, right)
        self.plain = (weight[entries.shape[1] :] / deviation).astype(np.float32)
        parts = np.split(weight[: entries.shape[1]] * scale, np.cumsum(self._sizes())[:-1])
        self.agree, self.added = parts[0].astype(np.float32), parts[1].astype(np.float32)
        self.instead.data = parts[2].astype(np.float32)
        self.company.data = parts[3].astype(np.float32)

    def _sizes(self) -> list[int]:
        return [self._words.width, self._words.width, self._instead.nnz, self._company.nnz]

    def _scale(self) -> Floats:
        even = self._words.weight / self._words.weight.mean()
        return np.concatenate([
            even, _SCALE_OF_ADDED * even, np.ones(self._instead.nnz), np.full(self._company.nnz, _SCALE_OF_COMPANY),
        ]).astype(np.float32)  # fmt: skip

    def _entries(self, texts: sparse.csr_array, q_idx: Ints, c_idx: Ints, seen: Ints) -> sparse.csr_array:
        """One row a pair with a 1 for each weight that speaks in it."""
        width = self._words.width
        candidates = self._words.of_candidates
        turn, place = flat(candidates, c_idx)
        piece = candidates.indices[place].astype(np.int64)
        has = np.sort(np.repeat(np.arange(texts.shape[0]), np.diff(texts.indptr)) * np.int64(width) + texts.indices)
        key = q_idx[turn].astype(np.int64) * width + piece
        agreed = _member(has, key)
        rows = [turn[agreed], turn]
        columns = [piece[agreed], width + piece]
        owner, number, substitute = self._expanded(texts, has)
        order = np.argsort(owner * width + substitute, kind="stable")
        offered = (owner * width + substitute)[order]
        low, high = np.searchsorted(offered, key), np.searchsorted(offered, key, side="right")
        times = high - low
        within = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        rows.append(np.repeat(turn, times))
        columns.append(2 * width + number[order][np.repeat(low, times) + within])
        known = np.flatnonzero(seen >= 0)
        turn, place = flat(self._company, seen[known])
        piece = self._company.indices[place].astype(np.int64)
        agreed = _member(has, q_idx[known][turn].astype(np.int64) * width + piece)
        rows.append(known[turn[agreed]])
        columns.append(2 * width + self._instead.nnz + self._company.data[place[agreed]])
        every, column = np.concatenate(rows), np.concatenate(columns)
        shape = (len(q_idx), sum(self._sizes()))
        return sparse.csr_array((np.ones(len(every), dtype=np.float32), (every, column)), shape=shape)

    def _expanded(self, texts: sparse.csr_array, has: Ints) -> tuple[Ints, Ints, Ints]:
        """For each text the substitutes of its pieces that it has not itself: text, number of the weight, piece."""
        turn, place = flat(self._instead, texts.indices)
        owner = np.repeat(np.arange(texts.shape[0]), np.diff(texts.indptr))[turn].astype(np.int64)
        piece = self._instead.indices[place].astype(np.int64)
        new = ~_member(has, owner * self._words.width + piece)
        return owner[new], self._instead.data[place[new]], piece[new]


def _numbered(rows: sparse.csr_array) -> sparse.csr_array:
    """The same entries, each with its own number from 0."""
    return sparse.csr_array((np.arange(rows.nnz, dtype=np.int64), rows.indices, rows.indptr), shape=rows.shape)


def _member(sorted_keys: Ints, keys: Ints) -> Flags:
    if not len(sorted_keys):
        return np.zeros(len(keys), dtype=np.bool_)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.asarray(sorted_keys[place] == keys)


def _fitted(entries: sparse.csr_array, plain: Floats, q_idx: Ints, right: Flags) -> Floats:
    """The most likely weights: those of the entries, then those of the plain measures."""
    starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]])
    counts = np.diff(np.r_[starts, len(q_idx)])
    answers = np.add.reduceat(right.astype(np.float64), starts)
    answered = answers > 0
    number = max(int(answered.sum()), 1)
    wanted = np.where(right, np.repeat(1.0 / np.maximum(answers, 1.0), counts), 0.0)
    counted = np.repeat(answered.astype(np.float64), counts)
    columns = sparse.csr_array(entries.T)
    width = entries.shape[1]

    def loss(weight: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        small = weight.astype(np.float32)
        raw = (entries @ small[:width] + plain @ small[width:]).astype(np.float64)
        raw -= np.repeat(np.maximum.reduceat(raw, starts), counts)
        grown = np.exp(raw)
        total = np.add.reduceat(grown, starts)
        share = grown / np.repeat(total, counts)
        value = -(wanted * (raw - np.repeat(np.log(total), counts))).sum() / number
        slope = ((share - wanted) * counted / number).astype(np.float32)
        steep = np.concatenate([columns @ slope, plain.T @ slope]).astype(np.float64)
        return value + 0.5 * PENALTY * float(weight @ weight), steep + PENALTY * weight

    begin = np.zeros(width + plain.shape[1])
    found = optimize.minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 6})
    return np.asarray(found.x, dtype=np.float32)
