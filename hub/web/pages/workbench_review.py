"""Changes at the workbench: reviewed by a second person, undone by two again, many at once.

Knows which of these a person may press, and says why where he may not. Must not decide: the errands refuse.
Sources: decisions 0052 and 0063; design invariant 10 (who enters does not approve).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

import flask

from hub.actions import impact as impacts
from hub.actions import mapping as decisions
from hub.actions import workbench as errands
from hub.actions.mapping import MOST_IN_BULK, Bulk, RefusedRow, earliest_first_day
from hub.actions.workbench import Told
from hub.core.catalog import Stretch
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, clean_text
from hub.core.errors import Conflict, NotAllowed, NotFound
from hub.core.mapping import HOLDING_STATES, ChangeState, Mapping, Origin
from hub.core.money import Money, total
from hub.ports.catalogs import ChangeRecord
from hub.web.pages import context
from hub.web.pages import workbench as home
from hub.web.pages import workbench_view as view
from hub.web.pages import workbench_words as bench
from hub.web.pages.blueprint import pages
from hub.web.pages.forms import Reading, typed_day
from hub.web.pages.guards import AGENCY, me, staff
from hub.web.pages.language import say
from hub.web.pages.workbench_forms import LONGEST_REASON, complain_of, refusal_words, tenths_of_percent

ROWS = 25
LISTED = (
    *(ChangeState.IN_FORCE, ChangeState.UNDO_PROPOSED, ChangeState.UNDONE),
    *(ChangeState.REJECTED, ChangeState.WITHDRAWN),
)
"""What the list of decided changes can be filtered by."""

OVER = frozenset({ChangeState.REJECTED, ChangeState.WITHDRAWN, ChangeState.UNDONE})


@dataclass(frozen=True, slots=True)
class Listed:
    """A change in a list; `own` where this person may not review it."""

    told: Told
    own: bool

    @property
    def record(self) -> ChangeRecord:
        return self.told.record


# --- lists ---------------------------------------------------------------------------------------------------------


@pages.get("/desk/mapping/review")
@staff(AGENCY)
def workbench_review() -> flask.Response:
    """What waits for a second person, one's own included."""
    kind = home.asked_kind(flask.request.args.get("kind", ""))
    proposed = _listed(ChangeState.PROPOSED, kind, after=flask.request.args.get("after", ""))
    return home.page(
        "staff/workbench_review.html",
        proposed=proposed[:ROWS],
        undos=_listed(ChangeState.UNDO_PROPOSED, kind, after="")[:ROWS],
        after=proposed[ROWS - 1].record.id if len(proposed) > ROWS else "",
        kind=kind or "",
        done=home.done_of(flask.request.args.get("done", "")),
    )


@pages.get("/desk/mapping/in-force")
@staff(AGENCY)
def workbench_in_force() -> flask.Response:
    """What was decided; in force first choice."""
    kind = home.asked_kind(flask.request.args.get("kind", ""))
    wanted = flask.request.args.get("state", "")
    state = ChangeState(wanted) if wanted in set(LISTED) else ChangeState.IN_FORCE
    found = _listed(state, kind, after=flask.request.args.get("after", ""))
    return home.page(
        "staff/workbench_in_force.html",
        rows=found[:ROWS],
        after=found[ROWS - 1].record.id if len(found) > ROWS else "",
        kind=kind or "",
        state=state.value,
        states={one.value: bench.STATE[one][0] for one in LISTED},
    )


def _listed(state: ChangeState, kind: CatalogKind | None, *, after: str) -> list[Listed]:
    hub, by = context.hub(), me().participant
    records = errands.changes(hub, by=by, state=state, kind=kind, after=after[:80], limit=ROWS + 1)
    found = [errands.change(hub, record.id, by=by) for record in records]
    return [Listed(told, _is_own(told)) for told in found]


def _is_own(told: Told) -> bool:
    """Whether this person asked for what waits: the change, or its undoing."""
    if told.record.state is ChangeState.UNDO_PROPOSED:
        return [move.who for move in told.moves if move.event == "undo_proposed"][-1:] == [me().actor]
    return told.record.proposed_by == me().actor


# --- one change ----------------------------------------------------------------------------------------------------


@pages.get("/desk/mapping/changes/<id:change_id>")
@staff(AGENCY)
def workbench_change(change_id: str) -> flask.Response:
    """One change: before and after, what it moves, its history, and what this person may press."""
    return _change_page(change_id, done=home.done_of(flask.request.args.get("done", "")))


@pages.post("/desk/mapping/changes/<id:change_id>")
@staff(AGENCY)
def workbench_decide(change_id: str) -> flask.typing.ResponseReturnValue:
    """Approve or reject, withdraw, ask for an undo."""
    reading = Reading.of(flask.request.form, "decision", "reason", "seen")
    reading.choose("decision", ["approve", "reject", "undo", "withdraw"], missing=say("请选择通过或不通过。"))
    decision = reading.values.get("decision", "")
    if reading.typed["reason"].strip():
        reading.read("reason", lambda text: clean_text(text, longest=LONGEST_REASON), missing="")
    elif decision in ("reject", "undo", "withdraw"):
        reading.complain("reason", refusal_words(NotAllowed("reason_missing", "")))
    state = errands.change(context.hub(), change_id, by=me().participant).record.state
    if reading.typed["seen"] != state:
        return _change_page(change_id, typed=reading.typed, status=409, stale=_decided_meanwhile())
    if reading.wrong:
        return _change_page(change_id, typed=reading.typed, wrong=reading.wrong, status=422)
    try:
        _decide(change_id, state, decision, reading.values.get("reason", ""))
    except Conflict:
        return _change_page(change_id, typed=reading.typed, status=409, stale=_decided_meanwhile())
    except NotFound:
        raise
    except NotAllowed as refusal:
        complain_of(reading, refusal, at="reason")
        return _change_page(change_id, typed=reading.typed, wrong=reading.wrong, status=422)
    if decision in ("undo", "withdraw"):
        return flask.redirect(flask.url_for("pages.workbench_change", change_id=change_id, done=change_id), 303)
    return _go_on(change_id, state)


def _decide(change_id: str, state: ChangeState, decision: str, reason: str) -> None:
    hub, by, actor, as_of = context.hub(), me().participant, me().actor, context.now()
    if decision == "withdraw":
        decisions.withdraw(hub, change_id, reason=reason, by=by, actor=actor, as_of=as_of)
    elif decision == "undo":
        decisions.propose_undo(hub, change_id, reason=reason, by=by, actor=actor, as_of=as_of)
    else:
        errand = decisions.review_undo if state is ChangeState.UNDO_PROPOSED else decisions.review
        errand(hub, change_id, approve=decision == "approve", reason=reason, by=by, actor=actor, as_of=as_of)


def _go_on(change_id: str, state: ChangeState) -> flask.typing.ResponseReturnValue:
    """To the next change of the same state that this person may review, else to the list."""
    following = next((one for one in _listed(state, None, after="") if not one.own), None)
    if following is None:
        return flask.redirect(flask.url_for("pages.workbench_review", done=change_id), 303)
    address = flask.url_for("pages.workbench_change", change_id=following.record.id, done=change_id)
    return flask.redirect(address, 303)


def _change_page(
    change_id: str,
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    stale: str = "",
    done: str = "",
) -> flask.Response:
    hub, by = context.hub(), me().participant
    told = errands.change(hub, change_id, by=by)
    record, own = told.record, _is_own(told)
    before = _without(record) if record.state in HOLDING_STATES else told.before
    targets = [one.unified for one in before.mappings] if before else []
    if isinstance(record.new, Mapping):
        targets.append(record.new.unified)
    return home.page(
        "staff/workbench_change.html",
        status,
        told=told,
        own=own and record.state in (ChangeState.PROPOSED, ChangeState.UNDO_PROPOSED),
        may=_may(record.state, own=own),
        holds=record.state in HOLDING_STATES,
        compared=view.compared(before, record.new, names=home.target_names(targets)),
        impact=None if record.state in OVER else impacts.impact_of_change(hub, change_id, by=by),
        hospitals=context.hospital_names(),
        answer_words=view.answer_words,
        typed=typed or {},
        wrong=wrong or {},
        stale=stale,
        done=done,
    )


def _without(record: ChangeRecord) -> Stretch | None:
    """What the catalog would hold on the first day of a change if it were undone."""
    catalog = context.hub().catalog(record.local.region)
    if record.order is not None:
        catalog = catalog.without_change(record.order)
    return catalog.on(record.local.kind, record.local.code, record.new.valid.start)


def _may(state: ChangeState, *, own: bool) -> str:
    """Which form the page of a change offers to this person."""
    if state is ChangeState.PROPOSED:
        return "withdraw" if own else "review"
    if state is ChangeState.UNDO_PROPOSED:
        return "" if own else "review"
    return "undo" if state is ChangeState.IN_FORCE else ""


def _decided_meanwhile() -> str:
    return say("您打开这一页之后，这条变更已被别人处理。请看下面的最新状态。")


# --- many at once --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A row that a bulk press would take."""

    name: str
    code: str
    target: str
    target_name: str
    score: int
    link: str
    amount: Money
    who: str


@pages.get("/desk/mapping/bulk")
@staff(AGENCY)
def workbench_bulk() -> flask.Response:
    """What would be proposed or approved above a score, before anything is."""
    return _bulk_page(flask.request.args)


@pages.post("/desk/mapping/bulk")
@staff(AGENCY)
def workbench_bulk_do() -> flask.typing.ResponseReturnValue:
    """Propose or approve what the page before showed; if that has changed meanwhile, show it again instead."""
    form = flask.request.form
    reading = Reading.of(form, "reason", "valid_from", "count")
    reading.read(
        "reason",
        lambda text: clean_text(text, longest=LONGEST_REASON),
        missing=say("请写明理由，复核的同事和以后查历史的人都要看。"),
    )
    kind, least = home.asked_kind(form.get("kind", "")), _least(form.get("score", ""))
    proposing = form.get("what") == "propose"
    first_day = None
    if proposing:
        try:
            first_day = typed_day(reading.typed["valid_from"])
        except NotAllowed as refusal:
            reading.complain("valid_from", refusal_words(refusal))
    if kind is None or least is None or reading.wrong:
        return _bulk_page(form, typed=reading.typed, wrong=reading.wrong, status=422)
    rows = _to_propose(kind, least) if proposing else _to_approve(kind, least)
    if str(min(len(rows), MOST_IN_BULK)) != reading.typed["count"]:
        return _bulk_page(
            form, typed=reading.typed, status=409, stale=say("您打开这一页之后，行数变了。请核对后再确认。")
        )
    hub, by, actor, as_of = context.hub(), me().participant, me().actor, context.now()
    reason = reading.values["reason"]
    try:
        if first_day is not None:
            result = decisions.propose_above(
                hub, kind=kind, least_score=least, first_day=first_day, reason=reason, by=by, actor=actor, as_of=as_of
            )
        else:
            result = decisions.approve_above(
                hub, kind=kind, least_score=least, reason=reason, by=by, actor=actor, as_of=as_of
            )
    except NotAllowed as refusal:
        complain_of(reading, refusal, at="reason")
        return _bulk_page(form, typed=reading.typed, wrong=reading.wrong, status=422)
    return _bulk_page(form, result=result)


def _bulk_page(
    asked: MappingOf[str, str],
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    stale: str = "",
    result: Bulk | None = None,
) -> flask.Response:
    kind, least = home.asked_kind(asked.get("kind", "")), _least(asked.get("score", ""))
    proposing = asked.get("what") == "propose"
    problems = dict(wrong or {})
    if kind is None:
        raise NotFound("kind_missing", "name one catalog")
    if least is None:
        problems["score"] = say("请填写 0 到 100 之间的分数，例如 95。")
        status = 422
    rows: Sequence[BulkRow] = []
    if least is not None and result is None:
        rows = _to_propose(kind, least) if proposing else _to_approve(kind, least)
    earliest = earliest_first_day(context.hub(), by=me().participant, as_of=context.now())
    return home.page(
        "staff/workbench_bulk.html",
        status,
        what="propose" if proposing else "approve",
        kind=kind,
        score=asked.get("score", "")[:5],
        rows=rows[:MOST_IN_BULK],
        cut_off=len(rows) > MOST_IN_BULK,
        total=total(row.amount for row in rows[:MOST_IN_BULK]),
        earliest=earliest,
        typed={"valid_from": earliest.isoformat(), **(typed or {})},
        wrong=problems,
        stale=stale,
        result=result,
        refusal=_row_words,
    )


def _to_propose(kind: CatalogKind, least: int) -> list[BulkRow]:
    """Waiting rows whose best candidate reaches a score, without those that cannot be proposed."""
    rows = errands.queue(context.hub(), by=me().participant, kind=kind, limit=home.MOST_WAITING, top=1)
    return [
        BulkRow(
            name=row.waiting.name,
            code=row.waiting.local.code,
            target=row.candidates[0].unified.code,
            target_name=row.candidates[0].name,
            score=row.candidates[0].score,
            link=flask.url_for("pages.workbench_code", kind=kind, code=row.waiting.local.code),
            amount=row.waiting.amount,
            who="",
        )
        for row in rows
        if row.candidates
        and row.candidates[0].score >= least
        and row.waiting.outcome is not LineOutcome.UNKNOWN_CODE
        and not any(isinstance(one.new, Mapping) for one in row.proposals)
    ]


def _to_approve(kind: CatalogKind, least: int) -> list[BulkRow]:
    """Proposals of others that took a candidate whose score reaches a bound."""
    records = [
        one
        for one in _proposals(kind)
        if one.origin is Origin.SUGGESTED
        and one.score is not None
        and one.score >= least
        and one.proposed_by != me().actor
    ]
    catalog = context.hub().catalog(home.own_region())
    names = home.target_names(one.new.unified for one in records if isinstance(one.new, Mapping))
    found = []
    for one in records:
        item = catalog.item(one.local, one.new.valid.start)
        target = one.new.unified.code if isinstance(one.new, Mapping) and one.new.unified else ""
        found.append(
            BulkRow(
                name=one.local.code if item is None else item.name,
                code=one.local.code,
                target=target,
                target_name=names.get(target, ""),
                score=one.score or 0,
                link=flask.url_for("pages.workbench_change", change_id=one.id),
                amount=Money(0),
                who=one.proposed_by,
            )
        )
    return found


def _proposals(kind: CatalogKind) -> Iterator[ChangeRecord]:
    after = ""
    while True:
        found = errands.changes(
            context.hub(), by=me().participant, state=ChangeState.PROPOSED, kind=kind, after=after, limit=500
        )
        yield from found
        if len(found) < 500:
            return
        after = found[-1].id


def _least(text: str) -> int | None:
    """A score in per cent as thousandths; None where it is none."""
    try:
        return tenths_of_percent(text)
    except NotAllowed:
        return None


def _row_words(row: RefusedRow) -> str:
    return refusal_words(NotAllowed(row.code, row.message))
