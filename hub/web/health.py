"""Whether this process runs, and whether it can do its work.

Knows that work needs the database. Must not tell the outside anything else about it.
"""

from __future__ import annotations

import flask
import structlog

from hub.core.errors import HubError
from hub.ports import HUB_SCOPE
from hub.web.answers import answer
from hub.web.api.blueprint import ApiBlueprint
from hub.web.api.outgoing import HealthOut
from hub.web.errors import problem
from hub.web.guards import public

blueprint = ApiBlueprint("health", __name__, url_prefix="/health", description="For load balancers and supervisors.")

_log = structlog.get_logger("hub.web")


@blueprint.route("/live", methods=["GET"])
@public("a load balancer has no key; the answer says nothing but that the process runs")
@blueprint.response(200, HealthOut)
def live() -> flask.Response:
    """Whether the process runs.

    Touches nothing outside the process: a slow database must not get the process killed.
    """
    return answer({"status": "alive"})


@blueprint.route("/ready", methods=["GET"])
@public("a load balancer has no key; the answer says nothing but that work can be done")
@blueprint.response(200, HealthOut)
@blueprint.problems(503)
def ready() -> flask.Response:
    """Whether requests can be served: the database answers."""
    try:
        with flask.current_app.extensions["hub"].store.begin(HUB_SCOPE) as uow:
            uow.outbox.waiting()
    except HubError as fault:
        _log.warning("not_ready", code=fault.code)
        return problem(503, code="not_ready", detail="the database does not answer", headers={"Retry-After": "5"})
    return answer({"status": "ready"})
