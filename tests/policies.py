"""The smallest policy that can decide a bill, as the tables of its file; tests change a copy and read it."""

import copy
from datetime import date

from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import InsuranceType, Region
from hub.core.decision import DecisionRequest, PersonGroup, Place, YearToDate
from hub.core.money import total, yuan
from hub.core.plan import compile_plan
from hub.core.policy_file import read_policy
from hub.core.registration import AccessBasis

START = date(2024, 1, 1)
FILE = "123400/policy.toml"


def row(value=None, **more):
    """A row with its date and source; `value=None` leaves the value to the other keys."""
    given = {"from": START, "source": "T, article 1", **more}
    return given if value is None else {"value": value, **given}


_BASIC = {
    "name": "basic",
    "insurance_type": "390",
    "fund": "390100",
    "from": START,
    "source": "T, article 1",
    "base": [row("in_policy")],
    "accumulate": [row("visit")],
    "segments_count_from": [row("deductible")],
    "deductible": [row("100.00 yuan", charged="each_admission")],
    "segment": [row(above="0.00 yuan", up_to="no limit", rate="50 %")],
    "elsewhere": [row("none")],
    "cap": [row(kind="none")],
}

_SECOND = {
    **_BASIC,
    "name": "second",
    "fund": "390200",
    "base": [row("left_over")],
    "without_deductible_of": [row("none")],
    "accumulate": [row("year")],
    "deductible": [row("1000.00 yuan", charged="year")],
}

_POLICY = {
    "region": "123400",
    "name": "Test",
    "kind": "rulepack",
    "version": "1",
    "sources": {"T": "Test rules"},
    "access": [
        row(basis="long_term", treatment="as_at_home"),
        row(basis="referred", treatment="with_referral"),
        row(basis="emergency", treatment="with_referral"),
        row(basis="temporary", treatment="without_referral"),
        row(basis="unregistered", treatment="refuse"),
    ],
    "year_attribution": [row("whole_at_discharge")],
    "catalog_of": [row("care_place")],
    "registration": [row(temporary_months=6, instant_categories=["long_term_resident"])],
    "layer": [_BASIC],
}


def policy_tables(*, second_layer=False):
    """A fresh copy that a test may change."""
    tables = copy.deepcopy(_POLICY)
    if second_layer:
        tables["layer"].append(copy.deepcopy(_SECOND))
    return tables


def read(tables):
    return read_policy(tables, file=FILE, digest="0123456789abcdef" * 4)


def plan_from(tables, *, on=date(2026, 6, 30)):
    return compile_plan(read(tables), on=on)


def request(in_policy="1100.00", *, year=None, **facts):
    """A bill of an adult resident, referred out of the province to a level 3 hospital; any fact may be changed."""
    own = {name: yuan(facts.pop(name, "0.00")) for name in ("full_self_pay", "over_limit", "first_self_pay")}
    amounts = ClassifiedAmounts(total=total((*own.values(), yuan(in_policy))), in_policy=yuan(in_policy), **own)
    given = {
        "bill_id": "bil_1",
        "insuring_region": Region("123400"),
        "care_region": Region("430100"),
        "place": Place.OUTSIDE_PROVINCE,
        "basis": AccessBasis.REFERRED,
        "level": HospitalLevel.LEVEL_3,
        "insurance_type": InsuranceType.RESIDENT,
        "group": PersonGroup.ADULT,
        "membership_years": 1,
        "admitted_on": date(2026, 6, 20),
        "discharged_on": date(2026, 6, 30),
        "amounts": amounts,
        "year_to_date": year or YearToDate(2026),
    }
    return DecisionRequest(**{**given, **facts})
