"""The candidates that share rare pieces of writing with a text: an inverted index of characters and character pairs.

Knows texts and their places. Must not know why a candidate is right: it only makes the list that is then ranked.
Rules: cosine of weights log(1 + N / df), the common measure of information retrieval; no learning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from hub.suggest.text import Floats, Ints, grams

COMMON = 0.06
"""A gram that stands in more than this part of all candidates finds nothing: it is weighed, but not looked up."""
BLOCK = 512
"""Texts that are looked up at once: bounds the memory, changes no result."""
_LEAST = np.float32(1e-6)


class Index:
    """Finds among `texts` (in the core spelling) those nearest to a text; ties by place, so always the same."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        self._number: dict[str, int] = {}
        counted = self._count(texts, grow=True)
        frequency = np.bincount(counted.indices, minlength=len(self._number)).astype(np.float32)
        self._weight = np.log1p(self.size / np.maximum(frequency, 1.0)).astype(np.float32)
        self._rare = frequency <= max(30.0, COMMON * self.size)
        self._unknown = float(np.log1p(self.size))
        rows = _weighed(counted, self._weight)
        self.norms = np.maximum(_norms(rows), _LEAST)
        self._rows = _scaled(rows, self.norms)
        self._postings = sparse.csr_array(self._rows[:, np.flatnonzero(self._rare)].T)
        self._place_of_rare = np.cumsum(self._rare) - 1

    def vectors(self, texts: Sequence[str]) -> tuple[sparse.csr_array, Floats]:
        """Unit vectors of texts and their lengths; a gram that no candidate has counts into the length alone."""
        counted = self._count(texts, grow=False)
        missing = np.asarray([len(set(grams(text))) for text in texts], dtype=np.float32) - np.diff(counted.indptr)
        rows = _weighed(counted, self._weight)
        norms = np.maximum(np.sqrt(_norms(rows) ** 2 + missing * self._unknown**2), _LEAST)
        return _scaled(rows, norms), norms

    def search(self, texts: Sequence[str], *, top: int) -> tuple[Ints, Floats]:
        """Places and scores of the `top` nearest candidates of each text, best first; place -1 where there are fewer.

        A score is the cosine over the rare grams, 0 to 1.
        """
        places = np.full((len(texts), top), -1, dtype=np.int32)
        scores = np.zeros((len(texts), top), dtype=np.float32)
        for begin in range(0, len(texts), BLOCK):
            block, _ = self.vectors(texts[begin : begin + BLOCK])
            found = sparse.csr_array(block[:, np.flatnonzero(self._rare)] @ self._postings)
            for row in range(found.shape[0]):
                low, high = found.indptr[row], found.indptr[row + 1]
                near, value = found.indices[low:high], found.data[low:high]
                if len(near) > top:
                    # Everything as good as the last one kept stays until ties are broken by place.
                    bound = np.partition(value, len(value) - top)[len(value) - top]
                    keep = value >= bound
                    near, value = near[keep], value[keep]
                order = np.lexsort((near, -value))[:top]
                places[begin + row, : len(order)] = near[order]
                scores[begin + row, : len(order)] = value[order]
        return places, scores

    def similarity(self, vectors: sparse.csr_array, queries: Ints, places: Ints) -> Floats:
        """The whole cosine, common grams too, of pairs (row of `vectors`, candidate)."""
        product = vectors[queries].multiply(self._rows[places])
        return np.asarray(product.sum(axis=1), dtype=np.float32).ravel()

    def _count(self, texts: Sequence[str], *, grow: bool) -> sparse.csr_array:
        """The grams of each text, each once, as a matrix of ones."""
        number = self._number
        indices: list[int] = []
        indptr = [0]
        for text in texts:
            if grow:
                found = {number.setdefault(gram, len(number)) for gram in grams(text)}
            else:
                found = {place for gram in grams(text) if (place := number.get(gram)) is not None}
            indices += sorted(found)
            indptr.append(len(indices))
        shape = (len(texts), len(number))
        return sparse.csr_array((np.ones(len(indices), dtype=np.float32), indices, indptr), shape=shape)


def _weighed(counted: sparse.csr_array, weight: Floats) -> sparse.csr_array:
    return sparse.csr_array((weight[counted.indices], counted.indices, counted.indptr), shape=counted.shape)


def _scaled(rows: sparse.csr_array, norms: Floats) -> sparse.csr_array:
    """Each row divided by its length."""
    data = rows.data / np.repeat(norms, np.diff(rows.indptr))
    return sparse.csr_array((data.astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)


def _norms(rows: sparse.csr_array) -> Floats:
    squares = sparse.csr_array((rows.data**2, rows.indices, rows.indptr), shape=rows.shape)
    return np.sqrt(np.asarray(squares.sum(axis=1), dtype=np.float32)).ravel()
