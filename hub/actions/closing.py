"""Closing a month: cut, gross matrix, nets, notices and statements; each step is one transaction and may run again.

Knows the order of the steps.
Must not know how amounts are netted or rendered. Sources: domain-process section 9; decisions 0004 and 0005.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from hub.actions.context import Hub
from hub.actions.rendering import render, statement_id
from hub.core.clearing import WINDOW_MOVES, Window, WindowState, check_may_close
from hub.core.codes import Regime, Region
from hub.core.dates import Period, business_day
from hub.core.errors import Inconsistent
from hub.core.ledger import cleared
from hub.core.netting import bilateral, multilateral, positions
from hub.core.statement import Statement
from hub.ports import HUB_SCOPE, UnitOfWork
from hub.ports.records import StoredStatement, Topic


def request_close(hub: Hub, *, period: Period, actor: str, as_of: datetime) -> None:
    """Ask the workers to close a month in both regimes; asking twice is asking once.

    Raises NotAllowed where the month has not ended.
    """
    check_may_close(period, as_of=business_day(as_of))
    with hub.store.begin(HUB_SCOPE) as uow:
        for regime in Regime:
            uow.outbox.add(
                topic=Topic.CLOSE_WINDOW,
                key=f"{regime}/{period}",
                payload={"regime": regime, "period": str(period), "actor": actor},
                due_at=as_of,
            )
        uow.audit.write(actor=actor, action="close_requested", subject=str(period), at=as_of, facts={})


def close_window(hub: Hub, *, regime: Regime, period: Period, actor: str, as_of: datetime) -> Window:
    """Take a window through every step that is left; a closed one is given back unchanged.

    Whoever dies between two steps leaves a window that the next call carries on with. Bookings that arrive meanwhile
    fall into the next open period, since the cut is the first step.
    """
    check_may_close(period, as_of=business_day(as_of))
    with hub.store.begin(HUB_SCOPE) as uow:
        uow.windows.ensure(regime, period)
    while True:
        with hub.store.begin(HUB_SCOPE) as uow:
            window = _locked(uow, regime, period)
            if window.state is WindowState.CLOSED:
                return window
            if window.state is WindowState.OPEN:
                _move(uow, window, "cut", actor=actor, as_of=as_of)
            elif window.state is WindowState.CUT:
                _gross(uow, window, as_of=as_of)
                _move(uow, window, "grossed", actor=actor, as_of=as_of)
            elif window.state is WindowState.GROSSED:
                _net(uow, window)
                _move(uow, window, "netted", actor=actor, as_of=as_of)
        if window.state is WindowState.NETTED:
            _state(hub, window, actor=actor, as_of=as_of)


def _locked(uow: UnitOfWork, regime: Regime, period: Period) -> Window:
    window = uow.windows.get(regime, period, lock=True)
    if window is None:
        raise Inconsistent("window_missing", f"no window of {period} ({regime})")
    return window


def _move(uow: UnitOfWork, window: Window, event: str, *, actor: str, as_of: datetime) -> None:
    target = WINDOW_MOVES.after(window.state, event)
    uow.windows.move(window, event=event, target=target, who=actor, why="", at=as_of)
    uow.audit.write(actor=actor, action=f"window_{event}", subject=window.id, at=as_of, facts={})


def _gross(uow: UnitOfWork, window: Window, *, as_of: datetime) -> None:
    """The gross matrix, and one clearing entry per cell: what was open is due through this window from now on."""
    cells = uow.clearing.gross_from_entries(window)
    uow.clearing.save_cells(window, cells)
    for cell in cells:
        entry = cleared(
            cell.amount,
            window_id=window.id,
            insuring_region=cell.insuring_region,
            care_region=cell.care_region,
            insurance_type=cell.insurance_type,
            fund=cell.fund,
        )
        if entry is not None:
            uow.ledger.add(
                entry,
                regime=window.regime,
                period=window.period,
                bill_id=None,
                happened_at=as_of,
                recorded_at=as_of,
            )


def _net(uow: UnitOfWork, window: Window) -> None:
    cells = uow.clearing.cells(window)
    uow.clearing.save_nets(window, positions=positions(cells), transfers=(*bilateral(cells), *multilateral(cells)))


def _state(hub: Hub, window: Window, *, actor: str, as_of: datetime) -> None:
    """A region's statements and notices in a transaction of their own, then the close itself."""
    with hub.store.begin(HUB_SCOPE) as uow:
        regions = uow.clearing.regions(window)
    for region in regions:
        with hub.store.begin(HUB_SCOPE) as uow:
            for stored in stored_statements(uow, window, region):
                uow.statements.put(stored, at=as_of)
    with hub.store.begin(HUB_SCOPE) as uow:
        now = _locked(uow, window.regime, window.period)
        if now.state is WindowState.NETTED:
            _move(uow, now, "closed", actor=actor, as_of=as_of)


def stored_statements(uow: UnitOfWork, window: Window, region: Region) -> tuple[StoredStatement, ...]:
    """Compute a region's statements from its bookings; also what `hub ledger verify` recomputes."""
    rows = uow.clearing.statement_rows(window, region)
    statement = Statement(region, window.regime, window.period, tuple(rows))
    return tuple(
        StoredStatement(
            id=statement_id(window.id, region, kind, media_type),
            window_id=window.id,
            region=region,
            kind=kind,
            media_type=media_type,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        for (kind, media_type), content in render(statement).items()
    )
