"""A hospital's bill as sent, its checks, its classified amounts and its states.

Knows lines, returns, visits, the four parts of a total and the moves of admissions and bills.
Must not know any insuring region's rule.
Sources: national interface messages 2301, 2303-2305, 2401, 2402; domain-process sections 6.1 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from hub.core.catalog import CareCatalog, HospitalLevel
from hub.core.classification import ClassifiedLine, Treated, classify_lines
from hub.core.codes import BILLABLE_KINDS, CatalogKind, InstitutionCode, Region, is_local_code
from hub.core.errors import Faults, Inconsistent, NotAllowed
from hub.core.lifecycle import Lifecycle
from hub.core.money import FEN_PER_YUAN, LARGEST_FEN, ZERO, Money, line_amount, total

MOST_LINES = 5_000
"""More lines than any published stay; a bill above it is split by the hospital (interim settlement)."""

LARGEST_LINE_NO = 10**15 - 1
"""A line number has at most fifteen digits: the most that every reader of JSON keeps exactly."""


class VisitState(StrEnum):
    """Where a stay stands."""

    ADMITTED = "admitted"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


VISIT_MOVES = Lifecycle(
    "visit",
    start=VisitState.ADMITTED,
    moves=[
        (VisitState.ADMITTED, "settled", VisitState.SETTLED),
        (VisitState.ADMITTED, "withdrawn", VisitState.WITHDRAWN),
        (VisitState.SETTLED, "settlement_cancelled", VisitState.ADMITTED),
    ],
)


class BillState(StrEnum):
    """Where a bill stands. Inner states; `PUBLIC_STATES` maps them to the few that others see."""

    RECEIVED = "received"
    CODED = "coded"
    DECIDED = "decided"
    POSTED = "posted"
    CANCELLED = "cancelled"


BILL_MOVES = Lifecycle(
    "bill",
    start=BillState.RECEIVED,
    moves=[
        # every line has a unified code or a named reason why not
        (BillState.RECEIVED, "coded", BillState.CODED),
        # the insuring region has answered, and the answer adds up
        (BillState.CODED, "decided", BillState.DECIDED),
        # the entry exists; from here on only a reversal undoes it
        (BillState.DECIDED, "posted", BillState.POSTED),
        (BillState.POSTED, "cancelled", BillState.CANCELLED),
    ],
)

PUBLIC_STATES = {
    BillState.RECEIVED: "in_progress",
    BillState.CODED: "in_progress",
    BillState.DECIDED: "in_progress",
    BillState.POSTED: "settled",
    BillState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class BillLine:
    """One fee line as the hospital sent it. Price in yuan (six places) and quantity (four) are exact.

    A return has a negative quantity and names in `returns` the line that it takes back.
    """

    line_no: int
    kind: CatalogKind
    code: str
    name: str
    unit_price: Fraction
    quantity: Fraction
    amount: Money
    fee_date: date
    returns: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A whole bill of one stay as sent; `check_bill` says whether it is right."""

    bill_no: str
    admitted_on: date
    discharged_on: date
    lines: tuple[BillLine, ...]
    total: Money


def check_bill(bill: Bill, *, as_of: date) -> None:
    """Collect everything wrong with a bill and refuse it once, naming each field and row.

    Rows count from 0 as in the message. Raises NotAllowed with code ``bill_faulty``.
    """
    faults = Faults()
    if bill.discharged_on < bill.admitted_on:
        faults.add("discharged_on", "discharge_before_admission", "the discharge lies before the admission")
    if bill.discharged_on > as_of:
        faults.add("discharged_on", "discharge_in_future", "the discharge lies in the future")
    if not 1 <= len(bill.lines) <= MOST_LINES:
        faults.add("lines", "lines_count", f"a bill has 1 to {MOST_LINES} lines, not {len(bill.lines)}")
    by_number: dict[int, BillLine] = {}
    for row, line in enumerate(bill.lines):
        _check_line(line, row=row, bill=bill, by_number=by_number, faults=faults)
    _check_returns(bill.lines, by_number=by_number, faults=faults)
    added_fen = sum(line.amount.fen for line in bill.lines)
    if abs(added_fen) > LARGEST_FEN:
        faults.add("total", "total_too_large", f"the lines add up to more than {Money(LARGEST_FEN)}")
    elif added_fen != bill.total.fen:
        faults.add("total", "total_differs", f"the lines add up to {Money(added_fen)}, the bill says {bill.total}")
    if bill.total < ZERO:
        faults.add("total", "total_negative", "a bill's total is not negative: cancel the settled bill instead")
    faults.stop_if_any("bill_faulty", "the bill was refused as a whole; mend every fault listed and send it again")


def _check_line(line: BillLine, *, row: int, bill: Bill, by_number: dict[int, BillLine], faults: Faults) -> None:
    where = f"lines[{row}]"
    if line.kind not in BILLABLE_KINDS:
        faults.add(f"{where}.kind", "kind_not_billable", f"a fee line is a drug, herbal or service, not {line.kind}")
    if not is_local_code(line.code):
        faults.add(f"{where}.code", "code_malformed", "a code has 1 to 64 printable characters")
    if not 1 <= line.line_no <= LARGEST_LINE_NO:
        faults.add(f"{where}.line_no", "line_no_range", "a line number has 1 to 15 digits and is not 0")
    if line.line_no in by_number:
        faults.add(f"{where}.line_no", "line_no_twice", f"line number {line.line_no} occurs twice: number lines apart")
    by_number.setdefault(line.line_no, line)
    if line.unit_price < 0:
        faults.add(
            f"{where}.unit_price", "price_negative", "a price is not negative: give a return a negative quantity"
        )
    if line.quantity == 0:
        faults.add(f"{where}.quantity", "quantity_zero", "a quantity is not zero: leave the line out")
    if abs(line.unit_price * line.quantity) * FEN_PER_YUAN > LARGEST_FEN:
        faults.add(f"{where}.amount", "amount_too_large", f"price times quantity is more than {Money(LARGEST_FEN)}")
    else:
        expected = line_amount(unit_price=line.unit_price, quantity=line.quantity)
        if line.amount != expected:
            faults.add(
                f"{where}.amount", "amount_differs", f"price times quantity is {expected}, the line says {line.amount}"
            )
    if not bill.admitted_on <= line.fee_date <= bill.discharged_on:
        faults.add(f"{where}.fee_date", "fee_date_outside_stay", "the fee lies outside admission and discharge")
    if (line.quantity < 0) != (line.returns is not None):
        faults.add(
            f"{where}.returns", "return_unnamed", "a return has a negative quantity and names the line it returns"
        )


def _check_returns(lines: Sequence[BillLine], *, by_number: dict[int, BillLine], faults: Faults) -> None:
    """A return names an ordinary line of the same code and price; all returns of a line stay within its quantity."""
    left = {line.line_no: line.quantity for line in lines if line.returns is None}
    for row, line in enumerate(lines):
        if line.returns is None:
            continue
        where = f"lines[{row}].returns"
        original = by_number.get(line.returns)
        if original is None or original.returns is not None:
            faults.add(where, "return_of_nothing", f"line {line.returns} is not an ordinary line of this bill")
            continue
        if (original.kind, original.code, original.unit_price) != (line.kind, line.code, line.unit_price):
            faults.add(where, "return_differs", f"a return has the code and price of line {line.returns}")
        left[line.returns] += line.quantity
        if left[line.returns] < 0:
            faults.add(where, "return_above_original", f"more is returned than line {line.returns} had")


@dataclass(frozen=True, slots=True)
class ClassifiedAmounts:
    """The four parts of a bill's total, as they cross the border to the insuring region."""

    total: Money
    full_self_pay: Money
    over_limit: Money
    first_self_pay: Money
    in_policy: Money

    def __post_init__(self) -> None:
        parts = (self.full_self_pay, self.over_limit, self.first_self_pay, self.in_policy)
        if total(parts) != self.total:
            raise Inconsistent("bill_parts", f"parts {[str(part) for part in parts]} do not add up to {self.total}")
        if any(part < ZERO for part in parts):
            raise NotAllowed(
                "bill_part_negative", "the returns take back more of one part than the lines gave: return whole lines"
            )


def add_up(lines: Sequence[ClassifiedLine]) -> ClassifiedAmounts:
    """Sum classified lines; the sums of the lines are the head, to the fen."""
    return ClassifiedAmounts(
        total=total(line.amount for line in lines),
        full_self_pay=total(line.full_self_pay for line in lines),
        over_limit=total(line.over_limit for line in lines),
        first_self_pay=total(line.first_self_pay for line in lines),
        in_policy=total(line.in_policy for line in lines),
    )


def classify(bill: Bill, *, catalog: CareCatalog, treated: Treated) -> tuple[ClassifiedLine, ...]:
    """Classify every line of a bill; see `classify_lines`."""
    return classify_lines(bill.lines, catalog=catalog, treated=treated)


@dataclass(frozen=True, slots=True)
class Hospital:
    """A designated institution as the hub knows it: where it stands, how big it is, and since when it is networked."""

    code: InstitutionCode
    name: str
    region: Region
    level: HospitalLevel
    networked_from: date


class AdmissionKind(StrEnum):
    """Admission type (national field IPT_TYPE): ordinary 1, emergency 2, transfer 3."""

    ORDINARY = "ordinary"
    EMERGENCY = "emergency"
    TRANSFER = "transfer"


ADMISSION_RECORD_HOURS = {AdmissionKind.ORDINARY: 24, AdmissionKind.TRANSFER: 24, AdmissionKind.EMERGENCY: 72}
"""Hours after admission within which the hospital must record it (seed policy P24, Qin'an); inclusive."""


def is_recorded_late(*, kind: AdmissionKind, hours_elapsed: Fraction) -> bool:
    """Whether an admission was recorded after its limit; the limit itself is still in time (P24, proposed reading)."""
    return hours_elapsed > ADMISSION_RECORD_HOURS[kind]


def length_of_stay(*, admitted_on: date, discharged_on: date) -> int:
    """Days between admission and discharge; a stay within one day counts as one."""
    return max(1, (discharged_on - admitted_on) // timedelta(days=1))
