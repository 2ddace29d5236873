"""Running the named checks over a whole database, as the role that owns the tables.

Knows how to put the checks, the vault, the regions and the renderer together. Must not know any check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.actions.rendering import render
from hub.settings import Settings
from hub.store.audit import Break, Head, head, verify_chain
from hub.store.engine import one_snapshot
from hub.store.verify import CheckResult, run
from hub.wiring import App, build_app


def run_checks(settings: Settings) -> Sequence[CheckResult]:
    """Every invariant's outcome, in the order of the invariants; reads only."""
    with _built(settings) as app, one_snapshot(_owner_url(settings)) as owner:
        return run(owner, app.vault, gateways=app.hub.gateways, render=render)


def check_audit(settings: Settings) -> tuple[Break | None, Head]:
    """The first break of the audit chain, None where it is whole, and the chain's end to be noted outside."""
    with _built(settings) as app, one_snapshot(_owner_url(settings)) as owner:
        app.vault.prepare()
        return verify_chain(owner, app.vault), head(owner)


@contextmanager
def _built(settings: Settings) -> Iterator[App]:
    app = build_app(settings)
    try:
        yield app
    finally:
        app.close()


def _owner_url(settings: Settings) -> str:
    if settings.database_owner_url is None:
        raise ValueError("settings without a database")
    return settings.database_owner_url
