"""Money in fen, exact rates, and the few places where a fraction of a fen is decided.

Knows amounts, rates, the exact reading of prices and the named roundings.
Must not know accounts, codes or page formats.
Sources: amounts have two decimals and prices six, quantities four, ratios four in the national interface (design
section 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering

from hub.core.errors import Inconsistent, NotAllowed

FEN_PER_YUAN = 100
LARGEST_FEN = 10**15 - 1
"""The widest amount that the wire format carries: thirteen digits of yuan and two of fen."""

_YUAN = re.compile(r"(-?)(0|[1-9][0-9]{0,12})\.([0-9]{2})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?", re.ASCII)


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of renminbi, held as a whole number of fen (1 yuan = 100 fen); may be negative for corrections."""

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise Inconsistent("money_not_whole", f"an amount must be a whole number of fen, not {self.fen!r}")
        if abs(self.fen) > LARGEST_FEN:
            raise Inconsistent("money_too_large", f"{self.fen} fen is wider than the wire format carries")

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + other.fen)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - other.fen)

    def __neg__(self) -> Money:
        return Money(-self.fen)

    def __abs__(self) -> Money:
        return Money(abs(self.fen))

    def __lt__(self, other: Money) -> bool:
        return self.fen < other.fen

    def __bool__(self) -> bool:
        return self.fen != 0

    def __str__(self) -> str:
        """Yuan with two decimals, the form used on the wire: ``-12.30``."""
        sign = "-" if self.fen < 0 else ""
        yuan, fen = divmod(abs(self.fen), FEN_PER_YUAN)
        return f"{sign}{yuan}.{fen:02d}"


ZERO = Money(0)


def yuan(text: str) -> Money:
    """Read an amount written as yuan with exactly two decimals (``"1234.50"``).

    Raises NotAllowed for anything else: floats, exponents, separators, full-width digits, three decimals.
    """
    found = _YUAN.fullmatch(text)
    if not found:
        raise NotAllowed(
            "money_malformed", f"{text[:40]!r} is not an amount: write yuan with exactly two decimals, like 1234.50"
        )
    sign, whole, part = found.groups()
    fen = int(whole) * FEN_PER_YUAN + int(part)
    return Money(-fen if sign else fen)


def total(amounts: Iterable[Money]) -> Money:
    """Add amounts up; the sum of nothing is zero."""
    return Money(sum(amount.fen for amount in amounts))


@total_ordering
@dataclass(frozen=True, slots=True)
class Rate:
    """An exact share between 0 and 1, such as 60 %; never a float."""

    value: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 1:
            raise Inconsistent("rate_out_of_range", f"a rate lies between 0 and 1, not {self.value}")

    def __lt__(self, other: Rate) -> bool:
        return self.value < other.value

    def __str__(self) -> str:
        """Per cent without trailing zeros: ``62.5 %``; a fraction that has no short decimal is shown as one."""
        percent = self.value * 100
        if percent.denominator == 1:
            return f"{percent.numerator} %"
        decimal = Decimal(percent.numerator) / Decimal(percent.denominator)
        if Fraction(decimal) == percent:
            return f"{decimal.normalize():f} %"
        return f"{percent.numerator}/{percent.denominator} %"


def percent(text: str) -> Rate:
    """Read a rate written as per cent: ``"65 %"`` or ``"62.5 %"``. Raises NotAllowed for any other form."""
    number, _, sign = text.partition(" ")
    if sign != "%" or not _DECIMAL.fullmatch(number) or number.startswith("-"):
        raise NotAllowed("rate_malformed", f"{text!r} is not a rate: write it like '65 %'")
    value = Fraction(number) / 100
    if value > 1:
        raise NotAllowed("rate_above_one", f"{text!r} is above 100 %")
    return Rate(value)


def round_half_up(fen: Fraction) -> Money:
    """Round a fraction of a fen to the nearest fen, halves away from zero (四舍五入).

    The rounding of every fund payment and of every line amount; the seed examples of Qinzhou and Jiangning
    round one half of a fen up. For a negative amount the mirror image, so that a cancel undoes its original exactly.
    """
    return _half_up(fen.numerator, fen.denominator)


def _half_up(numerator: int, denominator: int) -> Money:
    """`round_half_up` of a fraction that need not be in lowest terms: a bill has hundreds, and reducing each costs more
    than all else.
    """
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return Money(-whole if numerator < 0 else whole)


def share_of(amount: Money, rate: Rate) -> Money:
    """The part of an amount that a rate pays, rounded half up to the fen; the caller keeps the remainder."""
    return share(amount, rate.value.numerator, rate.value.denominator)


def share(amount: Money, parts: int, whole: int) -> Money:
    """`share_of` for a rate taken apart beforehand: `parts` of `whole`, rounded half up to the fen."""
    return _half_up(amount.fen * parts, whole)


def cut(amount: Money, parts: int, whole: int) -> tuple[Money, Money]:
    """The share of a rate between 0 and 1, as `share` gives it, and what is left of the amount."""
    fen = amount.fen
    first = (2 * abs(fen) * parts + whole) // (2 * whole)
    if fen < 0:
        first = -first
    return part_of(first), part_of(fen - first)


def part_of(fen: int) -> Money:
    """A part of an amount that was checked: whole and in range, so that a bill's hundreds are not checked again."""
    made = _new(Money)
    _set_fen(made, fen)
    return made


_new = object.__new__
_set_fen = Money.__dict__["fen"].__set__
"""The slot itself: the class is frozen."""


def exact_decimal(text: str, *, places: int) -> Fraction:
    """Read a price (up to six places) or a quantity (up to four) exactly; may carry a minus sign.

    Raises NotAllowed if the text is not a plain ASCII decimal or has more than `places` decimals.
    """
    if not _DECIMAL.fullmatch(text) or len(text.partition(".")[2]) > places:
        raise NotAllowed(
            "decimal_malformed", f"{text[:40]!r} is not a plain decimal with at most {places} places, like 12.5"
        )
    return Fraction(text)


def line_amount(*, unit_price: Fraction, quantity: Fraction) -> Money:
    """Price (yuan) times quantity, rounded half up to the fen once: the only place where prices become money."""
    return _half_up(
        unit_price.numerator * quantity.numerator * FEN_PER_YUAN, unit_price.denominator * quantity.denominator
    )
