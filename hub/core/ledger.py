"""Double-entry bookkeeping: accounts, balanced entries, reversals, and one recipe per business event.

Knows which accounts each business event moves.
Must not know SQL, windows' states or where amounts come from.
Sources: design section 4, invariants 3 and 4; corrections are new entries that mirror and name the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.core.codes import Fund, InstitutionCode, InsuranceType, Region
from hub.core.decision import Decision
from hub.core.errors import Inconsistent
from hub.core.money import Money, total


class Side(StrEnum):
    """Debit or credit; amounts themselves are always positive."""

    DEBIT = "D"
    CREDIT = "C"

    @property
    def other(self) -> Side:
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class AccountKind(StrEnum):
    """What an account counts. Debit balances are owed to the hub's books, credit balances are owed by them.

    hospital_claim   what hospitals are to receive for settled bills (credit)
    patient_paid     what persons paid at the desk, cash and personal account (debit)
    hospital_borne   what hospitals bear themselves above a standard (debit)
    fund_due         what an insuring region's fund owes a care region, not yet in a closed window (debit)
    clearing_due     the same, once a closed window has it: the gross matrix (debit)
    """

    HOSPITAL_CLAIM = "hospital_claim"
    PATIENT_PAID = "patient_paid"
    HOSPITAL_BORNE = "hospital_borne"
    FUND_DUE = "fund_due"
    CLEARING_DUE = "clearing_due"


_PER_FUND = frozenset({AccountKind.FUND_DUE, AccountKind.CLEARING_DUE})


@dataclass(frozen=True, slots=True)
class Account:
    """One account; the fields that identify it depend on its kind. Two regions always belong to it, for their sight."""

    kind: AccountKind
    insuring_region: Region
    care_region: Region
    insurance_type: InsuranceType
    fund: Fund | None = None
    institution: InstitutionCode | None = None

    def __post_init__(self) -> None:
        if (self.fund is not None) != (self.kind in _PER_FUND):
            raise Inconsistent(
                "account_fund", f"an account of kind {self.kind} names a fund exactly when it is a fund's"
            )
        if (self.institution is not None) == (self.kind in _PER_FUND):
            raise Inconsistent("account_institution", f"an account of kind {self.kind} names its hospital or its fund")

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """A sortable identity; accounts are locked in this order."""
        return (
            self.kind,
            self.insuring_region.code,
            self.care_region.code,
            self.insurance_type,
            self.fund or "",
            self.institution.code if self.institution else "",
        )


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry; the amount is positive, the side says which way."""

    account: Account
    side: Side
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.fen <= 0:
            raise Inconsistent("leg_amount", f"a leg's amount is positive, not {self.amount}")


class Event(StrEnum):
    """Business events that have a recipe."""

    SETTLED = "settled"
    CANCELLED = "cancelled"
    CLEARED = "cleared"


def entry_id(event: Event, subject: str, revision: int) -> str:
    """Derived, so that the same event can never be entered under two names."""
    return f"ent_{event}_{subject}_{revision}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced entry; `event`, `subject` and `revision` identify it once and for all.

    `subject` is the bill's id, or ``<window>/<insuring>/<care>/<type>/<fund>`` for a cell of a window.
    """

    event: Event
    subject: str
    revision: int
    legs: tuple[Leg, ...]
    reverses: str | None = None

    def __post_init__(self) -> None:
        if not self.legs:
            raise Inconsistent("entry_empty", f"{self.event} {self.subject}: an entry has legs")
        debit = total(leg.amount for leg in self.legs if leg.side is Side.DEBIT)
        credit = total(leg.amount for leg in self.legs if leg.side is Side.CREDIT)
        if debit != credit:
            raise Inconsistent("entry_unbalanced", f"{self.event} {self.subject}: debit {debit}, credit {credit}")

    @property
    def id(self) -> str:
        return entry_id(self.event, self.subject, self.revision)


def settled(
    decision: Decision,
    *,
    insuring_region: Region,
    care_region: Region,
    institution: InstitutionCode,
    insurance_type: InsuranceType,
    revision: int,
) -> Entry | None:
    """A settled bill: the hospital's claim stands against what each fund, the person and the hospital itself bear.

    None for a bill of zero in total: there is nothing to enter.
    """

    def account(kind: AccountKind, fund: Fund | None = None) -> Account:
        return Account(
            kind=kind,
            insuring_region=insuring_region,
            care_region=care_region,
            insurance_type=insurance_type,
            fund=fund,
            institution=None if fund else institution,
        )

    borne = [(account(AccountKind.FUND_DUE, fund), amount) for fund, amount in decision.shares.items()]
    borne.append((account(AccountKind.PATIENT_PAID), decision.cash + decision.personal_account))
    borne.append((account(AccountKind.HOSPITAL_BORNE), decision.hospital_borne))
    debits = [Leg(where, Side.DEBIT, amount) for where, amount in borne if amount]
    if not debits:
        return None
    claim = Leg(account(AccountKind.HOSPITAL_CLAIM), Side.CREDIT, decision.total)
    return Entry(event=Event.SETTLED, subject=decision.bill_id, revision=revision, legs=(*debits, claim))


def mirrored(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """The same legs on the other side."""
    return tuple(Leg(leg.account, leg.side.other, leg.amount) for leg in legs)


def cancelled(original: Entry) -> Entry:
    """The cancel of a settled bill: the mirror image of its entry, naming it."""
    if original.event is not Event.SETTLED:
        raise Inconsistent("cancel_of_other", f"{original.id} is not the entry of a settled bill")
    return Entry(
        event=Event.CANCELLED,
        subject=original.subject,
        revision=original.revision,
        legs=mirrored(original.legs),
        reverses=original.id,
    )


def cleared(
    amount: Money,
    *,
    window_id: str,
    insuring_region: Region,
    care_region: Region,
    insurance_type: InsuranceType,
    fund: Fund,
) -> Entry | None:
    """One cell of a closed window: what was due openly becomes due through clearing. Negative cells go the other way.

    None where settlements and cancels of the window cancel out.
    """
    if not amount:
        return None
    due, clearing = (
        Account(
            kind=kind,
            insuring_region=insuring_region,
            care_region=care_region,
            insurance_type=insurance_type,
            fund=fund,
        )
        for kind in (AccountKind.FUND_DUE, AccountKind.CLEARING_DUE)
    )
    forward = amount.fen > 0
    legs = (
        Leg(clearing, Side.DEBIT if forward else Side.CREDIT, abs(amount)),
        Leg(due, Side.CREDIT if forward else Side.DEBIT, abs(amount)),
    )
    subject = f"{window_id}/{insuring_region}/{care_region}/{insurance_type}/{fund}"
    return Entry(event=Event.CLEARED, subject=subject, revision=1, legs=legs)


def signed(leg: Leg) -> Money:
    """A leg's amount with debit positive."""
    return leg.amount if leg.side is Side.DEBIT else -leg.amount


def balances(entries: tuple[Entry, ...]) -> Mapping[Account, Money]:
    """Debit-positive balance of each account touched; the values always add up to zero."""
    found: dict[Account, Money] = {}
    for entry in entries:
        for leg in entry.legs:
            found[leg.account] = found.get(leg.account, Money(0)) + signed(leg)
    return found
