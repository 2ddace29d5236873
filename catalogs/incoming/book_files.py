"""Brings a file of a unified code book to our columns: by position for the national files, by heading for others.

Knows layouts, headings and the checks of a row. Must not know releases or where the result is kept.
Source: national-interface section 6. Rule: every fault is named with file, row, column, what was found and its cure.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from catalogs.books import BOOKS, INVALID, Book
from catalogs.faults import FaultList, NoteFault
from catalogs.incoming.cells import cell_fault, code_fault
from catalogs.incoming.headings import our_columns
from catalogs.incoming.national import FileLayout
from catalogs.incoming.opening import opened_table
from catalogs.incoming.reading import Reader, Run, SourceRow
from catalogs.incoming.spool import Spool
from hub.core.codes import CatalogKind, UnifiedCode
from hub.core.errors import NotAllowed

_MARKS = ("", "+", "*")
"""A heading of the dagger-and-asterisk system carries its mark where its children name it without."""


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file, what it is said to be, and what a person declared about it.

    `layout` for a national file, else the columns are those of the kind's book under their headings; `renamed` maps
    headings of theirs to ours; `gather` takes several rows of one code as names of one entry.
    """

    path: Path
    kind: CatalogKind | None
    layout: FileLayout | None = None
    encoding: str | None = None
    sheet: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    gather: bool = False


@dataclass(slots=True)
class BookFile:
    """What came of reading a file: rows of each kind on disk, and how the file was read."""

    file: FileToRead
    described: str = ""
    rows: int = 0
    spools: dict[CatalogKind, Spool] = field(default_factory=dict)


Record = tuple[int, CatalogKind | None, dict[str, str]]
"""A row brought to our columns: its line, the book that it belongs to, and its cells."""


def read_book_file(wanted: FileToRead, run: Run, *, folder: Path) -> BookFile:
    """Read and check a whole file; its rows wait in spools under `folder`, unless the hub keeps no book of them."""
    found = BookFile(wanted)
    tabs, encoding = wanted.layout is not None, wanted.encoding
    with (
        ExitStack() as until_read,
        opened_table(wanted.path, tabs=tabs, encoding=encoding, sheet=wanted.sheet, limits=run.limits) as reader,
    ):
        found.described = reader.described
        checker = _Checker(run.faults, wanted.path.name)
        for line, kind, cells in _records(wanted, reader, run):
            found.rows += 1
            if not checker.fits(line, kind, cells) or kind is None:
                continue
            if kind not in found.spools:
                found.spools[kind] = Spool(BOOKS[kind], folder, name=kind.value, gather=wanted.gather)
                until_read.callback(found.spools[kind].close)
            found.spools[kind].add(line, cells)
    if not found.rows and not run.faults.total:
        run.faults.add(wanted.path.name, "file_empty", "has no rows")
    return found


def _records(wanted: FileToRead, reader: Reader, run: Run) -> Iterator[Record]:
    if wanted.layout is not None:
        return _by_position(wanted.layout, wanted.path.name, reader, run)
    assert wanted.kind is not None
    return _by_heading(wanted, wanted.kind, reader, run)


# --- by heading ---------------------------------------------------------------------------------------------------


def _by_heading(wanted: FileToRead, kind: CatalogKind, reader: Reader, run: Run) -> Iterator[Record]:
    book = BOOKS[kind]
    for line, cells in headed_rows(
        reader,
        run,
        name=wanted.path.name,
        required=book.columns,
        optional=book.optional,
        renamed=wanted.renamed,
    ):
        yield line, kind, cells


def headed_rows(
    reader: Reader,
    run: Run,
    *,
    name: str,
    required: Sequence[str],
    optional: Sequence[str],
    renamed: Mapping[str, str],
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows under the columns that their headings mean; a row of another width than the headings is a fault."""
    columns: list[str | None] = []
    exact = reader.described.startswith("CSV")
    for row in reader.rows(run.faults, progress=run.progress):
        if not columns:
            columns, wrong = our_columns(
                row.cells, required=required, optional=optional, renamed=renamed, where=f"{name}:{row.line}"
            )
            for fault in wrong:
                run.faults.add(fault.where, fault.code, fault.message)
            if wrong:
                return
            continue
        width = len(row.cells)
        if width > len(columns) or (exact and width < len(columns)):
            message = f"has {width} cells under {len(columns)} headings: check the commas and quotes of this row"
            run.faults.add(f"{name}:{row.line}", "row_width", message)
            continue
        padded = row.cells + [""] * (len(columns) - width)
        cells = {column: cell for column, cell in zip(columns, padded, strict=True) if column is not None}
        yield row.line, {**dict.fromkeys(required, ""), **cells}


# --- by position --------------------------------------------------------------------------------------------------


def _by_position(layout: FileLayout, name: str, reader: Reader, run: Run) -> Iterator[Record]:
    width = 0
    headings: set[tuple[str, str, str]] = set()
    for row in reader.rows(run.faults, progress=run.progress):
        width = width or len(row.cells)
        if len(row.cells) < layout.least:
            message = (
                f"has {len(row.cells)} columns, but the name of a {layout.number} row stands in column {layout.least}: "
                "is it another file, or not parted by tabs?"
            )
            run.faults.add(f"{name}:{row.line}", "row_short", message)
        elif len(row.cells) != width:
            message = f"has {len(row.cells)} columns where the first row has {width}: a tab or a line break is astray"
            run.faults.add(f"{name}:{row.line}", "row_width", message)
        else:
            yield from _positioned(layout, row, headings)


def _positioned(layout: FileLayout, row: SourceRow, headings: set[tuple[str, str, str]]) -> Iterator[Record]:
    """A row, after those headings above it that no earlier row named."""
    cells = {column: _picked(layout, column, row.cells) for column in layout.at}
    for column, words in layout.words.items():
        cells[column] = words.get(cells[column], cells[column])
    code = cells["code"]
    kind = layout.kind_of(code) if layout.kind_of else layout.kind
    cells.update(layout.fixed)
    if kind is not None:
        cells = {**dict.fromkeys(BOOKS[kind].columns, ""), **cells}
    above = ""
    for code_at, name_at, level in layout.parents:
        heading, title = _cell(row.cells, code_at), _cell(row.cells, name_at)
        if kind is None or not heading or heading == code:
            continue
        if (heading, title, above) not in headings:
            headings.add((heading, title, above))
            said = {"code": heading, "name": title, "level": level, "parent_code": above, "status": "heading"}
            yield row.line, kind, {**dict.fromkeys(BOOKS[kind].columns, ""), **said}
        above = heading
    _complete(kind, cells, above)
    yield row.line, kind, cells


def _complete(kind: CatalogKind | None, cells: dict[str, str], above: str) -> None:
    """What our books have and the national files say in other ways: parents, status, prefixes of a drug's code."""
    code = cells["code"]
    if kind in (CatalogKind.DIAGNOSIS, CatalogKind.PROCEDURE):
        cells["parent_code"] = above
    if kind is CatalogKind.DIAGNOSIS:
        cells["status"] = INVALID if cells.get("valid_flag") == "0" else "active"
    elif kind in (CatalogKind.SERVICE, CatalogKind.FACILITY):
        cells["is_national"] = "1" if code.startswith("00") else "0"
    elif kind is CatalogKind.DRUG:
        # X: class, substance and form take 6, 10 and 14 characters; Z: class 6, name and form 11.
        cut = (6, 10, 14) if code.startswith("X") else (6, 11, 11)
        cells.update(zip(("class_code", "generic_code", "generic_form_code"), (code[:one] for one in cut), strict=True))


def _picked(layout: FileLayout, column: str, cells: Sequence[str]) -> str:
    found = [cell for position in layout.at[column] if (cell := _cell(cells, position))]
    if column in layout.joined:
        return " ".join(found)
    return found[0] if found else ""


def _cell(cells: Sequence[str], position: int) -> str:
    return cells[position - 1] if position <= len(cells) else ""


# --- checks -------------------------------------------------------------------------------------------------------


class _Checker:
    """Checks rows one by one and notes every fault with its place."""

    def __init__(self, faults: FaultList, name: str) -> None:
        self._faults = faults
        self._name = name

    def _fault(self, line: int, column: str, code: str, message: str) -> None:
        self._faults.add(f"{self._name}:{line} {column}", code, message)

    def fits(self, line: int, kind: CatalogKind | None, cells: Mapping[str, str]) -> bool:
        """Whether nothing is wrong with a row."""
        before = self._faults.total
        book = None if kind is None else BOOKS[kind]
        first = "code" if book is None else book.columns[0]
        check_cells(cells, codes=(first,) if book is None else book.codes, line=line, fault=self._fault)
        if self._faults.total > before:
            return False
        if book is None or kind is None:
            if not cells["code"]:
                self._fault(line, "code", "code_malformed", "is empty: a row has a code")
            return self._faults.total == before
        self._check_entry(line, kind, book, cells, first)
        return self._faults.total == before

    def _check_entry(self, line: int, kind: CatalogKind, book: Book, cells: Mapping[str, str], first: str) -> None:
        try:
            UnifiedCode(kind, cells[first])
        except NotAllowed as error:
            self._fault(line, first, error.code, error.message)
            return
        wrong = book.fault(cells)
        if wrong is not None:
            self._fault(line, *wrong)


def check_parents(spool: Spool, *, name: str, known: Container[str], faults: FaultList) -> None:
    """A row names a parent that the file has, or that the book has already."""
    for parent, line in spool.parents.items():
        if not any(spool.has(parent + mark) or parent + mark in known for mark in _MARKS):
            message = f"{parent} is not a code of this book: add its row, or leave the parent empty"
            faults.add(f"{name}:{line} parent_code", "parent_unknown", message)


def check_references(
    spool: Spool, *, name: str, column: str, other: CatalogKind, known: Callable[[str], bool], faults: FaultList
) -> None:
    """A column that names codes of another book names those that the release will have."""
    for code, line in spool.named[column].items():
        if not known(code):
            message = f"{code!r} is no {other} of this release: mend the code, or import a newer book of them too"
            faults.add(f"{name}:{line} {column}", f"{other}_unknown", message)


def check_cells(cells: Mapping[str, str], *, codes: Sequence[str], line: int, fault: NoteFault) -> None:
    """Note what is wrong with cells whatever they mean; those of `codes` hold codes."""
    for column, text in cells.items():
        if not text:
            continue
        wrong = (code_fault(text) if column in codes else None) or cell_fault(text)
        if wrong is not None:
            fault(line, column, *wrong)
