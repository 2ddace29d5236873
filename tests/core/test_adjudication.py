"""One bill under a small plan: every fen is in one step, and what nobody stated is refused."""

from datetime import date

import pytest

from hub.core.adjudication import check_status, decide, pay_layer
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import (
    Coverage,
    InsuranceStatus,
    Payer,
    PersonGroup,
    RefusalReason,
    YearToDate,
    check_answer,
)
from hub.core.errors import Inconsistent
from hub.core.layer import Unstated
from hub.core.money import Money, yuan
from hub.core.policy import Case
from hub.core.registration import AccessBasis
from tests.policies import plan_from, policy_tables, request, row


def decided(tables, asked):
    decision = decide(plan_from(tables), asked)
    check_answer(decision, request=asked)
    return decision


def steps_of(decision):
    return [(step.layer, step.parameter, str(step.amount), str(step.pays)) for step in decision.steps]


def covered(**facts):
    given = {
        "insuring_region": Region("123400"),
        "status": InsuranceStatus.NORMAL,
        "insurance_type": InsuranceType.RESIDENT,
        "group": PersonGroup.ADULT,
        "membership_years": 1,
    }
    return Coverage(**{**given, **facts})


# --- steps -------------------------------------------------------------------------------------------------------


def test_every_fen_of_the_bill_stands_in_exactly_one_step():
    asked = request("1100.00", full_self_pay="30.00", over_limit="4.00", first_self_pay="0.50")

    decision = decided(policy_tables(), asked)

    assert steps_of(decision) == [
        ("catalog", "full_self_pay", "30.00", "person"),
        ("catalog", "over_limit", "4.00", "person"),
        ("catalog", "first_self_pay", "0.50", "person"),
        ("basic", "deductible", "100.00", "person"),
        ("basic", "segment", "500.00", "fund"),
        ("basic", "remainder", "500.00", "person"),
    ]


def test_a_step_names_its_figure_its_date_its_article_and_its_sum():
    decision = decided(policy_tables(), request("1100.00", full_self_pay="30.00"))

    catalog, deductible, segment, remainder = decision.steps
    assert catalog.article == "care-place catalog of 430100 (就医地目录)"
    assert deductible.formula == "min(1100.00, 100.00) = 100.00"
    assert (segment.value, segment.formula, segment.fund) == ("50 %", "1000.00 × 50 % = 500.00", Fund.RESIDENT_BASIC)
    assert (segment.article, segment.valid_from) == ("Test rules, article 1", date(2024, 1, 1))
    assert (remainder.value, remainder.formula) == ("100 % − 50 %", "1000.00 − 500.00 = 500.00")
    assert decision.policy == "123400@1#0123456789ab"


def test_a_rounded_sum_is_marked_as_rounded():
    decision = decided(policy_tables(), request("100.01"))

    assert decision.steps[1].formula == "0.01 × 50 % ≈ 0.01"


def test_a_bill_of_nothing_has_no_steps():
    decision = decided(policy_tables(), request("0.00"))

    assert (decision.steps, decision.shares, decision.cash) == ((), {}, Money(0))


def test_what_a_cap_leaves_out_is_a_step_of_its_own():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [row(kind="per_year", value="450.00 yuan")]

    decision = decided(tables, request("1100.00"))

    assert steps_of(decision)[1:] == [
        ("basic", "segment", "450.00", "fund"),
        ("basic", "remainder", "500.00", "person"),
        ("basic", "cap", "50.00", "person"),
    ]
    assert decision.steps[1].formula == "1000.00 × 50 % = 500.00; cap 450.00 per_year leaves 450.00"


def test_a_fund_that_pays_nothing_has_no_step():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [row(kind="per_year", value="0.00 yuan")]

    decision = decided(tables, request("1100.00"))

    assert steps_of(decision)[1:] == [("basic", "remainder", "500.00", "person"), ("basic", "cap", "500.00", "person")]
    assert decision.shares == {}


def test_a_cap_per_visit_ignores_the_year_and_the_tighter_of_two_caps_counts():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [
        row(kind="per_visit", value="300.00 yuan"),
        row(kind="per_year", value="1000.00 yuan"),
    ]
    spent = YearToDate(2026, paid_by_fund={Fund.RESIDENT_BASIC: yuan("650.00")})
    almost = YearToDate(2026, paid_by_fund={Fund.RESIDENT_BASIC: yuan("750.00")})

    assert decided(tables, request("1100.00", year=spent)).fund_total == yuan("300.00")
    assert decided(tables, request("1100.00", year=almost)).fund_total == yuan("250.00")


def test_segments_share_a_rounded_fen_by_largest_remainder():
    """0.5 + 1.2 + 0.9 fen = 2.6, half up 3: cut down 0 + 1 + 0, then one each to 0.9 and 0.5."""
    tables = policy_tables()
    tables["layer"][0]["deductible"] = [row("0.00 yuan", charged="each_admission")]
    tables["layer"][0]["segment"] = [
        row(above="0.00 yuan", up_to="0.01 yuan", rate="50 %"),
        row(above="0.01 yuan", up_to="0.03 yuan", rate="60 %"),
        row(above="0.03 yuan", up_to="no limit", rate="90 %"),
    ]

    decision = decided(tables, request("0.04"))

    assert [str(step.amount) for step in decision.steps if step.pays is Payer.FUND] == ["0.01", "0.01", "0.01"]
    assert decision.cash == yuan("0.01")


def test_a_cap_cuts_the_last_segments_first():
    tables = policy_tables()
    tables["layer"][0]["segment"] = [
        row(above="0.00 yuan", up_to="100.00 yuan", rate="50 %"),
        row(above="100.00 yuan", up_to="no limit", rate="60 %"),
    ]
    tables["layer"][0]["cap"] = [row(kind="per_visit", value="55.00 yuan")]

    decision = decided(tables, request("300.00"))

    assert [str(step.amount) for step in decision.steps if step.pays is Payer.FUND] == ["50.00", "5.00"]


# --- layers ------------------------------------------------------------------------------------------------------


def test_a_later_layer_works_on_what_the_earlier_left_over():
    decision = decided(policy_tables(second_layer=True), request("4100.00"))

    assert decision.shares == {Fund.RESIDENT_BASIC: yuan("2000.00"), Fund.RESIDENT_CATASTROPHIC: yuan("550.00")}
    assert steps_of(decision) == [
        ("basic", "segment", "2000.00", "fund"),
        ("second", "deductible", "1000.00", "person"),
        ("second", "segment", "550.00", "fund"),
        ("second", "remainder", "550.00", "person"),
    ]


def test_an_earlier_deductible_that_does_not_count_stays_with_the_person():
    tables = policy_tables(second_layer=True)
    tables["layer"][1]["without_deductible_of"] = [row("basic")]

    decision = decided(tables, request("4100.00"))

    assert steps_of(decision) == [
        ("basic", "deductible", "100.00", "person"),
        ("basic", "segment", "2000.00", "fund"),
        ("second", "deductible", "1000.00", "person"),
        ("second", "segment", "500.00", "fund"),
        ("second", "remainder", "500.00", "person"),
    ]


def test_a_third_layer_may_leave_out_the_first_deductible_and_take_the_second():
    tables = policy_tables(second_layer=True)
    tables["layer"][1]["without_deductible_of"] = [row("basic")]
    third = {**policy_tables(second_layer=True)["layer"][1], "name": "third", "fund": "610100"}
    third["without_deductible_of"] = [row("basic")]
    third["deductible"] = [row("0.00 yuan", charged="year")]
    tables["layer"].append(third)

    decision = decided(tables, request("4100.00"))

    assert decision.shares[Fund.ASSISTANCE] == yuan("750.00")
    assert steps_of(decision)[0] == ("basic", "deductible", "100.00", "person")
    assert steps_of(decision)[-1] == ("third", "remainder", "750.00", "person")


def test_the_contribution_is_what_the_next_bill_of_the_year_needs():
    decision = decided(policy_tables(second_layer=True), request("4100.00"))

    found = decision.contribution
    assert (found.level, str(found.in_policy), str(found.self_pay_in_policy)) == ("3", "4100.00", "1550.00")
    assert found.paid_by_fund == decision.shares
    assert found.accumulated == {"second": yuan("2100.00")}


def test_segments_over_the_year_with_a_deductible_per_admission_count_what_lies_above_it():
    tables = policy_tables()
    tables["layer"][0]["accumulate"] = [row("year")]
    tables["layer"][0]["segment"] = [
        row(above="0.00 yuan", up_to="1000.00 yuan", rate="50 %"),
        row(above="1000.00 yuan", up_to="no limit", rate="60 %"),
    ]

    first = decided(tables, request("900.00"))
    second = decided(tables, request("900.00", year=YearToDate(2026).plus(first.contribution)))

    assert first.contribution.accumulated == {"basic": yuan("800.00")}
    assert (first.fund_total, second.fund_total) == (yuan("400.00"), yuan("460.00"))


def test_segments_counted_from_zero_begin_to_pay_at_the_deductible():
    tables = policy_tables()
    tables["layer"][0]["segments_count_from"] = [row("zero")]
    tables["layer"][0]["segment"] = [
        row(above="0.00 yuan", up_to="200.00 yuan", rate="50 %"),
        row(above="200.00 yuan", up_to="no limit", rate="60 %"),
    ]

    assert decided(tables, request("300.00")).fund_total == yuan("110.00")


def test_a_deductible_of_the_first_admission_counts_only_the_named_levels():
    tables = policy_tables()
    tables["layer"][0]["deductible"] = [row("100.00 yuan", charged="first_admission", first_among=["2", "3"])]
    small = YearToDate(2026, admissions={HospitalLevel.LEVEL_1: 4})
    large = YearToDate(2026, admissions={HospitalLevel.LEVEL_2: 1})

    assert decided(tables, request("1100.00", year=small)).fund_total == yuan("500.00")
    assert decided(tables, request("1100.00", year=large)).fund_total == yuan("550.00")


# --- refusals ----------------------------------------------------------------------------------------------------


def test_a_bill_without_registration_is_refused_where_the_policy_refuses_it():
    refusal = decide(plan_from(policy_tables()), request(basis=AccessBasis.UNREGISTERED))

    assert refusal.reason is RefusalReason.NOT_REGISTERED


def test_a_bill_without_registration_is_paid_lower_where_the_policy_says_so():
    tables = policy_tables()
    tables["access"][4] = row(basis="unregistered", treatment="without_referral")
    tables["layer"][0]["elsewhere"] = [row("-20 points", treatments=["without_referral"])]

    assert decided(tables, request("1100.00", basis=AccessBasis.UNREGISTERED)).fund_total == yuan("300.00")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"access": []}, "access.referred"),
        ({"year_attribution": []}, "year_attribution"),
        ({"catalog_of": []}, "catalog_of"),
        ({"catalog_of": [row("insured_place")]}, "classification by its own catalog"),
        ({"layer": []}, "layers for insurance type 390"),
    ],
)
def test_a_figure_that_nobody_stated_is_named_in_the_refusal(change, named):
    refusal = decide(plan_from({**policy_tables(), **change}), request())

    assert refusal.reason is RefusalReason.RULE_MISSING
    assert named in refusal.detail


def test_a_stay_across_the_year_end_needs_two_bills_where_the_policy_splits_it():
    tables = policy_tables()
    tables["year_attribution"] = [row("split_at_year_end")]

    across = decide(plan_from(tables), request(admitted_on=date(2025, 12, 30)))

    assert across.reason is RefusalReason.RULE_MISSING
    assert decided(tables, request("1100.00")).fund_total == yuan("500.00")


def test_a_cap_that_nobody_stated_refuses_what_lies_beyond_the_safe_amount():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [row(kind="not_stated", safe_up_to="500.00 yuan")]

    assert decided(tables, request("1100.00")).fund_total == yuan("500.00")
    refusal = decide(plan_from(tables), request("1100.01"))

    assert refusal.reason is RefusalReason.RULE_MISSING
    assert "basic.cap for payments of 500.01 in the year" in refusal.detail


def test_an_unstated_cap_is_reported_by_the_layer_itself():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [row(kind="not_stated", safe_up_to="0.00 yuan")]
    asked = request("1100.00")
    plan = plan_from(tables)
    case_of = asked.level, asked.group, asked.place, plan.treatment(asked.basis).value
    (terms,) = plan.terms(Case(*case_of), insurance_type=InsuranceType.RESIDENT, membership_years=1)

    share = pay_layer(terms, base=yuan("1100.00"), year_to_date=asked.year_to_date)

    assert share == Unstated("basic.cap", 500_00)


# --- access ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (InsuranceStatus.NOT_INSURED, RefusalReason.NOT_INSURED),
        (InsuranceStatus.SUSPENDED, RefusalReason.SUSPENDED),
        (InsuranceStatus.INVALID, RefusalReason.NOT_INSURED),
        (InsuranceStatus.ENDED, RefusalReason.NOT_INSURED),
    ],
)
def test_only_a_normal_insurance_is_settled_directly(status, reason):
    assert check_status(covered(status=status)).reason is reason


def test_a_normal_insurance_is_settled_directly():
    assert check_status(covered()) is None


# --- our own mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"insuring_region": Region("450700")}, "plan_other_region"),
        ({"discharged_on": date(2027, 1, 1)}, "plan_other_date"),
        ({"year": YearToDate(2025)}, "year_to_date_other_year"),
    ],
)
def test_a_plan_that_does_not_belong_to_the_bill_stops_the_work(facts, code):
    tables = policy_tables()
    tables["layer"][0]["until"] = date(2027, 1, 1)

    with pytest.raises(Inconsistent) as stopped:
        decide(plan_from(tables), request(**facts))

    assert stopped.value.code == code


def test_a_negative_base_stops_the_work():
    plan = plan_from(policy_tables())
    (terms,) = plan.terms(
        Case(HospitalLevel.LEVEL_3, PersonGroup.ADULT, request().place, plan.treatment(AccessBasis.LONG_TERM).value),
        insurance_type=InsuranceType.RESIDENT,
        membership_years=1,
    )

    with pytest.raises(Inconsistent, match="layer_base_negative"):
        pay_layer(terms, base=Money(-1), year_to_date=YearToDate(2026))
