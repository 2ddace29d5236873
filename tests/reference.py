"""The benefit rules of every region written a second time, straight from their articles: slow and exact.

Shares nothing with hub/core but the meaning: amounts are fen as whole numbers, rates are fractions, the year so far is
a plain dict. A segmented rate is written as a sum of slopes above each bound, which is another form of the same table.
A function gives what each fund pays, or the word for why the bill is not decided.
"""

from fractions import Fraction
from typing import NamedTuple

YUAN = 100
STAYS = ("inpatient", "day_surgery")
WITH_SPECIAL = (*STAYS, "special_outpatient")

MISSING = "rule_missing"
NOT_COVERED = "not_covered"


class Stay(NamedTuple):
    """What a clerk sees of one bill. `in_policy`, `own` (outside the policy) and what others paid first in fen."""

    level: int
    place: str
    basis: str
    group: str
    membership_years: int
    in_policy: int
    own: int = 0
    care: str = "inpatient"
    disease: str = ""
    referral: str = "none"
    by_disease: bool = False
    paid_first: tuple[tuple[str, int], ...] = ()

    def from_source(self, name):
        return dict(self.paid_first).get(name, 0)


class Shares(NamedTuple):
    """What each fund pays, in fen."""

    basic: int = 0
    catastrophic: int = 0
    supplementary: int = 0
    outpatient: int = 0
    accident: int = 0


def new_year():
    return {**dict.fromkeys((*Shares._fields, "counted", "counted_outpatient"), 0), "admissions": {1: 0, 2: 0, 3: 0}}


def half_up(fen):
    whole, rest = divmod(Fraction(fen), 1)
    return int(whole) + (1 if rest >= Fraction(1, 2) else 0)


def above(fen, bound_yuan):
    return max(0, fen - bound_yuan * YUAN)


def percent(number):
    return Fraction(number, 100)


def remember(year, stay, shares, *, counted=0, counted_outpatient=0, admission=None):
    for fund, paid in shares._asdict().items():
        year[fund] += paid
    year["counted"] += counted
    year["counted_outpatient"] += counted_outpatient
    if stay.care in STAYS if admission is None else admission:
        year["admissions"][stay.level] += 1
    return shares


# --- P09, P01, P10 -----------------------------------------------------------------------------------------------


def qinzhou(stay, year):
    """P09 on an assumed basic layer of 85/75/60 % above 200/400/600 a stay, ten or twenty points lower elsewhere."""
    if stay.care not in WITH_SPECIAL:
        return NOT_COVERED
    deductible = {1: 200, 2: 400, 3: 600}[stay.level]
    cut = {"long_term": 0, "referred": 10, "emergency": 10, "temporary": 20}[stay.basis]
    rate = percent({1: 85, 2: 75, 3: 60}[stay.level] - cut)
    over = above(stay.in_policy, deductible)
    basic = min(half_up(over * rate), 150_000 * YUAN - year["basic"])

    left_over = over - basic
    before, after = year["counted"], year["counted"] + left_over
    due = half_up(qinzhou_year(after, stay)) - half_up(qinzhou_year(before, stay))
    catastrophic = min(due, 500_000 * YUAN - year["catastrophic"])
    return remember(year, stay, Shares(basic, catastrophic), counted=left_over)


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
    return remember(year, stay, Shares(basic, catastrophic), counted=left_over)


def jiangning_year(self_pay):
    return (
        above(self_pay, 15_000) * percent(50)
        + above(self_pay, 30_000) * percent(10)
        + above(self_pay, 60_000) * percent(30)
    )


THREE_DISEASES = ("M07803", "M07804", "M00503", "M08300")


def anhui(stay, year):
    """P10: stays and three diseases, other special diseases, pupils' accidents; nothing for any other care."""
    if stay.care == "accident_outpatient":
        if stay.group != "pupil":
            return NOT_COVERED
        paid = min(half_up(stay.in_policy * percent(80)), 2_000 * YUAN - year["accident"])
        return remember(year, stay, Shares(accident=paid))
    if stay.care in STAYS or (stay.care == "special_outpatient" and stay.disease in THREE_DISEASES):
        return anhui_stay(stay, year)
    if stay.care != "special_outpatient":
        return NOT_COVERED
    before, after = year["counted_outpatient"], year["counted_outpatient"] + stay.in_policy
    due = half_up(above(after, 200) * percent(50)) - half_up(above(before, 200) * percent(50))
    paid = min(due, 2_000 * YUAN - year["outpatient"])
    return remember(year, stay, Shares(outpatient=paid), counted_outpatient=stay.in_policy)


def anhui_stay(stay, year):
    """One layer. The cap is not printed: nothing is decided where the year's payments pass 50,000."""
    if stay.group in ("low_income", "poor"):
        deductible = 0
    elif stay.level == 1:
        deductible = 100
    elif year["admissions"][2] + year["admissions"][3]:
        deductible = 0
    elif stay.group == "pupil":
        deductible = 200
    elif stay.level == 2 and stay.basis == "long_term":
        deductible = 300
    else:
        deductible = 500
    base = stay.in_policy
    if stay.group == "pupil":
        base = max(0, base - stay.from_source("cooperative_scheme"))
    bonus = {0: 0, 1: 0, 2: 2, 3: 4, 4: 6}.get(stay.membership_years, 10)
    rate = percent({1: 65, 2: 60, 3: 55}[stay.level] + bonus)
    basic = half_up(above(base, deductible) * rate)
    if year["basic"] + basic > 50_000 * YUAN:
        return MISSING
    return remember(year, stay, Shares(basic), admission=True)


# --- regions whose basic layer is assumed as a whole: 60, 50 or 40 %, decided up to 150,000 a year -----------------


def assumed_basic(stay, year, *, deductible=0):
    """What the basic fund pays; None beyond what is safe without knowing its cap."""
    rate = percent({"long_term": 60, "referred": 50, "emergency": 50, "temporary": 40}[stay.basis])
    basic = half_up(above(stay.in_policy, deductible) * rate)
    return None if year["basic"] + basic > 150_000 * YUAN else basic


def urumqi(stay, year):
    """P02: 60/45/30 % of the whole remainder above 80/200/500; the third layer opens at 30,000 and has no ratio."""
    basic = assumed_basic(stay, year)
    if basic is None:
        return MISSING
    remainder = stay.in_policy + stay.own - basic
    supplementary = 0
    if stay.care in STAYS:
        over = above(remainder, {1: 80, 2: 200, 3: 500}[stay.level])
        rate = percent({1: 60, 2: 45, 3: 30}[stay.level])
        supplementary = min(half_up(over * rate), 10_000 * YUAN - year["supplementary"])
    if year["basic"] + basic >= 30_000 * YUAN and remainder > supplementary:
        return MISSING
    return remember(year, stay, Shares(basic, supplementary=supplementary))


def without_a_deductible(stay, year, *, care=None):
    """P03, P06, P14: whatever is left over for the catastrophic layer needs a deductible that nobody printed."""
    basic = assumed_basic(stay, year)
    if basic is None or (stay.in_policy > basic and (care is None or stay.care in care)):
        return MISSING
    return remember(year, stay, Shares(basic))


def guizhou(stay, year):
    return without_a_deductible(stay, year)


def beijing(stay, year):
    return without_a_deductible(stay, year)


def henan(stay, year):
    return without_a_deductible(stay, year, care=STAYS)


def unnamed_province(stay, year):
    """P05: 8,000 of the year's self-pay without the basic deductible of 500; what lies above needs segments."""
    basic = assumed_basic(stay, year, deductible=500)
    if basic is None:
        return MISSING
    left_over = above(stay.in_policy, 500) - basic if stay.care in WITH_SPECIAL else 0
    if year["counted"] + left_over > 8_000 * YUAN:
        return MISSING
    return remember(year, stay, Shares(basic), counted=left_over)


SEVERE = ("M07803", "M07804", "M08300", "M00503", "M02101", "M02103", "M02105", "M02106")


def shanghai(stay, year):
    """P07: 55 % of what is left for listed diseases, in Shanghai only; pupils' mutual aid pays first."""
    basic = assumed_basic(stay, year)
    if basic is None:
        return MISSING
    catastrophic = 0
    pupil = stay.group == "pupil"
    listed = stay.disease in SEVERE or (pupil and stay.disease in ("M01200", "M01102"))
    if stay.place == "within_province" and listed:
        left = stay.in_policy - basic - (stay.from_source("mutual_aid") if pupil else 0)
        catastrophic = half_up(max(0, left) * percent(55))
    return remember(year, stay, Shares(basic, catastrophic))


def wendeng(stay, year):
    """P12: no disease has a printed price."""
    basic = assumed_basic(stay, year)
    if basic is None or stay.by_disease:
        return MISSING
    return remember(year, stay, Shares(basic))


def qinan(stay, year):
    """P11 on an assumed 70 % above 200/400/600: ten points lower without referral, no deductible on the way down."""
    base = max(0, stay.in_policy - stay.from_source("public_health"))
    deductible = 0 if stay.referral == "down" else {1: 200, 2: 400, 3: 600}[stay.level]
    cut = 10 if stay.basis == "temporary" and stay.level > 1 else 0
    basic = half_up(above(base, deductible) * percent(70 - cut))
    if year["basic"] + basic > 60_000 * YUAN:
        return MISSING
    return remember(year, stay, Shares(basic))


REGIONS = {
    "450700": qinzhou,
    "320115": jiangning,
    "341000": anhui,
    "650100": urumqi,
    "520100": guizhou,
    "990105": unnamed_province,
    "410100": henan,
    "310000": shanghai,
    "620522": qinan,
    "371081": wendeng,
    "110000": beijing,
}
