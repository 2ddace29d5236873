"""The sums of a case written as straight-line source.

Knows how deductibles, segments, caps, openings and earmarked payments act on an amount, and in which order.
Must not know steps, words, dates or any region: `hub.core.layer` explains what these sums give.
Sources: order of layers from domain-process 3 and 7.2; roundings in decision records 0010 and 0011; record 0070 for why
source is generated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from hub.core.codes import Fund
from hub.core.plan import Terms
from hub.core.policy import Base, CapKind, Charged

NO_END = 10**18
"""Above every amount that the wire format carries, in fen."""


def _lower(one: str, other: str) -> str:
    """The smaller of two; a conditional expression costs less than a call."""
    return f"({one} if {one} < {other} else {other})"


def _higher(one: str, other: str) -> str:
    return f"({one} if {one} > {other} else {other})"


def _pick(condition: str, one: str, other: str) -> str:
    return f"({one} if {condition} else {other})"


@dataclass(frozen=True, slots=True)
class Scale:
    """A layer's segments over one denominator: (lower, upper, rate) in fen and parts of `denominator`."""

    denominator: int
    bands: tuple[tuple[int, int, int], ...]


def scale_of(terms: Terms) -> Scale:
    """One denominator for all rates, so that a layer is rounded once and never added up in fractions."""
    denominator = lcm(*(band.rate.value.denominator for band in terms.bands))
    return Scale(
        denominator,
        tuple(
            (
                band.lower_fen,
                NO_END if band.upper_fen is None else band.upper_fen,
                int(band.rate.value * denominator),
            )
            for band in terms.bands
        ),
    )


@dataclass(frozen=True, slots=True)
class LayerNames:
    """Under which names the source holds what one layer did. An empty name stands for nothing."""

    base: str
    below: str
    held: str
    parts: tuple[str, ...]
    due: str
    paid: str
    accumulated: str
    low: str
    opened: str
    unstated: str
    cap_unstated: str
    taken: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaseSource:
    """The body of a case's sums, what it needs and what it gives.

    Inputs: ``i`` in-policy amount less what the hospital bears, ``t`` total less the same; for the layer at place n
    ``b<n>`` what it counted in the year so far, ``y<n>`` what its fund paid in the year, ``s<n>`` what the other funds
    of a shared cap paid, ``o<n>`` what the fund paid that opens it, ``a<n>`` whether a counted admission came first;
    ``e_<source>`` what an earmarked source paid. Amounts are fen.
    """

    lines: tuple[str, ...]
    inputs: tuple[str, ...]
    layers: tuple[LayerNames, ...]


def write_case(layers: Sequence[Terms]) -> CaseSource:
    """Write the sums of all layers of a case, in the order in which they pay."""
    return _Writer().case(layers)


class _Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._inputs: dict[str, None] = {}
        self._paid: dict[Fund, str] = {}
        self._earmarked: dict[str, str] = {}
        self._taken: list[str] = []

    def case(self, layers: Sequence[Terms]) -> CaseSource:
        still_open = self._input("i")
        held: dict[str, str] = {}
        found = []
        for place, terms in enumerate(layers):
            names, still_open = self._layer(place, terms, still_open, held)
            found.append(names)
        return CaseSource(tuple(self._lines), tuple(self._inputs), tuple(found))

    def _input(self, name: str) -> str:
        self._inputs[name] = None
        return name

    def _let(self, name: str, expression: str) -> str:
        self._lines.append(f"{name} = {expression}")
        return name

    def _layer(self, place: int, terms: Terms, still_open: str, held: dict[str, str]) -> tuple[LayerNames, str]:
        before_layer = still_open
        opened = ""
        if terms.opening is not None:
            fund = terms.opening.fund
            so_far = self._input(f"o{place}")
            if fund in self._paid:
                so_far = f"{so_far} + {self._paid[fund]}"
            opened = self._let(f"c{place}", f"{so_far} >= {terms.opening.paid.fen}")
        # A deductible that the layer does not take up stays the person's; any other is part of its base.
        taken_up = [name for name in held if name not in terms.without_deductible_of]
        base = self._let(f"g{place}", " + ".join([still_open, *(held[name] for name in taken_up)]))
        for name in taken_up:
            if opened:
                held[name] = self._let(f"h{place}_{held[name]}", _pick(opened, "0", held[name]))
            else:
                del held[name]
        if terms.base is Base.WHOLE_REMAINDER:
            gone = [*self._paid.values(), *self._taken]
            base = self._let(f"r{place}", " - ".join([self._input("t"), *gone]))
        taken = []
        for source in sorted(terms.less):
            if source in self._earmarked:
                continue
            self._earmarked[source] = amount = self._input(f"e_{source}")
            name = self._let(f"k{place}_{source}", _lower(base, amount))
            base = self._let(f"g{place}_{source}", f"{base} - {name}")
            taken.append((source, name))
            self._taken.append(name)
        if opened:
            base = self._let(f"x{place}", _pick(opened, base, "0"))
        below, low, high, origin = self._filled(place, terms, base)
        scale = scale_of(terms)
        parts, due = self._due(place, scale, low=low, high=high, origin=origin)
        unstated = self._let(f"m{place}", f"{high} > {low}") if terms.missing else ""
        paid, cap_unstated = self._capped(place, terms, due)
        self._paid[terms.fund] = paid
        rest = self._let(f"w{place}", f"{base} - {below} - {paid}" if below != "0" else f"{base} - {paid}")
        if opened:
            rest = self._let(f"v{place}", _pick(opened, rest, before_layer))
        if below != "0":
            held[terms.layer] = below
        accumulated = "0"
        if terms.per_year:
            by_year = terms.deductible.charged is Charged.YEAR
            accumulated = base if by_year or below == "0" else self._let(f"u{place}", f"{base} - {below}")
        names = LayerNames(
            base=base,
            below=below,
            held=terms.layer,
            parts=parts,
            due=due,
            paid=paid,
            accumulated=accumulated,
            low=low,
            opened=opened,
            unstated=unstated,
            cap_unstated=cap_unstated,
            taken=tuple(taken),
        )
        return names, rest

    def _filled(self, place: int, terms: Terms, base: str) -> tuple[str, str, str, str]:
        """What lies below the deductible; the stretch of the segments' scale that the bill fills; and where the scale
        begins to pay.
        """
        amount = str(terms.deductible.amount.fen)
        charged = terms.deductible.charged
        if charged is Charged.YEAR:
            before = self._input(f"b{place}")
            after = self._let(f"n{place}", f"{before} + {base}")
            below = self._let(f"d{place}", f"{_lower(after, amount)} - {_lower(before, amount)}")
            shift = "0" if terms.count_from_zero else amount
            low = self._let(f"l{place}", f"{_higher(before, amount)} - {shift}")
            high = self._let(f"p{place}", f"{_higher(after, amount)} - {shift}")
            return below, low, high, amount if terms.count_from_zero else "0"
        if charged is Charged.FIRST_ADMISSION:
            amount = self._let(f"q{place}", _pick(self._input(f"a{place}"), "0", amount))
        below = "0" if amount == "0" else self._let(f"d{place}", _lower(base, amount))
        above = base if below == "0" else self._let(f"j{place}", f"{base} - {below}")
        if terms.per_year:
            before = self._input(f"b{place}")
            return below, before, self._let(f"p{place}", f"{before} + {above}"), "0"
        if terms.count_from_zero and below != "0":
            return below, below, base, below
        return below, "0", above, "0"

    def _due(self, place: int, scale: Scale, *, low: str, high: str, origin: str) -> tuple[tuple[str, ...], str]:
        """The part of each segment, and the sum over all of them, rounded half up once; where the year counts, the
        difference of two rounded sums.
        """
        parts = []
        exact, earlier = [], []
        for number, (lower, upper, rate) in enumerate(scale.bands):
            part = self._inside(f"z{place}_{number}", lower, upper, low=low, high=high)
            parts.append(part)
            if rate:
                exact.append(f"{part} * {rate}")
            if low != origin and rate:
                before = self._inside(f"f{place}_{number}", lower, upper, low=origin, high=low)
                earlier.append(f"{before} * {rate}")
        whole, double = scale.denominator, 2 * scale.denominator
        if not exact:
            return tuple(parts), "0"
        now = self._let(f"s{place}_now", " + ".join(exact))
        if not earlier:
            return tuple(parts), self._let(f"t{place}", f"(2 * {now} + {whole}) // {double}")
        then = self._let(f"s{place}_then", " + ".join(earlier))
        both = f"(2 * ({then} + {now}) + {whole}) // {double}"
        return tuple(parts), self._let(f"t{place}", f"{both} - (2 * {then} + {whole}) // {double}")

    def _inside(self, name: str, lower: int, upper: int, *, low: str, high: str) -> str:
        """How many fen between two points of the scale lie in a segment."""
        top = high if upper >= NO_END else _lower(high, str(upper))
        bottom = low
        if lower:
            bottom = str(lower) if low == "0" else _higher(low, str(lower))
        if bottom == "0":
            return high if top == high else self._let(name, top)
        width = self._let(f"{name}w", f"{top} - {bottom}")
        return width if not lower and upper >= NO_END else self._let(name, _higher(width, "0"))

    def _capped(self, place: int, terms: Terms, due: str) -> tuple[str, str]:
        paid, unstated = due, ""
        for number, (cap, _) in enumerate(terms.caps):
            if cap.amount is None or due == "0":
                continue
            room = str(cap.amount.fen)
            if cap.kind is not CapKind.PER_VISIT:
                spent = [self._input(f"y{place}")]
                if cap.shared:
                    spent.append(self._input(f"s{place}"))
                    spent += [self._paid[fund] for fund in sorted(cap.shared) if fund in self._paid]
                left = self._let(f"left{place}_{number}", " - ".join([room, *spent]))
                room = self._let(f"room{place}_{number}", _higher(left, "0"))
            if cap.kind is CapKind.NOT_STATED:
                unstated = self._let(f"over{place}_{number}", f"{due} > {room}")
            else:
                paid = self._let(f"paid{place}_{number}", _lower(paid, room))
        return paid, unstated


def inputs_by_fund(layers: Sequence[Terms]) -> Mapping[str, frozenset[Fund]]:
    """For the inputs that are a fund's payments of the year: of which funds, by the input's name."""
    found: dict[str, frozenset[Fund]] = {}
    for place, terms in enumerate(layers):
        found[f"y{place}"] = frozenset({terms.fund})
        found[f"s{place}"] = frozenset(fund for cap, _ in terms.caps for fund in cap.shared)
        if terms.opening is not None:
            found[f"o{place}"] = frozenset({terms.opening.fund})
    return found
