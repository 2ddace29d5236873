"""A clearing month written in bulk: bills, shares, entries and legs that every constraint and trigger accepts.

Knows the tables that a close reads and those they refer to. Fee lines, decisions, moves and years are left out: a close
does not read them. Written as the superuser, since nobody else may copy past row security; all triggers run.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg

from hub.core.clearing import window_id
from hub.core.codes import Fund, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.ledger import Account, AccountKind, Event, Side, entry_id
from hub.store.codec import pack_lines
from hub.store.ledger import account_id
from hub.vault import Vault

REGIONS = tuple(Region(f"{province}0100") for province in (13, 21, 32, 34, 37, 41, 43, 44, 45, 51))
"""Ten provincial capitals: every pair is cross-province, and a cell has about as many bills as in a country's month."""

BILLS_OF_A_PERSON = 5

FUNDS = {
    InsuranceType.RESIDENT: (Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC),
    InsuranceType.EMPLOYEE: (Fund.EMPLOYEE_BASIC, Fund.EMPLOYEE_LARGE_AMOUNT),
}

_COLUMNS = {
    "person": "id, insuring_region, name_sealed, identity_sealed, identity_index",
    "visit": "id, person_id, institution, visit_no, insuring_region, care_region, kind, diagnosis_sealed, admitted_at, "
    "recorded_at, recorded_late, state, status, insurance_type, person_group, membership_years",
    "bill": "id, visit_id, person_id, institution, insuring_region, care_region, insurance_type, regime, bill_no, "
    "revision, admitted_on, discharged_on, total_fen, full_self_pay_fen, over_limit_fen, first_self_pay_fen, "
    "in_policy_fen, fund_total_fen, personal_account_fen, cash_fen, hospital_borne_fen, lines, year, year_version, "
    "months_late, settled_at, settled_on, period, state",
    "bill_share": "bill_id, layer_no, fund, amount_fen",
    "entry": "id, event, subject, revision, window_id, insuring_region, care_region, bill_id, leg_count, happened_at, "
    "booked_on, recorded_at",
    "leg": "entry_id, leg_no, account_id, window_id, event, insuring_region, care_region, side, amount_fen",
}


@dataclass(frozen=True)
class _Bill:
    """One made-up settled bill; amounts in fen, `funds` in the order of the layers."""

    number: str
    person: int
    insuring: Region
    care: Region
    kind: InsuranceType
    day: date
    in_policy: int
    own: int
    funds: tuple[tuple[Fund, int], ...]

    @property
    def id(self) -> str:
        return f"bil-{self.number}"

    @property
    def total(self) -> int:
        return self.in_policy + self.own

    @property
    def paid(self) -> int:
        return sum(amount for _, amount in self.funds)

    @property
    def hospital(self) -> str:
        return f"H{self.care.code}00001"

    def legs(self) -> list[tuple[Account, Side, int]]:
        """As the recipe of a settled bill has them: each fund and the person against the hospital's claim."""
        debits = [(self._account(AccountKind.FUND_DUE, fund), Side.DEBIT, amount) for fund, amount in self.funds]
        debits.append((self._account(AccountKind.PATIENT_PAID), Side.DEBIT, self.total - self.paid))
        return [*debits, (self._account(AccountKind.HOSPITAL_CLAIM), Side.CREDIT, self.total)]

    def _account(self, kind: AccountKind, fund: Fund | None = None) -> Account:
        institution = None if fund else InstitutionCode(self.hospital)
        return Account(kind, self.insuring, self.care, self.kind, fund, institution)


def write_month(address: str, vault: Vault, period: Period, *, bills: int) -> None:
    """Write and commit so many bills of a cross-province month, then bring the planner's figures up to date."""
    made = [_made(period, number) for number in range(bills)]
    window = window_id(Regime.CROSS_PROVINCE, period)
    with psycopg.connect(address) as connection:
        connection.execute(
            "insert into clearing_window (id, regime, period, state) values (%s, %s, %s, 'open')",
            [window, Regime.CROSS_PROVINCE.value, str(period)],
        )
        _copy(connection, "person", _persons(made, period, vault))
        _copy(connection, "visit", (_visit(bill, period, vault) for bill in made))
        _copy(connection, "bill", (_bill(bill, period) for bill in made))
        _copy(
            connection,
            "bill_share",
            (
                (bill.id, number, fund.value, amount)
                for bill in made
                for number, (fund, amount) in enumerate(bill.funds, start=1)
            ),
        )
        accounts = _write_accounts(connection, made)
        _copy(connection, "entry", (_entry(bill, window) for bill in made))
        _copy(connection, "leg", (leg for bill in made for leg in _legs(bill, window, accounts)))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("analyze")


def _made(period: Period, number: int) -> _Bill:
    draw = random.Random(f"{period}/{number}")
    person = number // BILLS_OF_A_PERSON
    insuring = REGIONS[person % len(REGIONS)]
    # The kind belongs to the person: his bills are all of one insurance type.
    kind = InsuranceType.EMPLOYEE if person % 3 == 0 else InsuranceType.RESIDENT
    in_policy = draw.randint(2_000_00, 50_000_00)
    basic = in_policy * draw.randint(50, 80) // 100
    first, second = FUNDS[kind]
    funds = ((first, basic), (second, in_policy // 20)) if draw.randint(1, 3) == 1 else ((first, basic),)
    return _Bill(
        number=f"{period}-{number:08d}",
        person=person,
        insuring=insuring,
        care=draw.choice([region for region in REGIONS if region != insuring]),
        kind=kind,
        day=period.first_day + timedelta(days=draw.randint(0, 27)),
        in_policy=in_policy,
        own=draw.randint(1_00, 5_000_00),
        funds=funds,
    )


def _persons(bills: Sequence[_Bill], period: Period, vault: Vault) -> Iterator[tuple[object, ...]]:
    for bill in bills[::BILLS_OF_A_PERSON]:
        row = _person_id(bill, period)
        yield (
            row,
            bill.insuring.code,
            vault.seal("测试", table="person", column="name", row=row),
            vault.seal(row, table="person", column="identity", row=row),
            vault.blind_index(row, column="person.identity"),
        )


def _person_id(bill: _Bill, period: Period) -> str:
    return f"per-{period}-{bill.person:08d}"


def _visit(bill: _Bill, period: Period, vault: Vault) -> tuple[object, ...]:
    row = f"vis-{bill.number}"
    admitted = _noon(bill.day) - timedelta(days=5)
    return (
        row, _person_id(bill, period), bill.hospital, f"V{bill.number}", bill.insuring.code, bill.care.code, "ordinary",
        vault.seal("J18.900", table="visit", column="diagnosis", row=row), admitted, admitted, False, "settled", "1",
        bill.kind.value, "adult", 5,
    )  # fmt: skip


def _bill(bill: _Bill, period: Period) -> tuple[object, ...]:
    version = int(bill.number[-8:]) % BILLS_OF_A_PERSON + 1
    return (
        bill.id, f"vis-{bill.number}", _person_id(bill, period), bill.hospital, bill.insuring.code, bill.care.code,
        bill.kind.value, Regime.CROSS_PROVINCE.value, f"B{bill.number}", 1, bill.day - timedelta(days=5), bill.day,
        bill.total, bill.own, 0, 0, bill.in_policy, bill.paid, 0, bill.total - bill.paid, 0, pack_lines(()),
        bill.day.year, version, 0, _noon(bill.day), bill.day, str(period), "posted",
    )  # fmt: skip


def _entry(bill: _Bill, window: str) -> tuple[object, ...]:
    moment = _noon(bill.day)
    return (
        entry_id(Event.SETTLED, bill.id, 1), Event.SETTLED.value, bill.id, 1, window, bill.insuring.code,
        bill.care.code, bill.id, len(bill.funds) + 2, moment, bill.day, moment,
    )  # fmt: skip


def _legs(bill: _Bill, window: str, accounts: dict[Account, int]) -> Iterator[tuple[object, ...]]:
    entry = entry_id(Event.SETTLED, bill.id, 1)
    for number, (account, side, amount) in enumerate(bill.legs(), start=1):
        yield (
            entry, number, accounts[account], window, Event.SETTLED.value, bill.insuring.code, bill.care.code,
            side.value, amount,
        )  # fmt: skip


def _write_accounts(connection: psycopg.Connection, bills: Sequence[_Bill]) -> dict[Account, int]:
    accounts = {account: account_id(account) for bill in bills for account, _, _ in bill.legs()}
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into account (id, kind, insuring_region, care_region, insurance_type, fund, institution)
            values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing
            """,
            [
                (
                    number, account.kind.value, account.insuring_region.code, account.care_region.code,
                    account.insurance_type.value, account.fund.value if account.fund else None,
                    account.institution.code if account.institution else None,
                )
                for account, number in accounts.items()
            ],
        )  # fmt: skip
    return accounts


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} ({_COLUMNS[table]}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _noon(day: date) -> datetime:
    """Twelve o'clock in Shanghai."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
