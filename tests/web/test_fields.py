"""Each field takes one written form and nothing that merely looks like it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import marshmallow
import pytest

from hub.core.bill import AdmissionKind, BillLine
from hub.core.codes import CatalogKind
from hub.core.errors import NotAllowed
from hub.core.money import yuan
from hub.web import fields
from hub.web.api.incoming import BillIn
from hub.web.errors import faults_of

LINE = {
    "line_no": 1,
    "kind": "service",
    "code": "001101000010000",
    "name": "诊查费",
    "unit_price": "12.5",
    "quantity": "2",
    "amount": "25.00",
    "fee_date": "2026-10-15",
}
BILL = {
    "institution": "H45070200001",
    "visit_no": "V1",
    "bill_no": "B1",
    "discharged_on": "2026-10-20",
    "total": "25.00",
    "lines": [LINE],
}


def faults(body: dict) -> set[tuple[str, str]]:
    with pytest.raises(marshmallow.ValidationError) as refused:
        BillIn().load(body)
    return {(one.where, one.code) for one in faults_of(refused.value).faults}


def test_a_bill_loads_to_core_values():
    loaded = BillIn().load(BILL)

    assert loaded["total"] == yuan("25.00")
    assert loaded["revision"] == 1
    assert loaded["lines"] == (
        BillLine(
            line_no=1,
            kind=CatalogKind.SERVICE,
            code="001101000010000",
            name="诊查费",
            unit_price=Fraction(25, 2),
            quantity=Fraction(2),
            amount=yuan("25.00"),
            fee_date=date(2026, 10, 15),
        ),
    )


@pytest.mark.parametrize(
    "wrong",
    [1234.5, 1234, "1234", "1234.5", "1234.567", "1e3", "1_000.50", "+1.00", " 1.00", "1.00\n", "01.00", ".50",
     "１２.５０", "٣٤.٠٠", "-1.00", "99999999999999.00", "NaN", None, True, [], {}],
)  # fmt: skip
def test_an_amount_has_one_written_form(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Money().read(wrong)


def test_a_signed_amount_takes_a_minus_and_no_other_sign():
    assert fields.Money(signed=True).read("-12.30") == yuan("-12.30")
    with pytest.raises(NotAllowed):
        fields.Money(signed=True).read("\u221212.30")


@pytest.mark.parametrize("wrong", [2, "2,5", "2.", "1e2", "-2", "２", "1" * 20, "0.12345", "", None])
def test_a_quantity_has_one_written_form(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Decimal(digits=6, places=4).read(wrong)


@pytest.mark.parametrize("wrong", ["3", 3.0, True, None, "１２", 0, 101])
def test_a_whole_number_is_no_text_no_fraction_and_no_flag(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Whole(least=1, most=100).read(wrong)


@pytest.mark.parametrize("wrong", ["1_0", " 7 ", "+7", "0x7", "", "７", "007"])
def test_a_number_in_a_query_is_plain_ascii_digits(wrong: str):
    with pytest.raises(NotAllowed):
        fields.QueryWhole(least=1, most=100).read(wrong)


@pytest.mark.parametrize("wrong", ["yes", "true", 1, 0, None, "t"])
def test_a_flag_is_true_or_false(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Flag().read(wrong)


@pytest.mark.parametrize(
    "wrong", ["2026-13-01", "2026-02-29", "20261031", "2026-10-31T00:00", "2026-1-1", "２０２６-10-31", 20261031]
)
def test_a_day_has_one_written_form(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Day().read(wrong)


@pytest.mark.parametrize(
    "wrong", ["2026-10-31T09:30:00", "2026-10-31 09:30:00+08:00", "2026-10-31T25:00:00+08:00", "now"]
)
def test_a_moment_names_its_offset(wrong: str):
    with pytest.raises(NotAllowed):
        fields.Moment().read(wrong)


@pytest.mark.parametrize(
    "wrong", ["a\x00b", "a\u202eb", "a\u200bb", "a\ud800b", "\x1b[31m", "", "  ", "x" * 51, 5, None]
)
def test_text_holds_nothing_that_a_reader_cannot_see(wrong: object):
    with pytest.raises(NotAllowed):
        fields.Text(longest=50).read(wrong)


def test_text_is_normalised_so_that_twins_are_equal():
    assert fields.Text(longest=50).read(" e\u0301 ") == "é"


def test_a_wrong_identity_number_is_never_quoted():
    with pytest.raises(NotAllowed) as refused:
        fields.Identity().read("110101198001010011")

    assert "1101" not in refused.value.message


def test_a_choice_is_made_by_value():
    assert fields.OneOf(AdmissionKind).read("emergency") is AdmissionKind.EMERGENCY
    with pytest.raises(NotAllowed):
        fields.OneOf(AdmissionKind).read("EMERGENCY")


def test_every_fault_of_every_line_is_named_at_once():
    first = {**LINE, "quantity": 2, "unit_price": "12,5"}
    second = {name: value for name, value in LINE.items() if name != "code"} | {"approved": True}

    assert faults({**BILL, "lines": [first, second, "x"]}) == {
        ("lines[0].quantity", "field_type"),
        ("lines[0].unit_price", "decimal_malformed"),
        ("lines[1].code", "field_missing"),
        ("lines[1].approved", "field_unknown"),
        ("lines[2]", "field_type"),
    }


def test_fields_that_only_the_hub_sets_are_refused():
    smuggled = {"status": "posted", "fund_amount": "9.00", "approved_by": "me"}

    assert faults({**BILL, **smuggled}) == {(name, "field_unknown") for name in smuggled}


@pytest.mark.parametrize("lines", [[], [LINE] * 5_001])
def test_a_bill_has_one_to_five_thousand_lines(lines: list):
    assert faults({**BILL, "lines": lines}) == {("lines", "rows_count")}


def test_the_largest_line_times_the_most_lines_still_fits_an_amount():
    largest = {**LINE, "unit_price": "9999999.999999", "quantity": "999999.9999", "amount": "99999999.99"}

    loaded = BillIn().load({**BILL, "lines": [largest] * 5_000})

    assert sum(line.amount.fen for line in loaded["lines"]) == 49_999_999_995_000


def test_a_name_that_no_screen_shows_is_written_out_in_the_fault():
    found = faults({**BILL, "a\ud800\n": 1})

    assert found == {("a\\ud800\\n", "field_unknown")}
