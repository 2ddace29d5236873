"""One local code at the workbench: its facts, its candidates, a drafted mapping or entry, and what it would move.

Knows the two forms and their steps: fill in, look at the impact, propose. Must not decide: the errands do.
Sources: decisions 0052 and 0063; design section 5 C1 (impact preview).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from datetime import date
from typing import TypeVar

import flask

from hub.actions import impact as impacts
from hub.actions import workbench as errands
from hub.actions.drafting import ProposeEntry, ProposeMapping, drafted_entry, drafted_mapping
from hub.actions.mapping import earliest_first_day, propose_entry, propose_mapping
from hub.actions.workbench import CodeView
from hub.core.catalog import CatalogItem, Stretch
from hub.core.codes import LocalCode, UnifiedCode
from hub.core.errors import Conflict, NotAllowed, NotFound
from hub.core.mapping import ChangeState, Grade, Mapping, Origin
from hub.ports.catalogs import UnifiedEntry
from hub.web.pages import context
from hub.web.pages import workbench as home
from hub.web.pages import workbench_view as view
from hub.web.pages import workbench_words as bench
from hub.web.pages.blueprint import pages
from hub.web.pages.forms import Reading
from hub.web.pages.guards import AGENCY, me, staff
from hub.web.pages.language import say
from hub.web.pages.workbench_forms import complain_of, read_entry, read_mapping, refusal_words, typed_of_item

Command = TypeVar("Command", ProposeMapping, ProposeEntry)

CANDIDATES = 9
"""As many as there are keys for."""

LIKELY = 500
"""Thousandths of score from which a candidate is likelier right than wrong; below it none is chosen beforehand."""

GRADES = {grade.value: bench.GRADE[grade] for grade in Grade if grade is not Grade.NONE}


# --- a mapping -----------------------------------------------------------------------------------------------------


@pages.get("/desk/mapping/code")
@staff(AGENCY)
def workbench_code() -> flask.Response:
    """One local code: its facts, what holds, the candidates beside it, and its history."""
    return _code_page(_asked())


@pages.post("/desk/mapping/code")
@staff(AGENCY)
def workbench_draft() -> flask.typing.ResponseReturnValue:
    """Show what a drafted mapping would move, or propose it; or go back to the form."""
    local = _asked()
    reading, command = read_mapping(flask.request.form, local)
    return _drafted(local, reading, command, draw=_code_page, act=_mapping_step, at="target")


def _mapping_step(
    local: LocalCode, reading: Reading, command: ProposeMapping, found: CodeView
) -> flask.typing.ResponseReturnValue:
    command = _with_origin(command, found)
    if flask.request.form.get("step", "") == "propose":
        record = propose_mapping(context.hub(), command, by=me().participant, actor=me().actor, as_of=context.now())
        return _go_on(local, record.id)
    impact = impacts.impact_of_mapping(context.hub(), command, by=me().participant, as_of=context.now())
    return _preview(local, found, reading, drafted_mapping(local.region, command), impact)


def _code_page(
    local: LocalCode,
    *,
    typed: MappingOf[str, str] | None = None,
    wrong: MappingOf[str, str] | None = None,
    status: int = 200,
    stale: str = "",
) -> flask.Response:
    found = _view_of(local)
    of = home.asked_kind(_of())
    rows = errands.waiting(context.hub(), by=me().participant, kind=local.kind, limit=home.MOST_WAITING)
    waiting = next((row for row in rows if row.local == local), None)
    name = found.name or (waiting.name if waiting else "") or local.code
    earliest = earliest_first_day(context.hub(), by=me().participant, as_of=context.now())
    query = flask.request.values.get("q", "").strip()[:60]
    searched = _searched(local, name, query, chosen=(typed or {}).get("target", ""), found=found)
    following = home.next_row(local, kind=of)
    return home.page(
        "staff/workbench_code.html",
        status,
        local=local,
        name=name,
        of=of or "",
        here=_address("pages.workbench_draft", local),
        waiting=waiting,
        pending=[one for one in found.changes if one.record.state in (ChangeState.PROPOSED, ChangeState.UNDO_PROPOSED)],
        local_facts=view.local_facts(found.stretches, on=context.today()),
        holds=view.held(found.stretches, _names_held(found.stretches)),
        candidates=_options(found, name),
        found=searched,
        q=query,
        grades=GRADES,
        earliest=earliest,
        typed=_first_typed(found, earliest) if typed is None else typed,
        wrong=wrong or {},
        stale=stale,
        seen=view.mark_of(found),
        past=list(reversed(found.changes)),
        next_row=_address("pages.workbench_code", following)
        if following
        else flask.url_for("pages.workbench", kind=of or ""),
        done=home.done_of(flask.request.args.get("done", "")),
    )


def _first_typed(found: CodeView, earliest: date) -> dict[str, str]:
    """What the form holds at first: the recommended candidate where it is likely, from the earliest day."""
    best = next((one for one in found.candidates if one.in_answer and one.score >= LIKELY), None)
    return {
        "target": best.unified.code if best else "",
        "grade": Grade.EXACT.value,
        "valid_from": earliest.isoformat(),
        "reason": say("名称与内容核对一致，采用系统候选。") if best else "",
    }


def _options(found: CodeView, name: str) -> list[view.Option]:
    attributes = _attributes([one.unified for one in found.candidates])
    local = _local_columns(found)
    return [
        view.Option(
            code=one.unified.code,
            name_parts=view.difference(name, one.name),
            rows=view.facts_of(attributes.get(one.unified.code, {}), local=local),
            score=one.score,
            in_answer=one.in_answer and one.score >= LIKELY,
            reasons=one.reasons,
        )
        for one in found.candidates
    ]


def _searched(local: LocalCode, name: str, query: str, *, chosen: str, found: CodeView) -> list[view.Option]:
    """What the officer searched for, and what he chose before where no candidate shows it; no candidate twice."""
    shown = {one.unified.code for one in found.candidates}
    entries: list[UnifiedEntry] = []
    if query:
        entries += errands.search_unified(context.hub(), by=me().participant, kind=local.kind, words=query)
    if chosen and chosen not in shown and chosen not in {one.code.code for one in entries}:
        entry = _entry(local, chosen)
        entries += [] if entry is None else [entry]
    columns = _local_columns(found)
    return [
        view.Option(
            code=one.code.code,
            name_parts=view.difference(name, one.name),
            rows=view.facts_of(one.attributes, local=columns),
        )
        for one in entries
        if one.code.code not in shown
    ]


def _entry(local: LocalCode, code: str) -> UnifiedEntry | None:
    try:
        wanted = UnifiedCode(local.kind, code)
    except NotAllowed:
        return None
    with context.hub().store.begin(me().participant.scope) as uow:
        return uow.catalogs.entry(wanted)


def _attributes(codes: list[UnifiedCode]) -> dict[str, MappingOf[str, str]]:
    with context.hub().store.begin(me().participant.scope) as uow:
        entries = {code.code: uow.catalogs.entry(code) for code in codes}
    return {code: entry.attributes for code, entry in entries.items() if entry is not None}


def _local_columns(found: CodeView) -> dict[str, str]:
    """Columns of the local entry that unified entries have as well."""
    units = [one.item.unit for one in found.stretches if one.item is not None and one.item.unit]
    return {"unit": units[-1]} if units else {}


def _names_held(stretches: Sequence[Stretch]) -> dict[str, str]:
    return home.target_names(one.unified for stretch in stretches for one in stretch.mappings)


def _with_origin(command: ProposeMapping, found: CodeView) -> ProposeMapping:
    """Whether a candidate was taken is looked up here: a form could say anything."""
    taken = next((one for one in found.candidates if one.unified.code == command.target), None)
    return command if taken is None else replace(command, origin=Origin.SUGGESTED)


# --- an entry ------------------------------------------------------------------------------------------------------


@pages.get("/desk/mapping/entry")
@staff(AGENCY)
def workbench_entry() -> flask.Response:
    """The form of an entry: class, ratios, limits, payment standard, restriction, days."""
    return _entry_page(_asked())


@pages.post("/desk/mapping/entry")
@staff(AGENCY)
def workbench_draft_entry() -> flask.typing.ResponseReturnValue:
    """Show what a drafted entry would move, or propose it; or go back to the form."""
    local = _asked()
    reading, command = read_entry(flask.request.form, local)
    return _drafted(local, reading, command, draw=_entry_page, act=_entry_step, at="name")


def _entry_step(
    local: LocalCode, reading: Reading, command: ProposeEntry, found: CodeView
) -> flask.typing.ResponseReturnValue:
    draft = drafted_entry(command, catalog=context.hub().catalog(local.region))
    if flask.request.form.get("step", "") == "propose":
        record = propose_entry(context.hub(), command, by=me().participant, actor=me().actor, as_of=context.now())
        return flask.redirect(flask.url_for("pages.workbench_change", change_id=record.id, done=record.id), 303)
    impact = impacts.impact_of_entry(context.hub(), command, by=me().participant, as_of=context.now())
    return _preview(local, found, reading, draft, impact)


def _entry_page(
    local: LocalCode,
    *,
    typed: MappingOf[str, str] | None = None,
    wrong: MappingOf[str, str] | None = None,
    status: int = 200,
    stale: str = "",
) -> flask.Response:
    found = _view_of(local)
    item = context.hub().catalog(local.region).item(local, context.today())
    if typed is None:
        typed = typed_of_item(item, name=found.name, valid_from=context.today())
    restriction = ("sex", "age_from", "age_to", "diagnoses", "inpatient_only", "most_days")
    levels = ("level_1", "level_2", "level_3")
    return home.page(
        "staff/workbench_entry.html",
        status,
        local=local,
        name=found.name or local.code,
        here=_address("pages.workbench_draft_entry", local),
        pending=[one for one in found.changes if one.record.state is ChangeState.PROPOSED],
        earliest=earliest_first_day(context.hub(), by=me().participant, as_of=context.now()),
        typed=typed,
        wrong=wrong or {},
        stale=stale,
        restricted=any(typed.get(one) or one in (wrong or {}) for one in (*restriction, *levels)),
        seen=view.mark_of(found),
    )


# --- both ----------------------------------------------------------------------------------------------------------


def _drafted(
    local: LocalCode,
    reading: Reading,
    command: Command | None,
    *,
    draw: Callable[..., flask.Response],
    act: Callable[[LocalCode, Reading, Command, CodeView], flask.typing.ResponseReturnValue],
    at: str,
) -> flask.typing.ResponseReturnValue:
    """Carry a sent form on, or draw it again: on the way back, where the code changed meanwhile (409), or with each
    fault at its field (422); a fault without a field of its own is shown at `at`.
    """
    if flask.request.form.get("step", "") == "edit":
        return draw(local, typed=reading.typed)
    found = _view_of(local)
    if flask.request.form.get("seen", "") != view.mark_of(found):
        return draw(local, typed=reading.typed, status=409, stale=_changed_meanwhile())
    if command is None:
        return draw(local, typed=reading.typed, wrong=reading.wrong, status=422)
    try:
        return act(local, reading, command, found)
    except Conflict as refusal:
        return draw(local, typed=reading.typed, status=409, stale=refusal_words(refusal))
    except NotFound:
        raise
    except NotAllowed as refusal:
        complain_of(reading, refusal, at=at)
        return draw(local, typed=reading.typed, wrong=reading.wrong, status=422)


def _asked() -> LocalCode:
    return home.local_code(flask.request.args.get("kind", ""), flask.request.args.get("code", ""))


def _of() -> str:
    return flask.request.args.get("of", "")


def _address(endpoint: str, local: LocalCode) -> str:
    return flask.url_for(endpoint, kind=local.kind, code=local.code, of=_of() or None)


def _view_of(local: LocalCode) -> CodeView:
    """The code as it stands, read once per request."""
    if "bench_code" not in flask.g:
        flask.g.bench_code = errands.code(
            context.hub(), by=me().participant, kind=local.kind, code=local.code, top=CANDIDATES
        )
    found: CodeView = flask.g.bench_code
    return found


def _preview(
    local: LocalCode, found: CodeView, reading: Reading, draft: CatalogItem | Mapping, impact: impacts.Impact
) -> flask.Response:
    before = context.hub().catalog(local.region).on(local.kind, local.code, draft.valid.start)
    targets = [one.unified for one in before.mappings] if before else []
    if isinstance(draft, Mapping):
        targets.append(draft.unified)
    return home.page(
        "staff/workbench_preview.html",
        local=local,
        name=found.name or local.code,
        of=_of(),
        here=flask.request.full_path.rstrip("?"),
        typed=reading.typed,
        seen=view.mark_of(found),
        q=flask.request.form.get("q", "")[:60],
        compared=view.compared(before, draft, names=home.target_names(targets)),
        impact=impact,
        hospitals=context.hospital_names(),
        answer_words=view.answer_words,
    )


def _go_on(local: LocalCode, change_id: str) -> flask.typing.ResponseReturnValue:
    """To the next row that waits, with what was done told there."""
    of = home.asked_kind(_of())
    following = home.next_row(local, kind=of)
    if following is None:
        return flask.redirect(flask.url_for("pages.workbench", kind=of or None, done=change_id), 303)
    return flask.redirect(
        flask.url_for("pages.workbench_code", kind=following.kind, code=following.code, of=of or None, done=change_id),
        303,
    )


def _changed_meanwhile() -> str:
    return say("您打开这一页之后，这个编码有了新的建议或决定。请看下面的最新内容，核对后再提交。")
