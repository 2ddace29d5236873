"""Keeps the rows of one book on disk while a file is read, and decides at the end what becomes of repeated codes.

Knows codes, contents and which rows say the same. Must not know where rows come from or what their columns mean.
Sources: domain-process sections 6.4 (310412 printed twice for two things: quarantine both) and 15.7.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from catalogs.books import NATIONAL_COLUMNS, Book
from catalogs.tables import Quarantined

TWO_CONTENTS = "the file gives this code twice with different content, and nothing says which is meant"


class _Seen(NamedTuple):
    """A row met: its number in the spool and in the file, what it says, and whether it is marked as valid."""

    number: int
    line: int
    content: bytes
    valid: bool


@dataclass(frozen=True, slots=True)
class Spooled:
    """A finished table: the file with its columns and sum, and what was not taken as it stood."""

    path: Path
    columns: tuple[str, ...]
    sha256: str
    rows: int
    merged: int
    superseded: int
    added: int
    quarantined: tuple[Quarantined, ...]

    @property
    def quarantined_codes(self) -> tuple[str, ...]:
        """Codes put aside; of a code with dated rows all rows are, since the loader puts aside by code."""
        return tuple(sorted({one.code for one in self.quarantined}))


@dataclass(slots=True)
class _Decided:
    """Rows of the spool that are left out, and codes that are put aside."""

    dropped: set[int] = field(default_factory=set)
    merged: int = 0
    superseded: int = 0
    aside: list[_Seen] = field(default_factory=list)
    aside_codes: list[str] = field(default_factory=list)


class Spool:
    """Rows of one table, in the order of the file; memory holds one small record for each key.

    The key is the code, or for tables with dated rows the code and what else tells its rows apart.
    """

    def __init__(
        self, book: Book, folder: Path, *, name: str, gather: bool = False, key: Sequence[str] | None = None
    ) -> None:
        self._book = book
        self._columns = (*book.columns, *book.optional)
        self._key = tuple(key or self._columns[:1])
        self._content = [column for column in self._columns if column not in NATIONAL_COLUMNS]
        self._name = name
        self._gather = gather
        self._path = folder / f"{name}.spool"
        self._stream = self._path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._first: dict[str, _Seen] = {}
        self._again: dict[str, list[_Seen]] = {}
        self._used: set[str] = set()
        self.count = 0
        self.parents: dict[str, int] = {}
        """Parents that rows name, with the line of the first that does."""
        self.named: dict[str, dict[str, int]] = {column: {} for column in book.refers}
        """Codes of other books that rows name, by column, likewise."""

    def add(self, line: int, cells: Mapping[str, str]) -> None:
        """Keep one checked row."""
        code = "\x1f".join([cells.get(column, "") for column in self._key])
        said = "\x1f".join([cells.get(column, "") for column in self._content])
        seen = _Seen(
            self.count, line, blake2b(said.encode(), digest_size=12).digest(), cells.get("valid_flag", "") != "0"
        )
        if code in self._first:
            self._again.setdefault(code, []).append(seen)
        else:
            self._first[code] = seen
        if self._book.parents and cells["parent_code"]:
            self.parents.setdefault(cells["parent_code"], line)
        for column, found in self.named.items():
            found.setdefault(cells[column], line)
        self._used.update(column for column in self._book.optional if cells.get(column))
        self._writer.writerow([cells.get(column, "") for column in self._columns])
        self.count += 1

    def has(self, code: str) -> bool:
        return code in self._first

    def close(self) -> None:
        self._stream.close()

    def finish(self, target: Path, *, older: Iterable[Mapping[str, str]] = ()) -> Spooled:
        """Write the rows that stay, then those of `older` whose code the file does not have; the spool goes away."""
        self.close()
        decided = self._decide()
        older = list(older)
        used = self._used | {column for cells in older for column in self._book.optional if cells.get(column)}
        columns = (*self._book.columns, *(column for column in self._book.optional if column in used))
        rows = added = 0
        digest = sha256()
        with target.open("w", encoding="utf-8", newline="") as out:
            line = _Lines()
            for cells in self._kept(columns, decided.dropped, header=True):
                text = line.of(cells)
                digest.update(text.encode())
                out.write(text)
                rows += 1
            for found in older:
                if found[self._columns[0]] in self._first:
                    continue
                text = line.of([found.get(column, "") for column in columns])
                digest.update(text.encode())
                out.write(text)
                added += 1
        self._path.unlink()
        return Spooled(
            path=target,
            columns=columns,
            sha256=digest.hexdigest(),
            rows=rows - 1 + added,
            merged=decided.merged,
            superseded=decided.superseded,
            added=added,
            quarantined=tuple(
                Quarantined(self._name, seen.line, code, "code_twice", TWO_CONTENTS)
                for seen, code in zip(decided.aside, decided.aside_codes, strict=True)
            ),
        )

    def _kept(self, columns: Sequence[str], dropped: set[int], *, header: bool) -> Iterable[Sequence[str]]:
        if header:
            yield columns
        chosen = [self._columns.index(column) for column in columns]
        with self._path.open(encoding="utf-8", newline="") as stream:
            for index, cells in enumerate(csv.reader(stream, strict=True)):
                if index not in dropped:
                    yield [cells[position] for position in chosen]

    def _decide(self) -> _Decided:
        """Rows of one code that say the same become one; of one valid and older invalid ones the valid one stays; all
        others stay in the file and are put aside by the release's quarantine.
        """
        decided = _Decided()
        for code, later in self._again.items():
            rows = [self._first[code], *later]
            valid = [row for row in rows if row.valid]
            if self._gather:
                first_of = {row.content: row for row in reversed(rows)}
                twice = [row for row in rows if first_of[row.content] is not row]
                decided.merged += len(twice)
                decided.dropped.update(row.number for row in twice)
            elif len({row.content for row in rows}) == 1:
                self._keep_one(rows, valid or rows, decided)
                decided.merged += len(rows) - 1
            elif valid and len({row.content for row in valid}) == 1:
                self._keep_one(rows, valid, decided)
                decided.merged += len(valid) - 1
                decided.superseded += len(rows) - len(valid)
            else:
                decided.aside.extend(rows)
                decided.aside_codes.extend([code.partition("\x1f")[0]] * len(rows))
        return decided

    @staticmethod
    def _keep_one(rows: Sequence[_Seen], among: Sequence[_Seen], decided: _Decided) -> None:
        decided.dropped.update(row.number for row in rows if row is not among[0])


class _Lines:
    """Makes one CSV line after the other."""

    def __init__(self) -> None:
        self._buffer = StringIO()
        self._writer = csv.writer(self._buffer, lineterminator="\n")

    def of(self, cells: Sequence[str]) -> str:
        self._buffer.seek(0)
        self._buffer.truncate()
        self._writer.writerow(cells)
        return self._buffer.getvalue()
