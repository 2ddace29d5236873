"""Timing on a machine that others use too: short turns, the yardstick between them, the median of the ratios.

Knows turns and percentiles. Must not know what is timed.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import truediv


@dataclass(frozen=True)
class Pair:
    """Seconds of one call of what is measured and of its yardstick, and how many times longer the first takes."""

    measured: float
    yardstick: float
    ratio: float


def side_by_side(measured: Callable[[], object], yardstick: Callable[[], object], *, turns: int, most: float) -> Pair:
    """Time both in turns, at most `turns` times each and at most about `most` seconds in all.

    Counted is the processor's time of this process, so that waiting for a busy core does not count; the yardstick is
    repeated until its turn is about as long, so that a busy neighbour slows both alike. The ratio is the median over
    the turns; each figure is the best turn, since nothing makes a program faster than it is.
    """
    ours: list[float] = []
    theirs: list[float] = []
    with no_collection():
        times = max(1, round(spent(measured) / max(spent(yardstick), 1e-6)))
        ends = time.perf_counter() + most
        while len(ours) < turns and (len(ours) < 3 or time.perf_counter() < ends):
            ours.append(spent(measured))
            theirs.append(spent(yardstick, times))
    return Pair(min(ours), min(theirs), statistics.median(map(truediv, ours, theirs)))


def spent(call: Callable[[], object], times: int = 1) -> float:
    """Processor seconds of one of so many calls."""
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times


def once(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector, which would land in one turn by chance, out of the turns."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
