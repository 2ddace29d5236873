"""A case compiled: its sums as a function, and the steps that explain what they gave.

Knows how to run the sums of `hub.core.arithmetic` on one bill and which clause stands behind each figure.
Must not know plans, dates or any region in particular.
Sources: roundings in decision records 0010 and 0011; the shapes of seed-policies P01, P02, P07, P09, P10 and P12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.core.arithmetic import CaseSource, LayerNames, inputs_by_fund, scale_of, write_case
from hub.core.codes import Fund
from hub.core.decision import Clause, Payer, Step, YearToDate, step_of
from hub.core.money import Money
from hub.core.plan import Quote, Terms
from hub.core.policy import Base, CapKind, Charged

_EXACT = "{} × {} = {}"
_ROUNDED = "{} × {} ≈ {}"
_CUT = "; cap {} leaves {}"
_EACH_ADMISSION = "min({}, {}) = {}"
_YEARLY = "{} ≤ {}"
_DIFFERENCE = "{} − {} = {}"


@dataclass(frozen=True, slots=True)
class Unstated:
    """The bill needs a figure that the policy does not hold; `parameter` names it.

    `year_payments`, in fen, is set where a cap is not stated and the year's payments would go beyond what is safe.
    """

    parameter: str
    year_payments: int = 0


class Done(NamedTuple):
    """What one layer did with its base, in fen: base = below + remainder + (due − paid) + paid."""

    base: int
    below: int
    due: int
    paid: int
    accumulated: int
    opened: bool
    unstated: bool
    cap_unstated: bool
    parts: tuple[int, ...]
    taken: tuple[int, ...]

    @property
    def over_cap(self) -> int:
        return self.due - self.paid

    @property
    def remainder(self) -> int:
        return self.base - self.below - self.due


class CompiledLayer:
    """The clauses of one layer's steps, made beforehand."""

    __slots__ = (
        "_remainders",
        "cap_clauses",
        "deductible",
        "denominator",
        "fund",
        "less",
        "name",
        "rates",
        "segments",
        "shares",
        "sources",
        "terms",
        "whole_remainder",
        "without",
        "yearly",
    )

    def __init__(self, terms: Terms, names: LayerNames) -> None:
        scale = scale_of(terms)
        self.terms = terms
        self.name = terms.layer
        self.fund = terms.fund
        self.without = terms.without_deductible_of
        self.whole_remainder = terms.base is Base.WHOLE_REMAINDER
        self.yearly = terms.deductible.charged is Charged.YEAR
        self.denominator = scale.denominator
        self.shares = tuple(rate for _, _, rate in scale.bands)
        self.rates = tuple(str(band.rate) for band in terms.bands)
        self.segments = tuple(self._clause("segment", band.clause, pays=Payer.FUND) for band in terms.bands)
        self.deductible = self._clause("deductible", terms.deductible_clause, pays=Payer.PERSON)
        self.cap_clauses = tuple(self._clause("cap", quote, pays=Payer.PERSON) for _, quote in terms.caps)
        self.sources = tuple(source for source, _ in names.taken)
        self.less: Clause | None = None
        if terms.less_clause is not None:
            self.less = self._clause("paid_first", terms.less_clause, pays=Payer.PERSON)
        self._remainders: dict[tuple[int, ...], Clause] = {}

    def _clause(self, parameter: str, quote: Quote, *, pays: Payer) -> Clause:
        fund = self.fund if pays is Payer.FUND else None
        return Clause(self.name, parameter, quote.value, quote.valid_from, quote.article, pays, fund)

    def handed_out(self, done: Done) -> list[tuple[int, int, int, int]]:
        """For each segment that the bill fills: its place, its base, its part before the caps, and what is paid of it.

        The layer's rounded amount is handed out by largest remainder, the earlier segment first where two are equal
        (record 0011): each gets its exact part cut down to the fen, the fen that rounding left over go to the largest
        cut-off fractions. No segment gets more than its base, for a part with a cut-off fraction is smaller than its
        base. Caps cut the last segments first.
        """
        filled = [place for place, part in enumerate(done.parts) if part]
        left = done.paid
        if len(filled) == 1:
            return [(filled[0], done.parts[filled[0]], done.due, left)]
        denominator = self.denominator
        exact = [done.parts[place] * self.shares[place] for place in filled]
        whole = [one // denominator for one in exact]
        over = done.due - sum(whole)
        if over:
            by_fraction = sorted(range(len(filled)), key=lambda number: (-(exact[number] % denominator), number))
            for number in by_fraction[:over]:
                whole[number] += 1
        found = []
        for place, share in zip(filled, whole, strict=True):
            paid = min(left, share)
            left -= paid
            found.append((place, done.parts[place], share, paid))
        return found

    def deductible_step(self, done: Done) -> Step:
        words = self.deductible.value
        working = (_YEARLY, done.below, words) if self.yearly else (_EACH_ADMISSION, done.base, words, done.below)
        return step_of(self.deductible, done.base, done.below, working)

    def first_steps(self, done: Done, steps: list[Step]) -> None:
        """What earmarked sources paid before the layer looked at its base."""
        if self.less is None:
            return
        left = done.base + sum(done.taken)
        for taken in done.taken:
            if taken:
                steps.append(step_of(self.less, left, taken, (_DIFFERENCE, left, taken, left - taken)))
                left -= taken

    def fund_steps(self, done: Done, steps: list[Step]) -> list[tuple[int, int, int, int]]:
        shares = self.handed_out(done)
        cap = self.cap_of(done) if done.paid != done.due else None
        for place, base, before_cap, paid in shares:
            if not paid:
                continue
            exact = base * self.shares[place] == before_cap * self.denominator
            pattern = _EXACT if exact else _ROUNDED
            working: tuple[object, ...] = (pattern, base, self.rates[place], before_cap)
            if paid != before_cap and cap is not None:
                working = (pattern + _CUT, base, self.rates[place], before_cap, cap.value, paid)
            steps.append(step_of(self.segments[place], base, paid, working))
        return shares

    def last_steps(self, done: Done, steps: list[Step]) -> None:
        """What the last layer leaves to the person beside its deductible."""
        if done.remainder:
            above = done.base - done.below
            working = (_DIFFERENCE, above, done.due, done.remainder)
            steps.append(step_of(self._remainder(done), above, done.remainder, working))
        if done.over_cap:
            working = (_DIFFERENCE, done.due, done.paid, done.over_cap)
            steps.append(step_of(self.cap_of(done), done.due, done.over_cap, working))

    def cap_of(self, done: Done) -> Clause:
        """The cap that held a payment: the tightest of those per visit whose amount was paid, else the yearly one."""
        for (cap, _), clause in zip(self.terms.caps, self.cap_clauses, strict=True):
            if cap.kind is CapKind.PER_VISIT and cap.amount is not None and cap.amount.fen == done.paid:
                return clause
        for (cap, _), clause in zip(self.terms.caps, self.cap_clauses, strict=True):
            if cap.kind is CapKind.PER_YEAR:
                return clause
        return self.cap_clauses[0]

    def _remainder(self, done: Done) -> Clause:
        filled = tuple(place for place, part in enumerate(done.parts) if part)
        found = self._remainders.get(filled)
        if found is None:
            rates = {self.rates[place] for place in filled}
            value = f"100 % − {rates.pop()}" if len(rates) == 1 else "100 % − rate"
            quote = self.terms.base_clause
            found = Clause(self.name, "remainder", value, quote.valid_from, quote.article, Payer.PERSON)
            self._remainders[filled] = found
        return found


class CompiledCase:
    """All layers of a case: their sums as one function of whole numbers, and their clauses."""

    __slots__ = ("_inputs", "_run", "checked", "layers", "source", "terms", "whole_remainder")

    def __init__(self, layers: Sequence[Terms]) -> None:
        self.terms = tuple(layers)
        self.source = write_case(layers)
        self.layers = tuple(
            CompiledLayer(terms, names) for terms, names in zip(layers, self.source.layers, strict=True)
        )
        self.whole_remainder = any(layer.whole_remainder for layer in self.layers)
        self.checked = any(names.unstated or names.cap_unstated for names in self.source.layers)
        self._run = _function(self.source)
        self._inputs = _readers(self.source, layers)

    def run(
        self, in_policy: int, total: int, year: YearToDate, paid_first: Mapping[str, Money]
    ) -> tuple[Done, ...] | Unstated:
        """Pass a bill through the layers. `in_policy` and `total` are fen, less what the hospital bears."""
        figures = [read(year, paid_first) for read in self._inputs]
        found = self._run(in_policy, total, *figures)
        if self.checked:
            for layer, done in zip(self.layers, found, strict=True):
                if done.unstated:
                    return Unstated(f"{layer.name}.{layer.terms.missing}")
                if done.cap_unstated:
                    return Unstated(f"{layer.name}.cap", year.paid(layer.fund).fen + done.due)
        return found


def _function(source: CaseSource) -> Callable[..., tuple[Done, ...]]:
    """Make the function of a case. Its source has only whole numbers of a checked policy and names of this module."""
    results = []
    for names in source.layers:
        parts = "".join(f"{name}, " for name in names.parts)
        taken = "".join(f"{name}, " for _, name in names.taken)
        fields = [names.base, names.below, names.due, names.paid, names.accumulated]
        flags = [names.opened or "True", names.unstated or "False", names.cap_unstated or "False"]
        results.append(f"make(Done, ({', '.join([*fields, *flags])}, ({parts}), ({taken})))")
    given = [name for name in source.inputs if name not in ("i", "t")]
    lines = [f"def run({', '.join(['i', 't', *given])}):", *source.lines, f"return ({', '.join(results)},)"]
    space: dict[str, Any] = {"Done": Done, "make": tuple.__new__}
    exec("\n    ".join(lines), space)  # noqa: S102  # whole numbers and our own names only
    run: Callable[..., tuple[Done, ...]] = space["run"]
    return run


_Reader = Callable[[YearToDate, Mapping[str, Money]], int]


def _readers(source: CaseSource, layers: Sequence[Terms]) -> tuple[_Reader, ...]:
    """How each input is read from a person's year or from what earmarked sources paid, in the function's order."""
    funds = inputs_by_fund(layers)
    return tuple(_reader(name, layers, funds) for name in source.inputs if name not in ("i", "t"))


def _reader(name: str, layers: Sequence[Terms], funds: Mapping[str, frozenset[Fund]]) -> _Reader:
    if name.startswith("e_"):
        source = name.removeprefix("e_")

        def earmarked(_year: YearToDate, paid_first: Mapping[str, Money]) -> int:
            found = paid_first.get(source)
            return 0 if found is None else found.fen

        return earmarked
    terms = layers[int(name[1:])]
    if name[0] == "b":

        def counted(year: YearToDate, _paid_first: Mapping[str, Money]) -> int:
            found = year.accumulated.get(terms.layer)
            return 0 if found is None else found.fen

        return counted
    if name[0] == "a":
        levels = terms.deductible.first_among

        def admitted(year: YearToDate, _paid_first: Mapping[str, Money]) -> int:
            return year.admissions_at(levels)

        return admitted
    if len(funds[name]) > 1 or name[0] == "s":
        several = funds[name]

        def paid_by_several(year: YearToDate, _paid_first: Mapping[str, Money]) -> int:
            return sum(year.paid(fund).fen for fund in several)

        return paid_by_several
    (fund,) = funds[name]

    def paid(year: YearToDate, _paid_first: Mapping[str, Money]) -> int:
        found = year.paid_by_fund.get(fund)
        return 0 if found is None else found.fen

    return paid
