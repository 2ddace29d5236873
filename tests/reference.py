"""The benefit rules of three regions written a second time, straight from their articles: slow, exact, one region each.

Shares nothing with hub/core but the meaning: amounts are fen as whole numbers, rates are fractions, the year so far is
a plain dict. A segmented rate is written as a sum of slopes above each bound, which is another form of the same table.
"""

from fractions import Fraction
from typing import NamedTuple

YUAN = 100


class Stay(NamedTuple):
    """What a clerk sees of one stay. `in_policy` in fen; `place` and `basis` in the hub's words."""

    level: int
    place: str
    basis: str
    group: str
    membership_years: int
    in_policy: int


class Shares(NamedTuple):
    """What each fund pays, in fen."""

    basic: int
    catastrophic: int


def new_year():
    return {"basic": 0, "catastrophic": 0, "counted": 0, "admissions": {1: 0, 2: 0, 3: 0}}


def half_up(fen):
    whole, rest = divmod(Fraction(fen), 1)
    return int(whole) + (1 if rest >= Fraction(1, 2) else 0)


def above(fen, bound_yuan):
    return max(0, fen - bound_yuan * YUAN)


def percent(number):
    return Fraction(number, 100)


def remember(year, stay, shares, counted):
    year["basic"] += shares.basic
    year["catastrophic"] += shares.catastrophic
    year["counted"] += counted
    year["admissions"][stay.level] += 1
    return shares


def qinzhou(stay, year):
    """P09 on an assumed basic layer of 85/75/60 % above 200/400/600 a stay, ten or twenty points lower elsewhere."""
    deductible = {1: 200, 2: 400, 3: 600}[stay.level]
    cut = {"long_term": 0, "referred": 10, "emergency": 10, "temporary": 20}[stay.basis]
    rate = percent({1: 85, 2: 75, 3: 60}[stay.level] - cut)
    over = above(stay.in_policy, deductible)
    basic = min(half_up(over * rate), 150_000 * YUAN - year["basic"])

    left_over = over - basic
    before, after = year["counted"], year["counted"] + left_over
    due = half_up(qinzhou_year(after, stay)) - half_up(qinzhou_year(before, stay))
    catastrophic = min(due, 500_000 * YUAN - year["catastrophic"])
    return remember(year, stay, Shares(basic, catastrophic), left_over)


def qinzhou_year(self_pay, stay):
    poor = stay.group == "poor"
    deductible = 3_000 if poor else 6_000
    tilt = 10 if poor else 0
    with_referral = stay.basis in ("referred", "emergency")
    if stay.place == "outside_province" and stay.basis != "long_term":
        return above(self_pay, deductible) * percent((50 if with_referral else 40) + tilt)
    cut = 0 if stay.basis == "long_term" else 5 if with_referral else 10
    return (
        above(self_pay, deductible) * percent(50 + tilt - cut)
        + above(self_pay, deductible + 20_000) * percent(10)
        + above(self_pay, deductible + 40_000) * percent(10)
        + above(self_pay, deductible + 60_000) * percent(10)
    )


def jiangning(stay, year):
    """P01: 65 % of the approved expense up to 250,000; what the person pays then counts for the second layer."""
    cut = {"long_term": 0, "referred": 10, "emergency": 10, "temporary": 20}[stay.basis]
    basic = min(half_up(stay.in_policy * percent(65 - cut)), 250_000 * YUAN - year["basic"])

    left_over = stay.in_policy - basic
    before, after = year["counted"], year["counted"] + left_over
    due = half_up(jiangning_year(after)) - half_up(jiangning_year(before))
    catastrophic = min(due, 1_000_000 * YUAN - year["catastrophic"])
    return remember(year, stay, Shares(basic, catastrophic), left_over)


def jiangning_year(self_pay):
    return (
        above(self_pay, 15_000) * percent(50)
        + above(self_pay, 30_000) * percent(10)
        + above(self_pay, 60_000) * percent(30)
    )


def anhui(stay, year):
    """P10: one layer. None where the year's payments pass what is safe without knowing the cap."""
    earlier_at_2_and_3 = year["admissions"][2] + year["admissions"][3]
    if stay.group in ("low_income", "poor"):
        deductible = 0
    elif stay.level == 1:
        deductible = 100
    elif earlier_at_2_and_3:
        deductible = 0
    elif stay.group == "pupil":
        deductible = 200
    elif stay.level == 2 and stay.basis == "long_term":
        deductible = 300
    else:
        deductible = 500
    bonus = {0: 0, 1: 0, 2: 2, 3: 4, 4: 6}.get(stay.membership_years, 10)
    rate = percent({1: 65, 2: 60, 3: 55}[stay.level] + bonus)
    basic = half_up(above(stay.in_policy, deductible) * rate)
    if year["basic"] + basic > 50_000 * YUAN:
        return None
    return remember(year, stay, Shares(basic, 0), 0)


REGIONS = {"450700": qinzhou, "320115": jiangning, "341000": anhui}
