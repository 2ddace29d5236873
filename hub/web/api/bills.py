"""Bills: what would it cost whom, settle it, look at it, cancel it.

Knows messages. Must not know how a bill is classified or decided.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import cancellation, settlement
from hub.actions.settlement import SubmitBill
from hub.ports import Sight
from hub.web.answers import answer, page, run_once, the_hub
from hub.web.api import examples, shapes
from hub.web.api.blueprint import REPLAYED, ApiBlueprint, id_parameter
from hub.web.api.incoming import BillIn, BillsQuery, ReasonIn
from hub.web.api.outgoing import BillHeadOut, BillOut, QuoteOut, SettledOut, page_of
from hub.web.guards import caller, own_institution, signed

blueprint = ApiBlueprint(
    "bills", __name__, url_prefix="/v1/bills", description="Quoting, settling and cancelling bills (2303, 2304, 2305)."
)

_ID = id_parameter("bill_id", "The bill's id.", "bil-01jd3x5v2m8q0c6k4t7w9y1z3b")


@blueprint.route("/quote", methods=["POST"])
@signed(Sight.INSTITUTION, owner=own_institution)
@blueprint.arguments(BillIn, example=examples.BILL)
@blueprint.response(200, QuoteOut)
@blueprint.reads(404, 409, 413, 415)
def quote(body: dict[str, Any]) -> flask.Response:
    """Ask what a settlement would give now; nothing is booked.

    Where the insuring region would refuse, `refusal` says why in words for the patient.
    """
    sender = caller()
    return answer(shapes.quoted(settlement.quote(the_hub(), _command(body), by=sender.participant, as_of=sender.as_of)))


@blueprint.route("", methods=["POST"])
@signed(Sight.INSTITUTION, writes=True, owner=own_institution)
@blueprint.arguments(BillIn, example=examples.BILL)
@blueprint.response(201, SettledOut, headers=REPLAYED)
@blueprint.writes()
def settle(body: dict[str, Any]) -> flask.Response:
    """Settle a bill.

    The whole bill is booked or nothing of it; every fault is named with its row. After a timeout send the same
    message with the same Idempotency-Key again: a bill is never settled twice. Its lines are given back by GET.
    """
    sender = caller()
    command = _command(body)
    return run_once(
        lambda keep: settlement.settle(the_hub(), command, by=sender.participant, as_of=sender.as_of, keep=keep),
        shape=shapes.settled,
        status=201,
    )


@blueprint.route("", methods=["GET"])
@signed(Sight.INSTITUTION, Sight.REGION, Sight.HUB)
@blueprint.arguments(BillsQuery, location="query")
@blueprint.response(200, page_of("BillsPage", BillHeadOut))
@blueprint.reads()
def list_bills(query: dict[str, Any]) -> flask.Response:
    """List bills that concern the sender, by id."""
    found = settlement.list_bills(
        the_hub(),
        scope=caller().participant.scope,
        day=query.get("day"),
        period=query.get("period"),
        after=query.get("after", ""),
        limit=query["limit"] + 1,
    )
    return page(found, limit=query["limit"], shape=shapes.bill_head, cursor=lambda bill: bill.id)


@blueprint.route("/<id:bill_id>", methods=["GET"], parameters=[_ID])
@signed(Sight.INSTITUTION, Sight.REGION, Sight.HUB)
@blueprint.response(200, BillOut)
@blueprint.reads(404)
def get_bill(bill_id: str) -> flask.Response:
    """Look at one bill: who bears what, by which clause, and what each line was classified to."""
    return answer(shapes.bill(settlement.get_bill(the_hub(), bill_id, scope=caller().participant.scope)))


@blueprint.route("/<id:bill_id>/cancel", methods=["POST"], parameters=[_ID])
@signed(Sight.INSTITUTION, writes=True)
@blueprint.arguments(ReasonIn, example=examples.REASON)
@blueprint.response(200, SettledOut, headers=REPLAYED)
@blueprint.writes()
def cancel_bill(body: dict[str, Any], bill_id: str) -> flask.Response:
    """Cancel a settled bill of one's own hospital, the latest of a person first; the stay is open again."""
    sender = caller()
    return run_once(
        lambda keep: cancellation.cancel_bill(
            the_hub(), bill_id, reason=body["reason"], by=sender.participant, as_of=sender.as_of, keep=keep
        ),
        shape=shapes.settled,
    )


def _command(body: dict[str, Any]) -> SubmitBill:
    return SubmitBill(**{name: value for name, value in body.items() if name != "institution"})
