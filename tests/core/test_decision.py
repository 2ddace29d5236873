"""What a decision must add up to, a person's year, and when an answer is believed."""

import pytest

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund
from hub.core.decision import REFUSAL_WORDS, Payer, RefusalReason, YearToDate, check_answer
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, yuan
from tests.core.builders import amounts, contribution, decision, request, step

BASIC, SECOND = Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC


def broken_code(action, *args, **more):
    with pytest.raises(Inconsistent) as broken:
        action(*args, **more)
    return broken.value.code


# --- a decision --------------------------------------------------------------------------------------------------


def test_the_shares_of_a_decision_and_its_steps_add_up_to_the_total():
    found = decision(funds={BASIC: "60.00", SECOND: "12.50"}, cash="20.00", account="5.00", hospital="2.50")

    assert (str(found.total), str(found.fund_total)) == ("100.00", "72.50")


def test_a_decision_of_a_zero_bill_is_a_decision():
    assert decision(funds={}, cash="0.00").fund_total == ZERO


def test_a_decision_a_fen_off_cannot_be_built():
    assert broken_code(decision, total=yuan("100.01")) == "decision_parts"


def test_no_share_of_a_decision_is_negative():
    shares = {BASIC: yuan("60.00"), SECOND: yuan("-0.01")}

    assert broken_code(decision, shares=shares, cash="40.01") == "decision_negative"


@pytest.mark.parametrize(
    "steps",
    [
        (step("59.99", fund=BASIC), step("40.00")),
        (step("60.00", fund=BASIC), step("39.99")),
        (step("60.00", fund=BASIC), step("40.00"), step("0.01", pays=Payer.HOSPITAL)),
        (step("60.00", fund=BASIC), step("40.00"), step("0.01", fund=SECOND)),
        (step("60.00", fund=SECOND), step("40.00")),
        (),
    ],
    ids=["fund", "person", "hospital", "a fund that pays nothing", "the wrong fund", "nothing explained"],
)
def test_a_decision_that_its_steps_do_not_explain_cannot_be_built(steps):
    assert broken_code(decision, steps=steps) == "decision_unexplained"


@pytest.mark.parametrize(("pays", "fund"), [(Payer.FUND, None), (Payer.PERSON, BASIC)])
def test_a_step_names_a_fund_exactly_when_a_fund_pays(pays, fund):
    assert broken_code(step("1.00").changed, pays=pays, fund=fund) == "step_payer"


@pytest.mark.parametrize("missing", [{"article": ""}, {"parameter": ""}])
def test_a_step_without_its_source_cannot_be_built(missing):
    assert broken_code(step("1.00").changed, **missing) == "step_source"


def test_a_step_never_takes_anything_back():
    assert broken_code(step, "-0.01") == "step_negative"


# --- a person's year ---------------------------------------------------------------------------------------------


def test_a_year_is_the_fold_of_its_settlements():
    first = contribution("1000.00", funds={BASIC: "600.00"}, level="3", accumulated={"catastrophic": "400.00"})
    second = contribution("500.00", funds={BASIC: "300.00", SECOND: "50.00"}, level="1")

    year = YearToDate(2026).plus(first).plus(second)

    assert (str(year.in_policy), str(year.self_pay_in_policy)) == ("1500.00", "550.00")
    assert (str(year.paid(BASIC)), str(year.paid(SECOND))) == ("900.00", "50.00")
    assert year.accumulated == {"catastrophic": yuan("400.00")}
    assert year.admissions_at([HospitalLevel.LEVEL_1, HospitalLevel.LEVEL_2]) == 1


def test_a_fund_that_has_not_paid_in_a_year_has_paid_zero():
    assert YearToDate(2026).paid(BASIC) == ZERO


def test_a_cancel_takes_exactly_its_own_bill_out_of_the_year():
    first = contribution("1000.00", funds={BASIC: "600.00"}, accumulated={"catastrophic": "400.00"})
    second = contribution("500.00", funds={BASIC: "300.00"}, level="1")

    year = YearToDate(2026).plus(first).plus(second)

    assert year.minus(second) == YearToDate(2026).plus(first)
    assert year.minus(second).minus(first) == YearToDate(2026)


@pytest.mark.parametrize(
    "other",
    [
        {"in_policy": "100.01", "self_pay": "40.00"},
        {"self_pay": "40.01"},
        {"funds": {BASIC: "60.01"}, "self_pay": "40.00"},
        {"accumulated": {"catastrophic": "0.01"}},
        {"level": "2"},
    ],
    ids=["in policy", "self-pay", "fund", "accumulated", "admissions"],
)
def test_a_running_total_never_falls_below_zero(other):
    year = YearToDate(2026).plus(contribution(funds={BASIC: "60.00"}))
    given = {"funds": {BASIC: "60.00"}, **other}

    assert broken_code(year.minus, contribution(**given)) == "year_to_date_negative"


@pytest.mark.parametrize(
    "wrong",
    [
        {"in_policy": "-0.01"},
        {"self_pay": "-0.01"},
        {"funds": {BASIC: "-0.01"}},
        {"accumulated": {"catastrophic": "-0.01"}},
    ],
)
def test_a_settlement_never_makes_a_year_smaller(wrong):
    assert broken_code(contribution, **wrong) == "contribution_negative"


# --- an answer ---------------------------------------------------------------------------------------------------


def test_an_answer_that_fits_the_question_is_believed():
    assert check_answer(decision(), request=request()) is None


def test_what_the_hospital_bears_is_no_self_pay_of_the_person():
    made = contribution(funds={Fund.RESIDENT_BASIC: "60.00"}, self_pay="30.00")

    assert check_answer(decision(cash="30.00", hospital="10.00", contribution=made), request=request()) is None


def refusal_of(answer, asked=None):
    return broken_code(check_answer, answer, request=asked or request())


def test_an_answer_about_another_bill_is_not_believed():
    assert refusal_of(decision(bill_id="bil_2")) == "answer_other_bill"


def test_an_answer_about_another_total_is_not_believed():
    assert refusal_of(decision(cash="40.01")) == "answer_other_total"


def test_funds_that_pay_more_than_the_in_policy_amount_are_not_believed():
    asked = request(amounts=amounts("59.99", full="40.01"))

    assert refusal_of(decision(), asked) == "answer_above_policy"


def test_funds_may_pay_all_of_the_in_policy_amount():
    asked = request(amounts=amounts("60.00", full="40.00"))
    made = contribution("60.00", funds={BASIC: "60.00"})

    assert check_answer(decision(contribution=made), request=asked) is None


def test_a_fund_of_another_insurance_type_is_not_believed():
    assert refusal_of(decision(funds={Fund.EMPLOYEE_BASIC: "60.00"})) == "answer_other_fund"


def test_medical_assistance_pays_for_either_insurance_type():
    assert check_answer(decision(funds={BASIC: "50.00", Fund.ASSISTANCE: "10.00"}), request=request()) is None


@pytest.mark.parametrize(
    "made",
    [
        contribution("99.99", funds={BASIC: "60.00"}),
        contribution(funds={BASIC: "59.99"}, self_pay="40.00"),
        contribution(funds={BASIC: "60.00"}, self_pay="40.01"),
        contribution(funds={BASIC: "60.00"}, level="1"),
    ],
    ids=["in policy", "fund", "self-pay", "level"],
)
def test_a_contribution_to_the_year_that_is_not_the_decisions_is_not_believed(made):
    assert refusal_of(decision(contribution=made)) == "answer_contribution"


def test_every_refusal_has_words_that_the_patient_can_act_on():
    assert set(REFUSAL_WORDS) == set(RefusalReason)
