"""The sums of a bill as a machine-code loop over rows: every layer's figures come from tables by the row's case.

Knows deductibles, segments, caps, openings and earmarked payments on fen. Must not know names, dates or words.
It is `hub.core.arithmetic` a second time, and tests hold the two together to the fen; sources as there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

EACH_ADMISSION, FIRST_ADMISSION, YEARLY = 0, 1, 2
IN_POLICY, LEFT_OVER, WHOLE_REMAINDER = 0, 1, 2
NO_CAP, PER_YEAR, PER_VISIT, NOT_STATED = 0, 1, 2, 3

DECIDED, FIGURE_MISSING, CAP_MISSING, NO_CASE = 0, 1, 2, 3
"""What became of a row."""

# Columns of the table of layers.
(
    BASE,
    DEDUCTIBLE,
    CHARGED,
    LEVELS,
    PER_YEAR_COUNT,
    FROM_ZERO,
    BANDS,
    DENOMINATOR,
    WITHOUT,
    FUND,
    OPENING_FUND,
    OPENING_AMOUNT,
    LESS,
    MISSING,
    CAP_KIND,
    CAP_AMOUNT,
    CAP_SHARED,
    SECOND_CAP_KIND,
    SECOND_CAP_AMOUNT,
    SECOND_CAP_SHARED,
    ACCUMULATOR,
    PRESENT,
) = range(22)
LAYER_WIDTH = 22


@njit(cache=True, nogil=True, inline="always")
def _room(kind: Any, amount: Any, shared: Any, year_paid: Any, now_paid: Any, row: Any, fund: Any) -> Any:
    """What a cap still allows, in fen."""
    if kind == PER_VISIT:
        return amount
    spent = year_paid[row, fund]
    if shared:
        for other in range(year_paid.shape[1]):
            if other != fund and shared >> other & 1:
                spent += year_paid[row, other] + now_paid[other]
    room = amount - spent
    return room if room > 0 else 0


@njit(cache=True, nogil=True)
def decide_rows(
    case: Any,
    layers: Any,
    bands: Any,
    in_policy: Any,
    total: Any,
    admissions: Any,
    year_paid: Any,
    counted: Any,
    earmarked: Any,
    paid: Any,
    adds: Any,
    status: Any,
) -> None:
    """Decide every row.

    `case[r]` is the row's place in `layers` (cases × layers × figures) and `bands` (cases × layers × segments ×
    lower, upper, rate), below zero where there is none. Amounts are int64 fen: `in_policy` and `total` less what the
    hospital bears; `admissions` (rows × 3 levels), `year_paid` (rows × funds), `counted` (rows × accumulators),
    `earmarked` (rows × sources) are the year so far and what came first. Filled in, and zero before: `paid` (rows ×
    funds), `adds` (rows × accumulators) and `status`. A row that is not decided keeps zeros.
    """
    rows, most = case.shape[0], layers.shape[1]
    held = np.zeros(most, dtype=np.int64)
    for row in range(rows):
        place = case[row]
        if place < 0:
            status[row] = NO_CASE
            continue
        still_open = in_policy[row]
        held[:] = 0
        now_paid = paid[row]
        taken = 0
        all_paid = 0
        used = 0
        outcome = DECIDED
        for number in range(most):
            layer = layers[place, number]
            if not layer[PRESENT]:
                break
            fund = layer[FUND]
            if layer[OPENING_AMOUNT] >= 0:
                opening = layer[OPENING_FUND]
                if year_paid[row, opening] + now_paid[opening] < layer[OPENING_AMOUNT]:
                    continue
            for earlier in range(number):
                if held[earlier] and not layer[WITHOUT] >> earlier & 1:
                    still_open += held[earlier]
                    held[earlier] = 0
            if layer[BASE] == WHOLE_REMAINDER:
                still_open = total[row] - all_paid - taken
            if layer[LESS]:
                for source in range(earmarked.shape[1]):
                    if layer[LESS] >> source & 1 and not used >> source & 1:
                        used |= 1 << source
                        first = min(still_open, earmarked[row, source])
                        still_open -= first
                        taken += first
            base = still_open
            amount = layer[DEDUCTIBLE]
            origin = np.int64(0)
            before = counted[row, layer[ACCUMULATOR]] if layer[PER_YEAR_COUNT] else np.int64(0)
            if layer[CHARGED] == YEARLY:
                after = before + base
                own = min(after, amount) - min(before, amount)
                shift = np.int64(0) if layer[FROM_ZERO] else amount
                low, high = max(before, amount) - shift, max(after, amount) - shift
                origin = amount - shift
                counts = base
            else:
                if layer[CHARGED] == FIRST_ADMISSION:
                    for level in range(3):
                        if layer[LEVELS] >> level & 1 and admissions[row, level] > 0:
                            amount = np.int64(0)
                own = min(base, amount)
                counts = base - own
                if layer[PER_YEAR_COUNT]:
                    low, high = before, before + base - own
                elif layer[FROM_ZERO]:
                    low, high, origin = own, base, own
                else:
                    low, high = np.int64(0), base - own
            if layer[MISSING] and high > low:
                outcome = FIGURE_MISSING
                break
            exact, earlier_part = np.int64(0), np.int64(0)
            for band in range(layer[BANDS]):
                lower, upper, rate = bands[place, number, band]
                inside = min(high, upper) - max(low, lower)
                if inside > 0:
                    exact += inside * rate
                if low > origin:
                    inside = min(low, upper) - max(origin, lower)
                    if inside > 0:
                        earlier_part += inside * rate
            whole = layer[DENOMINATOR]
            due = (2 * (earlier_part + exact) + whole) // (2 * whole) - (2 * earlier_part + whole) // (2 * whole)
            gives = due
            for cap in range(2):
                kind = layer[CAP_KIND + 3 * cap]
                if kind == NO_CAP:
                    continue
                room = _room(
                    kind, layer[CAP_AMOUNT + 3 * cap], layer[CAP_SHARED + 3 * cap], year_paid, now_paid, row, fund
                )
                if kind == NOT_STATED:
                    if due > room:
                        outcome = CAP_MISSING
                else:
                    gives = min(gives, room)
            if outcome != DECIDED:
                break
            if layer[PER_YEAR_COUNT]:
                adds[row, layer[ACCUMULATOR]] += counts
            held[number] = own
            now_paid[fund] += gives
            all_paid += gives
            still_open = base - own - gives
        if outcome != DECIDED:
            paid[row] = 0
            adds[row] = 0
        status[row] = outcome
