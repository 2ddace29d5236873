"""The patient's registration, one question a page: from the insured place to the reference number.

Knows how each answer is read and which errand asks the insured place. Must not know the rules of registration: the core
refuses, and its refusal is shown where it can be mended. Sources: engineering guide section 11; decision 0051.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import flask

from hub.actions.lookup import networked_hospitals, registration_with_person
from hub.actions.once import Ticket, once
from hub.actions.persons import check_person
from hub.actions.registration import FileRegistration, file_registration
from hub.core.codes import IdentityNumber, Region
from hub.core.dates import add_months
from hub.core.decision import InsuranceStatus
from hub.core.errors import NotAllowed, NotFound, Unreachable
from hub.core.registration import Evidence, RegistrationCategory, check_new
from hub.ports import Scope, Sight
from hub.ports.records import RegistrationRecord, StoredAnswer
from hub.web.guards import public
from hub.web.pages import context, rates, sheets
from hub.web.pages.blueprint import pages
from hub.web.pages.draft import CHECK, FILED_CATEGORIES, QUESTIONS, Draft
from hub.web.pages.forms import Reading, identity, name_of_person, phone, typed_day, words_of
from hub.web.pages.guards import patient
from hub.web.pages.language import say
from hub.web.sessions import current, prove, proved_registration

NOTICE_VERSION = "2026-01"
"""The version of the notice in patient/notice.html; a changed text gets a new one, kept with each application."""

CHANNEL = "web"
PATIENT = "patient"
"""Who files online: the audit log needs no more, since the record itself names the person."""

PARTICIPANT_OF_PAGES = "pages"
"""Whose idempotency keys the drafts' numbers are."""

FIELD_OF_REFUSAL: Mapping[str, str] = {
    "person_unknown": "person",
    "insurance_not_active": "insured-place",
    "region_not_joined": "insured-place",
    "registration_not_off_site": "care-place",
    "registration_overlap": "care-place",
    "registration_evidence": "evidence",
    "registration_start_past": "start",
    "registration_start_far": "start",
}
"""At which question a refusal of the whole application is mended."""


@pages.get("/register")
@public("anybody may apply; the insured place is asked about the person")
def register() -> flask.typing.ResponseReturnValue:
    """Begin, or go on where the draft stands."""
    return _to(Draft(current()).next_question())


@pages.get("/register/<question>")
@public("anybody may apply; the draft is in his own session")
def question(question: str) -> flask.typing.ResponseReturnValue:
    """Ask one question, with the answer given before."""
    draft = _draft_for(question)
    if not draft.may_see(question):
        return _to(draft.next_question())
    if question == "evidence" and draft.evidence_follows:
        return _to("start")
    reading = Reading(dict(draft.values))
    if question == "person" and draft.get("identity") and not draft.get("checked"):
        # The insured place was changed, and the new one does not know this person.
        reading.complain("name", words_of(NotAllowed("person_unknown", "")))
    return _ask(question, draft, reading)


@pages.post("/register/<question>")
@public("anybody may apply; the draft is in his own session")
def answer(question: str) -> flask.typing.ResponseReturnValue:
    """Read one answer; go on, or ask again with what was typed and how to mend it."""
    draft = _draft_for(question)
    if not draft.may_see(question):
        return _to(draft.next_question())
    reading = READERS[question](draft)
    if reading.wrong:
        return _ask(question, draft, reading)
    draft.answer(reading.values)
    return _to(draft.next_question())


@pages.get("/register/check")
@public("anybody may apply; the draft is in his own session")
def check() -> flask.typing.ResponseReturnValue:
    """Show all answers before they are sent."""
    draft = Draft(current())
    if draft.next_question() != CHECK:
        return _to(draft.next_question())
    return sheets.page("patient/check.html", **_summary(draft), wrong={})


@pages.post("/register/check")
@public("anybody may apply; the draft is in his own session")
def submit() -> flask.typing.ResponseReturnValue:
    """File the application once, however often the button is pressed."""
    draft = Draft(current())
    if draft.next_question() != CHECK:
        return flask.redirect(flask.url_for("pages.done"), 303) if proved_registration() else _to(draft.next_question())
    rates.count("file")
    try:
        filed = _file(draft)
    except NotFound:
        raise
    except NotAllowed as refusal:
        target = FIELD_OF_REFUSAL.get(refusal.code, CHECK)
        return sheets.page("patient/check.html", 422, **_summary(draft), wrong={target: words_of(refusal)})
    draft.forget()
    prove(filed["registration"], filed["person"])
    return flask.redirect(flask.url_for("pages.done"), 303)


@pages.get("/register/done")
@patient
def done() -> flask.typing.ResponseReturnValue:
    """The reference number, and what happens next by which day."""
    registration_id, person_id = proved_registration() or ("", "")
    found = registration_with_person(context.hub(), registration_id, scope=Scope(Sight.PERSON, person=person_id))
    registration = found.record.registration
    hospitals = networked_hospitals(context.hub(), on=context.today()).get(registration.care_region, [])
    return sheets.page(
        "patient/done.html", found=found, hospitals=hospitals, answer_by=context.answer_by(context.now())
    )


def _file(draft: Draft) -> dict[str, str]:
    values = draft.values
    command = FileRegistration(
        insuring_region=Region(values["insuring_region"]),
        care_region=Region(values["care_region"]),
        category=RegistrationCategory(values["category"]),
        evidence=Evidence(values["evidence"]),
        start=date.fromisoformat(values["start"]),
        name=values["name"],
        identity=IdentityNumber(values["identity"]),
        phone=values["phone"],
        channel=CHANNEL,
        notice_version=values["notice_version"],
    )

    def render(record: RegistrationRecord) -> StoredAnswer:
        return StoredAnswer(201, json.dumps({"registration": record.registration.id, "person": record.person_id}))

    hub = context.hub()
    stored, _ = once(
        hub,
        Ticket(PARTICIPANT_OF_PAGES, draft.key, draft.fingerprint),
        as_of=context.now(),
        errand=lambda keep: file_registration(hub, command, actor=PATIENT, as_of=context.now(), keep=keep),
        render=render,
    )
    found: dict[str, str] = json.loads(stored.body)
    return found


# --- one question ------------------------------------------------------------------------------------------------


def _draft_for(question: str) -> Draft:
    """The draft, for a question that there is."""
    if question not in QUESTIONS:
        flask.abort(404)
    return Draft(current())


def _ask(question: str, draft: Draft, reading: Reading) -> flask.typing.ResponseReturnValue:
    asked = list(draft.asked())
    return sheets.page(
        TEMPLATES[question],
        422 if reading.wrong else 200,
        typed=reading.typed,
        wrong=reading.wrong,
        step=asked.index(question) + 1,
        steps=len(asked) + 1,
        back=_back(draft, question),
        draft=draft,
        **_offered(question, draft),
    )


def _offered(question: str, draft: Draft) -> Mapping[str, Any]:
    """What the page of a question lets one choose from."""
    today = context.today()
    if question == "insured-place":
        return {"groups": context.by_province(context.insured_places())}
    if question == "care-place":
        here = Region(draft.get("insuring_region")).city
        return {"groups": context.by_province([one for one in context.care_places() if Region(one.code).city != here])}
    if question == "category":
        return {"categories": FILED_CATEGORIES}
    if question == "evidence":
        return {"choices": draft.choices_of_evidence()}
    if question == "start":
        return {"today": today, "last_day": add_months(today, 6)}
    return {"notice_version": NOTICE_VERSION}


def _back(draft: Draft, question: str) -> str:
    before = draft.before(question)
    return flask.url_for("pages.question", question=before) if before else flask.url_for("pages.start")


def _to(question: str) -> flask.typing.ResponseReturnValue:
    where = flask.url_for("pages.check") if question == CHECK else flask.url_for("pages.question", question=question)
    return flask.redirect(where, 303)


def _summary(draft: Draft) -> dict[str, Any]:
    return {"draft": draft, "answers": draft.values, "back": _back(draft, CHECK)}


# --- reading answers ---------------------------------------------------------------------------------------------


def _insured_place(draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "insuring_region")
    allowed = [one.code for one in context.insured_places()]
    reading.choose("insuring_region", allowed, missing=say("请选择您的参保地。"))
    held = draft.values
    if not reading.wrong and held.get("checked") and reading.values["insuring_region"] != held["insuring_region"]:
        # The person was known at the former place; ask the new one at once instead of asking him again.
        _ask_insured_place(reading, insuring_region=reading.values["insuring_region"], given=held)
        reading.wrong.clear()
        if not reading.values.pop("checked", ""):
            reading.values["checked"] = ""
    return reading


def _person(draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "name", "identity", "phone")
    today = context.today()
    reading.read("name", name_of_person, missing=say("请填写姓名。"))
    reading.read("identity", lambda text: identity(text, as_of=today).number, missing=say("请填写 18 位身份证号码。"))
    reading.read("phone", phone, missing=say("请填写手机号码。"))
    if not reading.wrong:
        _ask_insured_place(reading, insuring_region=draft.get("insuring_region"), given=reading.values)
    return reading


def _ask_insured_place(reading: Reading, *, insuring_region: str, given: Mapping[str, str]) -> None:
    """One equal sentence whatever does not fit, so that nobody learns who is insured where."""
    rates.count("person")
    try:
        coverage = check_person(
            context.hub(),
            insuring_region=Region(insuring_region),
            identity=IdentityNumber(given["identity"]),
            name=given["name"],
            on=context.today(),
        )
    except Unreachable:
        reading.complain("name", say("参保地系统暂时没有回应。您填写的内容已保留，请几分钟后再按“继续”。"))
        return
    if coverage is None:
        reading.complain("name", words_of(NotAllowed("person_unknown", "")))
    elif coverage.status is not InsuranceStatus.NORMAL:
        reading.complain("name", words_of(NotAllowed("insurance_not_active", "")))
    else:
        reading.values["checked"] = "yes"


def _care_place(draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "care_region")
    allowed = [one.code for one in context.care_places()]
    reading.choose("care_region", allowed, missing=say("请选择您要去就医的城市。"))
    chosen = reading.values.get("care_region")
    if chosen and Region(chosen).city == Region(draft.get("insuring_region")).city:
        reading.complain("care_region", words_of(NotAllowed("registration_not_off_site", "")))
    return reading


def _category(_draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "category")
    reading.choose("category", [str(one) for one in FILED_CATEGORIES], missing=say("请选择一种备案类别。"))
    return reading


def _notice(_draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "notice_version")
    reading.choose("notice_version", [NOTICE_VERSION], missing=say("请阅读告知书，并勾选“我已阅读并同意”。"))
    return reading


def _evidence(draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "evidence")
    allowed = [str(one) for one in draft.choices_of_evidence()]
    reading.choose("evidence", allowed, missing=say("请选择证明方式。"))
    return reading


def _start(draft: Draft) -> Reading:
    reading = Reading.of(flask.request.form, "start")
    today = context.today()

    def day_of(text: str) -> str:
        found = typed_day(text)
        check_new(
            insuring_region=Region(draft.get("insuring_region")),
            care_region=Region(draft.get("care_region")),
            category=RegistrationCategory(draft.get("category")),
            evidence=Evidence(draft.get("evidence")),
            start=found,
            as_of=today,
            active=(),
        )
        return found.isoformat()

    reading.read("start", day_of, missing=say("请填写备案开始日期。"))
    return reading


TEMPLATES: Mapping[str, str] = {
    "insured-place": "patient/insured_place.html",
    "person": "patient/person.html",
    "care-place": "patient/care_place.html",
    "category": "patient/category.html",
    "notice": "patient/notice.html",
    "evidence": "patient/evidence.html",
    "start": "patient/start_question.html",
}

READERS: Mapping[str, Callable[[Draft], Reading]] = {
    "insured-place": _insured_place,
    "person": _person,
    "care-place": _care_place,
    "category": _category,
    "notice": _notice,
    "evidence": _evidence,
    "start": _start,
}
if READERS.keys() != QUESTIONS.keys():
    raise AssertionError("every question has a reader")
