"""Reading what a closed month came to: statements, the gross matrix and both nets.

Knows who asks only through the scope he is given.
Must not know rendering or pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.actions.context import Hub
from hub.core.clearing import Window
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import NotFound
from hub.core.netting import GrossCell, Position, Transfer
from hub.ports import Scope
from hub.ports.records import StoredStatement


@dataclass(frozen=True, slots=True)
class Matrix:
    """A window with its gross matrix, the legal record, and the two nets laid over it.

    A region sees the cells, positions and transfers that concern it.
    """

    window: Window
    cells: tuple[GrossCell, ...]
    positions: tuple[Position, ...]
    transfers: tuple[Transfer, ...]


def list_statements(
    hub: Hub, *, scope: Scope, regime: Regime | None, period: Period | None, after: str, limit: int
) -> Sequence[StoredStatement]:
    with hub.store.begin(scope) as uow:
        return uow.statements.listed(regime=regime, period=period, after=after, limit=limit)


def get_statement(hub: Hub, statement_id: str, *, scope: Scope) -> StoredStatement:
    with hub.store.begin(scope) as uow:
        found = uow.statements.get(statement_id)
    if found is None:
        raise NotFound("statement_not_found", f"no statement {statement_id}")
    return found


def list_windows(hub: Hub, *, scope: Scope) -> Sequence[Window]:
    with hub.store.begin(scope) as uow:
        return uow.windows.listed()


def matrix(hub: Hub, *, regime: Regime, period: Period, scope: Scope) -> Matrix:
    """Raises NotFound for a month that has no window."""
    with hub.store.begin(scope) as uow:
        window = uow.windows.get(regime, period)
        if window is None:
            raise NotFound("window_not_found", f"no {regime} window for {period}")
        return Matrix(
            window=window,
            cells=tuple(uow.clearing.cells(window)),
            positions=tuple(uow.clearing.positions(window)),
            transfers=tuple(uow.clearing.transfers(window)),
        )
