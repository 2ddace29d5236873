"""Short pieces of writing that names are made of, counted so that learned weights can hang on them.

Knows candidates' names and their pieces: one to three neighbouring characters, and the same with the side left open.
Must not know what has been decided. Rules: weights log(N / df) of information retrieval; a left or right organ is the
same organ for all that does not ask for the side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hub.suggest.rows import Rows
from hub.suggest.text import Flags, Floats, Ints

LONGEST = 3
_SIDE = re.compile("左侧|右侧|单侧|左|右")
_OPEN_SIDE = "§"
_BY_LENGTH = np.asarray([0.0, 0.6, 1.0, 0.8], dtype=np.float32)
"""One character says less than two; three mostly repeat what their pairs have said."""
_UNKNOWN = 0.6
"""A piece that no candidate has counts this part of the rarest one: it may be a slip of the pen."""


def pieces(text: str) -> set[str]:
    """All pieces of a text in the core spelling."""
    found = {text[at : at + size] for size in range(1, LONGEST + 1) for at in range(len(text) - size + 1)}
    neutral = _SIDE.sub(_OPEN_SIDE, text)
    if neutral != text:
        found |= {neutral[at : at + size] for size in range(1, LONGEST + 1) for at in range(len(neutral) - size + 1)}
    return found


class Vocabulary:
    """The pieces of candidates (columns 0 to `width` - 1), and further ones of decided texts behind them."""

    def __init__(self, candidates: Rows) -> None:
        self.size = len(candidates)
        self.number: dict[str, int] = {}
        self.of_candidates = occurrences(candidates.core, self.number, grow=True)
        self.width = len(self.number)
        frequency = np.bincount(self.of_candidates.indices, minlength=self.width).astype(np.float32)
        self.length = np.asarray([len(piece) for piece in self.number], dtype=np.int8)
        self.rarity = np.log((self.size + 1) / (frequency + 1)).astype(np.float32)
        self.weight = self.rarity * _BY_LENGTH[self.length]
        self.frequency = frequency
        self.mass = per_row(self.of_candidates, self.weight)
        self.square = per_row(self.of_candidates, self.weight**2)


class Words:
    """A vocabulary of candidates and of decided texts together."""

    def __init__(self, base: Vocabulary, texts: Sequence[str]) -> None:
        self.base = base
        self._number = dict(base.number)
        self.decided = occurrences(texts, self._number, grow=True)
        self.width = len(self._number)
        more = self.width - base.width
        lengths = [len(piece) for piece in list(self._number)[base.width :]]
        self.length = np.concatenate([base.length, np.asarray(lengths, dtype=np.int8)])
        rarest = np.full(more, _UNKNOWN * np.log(base.size + 1), dtype=np.float32)
        self.rarity = np.concatenate([base.rarity, rarest])
        self.weight = self.rarity * _BY_LENGTH[self.length]
        self.of_candidates = widened(base.of_candidates, self.width)

    def counted(self, texts: Sequence[str]) -> sparse.csr_array:
        """The pieces of each text, each once; pieces nobody has seen are left out."""
        return occurrences(texts, self._number, grow=False)


def occurrences(texts: Sequence[str], number: dict[str, int], *, grow: bool) -> sparse.csr_array:
    """One row a text with a 1 for each of its pieces; new pieces get the next numbers if the vocabulary may grow."""
    indices: list[int] = []
    indptr = [0]
    for text in texts:
        if grow:
            found = [number.setdefault(piece, len(number)) for piece in sorted(pieces(text))]
        else:
            found = [place for piece in pieces(text) if (place := number.get(piece)) is not None]
        indices += sorted(found)
        indptr.append(len(indices))
    ones = np.ones(len(indices), dtype=np.float32)
    places = (np.asarray(indices, dtype=np.int32), np.asarray(indptr, dtype=np.int32))
    return sparse.csr_array((ones, *places), shape=(len(texts), len(number)))


def widened(rows: sparse.csr_array, width: int) -> sparse.csr_array:
    return sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def weighed(rows: sparse.csr_array, weight: Floats) -> sparse.csr_array:
    """`rows` with each column multiplied by its weight."""
    return sparse.csr_array((rows.data * weight[rows.indices], rows.indices, rows.indptr), shape=rows.shape)


def per_row(rows: sparse.csr_array, weight: Floats) -> Floats:
    """The weights of the columns of each row, summed."""
    return np.asarray(rows @ weight, dtype=np.float32)


def only(rows: sparse.csr_array, kept: Flags) -> sparse.csr_array:
    """`rows` with the columns `kept` alone; the others become 0 and are forgotten."""
    # A copy: forgetting works in place, and the places of the entries are shared with `rows`.
    found = weighed(rows, kept.astype(np.float32)).copy()
    found.eliminate_zeros()
    return found


def flat(rows: sparse.csr_array, places: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The entries of the rows at `places` one after another: for each its turn in `places` and its place in `data`."""
    lengths = np.diff(rows.indptr)[places].astype(np.int64)
    ends = np.cumsum(lengths)
    turn = np.repeat(np.arange(len(places)), lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return turn, np.repeat(rows.indptr[places].astype(np.int64), lengths) + within


def summed(turn: NDArray[np.int64], values: NDArray[np.floating[Any]], size: int) -> Floats:
    """`values` added up by `turn`."""
    return np.bincount(turn, values, minlength=size).astype(np.float32)
