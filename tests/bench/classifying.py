"""Classifying a bill of 80 lines from a web worker's memory: the first bill that uses its codes, and later ones.

Yardstick: a dictionary of tuples and whole numbers, written straight, which gives the same four parts.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from hub.core.bill import Bill, add_up, classify
from hub.core.catalog import CareCatalog, HospitalLevel
from hub.core.classification import Treated
from hub.core.codes import LocalCode, Region
from hub.core.mapping import PAYABLE_GRADES
from hub.core.money import total
from hub.demo.shelf import ShelfItem, build_shelf
from hub.demo.world import JIANGNING, QINZHOU, REGION_NAMES
from hub.ports import HUB_SCOPE
from tests.bench.place import Place
from tests.bench.table import Broken, Figure, Target, seconds
from tests.bench.timing import no_collection, once, side_by_side
from tests.bench.wares import lines_of, shuffled

PART = "classify"
LINES = 80
BILLS = 30
TURNS, MOST = 25, 4.0
DAY = date(2026, 6, 30)
LEVEL = HospitalLevel.LEVEL_3
MOST_MILLISECONDS = Target(0.3, 0.1, " ms", most=True)

MICRO = 10**6
MICRO_PER_FEN = 10**4


def measure(place: Place) -> Iterator[Figure]:
    for region in (JIANGNING, QINZHOU):
        items = shuffled(build_shelf(place.catalogs, region, LEVEL))
        bills = [_bill(items[start : start + LINES]) for start in range(0, BILLS * LINES, LINES)]
        with place.app.store.begin(HUB_SCOPE) as uow:
            catalog = uow.catalogs.care_catalog(region)
        yield from _figures(region, bills, catalog)


def _figures(region: Region, bills: Sequence[Bill], catalog: CareCatalog) -> Iterator[Figure]:
    name = REGION_NAMES[region][1]

    def ours(bill: Bill) -> object:
        return classify(bill, catalog=catalog, treated=Treated(LEVEL))

    with no_collection():
        first = statistics.median(once(lambda bill=bill: ours(bill)) for bill in bills)
    plain = _straight(region, bills, catalog)
    for bill, written in zip(bills, plain, strict=True):
        _check_same(bill, ours(bill), written())
    later = side_by_side(
        lambda: [ours(bill) for bill in bills], lambda: [written() for written in plain], turns=TURNS, most=MOST / 2
    )
    per_bill = later.measured / len(bills)
    yield Figure(PART, f"{LINES} lines in {name}, codes never asked for before", seconds(first))
    yield Figure(
        PART,
        f"{LINES} lines in {name}, later bills",
        seconds(per_bill),
        f"{later.ratio:.0f} × a dict of tuples ({seconds(later.yardstick / len(bills))})",
        MOST_MILLISECONDS,
        per_bill * 1e3,
    )


def _bill(items: Sequence[ShelfItem]) -> Bill:
    lines = lines_of(items, on=DAY)
    return Bill("B1", DAY, DAY, lines, total(line.amount for line in lines))


def _straight(region: Region, bills: Sequence[Bill], catalog: CareCatalog) -> list[Callable[[], tuple[int, ...]]]:
    """For each bill a function that adds its four parts up, from one table made of the same catalog."""
    table = {
        (line.kind.value, line.code): _row(catalog, LocalCode(region, line.kind, line.code))
        for bill in bills
        for line in bill.lines
    }

    def written(lines: list[tuple[Any, ...]]) -> tuple[int, ...]:
        full = over = first = inside = 0
        for key, price, quantity in lines:
            amount = (price * quantity + MICRO_PER_FEN // 2) // MICRO_PER_FEN
            row = table[key]
            if row is None:
                full += amount
                continue
            _unified, limit, parts, whole = row
            within = amount
            if limit is not None and price > limit:
                within = (limit * quantity + MICRO_PER_FEN // 2) // MICRO_PER_FEN
            own = (2 * within * parts + whole) // (2 * whole)
            over += amount - within
            first += own
            inside += within - own
        return full, over, first, inside

    def bound(bill: Bill) -> Callable[[], tuple[int, ...]]:
        lines = [
            ((line.kind.value, line.code), int(line.unit_price * MICRO), int(line.quantity)) for line in bill.lines
        ]
        return lambda: written(lines)

    return [bound(bill) for bill in bills]


def _row(catalog: CareCatalog, local: LocalCode) -> tuple[str, int | None, int, int] | None:
    item, mapping = catalog.item(local, DAY), catalog.mapping(local, DAY)
    if item is None or mapping is None or mapping.unified is None or mapping.grade not in PAYABLE_GRADES:
        return None
    own = item.first_self_pay.value
    if own == 1:
        return None
    limit = item.limit_for(LEVEL)
    return mapping.unified.code, None if limit is None else int(limit * MICRO), own.numerator, own.denominator


def _check_same(bill: Bill, lines: Any, written: tuple[int, ...]) -> None:
    found = add_up(lines)
    parts = tuple(part.fen for part in (found.full_self_pay, found.over_limit, found.first_self_pay, found.in_policy))
    if parts != written or found.total != bill.total:
        raise Broken(f"a bill of {bill.total}: the hub divides it into {parts}, the dictionary into {written}")
