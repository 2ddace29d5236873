"""What is printed at the end says what it was given: sums at the edges, no number cut, one line per check."""

import io

import pytest
from rich.console import Console

from hub.core.money import yuan
from hub.demo import report
from hub.demo.cases import Notes
from hub.demo.desks import mistyped
from hub.demo.report import Outcome
from hub.demo.stage import Login
from hub.demo.story import Tale
from hub.store.verify import CheckResult


def _cell(payer, payee, amount, *, fund="390100"):
    return {
        "insuring_region": payer,
        "care_region": payee,
        "insurance_type": "390",
        "fund": fund,
        "amount": amount,
        "bills": 3,
    }


MATRIX = {
    "window": {"period": "2026-10"},
    "cells": [
        _cell("320115", "341000", "1234567.80"),
        _cell("320115", "341000", "0.20", fund="390200"),
        _cell("341000", "320115", "1000.00"),
    ],
    "positions": [
        {"insurance_type": "390", "region": "320115", "amount": "-1233568.00"},
        {"insurance_type": "390", "region": "341000", "amount": "1233568.00"},
    ],
    "transfers": [
        {"method": method, "insurance_type": "390", "payer": "320115", "payee": "341000", "amount": "1233568.00"}
        for method in ("bilateral", "multilateral")
    ],
}


def _printed(parts, *, width=120):
    out = io.StringIO()
    report.show(Console(file=out, width=width), parts)
    return out.getvalue()


def test_the_gross_table_adds_funds_up_and_has_sums_at_both_edges():
    rows = [line.split() for line in _printed(report.gross_tables(MATRIX)).splitlines() if line.strip()]

    assert rows[-3][-3:] == ["0.00", "1,234,568.00", "1,234,568.00"]
    assert rows[-2][-3:] == ["1,000.00", "0.00", "1,000.00"]
    assert rows[-1][-3:] == ["1,000.00", "1,234,568.00", "1,235,568.00"]


def test_the_positions_are_followed_by_their_sum_of_zero():
    text = _printed(report.net_tables(MATRIX))

    assert "-1,233,568.00" in text
    assert ["sum", "0.00"] in [line.split() for line in text.splitlines()]


@pytest.mark.parametrize("width", [80, 100, 150])
def test_no_number_is_cut_in_a_narrow_terminal(width):
    text = _printed(report.matrix_parts(MATRIX), width=width)

    assert "…" not in text
    assert text.count("1,234,567.80") == 1
    assert text.count("1,233,568.00") == 4


def test_a_region_outside_the_story_is_shown_by_its_code():
    assert report.place("990100") == "990100"


def _outcome(*, ids=("bil-1",), stands=True):
    return Outcome("late bill", ids, yuan("12.00"), yuan("7.50"), stands, "it joins November")


def test_a_special_case_is_told_with_its_bill_amounts_and_a_sentence():
    text = _printed(report.outcome_parts([_outcome()]))

    assert "late bill: total 12.00, the funds pay 7.50\n" in text
    assert "bil-1" in text
    assert "it joins November" in text


def test_a_cancelled_bill_is_shown_as_taken_back():
    assert _outcome(stands=False).figures == "total 12.00, the funds pay 7.50, both taken back"


def test_a_case_without_a_bill_says_so():
    assert _outcome(ids=()).figures == "no bill"


def test_each_check_has_a_line_and_each_finding_one_below():
    good = CheckResult("entries-balance", 3, ok=True, findings=(), counted=4)
    bad = CheckResult("nets-sum-to-zero", 4, ok=False, findings=("win_1: 0.01 left",), counted=1)

    lines = list(report.check_lines([good, bad]))

    assert [line.split()[0] for line in lines] == ["ok", "FAIL", "win_1:"]


def test_addresses_name_every_login_with_its_password():
    login = Login("officer-qinzhou", "correct horse", "officer of Qinzhou")

    text = "\n".join(
        report.address_lines(origin="http://localhost:8080", serve="hub serve", logins=[login], keys=".hub/demo/keys")
    )

    assert "officer-qinzhou      correct horse" in text
    assert "http://localhost:8080/login" in text


def test_an_expectation_that_does_not_hold_is_noted():
    notes = Notes()

    notes.expect(1 + 1 == 2, "arithmetic")
    notes.expect(1 + 1 == 3, "the sum is two")

    assert notes.differed == ["the sum is two"]


def test_a_case_is_noted_with_the_sums_of_its_bills():
    bill = {
        "id": "bil-1",
        "amounts": {"total": "10.00"},
        "split": {"fund_total": "6.00", "funds": [{"fund": "390100", "amount": "6.00"}]},
    }
    notes = Notes()

    notes.tell(Tale.YEARLY_CAP, [bill, {**bill, "id": "bil-2"}], "told")

    (told,) = notes.outcomes
    assert (told.bill_ids, told.total, told.fund_total) == (("bil-1", "bil-2"), yuan("20.00"), yuan("12.00"))


@pytest.mark.parametrize(
    ("amount", "typed"),
    [("7425.88", "4725.88"), ("8864.63", "8954.63"), ("5.00", "95.00"), ("1024.00", "1114.00")],
)
def test_a_mistyped_amount_has_its_first_digits_exchanged_or_ninety_yuan_more(amount, typed):
    assert mistyped(yuan(amount)) == yuan(typed)
