"""Who is insured in a region whose policy the hub holds itself: the port `Roster` over the hub's own database.

Knows the roster's shelf. Must not know the policy: this is the insuring side's own knowledge, asked as any region is.
"""

from __future__ import annotations

from datetime import date

from hub.core.codes import IdentityNumber, Region
from hub.core.decision import Coverage
from hub.ports import Scope, Sight
from hub.store.engine import SqlStore


class SqlRoster:
    """The port `Roster`, each question in a short transaction that sees the asked region only."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def find(self, region: Region, *, identity: IdentityNumber, name: str, on: date) -> Coverage | None:
        """The roster tells the present state; `on` matters to rosters that keep a history."""
        del on
        with self._store.begin(Scope(Sight.REGION, region=region.code)) as uow:
            return uow.roster.find(region, identity=identity, name=name)
