"""From a window's gross cells to bilateral and multilateral nets.

Knows cells, positions and transfers; the gross matrix is the legal record, nets are overlays on it.
Must not know banks, payment calendars or SQL.
Sources: domain-process section 9.4 with its worked example; never across insurance types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.core.codes import Fund, InsuranceType, Region
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class GrossCell:
    """What one region's fund owes another region in a window; negative where cancels outweigh settlements.

    `bills` counts the settlements and cancels that the amount is made of.
    """

    insuring_region: Region
    care_region: Region
    insurance_type: InsuranceType
    fund: Fund
    amount: Money
    bills: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.insurance_type, self.insuring_region.code, self.care_region.code, self.fund)


class NetMethod(StrEnum):
    """Bilateral: each pair settles its difference. Multilateral: each region settles once with all."""

    BILATERAL = "bilateral"
    MULTILATERAL = "multilateral"


@dataclass(frozen=True, slots=True)
class Position:
    """A region's net in one insurance type: positive receives, negative pays."""

    insurance_type: InsuranceType
    region: Region
    amount: Money


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment that a net calls for; the amount is positive."""

    method: NetMethod
    insurance_type: InsuranceType
    payer: Region
    payee: Region
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.fen <= 0 or self.payer == self.payee:
            raise Inconsistent("transfer", f"a transfer moves a positive amount between two regions, not {self.amount}")


def pairs_of(cells: Iterable[GrossCell]) -> Mapping[tuple[InsuranceType, Region, Region], Money]:
    """Gross debt per insurance type, payer and payee: funds added up, insurance types kept apart; sorted."""
    found: dict[tuple[InsuranceType, Region, Region], Money] = {}
    for cell in cells:
        key = (cell.insurance_type, cell.insuring_region, cell.care_region)
        found[key] = found.get(key, ZERO) + cell.amount
    return dict(sorted(found.items()))


def positions(cells: Iterable[GrossCell]) -> tuple[Position, ...]:
    """Each region's receivables less its payables, per insurance type.

    Every cell is taken from one region and given to the other, so they add up to zero.
    """
    found: dict[tuple[InsuranceType, Region], Money] = {}
    for (insurance_type, payer, payee), amount in pairs_of(cells).items():
        found[insurance_type, payer] = found.get((insurance_type, payer), ZERO) - amount
        found[insurance_type, payee] = found.get((insurance_type, payee), ZERO) + amount
    return tuple(Position(kind, region, amount) for (kind, region), amount in sorted(found.items()))


def bilateral(cells: Iterable[GrossCell]) -> tuple[Transfer, ...]:
    """Per pair and insurance type, the one who owes more pays the difference; pairs that are even pay nothing."""
    gross = pairs_of(cells)
    result: list[Transfer] = []
    unordered = sorted({(kind, min(payer, payee), max(payer, payee)) for kind, payer, payee in gross})
    for kind, first, second in unordered:
        owed = gross.get((kind, first, second), ZERO) - gross.get((kind, second, first), ZERO)
        if owed:
            payer, payee = (first, second) if owed > ZERO else (second, first)
            result.append(Transfer(NetMethod.BILATERAL, kind, payer, payee, abs(owed)))
    return tuple(result)


def multilateral(cells: Iterable[GrossCell]) -> tuple[Transfer, ...]:
    """At most n-1 payments per insurance type that bring every region to zero.

    The largest payer pays the largest receiver, ties by area code, until all are even: the answer does not depend on
    the order of the cells.
    """
    found = positions(cells)
    result: list[Transfer] = []
    for kind in sorted({position.insurance_type for position in found}):
        open_by_region = {found_one.region: found_one.amount for found_one in found if found_one.insurance_type is kind}
        while any(open_by_region.values()):
            payer = min(open_by_region, key=lambda region: (open_by_region[region].fen, region))
            payee = min(open_by_region, key=lambda region: (-open_by_region[region].fen, region))
            moved = min(-open_by_region[payer], open_by_region[payee])
            result.append(Transfer(NetMethod.MULTILATERAL, kind, payer, payee, moved))
            open_by_region[payer] += moved
            open_by_region[payee] -= moved
    return tuple(result)
