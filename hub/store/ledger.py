"""Entries and their legs: appended, never changed.

Knows the tables account, entry and leg. Must not know recipes: the core makes balanced entries, the database checks
them again when the transaction ends. Sources: design invariant 3; decision 0032.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.clearing import window_id
from hub.core.codes import Fund, InstitutionCode, InsuranceType, Regime, Region
from hub.core.dates import Period, business_day
from hub.core.errors import Inconsistent
from hub.core.ledger import Account, AccountKind, Entry, Event, Leg, Side
from hub.core.money import Money
from hub.store.scope import refusing
from hub.vault import Vault

# Accounts come in the order of their keys, so that two bookings that both open some never wait for each other in turn.
_ADD = text(
    """
    with opened as (
        insert into account (id, kind, insuring_region, care_region, insurance_type, fund, institution)
        select * from unnest(
            cast(:account_ids as bigint[]), cast(:kinds as text[]), cast(:insuring_regions as text[]),
            cast(:care_regions as text[]), cast(:insurance_types as text[]), cast(:funds as text[]),
            cast(:institutions as text[])
        )
        on conflict on constraint account_once do nothing
    ), kept as (
        insert into entry (
            id, event, subject, revision, window_id, insuring_region, care_region, bill_id, reverses, leg_count,
            happened_at, booked_on, recorded_at
        ) values (
            :id, :event, :subject, :revision, :window_id, :insuring_region, :care_region, :bill_id, :reverses,
            :leg_count, :happened_at, :booked_on, :recorded_at
        )
        on conflict on constraint entry_once do nothing
        returning id, event, window_id, insuring_region, care_region
    ), written as (
        insert into leg (
            entry_id, leg_no, account_id, window_id, event, insuring_region, care_region, side, amount_fen
        )
        select kept.id, given.leg_no, given.account_id, kept.window_id, kept.event, kept.insuring_region,
            kept.care_region, given.side, given.amount_fen
        from kept, unnest(cast(:leg_accounts as bigint[]), cast(:sides as text[]), cast(:amounts as bigint[]))
            with ordinality as given (account_id, side, amount_fen, leg_no)
    )
    select count(*) from kept
    """
)

_GET = text(
    """
    select entry.event, subject, revision, reverses, entry.window_id, bill_id, side, amount_fen, account.*
    from entry
    join leg on leg.entry_id = entry.id
    join account on account.id = leg.account_id
    where entry.id = :id
    order by leg_no
    """
)


def account_id(account: Account) -> int:
    """A number made from the account's key: the first 64 bits of its SHA-256, read as signed.

    So a leg can be written without looking its account up. Two keys with one number, which ten million accounts have
    with a chance of one in 360,000, would break the primary key loudly.
    """
    digest = hashlib.sha256("/".join(account.key).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Ledger:
    """The shelf of entries; see `hub.ports.store.Ledger`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(
        self,
        entry: Entry,
        *,
        regime: Regime,
        period: Period,
        bill_id: str | None,
        happened_at: datetime,
        recorded_at: datetime,
    ) -> bool:
        insuring_region, care_region = _pair(entry)
        window = window_id(regime, period)
        closed = Inconsistent("period_closed", f"{window} takes no entry of the event {entry.event}")
        with refusing({"entry_window_takes": closed}):
            kept = self._connection.execute(
                _ADD,
                {
                    **_accounts(entry),
                    "id": entry.id,
                    "event": entry.event.value,
                    "subject": entry.subject,
                    "revision": entry.revision,
                    "window_id": window,
                    "insuring_region": insuring_region,
                    "care_region": care_region,
                    "bill_id": bill_id,
                    "reverses": entry.reverses,
                    "leg_count": len(entry.legs),
                    "happened_at": happened_at,
                    "booked_on": business_day(happened_at),
                    "recorded_at": recorded_at,
                    "leg_accounts": [account_id(leg.account) for leg in entry.legs],
                    "sides": [leg.side.value for leg in entry.legs],
                    "amounts": [leg.amount.fen for leg in entry.legs],
                },
            ).scalar_one()
        if kept:
            return True
        self._check_same(entry)
        return False

    def get(self, entry_id: str) -> Entry | None:
        found = self._connection.execute(_GET, {"id": entry_id}).all()
        if not found:
            return None
        head = found[0]
        return Entry(
            event=Event(head.event),
            subject=head.subject,
            revision=head.revision,
            legs=tuple(Leg(_account(row), Side(row.side), Money(row.amount_fen)) for row in found),
            reverses=head.reverses,
        )

    def _check_same(self, entry: Entry) -> None:
        """The order of legs does not matter: an entry means the same whichever fund comes first."""
        held = self.get(entry.id)
        if held is None or Counter(held.legs) != Counter(entry.legs) or held.reverses != entry.reverses:
            raise Inconsistent("entry_differs", f"{entry.id} is in the ledger already, with other legs")


def _pair(entry: Entry) -> tuple[str, str]:
    pairs = {(leg.account.insuring_region.code, leg.account.care_region.code) for leg in entry.legs}
    if len(pairs) != 1:
        raise Inconsistent("entry_many_pairs", f"{entry.id} moves money of {len(pairs)} pairs of regions")
    return next(iter(pairs))


def _accounts(entry: Entry) -> dict[str, list[Any]]:
    accounts = sorted({leg.account for leg in entry.legs}, key=lambda account: account.key)
    return {
        "account_ids": [account_id(account) for account in accounts],
        "kinds": [account.kind.value for account in accounts],
        "insuring_regions": [account.insuring_region.code for account in accounts],
        "care_regions": [account.care_region.code for account in accounts],
        "insurance_types": [account.insurance_type.value for account in accounts],
        "funds": [account.fund.value if account.fund else None for account in accounts],
        "institutions": [account.institution.code if account.institution else None for account in accounts],
    }


def _account(row: Row[Any]) -> Account:
    return Account(
        kind=AccountKind(row.kind),
        insuring_region=Region(row.insuring_region),
        care_region=Region(row.care_region),
        insurance_type=InsuranceType(row.insurance_type),
        fund=Fund(row.fund) if row.fund else None,
        institution=InstitutionCode(row.institution) if row.institution else None,
    )
