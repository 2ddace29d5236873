"""The messages that go out, as OpenAPI describes them; none of these schemas ever writes one.

Knows names and forms of fields. Must not know how a record becomes a message (shapes).
Amounts are texts with two decimals everywhere.
"""

from __future__ import annotations

from typing import Any

import marshmallow
from marshmallow import fields as plain

from hub.core.bill import PUBLIC_STATES, AdmissionKind, VisitState
from hub.core.catalog import BenefitClass
from hub.core.classification import LineOutcome
from hub.core.clearing import WindowState
from hub.core.codes import CatalogKind, Fund, InsuranceType, Regime
from hub.core.decision import Payer, RefusalReason
from hub.core.ledger import Event
from hub.core.netting import NetMethod
from hub.core.registration import AccessBasis, Evidence, RegistrationCategory, RegistrationState
from hub.web import fields


class _Out(marshmallow.Schema):
    """A message of ours; only described, never used to write one."""


def _maybe(kind: Any) -> plain.Field[Any]:
    """One of an enumeration, or null."""
    return plain.Raw(metadata={"type": ["string", "null"], "enum": [*map(str, kind), None]})


def _maybe_text() -> plain.Field[Any]:
    return plain.String(allow_none=True)


# --- problems and health ------------------------------------------------------------------------------------


class FaultOut(_Out):
    """One thing wrong with a message."""

    where = plain.String(
        required=True, metadata={"description": "Path of the field, as lines[3].quantity; rows from 0."}
    )
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


# --- lists --------------------------------------------------------------------------------------------------


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


class PersonOut(_Out):
    """A person as others may see him: name and number masked."""

    name = plain.String(required=True, metadata={"example": "张*"})
    identity = plain.String(required=True, metadata={"example": "110***********1001"})


# --- registrations ------------------------------------------------------------------------------------------


class RegistrationOut(_Out):
    """A registration as it stands."""

    id = plain.String(required=True)
    reference = plain.String(required=True, metadata={"description": "The number that the patient is told."})
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    category = fields.OneOf(RegistrationCategory, required=True)
    evidence = fields.OneOf(Evidence, required=True)
    valid_from = plain.Date(required=True)
    valid_until = plain.Date(
        required=True,
        allow_none=True,
        metadata={"description": "First day that is no longer covered; null: until further notice."},
    )
    state = fields.OneOf(RegistrationState, required=True)
    channel = plain.String(required=True)
    notice_version = plain.String(required=True)
    submitted_at = plain.DateTime(required=True)
    decided_reason = plain.String(required=True)
    person = plain.Nested(PersonOut, metadata={"description": "Given when one registration is filed or looked at."})


# --- admissions ---------------------------------------------------------------------------------------------


class AdmissionOut(_Out):
    """An admission as it stands."""

    id = plain.String(required=True)
    visit_no = plain.String(required=True)
    institution = plain.String(required=True)
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = fields.OneOf(InsuranceType, required=True)
    kind = fields.OneOf(AdmissionKind, required=True)
    diagnosis = plain.String(metadata={"description": "Told to the hospital only."})
    admitted_at = plain.DateTime(required=True)
    recorded_at = plain.DateTime(required=True)
    recorded_late = plain.Boolean(required=True, metadata={"description": "Later than 24 hours (emergency: 72)."})
    state = fields.OneOf(VisitState, required=True)
    person = plain.Nested(PersonOut)


# --- bills --------------------------------------------------------------------------------------------------


class AmountsOut(_Out):
    """The four parts of a total."""

    total = fields.Money(required=True)
    full_self_pay = fields.Money(required=True)
    over_limit = fields.Money(required=True)
    first_self_pay = fields.Money(required=True)
    in_policy = fields.Money(required=True)


class FundShareOut(_Out):
    """What one fund pays."""

    fund = fields.OneOf(Fund, required=True)
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
    pays = fields.OneOf(Payer, required=True)
    fund = _maybe(Fund)


class WordsOut(_Out):
    """Words for the patient in both languages."""

    zh = plain.String(required=True)
    en = plain.String(required=True)


class BilledLineOut(_Out):
    """A fee line beside what it was classified to."""

    line_no = plain.Integer(required=True)
    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    unified_code = _maybe_text()
    outcome = fields.OneOf(LineOutcome, required=True)
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
    insurance_type = fields.OneOf(InsuranceType, required=True)
    regime = fields.OneOf(Regime, required=True)
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

    reason = fields.OneOf(RefusalReason, required=True)
    detail = plain.String(required=True)
    words = plain.Nested(WordsOut, required=True)


class QuoteOut(_Out):
    """What a settlement would give now; `refusal` in place of `split` and `steps` where it would be refused."""

    amounts = plain.Nested(AmountsOut, required=True)
    basis = fields.OneOf(AccessBasis, required=True)
    split = plain.Nested(SplitOut, required=True, allow_none=True)
    steps = plain.List(plain.Nested(StepOut), required=True)
    refusal = plain.Nested(RefusalOut, required=True, allow_none=True)
    lines = plain.List(plain.Nested(BilledLineOut), required=True)


# --- day reports --------------------------------------------------------------------------------------------


class DayReportOut(_Out):
    """What is held of the day now."""

    day = plain.Date(required=True)
    bookings = plain.Integer(required=True)
    total = fields.Money(required=True, signed=True)
    fund_total = fields.Money(required=True, signed=True)


# --- catalogs -----------------------------------------------------------------------------------------------


class EntryOut(_Out):
    """An entry of a unified code book."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    status = plain.String(required=True)
    parent = _maybe_text()
    attributes = plain.Dict(keys=plain.String(), values=plain.String(), required=True)


class EntriesOut(_Out):
    """Found entries, the best first."""

    items = plain.List(plain.Nested(EntryOut), required=True)


# --- clearing -----------------------------------------------------------------------------------------------


class StatementHeadOut(_Out):
    """A statement or notice of a closed month; its bytes never change."""

    id = plain.String(required=True)
    window_id = plain.String(required=True)
    region = plain.String(required=True)
    kind = plain.String(required=True)
    media_type = plain.String(required=True)
    sha256 = plain.String(required=True)


class PairTotalOut(_Out):
    """What one region owes another in one insurance type and fund."""

    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = fields.OneOf(InsuranceType, required=True)
    fund = fields.OneOf(Fund, required=True)
    amount = fields.Money(required=True, signed=True)
    bookings = plain.Integer(required=True)


class StatementBookingOut(_Out):
    """One settlement, or one cancel as a negative."""

    event = fields.OneOf(Event, required=True)
    bill_id = plain.String(required=True)
    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    institution = plain.String(required=True)
    insurance_type = fields.OneOf(InsuranceType, required=True)
    discharged_on = plain.Date(required=True)
    booked_on = plain.Date(required=True)
    months_late = plain.Integer(required=True)
    bill_total = fields.Money(required=True, signed=True)
    funds = plain.Dict(keys=plain.String(), values=plain.String(), required=True)
    fund_total = fields.Money(required=True, signed=True)


class StatementOut(_Out):
    """A statement (totals and bookings) or a notice (rows and their sum)."""

    region = plain.String(required=True)
    regime = fields.OneOf(Regime, required=True)
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
    regime = fields.OneOf(Regime, required=True)
    period = fields.Month(required=True)
    state = fields.OneOf(WindowState, required=True)


class WindowsOut(_Out):
    """All windows, by period and regime."""

    items = plain.List(plain.Nested(WindowOut), required=True)


class CellOut(_Out):
    """One cell of the gross matrix."""

    insuring_region = plain.String(required=True)
    care_region = plain.String(required=True)
    insurance_type = fields.OneOf(InsuranceType, required=True)
    fund = fields.OneOf(Fund, required=True)
    amount = fields.Money(required=True, signed=True)
    bills = plain.Integer(required=True)


class PositionOut(_Out):
    """A region's net in one insurance type: positive receives, negative pays."""

    insurance_type = fields.OneOf(InsuranceType, required=True)
    region = plain.String(required=True)
    amount = fields.Money(required=True, signed=True)


class TransferOut(_Out):
    """A payment that a net calls for."""

    method = fields.OneOf(NetMethod, required=True)
    insurance_type = fields.OneOf(InsuranceType, required=True)
    payer = plain.String(required=True)
    payee = plain.String(required=True)
    amount = fields.Money(required=True)


class MatrixOut(_Out):
    """The gross matrix, which is the legal record, and the nets laid over it; a region sees what concerns it."""

    window = plain.Nested(WindowOut, required=True)
    cells = plain.List(plain.Nested(CellOut), required=True)
    positions = plain.List(plain.Nested(PositionOut), required=True)
    transfers = plain.List(plain.Nested(TransferOut), required=True)
