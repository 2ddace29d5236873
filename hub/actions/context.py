"""What every errand is given: the store, the ways to the regions, the catalogs and the scheme's settings.

Knows nothing of how these are built. Must not hold state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hub.core.catalog import CareCatalog
from hub.core.clearing import ClearingRules
from hub.core.codes import CatalogKind, Region
from hub.core.dates import WorkingCalendar
from hub.core.errors import NotAllowed
from hub.ports import RegionGateway, Store, UnitOfWork
from hub.ports.catalogs import Candidate, LocalRow, Suggesting

Result = TypeVar("Result")

Keep = Callable[[UnitOfWork, Result], None]
"""Called by an errand inside its last transaction, with its result: so that the stored answer commits with the
effect.
"""


def keep_nothing(_uow: UnitOfWork, _result: object) -> None:
    """For callers that need no stored answer."""


class NoSuggestions:
    """A suggester that knows no candidate: people search for themselves."""

    def suggest(
        self,
        kind: CatalogKind,  # noqa: ARG002 - the port's signature.
        rows: Sequence[LocalRow],
        *,
        top: int,  # noqa: ARG002
    ) -> Sequence[Sequence[Candidate]]:
        return [() for _ in rows]


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub as the errands see it. `new_id` makes an id from a prefix; `new_reference` a number for patients."""

    store: Store
    gateways: Mapping[Region, RegionGateway]
    catalog: Callable[[Region], CareCatalog]
    calendar: WorkingCalendar
    clearing_rules: ClearingRules
    new_id: Callable[[str], str]
    new_reference: Callable[[], str]
    suggesting: Suggesting = field(default_factory=NoSuggestions)

    def gateway(self, region: Region) -> RegionGateway:
        """The way to an insuring region; raises NotAllowed where it has not joined."""
        found = self.gateways.get(region)
        if found is None:
            joined = ", ".join(sorted(known.code for known in self.gateways))
            raise NotAllowed("region_not_joined", f"region {region} has not joined the hub; joined are: {joined}")
        return found
