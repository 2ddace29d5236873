"""What a part gives back, and how it is printed.

Knows figures, ratios and targets. Must not know how anything is measured.
Targets: section 7 of the performance notes, "reach" first and "aim" after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


class Skipped(Exception):
    """A part cannot be measured here; the message says what is missing."""


class Broken(Exception):
    """What was measured is not what should have been: wrong amounts, a refusal, a missing row."""


@dataclass(frozen=True)
class Target:
    """What a figure is to reach and then to aim at, in the unit of `value`; `most` where less is better."""

    reach: float
    aim: float
    unit: str = ""
    most: bool = False

    def words(self, value: float) -> str:
        sign = "≤" if self.most else "≥"
        return f"{sign} {_short(self.reach)}{self.unit}, aim {_short(self.aim)}{self.unit}: {self._standing(value)}"

    def _standing(self, value: float) -> str:
        if self._met(value, self.aim):
            return "aim"
        return "reached" if self._met(value, self.reach) else "not yet"

    def _met(self, value: float, bound: float) -> bool:
        return value <= bound if self.most else value >= bound


@dataclass(frozen=True)
class Figure:
    """One line: what was measured, its size, its ratio to a yardstick of the same run, and the value for its target."""

    part: str
    what: str
    figure: str
    ratio: str = ""
    target: Target | None = None
    value: float = 0.0


def table_of(figures: Iterable[Figure]) -> Table:
    table = Table("part", "what", "figure", "against its yardstick, same run", "target")
    last = ""
    for one in figures:
        if last not in ("", one.part):
            table.add_section()
        table.add_row(
            "" if one.part == last else one.part,
            one.what,
            one.figure,
            one.ratio,
            one.target.words(one.value) if one.target else "",
        )
        last = one.part
    return table


def rate(value: float) -> str:
    """A number per second, to three digits: ``12,300/s``."""
    return f"{_rounded(value):,.0f}/s" if value >= 100 else f"{value:.1f}/s"


def seconds(value: float) -> str:
    """A duration in the unit that suits it: ``3.2 s``, ``41 ms``, ``870 µs``."""
    if value >= 1:
        return f"{value:.1f} s"
    if value >= 0.01:
        return f"{value * 1e3:.0f} ms"
    return f"{value * 1e3:.1f} ms" if value >= 0.001 else f"{value * 1e6:.0f} µs"


def _rounded(value: float) -> float:
    digits = max(0, len(str(int(value))) - 3)
    return round(value / 10**digits) * 10**digits


def _short(value: float) -> str:
    return f"{value:g}"
