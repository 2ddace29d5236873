"""The order of the candidates of one query, and how probable it is that each is right.

Knows named feature columns and which pairs were right. Must not know what a column means.
Rules: small networks trained by the list-wise softmax loss (Cao et al. 2007, ListNet), each without one part of the
queries; what they say of the part they have not seen is the ground of the probabilities (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.suggest.text import Flags, Floats, Ints

PARTS = 4
"""Networks, and parts that the decided queries are divided into; each network leaves out one part."""
HIDDEN = 40
EPOCHS = 16
QUERIES_AT_ONCE = 64
RATE = 3e-3
DECAY = 1e-4
DROPPED = 0.25
CLIPPED = 5.0
"""Standard deviations beyond which a feature says no more."""

Weights = tuple[Floats, Floats, Floats, Floats, Floats, Floats]


@dataclass(frozen=True)
class Lists:
    """Pairs of queries, sorted by query, as the ranker sees them; `starts` is where each query's pairs begin."""

    features: Floats
    starts: Ints
    counts: Ints

    @classmethod
    def of(cls, features: Floats, q_idx: Ints) -> Lists:
        """The features of pairs and, beside them, how far each lies below the best pair of its query."""
        starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]]) if len(q_idx) else np.zeros(0, dtype=np.int64)
        counts = np.diff(np.r_[starts, len(q_idx)])
        if not len(q_idx):
            return cls(np.hstack([features, features]), starts, counts)
        best = np.maximum.reduceat(features, starts, axis=0)
        return cls(np.hstack([features, features - np.repeat(best, counts, axis=0)]), starts, counts)

    def softmax(self, raw: Floats) -> Floats:
        """`raw` as shares of each query's list."""
        return _softmax(raw, self.starts, self.counts)


@dataclass(frozen=True)
class NetRanker:
    """Networks over named columns, and the three numbers that turn what they say into probabilities."""

    names: tuple[str, ...]
    mean: Floats
    spread: Floats
    nets: tuple[Weights, ...]
    calibration: tuple[float, float, float]

    def scores(self, features: Floats, q_idx: Ints) -> Floats:
        """For each pair the probability that its candidate is right; within a query in the order of the networks."""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        spoken: Flags = np.asarray(features.any(axis=0))
        ranker = self.on([name for name, heard in zip(self.names, spoken.tolist(), strict=True) if heard])
        lists = Lists.of(features[:, spoken], q_idx)
        scaled = _scaled(lists.features, ranker.mean, ranker.spread)
        raw = np.zeros(len(scaled), dtype=np.float32)
        for net in ranker.nets:
            raw += _forward(scaled, net) / np.float32(len(ranker.nets))
        return _sigmoid(_evidence(lists, raw) @ np.asarray(ranker.calibration, dtype=np.float32))

    def on(self, names: Sequence[str]) -> NetRanker:
        """The same ranker over other columns: one it does not know weighs nothing, one that is gone counts as 0."""
        if tuple(names) == self.names:
            return self
        place = {name: at for at, name in enumerate(self.names)}
        old, new = len(self.names), len(names)
        pairs = [(at, place[name]) for at, name in enumerate(names) if name in place]
        into = np.asarray([at + half * new for half in (0, 1) for at, _ in pairs], dtype=np.int64)
        out_of = np.asarray([at + half * old for half in (0, 1) for _, at in pairs], dtype=np.int64)
        gone = np.ones(2 * old, dtype=np.bool_)
        gone[out_of] = False
        silence = _scaled(np.zeros((1, 2 * old), dtype=np.float32), self.mean, self.spread)[:, gone]

        def moved(values: Floats) -> Floats:
            found = np.zeros((2 * new, *values.shape[1:]), dtype=np.float32)
            found[into] = values[out_of]
            return found

        nets: list[Weights] = []
        share, raw, always = self.calibration
        for inner, bias, outer, outer_bias, last, straight in self.nets:
            always += raw * (silence @ straight[gone]).item() / len(self.nets)
            nets.append((moved(inner), bias + (silence @ inner[gone])[0], outer, outer_bias, last, moved(straight)))
        return NetRanker(tuple(names), moved(self.mean), moved(self.spread), tuple(nets), (share, raw, always))


def learn(
    names: Sequence[str],
    features: Floats,
    q_idx: Ints,
    right: Flags,
    *,
    part_of_query: Ints,
    before: NetRanker | None = None,
) -> NetRanker:
    """A ranker learned from pairs, sorted by query, of which it is known which are right.

    `part_of_query` (0 to PARTS - 1) says which network must not see a query.

    A column that is 0 everywhere teaches nothing and weighs nothing later. With `before` the networks begin where those
    of another ranker ended. Same input, same ranker.
    """
    spoken: Flags = np.asarray(features.any(axis=0))
    heard = [name for name, one in zip(names, spoken.tolist(), strict=True) if one]
    lists = Lists.of(features[:, spoken], q_idx)
    mean, spread = lists.features.mean(axis=0), lists.features.std(axis=0)
    start: NetRanker | None = None
    if before is not None and before.nets:
        start = before.on(heard)
        known = start.spread > 0
        mean, spread = np.where(known, start.mean, mean), np.where(known, start.spread, spread)
    scaled = _scaled(lists.features, mean, spread)
    answered = np.add.reduceat(right.astype(np.int64), lists.starts) > 0
    nets: list[Weights] = []
    unseen = np.zeros(len(scaled), dtype=np.float32)
    for part in range(PARTS):
        first = None if start is None else start.nets[part % len(start.nets)]
        used = np.flatnonzero(answered & (part_of_query != part))
        net = _trained(scaled, right, lists.starts, lists.counts, used, seed=part, first=first)
        nets.append(net)
        rows = np.repeat(part_of_query == part, lists.counts)
        unseen[rows] = _forward(scaled[rows], net)
    calibration = _calibrated(_evidence(lists, unseen), right)
    return NetRanker(tuple(heard), mean, spread, tuple(nets), calibration).on(names)


def _trained(
    scaled: Floats, right: Flags, starts: Ints, counts: Ints, used: Ints, *, seed: int, first: Weights | None
) -> Weights:
    """One network after EPOCHS rounds of Adam over the queries `used`."""
    random = np.random.default_rng(seed)
    weights = _begun(scaled.shape[1], random, first)
    slow = [np.zeros_like(one) for one in weights]
    square = [np.zeros_like(one) for one in weights]
    rounds = EPOCHS * -(-len(used) // QUERIES_AT_ONCE)
    done = 0
    for _ in range(EPOCHS):
        order = random.permutation(used)
        for begin in range(0, len(order), QUERIES_AT_ONCE):
            some = order[begin : begin + QUERIES_AT_ONCE]
            rows = np.concatenate([np.arange(starts[one], starts[one] + counts[one]) for one in some])
            slopes = _slopes(scaled[rows], right[rows], counts[some], weights, random)
            done += 1
            rate = RATE * 0.5 * (1.0 + np.cos(np.pi * done / rounds))
            for at, slope in enumerate(slopes):
                slow[at] = 0.9 * slow[at] + 0.1 * slope
                square[at] = 0.999 * square[at] + 0.001 * slope**2
                step = (slow[at] / (1 - 0.9**done)) / (np.sqrt(square[at] / (1 - 0.999**done)) + 1e-8)
                weights[at] = (weights[at] - rate * (step + DECAY * weights[at])).astype(np.float32)
    one, two, three, four, five, six = weights
    return one, two, three, four, five, six


def _begun(width: int, random: np.random.Generator, first: Weights | None) -> list[Floats]:
    def drawn(rows: int, columns: int) -> Floats:
        return (random.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)

    fresh = [
        drawn(width, HIDDEN), np.zeros(HIDDEN, np.float32), drawn(HIDDEN, HIDDEN), np.zeros(HIDDEN, np.float32),
        drawn(HIDDEN, 1), np.zeros((width, 1), np.float32),
    ]  # fmt: skip
    if first is None:
        return fresh
    # Columns that the earlier network did not know begin small, and as differently from one another as any.
    new = ~first[0].any(axis=1)
    inner = first[0].copy()
    inner[new] = 0.3 * fresh[0][new]
    return [inner, *(one.copy() for one in first[1:])]


def _slopes(
    scaled: Floats, right: Flags, counts: Ints, weights: Sequence[Floats], random: np.random.Generator
) -> tuple[Floats, ...]:
    """The slopes of the list-wise loss at `weights`, with a part of the inner values left out at random."""
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    inner = scaled @ weights[0] + weights[1]
    kept = _kept(inner, random)
    one = inner.clip(0.0) * kept
    outer = one @ weights[2] + weights[3]
    kept_too = _kept(outer, random)
    two = outer.clip(0.0) * kept_too
    raw = (two @ weights[4] + scaled @ weights[5])[:, 0]
    wanted = right / np.repeat(np.add.reduceat(right.astype(np.float32), starts), counts)
    error = ((_softmax(raw, starts, counts) - wanted) / len(counts)).astype(np.float32)[:, None]
    back_two = error @ weights[4].T * kept_too * (outer > 0)
    back_one = back_two @ weights[2].T * kept * (inner > 0)
    return (
        scaled.T @ back_one, back_one.sum(axis=0), one.T @ back_two, back_two.sum(axis=0), two.T @ error,
        scaled.T @ error,
    )  # fmt: skip


def _kept(values: Floats, random: np.random.Generator) -> Floats:
    return (random.random(values.shape, dtype=np.float32) > DROPPED).astype(np.float32) / np.float32(1.0 - DROPPED)


def _forward(scaled: Floats, net: Weights) -> Floats:
    one = (scaled @ net[0] + net[1]).clip(0.0)
    two = (one @ net[2] + net[3]).clip(0.0)
    return np.asarray((two @ net[4] + scaled @ net[5])[:, 0], dtype=np.float32)


def _scaled(features: Floats, mean: Floats, spread: Floats) -> Floats:
    """Features in standard deviations from the mean; a column without spread says nothing."""
    found = (features - mean) / np.where(spread > 1e-6, spread, np.inf)
    return np.asarray(found.clip(-CLIPPED, CLIPPED), dtype=np.float32)


def _softmax(raw: Floats, starts: Ints, counts: Ints) -> Floats:
    grown = np.exp(raw - np.repeat(np.maximum.reduceat(raw, starts), counts))
    return np.asarray(grown / np.repeat(np.add.reduceat(grown, starts), counts), dtype=np.float32)


def _evidence(lists: Lists, raw: Floats) -> Floats:
    """What a probability is worked out from: the log odds of a pair's share, its raw score, and 1."""
    share = lists.softmax(raw).clip(1e-7, 1 - 1e-7)
    return np.stack([np.log(share / (1 - share)), raw, np.ones_like(raw)], axis=1).astype(np.float32)


def _sigmoid(values: NDArray[np.floating]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values.clip(-30.0, 30.0))), dtype=np.float32)


def _calibrated(evidence: Floats, right: Flags) -> tuple[float, float, float]:
    """Logistic regression by Newton's method; neither slope may be negative, for the order must stay."""
    for columns in ((0, 1, 2), (0, 2)):
        slopes = _logistic(evidence[:, columns].astype(np.float64), right.astype(np.float64))
        if (slopes[:-1] >= 0).all():
            found = dict(zip(columns, slopes.tolist(), strict=True))
            return found[0], found.get(1, 0.0), found[2]
    return 1.0, 0.0, 0.0


def _logistic(evidence: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    weight = np.zeros(evidence.shape[1])
    for _ in range(30):
        said = 1.0 / (1.0 + np.exp(-(evidence @ weight).clip(-30.0, 30.0)))
        bend = (evidence * (said * (1 - said) + 1e-9)[:, None]).T @ evidence + 1e-3 * np.eye(len(weight))
        weight += np.linalg.solve(bend, evidence.T @ (target - said) - 1e-3 * weight)
    return weight
