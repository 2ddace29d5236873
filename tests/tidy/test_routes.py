"""Every route is guarded by somebody, or says why it is open; every writing route runs once per key."""

from types import SimpleNamespace

import pytest

from hub.clock import SystemClock
from hub.ports import Sight
from hub.settings import Settings
from hub.web.app import create_app
from hub.web.guards import guard_of

FILES = {"static", "docs.static"}
"""Style sheets, scripts and marks that ship with the hub: the same for everybody."""


@pytest.fixture(scope="module")
def app():
    """The application without a hub behind it: enough to list its routes."""
    hub = SimpleNamespace(
        settings=Settings.from_env(), secret_key="no session is ever signed here", store=None, clock=SystemClock()
    )
    return create_app(hub)


def routes(app):
    return [
        (rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules() if rule.endpoint not in FILES
    ]


def methods(rule):
    return rule.methods - {"HEAD", "OPTIONS"}


def test_every_route_is_guarded_or_says_why_it_is_open(app):
    forgotten = [str(rule) for rule, view in routes(app) if guard_of(view) is None]

    assert not forgotten, f"decorate with signed(...), staff(...), patient or public(reason): {forgotten}"


def test_every_guard_names_who_may_or_why_anybody_may(app):
    for rule, view in routes(app):
        guard = guard_of(view)
        assert guard.sights or guard.reason, str(rule)
        assert guard.sights <= set(Sight), str(rule)


def test_every_signed_route_that_writes_runs_once_per_key(app):
    unkeyed = [
        str(rule)
        for rule, view in routes(app)
        if guard_of(view).sights and methods(rule) - {"GET"} and not guard_of(view).writes
    ]

    # A quote and a preview are POSTs because of their size; they write nothing, so trying again is always safe.
    assert set(unkeyed) == {"/v1/bills/quote", "/v1/mappings/impact", "/v1/mappings/entries/impact"}


def test_no_reading_route_asks_for_a_key(app):
    wrong = [str(rule) for rule, view in routes(app) if methods(rule) == {"GET"} and guard_of(view).writes]

    assert not wrong, wrong


def test_no_route_offers_a_method_that_the_hub_does_not_use(app):
    wrong = [
        f"{rule} {sorted(methods(rule))}" for rule, _ in routes(app) if methods(rule) - {"GET", "POST", "PUT", "DELETE"}
    ]

    assert not wrong, wrong


def test_the_routes_of_the_interface_are_there(app):
    """Guards against a blueprint that is written and never registered: then nothing above would look at it."""
    addresses = [str(rule) for rule, _ in routes(app)]

    for part in ("registrations", "admissions", "bills", "statements", "windows", "health"):
        assert any(part in address for address in addresses), part
