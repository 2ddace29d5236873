"""The named checks of `hub ledger verify`: whether a whole database keeps the ten invariants.

Knows which checks there are and their order. Must not change anything: every check only reads.
Source: design section 4; decision 0034.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from hub.core.codes import Region
from hub.ports import RegionGateway
from hub.store.verify.bills import BILL_CHECKS, YEAR_CHECKS
from hub.store.verify.catalogs import CATALOG_CHECKS, CHANGE_CHECKS, WAITING_CHECKS
from hub.store.verify.check import Check, CheckResult, Render, run_checks
from hub.store.verify.clearing import CLEARING_CHECKS
from hub.store.verify.guards import (
    FOUR_EYES_CHECKS,
    MESSAGE_CHECKS,
    MOVE_CHECKS,
    SEAL_CHECKS,
    SIGHT_CHECKS,
)
from hub.store.verify.ledger import CONSERVATION_CHECKS, LEDGER_CHECKS
from hub.store.verify.replay import REPLAY_CHECKS
from hub.vault import Vault

CHECKS: tuple[Check, ...] = (
    *BILL_CHECKS,
    *WAITING_CHECKS,
    *CATALOG_CHECKS,
    *LEDGER_CHECKS,
    *MOVE_CHECKS,
    *CONSERVATION_CHECKS,
    *CLEARING_CHECKS,
    *MESSAGE_CHECKS,
    *REPLAY_CHECKS,
    *YEAR_CHECKS,
    *SEAL_CHECKS,
    *SIGHT_CHECKS,
    *FOUR_EYES_CHECKS,
    *CHANGE_CHECKS,
)
"""All checks, in the order of the invariants."""


def run(
    connection: Connection,
    vault: Vault,
    *,
    gateways: Mapping[Region, RegionGateway] | None = None,
    render: Render | None = None,
) -> list[CheckResult]:
    """Run every check in the caller's transaction, as the role that owns the tables; reads only.

    While the hub works, the caller's transaction is a repeatable-read one: then all checks see one moment. Without
    `gateways` or `render` the checks that recompute are skipped, and say so.
    """
    return run_checks(CHECKS, connection, vault, gateways=gateways, render=render)


__all__ = ["CHECKS", "Check", "CheckResult", "Render", "run"]
