"""Makes a release folder beside the others: written apart, checked as a whole by the loader, then moved into place.

Knows folders, names of releases and descriptors taken over from an older release. Must not know rows.
Rule: a release folder never changes and never appears half; whole or not at all.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from catalogs.incoming.spool import Spooled
from catalogs.incoming.toml_text import toml_text
from hub.core.errors import Conflict, NotAllowed

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class About:
    """What must be said of a new release: its name and first day, and where its tables come from."""

    release: str
    valid_from: date
    source: str
    version: str
    licence: str
    known_defects: str = "none known"


@contextmanager
def staged(parent: Path, about: About) -> Iterator[Path]:
    """A folder of the release's name to fill, in a place where no loader looks; moved beside the other releases when
    the block ends well, thrown away when it does not.

    Raises Conflict where a release of that name is there, NotAllowed for a name that no release may bear.
    """
    if not _NAME.fullmatch(about.release):
        message = f"{about.release[:40]!r} is no name of a release: letters, digits, '-' and '_', 32 at most"
        raise NotAllowed("release_name", message)
    there = Conflict(
        "release_exists",
        f"{parent.name}/{about.release} is there already: a release never changes, take another name",
    )
    if (parent / about.release).exists():
        raise there
    try:
        parent.mkdir(parents=True, exist_ok=True)
        waiting = Path(mkdtemp(prefix=".importing-", dir=parent))
    except OSError as error:
        raise NotAllowed("folder_closed", f"{parent.name} cannot be written ({error.strerror})") from error
    try:
        # The loader reads names from the folders above, so they are as they will be.
        folder = waiting / parent.name / about.release
        folder.mkdir(parents=True)
        yield folder
        try:
            folder.rename(parent / about.release)
        except OSError as error:
            raise there from error
    finally:
        shutil.rmtree(waiting)


def newest(parent: Path, descriptor: str, *, name: str | None = None) -> tuple[str, dict[str, Any]]:
    """The release to start from, the named one or else the one that begins last, and its descriptor.

    Raises NotAllowed where there is none.
    """
    found = []
    for path in parent.glob(f"*/{descriptor}"):
        if name in (None, path.parent.name):
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            found.append((str(values.get("valid_from", "")), path.parent.name, values))
    if not found:
        wanted = "any release" if name is None else repr(name)
        raise NotAllowed("base_missing", f"{parent.name} has no release to start from ({wanted} was looked for)")
    _, release, values = max(found, key=lambda one: one[:2])
    return release, values


def check_later(about: About, base: str, values: Mapping[str, Any]) -> None:
    """A new release begins, and is named, after the one it starts from: versions are compared by name."""
    if about.valid_from <= values["valid_from"] or about.release <= base:
        message = (
            f"{about.release!r} of {about.valid_from} does not come after {base!r} of {values['valid_from']}: give a "
            "later day and a name that sorts after it, like 2026-12"
        )
        raise NotAllowed("release_order", message)


def described(spooled: Spooled, about: About) -> dict[str, object]:
    """What the descriptor says of a table: its sum, its source, and the rows put aside."""
    said: dict[str, object] = {
        "name": spooled.path.name,
        "sha256": spooled.sha256,
        "rows": spooled.rows,
        "source": about.source,
        "version": about.version,
        "licence": about.licence,
        "known_defects": about.known_defects,
    }
    if spooled.quarantined:
        because = spooled.quarantined[0].because
        code = spooled.columns[0]
        said["quarantine"] = [{"column": code, "values": list(spooled.quarantined_codes), "because": because}]
    return said


def write_descriptor(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(toml_text(values), encoding="utf-8")
