"""No fen is lost: rounding, reading and the four parts of a line."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.bill import add_up, classify
from hub.core.catalog import HospitalLevel
from hub.core.classification import Treated, classify_line
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
from tests.core.builders import bill, item, line, shelf

TREATED = Treated(HospitalLevel.LEVEL_3)
few = settings(max_examples=80, deadline=None)
amounts = st.integers(-LARGEST_FEN, LARGEST_FEN).map(Money)
prices = st.integers(0, 10**9).map(lambda millionths: Fraction(millionths, 10**6))
quantities = st.integers(1, 10**7).map(lambda parts: Fraction(parts, 10**4))
rates = st.integers(0, 10**4).map(lambda parts: Rate(Fraction(parts, 10**4)))


def priced(first_self_pay, limit):
    """A catalog whose only entry has this first self-pay and, unless None, this limit."""
    limits = {} if limit is None else {"3": limit}
    benefit_class = "C" if first_self_pay.value == 1 else "B"
    return shelf(item(benefit_class=benefit_class, first_self_pay=str(first_self_pay), limits=limits))


def divided(catalog, price, quantity):
    sent = line(price=price, quantity=quantity)
    return classify_line(sent, catalog=catalog, treated=TREATED)


@few
@given(amounts)
def test_an_amount_survives_the_way_to_text_and_back(amount):
    assert yuan(str(amount)) == amount


@few
@given(rates)
def test_a_rate_survives_the_way_to_text_and_back(rate):
    assert percent(str(rate)) == rate


@few
@given(st.integers(-(10**15), 10**15).map(lambda millionths: Fraction(millionths, 10**6)))
def test_a_rounding_is_off_by_half_a_fen_at_most_and_mirrors(exact):
    rounded = round_half_up(exact)

    assert abs(rounded.fen - exact) <= Fraction(1, 2)
    assert round_half_up(-exact) == -rounded


@few
@given(amounts, rates)
def test_a_share_and_its_remainder_are_the_whole_and_lie_within_it(amount, rate):
    share = share_of(amount, rate)

    assert min(ZERO, amount) <= share <= max(ZERO, amount)
    assert share_of(-amount, rate) == -share


@few
@given(st.integers(-(10**15), 10**15))
def test_a_price_in_millionths_is_read_exactly(millionths):
    number = Fraction(millionths, 10**6)
    sign, whole, rest = "-" if millionths < 0 else "", *divmod(abs(millionths), 10**6)

    assert exact_decimal(f"{sign}{whole}.{rest:06d}", places=6) == number


@few
@given(prices, quantities, rates, st.none() | prices)
def test_the_parts_of_a_line_are_never_negative_and_lose_no_fen(price, quantity, rate, limit):
    found = divided(priced(rate, limit), price, quantity)
    parts = (found.full_self_pay, found.over_limit, found.first_self_pay, found.in_policy)

    assert total(parts) == found.amount == line_amount(unit_price=price, quantity=quantity)
    assert all(part >= ZERO for part in parts)


@few
@given(prices, quantities, rates, st.none() | prices)
def test_a_return_is_the_mirror_image_of_its_line(price, quantity, rate, limit):
    catalog = priced(rate, limit)
    given_out, taken_back = divided(catalog, price, quantity), divided(catalog, price, -quantity)

    assert taken_back.outcome is given_out.outcome
    assert taken_back.amount == -given_out.amount
    assert taken_back.over_limit == -given_out.over_limit
    assert taken_back.first_self_pay == -given_out.first_self_pay
    assert taken_back.in_policy == -given_out.in_policy


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(prices, quantities), min_size=1, max_size=8), rates, prices)
def test_a_bill_all_of_which_is_returned_leaves_nothing(rows, rate, limit):
    lines = []
    for number, (price, quantity) in enumerate(rows, start=1):
        lines.append(line(number, price=price, quantity=quantity))
        lines.append(line(1000 + number, price=price, quantity=-quantity, returns=number))

    found = add_up(classify(bill(*lines), catalog=priced(rate, limit), treated=TREATED))

    assert found == add_up([])
