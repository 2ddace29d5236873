"""A plan's cases as tables of whole numbers for the kernel.

Knows which figure of `Terms` stands in which column. Must not know rows, files or how a case is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.bulk import kernel
from hub.core.arithmetic import scale_of
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund
from hub.core.plan import Terms
from hub.core.policy import Base, CapKind, Charged

LEVELS = tuple(HospitalLevel)
_CHARGED = {
    Charged.EACH_ADMISSION: kernel.EACH_ADMISSION,
    Charged.FIRST_ADMISSION: kernel.FIRST_ADMISSION,
    Charged.YEAR: kernel.YEARLY,
}
_BASE = {
    Base.IN_POLICY: kernel.IN_POLICY,
    Base.LEFT_OVER: kernel.LEFT_OVER,
    Base.WHOLE_REMAINDER: kernel.WHOLE_REMAINDER,
}
_CAP = {
    CapKind.NONE: kernel.NO_CAP,
    CapKind.PER_YEAR: kernel.PER_YEAR,
    CapKind.PER_VISIT: kernel.PER_VISIT,
    CapKind.NOT_STATED: kernel.NOT_STATED,
}


@dataclass(slots=True)
class Names:
    """Places of funds, accumulators and earmarked sources in the columns of a run, in the order of first use."""

    funds: dict[Fund, int] = field(default_factory=dict)
    accumulators: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def fund(self, fund: Fund) -> int:
        return self.funds.setdefault(fund, len(self.funds))

    def accumulator(self, layer: str) -> int:
        return self.accumulators.setdefault(layer, len(self.accumulators))

    def source(self, name: str) -> int:
        return self.sources.setdefault(name, len(self.sources))


class CaseTables:
    """Cases added one by one, then laid out for the kernel."""

    def __init__(self) -> None:
        self.names = Names()
        self.cases: list[tuple[Terms, ...]] = []

    def add(self, layers: tuple[Terms, ...]) -> int:
        """The place of a new case."""
        self.cases.append(layers)
        return len(self.cases) - 1

    def laid_out(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tables of layers and of segments; see `kernel.decide_rows`."""
        most = max((len(case) for case in self.cases), default=1)
        widest = max((len(terms.bands) for case in self.cases for terms in case), default=1)
        layers = np.zeros((len(self.cases), most, kernel.LAYER_WIDTH), dtype=np.int64)
        bands = np.zeros((len(self.cases), most, max(1, widest), 3), dtype=np.int64)
        for place, case in enumerate(self.cases):
            for number, terms in enumerate(case):
                self._layer(layers[place, number], terms, case)
                scale = scale_of(terms)
                for band, figures in enumerate(scale.bands):
                    bands[place, number, band] = figures
        return layers, bands

    def _layer(self, row: NDArray[np.int64], terms: Terms, case: Sequence[Terms]) -> None:
        names = self.names
        row[kernel.PRESENT] = 1
        row[kernel.BASE] = _BASE[terms.base]
        row[kernel.DEDUCTIBLE] = terms.deductible.amount.fen
        row[kernel.CHARGED] = _CHARGED[terms.deductible.charged]
        row[kernel.LEVELS] = sum(1 << LEVELS.index(level) for level in terms.deductible.first_among)
        row[kernel.PER_YEAR_COUNT] = terms.per_year
        row[kernel.FROM_ZERO] = terms.count_from_zero
        row[kernel.BANDS] = len(terms.bands)
        row[kernel.DENOMINATOR] = scale_of(terms).denominator
        row[kernel.WITHOUT] = sum(
            1 << number for number, earlier in enumerate(case) if earlier.layer in terms.without_deductible_of
        )
        row[kernel.FUND] = names.fund(terms.fund)
        row[kernel.ACCUMULATOR] = names.accumulator(terms.layer)
        row[kernel.OPENING_AMOUNT] = -1
        if terms.opening is not None:
            row[kernel.OPENING_FUND] = names.fund(terms.opening.fund)
            row[kernel.OPENING_AMOUNT] = terms.opening.paid.fen
        row[kernel.LESS] = sum(1 << names.source(one) for one in sorted(terms.less))
        row[kernel.MISSING] = bool(terms.missing)
        for number, (cap, _) in enumerate(terms.caps):
            if cap.amount is not None:
                row[kernel.CAP_KIND + 3 * number] = _CAP[cap.kind]
                row[kernel.CAP_AMOUNT + 3 * number] = cap.amount.fen
                row[kernel.CAP_SHARED + 3 * number] = sum(1 << names.fund(one) for one in sorted(cap.shared))
