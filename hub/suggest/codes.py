"""What the code of a row says: which candidates stand in the same branch of a code book.

Knows the shape of codes: a longer code lies under its prefix. Must not know names beyond looking up their known code.
Rules: ICD-10 and ICD-9-CM-3 (three characters a category, one after the point a subcategory, `00` the entry that stands
for the whole of it), the 15 digits of services (`00`, nine digits of the price list of 2001, four of the variant).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
from rapidfuzz import distance, process

from hub.suggest.parts import Part
from hub.suggest.rows import Rows
from hub.suggest.text import Floats, Ints, pick

NEIGHBOURS = 24
"""Candidates on each side of a query's code, in the order of the codes, that are considered whatever their names."""
LEAST_SHARED = 3
"""Characters at the start that codes must share to be neighbours."""
_NOT_CODE = re.compile(r"[^0-9A-Z.+]")
_ICD = re.compile(r"[A-Z]?[0-9]{2}")
_LEADING_ZEROS = re.compile(r"^0+(?=[0-9]{9})")


def key_of(code: str) -> str:
    """A code as it is compared: upper case, without signs, without the zeros that national service codes begin with."""
    return _LEADING_ZEROS.sub("", _NOT_CODE.sub("", code.upper()))


def branch_of(key: str) -> str:
    """The subcategory that a code lies under: five characters of ICD-10 (`A01.0`), nine digits of a service item."""
    if len(key) > 3 and key[3] == ".":
        return key[:5]
    if len(key) > 2 and key[2] == ".":
        return key[:4]
    return key[:9]


class CodeFeatures(Part):
    """How near the codes lie; all columns are 0 where the query has no code and none is known for its name."""

    names = (
        "code_own", "code_known", "code_equal", "code_shared", "code_covered", "code_nearest", "code_same_branch",
        "code_head_of_branch", "code_head", "code_pair", "code_pair_differs",
    )  # fmt: skip

    def __init__(self, candidates: Rows, known: Mapping[str, str] | None = None) -> None:
        self._known = known or {}
        self._keys = [key_of(code) for code in candidates.column("code")]
        self._branches = [branch_of(key) for key in self._keys]
        # A gray code: the code books know it with just this name, as one that settlement does not accept.
        self.refused = np.asarray(
            [
                len(code) > 5 and self._known.get(name) == code
                for name, code in zip(candidates.core, candidates.column("code"), strict=True)
            ],
            dtype=np.bool_,
        )
        order = sorted(range(len(self._keys)), key=lambda place: (self._keys[place], place))
        self._order = np.asarray(order, dtype=np.int32)
        self._sorted = [self._keys[place] for place in order]
        heads: dict[str, int] = {}
        members: dict[str, list[int]] = {}
        for place in order:
            if self._keys[place]:
                heads.setdefault(self._branches[place], place)
                members.setdefault(self._branches[place], []).append(place)
        self._members = members
        self._head = np.zeros(len(self._keys), dtype=np.bool_)
        self._head[list(heads.values())] = True
        self._pair = np.asarray(["+" in key for key in self._keys], dtype=np.bool_)

    def codes_of(self, queries: Rows) -> tuple[list[str], list[bool]]:
        """The key of each query's code, and whether it is its own (else looked up by its name)."""
        keys, own = [], []
        for code, name in zip(queries.column("code"), queries.core, strict=True):
            key = key_of(code)
            own.append(bool(key))
            keys.append(key or key_of(self._known.get(name, "")))
        return keys, own

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        """The neighbours of each query's code and the heads of its category."""
        owners: list[int] = []
        places: list[int] = []
        for query, key in enumerate(self.codes_of(queries)[0]):
            if not key:
                continue
            found = self._near(key)
            owners += [query] * len(found)
            places += found
        return np.asarray(owners, dtype=np.int32), np.asarray(places, dtype=np.int32)

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        keys, own = self.codes_of(queries)
        if not len(q_idx) or not any(keys):
            return found
        has = np.asarray([bool(key) for key in keys], dtype=np.bool_)
        owns = np.asarray(own, dtype=np.bool_)
        nearest = np.asarray([self._nearest(key) for key in keys], dtype=np.float32)
        mine, theirs = pick(keys, q_idx), pick(self._keys, c_idx)
        lengths = np.maximum(np.asarray([len(key) for key in keys], dtype=np.float32), 1.0)[q_idx]
        shared = np.asarray(
            process.cpdist(mine, theirs, scorer=distance.Prefix.similarity, dtype=np.float32, workers=1), np.float32
        )
        branches = pick([branch_of(key) for key in keys], q_idx)
        same_branch = np.asarray(
            [a == b and a != "" for a, b in zip(branches, pick(self._branches, c_idx), strict=True)], dtype=np.bool_
        )
        pair = np.asarray(["+" in key for key in keys], dtype=np.bool_)[q_idx]
        found[:, 0] = owns[q_idx]
        found[:, 1] = has[q_idx]
        found[:, 2] = [a == b and a != "" for a, b in zip(mine, theirs, strict=True)]
        found[:, 3] = shared
        found[:, 4] = shared / lengths
        found[:, 5] = nearest[q_idx]
        found[:, 6] = same_branch
        found[:, 7] = same_branch & self._head[c_idx]
        found[:, 8] = self._head[c_idx]
        found[:, 9] = self._pair[c_idx]
        found[:, 10] = pair != self._pair[c_idx]
        found[~has[q_idx]] = 0.0
        return found

    def _near(self, key: str) -> list[int]:
        at = bisect_left(self._sorted, key)
        low, high = max(0, at - NEIGHBOURS), min(len(self._sorted), at + NEIGHBOURS)
        stem = key[:LEAST_SHARED]
        found = {int(self._order[place]) for place in range(low, high) if self._sorted[place].startswith(stem)}
        found.update(self._members.get(branch_of(key), ()))
        return sorted(found)

    def _nearest(self, key: str) -> float:
        """The part of the key that the nearest candidate shares: tells whether the code books are related at all."""
        if not key:
            return 0.0
        at = bisect_left(self._sorted, key)
        around = self._sorted[max(0, at - 1) : at + 1]
        return max((distance.Prefix.similarity(key, other) for other in around), default=0) / len(key)


class Branches:
    """Groups of candidates by the start of their codes, to see where the names of a query's pool gather."""

    names = ("vote_wide", "vote_narrow")

    def __init__(self, candidates: Rows) -> None:
        keys = [key_of(code) for code in candidates.column("code")]
        size = max(len(keys), 1)
        self._groups = [_grouped(keys, size / 16), _grouped(keys, size / 4)]

    def votes(self, q_idx: Ints, c_idx: Ints, closeness: Floats) -> Floats:
        """For each pair the part of its query's closeness that lies in the candidate's own group, its own left out."""
        found = np.zeros((len(q_idx), 2), dtype=np.float32)
        if not len(q_idx):
            return found
        starts = np.flatnonzero(np.r_[True, q_idx[1:] != q_idx[:-1]])
        counts = np.diff(np.r_[starts, len(q_idx)])
        best = np.repeat(np.maximum.reduceat(closeness, starts), counts)
        weight = np.exp(8.0 * (closeness - best)).astype(np.float32)
        whole = np.repeat(np.add.reduceat(weight, starts), counts)
        for column, groups in enumerate(self._groups):
            keys = q_idx.astype(np.int64) * (int(groups.max(initial=0)) + 1) + groups[c_idx]
            _, place = np.unique(keys, return_inverse=True)
            gathered = np.bincount(place, weights=weight)[place]
            found[:, column] = (gathered - weight) / whole
        return found


def _grouped(keys: Sequence[str], least: float) -> Ints:
    """Groups by the shortest start that makes at least `least` groups."""
    groups: Ints = np.zeros(len(keys), dtype=np.int64)
    for length in range(1, max((len(key) for key in keys), default=0) + 1):
        distinct: dict[str, int] = {}
        groups = np.asarray([distinct.setdefault(key[:length], len(distinct)) for key in keys], dtype=np.int64)
        if len(distinct) >= least:
            break
    return groups
