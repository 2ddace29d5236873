"""The checks of a bill as sent: every refusal with its field and its code, returns, and the two clocks of admission."""

import dataclasses
from fractions import Fraction

import pytest

from hub.core.bill import (
    MOST_LINES,
    PUBLIC_STATES,
    AdmissionKind,
    BillState,
    ClassifiedAmounts,
    add_up,
    check_bill,
    classify,
    is_recorded_late,
    length_of_stay,
)
from hub.core.catalog import HospitalLevel
from hub.core.classification import Treated
from hub.core.codes import CatalogKind
from hub.core.errors import Fault, Inconsistent, NotAllowed
from hub.core.money import ZERO, Money, yuan
from tests.core.builders import DISCHARGED, bill, day, item, line, shelf

LEVEL = HospitalLevel.LEVEL_3


def faults(sent, *, as_of=DISCHARGED):
    """Where and why a bill is refused."""
    with pytest.raises(NotAllowed) as refused:
        check_bill(sent, as_of=as_of)
    assert refused.value.code == "bill_faulty"
    return [(fault.where, fault.code) for fault in refused.value.faults]


def parts(sent, *items):
    """Over the limit, first self-pay, in policy of a whole bill."""
    found = add_up(classify(sent, catalog=shelf(*items), treated=Treated(LEVEL)))
    return str(found.over_limit), str(found.first_self_pay), str(found.in_policy)


# --- the whole bill ----------------------------------------------------------------------------------------------


def test_a_bill_with_nothing_wrong_passes():
    assert check_bill(bill(line(1), line(2, price="0.335", quantity="3")), as_of=DISCHARGED) is None


def test_a_bill_whose_total_differs_by_a_fen_is_refused():
    assert faults(bill(line(price="10.00"), head="10.01")) == [("total", "total_differs")]


def test_a_discharge_before_the_admission_is_refused():
    sent = bill(line(on=day("2026-09-01")), admitted=day("2026-09-02"), discharged=day("2026-09-01"))

    assert ("discharged_on", "discharge_before_admission") in faults(sent)


def test_a_discharge_tomorrow_is_refused_and_one_today_is_not():
    assert faults(bill(), as_of=day("2026-09-09")) == [("discharged_on", "discharge_in_future")]
    assert check_bill(bill(), as_of=day("2026-09-10")) is None


def test_a_bill_has_at_least_one_line():
    assert faults(dataclasses.replace(bill(), lines=(), total=ZERO)) == [("lines", "lines_count")]


def test_a_bill_has_at_most_five_thousand_lines():
    many = [line(number) for number in range(1, MOST_LINES + 2)]

    assert check_bill(bill(*many[:MOST_LINES]), as_of=DISCHARGED) is None
    assert faults(bill(*many)) == [("lines", "lines_count")]


def test_a_bill_of_zero_is_a_bill():
    assert check_bill(bill(line(price="0.00")), as_of=DISCHARGED) is None


def test_every_fault_of_a_bill_is_named_at_once_with_its_row():
    sent = bill(line(1, amount="9.99"), line(1, kind=CatalogKind.DIAGNOSIS), head="20.00")

    assert faults(sent) == [
        ("lines[0].amount", "amount_differs"),
        ("lines[1].kind", "kind_not_billable"),
        ("lines[1].line_no", "line_no_twice"),
        ("total", "total_differs"),
    ]


def test_a_fault_says_how_to_mend_it():
    with pytest.raises(NotAllowed) as refused:
        check_bill(bill(line(amount="9.99"), head="9.99"), as_of=DISCHARGED)

    message = "price times quantity is 10.00, the line says 9.99"
    assert refused.value.faults == (Fault("lines[0].amount", "amount_differs", message),)


# --- one line ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CatalogKind.DIAGNOSIS, CatalogKind.PROCEDURE, CatalogKind.AREA])
def test_only_drugs_herbals_and_services_are_billed(kind):
    assert faults(bill(line(kind=kind))) == [("lines[0].kind", "kind_not_billable")]


@pytest.mark.parametrize("number", [0, -1, 10**15])
def test_a_line_number_has_one_to_fifteen_digits(number):
    assert faults(bill(line(number))) == [("lines[0].line_no", "line_no_range")]


def test_the_largest_line_number_is_accepted():
    assert check_bill(bill(line(10**15 - 1)), as_of=DISCHARGED) is None


@pytest.mark.parametrize("code", ["", "x" * 65, "a\u200b"])
def test_a_code_that_no_catalog_could_hold_is_refused_with_its_row(code):
    assert faults(bill(line(1), line(2, code=code))) == [("lines[1].code", "code_malformed")]


def test_a_negative_price_is_refused():
    assert faults(bill(line(1, price="20.00"), line(2, price="-10.00"))) == [("lines[1].unit_price", "price_negative")]


def test_a_quantity_of_zero_is_refused():
    assert faults(bill(line(1), line(2, quantity="0"))) == [("lines[1].quantity", "quantity_zero")]


def test_an_amount_is_price_times_quantity_rounded_half_up_once():
    assert check_bill(bill(line(price="0.335", quantity="3", amount="1.01")), as_of=DISCHARGED) is None
    assert faults(bill(line(price="0.335", quantity="3", amount="1.00"))) == [("lines[0].amount", "amount_differs")]


def test_a_price_times_quantity_wider_than_the_wire_is_the_senders_fault_and_not_ours():
    sent = bill(line(price="9999999999", quantity="9999999999", amount="1.00"), head="1.00")

    assert faults(sent) == [("lines[0].amount", "amount_too_large")]


def test_lines_that_add_up_to_more_than_the_wire_carries_are_the_senders_fault_and_not_ours():
    half = {"price": "999999999", "quantity": "9999"}
    lines = tuple(line(number, **half) for number in (1, 2))

    assert faults(dataclasses.replace(bill(), lines=lines, total=yuan("1.00"))) == [("total", "total_too_large")]


@pytest.mark.parametrize(
    ("on", "found"),
    [
        ("2026-08-31", [("lines[0].fee_date", "fee_date_outside_stay")]),
        ("2026-09-01", None),
        ("2026-09-10", None),
        ("2026-09-11", [("lines[0].fee_date", "fee_date_outside_stay")]),
    ],
)
def test_a_fee_lies_between_admission_and_discharge_both_included(on, found):
    sent = bill(line(on=day(on)))

    assert (check_bill(sent, as_of=DISCHARGED) if found is None else faults(sent)) == found


# --- returns -----------------------------------------------------------------------------------------------------


def test_a_return_of_a_part_names_its_line_and_passes():
    assert check_bill(bill(line(1, quantity="3"), line(2, quantity="-2", returns=1)), as_of=DISCHARGED) is None


def test_a_return_may_stand_before_the_line_that_it_takes_back():
    assert check_bill(bill(line(2, quantity="-1", returns=1), line(1)), as_of=DISCHARGED) is None


def test_a_negative_quantity_without_its_line_and_a_line_without_negative_quantity_are_refused():
    sent = bill(line(1, quantity="3"), line(2, quantity="-1"), line(3, returns=1))

    assert faults(sent) == [("lines[1].returns", "return_unnamed"), ("lines[2].returns", "return_unnamed")]


@pytest.mark.parametrize("named", [9, 2])
def test_a_return_of_a_line_that_is_not_there_or_is_a_return_itself_is_refused(named):
    sent = bill(line(1, quantity="3"), line(2, quantity="-1", returns=1), line(3, quantity="-1", returns=named))

    assert faults(sent) == [("lines[2].returns", "return_of_nothing")]


@pytest.mark.parametrize("other", [{"price": "9.00"}, {"code": "002"}, {"kind": CatalogKind.SERVICE}])
def test_a_return_has_the_code_and_price_of_its_line(other):
    assert faults(bill(line(1, quantity="3"), line(2, quantity="-1", returns=1, **other))) == [
        ("lines[1].returns", "return_differs")
    ]


def test_returns_together_stay_within_the_line_that_they_take_back():
    given = line(1, quantity="3")
    half = [line(number, quantity="-1.5", returns=1) for number in (2, 3)]
    more = line(4, quantity="-0.0001", returns=1)

    assert check_bill(bill(line(9), given, *half), as_of=DISCHARGED) is None
    assert faults(bill(line(9), given, *half, more)) == [("lines[4].returns", "return_above_original")]


def test_a_bill_whose_total_is_negative_is_refused():
    # 3 × 0.335 = 1.005, half up 1.01; three single returns of 0.335, half up, take 0.34 each: 1.02
    singles = [line(number, price="0.335", quantity="-1", returns=1) for number in (2, 3, 4)]

    assert faults(bill(line(1, price="0.335", quantity="3"), *singles)) == [("total", "total_negative")]


def test_a_full_return_leaves_nothing_of_any_part():
    catalog = item(first_self_pay="15 %", limits={"3": "9.99"})
    sent = bill(line(1, price="12.345", quantity="3"), line(2, price="12.345", quantity="-3", returns=1))

    assert parts(sent, catalog) == ("0.00", "0.00", "0.00")


def test_a_return_divides_at_the_date_of_the_line_that_it_takes_back():
    old, new = item(first_self_pay="30 %", end="2026-09-05"), item(first_self_pay="10 %", start="2026-09-05")
    sent = bill(line(1, on=day("2026-09-04")), line(2, quantity="-1", returns=1, on=day("2026-09-06")))

    assert parts(sent, old, new) == ("0.00", "0.00", "0.00")


def test_single_returns_whose_roundings_take_back_more_of_a_part_than_the_line_gave_are_refused():
    # First self-pay 10 %: of 0.15 it is 0.015, half up 0.02; of each 0.05 it is 0.005, half up 0.01: 0.03 back.
    singles = [line(number, price="0.05", quantity="-1", returns=1) for number in (2, 3, 4)]

    with pytest.raises(NotAllowed) as refused:
        parts(bill(line(1, price="0.05", quantity="3"), *singles), item(first_self_pay="10 %"))

    assert refused.value.code == "bill_part_negative"


# --- sums, states and clocks -------------------------------------------------------------------------------------


def test_the_parts_of_the_lines_add_up_to_the_parts_of_the_bill():
    catalog = item(first_self_pay="10 %", limits={"3": "9.00"})

    # 10.00: 1.00 above the limit, 0.90 first, 8.10 left; 20.00: 2.00, 1.80, 16.20
    assert parts(bill(line(1), line(2, quantity="2")), catalog) == ("3.00", "2.70", "24.30")


def test_amounts_whose_parts_do_not_add_up_cannot_be_built():
    with pytest.raises(Inconsistent) as broken:
        ClassifiedAmounts(Money(101), Money(25), Money(25), Money(25), Money(25))

    assert broken.value.code == "bill_parts"


def test_others_see_three_states_of_a_bill():
    assert set(PUBLIC_STATES) == set(BillState)
    assert set(PUBLIC_STATES.values()) == {"in_progress", "settled", "cancelled"}


@pytest.mark.parametrize(("kind", "hours"), [("ordinary", 24), ("transfer", 24), ("emergency", 72)])
def test_an_admission_is_in_time_up_to_and_including_its_last_hour(kind, hours):
    microsecond = Fraction(1, 3_600_000_000)

    assert not is_recorded_late(kind=AdmissionKind(kind), hours_elapsed=Fraction(hours))
    assert is_recorded_late(kind=AdmissionKind(kind), hours_elapsed=hours + microsecond)


@pytest.mark.parametrize(
    ("admitted", "discharged", "days"),
    [
        ("2026-09-01", "2026-09-01", 1),
        ("2026-09-01", "2026-09-02", 1),
        ("2026-12-30", "2027-01-02", 3),
        ("2028-02-28", "2028-03-01", 2),
    ],
)
def test_a_stay_is_counted_in_days_and_is_at_least_one(admitted, discharged, days):
    assert length_of_stay(admitted_on=day(admitted), discharged_on=day(discharged)) == days
