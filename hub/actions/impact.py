"""What a change of a catalog would move between fund and patient, told before anybody approves it.

Knows how open bills are divided and decided twice, under the catalog as it is and as it would be, and added up.
Must not change anything, name a person, or guess what a region would have answered.
Sources: design section 5 C1 (impact preview); decision 0063.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from hub.actions.context import Hub
from hub.actions.drafting import (
    ProposeEntry,
    ProposeMapping,
    check_first_day,
    check_known,
    check_mapping,
    drafted_entry,
    drafted_mapping,
    earliest_for,
    own_region,
)
from hub.actions.mapping import found_change
from hub.actions.settlement import treated
from hub.core.bill import ClassifiedAmounts, add_up
from hub.core.catalog import CareCatalog, CatalogItem, Change
from hub.core.classification import ClassifiedLine, classify_lines
from hub.core.codes import Fund, InstitutionCode, Region
from hub.core.decision import Decision, Refusal, check_answer
from hub.core.errors import Conflict, Inconsistent, NotAllowed, Unreachable
from hub.core.mapping import HOLDING_STATES, ChangeState
from hub.core.mapping import Mapping as CodeMapping
from hub.core.money import ZERO, Money, total
from hub.ports import Participant, UnitOfWork
from hub.ports.catalogs import ChangeRecord
from hub.ports.records import BillRecord

MOST_BILLS = 2_000
"""Open bills that a preview looks at, the newest first; it says so where there are more."""

MOST_SHOWN = 10
"""Bills shown with their lines: those that move most."""

AT_ONCE = 100
"""Bills read in one transaction: none is open while a region is asked."""

LATEST = 2**62
"""The order of a draft: decided after everything else."""


@dataclass(frozen=True, slots=True)
class Split:
    """Who bears a bill, and the four parts that this follows from."""

    amounts: ClassifiedAmounts
    shares: Mapping[Fund, Money]
    fund_total: Money
    person: Money
    hospital: Money

    @property
    def bearers(self) -> tuple[Mapping[Fund, Money], Money, Money]:
        """Who bears how much, without those who bear nothing."""
        return {fund: amount for fund, amount in self.shares.items() if amount}, self.person, self.hospital


@dataclass(frozen=True, slots=True)
class MovedLine:
    """A fee line that divides otherwise."""

    line_no: int
    fee_date: date
    code: str
    amount: Money
    before: ClassifiedLine
    after: ClassifiedLine


@dataclass(frozen=True, slots=True)
class MovedBill:
    """A bill whose shares move. `to_fund` is what the funds would pay more; negative where they would pay less."""

    bill_id: str
    institution: InstitutionCode
    insuring_region: Region
    discharged_on: date
    before: Split
    after: Split
    to_fund: Money
    lines: tuple[MovedLine, ...]


@dataclass(frozen=True, slots=True)
class FundMove:
    """What one fund of an insuring region would pay more, over so many bills."""

    insuring_region: Region
    fund: Fund
    amount: Money
    bills: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Bills that an insuring region gave no two decisions for, and why; they stand in no sum."""

    insuring_region: Region
    code: str
    words: str
    bills: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What would move. `to_fund` equals `from_person` and `from_hospital` together, to the fen.

    Each bill is decided by itself, with the running totals it was settled with: what it would move in later bills of
    the same person is not followed.
    """

    looked_at: int
    cut_off: bool
    reclassified: int
    moved: int
    to_fund: Money
    from_person: Money
    from_hospital: Money
    by_fund: Sequence[FundMove]
    unanswered: Sequence[Unanswered]
    most: Sequence[MovedBill]

    def __post_init__(self) -> None:
        if self.to_fund != self.from_person + self.from_hospital:
            raise Inconsistent("impact_conserved", "what the funds gain is not what the others lose")
        if total(one.amount for one in self.by_fund) != self.to_fund:
            raise Inconsistent("impact_funds", "the funds' parts do not add up")


def impact_of_mapping(
    hub: Hub, command: ProposeMapping, *, by: Participant, as_of: datetime, most_bills: int = MOST_BILLS
) -> Impact:
    """What a mapping would move if it held; refused as `propose_mapping` refuses it."""
    region = own_region(by)
    draft = drafted_mapping(region, command)
    catalog = hub.catalog(region)
    with hub.store.begin(by.scope) as uow:
        check_known(uow, draft.local, catalog=catalog)
        check_mapping(uow, draft, catalog=catalog, earliest=earliest_for(hub, uow, as_of=as_of))
    return _of_draft(hub, draft, catalog=catalog, by=by, most_bills=most_bills)


def impact_of_entry(
    hub: Hub, command: ProposeEntry, *, by: Participant, as_of: datetime, most_bills: int = MOST_BILLS
) -> Impact:
    """What another entry would move if it held; refused as `propose_entry` refuses it."""
    catalog = hub.catalog(own_region(by))
    draft = drafted_entry(command, catalog=catalog)
    with hub.store.begin(by.scope) as uow:
        check_known(uow, draft.local, catalog=catalog)
        check_first_day(draft.valid.start, earliest=earliest_for(hub, uow, as_of=as_of))
    return _of_draft(hub, draft, catalog=catalog, by=by, most_bills=most_bills)


def impact_of_change(hub: Hub, change_id: str, *, by: Participant, most_bills: int = MOST_BILLS) -> Impact:
    """What approving a proposal would move, or undoing a change that holds. Raises Conflict for any other state."""
    catalog = hub.catalog(own_region(by))
    with hub.store.begin(by.scope) as uow:
        record = found_change(uow, change_id, by)
    if record.state is ChangeState.PROPOSED:
        return _of_draft(hub, record.new, catalog=catalog, by=by, most_bills=most_bills)
    if record.state not in HOLDING_STATES:
        raise Conflict("change_is_over", f"change {change_id} is {record.state}: nothing would move")
    return _between(hub, record.new, before=catalog, after=_without(catalog, record), by=by, most_bills=most_bills)


def _of_draft(
    hub: Hub, draft: CatalogItem | CodeMapping, *, catalog: CareCatalog, by: Participant, most_bills: int
) -> Impact:
    after = catalog.with_changes([Change(LATEST, draft)])
    return _between(hub, draft, before=catalog, after=after, by=by, most_bills=most_bills)


def _without(catalog: CareCatalog, record: ChangeRecord) -> CareCatalog:
    if record.order is None:
        raise Inconsistent("change_without_order", f"change {record.id} is {record.state} and has no order")
    return catalog.without_change(record.order)


def _between(
    hub: Hub,
    new: CatalogItem | CodeMapping,
    *,
    before: CareCatalog,
    after: CareCatalog,
    by: Participant,
    most_bills: int,
) -> Impact:
    """Decide the open bills with the code on its days under both catalogs, and add up what differs."""
    days = new.payable if isinstance(new, CatalogItem) else new.valid
    with hub.store.begin(by.scope) as uow:
        ids = uow.waiting.bills_with(new.local, since=days.start, until=days.end, limit=most_bills + 1)
    asking = _Asking(hub)
    sums = _Sums()
    for bill, lines_before, lines_after in _divided(hub, ids[:most_bills], before=before, after=after, by=by):
        sums.looked_at += 1
        if lines_before == lines_after:
            continue
        sums.reclassified += 1
        splits = asking.both(bill, lines_before, lines_after)
        if splits is not None:
            sums.add(_moved(bill, *splits, lines_before, lines_after))
    return sums.impact(cut_off=len(ids) > most_bills, unanswered=asking.unanswered())


def _divided(
    hub: Hub, ids: Sequence[str], *, before: CareCatalog, after: CareCatalog, by: Participant
) -> Iterator[tuple[BillRecord, tuple[ClassifiedLine, ...], tuple[ClassifiedLine, ...]]]:
    """Each bill with its lines divided under both catalogs; the person stays inside."""
    for start in range(0, len(ids), AT_ONCE):
        with hub.store.begin(by.scope) as uow:
            found = [_one_divided(uow, bill_id, before, after) for bill_id in ids[start : start + AT_ONCE]]
        yield from (one for one in found if one is not None)


def _one_divided(
    uow: UnitOfWork, bill_id: str, before: CareCatalog, after: CareCatalog
) -> tuple[BillRecord, tuple[ClassifiedLine, ...], tuple[ClassifiedLine, ...]] | None:
    bill = uow.bills.get(bill_id)
    visit = None if bill is None else uow.visits.get(bill.visit_id)
    person = None if bill is None else uow.persons.get(bill.person_id)
    if bill is None:
        return None
    if visit is None or person is None:
        raise Inconsistent("bill_without_visit", f"bill {bill_id} has no visit or no person")
    who = treated(visit, person, level=bill.request.level)
    sent = [one.sent for one in bill.lines]
    return (
        bill,
        classify_lines(sent, catalog=before, treated=who),
        classify_lines(sent, catalog=after, treated=who),
    )


def _moved(
    bill: BillRecord,
    before: Split,
    after: Split,
    lines_before: Sequence[ClassifiedLine],
    lines_after: Sequence[ClassifiedLine],
) -> MovedBill:
    lines = tuple(
        MovedLine(one.sent.line_no, one.sent.fee_date, one.sent.code, one.sent.amount, old, new)
        for one, old, new in zip(bill.lines, lines_before, lines_after, strict=True)
        if old != new
    )
    return MovedBill(
        bill_id=bill.id,
        institution=bill.institution,
        insuring_region=bill.insuring_region,
        discharged_on=bill.discharged_on,
        before=before,
        after=after,
        to_fund=after.fund_total - before.fund_total,
        lines=lines,
    )


# --- asking the insuring regions ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Asking:
    """Asks insuring regions for decisions, and remembers who did not give them."""

    hub: Hub
    _silent: dict[Region, tuple[str, str]] = field(default_factory=dict)
    _missing: dict[tuple[Region, str, str], int] = field(default_factory=dict)

    def both(
        self, bill: BillRecord, before: Sequence[ClassifiedLine], after: Sequence[ClassifiedLine]
    ) -> tuple[Split, Split] | None:
        """Both decisions of one bill; None where one of them is not to be had."""
        found = self._split(bill, before)
        other = None if found is None else self._split(bill, after)
        return None if found is None or other is None else (found, other)

    def unanswered(self) -> list[Unanswered]:
        return [Unanswered(*key, bills) for key, bills in sorted(self._missing.items())]

    def _split(self, bill: BillRecord, lines: Sequence[ClassifiedLine]) -> Split | None:
        region = bill.insuring_region
        found = self._silent.get(region) or self._asked(bill, lines)
        if isinstance(found, Split):
            return found
        key = (region, *found)
        self._missing[key] = self._missing.get(key, 0) + 1
        return None

    def _asked(self, bill: BillRecord, lines: Sequence[ClassifiedLine]) -> Split | tuple[str, str]:
        """The decision, or a code and words for why there is none."""
        try:
            request = replace(bill.request, amounts=add_up(lines))
            answer = self.hub.gateway(bill.insuring_region).decide(request)
            if isinstance(answer, Decision):
                check_answer(answer, request=request)
        except Unreachable as error:
            # Asking a region that is down once more for each of a thousand bills would take hours.
            self._silent[bill.insuring_region] = (error.code, "the region does not answer")
            return self._silent[bill.insuring_region]
        except NotAllowed as error:
            return error.code, error.message
        except Inconsistent as error:
            return error.code, "the region's answer does not fit the question"
        if isinstance(answer, Refusal):
            return f"refused_{answer.reason}", "the region would not settle the bill directly"
        return Split(
            amounts=request.amounts,
            shares=dict(answer.shares),
            fund_total=answer.fund_total,
            person=answer.personal_account + answer.cash,
            hospital=answer.hospital_borne,
        )


# --- adding up ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sums:
    """What has moved so far; of the bills themselves only those that move most are kept."""

    looked_at: int = 0
    reclassified: int = 0
    moved: int = 0
    from_person_fen: int = 0
    from_hospital_fen: int = 0
    funds: dict[tuple[Region, Fund], tuple[int, int]] = field(default_factory=dict)
    most: list[MovedBill] = field(default_factory=list)

    def add(self, bill: MovedBill) -> None:
        before, after = bill.before, bill.after
        if before.bearers == after.bearers:
            return
        self.moved += 1
        self.from_person_fen += before.person.fen - after.person.fen
        self.from_hospital_fen += before.hospital.fen - after.hospital.fen
        for fund in {*before.shares, *after.shares}:
            fen = after.shares.get(fund, ZERO).fen - before.shares.get(fund, ZERO).fen
            if fen:
                so_far, bills = self.funds.get((bill.insuring_region, fund), (0, 0))
                self.funds[bill.insuring_region, fund] = (so_far + fen, bills + 1)
        self.most.append(bill)
        self.most.sort(key=_by_weight)
        del self.most[MOST_SHOWN:]

    def impact(self, *, cut_off: bool, unanswered: Sequence[Unanswered]) -> Impact:
        return Impact(
            looked_at=self.looked_at,
            cut_off=cut_off,
            reclassified=self.reclassified,
            moved=self.moved,
            to_fund=Money(sum(fen for fen, _ in self.funds.values())),
            from_person=Money(self.from_person_fen),
            from_hospital=Money(self.from_hospital_fen),
            by_fund=[
                FundMove(region, fund, Money(fen), bills) for (region, fund), (fen, bills) in sorted(self.funds.items())
            ],
            unanswered=unanswered,
            most=tuple(self.most),
        )


def _by_weight(bill: MovedBill) -> tuple[int, str]:
    return -abs(bill.to_fund.fen), bill.bill_id
