"""What a closed month came to: statements, windows, the gross matrix and its nets.

Knows messages and forms of a statement. Must not know how anything is netted.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import statements as errands
from hub.actions.rendering import CSV_TYPE, JSON_TYPE, statement_id
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import NotFound
from hub.ports import Sight
from hub.ports.records import StoredStatement
from hub.web.answers import answer, page, the_hub
from hub.web.api import shapes
from hub.web.api.blueprint import ApiBlueprint, id_parameter
from hub.web.api.incoming import FormatQuery, StatementForm, StatementsQuery
from hub.web.api.outgoing import MatrixOut, StatementHeadOut, StatementOut, WindowsOut, page_of
from hub.web.errors import NotAcceptable
from hub.web.guards import caller, signed

statements = ApiBlueprint(
    "statements", __name__, url_prefix="/v1/statements", description="Statements and notices of closed months."
)
windows = ApiBlueprint(
    "windows", __name__, url_prefix="/v1/windows", description="Clearing months and what they came to."
)

_ID = id_parameter("name", "The statement's id.", "stm_win_cross_province_2026-10_450700_statement_json")

_FORMS = {StatementForm.JSON: JSON_TYPE, StatementForm.CSV: CSV_TYPE}

_ETAG = {"ETag": {"description": "SHA-256 of the bytes, which never change.", "schema": {"type": "string"}}}


@statements.route("", methods=["GET"])
@signed(Sight.REGION, Sight.HUB)
@statements.arguments(StatementsQuery, location="query")
@statements.response(200, page_of("StatementsPage", StatementHeadOut))
@statements.reads()
def list_statements(query: dict[str, Any]) -> flask.Response:
    """List the statements and notices addressed to the sender, by id."""
    found = errands.list_statements(
        the_hub(),
        scope=caller().participant.scope,
        regime=query.get("regime"),
        period=query.get("period"),
        after=query.get("after", ""),
        limit=query["limit"] + 1,
    )
    return page(found, limit=query["limit"], shape=shapes.statement_head, cursor=lambda one: one.id)


@statements.route("/<id:name>", methods=["GET"], parameters=[_ID])
@signed(Sight.REGION, Sight.HUB)
@statements.arguments(FormatQuery, location="query")
@statements.response(200, StatementOut, headers=_ETAG)
@statements.alt_response(200, schema={"type": "string"}, content_type="text/csv", success=True)
@statements.alt_response(
    304, description="The bytes that the sender has (If-None-Match) are still these.", success=True
)
@statements.reads(404, 406)
def get_statement(query: dict[str, Any], name: str) -> flask.Response:
    """Fetch a statement as JSON or CSV: by `format`, or by `Accept`, or as its id says.

    The bytes never change; ask with If-None-Match to fetch them once only.
    """
    scope = caller().participant.scope
    stored = errands.get_statement(the_hub(), name, scope=scope)
    wanted = _wanted(query.get("format"), stored)
    if wanted != stored.media_type:
        other = statement_id(stored.window_id, stored.region, stored.kind, wanted)
        try:
            stored = errands.get_statement(the_hub(), other, scope=scope)
        except NotFound:
            raise NotAcceptable("statement_form", f"a {stored.kind} is kept as {stored.media_type} only") from None
    found = flask.Response(stored.content, content_type=stored.media_type)
    form = "csv" if stored.media_type == CSV_TYPE else "json"
    found.headers["Content-Disposition"] = f'attachment; filename="{stored.region}-{stored.kind}.{form}"'
    found.set_etag(stored.sha256)
    found.make_conditional(flask.request)
    return found


def _wanted(form: StatementForm | None, stored: StoredStatement) -> str:
    if form is not None:
        return _FORMS[form]
    accepted = flask.request.accept_mimetypes
    if not accepted:
        return stored.media_type
    # The kind that the id names comes first, so that it is given where the sender takes any.
    kinds = sorted(_FORMS.values(), key=lambda media: media != stored.media_type)
    best = accepted.best_match([media.partition(";")[0] for media in kinds])
    if best is None:
        raise NotAcceptable("not_acceptable", "a statement is kept as application/json and as text/csv")
    return next(media for media in kinds if media.startswith(best))


@windows.route("", methods=["GET"])
@signed(Sight.REGION, Sight.INSTITUTION, Sight.HUB)
@windows.response(200, WindowsOut)
@windows.reads()
def list_windows() -> flask.Response:
    """List the clearing months of both regimes with their states."""
    found = errands.list_windows(the_hub(), scope=caller().participant.scope)
    return answer({"items": [shapes.window(one) for one in found]})


@windows.route(
    "/<regime:regime>/<month:period>/matrix",
    methods=["GET"],
    parameters=[
        {
            "name": "regime",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": [str(regime) for regime in Regime]},
            "example": "cross_province",
        },
        {
            "name": "period",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^2[0-9]{3}-(0[1-9]|1[0-2])$"},
            "example": "2026-10",
        },
    ],
)
@signed(Sight.REGION, Sight.HUB)
@windows.response(200, MatrixOut)
@windows.reads(404)
def get_matrix(regime: str, period: str) -> flask.Response:
    """Look at a month's gross matrix and both nets; a region sees the cells that concern it."""
    found = errands.matrix(
        the_hub(), regime=Regime(regime), period=Period.parse(period), scope=caller().participant.scope
    )
    return answer(shapes.matrix(found))
