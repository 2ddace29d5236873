"""Which pieces of writing coders put for which: learned from decided texts and the names they were given.

Knows pieces that a text has and its name has not, and the other way round. Must not know any medicine.
Rules: expectation maximisation of IBM model 1 (Brown et al. 1993) over what is left when the shared pieces are gone;
each substitute is measured against all texts with the piece, so a word that is mostly kept has weak substitutes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hub.suggest.pieces import Words
from hub.suggest.text import Ints

ROUNDS = 3
LEAST = 0.04
"""A substitute rarer than this among the texts with a piece is chance."""
TOO_MANY = 4000
"""A pair of text and name with more combinations than this has too little in common to learn from."""


def substitutes(words: Words, texts: sparse.csr_array, names: sparse.csr_array) -> sparse.csr_array:
    """For each piece of a text (row) the pieces of names (column) that stand for it, with how often, 0 to 1."""
    width = words.width
    shared = texts.multiply(names)
    lost, new = sparse.csr_array(texts - shared), sparse.csr_array(names - shared)
    lost.eliminate_zeros()
    new.eliminate_zeros()
    lost.sort_indices()
    new.sort_indices()
    row, left, right = _combined(lost, new)
    if not len(row):
        return sparse.csr_array((width, width), dtype=np.float32)
    pairs, of_pair = np.unique(left * width + right, return_inverse=True)
    _, wanted = np.unique(row * width + right, return_inverse=True)
    occurs = np.asarray(texts.sum(axis=0)).ravel() + 1.0
    every = occurs[pairs // width]
    count: NDArray[Any] = np.bincount(of_pair).astype(np.float64)
    for _ in range(ROUNDS):
        said = (count / every)[of_pair]
        count = np.bincount(of_pair, weights=said / np.maximum(np.bincount(wanted, weights=said)[wanted], 1e-9))
    share: NDArray[np.float64] = count / every
    kept = share > LEAST
    places = (pairs[kept] // width, pairs[kept] % width)
    return sparse.csr_array((share[kept].astype(np.float32), places), shape=(width, width))


def _combined(lost: sparse.csr_array, new: sparse.csr_array) -> tuple[Ints, Ints, Ints]:
    """Every lost piece with every new piece of the same row."""
    many, more = np.diff(lost.indptr).astype(np.int64), np.diff(new.indptr).astype(np.int64)
    used = np.flatnonzero((many > 0) & (more > 0) & (many * more < TOO_MANY))
    none = np.zeros(0, dtype=np.int64)
    rows, left, right = [none], [none], [none]
    for row in used.tolist():
        one = lost.indices[lost.indptr[row] : lost.indptr[row + 1]]
        other = new.indices[new.indptr[row] : new.indptr[row + 1]]
        rows.append(np.full(len(one) * len(other), row, dtype=np.int64))
        left.append(np.repeat(one, len(other)).astype(np.int64))
        right.append(np.tile(other, len(one)).astype(np.int64))
    return np.concatenate(rows), np.concatenate(left), np.concatenate(right)
