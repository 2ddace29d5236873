"""Rows of a catalog as columns: what is asked for, what can be answered, and what has been decided.

Knows columns by the hub's names (name, code, dosage_form, ...). Must not know files or scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.core.errors import Inconsistent
from hub.suggest.text import core, inside_brackets, normalise, outside_brackets

FIELDS = (
    "name", "code", "dosage_form", "route", "spec", "package", "manufacturer", "unit", "content",
)  # fmt: skip
"""Columns that the suggester understands; others are carried along and read by nobody."""


@dataclass(frozen=True)
class Rows:
    """Rows as columns of equal length; `ids` name them (query ids, or the candidates' codes).

    The spellings of the name are worked out once: `plain` normalised, `core` without signs, `outer` without brackets,
    `inner` what stands in brackets.
    """

    ids: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    plain: Sequence[str] = field(init=False, repr=False)
    core: Sequence[str] = field(init=False, repr=False)
    outer: Sequence[str] = field(init=False, repr=False)
    inner: Sequence[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wrong = [name for name, values in self.columns.items() if len(values) != len(self.ids)]
        if wrong:
            raise Inconsistent("rows_of_unequal_length", f"columns {', '.join(wrong)} are not as long as the ids")
        plain = [normalise(name) for name in self.column("name")]
        bare = [core(one) for one in plain]
        bracketed = ["(" in one for one in plain]
        object.__setattr__(self, "plain", plain)
        object.__setattr__(self, "core", bare)
        object.__setattr__(
            self, "outer", [outside_brackets(p) if b else c for p, c, b in zip(plain, bare, bracketed, strict=True)]
        )
        object.__setattr__(
            self, "inner", [inside_brackets(p) if b else "" for p, b in zip(plain, bracketed, strict=True)]
        )

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> Sequence[str]:
        """The column called `name`; empty texts where there is none."""
        found = self.columns.get(name)
        return [""] * len(self.ids) if found is None else found

    def has(self, name: str) -> bool:
        """Whether any row has something in this column."""
        return any(self.columns.get(name, ()))

    def part(self, places: Sequence[int]) -> Rows:
        """The rows at `places`, in that order."""
        return Rows(
            ids=[self.ids[place] for place in places],
            columns={name: [values[place] for place in places] for name, values in self.columns.items()},
        )


@dataclass(frozen=True)
class Decided:
    """Decided mappings: each row of `queries` with the places of its targets among the candidates (one or several)."""

    queries: Rows
    targets: Sequence[tuple[int, ...]]

    def __post_init__(self) -> None:
        if len(self.queries) != len(self.targets):
            raise Inconsistent("rows_of_unequal_length", "every decided row needs its targets")
        if not all(self.targets):
            raise Inconsistent("decided_without_target", "a row without a target is not decided")

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, places: Sequence[int]) -> Decided:
        return Decided(queries=self.queries.part(places), targets=[self.targets[place] for place in places])
