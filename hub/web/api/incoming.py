"""The messages that come in, field by field: each is checked by its schema before anything else sees it.

Knows names and forms of fields. Must not know rules.
Sources: national interface messages 2301 to 2305, 2401, 2402 for what hospitals know of a stay and a bill.
"""

from __future__ import annotations

from enum import StrEnum

import marshmallow

from hub.core.bill import LARGEST_LINE_NO, MOST_LINES, AdmissionKind, BillLine
from hub.core.codes import BILLABLE_KINDS, CatalogKind, Regime
from hub.core.registration import Evidence, RegistrationCategory, RegistrationState
from hub.ports.records import ReportedBooking
from hub.web import fields
from hub.web.fields import MOST_IN_PAGE, USUAL_PAGE

MOST_BOOKINGS = 20_000
"""Rows of one day's report; the largest hospitals settle a tenth of it."""


class _In(marshmallow.Schema):
    """A message from outside: unknown fields are refused (mass assignment)."""

    class Meta:
        unknown = marshmallow.RAISE


# --- lists --------------------------------------------------------------------------------------------------


class PageQuery(_In):
    """Which part of a list."""

    after = fields.Number(longest=120, description="Cursor: `next` of the page before.")
    limit = fields.QueryWhole(least=1, most=MOST_IN_PAGE, load_default=USUAL_PAGE)


class ReasonIn(_In):
    """Why something is taken back."""

    reason = fields.Text(longest=200, required=True, openapi={"example": "entered twice"})


# --- registrations ------------------------------------------------------------------------------------------


class RegistrationIn(_In):
    """An application for off-site care (备案)."""

    insuring_region = fields.AreaCode(required=True, description="Where the person is insured.")
    care_region = fields.AreaCode(required=True, description="The city where care is to be covered.")
    category = fields.OneOf(RegistrationCategory, required=True)
    evidence = fields.OneOf(Evidence, required=True)
    start = fields.Day(required=True, description="First day of cover.")
    name = fields.Text(longest=50, required=True)
    identity = fields.Identity(required=True)
    phone = fields.Phone(load_default="", description="Mobile number for notices; may be left out.")
    notice_version = fields.Number(
        longest=40, required=True, description="Version of the notice that the person accepted."
    )


class DecisionIn(_In):
    """An officer's decision on a registration."""

    approve = fields.Flag(required=True)
    reason = fields.Text(longest=200, empty=True, load_default="", description="Required for a refusal.")


class RegistrationsQuery(PageQuery):
    """Which registrations."""

    state = fields.OneOf(RegistrationState)


# --- admissions ---------------------------------------------------------------------------------------------


class AdmissionIn(_In):
    """An admission, as message 2401 tells it."""

    institution = fields.Institution(required=True, description="The sender's own code.")
    visit_no = fields.Number(longest=40, required=True, description="The hospital's own number of the stay.")
    insuring_region = fields.AreaCode(required=True)
    name = fields.Text(longest=50, required=True)
    identity = fields.Identity(required=True)
    kind = fields.OneOf(AdmissionKind, required=True)
    diagnosis = fields.Number(longest=40, required=True, description="Code of the diagnosis at admission.")
    admitted_at = fields.Moment(required=True)


# --- bills --------------------------------------------------------------------------------------------------

LINE_FIELDS = {
    "line_no": fields.Whole(least=1, most=LARGEST_LINE_NO, required=True),
    "kind": fields.OneOf(CatalogKind, allowed=BILLABLE_KINDS, required=True),
    "code": fields.CatalogText(longest=64, required=True, description="The care region's own code."),
    "name": fields.CatalogText(longest=200, required=True, description="The hospital's name of it."),
    "unit_price": fields.Decimal(digits=7, places=6, required=True, description="Yuan."),
    "quantity": fields.Decimal(digits=6, places=4, signed=True, required=True, description="Negative for a return."),
    "amount": fields.Money(
        signed=True, digits=8, required=True, description="Price times quantity, half up to the fen."
    ),
    "fee_date": fields.Day(required=True),
    "returns": fields.Whole(least=1, most=LARGEST_LINE_NO, description="For a return: the line that it takes back."),
}
"""The one table of a fee line: the fast checker and the OpenAPI description are both made from it.

The bounds keep price times quantity, and the sum of all lines, inside what an amount can hold.
"""


class BillIn(_In):
    """A bill for a stay that was recorded before."""

    institution = fields.Institution(required=True, description="The sender's own code.")
    visit_no = fields.Number(longest=40, required=True)
    bill_no = fields.Number(longest=40, required=True, description="The hospital's own number of the bill.")
    revision = fields.Whole(
        least=1, most=9_999, load_default=1, description="Rises when a cancelled bill is sent again."
    )
    discharged_on = fields.Day(required=True)
    total = fields.Money(digits=8, required=True, description="What the lines add up to.")
    lines = fields.Rows(LINE_FIELDS, make=BillLine, least=1, most=MOST_LINES, required=True)


class BillsQuery(PageQuery):
    """Which bills."""

    day = fields.Day(description="Settled on this day.")
    period = fields.Month(description="Booked into this clearing month.")


# --- day reports --------------------------------------------------------------------------------------------

BOOKING_FIELDS = {
    "event_id": fields.Number(
        longest=120, required=True, openapi={"example": "bil-01jd3x5v2m8q0c6k4t7w9y1z3b/settled"}
    ),
    "insuring_region": fields.AreaCode(required=True),
    "total": fields.Money(signed=True, digits=8, required=True, description="Negative for a cancel."),
    "fund_total": fields.Money(signed=True, digits=8, required=True),
}


class DayReportIn(_In):
    """What the hospital booked on a day, for the daily match; a later report of the day replaces the earlier one."""

    institution = fields.Institution(required=True)
    day = fields.Day(required=True)
    bookings = fields.Rows(BOOKING_FIELDS, make=ReportedBooking, least=0, most=MOST_BOOKINGS, required=True)


# --- catalogs -----------------------------------------------------------------------------------------------


class CatalogQuery(_In):
    """Which entries: those whose code begins with, or whose name holds, a text."""

    q = fields.Text(longest=60, required=True, openapi={"example": "阑尾"})
    limit = fields.QueryWhole(least=1, most=MOST_IN_PAGE, load_default=20)


class OnDayQuery(_In):
    """On which day; today where it is left out."""

    on = fields.Day()


# --- clearing -----------------------------------------------------------------------------------------------


class StatementsQuery(PageQuery):
    """Which statements."""

    regime = fields.OneOf(Regime)
    period = fields.Month()


class StatementForm(StrEnum):
    """The forms in which a statement is kept."""

    JSON = "json"
    CSV = "csv"


class FormatQuery(_In):
    """In which form; `Accept` decides where it is left out."""

    format = fields.OneOf(StatementForm)
