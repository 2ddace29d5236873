"""Yearly money between scheme, insurer and hospitals; the printed figures stand as cases in tests/spec/financing."""

from fractions import Fraction

import pytest

from hub.core.errors import NotAllowed
from hub.core.financing import (
    per_head,
    quota_left,
    quotas,
    second_compensation_opens,
    split_loss,
    split_surplus,
    trigger_of,
    unclaimed,
)
from hub.core.money import ZERO, Rate, percent, yuan

TWENTY = percent("20 %")


def test_the_insurers_fee_is_rounded_half_up_to_the_fen():
    split = split_surplus(yuan("9.00"), financing=yuan("0.10"), fee=percent("5 %"))

    assert (split.insurer, split.fund) == (yuan("0.01"), yuan("8.99"))


def test_the_parts_of_a_loss_add_up_to_the_loss():
    split = split_loss(yuan("0.05"), caused_by_policy=True, fund_bears=percent("50 %"))

    assert (split.fund, split.insurer) == (yuan("0.03"), yuan("0.02"))


@pytest.mark.parametrize(("surplus", "opens"), [("0.20", False), ("0.21", True), ("-5.00", False)])
def test_the_second_compensation_opens_above_a_fifth_and_not_at_it(surplus, opens):
    assert second_compensation_opens(yuan(surplus), financing=yuan("1.00"), above=TWENTY) is opens


def test_a_rate_without_a_short_decimal_is_compared_exactly():
    third = Rate(Fraction(1, 3))

    assert not second_compensation_opens(yuan("1.00"), financing=yuan("3.00"), above=third)


def test_quotas_add_up_to_the_budget_and_the_first_named_gets_the_fen_left_over():
    costs = {"a": yuan("1.00"), "b": yuan("1.00"), "c": yuan("1.00")}

    assert quotas(yuan("1.00"), costs=costs) == {"a": yuan("0.34"), "b": yuan("0.33"), "c": yuan("0.33")}


def test_a_hospital_without_costs_gets_no_quota():
    assert quotas(yuan("1.00"), costs={"a": ZERO, "b": yuan("2.00")}) == {"a": ZERO, "b": yuan("1.00")}


def test_quotas_without_any_costs_are_refused():
    with pytest.raises(NotAllowed, match="quota_without_costs"):
        quotas(yuan("1.00"), costs={"a": ZERO})


def test_what_a_hospital_overspends_stands_below_zero():
    assert quota_left(yuan("10.00"), spent=yuan("12.50")) == yuan("-2.50")


def test_an_amount_per_head_needs_a_head():
    with pytest.raises(NotAllowed, match="nobody"):
        per_head(yuan("1.00"), heads=0)


def test_only_persons_to_whom_something_is_left_are_offered_payment():
    due = {"a": yuan("5.00"), "b": yuan("5.00"), "c": yuan("5.00")}

    assert unclaimed(due, paid={"a": yuan("2.00"), "b": yuan("5.00")}) == {"a": yuan("3.00"), "c": yuan("5.00")}


@pytest.mark.parametrize(
    "asked",
    [
        lambda wrong: split_surplus(wrong, financing=ZERO, fee=TWENTY),
        lambda wrong: split_loss(wrong, caused_by_policy=False, fund_bears=TWENTY),
        lambda wrong: second_compensation_opens(ZERO, financing=wrong, above=TWENTY),
        lambda wrong: quotas(ZERO, costs={"a": wrong}),
        lambda wrong: trigger_of(wrong, before=ZERO, deductible=ZERO),
    ],
)
def test_a_negative_amount_is_refused(asked):
    with pytest.raises(NotAllowed, match="amount_negative"):
        asked(yuan("-0.01"))
