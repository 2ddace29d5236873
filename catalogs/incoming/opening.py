"""Finds out what a file is by its first bytes, and opens it for reading.

Knows the ways of reading. Must not know columns.
Rule: the name of a file proves nothing, and what cannot be told is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from catalogs.faults import CatalogFaults, FaultList
from catalogs.incoming.archives import is_archive, only_table
from catalogs.incoming.reading import LIMITS, Limits, Reader
from catalogs.incoming.text_files import ENCODINGS, TextFile
from catalogs.incoming.workbooks import Workbook
from hub.core.errors import NotAllowed

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


@contextmanager
def opened_table(
    path: Path, *, tabs: bool, encoding: str | None = None, sheet: str | None = None, limits: Limits = LIMITS
) -> Iterator[Reader]:
    """A table in a CSV, a workbook, or a ZIP with one table; `tabs` for the national files, whose cells tabs part.

    Raises CatalogFaults, with the file named, for what cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise NotAllowed("file_too_large", f"has {size} bytes: {limits.file_bytes} are the most")
        if encoding is not None and encoding not in ENCODINGS:
            raise NotAllowed("encoding", f"{encoding!r} is not one of {', '.join(ENCODINGS)}")
        if not is_archive(path):
            yield _plain(path, path.name, tabs=tabs, encoding=encoding, limits=limits)
        elif _looks_like_workbook(path):
            if tabs:
                raise NotAllowed("not_text", "is a workbook: the national files are text with tabs")
            yield Workbook.open(path, name=path.name, sheet=sheet, limits=limits)
        else:
            with only_table(path, limits=limits) as (table, name):
                inside = f"{path.name}/{name}"
                yield _plain(table, inside, tabs=tabs, encoding=encoding, limits=limits)
    except CatalogFaults:
        raise
    except NotAllowed as error:
        faults = FaultList()
        faults.add(path.name, error.code, error.message)
        faults.stop_if_any(path.name)


def _plain(path: Path, name: str, *, tabs: bool, encoding: str | None, limits: Limits) -> TextFile:
    with path.open("rb") as stream:
        if stream.read(4) == _OLD_WORKBOOK:
            raise NotAllowed("workbook_old", "is an old workbook (.xls): save it as .xlsx or CSV")
    return TextFile.open(path, name=name, separator="\t" if tabs else ",", encoding=encoding, limits=limits)


def _looks_like_workbook(path: Path) -> bool:
    """Whether an archive has a workbook's table of contents; `Workbook.open` looks it over before anything is read."""
    try:
        with ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except Exception as error:
        raise NotAllowed("archive_damaged", f"is a damaged archive ({type(error).__name__}): fetch it again") from error
