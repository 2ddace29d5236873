"""Clearing windows and how far each is closed.

Knows the tables clearing_window and window_move and how bookings and the cut keep out of each other's way. Must not
know the steps of a close. Sources: domain-process section 9; decision 0033.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.clearing import Window, WindowState, window_id
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import Inconsistent
from hub.store.moves import guarded_move
from hub.vault import Vault

_OPEN_FOR = text("select hub_open_window(:regime, :period)")
_ENSURE = text(
    """
    insert into clearing_window (id, regime, period, state) values (:id, :regime, :period, 'open')
    on conflict do nothing
    """
)
_GET = text("select id, regime, period, state from clearing_window where regime = :regime and period = :period")
# Not `for update`: that would also hold up whoever only refers to the window.
_GET_LOCKED = text(f"{_GET.text} for no key update")
_LISTED = text("select id, regime, period, state from clearing_window order by period, regime")
_MOVE = guarded_move("clearing_window", moves="window_move", key="window_id")


class Windows:
    """The shelf of clearing windows; see `hub.ports.store.Windows`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def open_for(self, regime: Regime, day: date) -> Window:
        found = self._connection.execute(
            _OPEN_FOR, {"regime": regime.value, "period": str(Period.of(day))}
        ).scalar_one()
        period = Period.parse(found)
        return Window(window_id(regime, period), regime, period, WindowState.OPEN)

    def get(self, regime: Regime, period: Period, *, lock: bool = False) -> Window | None:
        found = self._connection.execute(
            _GET_LOCKED if lock else _GET, {"regime": regime.value, "period": str(period)}
        ).one_or_none()
        return _window(found) if found is not None else None

    def ensure(self, regime: Regime, period: Period) -> None:
        self._connection.execute(
            _ENSURE, {"id": window_id(regime, period), "regime": regime.value, "period": str(period)}
        )

    def listed(self) -> Sequence[Window]:
        return [_window(row) for row in self._connection.execute(_LISTED)]

    def move(self, window: Window, *, event: str, target: WindowState, who: str, why: str, at: datetime) -> None:
        """Write a move and the state; the cut waits until every booking that holds the window has ended.

        Raises Inconsistent where the window is no longer in the state it was read in: it is locked before it moves.
        """
        moved = self._connection.execute(
            _MOVE,
            {
                "id": window.id,
                "source": window.state.value,
                "event": event,
                "target": target.value,
                "who": who,
                "why": why,
                "at": at,
            },
        )
        if moved.scalar_one() == 0:
            raise Inconsistent("window_moved", f"{window.id} is no longer {window.state}")


def _window(row: Row[Any]) -> Window:
    return Window(row.id, Regime(row.regime), Period.parse(row.period), WindowState(row.state))
