"""Decided texts as neighbours: which targets the texts most like a new one were given, and how often each was chosen.

Knows decided texts, their targets and the branch of the code set each target stands in. Must not know a candidate's
name. Rules: nearest neighbours by weighted shared pieces; a target's share among all texts with a piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from hub.suggest.pieces import Words, only, per_row, weighed
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints

NEIGHBOURS = 20
PROPOSED = 12
BRANCHES = (4, 5)
"""Characters of a code that make its branch: in ICD-10 A00. and A00.1, in ICD-9-CM-3 00.1 and 00.10."""
_BY_LENGTH = np.asarray([0.0, 0.5, 1.0, 1.0], dtype=np.float32)


@dataclass(frozen=True)
class Near:
    """The nearest decided texts of some texts: `owner` (place of the text), `row` (of the decided one), how `near`.

    `vote` and `company` have a row a text and a column a seen target: what the neighbours and the pieces say for it.
    """

    owner: Ints
    row: Ints
    near: Floats
    vote: Floats
    company: Floats


class Memory:
    """Neighbours of texts among decided texts."""

    names = (
        "memory_vote", "memory_nearest", "memory_company", "memory_chosen_before",
        *(f"memory_branch_{length}" for length in BRANCHES), "memory_alias_edit",
    )  # fmt: skip

    def __init__(self, words: Words, texts: sparse.csr_array, decided: Decided, candidates: Rows) -> None:
        self.texts = decided.queries.core
        pairs = sorted({(row, target) for row, targets in enumerate(decided.targets) for target in targets})
        rows = np.asarray([row for row, _ in pairs], dtype=np.int64)
        targets = np.asarray([target for _, target in pairs], dtype=np.int64)
        ones = np.ones(len(pairs), dtype=np.float32)
        self.targets_of_rows = sparse.csr_array((ones, (rows, targets)), shape=(len(decided), len(candidates)))
        self._seen, of_pair = np.unique(targets, return_inverse=True)
        self.seen_of_candidate = np.full(len(candidates), -1, dtype=np.int64)
        self.seen_of_candidate[self._seen] = np.arange(len(self._seen))
        self._answers = sparse.csr_array((ones, (rows, of_pair)), shape=(len(decided), len(self._seen)))
        self._chosen = np.bincount(targets, minlength=len(candidates)).astype(np.float32)
        occurs = np.asarray(texts.sum(axis=0)).ravel()
        rare = np.log((len(decided) + 1) / (occurs + 1)).astype(np.float32)
        self._weight = np.maximum(rare, 0.0) * _BY_LENGTH[words.length]
        self._near = sparse.csr_array(self._unit(texts).T)
        together = sparse.csr_array(texts.T @ self._answers)
        shares = sparse.csr_array(
            (together.data / np.repeat(occurs + 1.5, np.diff(together.indptr)), together.indices, together.indptr),
            shape=together.shape,
        )
        self._shares = only(sparse.csr_array(shares.T), words.length >= 2).T.tocsr()
        self._branch: list[Ints] = []
        self._branches: list[sparse.csr_array] = []
        codes = candidates.column("code") if candidates.has("code") else candidates.ids
        for length in BRANCHES:
            self._add_branch([code[:length] for code in codes], rows, targets)

    def company(self, texts: sparse.csr_array) -> sparse.csr_array:
        """For each seen target (row) the pieces of the texts it was chosen for (column)."""
        return sparse.csr_array((texts.T @ self._answers).T)

    def near(self, texts: sparse.csr_array, *, besides_itself: bool = False) -> Near:
        """What the decided texts say of `texts`.

        `besides_itself`: the texts are the decided ones themselves, and none may be its own neighbour.
        """
        owner, row, near = self._neighbours(texts, besides_itself=besides_itself)
        vote = self._told(owner, row, near**3, self._answers, texts.shape[0])
        company = (weighed(texts, self._weight) @ self._shares).toarray()
        return Near(owner, row, near, vote, company)

    def votes(self, near: Near, *, top: int = PROPOSED) -> tuple[Ints, Ints]:
        """The targets that the nearest decided texts and the pieces of each text speak for most."""
        q_found, c_found = [], []
        for said in (near.vote, near.company):
            kept = min(top, said.shape[1])
            places = np.argpartition(-said, kept - 1, axis=1)[:, :kept]
            some = np.take_along_axis(said, places, axis=1) > 0
            q_found.append(np.nonzero(some)[0])
            c_found.append(self._seen[places[some]])
        return np.concatenate(q_found), np.concatenate(c_found)

    def features(self, told: Near, q_idx: Ints, c_idx: Ints) -> tuple[Floats, Ints]:
        """The columns of `names` but the last, and for each pair the nearest decided text of its target, or -1."""
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        owner, row, near, vote, company = told.owner, told.row, told.near, told.vote, told.company
        size = len(vote)
        lengths = np.diff(self._answers.indptr)[row]
        turn = np.repeat(np.arange(len(row)), lengths)
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        answer = self._answers.indices[np.repeat(self._answers.indptr[row], lengths) + within]
        nearest, who = np.zeros_like(vote), np.full(vote.shape, -1, dtype=np.int32)
        order = np.lexsort((-row[turn], near[turn]))
        at = (owner[turn][order], answer[order])
        nearest[at], who[at] = near[turn][order], row[turn][order]
        seen = self.seen_of_candidate[c_idx]
        known = np.flatnonzero(seen >= 0)
        places = (q_idx[known], seen[known])
        found[known, 0], found[known, 1], found[known, 2] = vote[places], nearest[places], company[places]
        found[:, 3] = np.log1p(self._chosen[c_idx])
        total = np.bincount(owner, near**2, minlength=size).astype(np.float32) + np.float32(1e-6)
        for column, (branch, rows) in enumerate(zip(self._branch, self._branches, strict=True), start=4):
            said = self._told(owner, row, near**2, rows, size) / total[:, None]
            mine = branch[c_idx]
            some = np.flatnonzero(mine >= 0)
            found[some, column] = said[q_idx[some], mine[some]]
        alias = np.full(len(q_idx), -1, dtype=np.int32)
        alias[known] = who[places]
        return found, alias

    def _unit(self, texts: sparse.csr_array) -> sparse.csr_array:
        rows = weighed(texts, self._weight)
        length = np.sqrt(per_row(texts, self._weight**2)) + np.float32(1e-6)
        data = rows.data / np.repeat(length, np.diff(rows.indptr))
        return sparse.csr_array((data, rows.indices, rows.indptr), shape=rows.shape)

    def _neighbours(self, texts: sparse.csr_array, *, besides_itself: bool = False) -> tuple[Ints, Ints, Floats]:
        """The nearest decided texts: for each its owner among `texts`, its own row, and how near it is."""
        owners, rows, values = [], [], []
        block = 512
        for begin in range(0, texts.shape[0], block):
            near = (self._unit(texts[begin : begin + block]) @ self._near).toarray()
            if besides_itself:
                near[np.arange(near.shape[0]), begin + np.arange(near.shape[0])] = 0.0
            kept = min(NEIGHBOURS, near.shape[1])
            places = np.argpartition(-near, kept - 1, axis=1)[:, :kept]
            places.sort(axis=1)
            value = np.take_along_axis(near, places, axis=1)
            owner, turn = np.nonzero(value > 0)
            owners.append(owner + begin)
            rows.append(places[owner, turn])
            values.append(value[owner, turn])
        return np.concatenate(owners), np.concatenate(rows), np.concatenate(values)

    def _told(self, owner: Ints, row: Ints, weight: Floats, told: sparse.csr_array, size: int) -> Floats:
        """What the neighbours tell, added up: one row a text, one column a column of `told`."""
        shape = (size, told.shape[0])
        near = sparse.csr_array((weight.astype(np.float32), (owner, row)), shape=shape)
        return np.asarray((near @ told).toarray(), dtype=np.float32)

    def _add_branch(self, branches: list[str], rows: Ints, targets: Ints) -> None:
        names, of_candidate = np.unique(np.asarray(branches), return_inverse=True)
        known, of_target = np.unique(of_candidate[targets], return_inverse=True)
        place = np.full(len(names), -1, dtype=np.int64)
        place[known] = np.arange(len(known))
        self._branch.append(place[of_candidate])
        pairs = np.unique(rows * len(known) + of_target)
        ones = np.ones(len(pairs), dtype=np.float32)
        shape = (len(self.texts), len(known))
        self._branches.append(sparse.csr_array((ones, (pairs // len(known), pairs % len(known))), shape=shape))
