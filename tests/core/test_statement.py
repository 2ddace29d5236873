"""What a region's statement lists and what it adds up to."""

from datetime import date

import pytest

from hub.core.codes import Fund, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.errors import Inconsistent
from hub.core.ledger import Event
from hub.core.money import ZERO, yuan
from hub.core.statement import PairTotal, Statement, StatementRow, statement_order
from tests.core.builders import AWAY, HOME, HOSPITAL

BASIC, SECOND = Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC
ELSEWHERE = Region("330100")
RESIDENT = InsuranceType.RESIDENT


def row(number, *, insuring=HOME, care=AWAY, basic="60.00", second=None, on=date(2026, 10, 5), hospital=HOSPITAL):
    funds = {BASIC: yuan(basic)} | ({SECOND: yuan(second)} if second else {})
    return StatementRow(
        entry_id=f"ent_settled_bil_{number}_1",
        event=Event.SETTLED if yuan(basic) > ZERO else Event.CANCELLED,
        bill_id=f"bil_{number}",
        insuring_region=insuring,
        care_region=care,
        institution=hospital,
        insurance_type=RESIDENT,
        discharged_on=date(2026, 10, 1),
        booked_on=on,
        months_late=0,
        bill_total=yuan("100.00"),
        by_fund=funds,
    )


def statement(*rows, region=HOME):
    return Statement(region, Regime.CROSS_PROVINCE, Period(2026, 10), tuple(sorted(rows, key=statement_order)))


def test_a_region_owes_for_its_insured_and_is_owed_for_its_guests():
    found = statement(row(1, second="10.00"), row(2), row(3, insuring=AWAY, care=HOME, basic="45.50"))

    assert (str(found.payable), str(found.receivable)) == ("130.00", "45.50")


def test_both_regions_of_a_bill_find_it_with_the_same_amount():
    one = row(1, second="10.00")

    assert statement(one).payable == statement(one, region=AWAY).receivable == yuan("70.00")


def test_a_cancel_takes_its_amount_off_what_is_owed():
    found = statement(row(1), row(2, basic="-60.00"))

    assert found.payable == ZERO
    assert found.totals() == (PairTotal(HOME, AWAY, RESIDENT, BASIC, ZERO, 2),)


def test_totals_are_kept_per_pair_insurance_type_and_fund_in_that_order():
    found = statement(row(1, second="10.00"), row(2), row(3, care=ELSEWHERE), row(4, insuring=AWAY, care=HOME))

    assert found.totals() == (
        PairTotal(AWAY, HOME, RESIDENT, BASIC, yuan("60.00"), 1),
        PairTotal(HOME, ELSEWHERE, RESIDENT, BASIC, yuan("60.00"), 1),
        PairTotal(HOME, AWAY, RESIDENT, BASIC, yuan("120.00"), 2),
        PairTotal(HOME, AWAY, RESIDENT, SECOND, yuan("10.00"), 1),
    )


def test_an_empty_statement_adds_up_to_zero():
    assert (statement().payable, statement().receivable, statement().totals()) == (ZERO, ZERO, ())


def test_a_row_that_does_not_concern_the_region_is_refused():
    with pytest.raises(Inconsistent) as broken:
        statement(row(1), region=ELSEWHERE)

    assert broken.value.code == "statement_foreign_row"


def test_rows_stand_by_regions_then_hospital_then_day_then_entry():
    last = row(1, hospital=InstitutionCode("H43010000002"))
    first, second, third = row(3, on=date(2026, 10, 4)), row(2), row(4)

    assert [found.bill_id for found in statement(last, third, second, first).rows] == [
        "bil_3",
        "bil_2",
        "bil_4",
        "bil_1",
    ]


@pytest.mark.parametrize("rows", [(row(2), row(1)), (row(1), row(1))], ids=["out of order", "one row twice"])
def test_a_statement_out_of_order_or_with_a_row_twice_cannot_be_built(rows):
    with pytest.raises(Inconsistent) as broken:
        Statement(HOME, Regime.CROSS_PROVINCE, Period(2026, 10), rows)

    assert broken.value.code == "statement_order"
