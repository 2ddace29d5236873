"""Where a document may be read in two ways, the other reading is a change of data: each switch is tried once."""

import tomllib
from datetime import date

from adapters.policy_folder import POLICY_FILE, REGIONS_FOLDER
from hub.core.adjudication import decide, pay_layer
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import PersonGroup, Place, RefusalReason, YearToDate
from hub.core.money import yuan
from hub.core.plan import compile_plan
from hub.core.policy import Case, Treatment
from hub.core.policy_file import read_policy
from hub.core.registration import AccessBasis
from tests.policies import request


def tables_of(code):
    tables = tomllib.loads((REGIONS_FOLDER / code / POLICY_FILE).read_text(encoding="utf-8"))
    return tables, {layer["name"]: layer for layer in tables["layer"]}


def plan_from(tables):
    return compile_plan(read_policy(tables, file="policy.toml", digest="0" * 64), on=date(2026, 6, 30))


def paid_by_second_layer(tables, base, *, group="adult", treatment=Treatment.AS_AT_HOME, year_before="0.00"):
    person = Case(HospitalLevel.LEVEL_3, PersonGroup(group), Place.OUTSIDE_PROVINCE, treatment)
    _, terms = plan_from(tables).terms(person, insurance_type=InsuranceType.RESIDENT, membership_years=1)
    year = YearToDate(2026, accumulated={terms.layer: yuan(year_before)})
    return str(pay_layer(terms, base=yuan(base), year_to_date=year).paid)


def test_qinzhou_segments_counted_from_zero():
    """14,000 x 50 % + 20,000 x 60 % + 20,000 x 70 % + 20,000 x 80 % = 7,000 + 12,000 + 14,000 + 16,000."""
    tables, layers = tables_of("450700")
    layers["catastrophic"]["segments_count_from"][0]["value"] = "zero"

    assert paid_by_second_layer(tables, "80000.00") == "49000.00"


def test_qinzhou_flat_rate_without_the_tilt_for_the_poor():
    """77,000 x 50 %."""
    tables, layers = tables_of("450700")
    layers["catastrophic"]["tilt"][0]["on_flat_rate"] = False

    paid = paid_by_second_layer(tables, "80000.00", group="poor", treatment=Treatment.WITH_REFERRAL)

    assert paid == "38500.00"


def test_qinzhou_unregistered_care_paid_like_temporary_care():
    """(10,600 - 600) x (60 - 20) %."""
    tables, _ = tables_of("450700")
    next(row for row in tables["access"] if row["basis"] == "unregistered")["treatment"] = "without_referral"
    asked = request("10600.00", insuring_region=Region("450700"), basis=AccessBasis.UNREGISTERED)

    decision = decide(plan_from(tables), asked)

    assert decision.shares == {Fund.RESIDENT_BASIC: yuan("4000.00")}


def test_jiangning_second_layer_per_visit():
    """The year before does not count: (19,800 - 15,000) x 50 %."""
    tables, layers = tables_of("320115")
    layers["catastrophic"]["accumulate"][0]["value"] = "visit"
    layers["catastrophic"]["deductible"][0]["charged"] = "each_admission"

    assert paid_by_second_layer(tables, "19800.00", year_before="30000.00") == "2400.00"


def test_anhui_deductible_at_level_three_after_a_first_admission_at_level_two():
    """(10,000 - 500) x 55 %."""
    tables, layers = tables_of("341000")
    layers["basic"]["deductible"][-1]["first_among"] = ["3"]
    year = YearToDate(2026, admissions={HospitalLevel.LEVEL_2: 1})

    decision = decide(plan_from(tables), request("10000.00", insuring_region=Region("341000"), year=year))

    assert decision.fund_total == yuan("5225.00")


def test_anhui_unregistered_care_refused():
    tables, _ = tables_of("341000")
    next(row for row in tables["access"] if row["basis"] == "unregistered")["treatment"] = "refuse"
    asked = request("10000.00", insuring_region=Region("341000"), basis=AccessBasis.UNREGISTERED)

    assert decide(plan_from(tables), asked).reason is RefusalReason.NOT_REGISTERED
