"""Looking codes up: the unified code books, and a region's own catalog on a day.

Knows messages. Must not know how a line is classified. Everything here is published: whoever takes part may read it.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import download
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.dates import business_day
from hub.core.errors import NotAllowed, NotFound
from hub.ports import Sight
from hub.web.answers import answer, the_hub
from hub.web.api import shapes, shapes_changes
from hub.web.api.blueprint import ApiBlueprint
from hub.web.api.incoming import CatalogQuery, OnDayQuery
from hub.web.api.incoming_changes import DownloadQuery
from hub.web.api.outgoing import EntriesOut, EntryOut
from hub.web.api.outgoing_changes import ItemOut, NewerCodesOut, NewerEntriesOut
from hub.web.guards import caller, signed

blueprint = ApiBlueprint(
    "catalogs", __name__, url_prefix="/v1/catalogs", description="Unified code books and regional catalogs."
)

EVERYBODY = (Sight.INSTITUTION, Sight.REGION, Sight.HUB)

_KIND = {
    "name": "kind",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": [str(kind) for kind in CatalogKind]},
    "example": "herbal",
}
_CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:+*~-][A-Za-z0-9_.:+*~/-]{0,63}$"},
    "example": "T001700002",
}
_REGION = {
    "name": "region",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[1-9][0-9]{5}$"},
    "example": "450700",
}


@blueprint.route("/<kind:kind>", methods=["GET"], parameters=[_KIND])
@signed(*EVERYBODY)
@blueprint.arguments(CatalogQuery, location="query")
@blueprint.response(200, EntriesOut)
@blueprint.reads()
def search(query: dict[str, Any], kind: str) -> flask.Response:
    """Find unified codes by the beginning of the code or a part of the name."""
    with _reading() as uow:
        found = uow.catalogs.search(CatalogKind(kind), query["q"], limit=query["limit"])
    return answer({"items": [shapes.entry(one) for one in found]})


@blueprint.route("/<kind:kind>/<code:code>", methods=["GET"], parameters=[_KIND, _CODE])
@signed(*EVERYBODY)
@blueprint.response(200, EntryOut)
@blueprint.reads(404)
def get_entry(kind: str, code: str) -> flask.Response:
    """Look one unified code up in the newest release."""
    try:
        wanted = UnifiedCode(CatalogKind(kind), code)
    except NotAllowed:
        raise _no_code(kind) from None
    with _reading() as uow:
        found = uow.catalogs.entry(wanted)
    if found is None:
        raise _no_code(kind)
    return answer(shapes.entry(found))


@blueprint.route("/regions/<area:region>/<kind:kind>/<code:code>", methods=["GET"], parameters=[_REGION, _KIND, _CODE])
@signed(*EVERYBODY)
@blueprint.arguments(OnDayQuery, location="query")
@blueprint.response(200, ItemOut)
@blueprint.reads(404)
def get_item(query: dict[str, Any], region: str, kind: str, code: str) -> flask.Response:
    """Look a region's own code up: class, first self-pay, price limits and mapping as they hold on a day."""
    on = query.get("on") or business_day(caller().as_of)
    local = LocalCode(Region(region), CatalogKind(kind), code)
    catalog = the_hub().catalog(local.region)
    found = catalog.item(local, on)
    if found is None:
        raise _no_code(kind)
    return answer(shapes_changes.item(found, catalog.mapping(local, on)))


@blueprint.route("/downloads/unified/<kind:kind>", methods=["GET"], parameters=[_KIND])
@signed(*EVERYBODY)
@blueprint.arguments(DownloadQuery, location="query")
@blueprint.response(200, NewerEntriesOut)
@blueprint.reads()
def download_unified(query: dict[str, Any], kind: str) -> flask.Response:
    """Fetch the unified entries of a kind that are newer than a version, by code; all of them from version 0."""
    found = download.newer_entries(the_hub(), by=caller().participant, kind=CatalogKind(kind), **query)
    return answer(shapes_changes.newer_entries(found))


@blueprint.route("/downloads/own/<kind:kind>", methods=["GET"], parameters=[_KIND])
@signed(Sight.INSTITUTION, Sight.REGION)
@blueprint.arguments(DownloadQuery, location="query")
@blueprint.response(200, NewerCodesOut)
@blueprint.reads(422)
def download_own(query: dict[str, Any], kind: str) -> flask.Response:
    """Fetch what the own region's catalog says otherwise than at a version, by code; everything from version 0.

    Each code comes with all that holds of it now and later: class, ratios, limits, restriction and mappings by days.
    """
    found = download.newer_codes(the_hub(), by=caller().participant, kind=CatalogKind(kind), **query)
    return answer(shapes_changes.newer_codes(found))


def _reading() -> Any:
    """A transaction in the sender's own sight; the catalogs' shelf stands beside those of the port."""
    return flask.current_app.extensions["hub"].store.begin(caller().participant.scope)


def _no_code(kind: str) -> NotFound:
    return NotFound("code_not_found", f"there is no such {kind} code")
