"""Bills in columns, decided by the plans of their days.

Knows how to bring rows to their cases and the results back. Must not know files, databases or any region.
Rule: a row is decided exactly as `hub.core.adjudication.decide` decides the same bill, to the fen; tests prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hub.bulk import kernel
from hub.bulk.tables import LEVELS, CaseTables
from hub.core.adjudication import case_of, standard_of
from hub.core.codes import Fund, Region
from hub.core.decision import DecisionRequest, Refusal, RefusalReason, YearToDate
from hub.core.errors import NotAllowed
from hub.core.money import LARGEST_FEN
from hub.core.plan import Plan, PlanBook

Fen = NDArray[np.int64]
Name = TypeVar("Name", Fund, str)

SLICE = 1 << 17
"""Rows of one piece of work: large enough to be worth a thread, small enough to share the rest evenly."""

_LARGEST = 10**13
"""A hundred milliard yuan: twice a sum of such amounts times any denominator of a checked policy fits 64 bits."""


@dataclass(frozen=True, slots=True)
class Bills:
    """Bills in columns, all amounts in fen, all columns of the same length.

    `facts` are requests whose amounts and year do not count; `fact_of` gives each row its place among them.
    `admissions` has one column for each hospital level, the smallest first. `year_paid`, `counted` and `paid_first`
    hold only columns that are not zero throughout.
    """

    facts: Sequence[DecisionRequest]
    fact_of: NDArray[np.int32]
    total: Fen
    in_policy: Fen
    admissions: Fen
    year_paid: Mapping[Fund, Fen] = field(default_factory=dict)
    counted: Mapping[str, Fen] = field(default_factory=dict)
    paid_first: Mapping[str, Fen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.fact_of)
        columns = (self.total, self.in_policy, *self.year_paid.values(), *self.counted.values())
        columns += tuple(self.paid_first.values())
        if any(len(one) != rows for one in columns) or self.admissions.shape != (rows, len(LEVELS)):
            raise NotAllowed("columns_differ", "all columns of bills have the same number of rows")
        if rows and any(int(one.min()) < 0 or int(one.max()) > _LARGEST for one in columns):
            raise NotAllowed(
                "amount_range", f"amounts lie between 0 and {_LARGEST} fen (at most {LARGEST_FEN} one by one)"
            )
        if rows and bool((self.in_policy > self.total).any()):
            raise NotAllowed("parts", "a bill's in-policy amount is not above its total")


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of each row; a refused row has zeros. `refused` is below zero for decided rows, else the place of the
    refusal in `refusals`.
    """

    refused: NDArray[np.int32]
    refusals: Sequence[Refusal]
    paid: Mapping[Fund, Fen]
    adds: Mapping[str, Fen]
    hospital_borne: Fen
    cash: Fen

    @property
    def fund_total(self) -> Fen:
        return np.sum(list(self.paid.values()), axis=0) if self.paid else np.zeros_like(self.cash)


class BulkEngine:
    """Decides bills of any number of regions; plans are compiled once and kept, cases laid out once per run."""

    def __init__(self, book: Callable[[Region], PlanBook], *, threads: int = 2) -> None:
        self._book = book
        self._threads = threads

    def decide(self, bills: Bills) -> Decided:
        """Decide every row; see the module's rule."""
        cases = _Cases(self._book, bills)
        rows = len(bills.fact_of)
        names = cases.tables.names
        layers, bands = cases.tables.laid_out()
        borne = np.zeros(rows, dtype=np.int64)
        standard = cases.standard[bills.fact_of]
        priced = standard >= 0
        if priced.any():
            borne[priced] = np.maximum(bills.in_policy[priced] - standard[priced], 0)
        columns = (
            cases.of_rows(),
            layers,
            bands,
            bills.in_policy - borne,
            bills.total - borne,
            bills.admissions,
            _side_by_side(bills.year_paid, names.funds, rows),
            _side_by_side(bills.counted, names.accumulators, rows),
            _side_by_side(bills.paid_first, names.sources, rows),
            np.zeros((rows, max(1, len(names.funds))), dtype=np.int64),
            np.zeros((rows, max(1, len(names.accumulators))), dtype=np.int64),
            np.zeros(rows, dtype=np.int8),
        )
        self._run(rows, columns)
        paid, adds, status = columns[-3:]
        refused, refusals = cases.refusals(columns[0], status)
        gone = refused >= 0
        borne[gone] = 0
        cash = bills.total - borne - paid.sum(axis=1)
        cash[gone] = 0
        return Decided(
            refused=refused,
            refusals=refusals,
            paid={fund: paid[:, place] for fund, place in names.funds.items()},
            adds={layer: adds[:, place] for layer, place in names.accumulators.items()},
            hospital_borne=borne,
            cash=cash,
        )

    def _run(self, rows: int, columns: Sequence[NDArray[np.generic]]) -> None:
        case, layers, bands, *others = columns

        def piece(start: int) -> None:
            part = slice(start, start + SLICE)
            kernel.decide_rows(case[part], layers, bands, *(one[part] for one in others))

        starts = range(0, rows, SLICE)
        if self._threads == 1 or len(starts) < 2:
            for start in starts:
                piece(start)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(piece, starts))


class _Cases:
    """Which case each row has, by its facts and by the admissions of the year where a policy counts them."""

    def __init__(self, book: Callable[[Region], PlanBook], bills: Bills) -> None:
        self.tables = CaseTables()
        self._bills = bills
        self._plans = [book(one.insuring_region).plan(on=one.discharged_on) for one in bills.facts]
        self._most = max((plan.most_admission for plan in self._plans), default=1)
        self._found: list[Refusal] = []
        self.standard = np.full(max(1, len(bills.facts)), -1, dtype=np.int64)
        self._places = np.full((max(1, len(bills.facts)), self._most), -1, dtype=np.int32)
        self._refused = np.full((max(1, len(bills.facts)), self._most), -1, dtype=np.int32)
        known: dict[int, int] = {}
        for number, (fact, plan) in enumerate(zip(bills.facts, self._plans, strict=True)):
            for admission in range(1, self._most + 1):
                self._place(number, admission, fact, plan, known)

    def _place(self, number: int, admission: int, fact: DecisionRequest, plan: Plan, known: dict[int, int]) -> None:
        admissions = {LEVELS[0]: admission - 1} if admission > 1 else {}
        asked = replace(fact, year_to_date=YearToDate(fact.discharged_on.year, admissions=admissions))
        case = case_of(plan, asked)
        if not isinstance(case, Refusal) and asked.by_disease:
            standard = standard_of(plan, asked)
            if isinstance(standard, Refusal):
                case = standard
            else:
                self.standard[number] = standard.value.amount.fen
        if isinstance(case, Refusal):
            self._refused[number, admission - 1] = len(self._found)
            self._found.append(case)
            return
        if id(case) not in known:
            known[id(case)] = self.tables.add(case.terms)
        self._places[number, admission - 1] = known[id(case)]

    def of_rows(self) -> NDArray[np.int32]:
        return self._of_rows(self._places)

    def _of_rows(self, table: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._most == 1:
            return table[self._bills.fact_of, 0]
        admission = np.minimum(self._bills.admissions.sum(axis=1), self._most - 1)
        return table[self._bills.fact_of, admission]

    def refusals(
        self, case: NDArray[np.int32], status: NDArray[np.int8]
    ) -> tuple[NDArray[np.int32], Sequence[Refusal]]:
        """The refusal of each row. For a figure that only some bills need, the words name the case, not the sum."""
        refused = self._of_rows(self._refused).copy()
        for row in np.flatnonzero((status != kernel.DECIDED) & (status != kernel.NO_CASE)):
            plan = self._plans[self._bills.fact_of[row]]
            terms = self.tables.cases[case[row]]
            missing = [f"{one.layer}.{one.missing}" for one in terms if one.missing]
            words = (
                missing[0] if status[row] == kernel.FIGURE_MISSING and missing else "cap for the payments of the year"
            )
            refused[row] = len(self._found)
            self._found.append(Refusal(RefusalReason.RULE_MISSING, plan.missing(words).detail))
        return refused, self._found


def _side_by_side(columns: Mapping[Name, Fen], places: Mapping[Name, int], rows: int) -> Fen:
    """Columns as one table in the order of the places; what was not given is zero."""
    found = np.zeros((rows, max(1, len(places))), dtype=np.int64)
    for name, place in places.items():
        column = columns.get(name)
        if column is not None:
            found[:, place] = column
    return found
