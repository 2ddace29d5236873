"""The fields of messages: each reads one JSON value into one core value, or says what is wrong with it.

Knows the written forms and their limits, and describes them truly in OpenAPI. Must not know any message as a whole.
Sources: engineering guide section 4 (what marshmallow's own fields let through); core money and codes for the forms.
No complaint quotes a name, a number of a person or a phone.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields

from hub.core import money
from hub.core.codes import IdentityNumber, InstitutionCode, Region, clean_text, phone_number
from hub.core.dates import Period
from hub.core.errors import NotAllowed
from hub.web.errors import MARSHMALLOW_MESSAGES, Complaint

REMEMBERED = 16_384
"""Texts that a field of fee lines remembers; those of a person are never remembered."""

MOST_IN_PAGE = 100
USUAL_PAGE = 50

_AREA = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_INSTITUTION = re.compile(r"[HP][1-9][0-9]{10}", re.ASCII)
_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])", re.ASCII)
_DATE = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]", re.ASCII)
_MOMENT = re.compile(
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
    re.ASCII,
)
_DIGITS = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class _Strict(fields.Field):
    """Base: `read` turns a JSON value into a core value and raises NotAllowed; `openapi` describes what it takes.

    `read` is also what the fast checker of bill lines calls, so that a line and a head obey the same forms.
    """

    openapi: ClassVar[Mapping[str, Any]] = {"type": "string"}

    def __init__(self, *, description: str = "", openapi: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        described = {**self.openapi, **(openapi or {})}
        if description:
            described["description"] = description
        super().__init__(metadata=described, **kwargs)

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Raises NotAllowed where the value does not have this field's form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.read(value)
        except NotAllowed as fault:
            raise marshmallow.ValidationError([Complaint(fault.code, fault.message)]) from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise NotAllowed("field_type", "a text in quotation marks is expected here")
    return value


class Money(_Strict):
    """Yuan with exactly two decimals, as text; loads to core Money. `signed` also takes negative amounts.

    `digits` bounds the yuan: fields whose values are added up must not outgrow what the wire carries.
    """

    def __init__(self, *, signed: bool = False, digits: int = 13, **kwargs: Any) -> None:
        pattern = rf"{'-?' if signed else ''}(0|[1-9][0-9]{{0,{digits - 1}}})\.[0-9]{{2}}"
        self.form = re.compile(pattern, re.ASCII)
        self.digits = digits
        super().__init__(openapi={"type": "string", "pattern": f"^{pattern}$", "example": "1234.50"}, **kwargs)

    def read(self, value: Any) -> money.Money:
        text = _text(value)
        if not self.form.fullmatch(text):
            raise NotAllowed(
                "money_malformed",
                f"an amount is text with at most {self.digits} digits and exactly two decimals, like 1234.50",
            )
        # The form has been checked: what is left is a sign and digits.
        return money.Money(int(text.replace(".", "")))


class Decimal(_Strict):
    """An exact decimal as text with bounded digits before and after the point; loads to Fraction."""

    def __init__(self, *, digits: int, places: int, signed: bool = False, **kwargs: Any) -> None:
        pattern = rf"{'-?' if signed else ''}(0|[1-9][0-9]{{0,{digits - 1}}})(\.[0-9]{{1,{places}}})?"
        self.form = re.compile(pattern, re.ASCII)
        self.digits = digits
        self.places = places
        # Prices and quantities repeat from bill to bill, and an exact fraction costs more to read than to remember.
        self._exact = lru_cache(maxsize=REMEMBERED)(self._read_text)
        super().__init__(openapi={"type": "string", "pattern": f"^{pattern}$", "example": "12.5"}, **kwargs)

    def read(self, value: Any) -> Fraction:
        return self._exact(_text(value))

    def _read_text(self, text: str) -> Fraction:
        if not self.form.fullmatch(text):
            raise NotAllowed(
                "decimal_malformed",
                f"a plain decimal as text is expected, with at most {self.digits} digits and {self.places} places",
            )
        return money.exact_decimal(text, places=self.places)


class Percent(_Strict):
    """A share as text, written ``"10 %"`` or ``"62.5 %"``; loads to Rate."""

    openapi: ClassVar = {
        "type": "string",
        "pattern": r"^(100(\.0{1,4})?|(0|[1-9][0-9]?)(\.[0-9]{1,4})?) %$",
        "example": "10 %",
    }

    def read(self, value: Any) -> money.Rate:
        return money.percent(_text(value))


class Text(_Strict):
    """Text a person may read: normalised to NFC, trimmed, without control, direction and zero-width characters."""

    HINT = "No control, direction or zero-width characters; blanks around it are cut."

    def __init__(self, *, longest: int, empty: bool = False, **kwargs: Any) -> None:
        self.longest = longest
        self.empty = empty
        least = 0 if empty else 1
        super().__init__(
            openapi={
                "type": "string",
                "minLength": least,
                "maxLength": longest,
                "description": self.HINT,
                **kwargs.pop("openapi", {}),
            },
            **kwargs,
        )

    def read(self, value: Any) -> str:
        text = _text(value)
        if self.empty and not text:
            return text
        # Before the text is normalised, so that a megabyte is not worked through for nothing.
        if len(text) > 4 * self.longest:
            raise NotAllowed("text_too_long", f"the text is longer than {self.longest} characters")
        return clean_text(text, longest=self.longest)


class CatalogText(Text):
    """Text of catalogs, such as codes and names of drugs: read like any text, and remembered, since it repeats."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._known = lru_cache(maxsize=REMEMBERED)(super().read)

    def read(self, value: Any) -> str:
        return self._known(_text(value))


class Number(_Strict):
    """A hospital's own number or a code: printable ASCII without blanks, so that it is the same on every screen."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        self.form = re.compile(rf"[!-~]{{1,{longest}}}", re.ASCII)
        self.longest = longest
        super().__init__(
            openapi={"type": "string", "pattern": rf"^[!-~]{{1,{longest}}}$", **kwargs.pop("openapi", {})}, **kwargs
        )

    def read(self, value: Any) -> str:
        text = _text(value)
        if not self.form.fullmatch(text):
            raise NotAllowed(
                "number_malformed", f"1 to {self.longest} printable ASCII characters without blanks are expected"
            )
        return text


class AreaCode(_Strict):
    """A medical-insurance area of six digits; loads to Region."""

    openapi: ClassVar = {"type": "string", "pattern": "^[1-9][0-9]{5}$", "example": "450700"}

    def read(self, value: Any) -> Region:
        text = _text(value)
        if not _AREA.fullmatch(text):
            raise NotAllowed("region_malformed", "an area code of six digits is expected here")
        return Region(text)


class Institution(_Strict):
    """A designated institution's code; loads to InstitutionCode."""

    openapi: ClassVar = {"type": "string", "pattern": "^[HP][1-9][0-9]{10}$", "example": "H45070200001"}

    def read(self, value: Any) -> InstitutionCode:
        text = _text(value)
        if not _INSTITUTION.fullmatch(text):
            raise NotAllowed("institution_malformed", "an institution code like H45070200001 is expected here")
        return InstitutionCode(text)


class Identity(_Strict):
    """A resident identity number; loads to IdentityNumber, and is written masked. Never quoted in a complaint."""

    openapi: ClassVar = {
        "type": "string",
        "pattern": "^[1-9][0-9]{5}(18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9X]$",
        "description": "Resident identity number (GB 11643); the last character is its check digit.",
    }

    def read(self, value: Any) -> IdentityNumber:
        return IdentityNumber(_text(value))


class Phone(_Strict):
    """A Chinese mobile number, or empty text where none is given."""

    openapi: ClassVar = {"type": "string", "pattern": "^(1[3-9][0-9]{9})?$"}

    def read(self, value: Any) -> str:
        text = _text(value)
        return phone_number(text) if text else text


class Day(_Strict):
    """A calendar day, written 2026-10-31."""

    openapi: ClassVar = {"type": "string", "format": "date", "pattern": "^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$"}

    def read(self, value: Any) -> date:
        return _day(_text(value))


@lru_cache(maxsize=1024)
def _day(text: str) -> date:
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise NotAllowed("date_malformed", "a day is written like 2026-10-31")


class Moment(_Strict):
    """A moment with its offset from UTC, written 2026-10-31T09:30:00+08:00."""

    openapi: ClassVar = {"type": "string", "format": "date-time", "example": "2026-10-31T09:30:00+08:00"}

    def read(self, value: Any) -> datetime:
        text = _text(value)
        if _MOMENT.fullmatch(text):
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
        raise NotAllowed("moment_malformed", "a moment is written like 2026-10-31T09:30:00+08:00")


class Month(_Strict):
    """A clearing month, written 2026-10; loads to Period."""

    openapi: ClassVar = {"type": "string", "pattern": "^2[0-9]{3}-(0[1-9]|1[0-2])$", "example": "2026-10"}

    def read(self, value: Any) -> Period:
        text = _text(value)
        if not _MONTH.fullmatch(text):
            raise NotAllowed("period_malformed", "a month is written like 2026-10")
        return Period.parse(text)


class Whole(_Strict):
    """A whole number as a JSON number; texts, booleans and fractions are refused."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        self.least = least
        self.most = most
        super().__init__(openapi={"type": "integer", "minimum": least, "maximum": most}, **kwargs)

    def read(self, value: Any) -> int:
        if type(value) is not int:
            raise NotAllowed("field_type", "a whole number without quotation marks is expected here")
        if not self.least <= value <= self.most:
            raise NotAllowed("number_range", f"a number from {self.least} to {self.most} is expected here")
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class QueryWhole(Whole):
    """The same in a query string, where everything is text: ASCII digits only."""

    def read(self, value: Any) -> int:
        if not _DIGITS.fullmatch(_text(value)):
            raise NotAllowed("field_type", "a whole number in ASCII digits is expected here")
        return super().read(int(value))


class Flag(_Strict):
    """true or false; "yes", 1 and the like are refused."""

    openapi: ClassVar = {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if type(value) is not bool:
            raise NotAllowed("field_type", "true or false without quotation marks is expected here")
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class OneOf(_Strict):
    """One of the values of an enumeration, by value; `allowed` narrows it."""

    def __init__(self, kind: type[StrEnum], *, allowed: tuple[StrEnum, ...] | None = None, **kwargs: Any) -> None:
        self.known = {str(member): member for member in (allowed or tuple(kind))}
        super().__init__(openapi={"type": "string", "enum": list(self.known)}, **kwargs)

    def read(self, value: Any) -> StrEnum:
        found = self.known.get(_text(value))
        if found is None:
            raise NotAllowed("value_unknown", f"one of these is expected: {', '.join(self.known)}")
        return found


# --- rows checked by hand -----------------------------------------------------------------------------------


class Rows(fields.Field):
    """An array of flat objects, checked by a plain loop over the field table instead of a nested schema.

    One table gives both the check and the OpenAPI description (see `row_schema`). A bill's lines are the hub's
    hottest input, and a nested schema costs eight times as much (decision 0042).
    `make` builds a row from its fields by keyword.
    """

    def __init__(
        self, table: Mapping[str, _Strict], *, make: Callable[..., Any], least: int, most: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.make = make
        self.least = least
        self.most = most
        self._readers = [(name, field.read, field.required, field.load_default) for name, field in table.items()]
        self._names = frozenset(table)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise marshmallow.ValidationError([Complaint("field_type", "an array is expected here")])
        if not self.least <= len(value) <= self.most:
            raise marshmallow.ValidationError(
                [Complaint("rows_count", f"{self.least} to {self.most} rows are expected, not {len(value)}")]
            )
        found: list[Any] = []
        faults: dict[int, dict[str, list[Complaint]]] = {}
        for index, row in enumerate(value):
            whole: Complaint | None = None
            try:
                if type(row) is dict and row.keys() <= self._names:
                    found.append(
                        self.make(
                            **{
                                name: read(row[name]) if name in row else _default(required, default)
                                for name, read, required, default in self._readers
                            }
                        )
                    )
                    continue
            except NotAllowed as fault:
                whole = Complaint(fault.code, fault.message)
            faults[index] = self._faults(row) or {"_schema": [whole] if whole else []}
        if faults:
            raise marshmallow.ValidationError(faults)
        return tuple(found)

    def _faults(self, row: Any) -> dict[str, list[Complaint]]:
        """Every fault of a row that the fast way did not take."""
        if type(row) is not dict:
            return {"_schema": [Complaint("field_type", "an object is expected here")]}
        faults = {name: [MARSHMALLOW_MESSAGES["Unknown field."]] for name in row if name not in self._names}
        for name, read, required, default in self._readers:
            try:
                if name in row:
                    read(row[name])
                else:
                    _default(required, default)
            except NotAllowed as fault:
                faults[name] = [Complaint(fault.code, fault.message)]
        return faults


def _default(required: bool, default: Any) -> Any:
    if required:
        raise NotAllowed(*MARSHMALLOW_MESSAGES["Missing data for required field."])
    return None if default is marshmallow.missing else default


def row_schema(name: str, table: Mapping[str, _Strict]) -> type[marshmallow.Schema]:
    """The schema that describes such rows in OpenAPI."""
    return type(name, (marshmallow.Schema,), dict(table))
