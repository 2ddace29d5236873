"""Looking a registration up and cancelling it, for a patient who holds its number.

Knows the two proofs that are asked and that a wrong one says nothing. Must not know rules of registration.
Source: engineering guide section 8 row 20.
"""

from __future__ import annotations

import flask

from hub.actions.lookup import PersonalRegistration, networked_hospitals, own_registration, registration_with_person
from hub.actions.registration import cancel_registration
from hub.core.errors import NotAllowed
from hub.core.registration import REGISTRATION_MOVES
from hub.ids import read_reference
from hub.ports import Scope, Sight
from hub.web.guards import public
from hub.web.pages import context, rates, sheets
from hub.web.pages.blueprint import pages
from hub.web.pages.forms import Reading, plain, words_of
from hub.web.pages.guards import patient
from hub.web.pages.language import say
from hub.web.pages.wizard import PATIENT
from hub.web.sessions import forget_proof, prove, proved_registration

OWN_WISH = "本人申请撤销 withdrawn by the patient"


@pages.get("/status")
@public("asks for both proofs and shows nothing")
def status() -> flask.Response:
    """Ask for the reference number and the end of the identity number."""
    return sheets.page("patient/status.html", typed={}, wrong={})


@pages.post("/status")
@public("shows nothing without both proofs")
def look_up() -> flask.typing.ResponseReturnValue:
    """Check both proofs; whatever is wrong with them, the answer is the same page."""
    reading = Reading.of(flask.request.form, "reference", "identity_end")
    if not reading.typed["reference"].strip():
        reading.complain("reference", say("请填写备案编号。"))
    end = plain(reading.typed["identity_end"]).upper()
    if not end:
        reading.complain("identity_end", say("请填写身份证号码的最后四位。"))
    elif len(end) != 4:
        reading.complain("identity_end", say("请填写最后四位，不多不少。"))
    if reading.wrong:
        return sheets.page("patient/status.html", 422, typed=reading.typed, wrong=reading.wrong)
    reference = read_reference(reading.typed["reference"])
    rates.count("reference", reference or "")
    found = None if reference is None else own_registration(context.hub(), reference=reference, identity_end=end)
    if found is None:
        return sheets.page("patient/status_unknown.html", 404)
    prove(found.record.registration.id, found.record.person_id)
    return flask.redirect(flask.url_for("pages.own"), 303)


@pages.get("/status/registration")
@patient
def own() -> flask.Response:
    """The patient's registration: its state, what it means and what to do next."""
    found = _own()
    hospitals = networked_hospitals(context.hub(), on=context.today()).get(found.record.registration.care_region, [])
    return sheets.page("patient/own.html", found=found, hospitals=hospitals, may_cancel=_may_cancel(found))


@pages.get("/status/registration/cancel")
@patient
def ask_cancel() -> flask.typing.ResponseReturnValue:
    """Say what a cancel means before it is done."""
    found = _own()
    if not _may_cancel(found):
        return flask.redirect(flask.url_for("pages.own"), 303)
    return sheets.page("patient/cancel.html", found=found, wrong={})


@pages.post("/status/registration/cancel")
@patient
def cancel() -> flask.typing.ResponseReturnValue:
    """Cancel; a registration that was cancelled meanwhile is simply shown as it is."""
    registration_id, person_id = proved_registration() or ("", "")
    try:
        cancel_registration(
            context.hub(),
            registration_id,
            reason=OWN_WISH,
            scope=Scope(Sight.PERSON, person=person_id),
            actor=PATIENT,
            as_of=context.now(),
        )
    except NotAllowed as refusal:
        return sheets.page("patient/cancel.html", 422, found=_own(), wrong={"cancel": words_of(refusal)})
    return flask.redirect(flask.url_for("pages.own"), 303)


@pages.post("/status/leave")
@public("forgets what this session was shown; harmless for anybody")
def leave() -> flask.typing.ResponseReturnValue:
    """Forget the proof, for whoever used another's phone."""
    forget_proof()
    return flask.redirect(flask.url_for("pages.start"), 303)


def _own() -> PersonalRegistration:
    registration_id, person_id = proved_registration() or ("", "")
    return registration_with_person(context.hub(), registration_id, scope=Scope(Sight.PERSON, person=person_id))


def _may_cancel(found: PersonalRegistration) -> bool:
    """Whether the core knows a move that ends it, and it has not ended by itself."""
    registration = found.record.registration
    over = registration.span.end is not None and context.today() >= registration.span.end
    events = REGISTRATION_MOVES.events_from(registration.state)
    return not over and bool({"withdrawn", "cancelled"} & set(events))
