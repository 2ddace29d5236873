"""Takes the one table out of a ZIP, and looks a workbook over before anything parses it.

Knows what an archive may try: paths that lead out, links, members that unfold to gigabytes, markup with entities.
Must not know rows. Source: engineering guide section 8, rows 21 to 23: refused before unpacking.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from catalogs.incoming.reading import LIMITS, Limits
from hub.core.errors import NotAllowed

TABLES = (".txt", ".csv")
_CHUNK = 1 << 20
_SMALL_BYTES = 1 << 20
"""Below this a member's compression says nothing: a few equal rows pack very well."""


def is_archive(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def opened(path: Path, *, limits: Limits = LIMITS) -> Iterator[zipfile.ZipFile]:
    """An archive whose list of members is harmless. Raises NotAllowed for one that is not."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, limits)
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        raise NotAllowed("archive_damaged", f"is a damaged archive ({error}): fetch it again") from error


def _check_members(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    if len(members) > limits.members:
        raise NotAllowed("archive_members", f"holds {len(members)} files: {limits.members} are the most")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise NotAllowed("archive_twice", "holds two files of one name: which one is meant cannot be known")
    for member in members:
        _check_name(member)
        if member.flag_bits & 0x1:
            raise NotAllowed("archive_locked", f"holds {member.filename!r} under a password: send it without")
        packed, whole = max(member.compress_size, 1), member.file_size
        if whole > _SMALL_BYTES and whole > packed * limits.times_packed:
            message = f"holds {member.filename!r}, which unfolds to {whole // packed} times its size"
            raise NotAllowed("archive_bomb", message)
    if sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise NotAllowed("archive_bomb", f"unfolds to more than {limits.unpacked_bytes // _SMALL_BYTES} MiB")


def _check_name(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = PurePosixPath(name).parts
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts or not name.isprintable():
        raise NotAllowed("archive_path", f"holds {name[:80]!r}, a path that leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise NotAllowed("archive_link", f"holds {name[:80]!r}, which is a link and no file")


@contextmanager
def only_table(path: Path, *, limits: Limits = LIMITS) -> Iterator[tuple[Path, str]]:
    """The one .txt or .csv of an archive, unpacked to a folder that goes away again, and its name in the archive.

    Raises NotAllowed where there is none or where there are several, and where it unfolds to more than it declares.
    """
    with opened(path, limits=limits) as archive, TemporaryDirectory() as folder:
        tables = [member for member in archive.infolist() if member.filename.lower().endswith(TABLES)]
        if len(tables) != 1:
            found = ", ".join(member.filename for member in tables[:5]) or "none"
            raise NotAllowed("archive_tables", f"must hold one .txt or .csv file, but holds {found}")
        target = Path(folder) / f"table{tables[0].filename[-4:].lower()}"
        _unpack(archive, tables[0], target)
        yield target, PurePosixPath(tables[0].filename).name


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    left = member.file_size
    with archive.open(member) as packed, target.open("wb") as out:
        while chunk := packed.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise NotAllowed("archive_bomb", f"{member.filename!r} unfolds to more than the archive declares")
            out.write(chunk)


def check_workbook(path: Path, *, limits: Limits = LIMITS) -> None:
    """Refuse a workbook that is none, that is too large inside, or whose parts declare entities."""
    with opened(path, limits=limits) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" not in names:
            raise NotAllowed("workbook", "is an archive but no workbook (.xlsx)")
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise NotAllowed("workbook_macros", "holds macros: save it as .xlsx")
        for member in archive.infolist():
            if member.filename.endswith("sharedStrings.xml") and member.file_size > limits.shared_text_bytes:
                raise NotAllowed("archive_bomb", "holds more text than a workbook here may: send it as CSV")
            if member.filename.endswith((".xml", ".rels")):
                _check_markup(archive, member)


def _check_markup(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """The head of a part, where a document type would stand, is plain UTF-8 markup without one."""
    with archive.open(member) as part:
        head = part.read(4096)
    if b"<!" in head.replace(b"<!--", b"") or b"\0" in head:
        raise NotAllowed("workbook_markup", f"declares entities or another encoding in {member.filename!r}")
