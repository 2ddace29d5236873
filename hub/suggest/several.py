"""Which of the ranked candidates make up the answer: one, or several where the text names several things.

Knows ranked pairs, their features and the pieces their names share with the text and with one another. Must not change
the order. Rules: learned from decided texts with several targets; the threshold is the one with the best micro F1 on
texts that the learning has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from hub.suggest.ranker import NetRanker
from hub.suggest.rows import Rows
from hub.suggest.text import Flags, Floats, Ints

CONSIDERED = 12
LEAST_SCORE = 0.02
"""Only so many candidates of a text, none less probable than this, can be part of its answer."""
LEAST_SHARE = 0.02
"""Where fewer of the decided texts than this have several targets, every answer is one candidate."""
SEPARATORS = re.compile(r"[,.+;?!/()]|伴|并|合并|及|和|待查|术后|[0-9][.,)]")
BRANCH = 3
_NAMES = 9


class Answers:
    """Chooses the answer among ranked pairs; without anything learned it is the best candidate."""

    def __init__(self, candidates: Rows) -> None:
        self._names = candidates.core
        codes = candidates.column("code") if candidates.has("code") else candidates.ids
        self._branch = [code[:BRANCH] for code in codes]
        self._trees: HistGradientBoostingClassifier | None = None
        self._threshold = 1.0

    def learn(
        self,
        queries: Rows,
        features: Floats,
        q_idx: Ints,
        c_idx: Ints,
        *,
        right: Flags,
        part_of_query: Ints,
        ranker: NetRanker,
    ) -> None:
        """Learn from pairs of decided `queries`, sorted by query; `part_of_query` as the ranker was taught."""
        several = np.bincount(q_idx[right], minlength=len(queries)) > 1
        if several.mean() < LEAST_SHARE:
            return
        scores = np.zeros(len(q_idx), dtype=np.float32)
        part = part_of_query[q_idx]
        for place, net in enumerate(ranker.nets):
            mine = part == place
            scores[mine] = replace(ranker, nets=(net,)).scores(features[mine], q_idx[mine])
        order = np.lexsort((c_idx, -scores, q_idx))
        order = order[(_rank(q_idx[order]) < CONSIDERED) & (scores[order] >= LEAST_SCORE)]
        rows = self._seen(queries, q_idx[order], c_idx[order], scores[order], features[order])
        target, half = right[order], part[order] % 2
        unseen = np.zeros(len(rows), dtype=np.float32)
        for one in (0, 1):
            unseen[half == one] = _trees(rows[half != one], target[half != one]).predict_proba(rows[half == one])[:, 1]
        self._threshold = _best_threshold(unseen, target, int(right.sum()))
        self._trees = _trees(rows, target)

    def choose(self, queries: Rows, q_idx: Ints, c_idx: Ints, scores: Floats, features: Floats) -> Flags:
        """Which pairs, sorted by query and best first, belong to the answer; no name twice.

        Without anything learned the first of each query; otherwise all that are likely enough, which may be none.
        """
        rank = _rank(q_idx)
        if self._trees is None or not len(q_idx):
            return np.asarray(rank == 0)
        chosen: Flags = np.zeros(len(q_idx), dtype=np.bool_)
        top = np.flatnonzero((rank < CONSIDERED) & (scores >= LEAST_SCORE))
        if not len(top):
            return chosen
        rows = self._seen(queries, q_idx[top], c_idx[top], scores[top], features[top])
        chosen[top] = self._trees.predict_proba(rows)[:, 1] > self._threshold
        named: set[tuple[int, str]] = set()
        for pair in np.flatnonzero(chosen).tolist():
            name = (int(q_idx[pair]), self._names[c_idx[pair]])
            chosen[pair] = name not in named
            named.add(name)
        return chosen

    def _seen(self, queries: Rows, q_idx: Ints, c_idx: Ints, scores: Floats, features: Floats) -> Floats:
        """What the choice looks at: the pair's features, its place in the list, what the better ones already say."""
        found = np.zeros((len(q_idx), _NAMES), dtype=np.float32)
        starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]]) if len(q_idx) else np.zeros(0, dtype=np.int64)
        ends = np.r_[starts[1:], len(q_idx)]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            query = int(q_idx[start])
            found[start:end, 0] = len(queries.core[query])
            found[start:end, 1] = len(SEPARATORS.findall(queries.plain[query]))
            self._add_company(queries.core[query], c_idx[start:end].tolist(), scores[start:end], found[start:end])
        return np.hstack([features, scores[:, None], found])

    def _add_company(self, text: str, places: Sequence[int], scores: Floats, found: Floats) -> None:
        said = _pairs_of(text)
        told: set[str] = set()
        better: list[tuple[set[str], str]] = []
        before = 0.0
        for turn, place in enumerate(places):
            mine, branch = _pairs_of(self._names[place]), self._branch[place]
            size = max(len(mine), 1)
            found[turn, 2] = turn
            found[turn, 3] = scores[0] - scores[turn]
            found[turn, 4] = before
            found[turn, 5] = len((mine & said) - told)
            found[turn, 6] = max((len(mine & other) / size for other, _ in better), default=0.0)
            found[turn, 7] = sum(branch == other for _, other in better)
            found[turn, 8] = len(said - told) / max(len(said), 1)
            before += float(scores[turn])
            better.append((mine, branch))
            if scores[turn] > 0.3:
                told |= mine & said


def _trees(rows: Floats, right: Flags) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=30, l2_regularization=1.0,
        max_features=0.3, early_stopping=False, random_state=0,
    )  # fmt: skip
    return trees.fit(rows, right)


def _best_threshold(said: Floats, right: Flags, wanted: int) -> float:
    """The threshold with the best micro F1; the highest of equals."""

    def f1(threshold: float) -> float:
        chosen = said > threshold
        return float(2 * right[chosen].sum() / (chosen.sum() + wanted))

    return max((f1(step / 50), step / 50) for step in range(8, 40))[1]


def _pairs_of(text: str) -> set[str]:
    """Neighbouring characters of a text; the text itself where it has but one."""
    return {text[at : at + 2] for at in range(len(text) - 1)} or {text}


def _rank(q_idx: Ints) -> Ints:
    """0 for the first pair of each query, 1 for the second ...; `q_idx` must be sorted."""
    if not len(q_idx):
        return q_idx
    starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]])
    return np.arange(len(q_idx)) - np.repeat(starts, np.diff(np.r_[starts, len(q_idx)]))
