"""How one fee line divides under the care region's catalog; each part worked out by hand."""

import dataclasses

import pytest

from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import OUTCOME_WORDS, LineOutcome, Treated, classify_line
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Grade
from hub.core.money import yuan
from tests.core.builders import ADMITTED, CODE, DRUG, catalog_of, day, item, line, mapped, shelf


def classify(catalog, *, price="10.00", quantity="1", on=ADMITTED, level="3", code=CODE):
    sent = dataclasses.replace(line(7, price=price, quantity=quantity, on=on, code=code), name="as sent")
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
        dataclasses.replace(found, over_limit=yuan("0.01"))

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
