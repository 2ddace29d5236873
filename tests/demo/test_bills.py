"""Drawn bills are bills that the hub takes: right to the fen, of real codes, inside their stays."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from hub.core.bill import check_bill, classify
from hub.core.catalog import HospitalLevel
from hub.core.classification import LineOutcome, Treated
from hub.core.codes import CatalogKind, UnifiedCode
from hub.core.money import ZERO, yuan
from hub.demo.bills import ILLNESSES, draw_bill, lines_json, plain, with_return, with_unmapped, without_last_line
from hub.demo.story import Tale
from hub.demo.world import HUANGSHAN, JIANGNING, QINZHOU

STAY = {"bill_no": "JS-1", "admitted_on": date(2026, 10, 20), "discharged_on": date(2026, 10, 30), "seed": "x"}


def test_every_bill_of_the_story_is_without_a_fault(story, bills):
    for stay in story.stays:
        check_bill(bills[stay.number], as_of=stay.settled_on)


def test_bills_have_20_to_80_lines_beside_their_special_ones(bills):
    counts = [len(bill.lines) for bill in bills.values()]

    assert min(counts) >= 20
    assert max(counts) <= 86


def test_ordinary_bills_come_to_3_000_to_60_000_yuan(story, bills):
    totals = [bills[stay.number].total for stay in story.tale(Tale.ORDINARY)]

    assert yuan("3000.00") <= min(totals)
    assert max(totals) <= yuan("60000.00")


def test_the_same_seed_draws_the_same_bill(shelves):
    shelf = shelves[JIANGNING, HospitalLevel.LEVEL_3]

    assert draw_bill(shelf, ILLNESSES[0], **STAY) == draw_bill(shelf, ILLNESSES[0], **STAY)


def test_jiangning_bills_services_in_jiangsu_codes_and_drugs_in_national_ones(shelves):
    bill = draw_bill(shelves[JIANGNING, HospitalLevel.LEVEL_3], ILLNESSES[0], **STAY)

    widths = {(line.kind.value, len(line.code) >= 15) for line in bill.lines}
    assert widths == {("service", False), ("facility", False), ("drug", True)}


def test_qinzhou_bills_drugs_in_its_local_codes(shelves):
    bill = draw_bill(shelves[QINZHOU, HospitalLevel.LEVEL_2], ILLNESSES[0], **STAY)

    assert {line.code[:2] for line in bill.lines if line.kind is CatalogKind.DRUG} == {"FJ"}


def test_huangshan_bills_in_national_codes_only(shelves):
    bill = draw_bill(shelves[HUANGSHAN, HospitalLevel.LEVEL_3], ILLNESSES[1], **STAY)

    assert all(UnifiedCode(line.kind, line.code) for line in bill.lines)


def test_nearly_all_lines_of_ordinary_bills_are_covered(story, bills, catalogs):
    shelf = catalogs.in_memory()

    outcomes = [
        line.outcome
        for stay in story.tale(Tale.ORDINARY)[:60]
        for line in classify(
            bills[stay.number], catalog=shelf.of(stay.care_region), treated=Treated(stay.hospital.level)
        )
    ]

    assert outcomes.count(LineOutcome.COVERED) > 0.95 * len(outcomes)
    assert {LineOutcome.UNMAPPED, LineOutcome.OVER_LIMIT} <= set(outcomes)
    assert LineOutcome.UNKNOWN_CODE not in outcomes


def test_every_diagnosis_is_an_active_national_code(catalogs):
    book = catalogs.unified.books[CatalogKind.DIAGNOSIS]

    assert {book[one.code].status for one in ILLNESSES} == {"active"}


def test_a_returned_pack_makes_the_bill_cheaper_by_its_price(shelves):
    bill = draw_bill(shelves[HUANGSHAN, HospitalLevel.LEVEL_3], ILLNESSES[0], **STAY)

    changed = with_return(bill)

    back = changed.lines[-1]
    assert back.quantity == -1
    assert bill.total - changed.total == -back.amount > ZERO


def test_an_unmapped_line_carries_a_code_that_the_region_lists_and_nobody_mapped(shelves, catalogs):
    shelf = shelves[JIANGNING, HospitalLevel.LEVEL_3]
    bill = with_unmapped(draw_bill(shelf, ILLNESSES[0], **STAY), shelf)

    classified = classify(bill, catalog=catalogs.in_memory().of(JIANGNING), treated=Treated(HospitalLevel.LEVEL_3))

    assert classified[-1].outcome is LineOutcome.UNMAPPED
    assert bill.lines[-1].name == "住院诊察费"


def test_a_corrected_bill_lacks_the_last_line(shelves):
    bill = draw_bill(shelves[HUANGSHAN, HospitalLevel.LEVEL_3], ILLNESSES[0], **STAY)

    corrected = without_last_line(bill)

    assert corrected == replace(bill, lines=bill.lines[:-1], total=bill.total - bill.lines[-1].amount)


def test_a_line_on_the_wire_has_its_numbers_as_text(shelves):
    bill = with_return(draw_bill(shelves[HUANGSHAN, HospitalLevel.LEVEL_3], ILLNESSES[0], **STAY))

    first, *_, last = lines_json(bill)

    assert "returns" not in first
    assert (last["quantity"], type(last["returns"]), type(last["unit_price"])) == ("-1", int, str)


@pytest.mark.parametrize(
    ("value", "text"),
    [("12", "12"), ("0.35", "0.35"), ("12.5", "12.5"), ("-1", "-1"), ("0.04", "0.04"), ("100", "100")],
)
def test_numbers_are_written_plainly(value, text):
    assert plain(Fraction(value)) == text
