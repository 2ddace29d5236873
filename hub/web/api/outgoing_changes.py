"""The messages of the mapping workbench that go out, as OpenAPI describes them; none of these schemas ever writes one.

Knows names and forms of fields. Must not know how a record becomes a message (shapes_changes).
Amounts are texts with two decimals, prices plain decimals, shares per cent.
"""

from __future__ import annotations

from marshmallow import fields as plain

from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, Fund, InsuranceType, Sex
from hub.core.mapping import CHANGE_MOVES, ChangeState, Grade, Origin
from hub.web import fields
from hub.web.api.outgoing import (
    AmountsOut,
    BilledLineOut,
    EntryOut,
    FundShareOut,
    WordsOut,
    _maybe,
    _maybe_text,
    _Out,
)

EVENTS = ["proposed", *dict.fromkeys(event for _, event, _ in CHANGE_MOVES.moves)]


def _maybe_day(description: str = "") -> plain.Field:
    return plain.Date(required=True, allow_none=True, metadata={"description": description} if description else {})


def _maybe_whole(description: str) -> plain.Field:
    return plain.Integer(required=True, allow_none=True, metadata={"description": description})


# --- what a catalog says ------------------------------------------------------------------------------------


class ConditionOut(_Out):
    """For whom a mapping applies; null parts do not matter."""

    sex = _maybe(Sex)
    age_from = _maybe_whole("Whole years, both ends included.")
    age_to = _maybe_whole("Whole years, both ends included.")
    insurance_type = _maybe(InsuranceType)
    diagnoses = plain.List(plain.String(), required=True)


class RestrictionOut(_Out):
    """For whom and where an entry is paid; null parts do not matter."""

    sex = _maybe(Sex)
    age_from = _maybe_whole("Whole years, both ends included.")
    age_to = _maybe_whole("Whole years, both ends included.")
    diagnoses = plain.List(plain.String(), required=True)
    inpatient_only = plain.Boolean(required=True)
    levels = plain.List(fields.OneOf(HospitalLevel), required=True)
    most_days = _maybe_whole("Days of a course in one stay.")


class MappingOut(_Out):
    """What a local code means in the unified catalog."""

    unified_code = _maybe_text()
    grade = fields.OneOf(Grade, required=True)
    payable = plain.Boolean(required=True, metadata={"description": "Whether a line may be paid under it."})
    valid_from = plain.Date(required=True)
    valid_until = _maybe_day()
    condition = plain.Nested(ConditionOut, required=True, allow_none=True)


class CatalogEntryOut(_Out):
    """An entry of a region's own catalog over a span of days."""

    name = plain.String(required=True)
    unit = plain.String(required=True)
    benefit_class = fields.OneOf(BenefitClass, required=True)
    first_self_pay = plain.String(required=True, metadata={"example": "10 %"})
    first_self_pay_of = plain.Dict(
        keys=plain.String(),
        values=plain.String(),
        required=True,
        metadata={"description": "Where it differs for one insurance type."},
    )
    price_limits = plain.Dict(
        keys=plain.String(),
        values=plain.String(),
        required=True,
        metadata={"description": "Yuan a unit, by hospital level."},
    )
    payment_standard = plain.String(
        required=True, allow_none=True, metadata={"description": "Yuan a unit that the funds share in."}
    )
    restriction = plain.Nested(RestrictionOut, required=True, allow_none=True)
    valid_from = plain.Date(required=True)
    valid_until = _maybe_day()
    grace_until = _maybe_day("Struck off, it is paid at its old terms up to the day before.")


class ItemOut(CatalogEntryOut):
    """An entry of a region's own catalog on a day, and its mapping."""

    region = plain.String(required=True)
    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    mapping = plain.Nested(MappingOut, required=True, allow_none=True)


class StretchOut(_Out):
    """Days on which nothing changes for a code."""

    valid_from = plain.Date(required=True)
    valid_until = _maybe_day()
    in_grace = plain.Boolean(required=True)
    entry = plain.Nested(CatalogEntryOut, required=True, allow_none=True)
    mappings = plain.List(plain.Nested(MappingOut), required=True)


class NewerCodeOut(_Out):
    """All that a region's catalog says of one code now; without stretches the code is gone."""

    code = plain.String(required=True)
    stretches = plain.List(plain.Nested(StretchOut), required=True)


class NewerCodesOut(_Out):
    """One page of the codes about which a region's catalog says something else than at the version asked from."""

    region = plain.String(required=True)
    kind = fields.OneOf(CatalogKind, required=True)
    version = plain.Integer(
        required=True, metadata={"description": "Keep that of the first page, and ask from it next time."}
    )
    items = plain.List(plain.Nested(NewerCodeOut), required=True)
    next = plain.String(required=True, allow_none=True)


class NewerEntriesOut(_Out):
    """One page of the unified entries that are new or otherwise; status `gone`: the newest release has it no more."""

    kind = fields.OneOf(CatalogKind, required=True)
    version = plain.Integer(
        required=True, metadata={"description": "Keep that of the first page, and ask from it next time."}
    )
    items = plain.List(plain.Nested(EntryOut), required=True)
    next = plain.String(required=True, allow_none=True)


# --- changes --------------------------------------------------------------------------------------------------


class ChangeOut(_Out):
    """A proposed, decided or undone change of one code."""

    id = plain.String(required=True)
    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    mapping = plain.Nested(MappingOut, required=True, allow_none=True)
    entry = plain.Nested(CatalogEntryOut, required=True, allow_none=True)
    origin = fields.OneOf(Origin, required=True)
    score = _maybe_whole("The candidate's score in thousandths, where one was taken.")
    reason = plain.String(required=True)
    state = fields.OneOf(ChangeState, required=True)
    order = _maybe_whole("Counts the region's decisions; null until it was first in force.")
    proposed_by = plain.String(required=True)
    proposed_at = plain.DateTime(required=True)
    reviewed_by = _maybe_text()
    reviewed_at = plain.DateTime(required=True, allow_none=True)


class ChangeMoveOut(_Out):
    """One step in the history of a change."""

    event = plain.String(required=True, metadata={"enum": EVENTS})
    state = fields.OneOf(ChangeState, required=True)
    who = plain.String(required=True)
    why = plain.String(required=True)
    at = plain.DateTime(required=True)


class ChangeToldOut(ChangeOut):
    """A change with its history and what the catalog holds on its first day."""

    target_name = plain.String(required=True, metadata={"description": "Of the unified entry; empty without one."})
    before = plain.Nested(StretchOut, required=True, allow_none=True)
    history = plain.List(plain.Nested(ChangeMoveOut), required=True)


class RefusedRowOut(_Out):
    """A row that was left as it was."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True, metadata={"description": "The local code."})
    name = plain.String(required=True)
    change_id = _maybe_text()
    reason = plain.String(required=True, metadata={"description": "Stable; for programs."})
    message = plain.String(required=True, metadata={"description": "How to mend it; for people."})


class BulkOut(_Out):
    """What one bulk errand did: all that was accepted was written together, what was refused left nothing behind."""

    accepted = plain.List(plain.Nested(ChangeOut), required=True)
    refused = plain.List(plain.Nested(RefusedRowOut), required=True)
    left = plain.Boolean(required=True, metadata={"description": "More rows may reach the score: send another."})


# --- the queue --------------------------------------------------------------------------------------------------


class CandidateOut(_Out):
    """A unified code that a local row may stand for."""

    unified_code = plain.String(required=True)
    name = plain.String(required=True)
    score = plain.Integer(required=True, metadata={"description": "The chance that it is right, in thousandths."})
    in_answer = plain.Boolean(required=True)
    reasons = plain.List(plain.Nested(WordsOut), required=True)


class QueueRowOut(_Out):
    """A local code that open bills name and that is not paid for want of an entry or a mapping."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    outcome = fields.OneOf(LineOutcome, required=True)
    bills = plain.Integer(required=True)
    lines = plain.Integer(required=True)
    amount = fields.Money(required=True, signed=True, description="What patients pay themselves for that reason alone.")
    candidates = plain.List(plain.Nested(CandidateOut), required=True)
    proposals = plain.List(plain.Nested(ChangeOut), required=True)


class QueueOut(_Out):
    """Waiting rows, the most money first."""

    items = plain.List(plain.Nested(QueueRowOut), required=True)
    next_offset = _maybe_whole("The offset of the page after; null at the end.")


class CoverageRowOut(_Out):
    """How far one catalog is mapped, in rows and in the money of open bills."""

    kind = fields.OneOf(CatalogKind, required=True)
    rows = plain.Integer(required=True)
    mapped = plain.Integer(required=True)
    payable = plain.Integer(required=True)
    amount = fields.Money(required=True, signed=True)
    waiting = fields.Money(required=True, signed=True)


class CoverageOut(_Out):
    """One row for each kind that can be billed."""

    on = plain.Date(required=True)
    items = plain.List(plain.Nested(CoverageRowOut), required=True)


class CodeOut(_Out):
    """All that is known of one local code."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = plain.String(required=True)
    name = plain.String(required=True)
    stretches = plain.List(plain.Nested(StretchOut), required=True)
    changes = plain.List(plain.Nested(ChangeToldOut), required=True)
    candidates = plain.List(plain.Nested(CandidateOut), required=True)


# --- impact -----------------------------------------------------------------------------------------------------


class ImpactSplitOut(_Out):
    """Who would bear a bill."""

    amounts = plain.Nested(AmountsOut, required=True)
    funds = plain.List(plain.Nested(FundShareOut), required=True)
    fund_total = fields.Money(required=True)
    person = fields.Money(required=True, description="Cash and personal account.")
    hospital = fields.Money(required=True)


class MovedLineOut(_Out):
    """A fee line that divides otherwise."""

    fee_date = plain.Date(required=True)
    before = plain.Nested(BilledLineOut, required=True)
    after = plain.Nested(BilledLineOut, required=True)


class MovedBillOut(_Out):
    """A bill whose shares move."""

    bill_id = plain.String(required=True)
    institution = plain.String(required=True)
    insuring_region = plain.String(required=True)
    discharged_on = plain.Date(required=True)
    to_fund = fields.Money(required=True, signed=True)
    before = plain.Nested(ImpactSplitOut, required=True)
    after = plain.Nested(ImpactSplitOut, required=True)
    lines = plain.List(plain.Nested(MovedLineOut), required=True)


class FundMoveOut(_Out):
    """What one fund of an insuring region would pay more."""

    insuring_region = plain.String(required=True)
    fund = fields.OneOf(Fund, required=True)
    amount = fields.Money(required=True, signed=True)
    bills = plain.Integer(required=True)


class UnansweredOut(_Out):
    """Bills that an insuring region gave no two decisions for; they stand in no sum."""

    insuring_region = plain.String(required=True)
    code = plain.String(required=True)
    words = plain.String(required=True)
    bills = plain.Integer(required=True)


class ImpactOut(_Out):
    """What a change would move between patients, hospitals and funds; each open bill decided by itself."""

    looked_at = plain.Integer(required=True, metadata={"description": "Open bills with the code on its days."})
    cut_off = plain.Boolean(required=True, metadata={"description": "There are more: the newest were looked at."})
    reclassified = plain.Integer(required=True)
    moved = plain.Integer(required=True)
    to_fund = fields.Money(required=True, signed=True, description="Negative where the funds would pay less.")
    from_person = fields.Money(required=True, signed=True)
    from_hospital = fields.Money(required=True, signed=True)
    by_fund = plain.List(plain.Nested(FundMoveOut), required=True)
    unanswered = plain.List(plain.Nested(UnansweredOut), required=True)
    most = plain.List(
        plain.Nested(MovedBillOut), required=True, metadata={"description": "The ten that move most, with their lines."}
    )
