"""The workbench of an agency: applications to decide, statements to prove, bills explained fen by fen.

Knows which errand a page shows and what may be pressed. Must not decide: the errands refuse what somebody may not do.
Source: engineering guide section 11, agency back office; design invariants 9 and 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import flask

from hub.actions.lookup import PersonalRegistration, day_match, registration_with_person, registrations_with_persons
from hub.actions.registration import decide_registration
from hub.actions.settlement import get_bill, list_bills
from hub.actions.statements import get_statement, list_statements, list_windows
from hub.actions.workbench import waiting as waiting_rows
from hub.core.codes import clean_text
from hub.core.dates import Period
from hub.core.errors import NotAllowed, NotFound
from hub.core.money import total
from hub.core.registration import RegistrationState
from hub.ports import Sight
from hub.ports.catalogs import WaitingRow
from hub.ports.records import RegistrationRecord, StoredStatement
from hub.web.pages import context, sheets
from hub.web.pages.blueprint import pages
from hub.web.pages.forms import Reading, words_of
from hub.web.pages.guards import AGENCY, OPERATOR, me, staff
from hub.web.pages.language import say
from hub.web.pages.statement_view import JSON_STATEMENT, grouped, parts_of, read_statement

PAGE = 50
MOST_WAITING = 2_000
MOST_LINES_SHOWN = 300


@pages.get("/desk")
@staff(AGENCY, OPERATOR)
def desk() -> flask.Response:
    """What waits for this person, by role."""
    scope = me().participant.scope
    waiting = _registrations(RegistrationState.SUBMITTED, "")
    unmapped = _unmapped()
    return sheets.page(
        "staff/desk.html",
        waiting=len(waiting),
        mapping_codes=len(unmapped),
        mapping_waiting=total(row.amount for row in unmapped),
        windows=list_windows(context.hub(), scope=scope),
        statements=len(_statements()),
        match=day_match(context.hub(), day=context.today() - timedelta(days=1), scope=scope),
    )


def _unmapped() -> Sequence[WaitingRow]:
    """What bills of the region's hospitals wait for at the mapping workbench; nothing for the operator."""
    mine = me().participant
    return [] if mine.sight is Sight.HUB else waiting_rows(context.hub(), by=mine, limit=MOST_WAITING)


# --- applications ------------------------------------------------------------------------------------------------


@pages.get("/desk/registrations")
@staff(AGENCY, OPERATOR)
def registrations() -> flask.Response:
    """Applications of the region's insured persons, those waiting first choice."""
    wanted = flask.request.args.get("state", RegistrationState.SUBMITTED.value)
    state = RegistrationState(wanted) if wanted in set(RegistrationState) else None
    found = _registrations(state, flask.request.args.get("after", ""))
    due = {
        one.record.registration.id: context.answer_by(one.record.submitted_at)
        for one in found
        if one.record.registration.state is RegistrationState.SUBMITTED
    }
    return sheets.page(
        "staff/registrations.html",
        found=found,
        wanted=wanted if state else "all",
        due=due,
        after=found[-1].record.registration.id if len(found) == PAGE else "",
    )


@pages.get("/desk/registrations/<registration_id>")
@staff(AGENCY, OPERATOR)
def registration(registration_id: str) -> flask.Response:
    """One application with everything an officer decides by."""
    return _registration_page(registration_id, wrong={}, typed={})


@pages.post("/desk/registrations/<registration_id>")
@staff(AGENCY)
def decide(registration_id: str) -> flask.typing.ResponseReturnValue:
    """Approve, or refuse with a reason."""
    reading = Reading.of(flask.request.form, "decision", "reason")
    reading.choose("decision", ["approve", "refuse"], missing=say("请选择通过或不予通过。"))
    approve = reading.values.get("decision") == "approve"
    if reading.typed["reason"].strip():
        reading.read("reason", lambda text: clean_text(text, longest=200), missing="")
    elif not approve:
        reading.complain("reason", words_of(NotAllowed("reason_missing", "")))
    if not reading.wrong:
        try:
            decide_registration(
                context.hub(),
                registration_id,
                approve=approve,
                reason=reading.values.get("reason", ""),
                by=me().participant,
                actor=me().actor,
                as_of=context.now(),
            )
        except NotFound:
            raise
        except NotAllowed as refusal:
            reading.complain("reason", words_of(refusal))
    if reading.wrong:
        return _registration_page(registration_id, wrong=reading.wrong, typed=reading.typed, status=422)
    return flask.redirect(flask.url_for("pages.registration", registration_id=registration_id), 303)


def _registration_page(
    registration_id: str, *, wrong: dict[str, str], typed: dict[str, str], status: int = 200
) -> flask.Response:
    found = registration_with_person(context.hub(), registration_id, scope=me().participant.scope)
    if not _is_ours(found.record):
        raise NotFound("registration_not_found", f"no registration {registration_id}")
    own_entry = found.record.submitted_by == me().actor
    open_to_decide = (
        me().participant.sight is Sight.REGION and found.record.registration.state is RegistrationState.SUBMITTED
    )
    return sheets.page(
        "staff/registration.html",
        status,
        found=found,
        wrong=wrong,
        typed=typed,
        own_entry=own_entry,
        may_decide=open_to_decide and not own_entry,
    )


def _registrations(state: RegistrationState | None, after: str) -> list[PersonalRegistration]:
    mine = me().participant
    return list(
        registrations_with_persons(
            context.hub(),
            scope=mine.scope,
            state=state,
            insuring_region=None if mine.sight is Sight.HUB else mine.region,
            after=after,
            limit=PAGE,
        )
    )


def _is_ours(record: RegistrationRecord) -> bool:
    """An agency works on its own insured persons; the region of care sees a registration, but not here."""
    mine = me().participant
    return mine.sight is Sight.HUB or record.registration.insuring_region == mine.region


# --- statements --------------------------------------------------------------------------------------------------


@pages.get("/desk/statements")
@staff(AGENCY, OPERATOR)
def statements() -> flask.Response:
    """Closed months: one statement per region and regime, with its files."""
    return sheets.page("staff/statements.html", found=_statements())


@pages.get("/desk/statements/<statement_id>")
@staff(AGENCY, OPERATOR)
def statement(statement_id: str) -> flask.Response:
    """One statement: totals first, then by hospital, then the bookings page by page."""
    stored = get_statement(context.hub(), statement_id, scope=me().participant.scope)
    document = read_statement(stored)
    page = flask.request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    bookings = document["bookings"]
    pages_in_all = max(1, -(-len(bookings) // PAGE))
    number = min(max(1, number), pages_in_all)
    return sheets.page(
        "staff/statement.html",
        stored=stored,
        document=document,
        parts=parts_of(document),
        hospitals=grouped(document),
        names=context.hospital_names(),
        bookings=bookings[(number - 1) * PAGE : number * PAGE],
        first=(number - 1) * PAGE,
        page=number,
        pages=pages_in_all,
        files=[one for one in _statement_rows() if one.window_id == stored.window_id and one.region == stored.region],
    )


@pages.get("/desk/statements/<statement_id>/file")
@staff(AGENCY, OPERATOR)
def statement_file(statement_id: str) -> flask.Response:
    """The statement's own bytes, to keep or to check against the signature."""
    stored = get_statement(context.hub(), statement_id, scope=me().participant.scope)
    ending = "csv" if stored.media_type.startswith("text/csv") else "json"
    response = flask.Response(stored.content, mimetype=stored.media_type.partition(";")[0])
    response.headers["Content-Disposition"] = f'attachment; filename="{stored.id}.{ending}"'
    response.headers["X-Content-SHA256"] = stored.sha256
    return response


def _statement_rows() -> list[StoredStatement]:
    return list(
        list_statements(context.hub(), scope=me().participant.scope, regime=None, period=None, after="", limit=1000)
    )


def _statements() -> list[StoredStatement]:
    found = [one for one in _statement_rows() if (one.kind, one.media_type) == JSON_STATEMENT]
    return sorted(found, key=lambda one: one.window_id[-7:], reverse=True)


# --- bills -------------------------------------------------------------------------------------------------------


@pages.get("/desk/bills")
@staff(AGENCY, OPERATOR)
def bills() -> flask.Response:
    """Settled bills that concern the region, of a month; this month's where none is asked for."""
    asked = flask.request.args.get("month", "")
    wrong: dict[str, str] = {}
    try:
        period = Period.parse(asked) if asked else Period.of(context.today())
    except NotAllowed:
        period, wrong = Period.of(context.today()), {"month": say("请按“2026-10”的格式填写月份。")}
    found = list_bills(
        context.hub(),
        scope=me().participant.scope,
        day=None,
        period=period,
        after=flask.request.args.get("after", ""),
        limit=PAGE,
    )
    return sheets.page(
        "staff/bills.html",
        422 if wrong else 200,
        found=found,
        period=period,
        wrong=wrong,
        typed=asked,
        names=context.hospital_names(),
        after=found[-1].id if len(found) == PAGE else "",
    )


@pages.get("/desk/bills/<bill_id>")
@staff(AGENCY, OPERATOR)
def bill(bill_id: str) -> flask.Response:
    """One bill: who pays what, and the clause behind every fen."""
    found = get_bill(context.hub(), bill_id, scope=me().participant.scope)
    return sheets.page("staff/bill.html", bill=found, names=context.hospital_names(), most_lines=MOST_LINES_SHOWN)


def asked_day(default: date) -> tuple[date, str]:
    """The day in the address and a complaint about it; the default where it is missing or malformed."""
    asked = flask.request.args.get("day", "")
    if not asked:
        return default, ""
    try:
        return date.fromisoformat(asked), ""
    except ValueError:
        return default, say("请按“2026-11-22”的格式填写日期。")
