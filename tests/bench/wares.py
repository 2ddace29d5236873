"""Fee lines of real catalog entries, as many as are asked for, the same in every run.

Knows what a region's hospitals may bill. Must not know persons, stays or what any region pays.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction

from hub.core.bill import BillLine
from hub.core.money import line_amount
from hub.demo.shelf import Shelf, ShelfItem

SEED = "bench"
DEAREST = 300
"""Yuan: a bill of 200 lines then stays far below every yearly cap."""


def shuffled(shelf: Shelf) -> list[ShelfItem]:
    """Everything that is not too dear, each code once, in an order of its own."""
    groups: Iterable[Sequence[ShelfItem]] = (*shelf.drugs.values(), *shelf.services.values(), shelf.herbals)
    items = [item for group in groups for item in group if 0 < item.price <= DEAREST]
    random.Random(f"{SEED}/{shelf.region}").shuffle(items)
    return items


def lines_of(items: Iterable[ShelfItem], *, on: date) -> tuple[BillLine, ...]:
    """One line for each item, one to three of it."""
    return tuple(_line(number, item, on) for number, item in enumerate(items, start=1))


def _line(number: int, item: ShelfItem, on: date) -> BillLine:
    quantity = Fraction(1 + number % 3)
    return BillLine(
        line_no=number,
        kind=item.kind,
        code=item.code,
        name=item.name,
        unit_price=item.price,
        quantity=quantity,
        amount=line_amount(unit_price=item.price, quantity=quantity),
        fee_date=on,
    )
