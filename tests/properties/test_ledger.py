"""Random settlements: entries balance, a cancel undoes its settlement, and a close leaves nothing open."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType
from hub.core.decision import Contribution, YearToDate
from hub.core.ledger import AccountKind, Event, balances, cancelled, cleared, settled
from hub.core.money import ZERO, Money, total
from tests.core.builders import AWAY, HOME, HOSPITAL, decision

FUNDS = (Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC, Fund.ASSISTANCE)
some = settings(max_examples=80, deadline=None)
amounts = st.one_of(st.just(0), st.integers(0, 10**9)).map(Money)
decisions = st.builds(
    lambda shares, cash, account, hospital: decision(
        funds={fund: str(amount) for fund, amount in zip(FUNDS, shares, strict=True)},
        cash=str(cash),
        account=str(account),
        hospital=str(hospital),
    ),
    st.tuples(amounts, amounts, amounts),
    amounts,
    amounts,
    amounts,
)
contributions = st.builds(
    Contribution,
    level=st.sampled_from(list(HospitalLevel)),
    in_policy=amounts,
    self_pay_in_policy=amounts,
    paid_by_fund=st.dictionaries(st.sampled_from(FUNDS), amounts),
    accumulated=st.dictionaries(st.sampled_from(["basic", "catastrophic"]), amounts),
)


def entry_of(found, revision=1):
    return settled(
        found,
        insuring_region=HOME,
        care_region=AWAY,
        institution=HOSPITAL,
        insurance_type=InsuranceType.RESIDENT,
        revision=revision,
    )


def close_of(entries):
    """The clearing entries of a window that holds these entries, one per fund."""
    due = {}
    for account, amount in balances(tuple(entries)).items():
        if account.kind is AccountKind.FUND_DUE:
            due[account.fund] = amount
    cells = [
        cleared(
            amount,
            window_id="win_1",
            insuring_region=HOME,
            care_region=AWAY,
            insurance_type=InsuranceType.RESIDENT,
            fund=fund,
        )
        for fund, amount in due.items()
    ]
    return [cell for cell in cells if cell is not None]


@some
@given(decisions)
def test_the_books_of_one_bill_add_up_to_zero_and_hold_each_share_once(found):
    entry = entry_of(found)
    held = balances((entry,)) if entry else {}

    assert total(held.values()) == ZERO
    for fund, amount in found.shares.items():
        assert total(value for account, value in held.items() if account.fund is fund) == amount


@some
@given(decisions)
def test_a_settlement_and_its_cancel_are_together_nothing(found):
    entry = entry_of(found)

    if entry is not None:
        undone = cancelled(entry)
        assert set(balances((entry, undone)).values()) == {ZERO}
        assert (undone.event, undone.reverses) == (Event.CANCELLED, entry.id)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(decisions, st.booleans()), max_size=6))
def test_a_closed_month_leaves_nothing_due_openly(bills):
    entries = []
    for revision, (found, is_cancelled) in enumerate(bills, start=1):
        entry = entry_of(found, revision)
        if entry is not None:
            entries += [entry, cancelled(entry)] if is_cancelled else [entry]

    after = balances((*entries, *close_of(entries)))

    assert total(after.values()) == ZERO
    assert all(amount == ZERO for account, amount in after.items() if account.kind is AccountKind.FUND_DUE)
    standing = total(found.fund_total for found, is_cancelled in bills if not is_cancelled)
    assert total(amount for account, amount in after.items() if account.kind is AccountKind.CLEARING_DUE) == standing


@some
@given(st.lists(contributions, max_size=6), contributions)
def test_a_bill_and_its_cancel_leave_a_year_as_it_was(earlier, one):
    year = YearToDate(2026)
    for before in earlier:
        year = year.plus(before)

    assert year.plus(one).minus(one) == year


@some
@given(st.lists(contributions, max_size=6), st.randoms(use_true_random=False))
def test_a_year_is_the_same_in_whatever_order_its_bills_are_added(bills, random):
    def fold(contributed):
        year = YearToDate(2026)
        for one in contributed:
            year = year.plus(one)
        return year

    year = fold(bills)

    assert fold(random.sample(bills, len(bills))) == year
    assert year.in_policy == total(one.in_policy for one in bills)
    assert total(year.paid_by_fund.values()) == total(paid for one in bills for paid in one.paid_by_fund.values())
