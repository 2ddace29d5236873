"""Deciding one bill at a time on one core: three regions, with every step and every check.

Yardstick: `straight.py`, the same layers without steps or checks. The performance notes give the target against
zen-engine, which is no part of the hub's surroundings: there zen-engine made 46,000 bills a second where the straight
form made 266,000, so "twice zen-engine" is read as 0.35 of the straight form, and "five times" as 0.87.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from adapters.registry import load_policies
from hub.core.adjudication import decide
from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import Decision, DecisionRequest, PersonGroup, Place, YearToDate
from hub.core.money import Money
from hub.core.plan import Plan, compile_plan
from hub.core.registration import AccessBasis
from hub.demo.world import HUANGSHAN, JIANGNING, QINZHOU, REGION_NAMES
from tests.bench import straight
from tests.bench.place import Place as BenchPlace
from tests.bench.table import Broken, Figure, Target, rate, seconds
from tests.bench.timing import once, side_by_side

PART = "decide"
BILLS = 300
"""Different bills of each region."""

TURNS, MOST = 25, 8.0

DAY = date(2026, 6, 30)
TREATMENTS = {
    AccessBasis.LONG_TERM: straight.HOME,
    AccessBasis.REFERRED: straight.REFERRED,
    AccessBasis.TEMPORARY: straight.ELSEWHERE,
}
REGIONS = {QINZHOU: straight.qinzhou, JIANGNING: straight.jiangning, HUANGSHAN: straight.huangshan}
AGAINST_STRAIGHT = Target(0.35, 0.87)


@dataclass(frozen=True)
class Case:
    """One bill for the hub and the same one for the yardstick."""

    plan: Plan
    request: DecisionRequest
    straight: Callable[[tuple[int, ...]], tuple[int, int]]
    facts: tuple[int, ...]


def measure(_place: BenchPlace) -> Iterator[Figure]:
    policies = load_policies()
    plans = {region: compile_plan(policies[region], on=DAY) for region in REGIONS}
    cases = {region: [_case(region, plans[region], number) for number in range(BILLS)] for region in REGIONS}
    steps = 0
    for found in cases.values():
        steps += sum(_check_same(case) for case in found)
    every = [case for found in cases.values() for case in found]
    for region, found in cases.items():
        yield _figure(f"bills of {REGION_NAMES[region][1]}, one core", found, most=MOST / 4)
    yield _figure(
        f"bills of three regions, {steps / len(every):.1f} steps each, one core", every, most=MOST, target=True
    )
    fresh = [once(lambda region=region: compile_plan(policies[region], on=DAY)) for region in REGIONS for _ in range(5)]
    yield Figure(PART, "compile a region's policy for a day, once per change", seconds(min(fresh)))


def _figure(what: str, cases: Sequence[Case], *, most: float, target: bool = False) -> Figure:
    pairs = [(case.plan, case.request) for case in cases]
    plain = [(case.straight, case.facts) for case in cases]

    def ours() -> None:
        for plan, request in pairs:
            decide(plan, request)

    def theirs() -> None:
        for function, facts in plain:
            function(facts)

    ours()
    found = side_by_side(ours, theirs, turns=TURNS, most=most)
    share = 1 / found.ratio
    words = f"{share:.3f} of straight integer code ({rate(len(cases) / found.yardstick)})"
    return Figure(PART, what, rate(len(cases) / found.measured), words, AGAINST_STRAIGHT if target else None, share)


def _case(region: Region, plan: Plan, number: int) -> Case:
    draw = random.Random(f"{region}/{number}")
    level = draw.choice((HospitalLevel.LEVEL_2, HospitalLevel.LEVEL_3))
    basis = draw.choice(tuple(TREATMENTS))
    poor = draw.randint(1, 8) == 1
    membership = draw.randint(1, 8)
    admitted_before = draw.randint(0, 2)
    in_policy = draw.randint(500_00, 40_000_00)
    own = [draw.randint(0, 2_000_00) for _ in range(3)]
    paid_basic = draw.randint(0, 20_000_00) if admitted_before else 0
    paid_second = draw.randint(0, 5_000_00) if admitted_before else 0
    before = draw.randint(0, 70_000_00) if admitted_before and region != HUANGSHAN else 0
    year = YearToDate(
        year=DAY.year,
        admissions={level: admitted_before} if admitted_before else {},
        paid_by_fund={Fund.RESIDENT_BASIC: Money(paid_basic), Fund.RESIDENT_CATASTROPHIC: Money(paid_second)},
        accumulated={"catastrophic": Money(before)},
    )
    request = DecisionRequest(
        bill_id=f"bil-{number}",
        insuring_region=region,
        care_region=QINZHOU if region != QINZHOU else HUANGSHAN,
        place=Place.OUTSIDE_PROVINCE,
        basis=basis,
        level=level,
        insurance_type=InsuranceType.RESIDENT,
        group=PersonGroup.POOR if poor else PersonGroup.ADULT,
        membership_years=membership,
        admitted_on=DAY - timedelta(days=9),
        discharged_on=DAY,
        amounts=ClassifiedAmounts(Money(sum(own) + in_policy), *map(Money, own), Money(in_policy)),
        year_to_date=year,
    )
    facts = (
        in_policy, int(level), TREATMENTS[basis], poor, membership, admitted_before, paid_basic, paid_second, before,
    )  # fmt: skip
    return Case(plan, request, REGIONS[region], facts)


def _check_same(case: Case) -> int:
    """Make sure that both give the same amounts; gives the number of steps."""
    found = decide(case.plan, case.request)
    expected = case.straight(case.facts)
    if not isinstance(found, Decision):
        raise Broken(f"{case.request.insuring_region}: {found}")
    shares = tuple(found.shares.get(fund, Money(0)).fen for fund in (Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC))
    if shares != expected:
        raise Broken(f"{case.request.insuring_region}, {case.facts}: the hub pays {shares}, straight code {expected}")
    return len(found.steps)
