"""Reads one CSV file of a catalog folder and checks everything that does not depend on what its columns mean.

Knows sums, encoding, header, row width, hidden characters, quarantined rows and declared defects.
Must not know codes, classes or prices. Rule: a release never changes, and nothing of it is dropped silently.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from catalogs.descriptor import Section
from catalogs.faults import FaultList
from hub.core.codes import clean_text
from hub.core.errors import NotAllowed

_LONGEST_ROW = 4000
_LONGEST_CELL = 2000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from, under which licence, and what is known to be wrong with it."""

    file: str
    sha256: str
    rows: int
    source: str
    version: str
    licence: str
    known_defects: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row left out, or taken with a declared defect: which one, which check, and why."""

    file: str
    line: int
    code: str
    check: str
    because: str


class Row(NamedTuple):
    """A row of a file: the number of its line (the header is line 1) and its cells."""

    line: int
    cells: list[str]


class Table:
    """The rows of one file, with what its descriptor declares about it."""

    def __init__(self, folder: Path, section: Section) -> None:
        self._section = section
        self.faults: FaultList = section.faults
        self.name = section.text("name")
        self.source = Source(
            file=self.name,
            sha256=section.text("sha256"),
            rows=section.whole("rows"),
            source=section.text("source"),
            version=section.text("version"),
            licence=section.text("licence"),
            known_defects=section.text("known_defects"),
        )
        self._path = folder / self.name
        self._waivers: dict[str, _Waiver] = {}
        for part in section.sections("waived"):
            self._waivers[part.text("check")] = _Waiver(part.whole("count"), part.text("because"), [])
            part.finish()
        self._put_aside = [_PutAside.read(part) for part in section.sections("quarantine")]
        self.quarantined: list[Quarantined] = []
        self.columns: dict[str, int] = {}

    def fault(self, line: int, column: str, code: str, message: str) -> None:
        """Note a fault at a cell of this file."""
        self.faults.add(f"{self.name}:{line} {column}", code, message)

    def defect(self, row: Row, column: str, check: str, message: str) -> None:
        """A fault, unless the descriptor declares that so many rows of this file fail this check, and why."""
        waiver = self._waivers.get(check)
        if waiver is None:
            self.fault(row.line, column, check, message)
        else:
            waiver.met.append(Quarantined(self.name, row.line, row.cells[0], check, waiver.because))

    def read(self, header: Sequence[str]) -> list[Row]:
        """The rows that were not put aside; the empty list if the file as such was refused."""
        self.columns = {column: index for index, column in enumerate(header)}
        for aside in self._put_aside:
            if aside.column not in self.columns:
                self._section.fault("quarantine", "column_unknown", f"{aside.column!r} is no column of the file")
        text = self._text()
        if text is None:
            return []
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows: list[Row] = []
        count = 0
        try:
            found = next(reader, [])
            if found != list(header):
                self.fault(1, "header", "header", f"is {','.join(found)[:200]!r}: it must be {','.join(header)!r}")
                return []
            for cells in reader:
                count += 1
                self._take(Row(reader.line_num, cells), rows, width=len(header))
        except csv.Error as error:
            self.fault(reader.line_num, "row", "csv", f"is not CSV ({error}): check the quotes of this row")
            return []
        if count != self.source.rows:
            self._section.fault("rows", "row_count", f"is {self.source.rows}, but the file has {count} rows")
        return rows

    def finish(self) -> None:
        """Compare the declared defects with those met; to be called when every check of the file has run."""
        for check, waiver in self._waivers.items():
            if len(waiver.met) != waiver.count:
                self._section.fault(
                    f"waived {check}",
                    "waiver_count",
                    f"declares {waiver.count}, but {len(waiver.met)} were met"
                    + "".join(f"; line {one.line} ({one.code})" for one in waiver.met[:5]),
                )
            self.quarantined.extend(waiver.met)
        for aside in self._put_aside:
            for value in sorted(aside.values - aside.met):
                self._section.fault("quarantine", "quarantine_unused", f"{value!r} is in no row: take it off the list")
        self._section.finish()

    def _text(self) -> str | None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            self.faults.add(self.name, "file_missing", "is not in the folder")
            return None
        found = sha256(content).hexdigest()
        if found != self.source.sha256:
            self.faults.add(
                self.name,
                "file_changed",
                f"is not the released file (its SHA-256 is {found}); a release never changes: make a new one",
            )
        if content.startswith(b"\xef\xbb\xbf"):
            self.fault(1, "header", "encoding", "begins with a byte order mark: save it as UTF-8 without one")
            return None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.fault(line, "row", "encoding", "is not UTF-8: save the file as UTF-8 (GBK is a usual cause)")
            return None

    def _take(self, row: Row, rows: list[Row], *, width: int) -> None:
        if len(row.cells) != width:
            self.fault(
                row.line,
                "row",
                "row_width",
                f"has {len(row.cells)} cells instead of {width}: check the commas",
            )
            return
        for aside in self._put_aside:
            index = self.columns.get(aside.column)
            value = None if index is None else row.cells[index]
            if value in aside.values:
                aside.met.add(value)
                self.quarantined.append(Quarantined(self.name, row.line, value, "quarantined", aside.because))
                return
        try:
            # One look at the whole row: a look at each cell would cost most of the loading time.
            whole = " ".join(row.cells)
            spoilt = not whole.isascii() and clean_text(whole, longest=_LONGEST_ROW) != whole.strip()
            spoilt = spoilt or not whole.isprintable()
        except NotAllowed:
            spoilt = True
        if spoilt:
            row = self._without_hidden_characters(row)
        rows.append(row)

    def _without_hidden_characters(self, row: Row) -> Row:
        """The row with each hidden character made a blank: a declared defect, or else a fault."""
        cells = list(row.cells)
        for column, index in self.columns.items():
            if not cells[index]:
                continue
            try:
                mended = clean_text(cells[index], longest=_LONGEST_CELL)
            except NotAllowed as error:
                self.defect(row, column, error.code, error.message)
                mended = " ".join("".join(c if c.isprintable() else " " for c in cells[index]).split())
            cells[index] = mended
        return Row(row.line, cells)


@dataclass(slots=True)
class _Waiver:
    """A declared defect: how many cells show it, why they are taken all the same, and those met."""

    count: int
    because: str
    met: list[Quarantined]


@dataclass(slots=True)
class _PutAside:
    """Rows to leave out: those whose cell in a column is one of the values."""

    column: str
    values: frozenset[str]
    because: str
    met: set[str]

    @classmethod
    def read(cls, section: Section) -> _PutAside:
        aside = cls(section.text("column"), frozenset(section.texts("values")), section.text("because"), set())
        section.finish()
        return aside
