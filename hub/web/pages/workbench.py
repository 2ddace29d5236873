"""The mapping workbench's home: what waits, by the money at stake, and how far each catalog is mapped.

Knows the queue, the coverage and what all pages of the workbench share. Must not decide: the errands do.
Sources: decisions 0051 and 0052 (forms first, keys beside), 0063 (value at stake); engineering guide section 11.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flask

from hub.actions import workbench as errands
from hub.core.codes import BILLABLE_KINDS, CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.errors import NotAllowed, NotFound
from hub.core.mapping import ChangeState, Mapping
from hub.core.money import Money, total
from hub.ports import HUB_SCOPE
from hub.ports.catalogs import Coverage
from hub.web.pages import context, sheets
from hub.web.pages import workbench_view as view
from hub.web.pages import workbench_words as bench
from hub.web.pages.blueprint import POLICY, pages
from hub.web.pages.forms import plain
from hub.web.pages.guards import AGENCY, me, staff
from hub.web.pages.home import A_YEAR, own_path
from hub.web.pages.language import either, say

ROWS = 20
"""Rows of the queue on a page: a screen or two, each with its candidate."""

MOST_WAITING = 2_000
"""How far down the queue a page looks for one code, or for the next row."""

MOST_FOUND = 20
BULK_SCORE = "95"

KEYS_COOKIE = "hub-keys"
SCRIPTED = f"{POLICY}; script-src 'self'"
"""These pages alone may run our own script, which only presses their buttons."""


# --- what all pages of the workbench share -------------------------------------------------------------------------


def page(template: str, status: int = 200, **values: Any) -> flask.Response:
    """A page of the workbench, with its words and keys."""
    response = sheets.page(
        template,
        status,
        **{
            "bench": bench,
            "keys_on": flask.request.cookies.get(KEYS_COOKIE) != "off",
            "person": person,
            "summary": view.summary,
            "bulk_score": BULK_SCORE,
            "wrong": {},
            "typed": {},
            "done": "",
            "stale": "",
            **values,
        },
    )
    response.headers["Content-Security-Policy"] = SCRIPTED
    return response


def own_region() -> Region:
    """The region that the signed-in officer works for."""
    region = me().participant.region
    if region is None:
        raise NotFound("catalog_not_found", "only a region's agency works on its catalog")
    return region


def asked_kind(text: str) -> CatalogKind | None:
    """A kind that can be billed; None for all of them."""
    return CatalogKind(text) if text in bench.KINDS else None


def person(actor: str) -> str:
    """Who did something, by name where he is of the same agency."""
    names: dict[str, str] = flask.g.setdefault("bench_people", {})
    if actor not in names:
        kind, _, staff_id = actor.partition(":")
        names[actor] = actor
        if kind == "staff":
            with context.store().begin(HUB_SCOPE) as uow:
                known = uow.staff.get(staff_id)
            if known is not None and known.participant_id == me().participant.id:
                names[actor] = known.name
    return names[actor]


def target_names(codes: Iterable[UnifiedCode | None]) -> dict[str, str]:
    """The names of unified codes in the newest release."""
    with context.hub().store.begin(me().participant.scope) as uow:
        found = {code.code: uow.catalogs.entry(code) for code in codes if code is not None}
    return {code: entry.name for code, entry in found.items() if entry is not None}


def done_of(change_id: str) -> str:
    """What the page before this one did, told once more; nothing where the address names no change of the region."""
    if not change_id:
        return ""
    try:
        told = errands.change(context.hub(), change_id, by=me().participant)
    except NotFound:
        return ""
    return say("{state}：{what}", state=either(bench.STATE[told.record.state][0]), what=view.summary(told))


# --- the queue -----------------------------------------------------------------------------------------------------


@pages.get("/desk/mapping")
@staff(AGENCY)
def workbench() -> flask.typing.ResponseReturnValue:
    """Local codes that bills wait for, the most money first; or the code that was asked for."""
    if not _has_catalog():
        return page("staff/workbench_none.html")
    asked = flask.request.args.get("code", "").strip()[:64]
    kind = asked_kind(flask.request.args.get("kind", ""))
    found: list[tuple[LocalCode, str]] = []
    wrong: dict[str, str] = {}
    if asked:
        exact, found = _local_codes(asked, kind)
        if exact is not None:
            return flask.redirect(flask.url_for("pages.workbench_code", kind=exact.kind, code=exact.code), 303)
        if not found:
            wrong["code"] = say("本地目录和等待的行里都没有这个编码或名称。")
    number = _page_number()
    rows = errands.queue(
        context.hub(), by=me().participant, kind=kind, offset=(number - 1) * ROWS, limit=ROWS + 1, top=1
    )
    every = errands.waiting(context.hub(), by=me().participant, kind=kind, limit=MOST_WAITING)
    return page(
        "staff/workbench_queue.html",
        422 if wrong else 200,
        count=len(every),
        waiting_total=total(row.amount for row in every),
        rows=rows[:ROWS],
        more=len(rows) > ROWS,
        page=number,
        offset=(number - 1) * ROWS,
        kind=kind or "",
        typed={"code": asked},
        found=found,
        wrong=wrong,
        done=done_of(flask.request.args.get("done", "")),
    )


def _has_catalog() -> bool:
    """Whether a catalog of the region was ever loaded; a region that has just joined may have none yet."""
    try:
        context.hub().catalog(own_region())
    except NotAllowed as refusal:
        if refusal.code != "catalog_missing":
            raise
        return False
    return True


def _local_codes(asked: str, kind: CatalogKind | None) -> tuple[LocalCode | None, list[tuple[LocalCode, str]]]:
    """The local code that was typed to the letter, else those whose code begins with it or whose name holds it."""
    region, kinds = own_region(), [kind] if kind else list(BILLABLE_KINDS)
    catalog = context.hub().catalog(region)
    waiting = errands.waiting(context.hub(), by=me().participant, kind=kind, limit=MOST_WAITING)
    exact = [LocalCode(region, one, asked) for one in kinds if asked.isprintable() and catalog.stretches(one, asked)]
    exact += [row.local for row in waiting if row.local.code == asked]
    if exact:
        return exact[0], []
    found = {row.local: row.name for row in waiting if asked in row.name}
    with context.hub().store.begin(me().participant.scope) as uow:
        for one in kinds:
            items = uow.catalogs.items(region, one, asked, on=context.today(), limit=MOST_FOUND)
            found |= {item.local: item.name for item in items}
    return None, list(found.items())[:MOST_FOUND]


def _page_number() -> int:
    text = plain(flask.request.args.get("page", "1"))
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def next_row(after: LocalCode | None, *, kind: CatalogKind | None) -> LocalCode | None:
    """The next waiting row without a proposal below a code, else the first of all; None where nothing is left."""
    hub, by = context.hub(), me().participant
    proposed = {
        one.local
        for one in errands.changes(hub, by=by, state=ChangeState.PROPOSED, kind=kind, limit=MOST_WAITING)
        if isinstance(one.new, Mapping)
    }
    rows = [row.local for row in errands.waiting(hub, by=by, kind=kind, limit=MOST_WAITING)]
    place = rows.index(after) + 1 if after in rows else 0
    return next((one for one in (*rows[place:], *rows[:place]) if one not in proposed and one != after), None)


@pages.get("/desk/mapping/keys/<any(on,off):switch>")
@staff(AGENCY)
def workbench_keys(switch: str) -> flask.typing.ResponseReturnValue:
    """Switch the keys on or off for this browser: single letters disturb some who speak to their computer."""
    wanted = own_path(flask.request.args.get("next", "").rstrip("?"))
    response = flask.redirect(wanted or flask.url_for("pages.workbench"), 303)
    secure = flask.current_app.extensions["hub"].settings.public_url.startswith("https:")
    response.set_cookie(KEYS_COOKIE, switch, max_age=A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    return response


# --- coverage ------------------------------------------------------------------------------------------------------


class CoverageRow:
    """One catalog's coverage with its shares in per cent and as widths of bars in thousandths, rounded down.

    Rounded down, so that nothing looks finished before it is.
    """

    def __init__(self, found: Coverage) -> None:
        self.kind, self.rows, self.mapped, self.payable = found.kind, found.rows, found.mapped, found.payable
        self.amount, self.waiting = found.amount, found.waiting
        self.mapped_wide = _thousandths(found.mapped, found.rows)
        self.payable_wide = _thousandths(found.payable, found.rows)
        settled = Money(found.amount.fen - found.waiting.fen)
        self.money_wide = _thousandths(settled.fen, found.amount.fen)

    @property
    def mapped_share(self) -> str:
        return _percent(self.mapped_wide)

    @property
    def money_share(self) -> str:
        return _percent(self.money_wide)


def _thousandths(part: int, whole: int) -> int:
    return part * 1000 // whole if whole else 0


def _percent(thousandths: int) -> str:
    return f"{thousandths // 10}.{thousandths % 10}%"


@pages.get("/desk/mapping/coverage")
@staff(AGENCY)
def workbench_coverage() -> flask.Response:
    """How far each catalog is mapped, in rows and in money."""
    found = errands.coverage(context.hub(), by=me().participant, on=context.today())
    return page("staff/workbench_coverage.html", rows=[CoverageRow(one) for one in found])


def local_code(kind: str, code: str) -> LocalCode:
    """The local code that an address names; raises NotFound where it cannot be one."""
    found = asked_kind(kind)
    if found is None:
        raise NotFound("code_not_found", "no such catalog")
    try:
        return LocalCode(own_region(), found, code)
    except NotAllowed:
        raise NotFound("code_not_found", "no such code") from None
