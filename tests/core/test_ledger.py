"""Balanced entries, one recipe per business event, and mirrors."""

import dataclasses

import pytest

from hub.core.codes import Fund, InsuranceType
from hub.core.errors import Inconsistent
from hub.core.ledger import (
    Account,
    AccountKind,
    Entry,
    Event,
    Leg,
    Side,
    balances,
    cancelled,
    cleared,
    entry_id,
    mirrored,
    settled,
    signed,
)
from hub.core.money import ZERO, Money, total, yuan
from tests.core.builders import AWAY, HOME, HOSPITAL, decision

BASIC, SECOND = Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC
CELL = {
    "window_id": "win_cross_province_2026-10",
    "insuring_region": HOME,
    "care_region": AWAY,
    "insurance_type": InsuranceType.RESIDENT,
    "fund": BASIC,
}


def account(kind, fund=None):
    return Account(kind, HOME, AWAY, InsuranceType.RESIDENT, fund, None if fund else HOSPITAL)


def entry_of(found=None, revision=1):
    return settled(
        found or decision(),
        insuring_region=HOME,
        care_region=AWAY,
        institution=HOSPITAL,
        insurance_type=InsuranceType.RESIDENT,
        revision=revision,
    )


def legs(entry):
    return [(leg.account.kind, leg.account.fund, leg.side, str(leg.amount)) for leg in entry.legs]


def broken_code(action, *args, **more):
    with pytest.raises(Inconsistent) as broken:
        action(*args, **more)
    return broken.value.code


def test_a_settled_bill_sets_the_hospitals_claim_against_everyone_who_bears_a_part():
    entry = entry_of(decision(funds={BASIC: "60.00", SECOND: "12.50"}, cash="20.00", account="5.00", hospital="2.50"))

    assert legs(entry) == [
        (AccountKind.FUND_DUE, BASIC, Side.DEBIT, "60.00"),
        (AccountKind.FUND_DUE, SECOND, Side.DEBIT, "12.50"),
        (AccountKind.PATIENT_PAID, None, Side.DEBIT, "25.00"),
        (AccountKind.HOSPITAL_BORNE, None, Side.DEBIT, "2.50"),
        (AccountKind.HOSPITAL_CLAIM, None, Side.CREDIT, "100.00"),
    ]


def test_who_bears_nothing_has_no_leg():
    assert [kind for kind, *_ in legs(entry_of(decision(funds={BASIC: "60.00", SECOND: "0.00"})))] == [
        AccountKind.FUND_DUE,
        AccountKind.PATIENT_PAID,
        AccountKind.HOSPITAL_CLAIM,
    ]


def test_a_bill_of_zero_makes_no_entry():
    assert entry_of(decision(funds={}, cash="0.00")) is None


def test_an_entry_is_known_by_its_event_its_bill_and_its_revision():
    assert entry_of(revision=2).id == entry_id(Event.SETTLED, "bil_1", 2) == "ent_settled_bil_1_2"


def test_a_cancel_mirrors_its_settlement_and_names_it():
    original = entry_of(revision=2)

    mirror = cancelled(original)

    assert (mirror.id, mirror.reverses) == ("ent_cancelled_bil_1_2", "ent_settled_bil_1_2")
    assert legs(mirror) == [
        (AccountKind.FUND_DUE, BASIC, Side.CREDIT, "60.00"),
        (AccountKind.PATIENT_PAID, None, Side.CREDIT, "40.00"),
        (AccountKind.HOSPITAL_CLAIM, None, Side.DEBIT, "100.00"),
    ]


def test_a_settlement_and_its_cancel_leave_nothing_on_any_account():
    original = entry_of()

    assert set(balances((original, cancelled(original))).values()) == {ZERO}


def test_a_mirror_of_a_mirror_is_the_original():
    assert mirrored(mirrored(entry_of().legs)) == entry_of().legs


def test_a_cancel_or_a_clearing_entry_is_never_cancelled_itself():
    assert broken_code(cancelled, cancelled(entry_of())) == "cancel_of_other"
    assert broken_code(cancelled, cleared(Money(1), **CELL)) == "cancel_of_other"


def test_a_cell_of_a_closed_window_moves_what_is_due_into_clearing():
    entry = cleared(yuan("900.00"), **CELL)

    assert entry.id == "ent_cleared_win_cross_province_2026-10/450700/430100/390/390100_1"
    assert legs(entry) == [
        (AccountKind.CLEARING_DUE, BASIC, Side.DEBIT, "900.00"),
        (AccountKind.FUND_DUE, BASIC, Side.CREDIT, "900.00"),
    ]


def test_a_window_with_more_cancels_than_settlements_moves_its_cell_the_other_way():
    entry = cleared(yuan("-25.00"), **CELL)

    assert legs(entry) == [
        (AccountKind.CLEARING_DUE, BASIC, Side.CREDIT, "25.00"),
        (AccountKind.FUND_DUE, BASIC, Side.DEBIT, "25.00"),
    ]


def test_a_window_whose_settlements_and_cancels_cancel_out_has_nothing_to_clear():
    assert cleared(ZERO, **CELL) is None


def test_after_the_close_nothing_is_due_openly_and_the_books_still_add_up_to_zero():
    entry = entry_of()
    after = balances((entry, cleared(yuan("60.00"), **CELL)))

    assert after[account(AccountKind.FUND_DUE, BASIC)] == ZERO
    assert after[account(AccountKind.CLEARING_DUE, BASIC)] == yuan("60.00")
    assert after[account(AccountKind.HOSPITAL_CLAIM)] == yuan("-100.00")
    assert total(after.values()) == ZERO


def test_a_cancel_after_the_close_is_due_back_openly_until_the_next_close():
    entry = entry_of()
    month = (entry, cleared(yuan("60.00"), **CELL))
    next_cell = {**CELL, "window_id": "win_cross_province_2026-11"}

    late = (*month, cancelled(entry))
    closed = (*late, cleared(yuan("-60.00"), **next_cell))

    assert balances(late)[account(AccountKind.FUND_DUE, BASIC)] == yuan("-60.00")
    assert set(balances(closed).values()) == {ZERO}


def test_a_debit_counts_up_and_a_credit_down():
    where = account(AccountKind.PATIENT_PAID)

    assert signed(Leg(where, Side.DEBIT, Money(5))) == Money(5)
    assert signed(Leg(where, Side.CREDIT, Money(5))) == Money(-5)


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_a_leg_without_a_positive_amount_cannot_be_built(amount_fen):
    assert broken_code(Leg, account(AccountKind.PATIENT_PAID), Side.DEBIT, Money(amount_fen)) == "leg_amount"


def test_an_entry_that_is_a_fen_off_cannot_be_built():
    found = entry_of().legs
    short = (dataclasses.replace(found[0], amount=yuan("59.99")), *found[1:])

    assert broken_code(Entry, event=Event.SETTLED, subject="bil_1", revision=1, legs=short) == "entry_unbalanced"


def test_an_entry_without_legs_cannot_be_built():
    assert broken_code(Entry, event=Event.SETTLED, subject="bil_1", revision=1, legs=()) == "entry_empty"


@pytest.mark.parametrize(
    ("kind", "fund", "institution", "code"),
    [
        (AccountKind.FUND_DUE, None, None, "account_fund"),
        (AccountKind.PATIENT_PAID, BASIC, HOSPITAL, "account_fund"),
        (AccountKind.CLEARING_DUE, BASIC, HOSPITAL, "account_institution"),
        (AccountKind.HOSPITAL_CLAIM, None, None, "account_institution"),
    ],
)
def test_an_account_names_its_fund_or_its_hospital_and_never_both(kind, fund, institution, code):
    assert broken_code(Account, kind, HOME, AWAY, InsuranceType.RESIDENT, fund, institution) == code


def test_accounts_have_one_order_in_which_they_are_locked():
    keys = [account(AccountKind.FUND_DUE, BASIC).key, account(AccountKind.PATIENT_PAID).key]

    assert keys == [
        ("fund_due", "450700", "430100", "390", "390100", ""),
        ("patient_paid", "450700", "430100", "390", "", "H43010000001"),
    ]
