"""What decided mappings teach about other texts: substitutes for words, alias texts, and which targets are common.

Knows decided texts and their targets. Must not outweigh a literal hit: it proposes pairs and measures them,
the ranker weighs them against the likeness of the names. Rules: alignment.py, linear.py, memory.py.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from rapidfuzz import distance, process
from scipy import sparse

from hub.suggest.alignment import substitutes
from hub.suggest.linear import LinearModel
from hub.suggest.memory import Memory, Near
from hub.suggest.parts import Part
from hub.suggest.pieces import Vocabulary, Words, flat, only, per_row, summed, weighed
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints, pick

BLOCK = 64
"""Queries whose pieces are spread out as a table at once: bounds the memory, changes no result."""
BLOCK_OF_SEARCH = 256
FOUND_BY_LIKENESS = 20
FOUND_BY_CONTENT = 25
FOUND_TO_LEARN = 16
COMMON = 0.03
"""A piece in more than this part of the candidates is weighed, but finds nothing."""
_NEAR = 0.1
"""A substitute rarer than this does not make a piece count as said in other words."""
_SHORT = 15.0
"""Keeps names of one or two pieces, which any long text contains, from filling the list."""


class _Shared:
    """The vocabulary of a set of candidates, kept while the same candidates are asked about."""

    def __init__(self, candidates: Rows) -> None:
        self.candidates = candidates

    def __hash__(self) -> int:
        return id(self.candidates)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shared) and other.candidates is self.candidates


@lru_cache(maxsize=1)
def _vocabulary(shared: _Shared) -> Vocabulary:
    return Vocabulary(shared.candidates)


def lexicon(candidates: Rows, decided: Decided | None) -> Part:
    """The maker of the part: an empty one where nothing has been decided."""
    if decided is None or not any(decided.targets):
        return Unlearned()
    return Lexicon(candidates, decided)


NAMES = (
    "lexicon_agree", "lexicon_added", "lexicon_instead", "lexicon_company", "lexicon_linear", "lexicon_contained",
    "lexicon_contained_reworded", "lexicon_cosine_reworded", "lexicon_left_over", "lexicon_left_over_needed",
    "lexicon_query_left_characters", "lexicon_query_said_characters", "lexicon_query_left_pairs",
    "lexicon_query_said_pairs", *Memory.names,
)  # fmt: skip


class Unlearned(Part):
    """The same columns, silent."""

    names = NAMES

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:  # noqa: ARG002 - nothing is known yet.
        return np.zeros((len(q_idx), len(self.names)), dtype=np.float32)


class Lexicon(Part):
    """Learned from decided mappings; see the module."""

    names = NAMES

    def __init__(self, candidates: Rows, decided: Decided) -> None:
        self._size = len(candidates)
        base = _vocabulary(_Shared(candidates))
        self._words = words = Words(base, decided.queries.core)
        texts = words.decided
        self.memory = Memory(words, texts, decided, candidates)
        names = sparse.csr_array(self.memory.targets_of_rows @ words.of_candidates)
        names.data[:] = 1.0
        self._substitutes = substitutes(words, texts, names)
        self._prepare_search()
        self._prepare_coverage(texts, names)
        self.linear = LinearModel(words, self._substitutes, self.memory.company(texts))
        self._added: tuple[Floats, Floats] | None = None
        self._learn(texts, decided)
        self._last: tuple[Rows, sparse.csr_array, Near] | None = None

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        texts, near = self._read(queries)
        return self._proposed(texts, self.memory.votes(near), FOUND_BY_LIKENESS, FOUND_BY_CONTENT)

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        texts, near = self._read(queries)
        begins = np.searchsorted(q_idx, np.arange(0, len(queries) + BLOCK, BLOCK))
        for block, (low, high) in enumerate(zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True)):
            if low < high:
                some = texts[block * BLOCK : (block + 1) * BLOCK]
                self._measure(some, q_idx[low:high] - block * BLOCK, c_idx[low:high], found[low:high])
        width = len(Memory.names)
        found[:, -width:], nearest = self.memory.features(near, q_idx, c_idx)
        known: Ints = np.flatnonzero(nearest >= 0).astype(np.int32)
        found[known, -1] = process.cpdist(
            pick(queries.core, q_idx[known]), pick(self.memory.texts, nearest[known]),
            scorer=distance.Indel.normalized_similarity, dtype=np.float32, workers=1,
        )  # fmt: skip
        seen = self.memory.seen_of_candidate[c_idx]
        known = np.flatnonzero(seen >= 0)
        company = np.asarray((texts @ self.linear.company.T).todense(), dtype=np.float32)
        found[known, 3] = company[q_idx[known], seen[known]]
        found[:, 4] += found[:, 3]
        return found

    def _read(self, queries: Rows) -> tuple[sparse.csr_array, Near]:
        """The pieces of the queries and their neighbours; kept until other rows come, for they are asked for twice."""
        last = self._last
        if last is None or last[0] is not queries:
            # Threads may share the part, so what is given back is never read from `self` again.
            texts = self._words.counted(queries.core)
            last = self._last = (queries, texts, self.memory.near(texts))
        return last[1], last[2]

    def _prepare_search(self) -> None:
        base = self._words.base
        kept = (base.frequency <= max(30.0, COMMON * base.size)) & (base.length <= 2)
        self._rare = np.flatnonzero(kept)
        rows = weighed(base.of_candidates, base.weight**2)
        self._postings = sparse.csr_array(rows[:, self._rare].T)
        self._norm = np.sqrt(base.square) + np.float32(1e-6)

    def _prepare_coverage(self, texts: sparse.csr_array, names: sparse.csr_array) -> None:
        """How often a piece of a text is still said in its name, and a piece of a name was already said in its text."""
        words = self._words
        near = self._substitutes.copy()
        near.data[near.data < _NEAR] = 0.0
        near.eliminate_zeros()
        short = words.length <= 2
        own = only(words.of_candidates, short)
        said = sparse.csr_array(own @ only(sparse.csr_array(near.T), short))
        said.data = np.minimum(said.data, 1.0)
        self._said = sparse.csr_array(own.maximum(said))
        of_names = sparse.csr_array(self.memory.targets_of_rows @ self._said)
        of_names.data = np.minimum(of_names.data, 1.0)
        occurs = np.asarray(texts.sum(axis=0)).ravel()
        kept = (np.asarray(texts.multiply(of_names).sum(axis=0)).ravel() + 1.0) / (occurs + 2.0)
        self._lasting = [(kept * words.rarity * (words.length == length)).astype(np.float32) for length in (1, 2)]
        reworded = self._reworded(texts)
        occurs = np.asarray(names.sum(axis=0)).ravel()
        explained = np.asarray(names.multiply(reworded).sum(axis=0)).ravel()
        single = words.length == 1
        self._weight_of_added = (words.rarity * single).astype(np.float32)
        self._needed = ((explained + 2.0) / (occurs + 2.5) * words.rarity * single).astype(np.float32)

    def _reworded(self, texts: sparse.csr_array) -> sparse.csr_array:
        """Texts with the substitutes of their pieces, each as sure as it is common."""
        more = sparse.csr_array(texts @ self._substitutes)
        more.data = np.minimum(more.data, 1.0)
        return sparse.csr_array(texts.maximum(more))

    def _proposed(self, texts: sparse.csr_array, votes: tuple[Ints, Ints], likely: int, held: int) -> tuple[Ints, Ints]:
        base = self._words.base
        keys = [votes[0].astype(np.int64) * self._size + votes[1]]
        for begin in range(0, texts.shape[0], BLOCK_OF_SEARCH):
            block = self._reworded(texts[begin : begin + BLOCK_OF_SEARCH])
            found = sparse.csr_array(block[:, self._rare] @ self._postings)
            for row in range(found.shape[0]):
                low, high = found.indptr[row], found.indptr[row + 1]
                near, value = found.indices[low:high], found.data[low:high]
                for score, top in (
                    (value / self._norm[near], likely), (value / (base.square[near] + np.float32(_SHORT)), held),
                ):  # fmt: skip
                    keys.append(np.int64(begin + row) * self._size + _best(near, score, top))
        every = np.unique(np.concatenate(keys))
        return (every // self._size).astype(np.int32), (every % self._size).astype(np.int32)

    def _added_of_candidates(self) -> Floats:
        """What the words of each candidate weigh by themselves: worked out once for what was learned."""
        added = self.linear.added
        kept = self._added
        if kept is None or kept[0] is not added:
            kept = self._added = (added, per_row(self._words.of_candidates, added))
        return kept[1]

    def _measure(self, texts: sparse.csr_array, q_idx: Ints, c_idx: Ints, found: Floats) -> None:
        """Fill the columns that look at single pieces."""
        words, base, model = self._words, self._words.base, self.linear
        size = len(q_idx)
        reworded = self._reworded(texts)
        offered = sparse.csr_array(texts @ model.instead)
        # Only the columns that occur here are spread out; all others share one that is empty.
        columns = np.unique(np.concatenate([reworded.indices, offered.indices]))
        place_of = np.zeros(words.width, dtype=np.int64)
        place_of[columns] = np.arange(1, len(columns) + 1)
        width = len(columns) + 1
        own, all_of_it, instead = (_spread(rows, place_of, width) for rows in (texts, reworded, offered))
        turn, place = flat(words.of_candidates, c_idx)
        piece = words.of_candidates.indices[place]
        at = q_idx[turn].astype(np.int64) * width + place_of[piece]
        has, said = own[at], all_of_it[at]
        left = 1.0 - said
        mass_of_text = per_row(texts, words.weight)[q_idx] + np.float32(1e-6)
        length_of_text = np.sqrt(per_row(_squared(reworded), words.weight**2))[q_idx] + np.float32(1e-6)
        weight = words.weight[piece]
        shared = summed(turn, weight * has, size)
        mass = base.mass[c_idx] + np.float32(1e-6)
        found[:, 0] = summed(turn, model.agree[piece] * has, size)
        found[:, 1] = self._added_of_candidates()[c_idx]
        found[:, 2] = summed(turn, instead[at] * (1.0 - has), size)
        found[:, 5] = shared / mass
        found[:, 6] = summed(turn, weight * said, size) / mass
        found[:, 7] = summed(turn, weight**2 * said, size) / self._norm[c_idx] / length_of_text
        found[:, 8] = summed(turn, self._weight_of_added[piece] * left, size)
        found[:, 9] = summed(turn, self._needed[piece] * left, size)
        plain = _plain(shared, mass, mass_of_text)
        found[:, 4] = found[:, 0] + found[:, 1] + found[:, 2] + (plain @ model.plain if len(model.plain) else 0.0)
        turn, place = flat(self._said, c_idx)
        piece, value = self._said.indices[place], self._said.data[place]
        has = own[q_idx[turn].astype(np.int64) * width + place_of[piece]] * value
        for column, lasting in zip((10, 12), self._lasting, strict=True):
            total = per_row(texts, lasting)[q_idx]
            covered = summed(turn, has * lasting[piece], size)
            found[:, column] = total - covered
            found[:, column + 1] = covered / (total + np.float32(1e-6))

    def _learn(self, texts: sparse.csr_array, decided: Decided) -> None:
        """Fit the linear model on each decided text, its targets and their nearest rivals."""
        votes = self.memory.votes(self.memory.near(texts, besides_itself=True), top=FOUND_TO_LEARN // 2)
        q_idx, c_idx = self._proposed(texts, votes, FOUND_TO_LEARN, FOUND_TO_LEARN)
        right = [row * self._size + target for row, targets in enumerate(decided.targets) for target in targets]
        keys = np.unique(np.concatenate([q_idx.astype(np.int64) * self._size + c_idx, right]))
        q_idx, c_idx = (keys // self._size).astype(np.int32), (keys % self._size).astype(np.int32)
        shared = self._shared_mass(texts, q_idx, c_idx)
        mass_of_text = per_row(texts, self._words.weight)[q_idx] + np.float32(1e-6)
        plain = _plain(shared, self._words.base.mass[c_idx] + np.float32(1e-6), mass_of_text)
        seen = self.memory.seen_of_candidate[c_idx]
        decided_so = np.isin(keys, np.asarray(right, dtype=np.int64))
        self.linear.fit(texts, q_idx, c_idx, seen=seen, plain=plain, right=decided_so)

    def _shared_mass(self, texts: sparse.csr_array, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros(len(q_idx), dtype=np.float32)
        weighted = weighed(texts, self._words.weight)
        for begin in range(0, len(q_idx), 50_000):
            some = slice(begin, begin + 50_000)
            product = weighted[q_idx[some]].multiply(self._words.of_candidates[c_idx[some]])
            found[some] = np.asarray(product.sum(axis=1)).ravel()
        return found


def _plain(shared: Floats, mass: Floats, mass_of_text: Floats) -> Floats:
    """Measures that need no learning: how much of the candidate, of the text, and of both is shared."""
    both = shared / np.sqrt(mass * mass_of_text)
    return np.stack([shared / mass, shared / mass_of_text, both], axis=1).astype(np.float32)


def _spread(rows: sparse.csr_array, place_of: Ints, width: int) -> Floats:
    """The rows as one long table of `width` columns, each entry at the place of its column."""
    found = np.zeros(rows.shape[0] * width, dtype=np.float32)
    owner = np.repeat(np.arange(rows.shape[0], dtype=np.int64), np.diff(rows.indptr))
    found[owner * width + place_of[rows.indices]] = rows.data
    return found


def _squared(rows: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array((rows.data**2, rows.indices, rows.indptr), shape=rows.shape)


def _best(places: Ints, scores: Floats, top: int) -> Ints:
    """The places with the `top` best scores, ties by place, in the order of the places."""
    if len(places) > top:
        bound = np.partition(scores, len(scores) - top)[len(scores) - top]
        kept = scores >= bound
        places, scores = places[kept], scores[kept]
        places = places[np.lexsort((places, -scores))[:top]]
    return places.astype(np.int64)
