"""Random statements: totals equal the sum of the rows, and the two sides of a bill read the same."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.codes import Fund, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.ledger import Event
from hub.core.money import Money, total
from hub.core.statement import Statement, StatementRow, statement_order, totals_of

REGIONS = [Region("450700"), Region("430100"), Region("320115")]
HOSPITALS = [InstitutionCode("H43010000001"), InstitutionCode("H43010000002")]
FUNDS = {
    InsuranceType.RESIDENT: (Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC),
    InsuranceType.EMPLOYEE: (Fund.EMPLOYEE_BASIC, Fund.EMPLOYEE_LARGE_AMOUNT),
}
some = settings(max_examples=20, deadline=None)


@st.composite
def booked(draw):
    """The bookings of a window, each with an entry of its own."""
    rows = []
    for number in range(draw(st.integers(0, 12))):
        insuring, care = draw(st.permutations(REGIONS))[:2]
        kind = draw(st.sampled_from(list(InsuranceType)))
        by_fund = draw(st.dictionaries(st.sampled_from(FUNDS[kind]), st.integers(-(10**9), 10**9).map(Money)))
        row = StatementRow(
            entry_id=f"ent_{number}",
            event=Event.SETTLED,
            bill_id=f"bil_{number}",
            insuring_region=insuring,
            care_region=care,
            institution=draw(st.sampled_from(HOSPITALS)),
            insurance_type=kind,
            discharged_on=date(2026, 10, 1),
            booked_on=date(2026, 10, draw(st.integers(1, 31))),
            months_late=0,
            bill_total=Money(0),
            by_fund=by_fund,
        )
        rows.append(row)
    return sorted(rows, key=statement_order)


def statement_of(region, rows):
    own = tuple(row for row in rows if region in (row.insuring_region, row.care_region))
    return Statement(region, Regime.CROSS_PROVINCE, Period(2026, 10), own)


@some
@given(booked())
def test_the_totals_of_a_statement_are_the_sum_of_its_rows(rows):
    for region in REGIONS:
        found = statement_of(region, rows)
        payable = total(one.amount for one in found.totals() if one.insuring_region == region)
        receivable = total(one.amount for one in found.totals() if one.care_region == region)

        assert (payable, receivable) == (found.payable, found.receivable)
        assert sum(one.bookings for one in found.totals()) == sum(len(row.by_fund) for row in found.rows)


@some
@given(booked())
def test_what_all_regions_owe_is_what_all_regions_are_owed(rows):
    statements = [statement_of(region, rows) for region in REGIONS]

    assert total(one.payable for one in statements) == total(one.receivable for one in statements)
    assert total(one.payable for one in statements) == total(row.fund_total for row in rows)


@some
@given(booked())
def test_two_regions_find_the_same_totals_for_their_pair(rows):
    first, second, _ = REGIONS
    sides = [
        [
            one
            for one in statement_of(region, rows).totals()
            if {one.insuring_region, one.care_region} == {first, second}
        ]
        for region in (first, second)
    ]

    assert sides[0] == sides[1]


@some
@given(booked(), st.randoms(use_true_random=False))
def test_totals_do_not_depend_on_the_order_of_the_rows(rows, random):
    assert totals_of(random.sample(rows, len(rows))) == totals_of(rows)
