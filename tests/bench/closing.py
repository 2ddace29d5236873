"""Closing a month of 20,000 bills: cut, gross matrix with its clearing entries, both nets, every region's statements.

Yardstick: PostgreSQL's own GROUP BY of pairs and funds over the same legs. A month of a tenth of the bills is closed
first: it shows how the time grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg

from hub.actions.closing import close_window, stored_statements
from hub.core.clearing import Window, WindowState, window_id
from hub.core.codes import Regime
from hub.core.dates import Period, start_of_day
from hub.core.netting import GrossCell, bilateral, multilateral, positions
from hub.ports import HUB_SCOPE
from tests.bench.month import REGIONS, write_month
from tests.bench.place import Place
from tests.bench.table import Broken, Figure, Target, rate, seconds
from tests.bench.timing import once

PART = "close"
SMALL, LARGE = 2_000, 20_000
AGAINST_GROUP_BY = Target(3, 1, " ×", most=True)
GROWTH = Target(1, 1, " × linear", most=True)

_PAIRS = """
    select insuring_region, care_region, account_id, sum(case side when 'D' then amount_fen else -amount_fen end)
    from leg where window_id = %s and event in ('settled', 'cancelled') group by 1, 2, 3
"""
_OWED = """
    select coalesce(sum(amount_fen), 0) from leg join account on account.id = account_id
    where leg.window_id = %s and event = 'settled' and kind = 'fund_due'
"""


def measure(place: Place) -> Iterator[Figure]:
    taken: dict[int, float] = {}
    for bills, period in ((SMALL, Period(2026, 3)), (LARGE, Period(2026, 4))):
        written = once(
            lambda bills=bills, period=period: write_month(place.superuser, place.app.vault, period, bills=bills)
        )
        yardstick = _group_by(place, period)
        taken[bills] = once(lambda period=period: _close(place, period))
        yardstick = min(yardstick, _group_by(place, period))
    large = taken[LARGE]
    cells = _cells(place, period)
    _check_sum(place, period, cells)
    times = large / yardstick
    yield Figure(
        PART,
        f"{LARGE:,} bills, {len(REGIONS)} regions, {len(cells)} cells: all steps",
        f"{seconds(large)}, {rate(LARGE / large)}",
        f"{times:.0f} × GROUP BY of pairs ({seconds(yardstick)})",
        AGAINST_GROUP_BY,
        times,
    )
    yield from _shares(place, period, cells, large=large, yardstick=yardstick)
    growth = large / taken[SMALL] / (LARGE / SMALL)
    yield Figure(
        PART,
        f"growth from {SMALL:,} to {LARGE:,} bills",
        f"{seconds(taken[SMALL])} to {seconds(large)}",
        f"{growth:.2f} × linear",
        GROWTH,
        growth,
    )
    yield Figure(PART, "writing the month in bulk, for comparison", f"{seconds(written)}, {rate(LARGE / written)}")


def _shares(
    place: Place, period: Period, cells: list[GrossCell], *, large: float, yardstick: float
) -> Iterator[Figure]:
    """Where the time goes: the reading steps done once more on the same rows; the rest are the writes."""
    window = Window(window_id(Regime.CROSS_PROVINCE, period), Regime.CROSS_PROVINCE, period, WindowState.CLOSED)

    def gross() -> None:
        with place.app.store.begin(HUB_SCOPE) as uow:
            uow.clearing.gross_from_entries(window)

    def nets() -> None:
        positions(cells)
        bilateral(cells)
        multilateral(cells)

    def statements() -> None:
        with place.app.store.begin(HUB_SCOPE) as uow:
            for region in uow.clearing.regions(window):
                stored_statements(uow, window, region)

    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("of it the gross matrix, read from the legs", gross),
        ("of it both nets, in memory", nets),
        ("of it every statement, read and rendered", statements),
    )
    left = large
    for what, step in steps:
        took = min(once(step) for _ in range(2))
        left -= took
        yield Figure(PART, what, seconds(took), f"{took / yardstick:.1f} × GROUP BY")
    yield Figure(
        PART,
        f"the rest: clearing entries of {len(cells)} cells, statements kept",
        seconds(max(left, 0)),
        f"{max(left, 0) / yardstick:.1f} × GROUP BY",
    )


def _close(place: Place, period: Period) -> None:
    closed = close_window(
        place.app.hub,
        regime=Regime.CROSS_PROVINCE,
        period=period,
        actor="bench",
        as_of=start_of_day(period.next().first_day) + timedelta(days=2),
    )
    if closed.state is not WindowState.CLOSED:
        raise Broken(f"{closed.id} is {closed.state} after its close")


def _group_by(place: Place, period: Period) -> float:
    with psycopg.connect(place.superuser) as connection:
        window = window_id(Regime.CROSS_PROVINCE, period)
        return min(once(lambda: connection.execute(_PAIRS, [window]).fetchall()) for _ in range(5))


def _cells(place: Place, period: Period) -> list[GrossCell]:
    window = Window(window_id(Regime.CROSS_PROVINCE, period), Regime.CROSS_PROVINCE, period, WindowState.CLOSED)
    with place.app.store.begin(HUB_SCOPE) as uow:
        return list(uow.clearing.cells(window))


def _check_sum(place: Place, period: Period, cells: list[GrossCell]) -> None:
    """The matrix is worth nothing where it does not add up to the rows that it came from."""
    with psycopg.connect(place.superuser) as connection:
        found = connection.execute(_OWED, [window_id(Regime.CROSS_PROVINCE, period)]).fetchone()
    owed = int(found[0]) if found else 0
    matrix = sum(cell.amount.fen for cell in cells)
    if owed != matrix or not owed:
        raise Broken(f"the legs owe {owed} fen, the matrix has {matrix}")
