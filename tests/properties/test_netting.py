"""A thousand random months: nets add up to zero, keep what each region is owed, and need few payments."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.codes import Fund, InsuranceType, Region
from hub.core.money import LARGEST_FEN, ZERO, Money, total
from hub.core.netting import GrossCell, bilateral, multilateral, pairs_of, positions

REGIONS = [Region(f"{number}0100") for number in range(11, 21)]
FUNDS = [
    (InsuranceType.RESIDENT, Fund.RESIDENT_BASIC),
    (InsuranceType.RESIDENT, Fund.RESIDENT_CATASTROPHIC),
    (InsuranceType.EMPLOYEE, Fund.EMPLOYEE_BASIC),
]
keys = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2)).filter(lambda key: key[0] != key[1])
fen = st.one_of(st.integers(-500, 500), st.integers(-(LARGEST_FEN // 1000), LARGEST_FEN // 1000))
matrices = st.dictionaries(keys, fen, max_size=20).map(
    lambda found: [
        GrossCell(REGIONS[payer], REGIONS[payee], *FUNDS[fund], Money(amount), 1)
        for (payer, payee, fund), amount in found.items()
    ]
)
some = settings(max_examples=40, deadline=None)


def net_of(cells):
    """Each region's gross receivable less its gross payable, added up the plain way."""
    found = {}
    for cell in cells:
        for region, amount in ((cell.insuring_region, -cell.amount.fen), (cell.care_region, cell.amount.fen)):
            found[cell.insurance_type, region] = found.get((cell.insurance_type, region), 0) + amount
    return {key: amount for key, amount in found.items() if amount}


def moved(transfers):
    """What each region receives less what it pays."""
    found = {}
    for one in transfers:
        for region, amount in ((one.payer, -one.amount.fen), (one.payee, one.amount.fen)):
            found[one.insurance_type, region] = found.get((one.insurance_type, region), 0) + amount
    return {key: amount for key, amount in found.items() if amount}


def played_month(seed):
    """A month of up to forty cells between ten regions; the same seed plays the same month."""
    dice = random.Random(seed)
    largest = 10 ** dice.randint(2, 12)
    found = {}
    for _ in range(dice.randint(0, 40)):
        payer, payee = dice.sample(REGIONS, 2)
        found[payer, payee, dice.choice(FUNDS)] = dice.randint(-largest // 10, largest)
    return [GrossCell(payer, payee, *fund, Money(amount), 1) for (payer, payee, fund), amount in found.items()]


@pytest.mark.parametrize("century", range(10))
def test_each_of_a_thousand_months_keeps_what_is_owed_and_adds_up_to_zero(century):
    for seed in range(century * 100, century * 100 + 100):
        check_nets(played_month(seed))


@some
@given(matrices)
def test_every_net_keeps_what_the_gross_matrix_owes_each_region_and_adds_up_to_zero(cells):
    check_nets(cells)


def check_nets(cells):
    expected = net_of(cells)
    found = positions(cells)

    assert {(one.insurance_type, one.region): one.amount.fen for one in found if one.amount} == expected
    assert moved(bilateral(cells)) == moved(multilateral(cells)) == expected
    for kind in InsuranceType:
        assert total(one.amount for one in found if one.insurance_type is kind) == ZERO


@some
@given(matrices)
def test_a_multilateral_net_needs_fewer_payments_than_it_has_regions(cells):
    for kind in InsuranceType:
        regions = {one.region for one in positions(cells) if one.insurance_type is kind}
        payments = [one for one in multilateral(cells) if one.insurance_type is kind]
        assert len(payments) <= max(0, len(regions) - 1)


@some
@given(matrices, st.randoms(use_true_random=False))
def test_no_figure_depends_on_the_order_of_the_cells(cells, dice):
    shuffled = dice.sample(cells, len(cells))

    assert list(pairs_of(shuffled).items()) == list(pairs_of(cells).items())
    assert positions(shuffled) == positions(cells)
    assert bilateral(shuffled) == bilateral(cells)
    assert multilateral(shuffled) == multilateral(cells)


@some
@given(matrices)
def test_a_netted_month_moves_no_more_money_than_its_pairs_owe(cells):
    by_pairs = total(one.amount for one in bilateral(cells))

    assert total(one.amount for one in multilateral(cells)) <= by_pairs
    assert by_pairs <= total(abs(amount) for amount in pairs_of(cells).values())
