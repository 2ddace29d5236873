"""Admissions: recording one, looking at it, taking it back.

Knows messages. Must not know the 24 h / 72 h rule.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import admission as errands
from hub.actions.admission import Admit
from hub.ports import Sight
from hub.web.answers import answer, run_once, the_hub
from hub.web.api import examples, shapes
from hub.web.api.blueprint import REPLAYED, ApiBlueprint, id_parameter
from hub.web.api.incoming import AdmissionIn, ReasonIn
from hub.web.api.outgoing import AdmissionOut
from hub.web.guards import caller, own_institution, signed

blueprint = ApiBlueprint(
    "admissions", __name__, url_prefix="/v1/admissions", description="Stays at the sender's hospital (2401, 2404)."
)

_ID = id_parameter("admission_id", "The admission's id.", "vis-01jd3x5v2m8q0c6k4t7w9y1z3b")


@blueprint.route("", methods=["POST"])
@signed(Sight.INSTITUTION, writes=True, owner=own_institution)
@blueprint.arguments(AdmissionIn, example=examples.ADMISSION)
@blueprint.response(201, AdmissionOut, headers=REPLAYED)
@blueprint.writes()
def admit(body: dict[str, Any]) -> flask.Response:
    """Record an admission.

    The insuring region is asked who the person is; its answer is kept with the stay.
    """
    sender = caller()
    command = Admit(**{name: value for name, value in body.items() if name != "institution"})
    person = shapes.person(name=command.name, identity=command.identity)
    return run_once(
        lambda keep: errands.admit(the_hub(), command, by=sender.participant, as_of=sender.as_of, keep=keep),
        shape=lambda visit: {**shapes.admission(visit, to_hospital=True), "person": person},
        status=201,
    )


@blueprint.route("/<id:admission_id>", methods=["GET"], parameters=[_ID])
@signed(Sight.INSTITUTION, Sight.REGION, Sight.HUB)
@blueprint.response(200, AdmissionOut)
@blueprint.reads(404)
def get_admission(admission_id: str) -> flask.Response:
    """Look at one admission; the diagnosis is told to the hospital only."""
    participant = caller().participant
    visit = errands.get_visit(the_hub(), admission_id, scope=participant.scope)
    return answer(shapes.admission(visit, to_hospital=participant.institution == visit.institution))


@blueprint.route("/<id:admission_id>/withdraw", methods=["POST"], parameters=[_ID])
@signed(Sight.INSTITUTION, writes=True)
@blueprint.arguments(ReasonIn, example=examples.REASON)
@blueprint.response(200, AdmissionOut, headers=REPLAYED)
@blueprint.writes()
def withdraw_admission(body: dict[str, Any], admission_id: str) -> flask.Response:
    """Take an admission back; a settled one only after its settlement was cancelled."""
    sender = caller()
    return run_once(
        lambda keep: errands.withdraw_admission(
            the_hub(), admission_id, reason=body["reason"], by=sender.participant, as_of=sender.as_of, keep=keep
        ),
        shape=lambda visit: shapes.admission(visit, to_hospital=True),
    )
