"""Money, rates and every named rounding; each figure worked out by hand."""

from fractions import Fraction

import pytest

from hub.core.errors import Inconsistent, NotAllowed
from hub.core.money import (
    LARGEST_FEN,
    ZERO,
    Money,
    Rate,
    exact_decimal,
    line_amount,
    percent,
    round_half_up,
    share_of,
    total,
    yuan,
)


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [
        ("0.00", 0),
        ("0.01", 1),
        ("1234.50", 123450),
        ("-12.30", -1230),
        ("9999999999999.99", 999999999999999),
        ("-0.05", -5),
    ],
)
def test_an_amount_reads_and_writes_as_yuan_with_two_decimals(text, amount_fen):
    assert yuan(text) == Money(amount_fen)
    assert str(Money(amount_fen)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.5",
        "1.555",
        "01.00",
        "1e3",
        "1,000.00",
        "+1.00",
        " 1.00",
        "1.00\n",
        "１.００",
        "٣.٠٠",
        "10000000000000.00",
    ],
)
def test_an_amount_in_any_other_form_is_refused(text):
    with pytest.raises(NotAllowed) as refused:
        yuan(text)

    assert refused.value.code == "money_malformed"


@pytest.mark.parametrize("value", [1.0, "1", True, Fraction(1), None])
def test_money_is_never_built_from_anything_but_a_whole_number(value):
    with pytest.raises(Inconsistent) as broken:
        Money(value)

    assert broken.value.code == "money_not_whole"


def test_money_wider_than_the_wire_carries_is_refused():
    assert Money(LARGEST_FEN).fen == 999_999_999_999_999
    for too_large in (LARGEST_FEN + 1, -LARGEST_FEN - 1):
        with pytest.raises(Inconsistent) as broken:
            Money(too_large)
        assert broken.value.code == "money_too_large"


def test_money_adds_subtracts_and_compares_in_fen():
    assert Money(70) + Money(45) == Money(115)
    assert Money(70) - Money(115) == Money(-45)
    assert -Money(5) == Money(-5)
    assert abs(Money(-5)) == Money(5)
    assert Money(1) < Money(2) <= Money(2)
    assert not ZERO
    assert Money(-1)


def test_the_sum_of_no_amounts_is_zero():
    assert total([]) == ZERO
    assert total([Money(1), Money(-3), Money(2)]) == ZERO


@pytest.mark.parametrize(
    ("numerator", "rounded"), [(149, 1), (150, 2), (151, 2), (50, 1), (49, 0), (-149, -1), (-150, -2), (-50, -1)]
)
def test_half_a_fen_rounds_away_from_zero(numerator, rounded):
    assert round_half_up(Fraction(numerator, 100)) == Money(rounded)


def test_a_share_is_rounded_once_half_up_to_the_fen():
    # 60 % of 1234.56 = 740.736; 62.5 % of 0.04 = 0.025
    assert share_of(yuan("1234.56"), percent("60 %")) == yuan("740.74")
    assert share_of(yuan("0.04"), percent("62.5 %")) == yuan("0.03")


def test_price_times_quantity_becomes_money_in_one_rounding():
    # 0.123456 × 2.5 = 0.30864 yuan; 0.335 × 3 = 1.005 yuan, half up
    assert line_amount(unit_price=Fraction("0.123456"), quantity=Fraction("2.5")) == yuan("0.31")
    assert line_amount(unit_price=Fraction("0.335"), quantity=Fraction(3)) == yuan("1.01")
    assert line_amount(unit_price=Fraction("0.335"), quantity=Fraction(-3)) == yuan("-1.01")


@pytest.mark.parametrize(("text", "places"), [("12.5", 4), ("0.123456", 6), ("-3", 4), ("9999999999", 4), ("0", 0)])
def test_prices_and_quantities_are_read_exactly(text, places):
    assert exact_decimal(text, places=places) == Fraction(text)


@pytest.mark.parametrize(
    ("text", "places"),
    [("0.12345", 4), ("0.1234567", 7), ("1e2", 4), (".5", 4), ("1.", 4), ("１", 4), ("10000000000", 4), ("1_0", 4)],
)
def test_a_decimal_of_another_shape_or_too_many_places_is_refused(text, places):
    with pytest.raises(NotAllowed) as refused:
        exact_decimal(text, places=places)

    assert refused.value.code == "decimal_malformed"


@pytest.mark.parametrize(("text", "value"), [("65 %", "13/20"), ("62.5 %", "5/8"), ("0 %", "0"), ("100 %", "1")])
def test_a_rate_reads_and_writes_as_per_cent(text, value):
    assert percent(text) == Rate(Fraction(value))
    assert str(Rate(Fraction(value))) == text


def test_a_rate_without_a_short_decimal_is_shown_as_a_fraction_of_per_cent():
    assert str(Rate(Fraction(1, 3))) == "100/3 %"


@pytest.mark.parametrize("text", ["65", "65%", "0.65", "-5 %", "65  %", "65 % ", "sixty %", "６５ %", "1/2 %"])
def test_a_rate_in_any_other_form_is_refused(text):
    with pytest.raises(NotAllowed) as refused:
        percent(text)

    assert refused.value.code == "rate_malformed"


def test_a_rate_above_all_is_refused():
    with pytest.raises(NotAllowed) as refused:
        percent("100.01 %")
    with pytest.raises(Inconsistent) as broken:
        Rate(Fraction(-1, 100))

    assert refused.value.code == "rate_above_one"
    assert broken.value.code == "rate_out_of_range"


def test_rates_compare_by_what_they_pay():
    assert percent("60 %") < percent("65 %")
    assert max(percent("60 %"), percent("65 %")) == percent("65 %")
