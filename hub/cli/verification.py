"""Running the named checks over a whole database, as the role that owns the tables.

Knows how to put the checks, the vault, the regions and the renderer together. Must not know any check.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.actions.rendering import render
from hub.settings import Settings
from hub.store.audit import Break, Head, head, verify_chain
from hub.store.engine import make_engine
from hub.store.verify import CheckResult, run
from hub.wiring import build_app


def run_checks(settings: Settings) -> Sequence[CheckResult]:
    """Every invariant's outcome, in the order of the invariants; reads only."""
    if settings.database_owner_url is None:
        raise ValueError("settings without a database")
    app = build_app(settings)
    # One snapshot for all checks: bookings that arrive meanwhile are not seen by half of them.
    engine = make_engine(settings.database_owner_url, pool_size=1).execution_options(isolation_level="REPEATABLE READ")
    try:
        # Repeatable read: while the hub works on, all checks see one moment.
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as owner, owner.begin():
            return run(owner, app.vault, gateways=app.hub.gateways, render=render)
    finally:
        engine.dispose()
        app.close()


def check_audit(settings: Settings) -> tuple[Break | None, Head]:
    """The first break of the audit chain, None where it is whole, and the chain's end to be noted outside."""
    if settings.database_owner_url is None:
        raise ValueError("settings without a database")
    app = build_app(settings)
    # One snapshot for all checks: bookings that arrive meanwhile are not seen by half of them.
    engine = make_engine(settings.database_owner_url, pool_size=1).execution_options(isolation_level="REPEATABLE READ")
    try:
        app.vault.prepare()
        with engine.begin() as owner:
            return verify_chain(owner, app.vault), head(owner)
    finally:
        engine.dispose()
        app.close()
