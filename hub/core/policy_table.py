"""One table of a policy file, and the readers of its values.

Knows how amounts, rates, points, factors and words are written with their units, and keeps the path of every key.
Must not know which keys a policy has, nor what they mean together: that is `hub.core.policy_file`.
Sources: the layout is the hub's own (adapters/POLICY.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from hub.core.dates import Span
from hub.core.errors import Faults, NotAllowed
from hub.core.money import Money, exact_decimal, percent, yuan
from hub.core.policy import Change, ChangeKind, Value

Word = TypeVar("Word", bound=StrEnum)
Whole = TypeVar("Whole", int, None)

MOST_POINTS = 100
LARGEST_FACTOR = 2
"""A factor above two would more than double a rate; no published rule comes near it."""


def _is_day(found: object) -> bool:
    return isinstance(found, date) and not isinstance(found, datetime)


class Table:
    """One table of the file: hands out its keys with their path, and reports those that nobody asked for."""

    def __init__(self, data: object, *, where: str, faults: Faults) -> None:
        self.where = where
        self.faults = faults
        self._left: dict[str, object] = {}
        if isinstance(data, Mapping):
            self._left = {str(key): value for key, value in data.items()}
        else:
            self.fault("", "table_expected", "a table of keys is expected here")

    def path(self, key: str) -> str:
        """The place of a key as its author finds it: the file, then the keys that lead to it."""
        return f"{self.where}.{key}" if key and self.where[-1] not in ": " else f"{self.where}{key}"

    def fault(self, key: str, code: str, message: str) -> None:
        """Note what is wrong with a key."""
        self.faults.add(self.path(key), code, message)

    def take(self, key: str) -> object:
        """The raw value of a key, or None where it is absent."""
        return self._left.pop(key, None)

    def text(self, key: str) -> str:
        """A text that must be there; empty after a fault was noted."""
        found = self.take(key)
        if not isinstance(found, str) or not found.strip():
            self.fault(key, "text_missing", "a text is required here")
            return ""
        return found

    def read(self, key: str, parse: Callable[[str], Value]) -> Value | None:
        """A text read by a function that raises NotAllowed; None after a fault was noted."""
        found = self.take(key)
        if not isinstance(found, str):
            self.fault(key, "value_missing", "a quoted value with its unit is required here")
            return None
        try:
            return parse(found)
        except NotAllowed as wrong:
            self.fault(key, wrong.code, wrong.message)
            return None

    def words(self, key: str, kind: type[Word]) -> frozenset[Word]:
        """A list of words of one kind; absent means none."""
        found = self.take(key)
        if found is None:
            return frozenset()
        if not isinstance(found, list) or not found:
            self.fault(key, "list_expected", "a list of words is expected; leave the key out where it holds for all")
            return frozenset()
        words: set[Word] = set()
        for index, one in enumerate(found):
            try:
                words.add(kind(one))
            except ValueError:
                self.fault(f"{key}[{index}]", "word_unknown", f"{one!r} is none of: {', '.join(kind)}")
        return frozenset(words)

    def texts(self, key: str) -> frozenset[str]:
        """A list of texts; absent means none."""
        found = self.take(key)
        if found is None:
            return frozenset()
        if not isinstance(found, list) or not found or not all(isinstance(one, str) and one.strip() for one in found):
            self.fault(key, "list_expected", "a list of texts is expected; leave the key out where it holds for all")
            return frozenset()
        return frozenset(found)

    def whole(self, key: str, *, least: int, most: int, default: Whole) -> int | Whole:
        """A whole number within bounds; `default` where it is absent, or after a fault was noted."""
        found = self.take(key)
        if found is None and default is not None:
            return default
        if type(found) is not int or not least <= found <= most:
            self.fault(key, "number_range", f"a whole number from {least} to {most} is required")
            return default
        return found

    def tables(self, key: str) -> list[Table]:
        """The rows of a key, each with its own path; absent means none."""
        found = self.take(key)
        if found is None:
            return []
        if not isinstance(found, list):
            self.fault(key, "rows_expected", f"rows are expected: write [[{key}]]")
            return []
        return [Table(one, where=self.path(f"{key}[{index}]"), faults=self.faults) for index, one in enumerate(found)]

    def span(self) -> Span | None:
        """The days from `from` to `until`; None after a fault was noted."""
        start, end = self.take("from"), self.take("until")
        if not _is_day(start):
            self.fault("from", "date_missing", "the first day on which it holds is required, like 2024-01-01")
            return None
        if end is not None and not _is_day(end):
            self.fault("until", "date_malformed", "the day after the last one, like 2025-01-01, or leave it out")
            return None
        assert isinstance(start, date)
        assert end is None or isinstance(end, date)
        try:
            return Span(start, end)
        except NotAllowed as wrong:
            self.fault("until", wrong.code, wrong.message)
            return None

    def done(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._left:
            self.fault(key, "key_unknown", "this key is not known here: mend the spelling or take it out")


def word(kind: type[Word]) -> Callable[[str], Word]:
    """A reader for one word of a closed list."""

    def read(text: str) -> Word:
        try:
            return kind(text)
        except ValueError:
            raise NotAllowed("word_unknown", f"{text!r} is none of: {', '.join(kind)}") from None

    return read


def amount(text: str) -> Money:
    """Read ``"6000.00 yuan"``. Raises NotAllowed for a negative amount or another form."""
    number, _, unit = text.partition(" ")
    if unit != "yuan":
        raise NotAllowed("unit_missing", f"{text!r} is not an amount with its unit: write it like '6000.00 yuan'")
    found = yuan(number)
    if found.fen < 0:
        raise NotAllowed("amount_negative", f"{text!r}: an amount of a policy is not negative")
    return found


def points(text: str) -> Fraction:
    """Read ``"+10 points"`` or ``"-5 points"``: percentage points, the sign always written."""
    found = re.fullmatch(r"([+-])([0-9]+(?:\.[0-9]{1,4})?) points", text, re.ASCII)
    if not found:
        raise NotAllowed("points_malformed", f"{text!r} is not percentage points: write it like '-5 points'")
    size = exact_decimal(found[2], places=4)
    if size > MOST_POINTS:
        raise NotAllowed("points_impossible", f"{text!r}: no rate moves by more than {MOST_POINTS} points")
    return -size if found[1] == "-" else size


def change(text: str) -> Change:
    """Read an adjustment: ``"none"``, ``"-5 points"``, ``"x 0.9"`` or ``"50 % flat"``."""
    if text == "none":
        return Change(ChangeKind.NONE)
    if text.startswith("x "):
        factor = exact_decimal(text[2:], places=6)
        if not 0 <= factor <= LARGEST_FACTOR:
            raise NotAllowed("factor_impossible", f"{text!r}: a factor lies between 0 and {LARGEST_FACTOR}")
        return Change(ChangeKind.FACTOR, factor)
    if text.endswith(" flat"):
        return Change(ChangeKind.FLAT, percent(text.removesuffix(" flat")).value)
    return Change(ChangeKind.POINTS, points(text))


def names(text: str) -> frozenset[str]:
    """Read ``"none"`` or names of layers with commas between them."""
    return frozenset() if text == "none" else frozenset(part.strip() for part in text.split(","))


def limit(text: str) -> Money | None:
    """Read the upper bound of a segment: an amount, or ``"no limit"``."""
    return None if text == "no limit" else amount(text)
