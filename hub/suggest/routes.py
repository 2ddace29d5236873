"""Routes of drugs: which of several entries of one name is the oral, the topical, the injected one.

Knows names, forms, codes and decided mappings. Must not know amounts, makers or how much any fact weighs.
Rules: several entries of one name are one entry per route, and a list numbers them in the order of their routes'
spelling (口服, 外用, 注射); what was decided of one of them leaves the other routes to the others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np

from hub.suggest import drugs
from hub.suggest.fields import of_drugs
from hub.suggest.parts import Part
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints

UNLIKELY = 0.03
"""What is left of an assignment of routes that breaks the order of the list or a decided mapping."""
NEIGHBOURS = 3
"""Codes no farther apart than this were numbered in one go."""

LISTED = "listed_routes"
"""The column that `with_routes` adds: the routes (places in drugs.ROUTES) under which a list has the substance."""

_TRAILING_NUMBER = re.compile(r"(\d{1,9})$")


def with_routes(rows: Rows, known: Rows | None = None) -> Rows:
    """The rows with the routes under which their own list, `known` included, has the same substance.

    Rows without dosage forms and routes stay as they are.
    """
    if LISTED in rows.columns or not (rows.has("dosage_form") or rows.has("route")):
        return rows
    seen: dict[str, set[int]] = defaultdict(set)
    mine: list[str] = []
    for one in [rows] if known is None else [known, rows]:
        mine = []
        for plain, number in zip(one.plain, _routes(one), strict=True):
            substance = drugs.loosen(drugs.read_name(plain).substances[0])
            mine.append(substance)
            if number >= 0:
                seen[substance].add(number)
    listed = ["".join(map(str, sorted(seen[substance]))) for substance in mine]
    return Rows(ids=rows.ids, columns={**rows.columns, LISTED: listed})


class DrugRoutes(Part):
    """How well the route of a row fits that of a candidate; silent (all 0) about rows that are no drugs."""

    names = ("drug_route_known", "drug_route", "drug_homonyms", "drug_route_in_turn")

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:
        self._active = of_drugs(candidates)
        if not self._active:
            return
        self._route = np.zeros((len(candidates), len(drugs.ROUTES)), dtype=np.float32)
        self._route_known = np.zeros(len(candidates), dtype=np.float32)
        self._homonyms = np.zeros(len(candidates), dtype=np.float32)
        self._turn = np.full(len(candidates), -1, dtype=np.int8)
        self._learn(candidates, decided)

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not self._active or not len(q_idx):
            return found
        route = np.asarray(_routes(queries), dtype=np.int8)[q_idx]
        found[:, 0] = self._route_known[c_idx] * (route >= 0)
        found[:, 1] = np.where(route >= 0, self._route[c_idx, np.maximum(route, 0)], 0.0)
        found[:, 2] = self._homonyms[c_idx]
        found[:, 3] = self._in_turn(queries, route, q_idx, c_idx)
        return found

    def _in_turn(self, queries: Rows, route: Ints, q_idx: Ints, c_idx: Ints) -> Floats:
        """Whether the order of the list's routes gives this entry of a name (1), another (-1), or nothing is said (0).

        It is said where the list has the substance under as many routes as the name has entries.
        """
        listed = queries.column(LISTED)
        count = np.asarray([len(one) for one in listed], dtype=np.int8)[q_idx]
        turn = np.asarray(
            [[one.find(str(number)) for number in range(len(drugs.ROUTES))] for one in listed], dtype=np.int8
        ).reshape(-1, len(drugs.ROUTES))[q_idx, np.maximum(route, 0)]
        said = (self._turn[c_idx] >= 0) & (route >= 0) & (count == self._homonyms[c_idx])
        return np.where(said, np.where(turn == self._turn[c_idx], 1.0, -1.0), 0.0).astype(np.float32)

    def _learn(self, candidates: Rows, decided: Decided | None) -> None:
        """For each candidate how probable each route is: decided mappings, its forms, the order among homonyms."""
        seen = _decided_routes(decided)
        for place, route in enumerate(_own_routes(candidates)):
            if route >= 0 and not seen.get(place):
                seen[place].add(route)
        groups: dict[str, list[int]] = defaultdict(list)
        for place, core in enumerate(candidates.core):
            groups[core].append(place)
        for group in groups.values():
            if len(group) == 1:
                for place in group:
                    self._known(place, seen.get(place, set()))
            elif len(group) <= len(drugs.ROUTES):
                self._share(group, [candidates.ids[place] for place in group], seen)
            else:
                for place in group:
                    self._homonyms[place] = len(group)
                    self._known(place, seen.get(place, set()))

    def _known(self, place: int, routes: set[int]) -> None:
        for route in routes:
            self._route[place, route] = 1.0
        self._route_known[place] = float(bool(routes))

    def _share(self, group: Sequence[int], codes: Sequence[str], seen: dict[int, set[int]]) -> None:
        """Spread the routes over entries of one name: every way to do so counts, and less the more it breaks."""
        order = sorted(range(len(group)), key=lambda one: codes[one])
        total = 0.0
        share = np.zeros((len(group), len(drugs.ROUTES)), dtype=np.float32)
        for routes in permutations(range(len(drugs.ROUTES)), len(group)):
            weight = 1.0
            for one, other in pairwise(order):
                if routes[one] > routes[other] and _in_one_go(codes[one], codes[other]):
                    weight *= UNLIKELY
            for at, place in enumerate(group):
                known = seen.get(place)
                if known and routes[at] not in known:
                    weight *= UNLIKELY
            for at, route in enumerate(routes):
                share[at, route] += weight
            total += weight
        if all(_in_one_go(codes[one], codes[other]) for one, other in pairwise(order)):
            for turn, at in enumerate(order):
                self._turn[group[at]] = turn
        for at, place in enumerate(group):
            self._route[place] = share[at] / total
            self._route_known[place] = 1.0
            self._homonyms[place] = len(group)


def _routes(rows: Rows) -> list[int]:
    """The route of each row by its own columns and name; -1 where nothing says it."""
    columns = (rows.plain, rows.column("dosage_form"), rows.column("route"))
    return [
        _route_number(drugs.route_of(route, drugs.family_of(plain, form)))
        for plain, form, route in zip(*columns, strict=True)
    ]


def _own_routes(candidates: Rows) -> list[int]:
    """The route of each candidate; of an entry without a form of its own only if all forms in its name share one."""
    columns = (candidates.plain, candidates.column("dosage_form"), candidates.column("route"))
    found = []
    for plain, form, route in zip(*columns, strict=True):
        said = drugs.route_of(route, drugs.family_of(plain, form) if form else "")
        found.append(_route_number(said or drugs.read_name(plain).route))
    return found


def _decided_routes(decided: Decided | None) -> dict[int, set[int]]:
    """The routes of the rows that were decided to be each candidate."""
    seen: dict[int, set[int]] = defaultdict(set)
    if decided is not None:
        for number, targets in zip(_routes(decided.queries), decided.targets, strict=True):
            for target in targets if number >= 0 else ():
                seen[target].add(number)
    return seen


def _in_one_go(code: str, other: str) -> bool:
    hit, hit_other = _TRAILING_NUMBER.search(code), _TRAILING_NUMBER.search(other)
    if hit is None or hit_other is None or code[: hit.start()] != other[: hit_other.start()]:
        return False
    return abs(int(hit.group()) - int(hit_other.group())) <= NEIGHBOURS


def _route_number(route: str) -> int:
    return drugs.ROUTES.index(route) if route in drugs.ROUTES else -1
