"""What every page is given: the hub, the time, and what regions and hospitals are called.

Knows where the application keeps these. Must not know rules or any one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import flask

from hub.actions.context import Hub
from hub.actions.lookup import networked_hospitals
from hub.core.codes import CatalogKind, Region, UnifiedCode
from hub.core.dates import business_day
from hub.core.errors import NotAllowed
from hub.ports import HUB_SCOPE
from hub.web.pages.language import say

REVIEW_WORKING_DAYS = 2
"""Within how many working days an application is usually reviewed (domain-process section 4.2)."""


def hub() -> Hub:
    """The hub that the pages' errands run on."""
    return cast(Hub, flask.current_app.extensions["hub"].hub)


def store() -> Any:
    """The store, for sessions and staff, which are no errands."""
    return flask.current_app.extensions["hub"].store


def now() -> datetime:
    """The moment of this request; the same however often it is asked."""
    if "as_of" not in flask.g:
        flask.g.as_of = flask.current_app.extensions["hub"].clock.now()
    return cast(datetime, flask.g.as_of)


def today() -> date:
    """The business day of this request."""
    return business_day(now())


def answer_by(submitted_at: datetime) -> date | None:
    """By which day an application is to be answered; None where the calendar does not reach so far."""
    try:
        return hub().calendar.add_working_days(business_day(submitted_at), REVIEW_WORKING_DAYS)
    except NotAllowed:
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A region as a page shows it; `province` is empty where the area book does not know it."""

    code: str
    name: str
    province: str


def place(region: Region | str) -> Place:
    """What a region is called in the newest book of areas; looked up once per process."""
    code = str(region)
    known: dict[str, Place] = flask.current_app.extensions.setdefault("hub_places", {})
    found = known.get(code)
    if found is None:
        with store().begin(HUB_SCOPE) as uow:
            entry = uow.catalogs.entry(UnifiedCode(CatalogKind.AREA, code))
        if entry is None:
            # Codes beginning with 9 name no province: played regions.
            return Place(code, say("演示地区 {code}", code=code), say("演示"))
        path = entry.attributes.get("path", "").split("/")
        name = entry.name if len(path) < 3 else "".join(path[1:])
        found = known[code] = Place(code, name, path[0] or entry.name)
    return found


def region_name(region: Region | str) -> str:
    """A region's name, for tables and sentences."""
    return place(region).name


def insured_places() -> list[Place]:
    """Regions whose insured persons can register here, in the order of their codes."""
    return [place(region) for region in sorted(hub().gateways)]


def care_places() -> list[Place]:
    """Regions with at least one hospital that settles directly today."""
    return [place(region) for region in sorted(networked_hospitals(hub(), on=today()))]


def by_province(places: list[Place]) -> list[tuple[str, list[Place]]]:
    """Places grouped under their provinces, in the order given."""
    found: dict[str, list[Place]] = {}
    for one in places:
        found.setdefault(one.province, []).append(one)
    return list(found.items())


def hospital_names() -> dict[str, str]:
    """The names of the hospitals that settle directly, by code."""
    found = networked_hospitals(hub(), on=today())
    return {one.code.code: one.name for hospitals in found.values() for one in hospitals}
