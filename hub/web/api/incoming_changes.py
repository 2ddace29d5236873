"""The messages of the mapping workbench that come in: proposals, reviews, bulk errands, questions.

Knows names and forms of fields. Must not know rules: the errands check what a proposal may say.
Sources: national queries 1312, 1316, 1318 and 1319 for what an entry and a mapping say; decision 0063.
"""

from __future__ import annotations

from typing import Any

import marshmallow
from marshmallow import fields as plain
from marshmallow import validate

from hub.actions.drafting import ProposeEntry, ProposeMapping
from hub.actions.mapping import MOST_IN_BULK
from hub.core.catalog import BenefitClass, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, Sex
from hub.core.mapping import ChangeState, Condition, Grade, Origin
from hub.web import fields
from hub.web.api.incoming import PageQuery, _In
from hub.web.fields import MOST_IN_PAGE

MOST_DIAGNOSES = 100
MOST_OFFSET = 100_000
HIGHEST_SCORE = 1_000
OLDEST = 150


def _or_null(field: Any) -> Any:
    """The field with null for "none"; a field left out says "as before"."""
    field.allow_none = True
    field.metadata["type"] = [field.metadata["type"], "null"]
    return field


def _diagnoses() -> plain.List:
    return plain.List(
        fields.Number(longest=40),
        validate=validate.Length(max=MOST_DIAGNOSES),
        load_default=(),
        metadata={"description": "Beginnings of diagnosis codes, of which one must fit."},
    )


def _price(**more: Any) -> fields.Decimal:
    return fields.Decimal(digits=7, places=6, **more)


# --- what a proposal says -------------------------------------------------------------------------------------


class ConditionIn(_In):
    """For whom a mapping applies; an absent part does not matter."""

    sex = fields.OneOf(Sex)
    age_from = fields.Whole(least=0, most=OLDEST)
    age_to = fields.Whole(least=0, most=OLDEST)
    insurance_type = fields.OneOf(InsuranceType)
    diagnoses = _diagnoses()

    @marshmallow.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Condition:
        return Condition(**{**data, "diagnoses": tuple(data["diagnoses"])})


class RestrictionIn(_In):
    """For whom and where an entry is paid; an absent part does not matter."""

    sex = fields.OneOf(Sex)
    age_from = fields.Whole(least=0, most=OLDEST)
    age_to = fields.Whole(least=0, most=OLDEST)
    diagnoses = _diagnoses()
    inpatient_only = fields.Flag(load_default=False)
    levels = plain.List(fields.OneOf(HospitalLevel), load_default=(), validate=validate.Length(max=len(HospitalLevel)))
    most_days = fields.Whole(least=1, most=3_660, description="Days of a course in one stay.")

    @marshmallow.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Restriction:
        return Restriction(
            **{**data, "diagnoses": tuple(data["diagnoses"]), "levels": frozenset(data["levels"])},
        )


LimitsIn = _In.from_dict({str(level): _price() for level in HospitalLevel}, name="LimitsIn")
"""Highest prices in yuan a unit, by hospital level; a level left out has no limit."""

RatiosIn = _In.from_dict({str(one): fields.Percent() for one in InsuranceType}, name="RatiosIn")
"""First self-pay of one insurance type where it differs."""


class MappingProposalIn(_In):
    """A local code shall stand for a unified code."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = fields.Text(longest=64, required=True, description="The region's own code.")
    target = _or_null(
        fields.Number(longest=64, required=True, description="A unified code of the same kind; null with grade none.")
    )
    grade = fields.OneOf(Grade, required=True)
    first_day = fields.Day(required=True)
    until = _or_null(fields.Day(load_default=None, description="First day on which it no longer holds."))
    condition = plain.Nested(ConditionIn, load_default=Condition)
    origin = fields.OneOf(
        Origin,
        allowed=(Origin.MANUAL, Origin.SUGGESTED),
        load_default=Origin.MANUAL,
        description="`suggested` where a candidate was taken: its score is then kept with the proposal.",
    )
    reason = fields.Text(longest=200, required=True)

    @marshmallow.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> ProposeMapping:
        return ProposeMapping(**data)


class EntryProposalIn(_In):
    """What shall be otherwise in an entry; what is left out stays as in the entry that holds on the first day."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = fields.Text(longest=64, required=True)
    first_day = fields.Day(required=True)
    until = _or_null(fields.Day(description="First day on which it no longer holds; null: until further notice."))
    reason = fields.Text(longest=200, required=True)
    name = fields.CatalogText(longest=200)
    unit = fields.Text(longest=40, empty=True)
    benefit_class = fields.OneOf(BenefitClass)
    first_self_pay = fields.Percent()
    first_self_pay_of = plain.Nested(RatiosIn, metadata={"description": "All of them, by insurance type."})
    price_limits = plain.Nested(LimitsIn, metadata={"description": "All of them, by hospital level."})
    payment_standard = _or_null(_price(description="Yuan a unit."))
    restriction = plain.Nested(RestrictionIn, allow_none=True)
    grace_until = _or_null(fields.Day(description="Struck off, it is paid at its old terms up to the day before."))

    @marshmallow.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> ProposeEntry:
        for name, kind in (("price_limits", HospitalLevel), ("first_self_pay_of", InsuranceType)):
            if name in data:
                data[name] = {kind(key): value for key, value in data[name].items()}
        return ProposeEntry(**data)


class ReviewIn(_In):
    """A colleague's decision."""

    approve = fields.Flag(required=True)
    reason = fields.Text(longest=200, empty=True, load_default="", description="Required where it is not approved.")


# --- many at once ---------------------------------------------------------------------------------------------


class _BulkIn(_In):
    least_score = fields.Whole(
        least=1, most=HIGHEST_SCORE, required=True, description="Thousandths; rows below it are left."
    )
    reason = fields.Text(longest=200, required=True)
    limit = fields.Whole(least=1, most=MOST_IN_BULK, load_default=MOST_IN_BULK)


class BulkProposalIn(_BulkIn):
    """Propose the best candidate of every waiting row of a kind whose score reaches a bound."""

    kind = fields.OneOf(CatalogKind, required=True)
    first_day = fields.Day(required=True)


class BulkReviewIn(_BulkIn):
    """Approve the proposals of others that took a candidate whose score reaches a bound."""

    kind = fields.OneOf(CatalogKind)


# --- questions ------------------------------------------------------------------------------------------------


class QueueQuery(_In):
    """Which part of the queue, and how many candidates of each row."""

    kind = fields.OneOf(CatalogKind)
    offset = fields.QueryWhole(least=0, most=MOST_OFFSET, load_default=0)
    limit = fields.QueryWhole(least=1, most=MOST_IN_PAGE, load_default=20)
    top = fields.QueryWhole(least=0, most=20, load_default=5)


class ChangesQuery(PageQuery):
    """Which changes."""

    state = fields.OneOf(ChangeState)
    kind = fields.OneOf(CatalogKind)


class CodeQuery(_In):
    """Which local code, and how many candidates for it."""

    kind = fields.OneOf(CatalogKind, required=True)
    code = fields.Text(longest=64, required=True)
    top = fields.QueryWhole(least=0, most=50, load_default=10)


class DownloadQuery(_In):
    """From which version on, and which part of what is newer."""

    since = fields.QueryWhole(least=0, most=10**15, load_default=0, description="The highest version held; 0 for all.")
    after = fields.Text(longest=64, load_default="", description="Cursor: `next` of the page before.")
    limit = fields.QueryWhole(least=1, most=5_000, load_default=1_000)
