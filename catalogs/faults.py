"""Every fault of a catalog folder, gathered so that its keeper mends all of them at once.

Knows where a fault lies (file, line, column) and how many are worth listing.
Must not know what any column means. Rule: a catalog is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.core.errors import Fault, NotAllowed

NoteFault = Callable[[int, str, str, str], None]
"""Takes the line, the column, the code of the fault and how to mend it."""

MOST_LISTED = 200
"""Beyond this many the reader gains nothing from one more line; the rest is counted."""


class CatalogFaults(NotAllowed):
    """A catalog folder was refused whole; `faults` lists up to 200 and then says how many more there are."""

    def __init__(self, what: str, *, faults: tuple[Fault, ...], total: int) -> None:
        first = faults[0]
        super().__init__(
            "catalog_faults",
            f"{what} was not loaded: {total} fault(s), the first at {first.where}: {first.message}",
            faults=faults,
            facts={"catalog": what, "faults": str(total)},
        )
        self.total = total


class FaultList:
    """Collects faults in the order in which they are met."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self.total = 0

    def add(self, where: str, code: str, message: str) -> None:
        """Note one fault; beyond the most listed it is only counted."""
        self.total += 1
        if len(self._found) < MOST_LISTED:
            self._found.append(Fault(where, code, message))

    def stop_if_any(self, what: str) -> None:
        """Raise CatalogFaults if anything was found."""
        if not self.total:
            return
        faults = list(self._found)
        if self.total > len(faults):
            faults.append(Fault(what, "more_faults", f"and {self.total - len(faults)} more"))
        raise CatalogFaults(what, faults=tuple(faults), total=self.total)
