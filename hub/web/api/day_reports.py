"""A hospital's report of a day, for the daily three-way match.

Knows messages. Must not know how sides are matched.
"""

from __future__ import annotations

from typing import Any

import flask

from hub.actions import matching
from hub.ports import Sight
from hub.web.answers import run_once, the_hub
from hub.web.api import examples, shapes
from hub.web.api.blueprint import REPLAYED, ApiBlueprint
from hub.web.api.incoming import DayReportIn
from hub.web.api.outgoing import DayReportOut
from hub.web.guards import caller, own_institution, signed

blueprint = ApiBlueprint(
    "day reports", __name__, url_prefix="/v1/day-reports", description="The daily match of hospital, region and hub."
)


@blueprint.route("", methods=["POST"])
@signed(Sight.INSTITUTION, writes=True, owner=own_institution)
@blueprint.arguments(DayReportIn, example=examples.DAY_REPORT)
@blueprint.response(200, DayReportOut, headers=REPLAYED)
@blueprint.writes()
def report_day(body: dict[str, Any]) -> flask.Response:
    """Report what was booked on a day; a later report of the same day replaces the earlier one."""
    sender = caller()
    return run_once(
        lambda keep: matching.report_day(
            the_hub(), body["day"], body["bookings"], by=sender.participant, as_of=sender.as_of, keep=keep
        ),
        shape=shapes.day_report,
    )
