"""A table ready to be written: its columns, which of them hold codes, and its rows.

Knows what may leave the hub in a cell. Must not know what a row says or which file it goes to.
Source: engineering guide section 8 row 13: what begins like a formula is one for a spreadsheet. A code that does is
refused, since a changed code is another code; any other cell stays text (see decision 0061).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalogs.incoming.cells import FORMULA_STARTS
from hub.core.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: `rows` give cells by column, absent ones are empty; `codes` are the columns with codes."""

    name: str
    columns: tuple[str, ...]
    codes: frozenset[str]
    rows: Iterable[Mapping[str, str]]

    def cells(self) -> Iterator[list[str]]:
        """The rows in the order of the columns. Raises NotAllowed for a code that begins like a formula."""
        for row in self.rows:
            for column in self.codes:
                text = row.get(column, "")
                if text.startswith(FORMULA_STARTS):
                    message = f"{text[:40]!r} in {column} begins like a formula: no file with it leaves the hub"
                    raise NotAllowed("code_formula", message)
            yield [row.get(column, "") for column in self.columns]


def used_columns(
    required: Sequence[str], optional: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """The required columns and those optional ones in which any row has something."""
    used = {column for row in rows for column in optional if row.get(column)}
    return (*required, *(column for column in optional if column in used))
