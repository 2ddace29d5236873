"""How one fee line divides under the care region's catalog; each part worked out by hand."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from hub.core.catalog import BenefitClass, CareSetting, HospitalLevel, Restriction
from hub.core.classification import (
    OUTCOME_WORDS,
    ClassifiedLine,
    LineOutcome,
    Treated,
    classify_line,
    classify_lines,
)
from hub.core.codes import CatalogKind, InsuranceType, Sex
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Condition, Grade
from hub.core.money import percent, yuan
from tests.core.builders import ADMITTED, CODE, DRUG, catalog_of, day, item, line, mapped, shelf


def classify(catalog, *, price="10.00", quantity="1", on=ADMITTED, level="3", code=CODE):
    sent = replace(line(7, price=price, quantity=quantity, on=on, code=code), name="as sent")
    return classify_line(sent, catalog=catalog, treated=Treated(HospitalLevel(level)))


def parts(found):
    """Fully self-paid, over the limit, first self-pay, in policy."""
    return tuple(str(part) for part in (found.full_self_pay, found.over_limit, found.first_self_pay, found.in_policy))


def test_class_a_is_wholly_in_policy():
    found = classify(shelf(item(benefit_class="A", first_self_pay="0 %")), price="12.34", quantity="3")

    assert parts(found) == ("0.00", "0.00", "0.00", "37.02")
    assert (found.outcome, found.benefit_class, found.unified) == (LineOutcome.COVERED, BenefitClass.A, DRUG)


def test_class_b_is_in_policy_after_the_first_self_pay():
    # 10 % of 12.35 = 1.235, half up to the fen 1.24; 12.35 - 1.24 = 11.11
    assert parts(classify(shelf(item(first_self_pay="10 %")), price="12.35")) == ("0.00", "0.00", "1.24", "11.11")


def test_class_c_is_paid_by_the_person_alone():
    found = classify(shelf(item(benefit_class="C", first_self_pay="100 %")), price="8.00")

    assert parts(found) == ("8.00", "0.00", "0.00", "0.00")
    assert (found.outcome, found.unified) == (LineOutcome.NOT_PAYABLE, DRUG)


def test_a_price_exactly_at_the_limit_is_covered_and_a_millionth_above_it_is_not():
    catalog = shelf(item(first_self_pay="0 %", limits={"3": "10.00"}))

    assert classify(catalog, price="10.00", quantity="10000").outcome is LineOutcome.COVERED
    above = classify(catalog, price="10.000001", quantity="10000")
    # 10.000001 × 10000 = 100000.01; the limit gives 100000.00
    assert (above.outcome, parts(above)) == (LineOutcome.OVER_LIMIT, ("0.00", "0.01", "0.00", "100000.00"))


def test_the_first_self_pay_is_taken_of_what_the_limit_left():
    found = classify(shelf(item(first_self_pay="20 %", limits={"3": "8.00"})), price="10.00", quantity="3")

    # 30.00 in all; 24.00 within the limit; 20 % of 24.00 = 4.80; 19.20 remain
    assert parts(found) == ("0.00", "6.00", "4.80", "19.20")


@pytest.mark.parametrize(("level", "over"), [("1", "4.00"), ("2", "2.00"), ("3", "0.00")])
def test_each_hospital_level_has_a_limit_of_its_own_or_none(level, over):
    catalog = shelf(item(first_self_pay="0 %", limits={"1": "6.00", "2": "8.00"}))

    assert str(classify(catalog, price="10.00", level=level).over_limit) == over


def test_a_code_that_the_catalog_does_not_have_is_fully_self_paid_under_the_name_sent():
    found = classify(catalog_of(), price="5.00")

    assert (found.outcome, found.name, found.unified, found.benefit_class) == (
        LineOutcome.UNKNOWN_CODE,
        "as sent",
        None,
        None,
    )
    assert parts(found) == ("5.00", "0.00", "0.00", "0.00")


@pytest.mark.parametrize("mappings", [[], [mapped(unified=None, grade=Grade.NONE)]])
def test_an_entry_without_a_unified_code_is_fully_self_paid_and_says_so(mappings):
    found = classify(catalog_of([item()], mappings))

    assert (found.outcome, parts(found)[0], found.name) == (LineOutcome.UNMAPPED, "10.00", "amoxicillin")


@pytest.mark.parametrize("grade", [Grade.BROADER, Grade.PARTIAL])
def test_an_entry_mapped_too_broadly_is_fully_self_paid_but_keeps_its_unified_code(grade):
    found = classify(catalog_of([item()], [mapped(grade=grade)]))

    assert (found.outcome, found.unified, parts(found)[0]) == (LineOutcome.MAPPED_TOO_BROADLY, DRUG, "10.00")


def test_an_entry_mapped_to_something_narrower_is_paid():
    assert classify(catalog_of([item()], [mapped(grade=Grade.NARROWER)])).outcome is LineOutcome.COVERED


def test_the_class_of_the_day_of_the_fee_counts():
    old = item(first_self_pay="30 %", end="2026-07-01")
    new = item(first_self_pay="10 %", start="2026-07-01")
    catalog = shelf(old, new)

    assert str(classify(catalog, on=day("2026-06-30")).first_self_pay) == "3.00"
    assert str(classify(catalog, on=day("2026-07-01")).first_self_pay) == "1.00"


def test_a_return_divides_as_the_mirror_image_of_what_it_takes_back():
    catalog = shelf(item(first_self_pay="15 %", limits={"3": "9.99"}))

    given = classify(catalog, price="12.345", quantity="3")
    back = classify(catalog, price="12.345", quantity="-3")

    # 37.035 half up 37.04; within 29.97; 15 % = 4.4955, half up 4.50
    assert parts(given) == ("0.00", "7.07", "4.50", "25.47")
    assert parts(back) == ("0.00", "-7.07", "-4.50", "-25.47")
    assert back.amount == -given.amount


def test_a_line_whose_parts_do_not_add_up_cannot_be_built():
    found = classify(shelf(item()))

    with pytest.raises(Inconsistent) as broken:
        ClassifiedLine(**{**found._asdict(), "over_limit": yuan("0.01")})

    assert broken.value.code == "line_parts"


def test_a_class_a_entry_with_a_first_self_pay_is_refused():
    with pytest.raises(NotAllowed) as refused:
        item(benefit_class="A", first_self_pay="5 %")

    assert refused.value.code == "class_a_self_pay"


def test_a_negative_price_limit_is_refused_and_a_limit_of_zero_is_not():
    with pytest.raises(NotAllowed) as refused:
        item(limits={"3": "-0.01"})

    assert refused.value.code == "price_limit_negative"
    assert item(limits={"3": "0"}).limit_for(HospitalLevel.LEVEL_3) == 0


def test_every_outcome_has_words_in_chinese_and_english():
    assert set(OUTCOME_WORDS) == set(LineOutcome)
    assert all(chinese and english for chinese, english in OUTCOME_WORDS.values())


# --- payment standard, grace, ratio by insurance type ------------------------------------------------------------


def test_a_price_above_the_payment_standard_leaves_the_excess_to_the_person():
    found = classify(shelf(item(first_self_pay="10 %", payment_standard=Fraction(8))), price="10.00", quantity="3")

    # 30.00 in all; 24.00 at the standard; 10 % of it = 2.40; 21.60 remain
    assert (found.outcome, parts(found)) == (LineOutcome.OVER_STANDARD, ("0.00", "6.00", "2.40", "21.60"))


def test_a_price_below_the_payment_standard_is_shared_as_it_is():
    found = classify(shelf(item(first_self_pay="10 %", payment_standard=Fraction(8))), price="7.00")

    assert (found.outcome, parts(found)) == (LineOutcome.COVERED, ("0.00", "0.00", "0.70", "6.30"))


@pytest.mark.parametrize(
    ("limit", "standard", "over", "outcome"),
    [
        ("7.00", "8.00", "3.00", LineOutcome.OVER_LIMIT),
        ("8.00", "7.00", "3.00", LineOutcome.OVER_STANDARD),
        ("7.00", "7.00", "3.00", LineOutcome.OVER_LIMIT),
    ],
)
def test_of_limit_and_payment_standard_the_lower_cuts_and_names_the_outcome(limit, standard, over, outcome):
    catalog = shelf(item(limits={"3": limit}, payment_standard=Fraction(standard)))

    found = classify(catalog, price="10.00")

    assert (str(found.over_limit), found.outcome) == (over, outcome)


def test_an_entry_struck_off_is_paid_at_its_old_terms_until_its_grace_ends():
    catalog = shelf(item(first_self_pay="10 %", end="2026-01-31", grace_until="2026-07-01"))

    before, first, last, after = (
        classify(catalog, on=day(on)) for on in ("2026-01-30", "2026-01-31", "2026-06-30", "2026-07-01")
    )

    assert [one.outcome for one in (before, first, last)] == [
        LineOutcome.COVERED,
        LineOutcome.IN_GRACE,
        LineOutcome.IN_GRACE,
    ]
    assert parts(last) == ("0.00", "0.00", "1.00", "9.00")
    assert (after.outcome, parts(after)) == (LineOutcome.STRUCK_OFF, ("10.00", "0.00", "0.00", "0.00"))


def test_a_new_entry_ends_the_grace_of_the_old_one():
    old = item(first_self_pay="10 %", end="2026-02-01", grace_until="2026-08-01")
    new = item(first_self_pay="30 %", start="2026-05-01")

    found = classify(shelf(old, new), on=day("2026-05-01"))

    assert (found.outcome, str(found.first_self_pay)) == (LineOutcome.COVERED, "3.00")


@pytest.mark.parametrize(("insurance", "own"), [(InsuranceType.EMPLOYEE, "1.00"), (InsuranceType.RESIDENT, "2.00")])
def test_a_region_may_set_another_ratio_for_one_insurance_type(insurance, own):
    catalog = shelf(item(first_self_pay="10 %", first_self_pay_of={InsuranceType.RESIDENT: percent("20 %")}))

    found = classify_line(line(), catalog=catalog, treated=Treated(HospitalLevel.LEVEL_3, insurance_type=insurance))

    assert str(found.first_self_pay) == own


# --- restrictions ------------------------------------------------------------------------------------------------

CHILD = date(2016, 9, 2)
"""Nine years old on the day of admission, ten on the day after."""


def restricted(*lines_, rule, **treated):
    found = classify_lines(
        lines_ or (line(),),
        catalog=shelf(item(restriction=Restriction(**rule))),
        treated=Treated(HospitalLevel.LEVEL_2, **treated),
    )
    return [one.outcome for one in found]


@pytest.mark.parametrize(
    ("rule", "treated", "outcome"),
    [
        ({"sex": Sex.FEMALE}, {"sex": Sex.FEMALE}, LineOutcome.COVERED),
        ({"sex": Sex.FEMALE}, {"sex": Sex.MALE}, LineOutcome.WRONG_SEX),
        ({"sex": Sex.FEMALE}, {}, LineOutcome.WRONG_SEX),
        ({"age_to": 9}, {"birth_date": CHILD}, LineOutcome.COVERED),
        ({"age_from": 10}, {"birth_date": CHILD}, LineOutcome.WRONG_AGE),
        ({"age_from": 0}, {}, LineOutcome.WRONG_AGE),
        ({"diagnoses": ("C50", "C61")}, {"diagnoses": frozenset({"C61.x00"})}, LineOutcome.COVERED),
        ({"diagnoses": ("C50",)}, {"diagnoses": frozenset({"C61.x00"})}, LineOutcome.WRONG_DIAGNOSIS),
        ({"diagnoses": ("C50",)}, {}, LineOutcome.WRONG_DIAGNOSIS),
        ({"inpatient_only": True}, {"setting": CareSetting.INPATIENT}, LineOutcome.COVERED),
        ({"inpatient_only": True}, {"setting": CareSetting.OUTPATIENT}, LineOutcome.INPATIENT_ONLY),
        ({"levels": frozenset({HospitalLevel.LEVEL_2})}, {}, LineOutcome.COVERED),
        ({"levels": frozenset({HospitalLevel.LEVEL_3})}, {}, LineOutcome.WRONG_LEVEL),
    ],
)
def test_an_entry_is_paid_only_for_whom_and_where_its_restriction_says(rule, treated, outcome):
    assert restricted(rule=rule, **treated) == [outcome]


def test_the_birthday_itself_counts_for_the_new_age():
    before, on = (restricted(line(on=day(date_)), rule={"age_from": 10}, birth_date=CHILD) for date_ in _AROUND_TEN)

    assert (before, on) == ([LineOutcome.WRONG_AGE], [LineOutcome.COVERED])


_AROUND_TEN = ("2026-09-01", "2026-09-02")


def test_a_course_is_counted_in_days_with_the_code_whatever_the_order_of_the_lines():
    days = ("2026-09-05", "2026-09-01", "2026-09-03", "2026-09-03")
    lines_ = [line(number, on=day(on)) for number, on in enumerate(days, start=1)]

    # Days with the code: 1, 3 and 5 September. Two are paid, so the line of the 5th is not.
    assert restricted(*lines_, rule={"most_days": 2}) == [
        LineOutcome.COURSE_USED_UP,
        LineOutcome.COVERED,
        LineOutcome.COVERED,
        LineOutcome.COVERED,
    ]


def test_a_return_undoes_a_line_beyond_its_course_as_it_was_divided():
    given = [line(1, on=day("2026-09-01")), line(2, on=day("2026-09-02"))]
    back = line(3, on=day("2026-09-03"), quantity="-1", returns=2)

    found = restricted(*given, back, rule={"most_days": 1})

    assert found == [LineOutcome.COVERED, LineOutcome.COURSE_USED_UP, LineOutcome.COURSE_USED_UP]


def test_a_restriction_with_its_ages_turned_round_is_refused():
    with pytest.raises(NotAllowed) as refused:
        Restriction(age_from=10, age_to=9)

    assert refused.value.code == "restriction_ages"


def test_a_course_of_no_day_is_refused():
    with pytest.raises(NotAllowed) as refused:
        Restriction(most_days=0)

    assert refused.value.code == "restriction_days"


# --- conditional mappings -----------------------------------------------------------------------------------------


def test_of_several_mappings_the_one_whose_condition_holds_is_paid_by():
    for_women = mapped(condition=Condition(sex=Sex.FEMALE))
    otherwise = mapped(grade=Grade.BROADER)
    catalog = catalog_of([item()], [otherwise, for_women])

    woman, man = (
        classify_line(line(), catalog=catalog, treated=Treated(HospitalLevel.LEVEL_3, sex=sex))
        for sex in (Sex.FEMALE, Sex.MALE)
    )

    assert (woman.outcome, man.outcome) == (LineOutcome.COVERED, LineOutcome.MAPPED_TOO_BROADLY)


def test_a_line_that_fulfils_no_condition_is_unmapped():
    catalog = catalog_of([item()], [mapped(condition=Condition(age_from=60))])

    assert classify(catalog).outcome is LineOutcome.UNMAPPED


def test_the_same_code_of_two_kinds_is_told_apart():
    catalog = shelf(item())
    drug, service = line(1), line(2, kind=CatalogKind.SERVICE)

    found = classify_lines((drug, service, drug), catalog=catalog, treated=Treated(HospitalLevel.LEVEL_3))

    assert [one.outcome for one in found] == [LineOutcome.COVERED, LineOutcome.UNKNOWN_CODE, LineOutcome.COVERED]


def test_one_catalog_answers_for_each_level_by_its_own_limit():
    catalog = shelf(item(first_self_pay="0 %", limits={"1": "6.00"}))

    first, third, again = (str(classify(catalog, level=level).over_limit) for level in ("1", "3", "1"))

    assert (first, third, again) == ("4.00", "0.00", "4.00")


def test_a_line_built_from_its_parts_is_the_line_that_was_divided():
    found = classify(shelf(item()))

    assert ClassifiedLine(**found._asdict()) == found
