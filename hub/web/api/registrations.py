"""Registrations (备案): filing, looking, deciding, taking back.

Knows messages and which participant may do what. Must not know the rules of a registration.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import registration as errands
from hub.actions.registration import FileRegistration
from hub.ports import Scope, Sight
from hub.ports.records import RegistrationRecord
from hub.web.answers import answer, page, run_once, the_hub
from hub.web.api import examples, shapes
from hub.web.api.blueprint import REPLAYED, ApiBlueprint, id_parameter
from hub.web.api.incoming import DecisionIn, ReasonIn, RegistrationIn, RegistrationsQuery
from hub.web.api.outgoing import RegistrationOut, page_of
from hub.web.guards import caller, own_side, signed

blueprint = ApiBlueprint(
    "registrations", __name__, url_prefix="/v1/registrations", description="Registrations for off-site care (备案)."
)

_ID = id_parameter("registration_id", "The registration's id.", "reg-01jd3x5v2m8q0c6k4t7w9y1z3b")

CHANNELS = {Sight.REGION: "agency", Sight.INSTITUTION: "hospital"}


@blueprint.route("", methods=["POST"])
@signed(Sight.REGION, Sight.INSTITUTION, writes=True, owner=own_side)
@blueprint.arguments(RegistrationIn, example=examples.REGISTRATION)
@blueprint.response(201, RegistrationOut, headers=REPLAYED)
@blueprint.writes()
def file_registration(body: dict[str, Any]) -> flask.Response:
    """File a registration.

    An agency files for its own insured persons; a hospital for a person insured in its city, or one who comes to it.
    The insuring region is asked who the person is; it may approve the category at once.
    """
    sender = caller()
    command = FileRegistration(channel=CHANNELS[sender.participant.sight], **body)
    person = shapes.person(name=command.name, identity=command.identity)
    return run_once(
        lambda keep: errands.file_registration(
            the_hub(), command, actor=sender.participant.id, as_of=sender.as_of, keep=keep
        ),
        shape=lambda record: {**shapes.registration(record), "person": person},
        status=201,
    )


@blueprint.route("", methods=["GET"])
@signed(Sight.REGION, Sight.HUB)
@blueprint.arguments(RegistrationsQuery, location="query")
@blueprint.response(200, page_of("RegistrationsPage", RegistrationOut))
@blueprint.reads()
def list_registrations(query: dict[str, Any]) -> flask.Response:
    """List registrations of one's own two sides, by id."""
    found = errands.list_registrations(
        the_hub(),
        scope=caller().participant.scope,
        state=query.get("state"),
        after=query.get("after", ""),
        limit=query["limit"] + 1,
    )
    return page(found, limit=query["limit"], shape=shapes.registration, cursor=lambda record: record.registration.id)


@blueprint.route("/<id:registration_id>", methods=["GET"], parameters=[_ID])
@signed(Sight.REGION, Sight.HUB)
@blueprint.response(200, RegistrationOut)
@blueprint.reads(404)
def get_registration(registration_id: str) -> flask.Response:
    """Look at one registration, with the person masked."""
    scope = caller().participant.scope
    record = errands.get_registration(the_hub(), registration_id, scope=scope)
    return answer({**shapes.registration(record), **_person(record, scope)})


@blueprint.route("/<id:registration_id>/decision", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(DecisionIn, example=examples.APPROVAL)
@blueprint.response(200, RegistrationOut, headers=REPLAYED)
@blueprint.writes()
def decide_registration(body: dict[str, Any], registration_id: str) -> flask.Response:
    """Approve or refuse, as the agency of the insuring region.

    Never by the one who filed it (four eyes).
    """
    sender = caller()
    return run_once(
        lambda keep: errands.decide_registration(
            the_hub(),
            registration_id,
            approve=body["approve"],
            reason=body["reason"],
            by=sender.participant,
            actor=sender.participant.id,
            as_of=sender.as_of,
            keep=keep,
        ),
        shape=shapes.registration,
    )


@blueprint.route("/<id:registration_id>/cancel", methods=["POST"], parameters=[_ID])
@signed(Sight.REGION, writes=True)
@blueprint.arguments(ReasonIn, example=examples.REASON)
@blueprint.response(200, RegistrationOut, headers=REPLAYED)
@blueprint.writes()
def cancel_registration(body: dict[str, Any], registration_id: str) -> flask.Response:
    """Withdraw an application, or end an approved registration."""
    sender = caller()
    return run_once(
        lambda keep: errands.cancel_registration(
            the_hub(),
            registration_id,
            reason=body["reason"],
            scope=sender.participant.scope,
            actor=sender.participant.id,
            as_of=sender.as_of,
            keep=keep,
        ),
        shape=shapes.registration,
    )


def _person(record: RegistrationRecord, scope: Scope) -> shapes.Json:
    with the_hub().store.begin(scope) as uow:
        found = uow.persons.get(record.person_id)
    return {"person": shapes.person(name=found.name, identity=found.identity)} if found else {}
