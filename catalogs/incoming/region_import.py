"""Brings a region's own tables into a new release of its catalog: its terms for one kind, or its mappings.

Knows which part of a catalog.toml a table belongs to. Must not know rows, prices or the database.
Rules: whole or not at all; what is not imported stays as the release before has it (see decision 0061).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalogs.books import Book
from catalogs.faults import FaultList
from catalogs.incoming.book_files import check_cells, headed_rows
from catalogs.incoming.importing import FileReport, ImportReport, TableReport
from catalogs.incoming.national import ROW_FORMS, RowForm
from catalogs.incoming.opening import opened_table
from catalogs.incoming.reading import LIMITS, Limits, Progress, Reader, Run, nobody_watches
from catalogs.incoming.region_rows import TERMS_COLUMNS, RegionRows
from catalogs.incoming.spool import Spool, Spooled
from catalogs.incoming.staging import About, check_later, described, newest, staged, write_descriptor
from catalogs.load import load_unified_releases
from catalogs.mapping import COLUMNS as MAPPING_COLUMNS
from catalogs.mapping import OPTIONAL_COLUMNS as MAPPING_OPTIONAL
from catalogs.mapping import MappingReader, load_mapping
from catalogs.regional import load_region
from catalogs.tables import Row
from catalogs.terms import COLUMNS, OPTIONAL_COLUMNS, TermsReader
from catalogs.unified import UnifiedRelease
from catalogs.working_days import read_day
from hub.core.catalog import BenefitClass
from hub.core.codes import CatalogKind, InsuranceType, Region
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.money import Rate

TERMS = "terms"
MAPPING = "mapping"
QUERIES = ("1312", "1316", "1318", "1319")
"""What a file of a region may be said to be, besides 1317, which is only checked."""

_DATED = Book(columns=COLUMNS, optional=OPTIONAL_COLUMNS, codes=("code",))
_MAPPED = Book(columns=MAPPING_COLUMNS, optional=MAPPING_OPTIONAL, codes=("local_code", "unified_code"))


@dataclass(frozen=True, slots=True)
class RegionFile:
    """A file of a region and what it is said to be."""

    path: Path
    form: str
    encoding: str | None = None
    sheet: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionWanted:
    """Of which region and kind the files are, and from which day the region uses the unified codes (None: as before).

    `mapping` names the mapping that a mapping file belongs to, and that own codes of the new release are mapped by;
    `unified` the unified release that they are mapped to, where it is not the one the region's catalog has.
    """

    region: Region
    kind: CatalogKind
    adopt: date | None = None
    mapping: str = ""
    unified: str = ""


# --- terms --------------------------------------------------------------------------------------------------------


def import_terms(
    root: Path,
    files: Sequence[RegionFile],
    wanted: RegionWanted,
    about: About | None,
    *,
    base: str | None = None,
    progress: Progress = nobody_watches,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Make a new release of a region's catalog with the terms of one kind from files: one table of terms, or rows of
    the queries 1312, 1318, 1319 and 1316. Without `about` everything is read and checked and nothing is written.

    Raises CatalogFaults with the faults of all files.
    """
    parent = root / "regions" / wanted.region.code
    base_name, values = newest(parent, "catalog.toml", name=base)
    first = _first_day(values, wanted, about)
    with TemporaryDirectory() as name:
        run = Run(FaultList(), progress, limits)
        spool = Spool(_DATED, Path(name), name=wanted.kind.value, key=("code", "valid_from", "valid_until"))
        with closing(spool):
            terms = _Terms(wanted, first, spool, run)
            terms.read(files)
        run.faults.stop_if_any("the import")
        if about is None:
            return _report(terms.reports, wanted.kind, spool.finish(Path(name) / "table.csv"), terms.notes, None)
        check_later(about, base_name, values)
        with staged(parent, about) as made:
            table = spool.finish(made / f"{wanted.kind.value}.csv")
            descriptor = _region_descriptor(values, base_name, wanted, table, about)
            write_descriptor(made / "catalog.toml", descriptor)
            load_region(made, _unified(root, str(descriptor["unified"])), root=root)
    return _report(terms.reports, wanted.kind, table, terms.notes, parent / about.release)


class _Terms:
    """Brings files of a region to rows of a table of terms."""

    def __init__(self, wanted: RegionWanted, first: date, spool: Spool, run: Run) -> None:
        self._wanted = wanted
        self._first = first
        self._spool = spool
        self._run = run
        self._name = ""
        self._reader = TermsReader(
            region=wanted.region,
            kind=wanted.kind,
            within=Span(first),
            paying=_any_ratio,
            fault=self._fault,
            repeats=True,
        )
        self._ended = 0
        self.reports: list[FileReport] = []
        self.notes: list[str] = []

    def _fault(self, line: int, column: str, code: str, message: str) -> None:
        self._run.faults.add(f"{self._name}:{line} {column}", code, message)

    def read(self, files: Sequence[RegionFile]) -> None:
        """Read one table of terms, or the rows of queries that belong together."""
        queries = [one for one in files if one.form in QUERIES]
        tables = [one for one in files if one.form == TERMS]
        if len(tables) > 1 or bool(tables) is bool(queries):
            raise NotAllowed("two_sources", "give one table of terms, or the rows of 1312 with those that go with it")
        forms = [one.form for one in queries]
        if queries and ("1312" not in forms or len(forms) > len(set(forms))):
            message = "the rows of 1312 say which codes there are: give one file of them, and one of each other number"
            raise NotAllowed("entries_missing", message)
        for one in tables:
            self._read_table(one)
        if queries:
            self._read_queries(sorted(queries, key=lambda query: query.form))
        if self._ended:
            self.notes.append(f"left out: {self._ended} rows that ended by {self._first}, the first day")

    def _read_table(self, one: RegionFile) -> None:
        self._name = one.path.name
        with opened(one, self._run, tabs=False) as reader:
            for line, cells in _headed(reader, one, self._run, _DATED):
                self._keep(line, cells)
            self.reports.append(FileReport(one.path.name, reader.described, self._spool.count))

    def _read_queries(self, queries: Sequence[RegionFile]) -> None:
        names = {one.form: one.path.name for one in queries}

        def note(number: str, line: int, column: str, code: str, message: str) -> None:
            self._run.faults.add(f"{names[number]}:{line} {column}", code, message)

        rows = RegionRows(self._wanted.region, self._wanted.kind, note)
        for one in queries:
            self.reports.append(read_query(one, self._run, take=rows.take))
        self._name = names["1312"]
        if self._run.faults.total:
            return
        for line, cells in rows.terms(since=self._first):
            self._keep(line, cells)
        self.notes.extend(f"left out: {count} {reason}" for reason, count in sorted(rows.left_out.items()))

    def _keep(self, line: int, cells: Mapping[str, str]) -> None:
        end = read_day(cells.get("valid_until", ""))
        if end is not None and end <= self._first:
            self._ended += 1
            return
        row = Row(line, [cells.get(column, "") for column in TERMS_COLUMNS])
        if self._reader.read(row, TERMS_COLUMNS) is not None:
            self._spool.add(line, cells)


def _any_ratio(_benefit_class: BenefitClass) -> tuple[Rate, Mapping[InsuranceType, Rate]]:
    """While a row is checked by itself the region's own ratio does not matter."""
    return Rate(Fraction(0)), {}


# --- mappings -----------------------------------------------------------------------------------------------------


def import_mapping(
    root: Path,
    file: RegionFile,
    wanted: RegionWanted,
    about: About | None,
    *,
    progress: Progress = nobody_watches,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Make a new release of a mapping from a file; a region's catalog uses it once a release of it names it.

    The targets are those of the unified release that the region's catalog names. Raises CatalogFaults with every fault.
    """
    parent = root / "mappings" / wanted.mapping
    _, values = newest(root / "regions" / wanted.region.code, "catalog.toml")
    unified = _unified(root, wanted.unified or values["unified"], kinds={wanted.kind})
    with TemporaryDirectory() as name:
        run = Run(FaultList(), progress, limits)
        key = ("local_code", "valid_from", "valid_until", *(one for one in MAPPING_OPTIONAL if one.startswith("if_")))
        spool = Spool(_MAPPED, Path(name), name=wanted.kind.value, key=key)
        columns = (*_MAPPED.columns, *_MAPPED.optional)

        def note(line: int, column: str, code: str, message: str) -> None:
            run.faults.add(f"{file.path.name}:{line} {column}", code, message)

        checked = MappingReader(region=wanted.region, kind=wanted.kind, unified=unified, fault=note, repeats=True)
        with closing(spool), opened(file, run, tabs=False) as reader:
            for line, cells in _headed(reader, file, run, _MAPPED):
                row = Row(line, [cells.get(column, "") for column in columns])
                if checked.entry(row, columns) is not None:
                    spool.add(line, cells)
            report = FileReport(file.path.name, reader.described, spool.count)
        run.faults.stop_if_any("the import")
        if about is None:
            return _report((report,), wanted.kind, spool.finish(Path(name) / "table.csv"), (), None)
        with staged(parent, about) as made:
            table = spool.finish(made / "mapping.csv")
            descriptor = {
                "mapping": wanted.mapping,
                "release": about.release,
                "kind": wanted.kind.value,
                "unified": unified.release,
                "grading": "as the imported file states row by row",
                "file": described(table, about),
            }
            write_descriptor(made / "mapping.toml", descriptor)
            load_mapping(made, region=wanted.region, unified=unified)
    return _report((report,), wanted.kind, table, (), parent / about.release)


# --- reading ------------------------------------------------------------------------------------------------------


def opened(one: RegionFile, run: Run, *, tabs: bool) -> AbstractContextManager[Reader]:
    return opened_table(one.path, tabs=tabs, encoding=one.encoding, sheet=one.sheet, limits=run.limits)


def read_query(one: RegionFile, run: Run, *, take: Callable[[str, int, Mapping[str, str]], None]) -> FileReport:
    """Rows of a query: by heading from CSV and workbooks, by position from text parted by tabs; `take` hears of each
    that is complete, with the number of the query and its line.
    """
    form = ROW_FORMS[one.form]
    tabs = one.path.suffix.lower() not in {".csv", ".xlsx"}
    codes = tuple(name for name in form.fields if name.endswith(("_code", "_codg", "_admdvs")))
    book = Book(columns=form.required, optional=form.fields, codes=codes)
    count = 0
    with opened(one, run, tabs=tabs) as reader:
        rows = _positioned(reader, one, run, form) if tabs else _headed(reader, one, run, book)
        for line, cells in rows:
            count += 1
            missing = [name for name in form.required if not cells.get(name)]
            for name in missing:
                message = f"is empty: a row of {form.number} states it"
                run.faults.add(f"{one.path.name}:{line} {name}", "cell_empty", message)
            if not missing:
                take(form.number, line, cells)
        return FileReport(one.path.name, reader.described, count)


def check_queries(files: Sequence[RegionFile], *, progress: Progress = nobody_watches) -> ImportReport:
    """Read and check rows of queries that the hub keeps nowhere (1304, 1317). Raises CatalogFaults."""
    run = Run(FaultList(), progress)
    reports = tuple(read_query(one, run, take=lambda _number, _line, _cells: None) for one in files)
    run.faults.stop_if_any("the import")
    notes = tuple(
        f"{one.path.name} was read and checked; the hub keeps no {ROW_FORMS[one.form].title}" for one in files
    )
    return ImportReport(reports, (), notes, None)


def _positioned(reader: Reader, one: RegionFile, run: Run, form: RowForm) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of text parted by tabs; a first row with the names of the fields is passed over."""
    codes = tuple(name for name in form.fields if name.endswith(("_code", "_codg", "_admdvs")))
    for row in reader.rows(run.faults, progress=run.progress):
        if row.cells[:2] == list(form.fields[:2]):
            continue
        padded = row.cells + [""] * (len(form.fields) - len(row.cells))
        cells = dict(zip(form.fields, padded, strict=False))
        if _clean(one, row.line, cells, codes, run):
            yield row.line, cells


def _headed(reader: Reader, one: RegionFile, run: Run, book: Book) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows under known headings, without those that hold a damaged cell."""
    rows = headed_rows(
        reader, run, name=one.path.name, required=book.columns, optional=book.optional, renamed=one.renamed
    )
    for line, cells in rows:
        if _clean(one, line, cells, book.codes, run):
            yield line, cells


def _clean(one: RegionFile, line: int, cells: Mapping[str, str], codes: Sequence[str], run: Run) -> bool:
    before = run.faults.total

    def note(line: int, column: str, code: str, message: str) -> None:
        run.faults.add(f"{one.path.name}:{line} {column}", code, message)

    check_cells(cells, codes=codes, line=line, fault=note)
    return run.faults.total == before


def _report(
    files: Sequence[FileReport], kind: CatalogKind, table: Spooled, notes: Sequence[str], folder: Path | None
) -> ImportReport:
    found = TableReport(kind, table.rows, table.merged, table.superseded, table.added, table.quarantined)
    return ImportReport(tuple(files), (found,), tuple(notes), folder)


# --- the new release ----------------------------------------------------------------------------------------------


def _first_day(values: Mapping[str, Any], wanted: RegionWanted, about: About | None) -> date:
    """The first day of the imported terms: that of the release, or that on which the unified codes are adopted."""
    first: date = about.valid_from if about is not None else values["valid_from"]
    adopted = [one["from"] for one in values.get("adopted", []) if one["kind"] == wanted.kind]
    return max([first, *([wanted.adopt] if wanted.adopt is not None else adopted)])


def _region_descriptor(
    values: Mapping[str, Any], base: str, wanted: RegionWanted, table: Spooled, about: About
) -> dict[str, object]:
    """The release before with another table for one kind; files of its folder are taken over by name."""
    kind = wanted.kind.value
    own, adopted = _still_used(values, wanted.region, base, about.valid_from)
    because = f"{about.source}; imported as {about.release}"
    if wanted.adopt is not None:
        for one in own:
            if one["kind"] == kind:
                one["until"] = wanted.adopt
        adopted = [one for one in adopted if one["kind"] != kind]
        adopted.append({"kind": kind, "from": wanted.adopt, "because": because})
    section = next((one for one in adopted if one["kind"] == kind), None)
    if section is None:
        before = next((one for one in own if one["kind"] == kind), {})
        mapping = wanted.mapping or before.get("mapping", "")
        own = [one for one in own if one["kind"] != kind]
        section = {"kind": kind, "because": because, **({"mapping": mapping} if mapping else {})}
        own.append(section)
    section["file"] = described(table, about)
    parts = {"own": own, "adopted": adopted}
    changed = {key: part for key, part in parts.items() if part}
    kept = {key: value for key, value in values.items() if key not in parts}
    if wanted.unified:
        kept["unified"] = wanted.unified
    return {**kept, "release": about.release, "valid_from": about.valid_from, **changed}


def _unified(root: Path, name: str, *, kinds: Collection[CatalogKind] | None = None) -> UnifiedRelease:
    releases = load_unified_releases(root, kinds=kinds)
    for one in releases:
        if one.release == name:
            return one
    known = ", ".join(one.release for one in releases)
    raise NotAllowed("unified_missing", f"there is no unified release {name!r}: there is {known}")


def _still_used(
    values: Mapping[str, Any], region: Region, base: str, first: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Own codes that the region has not given up by the first day, and adoptions without the reasons for gaps and
    overlaps that lie behind.
    """
    own = [_taken_over(one, region, base) for one in values.get("own", []) if one.get("until", date.max) > first]
    adopted = [_taken_over(one, region, base) for one in values.get("adopted", [])]
    for one in adopted:
        if one["from"] <= first:
            one.pop("gap_because", None)
        if one["kind"] not in {other["kind"] for other in own}:
            one.pop("overlap_because", None)
    return own, adopted


def _taken_over(section: Mapping[str, Any], region: Region, base: str) -> dict[str, Any]:
    taken = dict(section)
    if "file" in taken:
        taken["file"] = {"from": f"{region.code}/{base}", **taken["file"]}
    return taken
