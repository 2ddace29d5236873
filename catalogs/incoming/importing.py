"""Brings files of unified code books into a new unified release; all other books are taken over from the one before.

Knows the order of an import: read and check everything, write, load the new folder as it will be loaded, move it into
place. Must not know regions or the database.
Rules: whole or not at all; nothing is dropped silently (see decision 0061).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalogs.books import BOOKS
from catalogs.faults import FaultList
from catalogs.incoming.book_files import BookFile, FileToRead, check_parents, check_references, read_book_file
from catalogs.incoming.reading import LIMITS, Limits, Progress, Run, nobody_watches
from catalogs.incoming.spool import Spool, Spooled
from catalogs.incoming.staging import About, check_later, described, newest, staged, write_descriptor
from catalogs.tables import Quarantined
from catalogs.unified import UnifiedRelease, as_row, load_unified
from hub.core.codes import CatalogKind
from hub.core.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class FileReport:
    """How one file was read."""

    name: str
    described: str
    rows: int


@dataclass(frozen=True, slots=True)
class TableReport:
    """What came of one table: rows written, repeated rows merged, older invalid rows left for a valid one, rows taken
    over from the release before, and rows put aside.
    """

    kind: CatalogKind
    rows: int
    merged: int
    superseded: int
    taken_over: int
    quarantined: tuple[Quarantined, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do; `folder` is None where nothing was written."""

    files: tuple[FileReport, ...]
    tables: tuple[TableReport, ...]
    notes: tuple[str, ...]
    folder: Path | None


def import_books(
    root: Path,
    files: Sequence[FileToRead],
    about: About | None,
    *,
    base: str | None = None,
    only_newer: bool = False,
    progress: Progress = nobody_watches,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Make the release `about` under `root`/unified from files, and from the release before (`base`, else the newest).

    Without `about` everything is read and checked and nothing is written. With `only_newer` the files hold what changed
    since the release before: its other entries stay. Raises CatalogFaults with the faults of all files.
    """
    unified = root / "unified"
    with TemporaryDirectory() as name:
        folder = Path(name)
        faults = FaultList()
        run = Run(faults, progress, limits)
        read = [_read(one, run, folder / str(number)) for number, one in enumerate(files)]
        spools = _one_each(read, faults)
        faults.stop_if_any("the import")
        before = _before(unified, base, spools) if only_newer else None
        for kind, (file, spool) in spools.items():
            known = {} if before is None else before.books.get(kind, {})
            check_parents(spool, name=file.path.name, known=known, faults=faults)
            _check_references(unified, base, kind, spools, faults)
        faults.stop_if_any("the import")
        reports = tuple(
            FileReport(one.path.name, found.described, found.rows) for one, found in zip(files, read, strict=True)
        )
        notes = tuple(
            f"{one.path.name} was checked; the hub keeps no book of {one.layout.title}"
            for one in files
            if one.layout is not None and one.layout.kind is None
        )
        if about is None:
            tables = {kind: _finished(spool, folder, kind, before) for kind, (_, spool) in spools.items()}
            return ImportReport(reports, _tables(tables), notes, None)
        if not spools:
            raise NotAllowed("no_book", "none of the files holds a book that the hub keeps: only --dry-run reads them")
        base_name, values = newest(unified, "release.toml", name=base)
        check_later(about, base_name, values)
        with staged(unified, about) as made:
            tables = {kind: _finished(spool, made, kind, before) for kind, (_, spool) in spools.items()}
            gathered = {kind for kind, (file, _) in spools.items() if file.gather}
            descriptor = _descriptor(values, base_name, tables, about, gathered)
            write_descriptor(made / "release.toml", descriptor)
            _load_as_it_will_be(made, unified, tables)
        return ImportReport(reports, _tables(tables), notes, unified / about.release)


def _read(one: FileToRead, run: Run, folder: Path) -> BookFile:
    folder.mkdir()
    return read_book_file(one, run, folder=folder)


def _one_each(read: Sequence[BookFile], faults: FaultList) -> dict[CatalogKind, tuple[FileToRead, Spool]]:
    """The spool of each kind; two files of one kind are refused, since nothing says which comes first."""
    spools: dict[CatalogKind, tuple[FileToRead, Spool]] = {}
    for found in read:
        for kind, spool in found.spools.items():
            if kind in spools:
                message = f"holds rows of {kind}, as {spools[kind][0].path.name} does: import one after the other"
                faults.add(found.file.path.name, "kind_twice", message)
            spools[kind] = (found.file, spool)
    return spools


def _check_references(
    unified: Path,
    base: str | None,
    kind: CatalogKind,
    spools: Mapping[CatalogKind, tuple[FileToRead, Spool]],
    faults: FaultList,
) -> None:
    """Codes of other books that a table names are in the file beside it, or else in the release before."""
    file, spool = spools[kind]
    for column, other in BOOKS[kind].refers.items():
        if other in spools:
            known: Callable[[str], bool] = spools[other][1].has
        else:
            known = _before(unified, base, {other}).books.get(other, {}).__contains__
        check_references(spool, name=file.path.name, column=column, other=other, known=known, faults=faults)


def _before(unified: Path, base: str | None, kinds: Collection[CatalogKind]) -> UnifiedRelease:
    name, _ = newest(unified, "release.toml", name=base)
    return load_unified(unified / name, kinds=kinds)


def _finished(spool: Spool, folder: Path, kind: CatalogKind, before: UnifiedRelease | None) -> Spooled:
    older: Iterator[Mapping[str, str]] = iter(())
    if before is not None:
        older = (as_row(entry) for entry in before.books.get(kind, {}).values())
    return spool.finish(folder / f"{kind.value}.csv", older=older)


def _tables(spooled: Mapping[CatalogKind, Spooled]) -> tuple[TableReport, ...]:
    return tuple(
        TableReport(kind, one.rows, one.merged, one.superseded, one.added, one.quarantined)
        for kind, one in spooled.items()
    )


def _descriptor(
    values: Mapping[str, Any],
    base: str,
    tables: Mapping[CatalogKind, Spooled],
    about: About,
    gathered: set[CatalogKind],
) -> dict[str, object]:
    """The new release's descriptor: its own tables, and for every other kind the file of the release before."""
    sections: list[dict[str, object]] = []
    left = dict(tables)
    for section in values["file"]:
        kind = CatalogKind(section["kind"])
        new = left.pop(kind, None)
        if new is None:
            taken = {"kind": section["kind"], "from": section.get("from", base)}
            sections.append({**taken, **{key: value for key, value in section.items() if key not in taken}})
        else:
            sections.append(_section(kind, new, about, gathered))
    sections.extend(_section(kind, new, about, gathered) for kind, new in left.items())
    return {
        "release": about.release,
        "valid_from": about.valid_from,
        "about": f"imported: {', '.join(kind.value for kind in tables)}; all else as in {base}",
        "file": sections,
    }


def _section(kind: CatalogKind, table: Spooled, about: About, gathered: set[CatalogKind]) -> dict[str, object]:
    repeated = "gathered" if kind in gathered else "refused"
    return {"kind": kind.value, "repeated_codes": repeated, **described(table, about)}


def _load_as_it_will_be(made: Path, unified: Path, kinds: Collection[CatalogKind]) -> None:
    """Load the new books by the loader itself, with those they refer to; the others have not changed."""
    referred = {other for kind in kinds for other in BOOKS[kind].refers.values()}
    load_unified(made, root=unified, kinds={*kinds, *referred})
