"""From a row of a region's catalog to ranked candidates: find, compare, rank, choose the answer.

Knows the order of the steps and which parts there are. Must not know any measure, any column or any file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.suggest.codes import Branches, CodeFeatures
from hub.suggest.features import NameFeatures
from hub.suggest.fields import DrugFields
from hub.suggest.lexicon import lexicon
from hub.suggest.parts import Maker, Part
from hub.suggest.ranker import PARTS, NetRanker, learn
from hub.suggest.reasons import Reason, reasons_for
from hub.suggest.routes import DrugRoutes, with_routes
from hub.suggest.rows import Decided, Rows
from hub.suggest.services import PARENT, ServiceFields, with_parents
from hub.suggest.several import Answers
from hub.suggest.text import Flags, Floats, Ints
from hub.suggest.weights import shipped
from hub.suggest.wording import Wording

Preparing = Callable[[Rows, Rows | None], Rows]

STEADY: tuple[Maker, ...] = (Wording, DrugFields)
"""Parts that know the candidates alone."""
LEARNING: tuple[Maker, ...] = (DrugRoutes, ServiceFields, lexicon)
"""Parts that learn from decided mappings; they are built anew for each fold, so that no row is judged by itself."""

PREPARING: tuple[Preparing, ...] = (with_parents, with_routes)
"""What is worked out from the whole file before its rows are looked at one by one: (rows, rows known before)."""

WIDTH = 45
"""Candidates looked up by the name of a query."""
WIDTH_OF_VARIANT = 20
"""Candidates looked up by each further text of a query."""
BATCH = 500
"""Queries looked at together: bounds the memory, and is how often the progress is told."""
RECURRING = 2.4
"""Decided answers a target above which targets count as recurring."""
LEAST_DECIDED = 60
"""Fewer decided rows do not move the ranker that ships with the hub; the learning parts heed them all the same."""


@dataclass(frozen=True)
class Pool:
    """The pairs to be ranked, sorted by query and candidate, with what the search itself said of them."""

    q_idx: Ints
    c_idx: Ints
    found: Floats

    names = ("search_score", "search_rank", "variant_score", "variant_rank", "proposed")

    def without(self, refused: Flags) -> Pool:
        """The pairs whose candidate is not refused."""
        kept = ~refused[self.c_idx]
        return self if kept.all() else Pool(self.q_idx[kept], self.c_idx[kept], self.found[kept])


@dataclass(frozen=True)
class Ranking:
    """Ranked pairs: sorted by query, then best first; `in_answer` marks the proposed answer set."""

    q_idx: Ints
    c_idx: Ints
    scores: Floats
    in_answer: Flags


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One proposed candidate: its code and name, how probable it is (0 to 1), whether it is part of the answer."""

    code: str
    name: str
    score: float
    in_answer: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Sample:
    """Pairs of decided rows, sorted by query: features, which were right, and the part that each query belongs to."""

    queries: Rows
    features: Floats
    q_idx: Ints
    c_idx: Ints
    right: Flags
    part_of_query: Ints


class Suggester:
    """Suggests candidates for queries; built once for a set of candidates and what has been decided so far."""

    def __init__(
        self,
        candidates: Rows,
        decided: Decided | None = None,
        *,
        steady: Sequence[Maker] = STEADY,
        learning: Sequence[Maker] = LEARNING,
        ranker: NetRanker | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self.candidates = candidates
        self._names = NameFeatures(candidates)
        codes = CodeFeatures(candidates, known)
        self._steady: list[Part] = [
            self._names,
            codes,
            *(make(candidates, None) for make in steady),
        ]
        self._branches = Branches(candidates)
        self._answers = Answers(candidates)
        self._makers = learning
        if decided is not None:
            decided = Decided(_prepared(decided.queries, None), decided.targets)
        self._told = None if decided is None else decided.queries
        self._decided_names = frozenset(() if decided is None else decided.queries.core)
        targets = {target for row in (decided.targets if decided else ()) for target in row}
        self._refused = codes.refused & ~np.isin(np.arange(len(candidates)), list(targets))
        self._parts = [*self._steady, *(make(candidates, decided) for make in self._makers)]
        self._literal = self.feature_names.index("same_core")
        before = shipped() if ranker is None else ranker
        self._ranker = before.on(self.feature_names) if decided is None else self._learned(decided, before)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (*Pool.names, *(name for part in self._parts for name in part.names), *Branches.names)

    def rank(self, queries: Rows, *, top: int, progress: Callable[[int], None] | None = None) -> Ranking:
        """The `top` best candidates of each query; `progress` hears how many more queries are done."""
        queries = _prepared(queries, self._told)
        parts = []
        for begin in range(0, len(queries), BATCH):
            places = range(begin, min(begin + BATCH, len(queries)))
            parts.append(self._rank(queries.part(places), top, begin)[0])
            if progress is not None:
                progress(len(places))
        return Ranking(
            q_idx=np.concatenate([np.zeros(0, dtype=np.int32), *(one.q_idx for one in parts)]),
            c_idx=np.concatenate([np.zeros(0, dtype=np.int32), *(one.c_idx for one in parts)]),
            scores=np.concatenate([np.zeros(0, dtype=np.float32), *(one.scores for one in parts)]),
            in_answer=np.concatenate([np.zeros(0, dtype=np.bool_), *(one.in_answer for one in parts)]),
        )

    def suggest(self, queries: Rows, *, top: int) -> list[list[Suggestion]]:
        """For each query its `top` best candidates, best first."""
        found: list[list[Suggestion]] = [[] for _ in range(len(queries))]
        names = self.candidates.column("name")
        columns = self.feature_names
        queries = _prepared(queries, self._told)
        for begin in range(0, len(queries), BATCH):
            places = range(begin, min(begin + BATCH, len(queries)))
            ranking, features = self._rank(queries.part(places), top, begin)
            for row, (q, c, score, chosen) in enumerate(zip(
                ranking.q_idx.tolist(), ranking.c_idx.tolist(), ranking.scores.tolist(), ranking.in_answer.tolist(),
                strict=True,
            )):  # fmt: skip
                why = reasons_for(dict(zip(columns, features[row].tolist(), strict=True)))
                found[q].append(Suggestion(self.candidates.ids[c], names[c], round(score, 4), chosen, why))
        return found

    def pairs(self, queries: Rows, parts: Sequence[Part] | None = None) -> tuple[Ints, Ints, Floats]:
        """The pairs of the pool and their features, for learning and for measuring."""
        used = self._parts if parts is None else parts
        pool = self._pool(queries, used).without(self._refused)
        blocks = [pool.found, *(part.features(queries, pool.q_idx, pool.c_idx) for part in used)]
        blocks.append(self._branches.votes(pool.q_idx, pool.c_idx, blocks[1][:, 0]))
        return pool.q_idx, pool.c_idx, np.hstack(blocks)

    def _rank(self, queries: Rows, top: int, offset: int) -> tuple[Ranking, Floats]:
        q_idx, c_idx, features = self.pairs(queries)
        scores = self._literal_first(
            queries, q_idx, features[:, self._literal] > 0, self._ranker.scores(features, q_idx)
        )
        order = np.lexsort((c_idx, -scores, q_idx))
        order = order[_rank_in_query(q_idx[order]) < top]
        q_idx, c_idx, scores = q_idx[order], c_idx[order], scores[order]
        features = features[order]
        chosen = self._answers.choose(queries, q_idx, c_idx, scores, features)
        return Ranking(q_idx + np.int32(offset), c_idx, scores, chosen), features

    def _literal_first(self, queries: Rows, q_idx: Ints, literal: Flags, scores: Floats) -> Floats:
        """A candidate with the query's very name is not outranked, unless just this name was decided otherwise.

        Names that mean nothing without their parent item (每增加一个加收) are no names in this sense.
        """
        found = scores.copy()
        whole = [not parent for parent in queries.column(PARENT)]
        best: dict[int, int] = {}
        top = dict(zip(*(one.tolist() for one in _best_of_query(q_idx, scores)), strict=True))
        for row in np.flatnonzero(literal).tolist():
            q = int(q_idx[row])
            if whole[q] and queries.core[q] not in self._decided_names and scores[row] >= scores[best.get(q, row)]:
                best[q] = row
        for q, row in best.items():
            if scores[row] < top[q]:
                found[row] = np.nextafter(np.float32(top[q]), np.float32(2.0))
        return found

    def _pool(self, queries: Rows, parts: Sequence[Part]) -> Pool:
        size = np.int64(len(self.candidates))
        places, scores = self._names.index.search(queries.core, top=WIDTH)
        keys, values, ranks = _keys(np.arange(len(queries)), places, scores, size)
        owners: list[int] = []
        texts: list[str] = []
        for part in parts:
            for query, more in enumerate(part.variants(queries)):
                owners += [query] * len(more)
                texts += more
        more_places, more_scores = self._names.index.search(texts, top=WIDTH_OF_VARIANT)
        more_keys, more_values, more_ranks = _keys(np.asarray(owners, dtype=np.int64), more_places, more_scores, size)
        proposed = [np.zeros(0, dtype=np.int64)]
        for part in parts:
            q_idx, c_idx = part.pairs(queries)
            proposed.append(q_idx.astype(np.int64) * size + c_idx)
        proposals = np.concatenate(proposed)
        every = np.unique(np.concatenate([keys, more_keys, proposals]))
        found = np.zeros((len(every), len(Pool.names)), dtype=np.float32)
        at = np.searchsorted(every, keys)
        found[at, 0], found[at, 1] = values, 1.0 / (1.0 + ranks)
        at = np.searchsorted(every, more_keys)
        np.maximum.at(found[:, 2], at, more_values)
        np.maximum.at(found[:, 3], at, 1.0 / (1.0 + more_ranks))
        found[np.searchsorted(every, proposals), 4] = 1.0
        return Pool((every // size).astype(np.int32), (every % size).astype(np.int32), found)

    def sample(self, decided: Decided, *, cold: bool = False) -> Sample:
        """What a ranker learns from: the pairs of every decided row, seen with parts that were built without that row.

        For half of the targets no other row of the same target is left either: later rows meet old and new targets.
        """
        if cold:
            decided = Decided(_prepared(decided.queries, None), decided.targets)
        part_of_row = _parts_of(decided)
        pairs, rows = [], []
        seen: list[int] = []
        for part in range(PARTS):
            inside = np.flatnonzero(part_of_row == part)
            if not len(inside):
                continue
            rest = decided.part(np.flatnonzero(part_of_row != part).tolist())
            asked = decided.part(inside.tolist())
            learning = [make(self.candidates, None if cold else rest) for make in self._makers]
            parts = [*self._steady, *learning]
            q_idx, c_idx, features = self.pairs(asked.queries, parts)
            pairs.append((q_idx, c_idx, features, _right(asked, q_idx, c_idx, len(self.candidates))))
            rows.append(np.full(len(inside), part))
            seen += inside.tolist()
        steps = np.cumsum([0, *(len(one) for one in rows)])
        return Sample(
            queries=decided.queries.part(seen),
            features=np.concatenate([features for _, _, features, _ in pairs]),
            q_idx=np.concatenate([one[0] + step for one, step in zip(pairs, steps, strict=False)]),
            c_idx=np.concatenate([c_idx for _, c_idx, _, _ in pairs]),
            right=np.concatenate([right for _, _, _, right in pairs]),
            part_of_query=np.concatenate(rows),
        )

    def _learned(self, decided: Decided, before: NetRanker) -> NetRanker:
        if len(decided) < LEAST_DECIDED:
            return before.on(self.feature_names)
        sample = self.sample(decided)
        ranker = learn(
            self.feature_names, sample.features, sample.q_idx, sample.right,
            part_of_query=sample.part_of_query, before=before,
        )  # fmt: skip
        self._answers.learn(
            sample.queries, sample.features, sample.q_idx, sample.c_idx,
            right=sample.right, part_of_query=sample.part_of_query, ranker=ranker,
        )  # fmt: skip
        return ranker


def _parts_of(decided: Decided) -> Ints:
    """The part of each decided row: for the rows of half of the targets by chance, for the rest one part a target.

    Where targets recur (texts of records, not rows of a catalog) later texts will mostly meet old targets too: then
    all by chance.
    """
    random = np.random.default_rng(7)
    scattered = random.permutation(len(decided)) % PARTS
    first = np.asarray([targets[0] for targets in decided.targets], dtype=np.int64)
    every = [target for targets in decided.targets for target in targets]
    if len(every) > RECURRING * len(set(every)):
        return scattered
    targets, of_row = np.unique(first, return_inverse=True)
    together = random.permutation(len(targets)) % PARTS
    alone = random.permutation(len(targets)) % 2 == 0
    return np.where(alone[of_row], together[of_row], scattered)


def _prepared(rows: Rows, known: Rows | None) -> Rows:
    for prepare in PREPARING:
        rows = prepare(rows, known)
    return rows


def _right(decided: Decided, q_idx: Ints, c_idx: Ints, size: int) -> Flags:
    keys = [row * size + target for row, targets in enumerate(decided.targets) for target in targets]
    return np.isin(q_idx.astype(np.int64) * size + c_idx, np.asarray(keys, dtype=np.int64))


def _rank_in_query(q_idx: Ints) -> Ints:
    """0 for the first pair of each query, 1 for the second ...; `q_idx` must be sorted."""
    if not len(q_idx):
        return q_idx
    starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]])
    counts = np.diff(np.r_[starts, len(q_idx)])
    return (np.arange(len(q_idx)) - np.repeat(starts, counts)).astype(np.int32)


def _best_of_query(q_idx: Ints, scores: Floats) -> tuple[Ints, Floats]:
    """Each query that has pairs, and its highest score; `q_idx` must be sorted."""
    if not len(q_idx):
        return q_idx, scores
    starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]])
    return q_idx[starts], np.maximum.reduceat(scores, starts)


def _keys(owners: Ints, places: Ints, scores: Floats, size: np.int64) -> tuple[Ints, Floats, Ints]:
    """One number a pair (query * size + candidate) with its score and rank, for every place that was found."""
    row, rank = np.nonzero(places >= 0)
    return owners[row].astype(np.int64) * size + places[row, rank], scores[row, rank], rank
