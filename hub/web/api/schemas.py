"""The messages of the REST interface, field by field: what comes in is checked by them, what goes out is described.

Knows names and forms of fields. Must not know rules, nor how a record becomes a message (shapes).
Sources: national interface messages 2301 to 2305, 2401, 2402, 2501 for what hospitals know of a stay and a bill.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import marshmallow
from marshmallow import fields as plain

from hub.core.bill import MOST_LINES, PUBLIC_STATES, AdmissionKind, BillLine, VisitState
from hub.core.catalog import BenefitClass, LineOutcome
from hub.core.clearing import WindowState
from hub.core.codes import BILLABLE_KINDS, CatalogKind, Fund, Grade, InsuranceType, Regime
from hub.core.decision import Payer, RefusalReason
from hub.core.ledger import Event
from hub.core.netting import NetMethod
from hub.core.registration import AccessBasis, Evidence, RegistrationCategory, RegistrationState
from hub.ports.records import ReportedBooking
from hub.web import fields
from hub.web.fields import MOST_IN_PAGE, USUAL_PAGE

MOST_BOOKINGS = 20_000
"""Rows of one day's report; the largest hospitals settle a tenth of it."""


class _In(marshmallow.Schema):
    """A message from outside: unknown fields are refused (mass assignment)."""

    class Meta:
        unknown = marshmallow.RAISE


class _Out(marshmallow.Schema):
    """A message of ours; only described, never used to write one."""


def _known(kind: Any, **kwargs: Any) -> plain.Field[Any]:
    return fields.OneOf(kind, **kwargs)


def _maybe(kind: Any) -> plain.Field[Any]:
    """One of an enumeration, or null."""
    return plain.Raw(metadata={"type": ["string", "null"], "enum": [*map(str, kind), None]})


def _maybe_text() -> plain.Field[Any]:
    return plain.String(allow_none=True)


# --- problems and health -----------------------------------------------------------------------------------------


class FaultOut(_Out):
    """One thing wrong with a message."""

    where = plain.String(required=True, metadata={"description": "Path of the field, as lines[3].quantity; rows from 0."})
    code = plain.String(required=True, metadata={"description": "Stable; for programs."})
    message = plain.String(required=True, metadata={"description": "How to mend it; for people."})


class ProblemOut(_Out):
    """Problem details after RFC 9457."""

    type = plain.String(required=True)
    status = plain.Integer(required=True)
    code = plain.String(required=True, metadata={"description": "Stable; for programs.", "example": "fields_refused"})
    title = plain.String(required=True)
    detail = plain.String(required=True)
    faults = plain.List(plain.Nested(FaultOut), required=True)
    facts = plain.Dict(keys=plain.String(), values=plain.String())
    request_id = plain.String(required=True, metadata={"description": "Tell it to the operator when you ask for help."})


class HealthOut(_Out):
    """Whether the process runs or can work."""

    status = plain.String(required=True, metadata={"enum": ["alive", "ready"]})


# --- lists --------------------------------------------------------------------------------------------------------


class PageQuery(_In):
    """Which part of a list."""

    after = fields.Number(longest=120, description="Cursor: `next` of the page before.")
    limit = fields.QueryWhole(least=1, most=MOST_IN_PAGE, load_default=USUAL_PAGE)


def page_of(name: str, item: type[marshmallow.Schema]) -> type[marshmallow.Schema]:
    """The schema of one page of a list."""
    return type(
        name,
        (_Out,),
        {
            "__doc__": "One page of a list.",
            "items": plain.List(plain.Nested(item), required=True),
            "next": plain.String(
                required=True, allow_none=True, metadata={"description": "Cursor of the page after; null at the end."}
            ),
        },
    )


class ReasonIn(_In):
    """Why something is taken back."""

    reason = fields.Text(longest=200, required=True, openapi={"example": "entered twice"})


class PersonOut(_Out):
    """A person as others may see him: name and number masked."""

    name = plain.String(required=True, metadata={"example": "张*"})
    identity = plain.String(required=True, metadata={"example": "110***********1001"})


# --- registrations --------------------------------------------------------------------------------------------------


class RegistrationIn(_In):
    """An application for off-site care (备案)."""

    insuring_region = fields.AreaCode(required=True, description="Where the person is insured.")
    care_region = fields.AreaCode(required=True, description="The city where care is to be covered.")
    category = _known(RegistrationCategory, required=True)
    evidence = _known(Evidence, required=True)
    start = fields.Day(required=True, description="First day of cover.")
    name = fields.Text(longest=50, required=True)
    identity = fields.Identity(required=True)
    phone = fields.Phone(load_default="", description="Mobile number for notices; may be left out.")
    notice_version = fields.Number(longest=40, required=True, description="Version of the notice that the person accepted.")


class DecisionIn(_In):
    """An officer's decision on a registration."""

    approve = fields.Flag(required=True)
    reason = fields.Text(longest=200, empty=True, load_default="", description="Required for a refusal.")


class RegistrationOut(_Out):
    """A registration as it stands."""

    id = plain.String(required=True)
    reference = plain.String(required=True, metadata={"description": "The number that the patient is told."})
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    category = _known(RegistrationCategory, required=True)
    evidence = _known(Evidence, required=True)
    valid_from = plain.Date(required=True)
    valid_until = plain.Date(
        required=True, allow_none=True, metadata={"description": "First day that is no longer covered; null: until further notice."}
    )
    state = _known(RegistrationState, required=True)
    channel = plain.String(required=True)
    notice_version = plain.String(required=True)
    submitted_at = plain.DateTime(required=True)
    decided_reason = plain.String(required=True)
    person = plain.Nested(PersonOut, metadata={"description": "Given when one registration is filed or looked at."})


class RegistrationsQuery(PageQuery):
    """Which registrations."""

    state = _known(RegistrationState)


# --- admissions ----------------------------------------------------------------------------------------------------------


class AdmissionIn(_In):
    """An admission, as message 2401 tells it."""

    institution = fields.Institution(required=True, description="The sender's own code.")
    visit_no = fields.Number(longest=40, required=True, description="The hospital's own number of the stay.")
    insuring_region = fields.AreaCode(required=True)
    name = fields.Text(longest=50, required=True)
    identity = fields.Identity(required=True)
    kind = _known(AdmissionKind, required=True)
    diagnosis = fields.Number(longest=40, required=True, description="Code of the diagnosis at admission.")
    admitted_at = fields.Moment(required=True)


class AdmissionOut(_Out):
    """An admission as it stands."""

    id = plain.String(required=True)
    visit_no = plain.String(required=True)
    institution = plain.String(required=True)
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = _known(InsuranceType, required=True)
    kind = _known(AdmissionKind, required=True)
    diagnosis = plain.String(metadata={"description": "Told to the hospital only."})
    admitted_at = plain.DateTime(required=True)
    recorded_at = plain.DateTime(required=True)
    recorded_late = plain.Boolean(required=True, metadata={"description": "Later than 24 hours (emergency: 72)."})
    state = _known(VisitState, required=True)
    person = plain.Nested(PersonOut)


# --- bills -----------------------------------------------------------------------------------------------------------

LINE_FIELDS = {
    "line_no": fields.Whole(least=1, most=10**15 - 1, required=True),
    "kind": fields.OneOf(CatalogKind, allowed=BILLABLE_KINDS, required=True),
    "code": fields.Text(longest=64, required=True, description="The care region's own code."),
    "name": fields.Text(longest=200, required=True, description="The hospital's name of it."),
    "unit_price": fields.Decimal(digits=7, places=6, required=True, description="Yuan."),
    "quantity": fields.Decimal(digits=6, places=4, signed=True, required=True, description="Negative for a return."),
    "amount": fields.Money(signed=True, digits=8, required=True, description="Price times quantity, half up to the fen."),
    "fee_date": fields.Day(required=True),
    "returns": fields.Whole(least=1, most=10**15 - 1, description="For a return: the line that it takes back."),
}
"""The one table of a fee line: the fast checker and the OpenAPI description are both made from it.

The bounds keep price times quantity, and the sum of all lines, inside what an amount can hold.
"""


class BillIn(_In):
    """A bill for a stay that was recorded before."""

    institution = fields.Institution(required=True, description="The sender's own code.")
    visit_no = fields.Number(longest=40, required=True)
    bill_no = fields.Number(longest=40, required=True, description="The hospital's own number of the bill.")
    revision = fields.Whole(least=1, most=9_999, load_default=1, description="Rises when a cancelled bill is sent again.")
    discharged_on = fields.Day(required=True)
    total = fields.Money(digits=8, required=True, description="What the lines add up to.")
    lines = fields.Rows(LINE_FIELDS, make=BillLine, least=1, most=MOST_LINES, required=True)


class AmountsOut(_Out):
    """The four parts of a total."""

    total = fields.Money(required=True)
    full_self_pay = fields.Money(required=True)
    over_limit = fields.Money(required=True)
    first_self_pay = fields.Money(required=True)
    in_policy = fields.Money(required=True)


class FundShareOut(_Out):
    """What one fund pays."""

    fund = _known(Fund, required=True)
    amount = fields.Money(required=True)


class SplitOut(_Out):
    """Who bears the total."""

    funds = plain.List(plain.Nested(FundShareOut), required=True)
    fund_total = fields.Money(required=True)
    personal_account = fields.Money(required=True)
    cash = fields.Money(required=True)
    hospital_borne = fields.Money(required=True)


class StepOut(_Out):
    """One clause at work; the amounts of all steps add up to the total."""

    layer = plain.String(required=True)
    parameter = plain.String(required=True)
    value = plain.String(required=True)
    valid_from = plain.Date(required=True)
    article = plain.String(required=True)
    base = fields.Money(required=True, signed=True)
    formula = plain.String(required=True)
    amount = fields.Money(required=True, signed=True)
    pays = _known(Payer, required=True)
    fund = _maybe(Fund)


class WordsOut(_Out):
    """Words for the patient in both languages."""

    zh = plain.String(required=True)
    en = plain.String(required=True)


class BilledLineOut(_Out):
    """A fee line beside what it was classified to."""

    line_no = plain.Integer(required=True)
    kind = _known(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    unified_code = _maybe_text()
    outcome = _known(LineOutcome, required=True)
    words = plain.Nested(WordsOut, required=True)
    benefit_class = _maybe(BenefitClass)
    amount = fields.Money(required=True, signed=True)
    full_self_pay = fields.Money(required=True, signed=True)
    over_limit = fields.Money(required=True, signed=True)
    first_self_pay = fields.Money(required=True, signed=True)
    in_policy = fields.Money(required=True, signed=True)


class BillHeadOut(_Out):
    """A bill in a list."""

    id = plain.String(required=True)
    bill_no = plain.String(required=True)
    revision = plain.Integer(required=True)
    state = plain.String(required=True, metadata={"enum": sorted(set(PUBLIC_STATES.values()))})
    visit_id = plain.String(required=True)
    institution = plain.String(required=True)
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = _known(InsuranceType, required=True)
    regime = _known(Regime, required=True)
    admitted_on = plain.Date(required=True)
    discharged_on = plain.Date(required=True)
    settled_on = plain.Date(required=True)
    period = fields.Month(required=True, description="The clearing month that it was booked into.")
    months_late = plain.Integer(required=True)
    amounts = plain.Nested(AmountsOut, required=True)
    split = plain.Nested(SplitOut, required=True)


class SettledOut(BillHeadOut):
    """A bill with the explanation of every fen."""

    policy = plain.String(required=True, metadata={"description": "The insuring region's policy that decided."})
    registration_id = _maybe_text()
    steps = plain.List(plain.Nested(StepOut), required=True)


class BillOut(SettledOut):
    """A bill with its explanation and its lines."""

    lines = plain.List(plain.Nested(BilledLineOut), required=True)


class RefusalOut(_Out):
    """Why the insuring region would not settle the bill directly."""

    reason = _known(RefusalReason, required=True)
    detail = plain.String(required=True)
    words = plain.Nested(WordsOut, required=True)


class QuoteOut(_Out):
    """What a settlement would give now; `refusal` in place of `split` and `steps` where it would be refused."""

    amounts = plain.Nested(AmountsOut, required=True)
    basis = _known(AccessBasis, required=True)
    split = plain.Nested(SplitOut, required=True, allow_none=True)
    steps = plain.List(plain.Nested(StepOut), required=True)
    refusal = plain.Nested(RefusalOut, required=True, allow_none=True)
    lines = plain.List(plain.Nested(BilledLineOut), required=True)


class BillsQuery(PageQuery):
    """Which bills."""

    day = fields.Day(description="Settled on this day.")
    period = fields.Month(description="Booked into this clearing month.")


# --- day reports -----------------------------------------------------------------------------------------------------

BOOKING_FIELDS = {
    "event_id": fields.Number(longest=120, required=True, openapi={"example": "bil-01jd3x5v2m8q0c6k4t7w9y1z3b/settled"}),
    "insuring_region": fields.AreaCode(required=True),
    "total": fields.Money(signed=True, digits=8, required=True, description="Negative for a cancel."),
    "fund_total": fields.Money(signed=True, digits=8, required=True),
}


class DayReportIn(_In):
    """What the hospital booked on a day, for the daily match; a later report of the day replaces the earlier one."""

    institution = fields.Institution(required=True)
    day = fields.Day(required=True)
    bookings = fields.Rows(BOOKING_FIELDS, make=ReportedBooking, least=0, most=MOST_BOOKINGS, required=True)


class DayReportOut(_Out):
    """What is held of the day now."""

    day = plain.Date(required=True)
    bookings = plain.Integer(required=True)
    total = fields.Money(required=True, signed=True)
    fund_total = fields.Money(required=True, signed=True)


# --- catalogs ----------------------------------------------------------------------------------------------------------


class CatalogQuery(_In):
    """Which entries: those whose code begins with, or whose name holds, a text."""

    q = fields.Text(longest=60, required=True, openapi={"example": "阑尾"})
    limit = fields.QueryWhole(least=1, most=MOST_IN_PAGE, load_default=20)


class EntryOut(_Out):
    """An entry of a unified code book."""

    kind = _known(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    status = plain.String(required=True)
    parent = _maybe_text()
    attributes = plain.Dict(keys=plain.String(), values=plain.String(), required=True)


class EntriesOut(_Out):
    """Found entries, the best first."""

    items = plain.List(plain.Nested(EntryOut), required=True)


class OnDayQuery(_In):
    """On which day; today where it is left out."""

    on = fields.Day()


class MappingOut(_Out):
    """What a local code means in the unified catalog."""

    unified_code = _maybe_text()
    grade = _known(Grade, required=True)
    payable = plain.Boolean(required=True, metadata={"description": "Whether a line may be paid under it."})
    valid_from = plain.Date(required=True)
    valid_until = plain.Date(required=True, allow_none=True)


class ItemOut(_Out):
    """An entry of a region's own catalog on a day, and its mapping."""

    region = plain.String(required=True)
    kind = _known(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    unit = plain.String(required=True)
    benefit_class = _known(BenefitClass, required=True)
    first_self_pay = plain.String(required=True, metadata={"example": "10 %"})
    price_limits = plain.Dict(
        keys=plain.String(), values=plain.String(), required=True, metadata={"description": "Yuan a unit, by hospital level."}
    )
    valid_from = plain.Date(required=True)
    valid_until = plain.Date(required=True, allow_none=True)
    mapping = plain.Nested(MappingOut, required=True, allow_none=True)


# --- clearing ----------------------------------------------------------------------------------------------------------


class StatementsQuery(PageQuery):
    """Which statements."""

    regime = _known(Regime)
    period = fields.Month()


class StatementHeadOut(_Out):
    """A statement or notice of a closed month; its bytes never change."""

    id = plain.String(required=True)
    window_id = plain.String(required=True)
    region = plain.String(required=True)
    kind = plain.String(required=True)
    media_type = plain.String(required=True)
    sha256 = plain.String(required=True)


class StatementForm(StrEnum):
    """The forms in which a statement is kept."""

    JSON = "json"
    CSV = "csv"


class FormatQuery(_In):
    """In which form; `Accept` decides where it is left out."""

    format = fields.OneOf(StatementForm)


class PairTotalOut(_Out):
    """What one region owes another in one insurance type and fund."""

    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = _known(InsuranceType, required=True)
    fund = _known(Fund, required=True)
    amount = fields.Money(required=True, signed=True)
    bookings = plain.Integer(required=True)


class StatementBookingOut(_Out):
    """One settlement, or one cancel as a negative."""

    event = _known(Event, required=True)
    bill_id = plain.String(required=True)
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    institution = plain.String(required=True)
    insurance_type = _known(InsuranceType, required=True)
    discharged_on = plain.Date(required=True)
    booked_on = plain.Date(required=True)
    months_late = plain.Integer(required=True)
    bill_total = fields.Money(required=True, signed=True)
    funds = plain.Dict(keys=plain.String(), values=plain.String(), required=True)
    fund_total = fields.Money(required=True, signed=True)


class StatementOut(_Out):
    """A statement (totals and bookings) or a notice (rows and their sum)."""

    region = plain.String(required=True)
    regime = _known(Regime, required=True)
    period = fields.Month(required=True)
    payable = fields.Money(signed=True)
    receivable = fields.Money(signed=True)
    totals = plain.List(plain.Nested(PairTotalOut))
    bookings = plain.List(plain.Nested(StatementBookingOut))
    notice = plain.String()
    basis = plain.String()
    rows = plain.List(plain.Nested(PairTotalOut))
    sum = fields.Money(signed=True)


class WindowOut(_Out):
    """A clearing month of one regime."""

    id = plain.String(required=True)
    regime = _known(Regime, required=True)
    period = fields.Month(required=True)
    state = _known(WindowState, required=True)


class WindowsOut(_Out):
    """All windows, by period and regime."""

    items = plain.List(plain.Nested(WindowOut), required=True)


class CellOut(_Out):
    """One cell of the gross matrix."""

    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = _known(InsuranceType, required=True)
    fund = _known(Fund, required=True)
    amount = fields.Money(required=True, signed=True)
    bills = plain.Integer(required=True)


class PositionOut(_Out):
    """A region's net in one insurance type: positive receives, negative pays."""

    insurance_type = _known(InsuranceType, required=True)
    region = plain.String(required=True)
    amount = fields.Money(required=True, signed=True)


class TransferOut(_Out):
    """A payment that a net calls for."""

    method = _known(NetMethod, required=True)
    insurance_type = _known(InsuranceType, required=True)
    payer = plain.String(required=True)
    payee = plain.String(required=True)
    amount = fields.Money(required=True)


class MatrixOut(_Out):
    """The gross matrix, which is the legal record, and the nets laid over it; a region sees what concerns it."""

    window = plain.Nested(WindowOut, required=True)
    cells = plain.List(plain.Nested(CellOut), required=True)
    positions = plain.List(plain.Nested(PositionOut), required=True)
    transfers = plain.List(plain.Nested(TransferOut), required=True)
