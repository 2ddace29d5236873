"""Reads CSV and tab-parted text, in UTF-8 or GB18030, as a stream.

Knows encodings, quotes and line ends. Must not know columns or codes.
Sources: engineering guide (CSV traps); national-interface section 6 and domain-process section 14: national files are
UTF-8, tabs between cells, the word null for an empty one.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from catalogs.faults import FaultList
from catalogs.incoming.cells import unquoted
from catalogs.incoming.reading import LIMITS, Limits, Progress, SourceRow
from hub.core.errors import NotAllowed

UTF_8 = "UTF-8"
UTF_8_WITH_MARK = "UTF-8 with byte order mark"
GB18030 = "GB18030"
ENCODINGS = {"utf-8": UTF_8, "gb18030": GB18030}
"""Encodings that a person may name, and what they are called in words."""

_CODECS = {UTF_8: "utf-8", UTF_8_WITH_MARK: "utf-8-sig", GB18030: "gb18030"}
_CHUNK = 1 << 20
_LEAST_COMMON = 95
"""Per cent of the Chinese characters of a GB18030 file that stand in GB 2312, which holds nearly all that are written.
Big5 or Shift-JIS read as GB18030 scatter over the rare ones."""

_ENOUGH = 20_000
"""So many Chinese characters are looked at."""

_MARKS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    codecs.BOM_UTF32_BE: "UTF-32",
}
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_SMALL_ALPHABETS = re.compile("[\u0080-\u07ff]")


def find_encoding(path: Path) -> str:
    """The encoding of a text file, proved over the whole of it. Raises NotAllowed where it is none of ours or where
    two readings are possible: a wrong guess would look right.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            raise NotAllowed("encoding", f"is {name}: save it as UTF-8")
    as_utf_8 = _Reading(path, "utf-8-sig")
    if as_utf_8.nul:
        raise NotAllowed("encoding", "holds zero bytes: it is no text, or UTF-16 without a mark; save it as UTF-8")
    if as_utf_8.whole and not as_utf_8.doubtful:
        return UTF_8_WITH_MARK if start.startswith(codecs.BOM_UTF8) else UTF_8
    as_gb18030 = _Reading(path, "gb18030")
    if as_utf_8.whole:
        if as_gb18030.believable:
            raise NotAllowed("encoding", "can be read as UTF-8 and as GB18030: say which with --encoding")
        return UTF_8
    if as_gb18030.believable:
        return GB18030
    raise NotAllowed(
        "encoding",
        f"is neither UTF-8 (byte {as_utf_8.broken_at} breaks it) nor believable as GB18030: save it as UTF-8",
    )


def _named_encoding(path: Path, named: str) -> str:
    """The encoding that a person named. Raises NotAllowed where the file plainly is in another."""
    as_utf_8 = _Reading(path, "utf-8-sig")
    if named == UTF_8 and not as_utf_8.whole:
        raise NotAllowed("encoding", f"is not UTF-8, as was said: byte {as_utf_8.broken_at} breaks it")
    if named == GB18030 and as_utf_8.whole and as_utf_8.has_chinese:
        raise NotAllowed("encoding", "is UTF-8, not GB18030 as was said: leave --encoding out")
    if named == GB18030 and not _Reading(path, "gb18030").whole:
        raise NotAllowed("encoding", "is not GB18030, as was said: save it as UTF-8")
    with path.open("rb") as stream:
        return UTF_8_WITH_MARK if stream.read(3) == codecs.BOM_UTF8 else named


class _Reading:
    """What comes of reading a file in one encoding."""

    def __init__(self, path: Path, codec: str) -> None:
        self.whole = True
        self.nul = False
        self.broken_at = 0
        self._han = self._common = self._small = self._private = 0
        decoder = codecs.getincrementaldecoder(codec)()
        done = 0
        with path.open("rb") as stream:
            while True:
                chunk = stream.read(_CHUNK)
                self.nul = self.nul or b"\0" in chunk
                try:
                    self._count(decoder.decode(chunk, final=not chunk))
                except UnicodeDecodeError as error:
                    self.whole, self.broken_at = False, done + error.start
                    return
                if not chunk:
                    return
                done += len(chunk)

    def _count(self, text: str) -> None:
        """Look at the characters until enough of them were seen: more would not change the judgement."""
        if text.isascii() or self._han > _ENOUGH:
            return
        han = _HAN.findall(text)[:_ENOUGH]
        self._han += len(han)
        self._common += sum(1 for character in han if _in_gb2312(character))
        self._small += len(_SMALL_ALPHABETS.findall(text))
        self._private += len(_PRIVATE.findall(text))

    @property
    def has_chinese(self) -> bool:
        return self._han > 0

    @property
    def doubtful(self) -> bool:
        """Letters of other alphabets and not one Chinese character: short GB18030 texts look so."""
        return self._small > 0 and self._han == 0

    @property
    def believable(self) -> bool:
        """Chinese as it is written: common characters throughout."""
        if not self.whole or not self._han:
            return False
        return self._common * 100 >= self._han * _LEAST_COMMON and self._private * 100 <= self._han


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file whose encoding is known; `separator` is the comma of CSV or the tab of the national files."""

    path: Path
    name: str
    encoding: str
    separator: str
    limits: Limits = LIMITS

    @classmethod
    def open(cls, path: Path, *, name: str, separator: str, encoding: str | None, limits: Limits = LIMITS) -> TextFile:
        """Find the encoding, or take the one that a person named if the file can be so. Raises NotAllowed as
        `find_encoding` does.
        """
        found = find_encoding(path) if encoding is None else _named_encoding(path, ENCODINGS[encoding])
        return cls(path, name, found, separator, limits)

    @property
    def described(self) -> str:
        return f"{'CSV' if self.separator == ',' else 'tab-parted text'}, {self.encoding}"

    def rows(self, faults: FaultList, *, progress: Progress) -> Iterator[SourceRow]:
        whole = self.path.stat().st_size
        parted = self._by_commas if self.separator == "," else self._by_tabs
        with self.path.open("rb") as raw, _as_text(raw, _CODECS[self.encoding]) as text:
            number = 0
            try:
                for number, row in enumerate(parted(text, faults), start=1):
                    if number > self.limits.rows:
                        faults.add(f"{self.name}:{row.line}", "too_many_rows", f"more than {self.limits.rows} rows")
                        return
                    if len(row.cells) > self.limits.columns:
                        message = f"{len(row.cells)} cells: {self.limits.columns} are the most that a table may have"
                        faults.add(f"{self.name}:{row.line}", "too_many_columns", message)
                        return
                    if number % 1000 == 0:
                        progress(raw.tell(), whole)
                    yield row
            except UnicodeDecodeError:
                message = f"is not {self.encoding}: find the encoding it was saved in, or save it as UTF-8"
                faults.add(f"{self.name} after row {number}", "encoding", message)
        progress(whole, whole)

    def _lines(self, text: TextIO, faults: FaultList) -> Iterator[str]:
        longest = self.limits.line_characters
        line = 0
        while found := text.readline(longest + 1):
            line += 1
            if len(found) > longest:
                message = f"the line is longer than {longest} characters: it is no table, or a quote is not closed"
                faults.add(f"{self.name}:{line}", "line_too_long", message)
                return
            yield found

    def _by_commas(self, text: TextIO, faults: FaultList) -> Iterator[SourceRow]:
        reader = csv.reader(self._lines(text, faults), strict=True)
        started = 0
        try:
            for cells in reader:
                if any(cells):
                    yield SourceRow(started + 1, [unquoted(cell.strip()) for cell in cells])
                started = reader.line_num
        except csv.Error as error:
            where = f"{self.name}:{started + 1}"
            faults.add(where, "csv", f"is not CSV ({error}): check the quotes from this row on")

    def _by_tabs(self, text: TextIO, faults: FaultList) -> Iterator[SourceRow]:
        for number, line in enumerate(self._lines(text, faults), start=1):
            cells = line.rstrip("\r\n").split("\t")
            if any(cells):
                yield SourceRow(number, ["" if cell == "null" else cell.strip(" ") for cell in cells])


def _as_text(raw: BinaryIO, codec: str) -> TextIO:
    """A text stream over an open file. Only line feeds end a line: a lone carriage return is a fault of its cell."""
    return io.TextIOWrapper(raw, encoding=codec, errors="strict", newline="\n")
