"""What one part of the suggester gives to the whole: more texts to look for, pairs to consider, features of pairs.

Knows the shape only. Each part is built for one set of candidates and what has been decided about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints


class Part(ABC):
    """A part of the suggester; texts and pairs may be left as they are where a part has none to say.

    A part is built by a `Maker` from the candidates and the decided mappings. It must not remember queries: the same
    query has the same answer in any company. Pairs are two arrays of places in the queries and in
    the candidates, sorted by query.
    """

    names: tuple[str, ...] = ()
    """The names of the columns that `features` gives, each once in the whole suggester."""

    def variants(self, queries: Rows) -> Sequence[Sequence[str]]:
        """For each query further texts (core spelling) to look for beside its name: synonyms put in, parts of it."""
        return [()] * len(queries)

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:  # noqa: ARG002 - most parts propose nothing.
        """Pairs that must be considered whatever their names share: remembered answers, neighbours by code."""
        none = np.zeros(0, dtype=np.int32)
        return none, none

    @abstractmethod
    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        """One row a pair, one column a name, float32; a missing fact is 0 (or its own flag), never NaN."""


class Maker(Protocol):
    """Builds a part; `decided` is None (cold), or the mappings it may learn from, targets as places of candidates."""

    def __call__(self, candidates: Rows, decided: Decided | None) -> Part: ...
