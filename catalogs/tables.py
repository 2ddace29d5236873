"""Reads one CSV file of a catalog folder and checks everything that does not depend on what its columns mean.

Knows sums, encoding, header, row width, hidden characters, quarantined rows and declared defects.
Must not know codes, classes or prices. Rule: a release never changes, and nothing of it is dropped silently.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from catalogs.descriptor import Section
from catalogs.faults import FaultList
from hub.core.codes import clean_text
from hub.core.errors import NotAllowed

_CHUNK = 1 << 20
_LONGEST_ROW = 4000
_LONGEST_CELL = 2000
_FOLDER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*(/[0-9A-Za-z][0-9A-Za-z_-]*)?", re.ASCII)
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*", re.ASCII)


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
    """The rows of one file, with what its descriptor declares about it.

    A file that has not changed since an older release is taken from that release's folder (`from`, looked up below
    `root`): nothing is copied, and its sum proves that it is the same. `only` and `without` divide one file between two
    descriptors by the beginning of a column; each states how many rows that concerns.
    """

    def __init__(self, folder: Path, section: Section, *, root: Path | None = None) -> None:
        self._section = section
        self.faults: FaultList = section.faults
        self.name = section.text("name")
        if self.name and not _FILE.fullmatch(self.name):
            section.fault("name", "file_name", f"is {self.name!r}: it is a plain file name")
            self.name = "unnamed"
        self.source = Source(
            file=self.name,
            sha256=section.text("sha256"),
            rows=section.whole("rows"),
            source=section.text("source"),
            version=section.text("version"),
            licence=section.text("licence"),
            known_defects=section.text("known_defects"),
        )
        self.path = _place(folder, section, root) / self.name
        self._part = _Part.read(section)
        self._waivers: dict[str, _Waiver] = {}
        for part in section.sections("waived"):
            self._waivers[part.text("check")] = _Waiver(part.whole("count"), part.text("because"), [])
            part.finish()
        self._put_aside = [_PutAside.read(part) for part in section.sections("quarantine")]
        self.quarantined: list[Quarantined] = []
        self.header: tuple[str, ...] = ()
        self.columns: dict[str, int] = {}

    def fault(self, line: int, column: str, code: str, message: str) -> None:
        """Note a fault at a cell of this file."""
        self.faults.add(f"{self.name}:{line} {column}", code, message)

    def defect(self, row: Row, column: str, check: str, message: str) -> None:
        """A fault, unless the descriptor declares that so many rows of this file fail this check, and why."""
        self.defect_at(row.line, row.cells[0], column, check, message)

    def defect_at(self, line: int, code: str, column: str, check: str, message: str) -> None:
        """The same for a row of which only line and code are known."""
        waiver = self._waivers.get(check)
        if waiver is None:
            self.fault(line, column, check, message)
        else:
            waiver.met.append(Quarantined(self.name, line, code, check, waiver.because))

    def read(
        self, header: Sequence[str], *, layout: Callable[[Sequence[str]], tuple[str, ...] | None] | None = None
    ) -> Iterator[Row]:
        """The rows that were not put aside, one by one; none if the file as such was refused.

        `layout` says which columns a header that goes on after the required ones has; without it the header is exact.
        With the first row `header` holds the file's own columns.
        """
        if not self._is_as_released():
            return
        count = 0
        with self.path.open(encoding="utf-8", newline="") as text:
            reader = csv.reader(text, strict=True)
            try:
                found = next(reader, [])
                columns = layout(found) if layout is not None else tuple(found) if found == list(header) else None
                if columns is None:
                    message = f"is {','.join(found)[:200]!r}: it must be {','.join(header)!r}"
                    self.fault(1, "header", "header", message)
                    return
                self._set_header(columns)
                for cells in reader:
                    count += 1
                    row = self._taken(Row(reader.line_num, cells), width=len(columns))
                    if row is not None:
                        yield row
            except csv.Error as error:
                self.fault(reader.line_num, "row", "csv", f"is not CSV ({error}): check the quotes of this row")
                return
        if count != self.source.rows:
            self._section.fault("rows", "row_count", f"is {self.source.rows}, but the file has {count} rows")
        self._part.check(self._section)

    def _set_header(self, columns: tuple[str, ...]) -> None:
        self.header = columns
        self.columns = {column: index for index, column in enumerate(columns)}
        for aside in self._put_aside:
            if aside.column not in self.columns:
                self._section.fault("quarantine", "column_unknown", f"{aside.column!r} is no column of the file")
        part = self._part
        part.index = self.columns.get(part.column)
        if part.column and part.index is None:
            self._section.fault("only, without", "column_unknown", f"{part.column!r} is no column of the file")

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

    def _is_as_released(self) -> bool:
        """Whether the file is there and is UTF-8 throughout; another sum than the released one is noted and read on."""
        digest = sha256()
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines = 1
        try:
            with self.path.open("rb") as stream:
                begins = stream.read(3)
                stream.seek(0)
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    decoder.decode(chunk)
                    lines += chunk.count(b"\n")
            decoder.decode(b"", final=True)
        except FileNotFoundError:
            self.faults.add(self.name, "file_missing", "is not in the folder")
            return False
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            self.fault(line, "row", "encoding", "is not UTF-8: save the file as UTF-8 (GBK is a usual cause)")
            return False
        if digest.hexdigest() != self.source.sha256:
            found = digest.hexdigest()
            message = f"is not the released file (its SHA-256 is {found}); a release never changes: make a new one"
            self.faults.add(self.name, "file_changed", message)
        if begins == codecs.BOM_UTF8:
            self.fault(1, "header", "encoding", "begins with a byte order mark: save it as UTF-8 without one")
            return False
        return True

    def _taken(self, row: Row, *, width: int) -> Row | None:
        """The row as it is taken; None if it is put aside, belongs elsewhere, or has another width."""
        if len(row.cells) != width:
            self.fault(
                row.line,
                "row",
                "row_width",
                f"has {len(row.cells)} cells instead of {width}: check the commas",
            )
            return None
        if self._part.index is not None and not self._part.takes(row.cells):
            return None
        for aside in self._put_aside:
            index = self.columns.get(aside.column)
            value = None if index is None else row.cells[index]
            if value in aside.values:
                aside.met.add(value)
                self.quarantined.append(Quarantined(self.name, row.line, value, "quarantined", aside.because))
                return None
        try:
            # One look at the whole row: a look at each cell would cost most of the loading time.
            whole = " ".join(row.cells)
            spoilt = not whole.isascii() and clean_text(whole, longest=_LONGEST_ROW) != whole.strip()
            spoilt = spoilt or not whole.isprintable()
        except NotAllowed:
            spoilt = True
        return self._without_hidden_characters(row) if spoilt else row

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


def _place(folder: Path, section: Section, root: Path | None) -> Path:
    """The folder in which a file lies: its own, or that of the release it was taken over from."""
    if not section.has("from"):
        return folder
    taken_from = section.text("from")
    if root is None or not _FOLDER.fullmatch(taken_from):
        section.fault("from", "folder_name", f"is {taken_from!r}: name the release folder that holds the file")
        return folder
    return root / taken_from


@dataclass(slots=True)
class _Part:
    """Which rows of a file belong here: those, or all but those, whose cell begins with one of some texts."""

    column: str
    begins: tuple[str, ...]
    count: int
    wanted: bool
    index: int | None = None
    met: int = 0

    @classmethod
    def read(cls, section: Section) -> _Part:
        for key, wanted in (("only", True), ("without", False)):
            if section.has(key):
                inner = section.section(key)
                part = cls(inner.text("column"), inner.texts("begins"), inner.whole("count"), wanted)
                inner.text("because")
                inner.finish()
                return part
        return cls("", (), 0, wanted=False)

    def takes(self, cells: list[str]) -> bool:
        assert self.index is not None
        begins = cells[self.index].startswith(self.begins)
        self.met += begins
        return begins is self.wanted

    def check(self, section: Section) -> None:
        if self.index is not None and self.met != self.count:
            section.fault("only, without", "row_count", f"counts {self.count} rows, but {self.met} begin so")
