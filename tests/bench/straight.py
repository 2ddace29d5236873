"""The yardstick of deciding: the layers of three regions written straight down, on whole fen, with nothing explained.

Knows the figures of the three policies of 2024 for adult and poor residents at hospitals of level 2 and 3 outside the
province, copied by hand. It is what a programmer would write who never had to say why; it gives the same amounts.

A bill is a tuple of: in-policy amount, hospital level, treatment, whether poor, years of membership, admissions so far,
what the basic and the second fund have paid this year, and what the year has accumulated for the second layer.
"""

from __future__ import annotations

HOME, REFERRED, ELSEWHERE = range(3)
"""Treatment as at home, with a referral, without one."""


def qinzhou(bill):
    """Fen that the basic and the catastrophic fund pay."""
    in_policy, level, treatment, poor, _membership, _admitted_before, paid_basic, paid_second, before = bill
    below = min(in_policy, 40_000 if level == 2 else 60_000)
    rate = (75 if level == 2 else 60) - (0, 10, 20)[treatment]
    basic = min(((in_policy - below) * rate + 50) // 100, max(0, 15_000_000 - paid_basic))
    left_over = in_policy - below - basic
    start = 300_000 if poor else 600_000
    low = max(before, start) - start
    high = max(before + left_over, start) - start
    more = 10 if poor else 0
    if treatment == HOME:
        second = _segments(high, more) - _segments(low, more)
    else:
        flat = (50 if treatment == REFERRED else 40) + more
        second = (high * flat + 50) // 100 - (low * flat + 50) // 100
    return basic, min(second, max(0, 50_000_000 - paid_second))


def _segments(point, more):
    exact = (
        min(point, 2_000_000) * (50 + more)
        + max(0, min(point, 4_000_000) - 2_000_000) * (60 + more)
        + max(0, min(point, 6_000_000) - 4_000_000) * (70 + more)
        + max(0, point - 6_000_000) * (80 + more)
    )
    return (exact + 50) // 100


def jiangning(bill):
    """Fen that the basic and the second layer pay."""
    in_policy, _level, treatment, _poor, _membership, _admitted_before, paid_basic, paid_second, before = bill
    rate = 65 - (0, 10, 20)[treatment]
    basic = min((in_policy * rate + 50) // 100, max(0, 25_000_000 - paid_basic))
    after = before + in_policy - basic
    second = _ten_thousands(after) - _ten_thousands(before)
    return basic, min(second, max(0, 100_000_000 - paid_second))


def _ten_thousands(point):
    exact = (
        max(0, min(point, 3_000_000) - 1_500_000) * 50
        + max(0, min(point, 6_000_000) - 3_000_000) * 60
        + max(0, point - 6_000_000) * 90
    )
    return (exact + 50) // 100


def huangshan(bill):
    """Fen that the basic fund pays; there is no second layer."""
    in_policy, level, treatment, poor, membership, admitted_before, _paid_basic, _paid_second, _before = bill
    deductible = 0
    if not poor and not admitted_before:
        deductible = 30_000 if level == 2 and treatment == HOME else 50_000
    rate = (60 if level == 2 else 55) + (0, 0, 2, 4, 6, 10)[min(membership, 5)]
    return ((in_policy - min(in_policy, deductible)) * rate + 50) // 100, 0
