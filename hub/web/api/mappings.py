"""The mapping workbench: what waits for how much money, proposals, reviews, undoing, and what a change would move.

Knows messages and which participant may do what. Must not know what makes a proposal right.
An agency works on its own region's catalog, so no address names a region. Who changes anything is a person: two keys of
one member of staff are one person, and a system's key is nobody (decision 0063).
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import impact, mapping, workbench
from hub.actions.drafting import ProposeEntry, ProposeMapping
from hub.core.dates import business_day
from hub.ports import Sight
from hub.web.answers import answer, page, run_once, the_hub
from hub.web.api import examples, shapes_changes
from hub.web.api.blueprint import REPLAYED, ApiBlueprint, id_parameter
from hub.web.api.incoming import OnDayQuery, ReasonIn
from hub.web.api.incoming_changes import (
    BulkProposalIn,
    BulkReviewIn,
    ChangesQuery,
    CodeQuery,
    EntryProposalIn,
    MappingProposalIn,
    QueueQuery,
    ReviewIn,
)
from hub.web.api.outgoing import page_of
from hub.web.api.outgoing_changes import (
    BulkOut,
    ChangeOut,
    ChangeToldOut,
    CodeOut,
    CoverageOut,
    ImpactOut,
    QueueOut,
)
from hub.web.guards import caller, signed

blueprint = ApiBlueprint(
    "mappings", __name__, url_prefix="/v1/mappings", description="An agency's workbench on its region's catalog."
)

_ID = id_parameter("change_id", "The change's id.", "chg-01jd3x5v2m8q0c6k4t7w9y1z3b")


# --- looking ------------------------------------------------------------------------------------------------


@blueprint.route("/queue", methods=["GET"])
@signed(Sight.REGION)
@blueprint.arguments(QueueQuery, location="query")
@blueprint.response(200, QueueOut)
@blueprint.reads(404)
def queue(query: dict[str, Any]) -> flask.Response:
    """List the codes of open bills that wait for an entry or a mapping, the most money first, with candidates."""
    limit, offset = query["limit"], query["offset"]
    found = workbench.queue(
        the_hub(),
        by=caller().participant,
        kind=query.get("kind"),
        offset=offset,
        limit=limit + 1,
        top=query["top"],
    )
    further = offset + limit if len(found) > limit else None
    return answer({"items": [shapes_changes.queue_row(row) for row in found[:limit]], "next_offset": further})


@blueprint.route("/coverage", methods=["GET"])
@signed(Sight.REGION)
@blueprint.arguments(OnDayQuery, location="query")
@blueprint.response(200, CoverageOut)
@blueprint.reads(404)
def coverage(query: dict[str, Any]) -> flask.Response:
    """Tell how far each catalog is mapped on a day, in rows and in the money of open bills."""
    on = query.get("on") or business_day(caller().as_of)
    found = workbench.coverage(the_hub(), by=caller().participant, on=on)
    return answer(shapes_changes.coverage(found, on=on))


@blueprint.route("/code", methods=["GET"])
@signed(Sight.REGION)
@blueprint.arguments(CodeQuery, location="query")
@blueprint.response(200, CodeOut)
@blueprint.reads(404)
def code(query: dict[str, Any]) -> flask.Response:
    """Look at one local code: what holds when, everything that was ever proposed, and candidates."""
    found = workbench.code(the_hub(), by=caller().participant, kind=query["kind"], code=query["code"], top=query["top"])
    return answer(shapes_changes.code(found))


@blueprint.route("/changes", methods=["GET"])
@signed(Sight.REGION)
@blueprint.arguments(ChangesQuery, location="query")
@blueprint.response(200, page_of("ChangesPage", ChangeOut))
@blueprint.reads(404)
def list_changes(query: dict[str, Any]) -> flask.Response:
    """List proposed, decided and undone changes, by id."""
    found = workbench.changes(
        the_hub(),
        by=caller().participant,
        state=query.get("state"),
        kind=query.get("kind"),
        after=query.get("after", ""),
        limit=query["limit"] + 1,
    )
    return page(found, limit=query["limit"], shape=shapes_changes.change, cursor=lambda record: record.id)


@blueprint.route("/changes/<id:change_id>", methods=["GET"], parameters=[_ID])
@signed(Sight.REGION)
@blueprint.response(200, ChangeToldOut)
@blueprint.reads(404)
def get_change(change_id: str) -> flask.Response:
    """Look at one change with its whole history."""
    return answer(shapes_changes.told(workbench.change(the_hub(), change_id, by=caller().participant)))


# --- proposing and reviewing --------------------------------------------------------------------------------


@blueprint.route("/changes", methods=["POST"])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(MappingProposalIn, example=examples.MAPPING)
@blueprint.response(201, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def propose_mapping(body: ProposeMapping) -> flask.Response:
    """Propose what a local code shall stand for; it holds once a colleague approves it."""
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.propose_mapping(
            the_hub(), body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
        status=201,
    )


@blueprint.route("/entries", methods=["POST"])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(EntryProposalIn, example=examples.ENTRY)
@blueprint.response(201, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def propose_entry(body: ProposeEntry) -> flask.Response:
    """Propose another class, ratio, limit, payment standard, restriction or span for an entry."""
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.propose_entry(
            the_hub(), body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
        status=201,
    )


@blueprint.route("/changes/<id:change_id>/review", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(ReviewIn, example=examples.APPROVAL)
@blueprint.response(200, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def review(body: dict[str, Any], change_id: str) -> flask.Response:
    """Approve or reject a proposal, never one's own.

    Bills settled before keep their classification; those of open months change by a cancel and a new settlement.
    """
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.review(
            the_hub(), change_id, **body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
    )


@blueprint.route("/changes/<id:change_id>/withdraw", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(ReasonIn, example=examples.REASON)
@blueprint.response(200, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def withdraw(body: dict[str, Any], change_id: str) -> flask.Response:
    """Take one's own proposal back before it is reviewed."""
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.withdraw(
            the_hub(), change_id, **body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
    )


@blueprint.route("/changes/<id:change_id>/undo", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(ReasonIn, example=examples.REASON)
@blueprint.response(200, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def propose_undo(body: dict[str, Any], change_id: str) -> flask.Response:
    """Ask for a change in force to be taken back; it holds until a colleague agrees."""
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.propose_undo(
            the_hub(), change_id, **body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
    )


@blueprint.route("/changes/<id:change_id>/undo-review", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(ReviewIn, example=examples.APPROVAL)
@blueprint.response(200, ChangeOut, headers=REPLAYED)
@blueprint.writes()
def review_undo(body: dict[str, Any], change_id: str) -> flask.Response:
    """Agree to an undoing or refuse it, never as who asked for it."""
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.review_undo(
            the_hub(), change_id, **body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.change,
    )


# --- many at once -------------------------------------------------------------------------------------------


@blueprint.route("/bulk-proposals", methods=["POST"])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(BulkProposalIn, example=examples.BULK_PROPOSAL)
@blueprint.response(200, BulkOut, headers=REPLAYED)
@blueprint.writes()
def propose_above(body: dict[str, Any]) -> flask.Response:
    """Propose the best candidate of every waiting row whose score reaches a bound, at most 500 at a time.

    All accepted rows are written together with the answer, or none; each refused row is listed with its reason.
    """
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.propose_above(
            the_hub(), **body, by=sender.participant, actor=who, as_of=sender.as_of, keep=keep
        ),
        shape=shapes_changes.bulk,
    )


@blueprint.route("/bulk-reviews", methods=["POST"])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(BulkReviewIn, example=examples.BULK_REVIEW)
@blueprint.response(200, BulkOut, headers=REPLAYED)
@blueprint.writes()
def approve_above(body: dict[str, Any]) -> flask.Response:
    """Approve others' proposals whose candidate's score reaches a bound, at most 500 at a time.

    All accepted rows are written together with the answer, or none; one's own proposals are among the refused.
    """
    sender, who = caller(), caller().person
    return run_once(
        lambda keep: mapping.approve_above(
            the_hub(),
            kind=body.get("kind"),
            least_score=body["least_score"],
            reason=body["reason"],
            limit=body["limit"],
            by=sender.participant,
            actor=who,
            as_of=sender.as_of,
            keep=keep,
        ),
        shape=shapes_changes.bulk,
    )


# --- impact -------------------------------------------------------------------------------------------------


@blueprint.route("/impact", methods=["POST"])
@signed(Sight.REGION)
@blueprint.arguments(MappingProposalIn, example=examples.MAPPING)
@blueprint.response(200, ImpactOut)
@blueprint.reads(404, 413, 415)
def preview_mapping(body: ProposeMapping) -> flask.Response:
    """Tell what a mapping would move between patients and funds; nothing is proposed.

    Open bills with the code are decided twice by their insuring regions; a region that gives no answer is named.
    """
    sender = caller()
    found = impact.impact_of_mapping(the_hub(), body, by=sender.participant, as_of=sender.as_of)
    return answer(shapes_changes.impact(found))


@blueprint.route("/entries/impact", methods=["POST"])
@signed(Sight.REGION)
@blueprint.arguments(EntryProposalIn, example=examples.ENTRY)
@blueprint.response(200, ImpactOut)
@blueprint.reads(404, 413, 415)
def preview_entry(body: ProposeEntry) -> flask.Response:
    """Tell what another entry would move between patients and funds; nothing is proposed."""
    sender = caller()
    found = impact.impact_of_entry(the_hub(), body, by=sender.participant, as_of=sender.as_of)
    return answer(shapes_changes.impact(found))


@blueprint.route("/changes/<id:change_id>/impact", methods=["GET"], parameters=[_ID])
@signed(Sight.REGION)
@blueprint.response(200, ImpactOut)
@blueprint.reads(404, 409)
def preview_change(change_id: str) -> flask.Response:
    """Tell what approving a proposal would move, or undoing a change that holds."""
    return answer(shapes_changes.impact(impact.impact_of_change(the_hub(), change_id, by=caller().participant)))
