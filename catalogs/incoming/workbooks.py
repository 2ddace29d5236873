"""Reads one sheet of a workbook (.xlsx) as a stream and refuses what a sheet hides: formulas, merged cells, numbers.

Knows sheets, cells and what their types do to codes. Must not know columns.
Sources: engineering guide section 9 (openpyxl read-only for reading); codes kept as numbers lose digits (3.22E+14).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from catalogs.faults import FaultList
from catalogs.incoming.archives import check_workbook, opened
from catalogs.incoming.cells import Number
from catalogs.incoming.reading import LIMITS, Limits, Progress, SourceRow
from hub.core.errors import NotAllowed

_MERGED = b"<mergeCell"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook looked over; `sheet` is the one that is read."""

    path: Path
    name: str
    sheet: str
    limits: Limits = LIMITS

    @classmethod
    def open(cls, path: Path, *, name: str, sheet: str | None, limits: Limits = LIMITS) -> Workbook:
        """Raises NotAllowed for what `check_workbook` refuses, for merged cells, and where it is not plain which sheet
        is meant.
        """
        check_workbook(path, limits=limits)
        book = _load(path)
        try:
            titles = [one.title for one in book.worksheets if one.sheet_state == "visible"]
            if sheet is None and len(titles) == 1:
                sheet = titles[0]
            if sheet is None or sheet not in titles:
                message = f"has the sheets {', '.join(titles)[:200]}: say which with --sheet"
                raise NotAllowed("workbook_sheets", message)
            part = book[sheet]._worksheet_path.lstrip("/")  # noqa: SLF001 - the library names the part nowhere else.
        finally:
            book.close()
        if _has(path, part, _MERGED, limits):
            message = f"has merged cells in the sheet {sheet}: undo the merging, so that each row has its own cells"
            raise NotAllowed("merged_cells", message)
        return cls(path, name, sheet, limits)

    @property
    def described(self) -> str:
        return f"XLSX, sheet {self.sheet}"

    def rows(self, faults: FaultList, *, progress: Progress) -> Iterator[SourceRow]:
        book = _load(self.path)
        try:
            sheet = book[self.sheet]
            whole = sheet.max_row or 0
            # What the sheet says of its own size may be wrong, and rows would be filled up to it.
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(), start=1):
                if number > self.limits.rows or len(row) > self.limits.columns:
                    message = f"more than {self.limits.rows} rows or {self.limits.columns} columns"
                    faults.add(f"{self.name}:{number}", "too_large", message)
                    return
                if number % 1000 == 0:
                    progress(number, max(whole, number))
                cells = [self._text(cell, number, column, faults) for column, cell in enumerate(row, start=1)]
                while cells and not cells[-1]:
                    cells.pop()
                if cells:
                    yield SourceRow(number, cells)
            progress(max(whole, 1), max(whole, 1))
        finally:
            book.close()

    def _text(self, cell: Any, row: int, column: int, faults: FaultList) -> str:
        """A cell as text; a formula, an error or a yes/no is noted as a fault and read as nothing."""
        value = cell.value
        if value is None:
            return ""
        where = f"{self.name}:{row} column {_letters(column)}"
        if cell.data_type == "f":
            faults.add(where, "formula", f"{str(value)[:40]!r} is a formula: copy the column and paste it as values")
            return ""
        if cell.data_type == "e":
            faults.add(where, "spreadsheet_error", f"{value!r} stands there instead of a value: put the value in")
            return ""
        if isinstance(value, bool):
            faults.add(where, "value_unknown", f"{value!r} is a yes or no of the spreadsheet: write 1 or 0 as text")
            return ""
        if isinstance(value, datetime):
            plain = value.time() == time(0)
            return value.date().isoformat() if plain else value.isoformat(sep=" ")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int | float):
            # The shortest text that reads back as the same number is what a person sees in the cell.
            return Number(repr(value))
        faults.add(where, "value_unknown", f"{value!r} is neither text nor a number nor a date: write it as text")
        return ""


def _load(path: Path) -> Any:
    import openpyxl

    try:
        with warnings.catch_warnings():
            # The library warns of fonts, styles and validations that it leaves out: none of them is read here.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except Exception as error:
        # The library raises what its parsers raise: a damaged workbook is the sender's to mend, whatever broke.
        raise NotAllowed("workbook", f"cannot be read as a workbook ({type(error).__name__}): save it anew") from error


def _has(path: Path, part: str, wanted: bytes, limits: Limits) -> bool:
    with opened(path, limits=limits) as archive, archive.open(part) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            if wanted in tail + chunk:
                return True
            tail = chunk[-len(wanted) :]
    return False


def _letters(column: int) -> str:
    """The name of a column as a spreadsheet shows it: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
