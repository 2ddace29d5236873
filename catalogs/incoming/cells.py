"""What may be wrong with a single cell whatever its column means, and how its keeper mends it.

Knows what spreadsheets, wrong encodings and copying do to text. Must not know columns, kinds of catalog or files.
Sources: engineering guide sections 8 (rows 13, 26) and 9; codes damaged in published tables, such as 3.22E+14.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_CELL = 2000

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "|", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula, the full-width forms included."""

_IN_POWERS = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+[0-9]+", re.ASCII)
_WITH_POINT = re.compile(r"[0-9]{4,}\.0+", re.ASCII)
_SPREADSHEET_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_WRONGLY_DECODED = ("\ufffd", "锟斤拷")


class Number(str):
    """A cell of a workbook that holds a number: its digits are those the workbook keeps, not those once typed."""

    __slots__ = ()


def unquoted(text: str) -> str:
    """A cell without the apostrophe that an export puts before what begins like a formula."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


CellFault = tuple[str, str]
"""What is wrong with a cell: code of the fault, and how to mend it."""


def cell_fault(text: str) -> CellFault | None:
    """What is wrong with a cell of any column; None if nothing is."""
    if text.isascii() and text.isalnum():
        return None
    if len(text) > LONGEST_CELL:
        return "text_too_long", f"has {len(text)} characters: {LONGEST_CELL} are the most that a cell may hold"
    if not text.isprintable():
        return _hidden(text)
    if text.startswith("="):
        return "formula", f"{text[:40]!r} is a formula: save the sheet with values only"
    if text in _SPREADSHEET_ERRORS or (len(text) > 2 and set(text) == {"#"}):
        return "spreadsheet_error", f"{text!r} is what a spreadsheet shows instead of a value: put the value in"
    if any(sign in text for sign in _WRONGLY_DECODED):
        message = f"{text[:40]!r} was read in the wrong encoding before it came here: export it anew from its source"
        return "text_garbled", message
    return None


def _hidden(text: str) -> CellFault:
    sign = next(character for character in text if not character.isprintable())
    name = unicodedata.name(sign, "control character")
    if sign in "\r\n":
        return "line_break", f"{text[:40]!r} goes over a line: join it to one line"
    return "text_hidden_character", f"holds the hidden character U+{ord(sign):04X} ({name}): take it out"


def code_fault(text: str) -> CellFault | None:
    """What is wrong with a cell that holds a code, besides what `cell_fault` finds; None if nothing is."""
    if isinstance(text, Number):
        message = (
            f"{text} is kept as a number: digits of a long code are lost in it. Format the column as text and put the "
            "codes in again from their source"
        )
        return "code_is_number", message
    if _IN_POWERS.fullmatch(text) or _WITH_POINT.fullmatch(text):
        message = (
            f"{text!r} was damaged by a spreadsheet: the digits are lost and cannot be guessed. Export it again with "
            "the column as text"
        )
        return "code_damaged", message
    if text.startswith(FORMULA_STARTS):
        return "code_formula", f"{text[:40]!r} begins with {text[0]!r}: a spreadsheet would take the code for a formula"
    return None
