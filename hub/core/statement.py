"""What a region's statement of a month lists, and what it must add up to.

Knows rows, totals and the order of both.
Must not know HTML, CSV, signatures or SQL.
Sources: domain-process section 9; design C8. Both regions of a bill find it under the same number with the same amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from hub.core.codes import Fund, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.errors import Inconsistent
from hub.core.ledger import Event
from hub.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One settlement (positive) or cancel (negative) of a window, with its amount per fund."""

    entry_id: str
    event: Event
    bill_id: str
    insuring_region: Region
    care_region: Region
    institution: InstitutionCode
    insurance_type: InsuranceType
    discharged_on: date
    booked_on: date
    months_late: int
    bill_total: Money
    by_fund: Mapping[Fund, Money]

    @property
    def fund_total(self) -> Money:
        return total(self.by_fund.values())


@dataclass(frozen=True, slots=True)
class PairTotal:
    """What one region owes another in one insurance type and fund, and how many bookings that is."""

    insuring_region: Region
    care_region: Region
    insurance_type: InsuranceType
    fund: Fund
    amount: Money
    bookings: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One region's statement: everything it owes and everything it is owed in a window.

    Rows stand in the order of insuring region, care region, hospital, booking day, entry id, each of them once: the
    bytes of a closed month rest on it.
    """

    region: Region
    regime: Regime
    period: Period
    rows: tuple[StatementRow, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if self.region not in (row.insuring_region, row.care_region):
                raise Inconsistent("statement_foreign_row", f"{row.bill_id} does not concern {self.region}")
        for row, following in pairwise(self.rows):
            if statement_order(row) >= statement_order(following):
                raise Inconsistent("statement_order", f"{following.entry_id} stands after {row.entry_id}")

    def totals(self) -> tuple[PairTotal, ...]:
        """Totals per pair, insurance type and fund, in that order."""
        return totals_of(self.rows)

    @property
    def payable(self) -> Money:
        return total(row.fund_total for row in self.rows if row.insuring_region == self.region)

    @property
    def receivable(self) -> Money:
        return total(row.fund_total for row in self.rows if row.care_region == self.region)


def totals_of(rows: Iterable[StatementRow]) -> tuple[PairTotal, ...]:
    """Add rows up per pair, insurance type and fund; sorted."""
    amounts: dict[tuple[Region, Region, InsuranceType, Fund], tuple[Money, int]] = {}
    for row in rows:
        for fund, amount in row.by_fund.items():
            key = (row.insuring_region, row.care_region, row.insurance_type, fund)
            so_far, count = amounts.get(key, (ZERO, 0))
            amounts[key] = (so_far + amount, count + 1)
    return tuple(PairTotal(*key, amount, count) for key, (amount, count) in sorted(amounts.items()))


def statement_order(row: StatementRow) -> tuple[str, str, str, date, str]:
    return (row.insuring_region.code, row.care_region.code, row.institution.code, row.booked_on, row.entry_id)
