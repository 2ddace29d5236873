"""Bills, years, windows, entries and figures come back as they went in, and the tables refuse the rest."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from hub.core.bill import BillState
from hub.core.clearing import WindowState
from hub.core.codes import Fund, InsuranceType, Regime
from hub.core.dates import Period
from hub.core.errors import Conflict, Inconsistent
from hub.core.ledger import Account, AccountKind, Entry, Event, Leg, Side, cleared, entry_id
from hub.core.matching import Break, BreakCause, Told
from hub.core.money import ZERO, Money, yuan
from hub.core.netting import GrossCell, bilateral, multilateral, positions
from hub.ports import HUB_SCOPE, Booking, Scope, Sight
from hub.ports.records import MatchRow, MatchRun, ReportedBooking, SidedBooking, StoredStatement
from hub.store.journal import SqlBookingJournal
from tests.builders import HOSPITALS, HUANGSHAN, NANJING, QINZHOU, Stay, cancel, noon, person, settled_bill

ACROSS = Regime.CROSS_PROVINCE
OCTOBER = Period(2026, 10)
NOON = noon(date(2026, 10, 12))
LATER = noon(date(2026, 10, 13))


@pytest.fixture
def bill(store):
    return settled_bill(store, Stay(1, person(1), NOON))


def read(store, look, scope=HUB_SCOPE):
    with store.begin(scope) as uow:
        return look(uow)


def cut(store, period=OCTOBER):
    with store.begin(HUB_SCOPE) as uow:
        uow.windows.ensure(ACROSS, period)
        window = uow.windows.get(ACROSS, period, lock=True)
        uow.windows.move(window, event="cut", target=WindowState.CUT, who="op", why="", at=LATER)
    return replace(window, state=WindowState.CUT)


# --- bills and years ---------------------------------------------------------------------------------------------


def test_a_bill_comes_back_with_its_lines_its_request_and_its_decision(store, bill):
    assert read(store, lambda uow: uow.bills.get(bill.id)) == bill
    assert read(store, lambda uow: uow.bills.get(bill.id, lock=True)) == bill
    assert read(store, lambda uow: uow.bills.get("bil_none")) is None


def test_a_bill_number_is_kept_once_per_revision(store, bill):
    with pytest.raises(Conflict) as refused, store.begin(HUB_SCOPE) as uow:
        uow.bills.add(replace(bill, id="bil_2"), moves=[], who="his")

    assert refused.value.code == "bill_exists"


def test_a_stay_has_one_posted_bill(store, bill):
    with pytest.raises(Conflict) as refused, store.begin(HUB_SCOPE) as uow:
        uow.bills.add(replace(bill, id="bil_2", bill_no="B2"), moves=[], who="his")

    assert refused.value.code == "bill_exists"


def test_a_refused_bill_leaves_nothing_behind(store, bill):
    with store.begin(HUB_SCOPE) as uow:
        with pytest.raises(Conflict):
            uow.bills.add(replace(bill, id="bil_2"), moves=[], who="his")
        left = uow.connection.execute(text("select count(*) from decision")).scalar_one()

    assert left == 1


def test_a_cancelled_bill_can_be_sent_again_as_a_new_revision(store, bill):
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, bill, at=LATER)

    again = replace(bill, id="bil_2", revision=2, year_version=3)
    with store.begin(HUB_SCOPE) as uow:
        uow.bills.add(again, moves=[], who="his")

    assert read(store, lambda uow: uow.bills.revisions(bill.institution, "B1")) == [
        (1, "bil_1", BillState.CANCELLED),
        (2, "bil_2", BillState.POSTED),
    ]


def test_a_bill_moves_only_from_the_state_that_it_is_in(store, bill):
    with pytest.raises(Conflict), store.begin(HUB_SCOPE) as uow:
        uow.bills.move(
            bill.id, source=BillState.DECIDED, event="posted", target=BillState.POSTED, who="his", why="", at=LATER
        )


def test_bills_are_listed_by_day_and_by_period_after_an_id(store):
    first, second = (settled_bill(store, Stay(number, person(number), NOON)) for number in (1, 2))
    third = settled_bill(store, Stay(3, person(3), LATER))

    def listed(**wanted):
        given = {"day": None, "period": None, "after": "", "limit": 10, **wanted}
        return read(store, lambda uow: [found.id for found in uow.bills.listed(**given)])

    assert listed(day=first.settled_on) == [first.id, second.id]
    assert listed(period=OCTOBER, after=first.id, limit=1) == [second.id]
    assert listed(period=OCTOBER.next()) == []
    assert listed() == [first.id, second.id, third.id]


def test_later_bills_of_a_year_are_those_booked_afterwards_and_not_cancelled(store, bill):
    second = settled_bill(store, Stay(2, person(1), LATER))
    third = settled_bill(store, Stay(3, person(1), LATER))
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, third, at=LATER)

    assert read(store, lambda uow: uow.bills.later_in_year(bill)) == [second.id]


def test_running_totals_are_kept_with_their_version(store, bill):
    found = read(store, lambda uow: uow.years.peek("per_1", InsuranceType.RESIDENT, 2026))

    assert found.version == 1
    assert found.totals.paid(Fund.RESIDENT_BASIC) == yuan("50.00")
    assert read(store, lambda uow: uow.years.lock("per_1", InsuranceType.RESIDENT, 2026)) == found


def test_a_year_without_settlements_is_zero_with_version_0(store, bill):
    def ask(uow):
        return uow.years.peek("per_1", InsuranceType.RESIDENT, 2027), uow.years.lock(
            "per_1", InsuranceType.RESIDENT, 2027
        )

    looked, locked = read(store, ask)
    assert looked == locked
    assert (locked.version, locked.totals.in_policy) == (0, ZERO)


def test_totals_that_skip_a_version_are_refused(store, bill):
    totals = read(store, lambda uow: uow.years.lock("per_1", InsuranceType.RESIDENT, 2026)).totals

    with pytest.raises(Inconsistent, match="do not follow"), store.begin(HUB_SCOPE) as uow:
        uow.years.save("per_1", InsuranceType.RESIDENT, totals, region=QINZHOU, version=3)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("cash_fen = cash_fen + 1", "bill_borne"),
        ("over_limit_fen = over_limit_fen + 1", "bill_classified"),
        ("cash_fen = -1, personal_account_fen = personal_account_fen + cash_fen + 1", "bill_not_negative"),
    ],
)
def test_the_sums_of_a_bill_are_checked_by_its_table(owner, bill, change, constraint):
    with pytest.raises(DBAPIError, match=constraint):
        owner.execute(text(f"update bill set {change}"))


# --- ledger ------------------------------------------------------------------------------------------------------


def claim_and_paid(amount, *, subject="bil_1", revision=9):
    def leg(kind, side):
        account = Account(kind, QINZHOU, NANJING, InsuranceType.RESIDENT, institution=HOSPITALS[NANJING])
        return Leg(account, side, yuan(amount))

    legs = (leg(AccountKind.PATIENT_PAID, Side.DEBIT), leg(AccountKind.HOSPITAL_CLAIM, Side.CREDIT))
    return Entry(Event.SETTLED, subject, revision, legs)


def enter(store, entry, *, period=OCTOBER, bill_id="bil_1"):
    with store.begin(HUB_SCOPE) as uow:
        return uow.ledger.add(entry, regime=ACROSS, period=period, bill_id=bill_id, happened_at=NOON, recorded_at=LATER)


def test_an_entry_comes_back_with_its_legs_in_order(store, bill):
    entry = read(store, lambda uow: uow.ledger.get(entry_id(Event.SETTLED, bill.id, 1)))

    assert [(leg.account.kind, leg.account.fund, str(leg.amount)) for leg in entry.legs] == [
        (AccountKind.FUND_DUE, Fund.RESIDENT_BASIC, "50.00"),
        (AccountKind.FUND_DUE, Fund.RESIDENT_CATASTROPHIC, "10.00"),
        (AccountKind.PATIENT_PAID, None, "60.00"),
        (AccountKind.HOSPITAL_CLAIM, None, "120.00"),
    ]
    assert read(store, lambda uow: uow.ledger.get("ent_settled_bil_none_1")) is None


def test_the_same_entry_again_changes_nothing(store, bill):
    assert enter(store, claim_and_paid("5.00")) is True
    assert enter(store, claim_and_paid("5.00")) is False


def test_other_legs_under_the_same_event_are_refused(store, bill):
    enter(store, claim_and_paid("5.00"))

    with pytest.raises(Inconsistent, match="with other legs"):
        enter(store, claim_and_paid("5.01"))


def test_an_entry_out_of_balance_is_refused_when_the_transaction_ends(store, bill):
    half = claim_and_paid("5.00")
    object.__setattr__(half, "legs", half.legs[:1])

    with pytest.raises(Inconsistent) as refused:
        enter(store, half)

    assert refused.value.facts == {"constraint": "entry_balances"}


def test_no_leg_is_added_to_an_entry_later(store, bill):
    added = """
        insert into leg select entry_id, leg_no + 4, account_id, window_id, event, insuring_region, care_region, side,
            amount_fen from leg
    """

    with pytest.raises(Inconsistent, match="leg_fits"), store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(text(added))


def test_a_leg_needs_an_account(store, bill):
    added = """
        with kept as (
            insert into entry select 'ent_x', event, 'x', revision, window_id, insuring_region, care_region, bill_id,
                reverses, leg_count, happened_at, booked_on, recorded_at from entry returning *
        )
        insert into leg select id, 1, 4711, window_id, event, insuring_region, care_region, 'D', 5 from kept
    """

    with pytest.raises(Inconsistent, match="leg_fits"), store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(text(added))


@pytest.mark.parametrize("table", ["entry", "leg", "account", "bill_share", "decision", "bill_move"])
@pytest.mark.parametrize("change", ["delete from {}", "truncate {} cascade"])
def test_what_was_entered_is_never_deleted(store, owner, bill, table, change):
    with pytest.raises(ProgrammingError, match="permission denied"), store.engine.begin() as connection:
        connection.execute(text(change.format(table)))
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        owner.execute(text(change.format(table)))


@pytest.mark.parametrize("change", ["leg set amount_fen = 1", "entry set revision = 2", "bill set cash_fen = 0"])
def test_what_was_entered_is_never_changed(store, bill, change):
    with pytest.raises(ProgrammingError, match="permission denied"), store.engine.begin() as connection:
        connection.execute(text(f"update {change}"))


# --- windows -----------------------------------------------------------------------------------------------------


def test_a_cut_period_takes_no_booking(store, bill):
    cut(store)

    with pytest.raises(Inconsistent) as refused:
        enter(store, claim_and_paid("5.00"))

    assert refused.value.code == "period_closed"


def test_a_period_without_a_window_takes_no_booking(store, bill):
    with pytest.raises(Inconsistent, match="takes no entry"):
        enter(store, claim_and_paid("5.00"), period=Period(2027, 3))


def test_only_a_cut_period_takes_a_clearing_entry(store, bill):
    def clearing_entry():
        return cleared(
            yuan("50.00"), window_id="win_cross_province_2026-10", insuring_region=QINZHOU, care_region=NANJING,
            insurance_type=InsuranceType.RESIDENT, fund=Fund.RESIDENT_BASIC,
        )  # fmt: skip

    with pytest.raises(Inconsistent, match="takes no entry"):
        enter(store, clearing_entry(), bill_id=None)
    cut(store)

    assert enter(store, clearing_entry(), bill_id=None) is True


def test_a_booking_after_the_cut_falls_into_the_next_month(store, bill):
    cut(store)
    cut(store, Period(2026, 11))

    assert read(store, lambda uow: uow.windows.open_for(ACROSS, date(2026, 10, 31))).period == Period(2026, 12)


def test_the_months_after_december_are_those_of_the_next_year(store):
    cut(store, Period(2026, 12))

    assert read(store, lambda uow: uow.windows.open_for(ACROSS, date(2026, 12, 31))).period == Period(2027, 1)


def test_the_cut_waits_for_bookings_that_hold_the_window(store, bill):
    finished = []
    cutter = Thread(target=lambda: finished.append(cut(store)))
    with store.begin(HUB_SCOPE) as uow:
        uow.windows.open_for(ACROSS, date(2026, 10, 12))
        cutter.start()
        cutter.join(timeout=0.5)
        waited = not finished
        uow.ledger.add(
            claim_and_paid("5.00"), regime=ACROSS, period=OCTOBER, bill_id="bil_1", happened_at=NOON, recorded_at=NOON
        )
    cutter.join()

    assert waited
    assert finished[0].state is WindowState.CUT


def test_a_booking_that_waits_for_the_cut_finds_it_done(store, bill):
    found = []

    def open_for(uow):
        return uow.windows.open_for(ACROSS, date(2026, 10, 12)).period

    booker = Thread(target=lambda: found.append(read(store, open_for)))
    with store.begin(HUB_SCOPE) as uow:
        window = uow.windows.get(ACROSS, OCTOBER, lock=True)
        uow.windows.move(window, event="cut", target=WindowState.CUT, who="op", why="", at=LATER)
        booker.start()
        booker.join(timeout=0.5)
        waited = not found
    booker.join()

    assert waited
    assert found == [Period(2026, 11)]


@pytest.mark.parametrize("state", ["open", "netted"])
def test_a_window_goes_forward_one_step_at_a_time(store, owner, state):
    cut(store)

    with pytest.raises(DBAPIError, match="cannot become"):
        owner.execute(text("update clearing_window set state = :state"), {"state": state})


# --- figures of a window ------------------------------------------------------------------------------------------


@pytest.fixture
def month(store):
    """Qinzhou owes 60.00 and 120.00, of which 60.00 is cancelled again; Nanjing owes Qinzhou 6.00."""
    settled_bill(store, Stay(1, person(1), NOON))
    settled_bill(store, Stay(2, person(2), NOON, in_policy="200.00"))
    taken_back = settled_bill(store, Stay(3, person(3), NOON))
    with store.begin(HUB_SCOPE) as uow:
        cancel(uow, taken_back, at=LATER)
    settled_bill(store, Stay(4, person(4, region=NANJING), NOON, care_region=QINZHOU, in_policy="10.00"))
    return cut(store)


def cell(insuring, care, fund, amount, bills):
    return GrossCell(insuring, care, InsuranceType.RESIDENT, fund, yuan(amount), bills)


MATRIX = [
    cell(NANJING, QINZHOU, Fund.RESIDENT_BASIC, "5.00", 1),
    cell(NANJING, QINZHOU, Fund.RESIDENT_CATASTROPHIC, "1.00", 1),
    cell(QINZHOU, NANJING, Fund.RESIDENT_BASIC, "150.00", 4),
    cell(QINZHOU, NANJING, Fund.RESIDENT_CATASTROPHIC, "30.00", 4),
]


def test_the_gross_matrix_sums_settlements_less_cancels(store, month):
    assert read(store, lambda uow: uow.clearing.gross_from_entries(month)) == MATRIX


def test_figures_come_back_and_keeping_them_again_changes_nothing(store, month):
    nets = {"positions": positions(MATRIX), "transfers": (*bilateral(MATRIX), *multilateral(MATRIX))}
    for _ in range(2):
        with store.begin(HUB_SCOPE) as uow:
            uow.clearing.save_cells(month, MATRIX)
            uow.clearing.save_nets(month, **nets)

    assert read(store, lambda uow: uow.clearing.cells(month)) == MATRIX
    assert tuple(read(store, lambda uow: uow.clearing.positions(month))) == nets["positions"]
    assert tuple(read(store, lambda uow: uow.clearing.transfers(month))) == nets["transfers"]


def test_another_matrix_or_net_for_a_window_is_refused(store, month):
    with store.begin(HUB_SCOPE) as uow:
        uow.clearing.save_cells(month, MATRIX)
        uow.clearing.save_nets(month, positions=positions(MATRIX), transfers=bilateral(MATRIX))

    with pytest.raises(Inconsistent, match="another gross matrix"), store.begin(HUB_SCOPE) as uow:
        uow.clearing.save_cells(month, MATRIX[1:])
    with pytest.raises(Inconsistent, match="other nets"), store.begin(HUB_SCOPE) as uow:
        uow.clearing.save_nets(month, positions=positions(MATRIX), transfers=multilateral(MATRIX[1:]))


def test_a_statement_lists_settlements_and_cancels_with_their_funds(store, month):
    rows = read(store, lambda uow: uow.clearing.statement_rows(month, QINZHOU))

    assert [(row.bill_id, row.event, str(row.bill_total), str(row.fund_total)) for row in rows] == [
        ("bil_4", "settled", "30.00", "6.00"),
        ("bil_1", "settled", "120.00", "60.00"),
        ("bil_2", "settled", "220.00", "120.00"),
        ("bil_3", "settled", "120.00", "60.00"),
        ("bil_3", "cancelled", "-120.00", "-60.00"),
    ]
    assert list(rows[1].by_fund) == [Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC]
    assert (rows[4].booked_on, rows[4].institution) == (date(2026, 10, 13), HOSPITALS[NANJING])


def test_a_windows_regions_are_both_sides_of_its_bookings(store, month):
    assert read(store, lambda uow: uow.clearing.regions(month)) == [NANJING, QINZHOU]


def test_a_region_without_bookings_sees_no_figures(store, month):
    with store.begin(HUB_SCOPE) as uow:
        uow.clearing.save_cells(month, MATRIX)
        uow.clearing.save_nets(month, positions=positions(MATRIX), transfers=bilateral(MATRIX))

    def look(uow):
        return uow.clearing.cells(month), uow.clearing.transfers(month), uow.bills.get("bil_1")

    assert read(store, look, Scope(Sight.REGION, region=HUANGSHAN.code)) == ([], [], None)


def test_a_hospital_sees_its_own_bills_whole(store, month):
    own = Scope(Sight.INSTITUTION, region=NANJING.code, institution=HOSPITALS[NANJING].code)

    assert read(store, lambda uow: uow.bills.get("bil_1"), own).decision.fund_total == yuan("60.00")
    assert read(store, lambda uow: uow.bills.get("bil_4"), own) is None


# --- statements, journal, match ------------------------------------------------------------------------------------


def statement(content):
    window, digest = "win_cross_province_2026-10", sha256(content).hexdigest()
    return StoredStatement("stm_1", window, QINZHOU, "statement", "text/csv", content, digest)


def test_a_statement_is_kept_once_and_its_bytes_never_change(store, month):
    first = statement(b"a,b\r\n")

    assert read(store, lambda uow: uow.statements.put(first, at=NOON)) is True
    assert read(store, lambda uow: uow.statements.put(first, at=LATER)) is False
    with pytest.raises(Inconsistent, match="other bytes"):
        read(store, lambda uow: uow.statements.put(statement(b"a,c\r\n"), at=LATER))
    assert read(store, lambda uow: uow.statements.get("stm_1")) == first


def test_statements_are_listed_without_their_bytes(store, month):
    read(store, lambda uow: uow.statements.put(statement(b"x"), at=NOON))

    def listed(regime, period, scope=HUB_SCOPE):
        wanted = {"regime": regime, "period": period, "after": "", "limit": 9}
        return [found.id for found in read(store, lambda uow: uow.statements.listed(**wanted), scope)]

    assert listed(None, None) == listed(ACROSS, OCTOBER) == ["stm_1"]
    assert listed(Regime.WITHIN_PROVINCE, None) == listed(None, OCTOBER.next()) == []
    assert listed(None, None, Scope(Sight.REGION, region=NANJING.code)) == []
    assert read(store, lambda uow: uow.statements.listed(regime=None, period=None, after="", limit=1))[0].content == b""


def test_the_hub_tells_of_a_day_its_settlements_and_its_cancels(store, month):
    def side(day):
        found = read(store, lambda uow: uow.matching.hub_side(day=day, insuring_region=QINZHOU))
        return [(row.told.event_id, str(row.told.total), str(row.told.fund_total)) for row in found]

    assert side(date(2026, 10, 12)) == [
        ("bil_1/settled", "120.00", "60.00"),
        ("bil_2/settled", "220.00", "120.00"),
        ("bil_3/settled", "120.00", "60.00"),
    ]
    assert side(date(2026, 10, 13)) == [("bil_3/cancelled", "-120.00", "-60.00")]


def test_a_hospitals_later_report_of_a_day_replaces_the_earlier_one(store):
    day = date(2026, 10, 12)

    def report(*event_ids):
        rows = [ReportedBooking(event_id, QINZHOU, yuan("120.00"), yuan("60.00")) for event_id in event_ids]
        read(store, lambda uow: uow.matching.report(HOSPITALS[NANJING], region=NANJING, day=day, rows=rows, at=LATER))

    report("bil_1/settled", "bil_2/settled")
    report("bil_1/settled")

    told = Told("bil_1/settled", yuan("120.00"), yuan("60.00"))
    side = read(store, lambda uow: uow.matching.care_side(day=day, insuring_region=QINZHOU))
    assert side == [SidedBooking(told, NANJING, HOSPITALS[NANJING])]
    assert read(store, lambda uow: uow.matching.care_side(day=day, insuring_region=HUANGSHAN)) == []


def test_the_breaks_of_a_day_come_back_and_a_later_run_replaces_them(store):
    day = date(2026, 10, 12)
    told = Told("bil_1/settled", yuan("120.00"), yuan("60.00"))
    rows = [
        MatchRow(
            day,
            QINZHOU,
            NANJING,
            HOSPITALS[NANJING],
            Break(told.event_id, BreakCause.MISSING_AT_CARE, told, None, told),
        ),
        MatchRow(day, QINZHOU, None, None, Break("bil_9/settled", BreakCause.MISSING_AT_HUB, None, None, told)),
    ]

    def save(breaks):
        read(store, lambda uow: uow.matching.save(day=day, insuring_region=QINZHOU, agreed=7, breaks=breaks, at=LATER))
        return read(store, lambda uow: uow.matching.breaks(day=day))

    assert [(row.found.event_id, row.care_region, row.found.cause) for row in save(rows)] == [
        ("bil_1/settled", NANJING, BreakCause.MISSING_AT_CARE),
        ("bil_9/settled", None, BreakCause.MISSING_AT_HUB),
    ]
    assert save(rows[:1]) == rows[:1]
    assert save([]) == []


def test_a_day_without_breaks_is_told_from_a_day_not_matched(store):
    matched, unmatched = date(2026, 10, 12), date(2026, 10, 13)
    read(store, lambda uow: uow.matching.save(day=matched, insuring_region=QINZHOU, agreed=7, breaks=[], at=LATER))

    runs = read(store, lambda uow: uow.matching.runs(day=matched))

    assert runs == [MatchRun(matched, QINZHOU, agreed=7, broken=0, at=LATER)]
    assert read(store, lambda uow: uow.matching.runs(day=unmatched)) == []
    assert read(store, lambda uow: uow.matching.runs(day=matched), Scope(Sight.REGION, region=NANJING.code)) == []


def test_a_region_books_an_event_once(store):
    journal = SqlBookingJournal(store)
    booking = Booking(
        "bil_1/settled", "bil_1", date(2026, 10, 12), InsuranceType.RESIDENT, yuan("120.00"), yuan("60.00")
    )

    journal.book(QINZHOU, booking)
    journal.book(QINZHOU, booking)

    assert journal.booked(QINZHOU, day=date(2026, 10, 12)) == [booking]
    assert journal.booked(NANJING, day=date(2026, 10, 12)) == []
    with pytest.raises(Inconsistent, match="another content"):
        journal.book(QINZHOU, replace(booking, total=Money(1)))
