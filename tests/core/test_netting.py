"""The gross matrix and its two nets: the worked example of the trade, to the fen, and what surrounds it."""

import pytest

from hub.core.codes import Fund, InsuranceType, Region
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, total, yuan
from hub.core.netting import GrossCell, NetMethod, Transfer, bilateral, multilateral, pairs_of, positions

A, B, C = Region("110000"), Region("220000"), Region("330000")
RESIDENT, EMPLOYEE = InsuranceType.RESIDENT, InsuranceType.EMPLOYEE


def owes(payer, amount, to, *, fund=Fund.RESIDENT_BASIC, insurance=RESIDENT):
    return GrossCell(payer, to, insurance, fund, yuan(amount), 1)


def moves(transfers):
    return [(found.payer, str(found.amount), found.payee) for found in transfers]


def net(cells):
    return {found.region: str(found.amount) for found in positions(cells)}


EXAMPLE = [
    owes(A, "900.00", to=B),
    owes(B, "400.00", to=A),
    owes(A, "100.00", to=C),
    owes(C, "300.00", to=A),
    owes(B, "250.00", to=C),
    owes(C, "50.00", to=B),
]
"""Domain-process 9.4: who owes whom, in one insurance type; gross 2,000, by pairs 900, with all 300."""


def test_the_worked_example_in_gross():
    gross = pairs_of(EXAMPLE)

    payable = {payer: total(amount for (_, one, _), amount in gross.items() if one == payer) for payer in (A, B, C)}
    assert payable == {A: yuan("1000.00"), B: yuan("650.00"), C: yuan("350.00")}
    assert total(gross.values()) == yuan("2000.00")


def test_the_worked_example_net_by_pairs():
    assert moves(bilateral(EXAMPLE)) == [(A, "500.00", B), (C, "200.00", A), (B, "200.00", C)]
    assert total(found.amount for found in bilateral(EXAMPLE)) == yuan("900.00")


def test_the_worked_example_net_with_all():
    assert net(EXAMPLE) == {A: "-300.00", B: "300.00", C: "0.00"}
    assert moves(multilateral(EXAMPLE)) == [(A, "300.00", B)]


def test_the_worked_example_holds_with_a_fen_more():
    a_fen_more = [*EXAMPLE, owes(C, "0.01", to=B)]

    assert net(a_fen_more) == {A: "-300.00", B: "300.01", C: "-0.01"}
    assert moves(multilateral(a_fen_more)) == [(A, "300.00", B), (C, "0.01", B)]


def test_nothing_owed_is_nothing_moved():
    assert pairs_of([]) == {}
    assert (positions([]), bilateral([]), multilateral([])) == ((), (), ())


def test_a_pair_that_is_even_pays_nothing():
    even = [owes(A, "75.00", to=B), owes(B, "75.00", to=A)]

    assert (moves(bilateral(even)), moves(multilateral(even))) == ([], [])
    assert net(even) == {A: "0.00", B: "0.00"}


def test_more_cancels_than_settlements_turn_a_debt_around():
    assert moves(bilateral([owes(A, "-25.00", to=B)])) == [(B, "25.00", A)]
    assert net([owes(A, "-25.00", to=B)]) == {A: "25.00", B: "-25.00"}


def test_employees_and_residents_are_never_set_off_against_each_other():
    cells = [owes(A, "75.00", to=B), owes(B, "75.00", to=A, insurance=EMPLOYEE, fund=Fund.EMPLOYEE_BASIC)]

    assert [(found.insurance_type, found.payer) for found in bilateral(cells)] == [(EMPLOYEE, B), (RESIDENT, A)]
    assert [(found.insurance_type, found.payer) for found in multilateral(cells)] == [(EMPLOYEE, B), (RESIDENT, A)]


def test_the_funds_of_one_insurance_type_are_added_up():
    cells = [owes(A, "75.00", to=B), owes(A, "5.00", to=B, fund=Fund.RESIDENT_CATASTROPHIC)]

    assert pairs_of(cells) == {(RESIDENT, A, B): yuan("80.00")}


def test_the_largest_payer_pays_the_largest_receiver_and_area_codes_break_ties():
    cells = [owes(B, "50.00", to=C), owes(A, "50.00", to=C), owes(C, "20.00", to=B)]

    # A -50, B -30, C +80
    assert moves(multilateral(cells)) == [(A, "50.00", C), (B, "30.00", C)]
    tied = [owes(B, "50.00", to=C), owes(A, "50.00", to=C)]
    assert moves(multilateral(tied)) == [(A, "50.00", C), (B, "50.00", C)]


def test_the_nets_do_not_depend_on_the_order_of_the_cells():
    backwards = EXAMPLE[::-1]

    assert bilateral(backwards) == bilateral(EXAMPLE)
    assert multilateral(backwards) == multilateral(EXAMPLE)
    assert positions(backwards) == positions(EXAMPLE)


def test_cells_have_one_order():
    assert owes(A, "1.00", to=B).key == ("390", "110000", "220000", "390100")


@pytest.mark.parametrize(("payee", "amount"), [(A, "1.00"), (B, "0.00"), (B, "-1.00")])
def test_a_transfer_moves_a_positive_amount_between_two_regions(payee, amount):
    with pytest.raises(Inconsistent) as broken:
        Transfer(NetMethod.BILATERAL, RESIDENT, A, payee, yuan(amount))

    assert broken.value.code == "transfer"


def test_a_region_that_owes_itself_moves_nothing():
    assert (bilateral([owes(A, "5.00", to=A)]), net([owes(A, "5.00", to=A)])) == ((), {A: str(ZERO)})
