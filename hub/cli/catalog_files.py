"""Catalogs from files and to files: `hub catalogs import`, `export` and `download`; none of them needs a database.

Knows options, the progress on a terminal and what to say at the end. Must not know columns, checks or releases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.inspect import catalogs
from hub.core.codes import CatalogKind, Region

if TYPE_CHECKING:
    # What the commands need is read when one of them runs: `hub --help` stays quick.
    from catalogs.incoming.importing import ImportReport
    from catalogs.incoming.staging import About
    from catalogs.load import Catalogs
    from catalogs.outgoing.sheets import Sheet
    from catalogs.regional import RegionRelease
    from catalogs.unified import UnifiedRelease

_Release = TypeVar("_Release", "UnifiedRelease", "RegionRelease")

KINDS = click.Choice([kind.value for kind in CatalogKind])
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
TARGET = click.Path(dir_okay=False, path_type=Path)
DAY = click.DateTime(formats=["%Y-%m-%d"])
MOST_NAMED = 20
ONLY_CHECKED = {"1304", "1317"}
"""Rows of queries that the hub keeps nowhere."""

folder_option = click.option(
    "--catalogs", "root", type=FOLDER, help="The folder with unified/, regions/ and mappings/ [the shipped one]."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx", "zip"]), help="What to write [by the end of the name]."
)


def register(group: click.Group) -> None:
    for found in (import_files, export, download):
        catalogs.add_command(found)
    group.add_command(catalogs)


# --- import -------------------------------------------------------------------------------------------------------


@catalogs.command("import")
@click.argument("files", metavar="AS=FILE...", nargs=-1, required=True)
@click.option("--release", help="Name of the new release; sorts after the one before, like 2026-12.")
@click.option("--from", "valid_from", type=DAY, help="Its first day.")
@click.option("--source", help="Where the files come from.")
@click.option("--edition", "version", help="Which edition of the source it is.")
@click.option("--licence", help="Under which licence; 'none' where it has none.")
@click.option("--known-defects", default="none known", show_default=True)
@click.option("--base", help="The release to start from [the newest].")
@click.option("--only-newer", is_flag=True, help="The files hold only what changed since the release before.")
@click.option("--gather", is_flag=True, help="Several rows of one code are names of one entry.")
@click.option("--region", help="The region whose terms or mapping the files are.")
@click.option("--kind", type=KINDS, help="The kind of the region's terms or mapping.")
@click.option("--adopt", type=DAY, help="From this day the region uses the unified codes; its own end the day before.")
@click.option("--unified", default="", help="The unified release that the region goes over to [the one it has].")
@click.option("--mapping", "mapping_name", default="", help="Name of the mapping, a folder below mappings/.")
@click.option("--map", "renamed", multiple=True, metavar="THEIRS=OURS", help="A heading called otherwise; repeatable.")
@click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]), help="Of text files, where it cannot be told.")
@click.option("--sheet", help="Of workbooks with several.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@folder_option
def import_files(
    *, files: tuple[str, ...], renamed: tuple[str, ...], encoding: str | None, sheet: str | None, **said: Any
) -> None:
    """Bring files into a new release, whole or not at all.

    AS says what a FILE is. A national catalog file: 1301 to 1315, 1320, 1321 (text with tabs, bare or in a ZIP). A
    table in our own columns: drug, service, institution ... (CSV or XLSX). With --region: terms, mapping, or rows of
    1312 with 1316, 1318 and 1319. Every fault is named with file, row and column; codes that stand twice with different
    content are put aside and named.
    """
    reading = {"encoding": encoding, "sheet": sheet, "renamed": dict(_pair(one, "--map") for one in renamed)}
    given = [_given(one) for one in files]
    about = None if said["dry_run"] else _about(said)
    with watched("Reading") as progress:
        wanted = _Wanted(_folder(said["root"]), about, progress, said)
        if {form for form, _ in given} <= ONLY_CHECKED:
            read = _check_queries
        else:
            read = _import_books if said["region"] is None else _import_region
        report = read(wanted, given, reading)
    _say(report, shipped=said["root"] is None)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the command line says of an import; `about` is None for a dry run."""

    root: Path
    about: About | None
    progress: Callable[[int, int], None]
    said: dict[str, Any]


def _import_books(wanted: _Wanted, given: Sequence[tuple[str, Path]], reading: dict[str, Any]) -> ImportReport:
    from catalogs.incoming.book_files import FileToRead
    from catalogs.incoming.importing import import_books
    from catalogs.incoming.national import FILE_LAYOUTS

    files = []
    for name, path in given:
        layout = FILE_LAYOUTS.get(name.upper())
        if layout is None and name not in set(CatalogKind):
            known = ", ".join([*FILE_LAYOUTS, *CatalogKind])
            raise click.UsageError(f"{name!r} is none of {known}; with --region: terms, mapping, 1312 and the like")
        kind = layout.kind if layout is not None else CatalogKind(name)
        files.append(FileToRead(path, kind, layout, gather=wanted.said["gather"], **reading))
    return import_books(
        wanted.root,
        files,
        wanted.about,
        base=wanted.said["base"],
        only_newer=wanted.said["only_newer"],
        progress=wanted.progress,
    )


def _import_region(wanted: _Wanted, given: Sequence[tuple[str, Path]], reading: dict[str, Any]) -> ImportReport:
    from catalogs.incoming import region_import
    from catalogs.incoming.national import ROW_FORMS

    said = wanted.said
    if said["kind"] is None:
        raise click.UsageError("say with --kind which codes these are")
    adopt: datetime | None = said["adopt"]
    of = region_import.RegionWanted(
        Region(said["region"]),
        CatalogKind(said["kind"]),
        adopt=None if adopt is None else adopt.date(),
        mapping=said["mapping_name"],
        unified=said["unified"],
    )
    files = [region_import.RegionFile(path, form, **reading) for form, path in given]
    forms = {one.form for one in files}
    known = {region_import.TERMS, region_import.MAPPING, *ROW_FORMS}
    if not forms <= known:
        raise click.UsageError(f"with --region a file is one of {', '.join(sorted(known))}")
    if forms == {region_import.MAPPING}:
        if len(files) > 1 or not of.mapping:
            raise click.UsageError("give one mapping file, and say with --mapping which mapping it is a release of")
        return region_import.import_mapping(wanted.root, files[0], of, wanted.about, progress=wanted.progress)
    return region_import.import_terms(wanted.root, files, of, wanted.about, base=said["base"], progress=wanted.progress)


def _check_queries(wanted: _Wanted, given: Sequence[tuple[str, Path]], reading: dict[str, Any]) -> ImportReport:
    from catalogs.incoming.region_import import RegionFile, check_queries

    if wanted.about is not None:
        forms = ", ".join(form for form, _ in given)
        raise click.UsageError(f"the hub keeps no rows of {forms}: --dry-run checks them")
    return check_queries([RegionFile(path, form, **reading) for form, path in given], progress=wanted.progress)


def _folder(root: Path | None) -> Path:
    """The folder of catalogs that the command line names, else the one that ships with the hub."""
    from catalogs.load import ROOT

    return root or ROOT


def _given(text: str) -> tuple[str, Path]:
    name, file = _pair(text, "AS=FILE")
    path = Path(file)
    if not path.is_file():
        raise click.UsageError(f"there is no file {file!r}")
    return name, path


def _pair(text: str, what: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left:
        raise click.UsageError(f"{text!r} is not of the form {what}")
    return left, right


def _about(said: dict[str, Any]) -> About:
    missing = [
        option
        for option, key in (
            ("--release", "release"),
            ("--from", "valid_from"),
            ("--source", "source"),
            ("--edition", "version"),
            ("--licence", "licence"),
        )
        if not said[key]
    ]
    if missing:
        raise click.UsageError(f"a release says what it is: give {', '.join(missing)}, or --dry-run")
    from catalogs.incoming.staging import About

    return About(
        release=said["release"],
        valid_from=said["valid_from"].date(),
        source=said["source"],
        version=said["version"],
        licence=said["licence"],
        known_defects=said["known_defects"],
    )


def _say(report: ImportReport, *, shipped: bool) -> None:
    for file in report.files:
        click.echo(f"{file.name}: {file.rows:,} rows ({file.described})")
    for table in report.tables:
        parts = [f"{table.rows:,} rows"]
        parts += [f"{table.merged:,} that said the same again are left out"] if table.merged else []
        parts += [f"{table.superseded:,} no longer valid beside a valid one are left out"] if table.superseded else []
        parts += [f"{table.taken_over:,} of them from the release before"] if table.taken_over else []
        click.echo(f"{table.kind}: {'; '.join(parts)}")
        if table.quarantined:
            codes = len({one.code for one in table.quarantined})
            click.echo(f"{table.kind}: {codes:,} codes are put aside, {table.quarantined[0].because}:")
        for one in table.quarantined[:MOST_NAMED]:
            click.echo(f"  row {one.line}: {one.code}")
        if len(table.quarantined) > MOST_NAMED:
            click.echo(
                f"  and {len(table.quarantined) - MOST_NAMED:,} more; all codes stand in the release's descriptor"
            )
    for note in report.notes:
        click.echo(note)
    if report.folder is None:
        click.echo("Nothing is wrong, and nothing was written.")
    else:
        loaded = " `hub migrate` loads it." if shipped else ""
        click.echo(f"{report.folder.parent.name}/{report.folder.name} is made.{loaded}")


# --- export and download ------------------------------------------------------------------------------------------


@catalogs.command()
@click.option("--kind", required=True, type=KINDS)
@click.option("--region", help="A region's catalog [the unified code books].")
@click.option("--release", help="Which release [the one that begins last].")
@click.option("--mapping", is_flag=True, help="The region's mapping instead of its terms.")
@click.option("--as", "number", type=click.Choice(["1312", "1318", "1319"]), help="A region's terms as these rows.")
@click.option("--out", required=True, type=TARGET)
@format_option
@folder_option
def export(
    *,
    kind: str,
    region: str | None,
    release: str | None,
    mapping: bool,
    number: str | None,
    out: Path,
    form: str | None,
    root: Path | None,
) -> None:
    """Write a book of a release, or a region's terms or mapping; CSV and XLSX can be imported again.

    A ZIP holds the positional form: the national file of the kind, or with --as the rows of that query.
    """
    from catalogs.load import load_all, load_unified_releases
    from catalogs.outgoing import contents
    from catalogs.unified import NO_VERSION

    form = form or _form_of(out)
    wanted = CatalogKind(kind)
    if region is None:
        if mapping or number:
            raise click.UsageError("--mapping and --as are of a region: give --region")
        books = load_unified_releases(_folder(root), kinds={wanted})
        book = _chosen(books, release, "unified release")
        if form == "zip":
            changed = contents.newer_than(books[: books.index(book) + 1], wanted, NO_VERSION)
            _write_positions(out, *contents.positions(book, wanted, changed), version=book.version)
        else:
            _write_sheet(contents.whole_book(book, wanted), form, out)
        return
    loaded = load_all(_folder(root))
    found = _chosen([one for one in loaded.regions if one.region.code == region], release, f"catalog of {region}")
    unified = next(one for one in loaded.unified_releases if one.release == found.unified_release)
    if form == "zip":
        if number is None or mapping:
            raise click.UsageError("as a ZIP a region's terms are rows of a query: say which with --as")
        _write_positions(out, number, contents.query_rows(found, unified, wanted, number), version=found.release)
    elif mapping:
        _write_sheet(_mapping_of(loaded, found, wanted), form, out)
    else:
        _write_sheet(contents.region_terms(found, unified, wanted), form, out)


@catalogs.command()
@click.option("--kind", required=True, type=KINDS)
@click.option("--since", default="v0000", show_default=True, help="The version that is held already.")
@click.option("--out", required=True, type=TARGET)
@format_option
@folder_option
def download(*, kind: str, since: str, out: Path, form: str | None, root: Path | None) -> None:
    """Write what a hospital does not have yet: entries newer than its version, and those struck off since.

    As a ZIP in the layout of the national file of the kind; as CSV or XLSX with valid_flag and national_version.
    """
    from catalogs.load import load_unified_releases
    from catalogs.outgoing import contents

    form = form or _form_of(out)
    wanted = CatalogKind(kind)
    books = load_unified_releases(_folder(root), kinds={wanted})
    newest = books[-1]
    changed = contents.newer_than(books, wanted, since)
    if not changed:
        click.echo(f"Nothing is newer than {since}; the newest version is {newest.version}. Nothing was written.")
        return
    if form == "zip":
        _write_positions(out, *contents.positions(newest, wanted, changed), version=newest.version)
    else:
        _write_sheet(contents.changed_rows(wanted, changed), form, out)
    gone = sum(not one.stands for one in changed)
    click.echo(f"Whoever holds these holds {newest.version}; {gone:,} of them are struck off.")


def _chosen(found: Sequence[_Release], release: str | None, what: str) -> _Release:
    named = [one for one in found if release in (None, one.release)]
    if not named:
        known = ", ".join(one.release for one in found) or "none"
        raise click.UsageError(f"there is no {what} {release or ''}: there is {known}")
    return named[-1]


def _mapping_of(loaded: Catalogs, found: RegionRelease, kind: CatalogKind) -> Sheet:
    from catalogs.outgoing.contents import mapping_rows

    unified = next(one for one in loaded.unified_releases if one.release == found.unified_release)
    for one in found.mapping_releases:
        if one.kind is kind:
            return mapping_rows(one, unified)
    raise click.UsageError(f"the catalog {found.release} of {found.region} maps no {kind}")


def _form_of(out: Path) -> str:
    form = out.suffix.lower().lstrip(".")
    if form not in {"csv", "xlsx", "zip"}:
        raise click.UsageError("say with --format what to write, or end the name in .csv, .xlsx or .zip")
    return form


def _write_sheet(sheet: Sheet, form: str, out: Path) -> None:
    from catalogs.outgoing import writing

    write = writing.write_xlsx if form == "xlsx" else writing.write_csv
    with watched("Writing") as progress:
        rows = write(sheet, out, written=lambda count: progress(count, 0))
    click.echo(f"{out.name}: {rows:,} rows")


def _write_positions(out: Path, number: str, rows: Iterator[list[str]], *, version: str) -> None:
    from catalogs.outgoing.writing import write_positions

    member = f"{number}_{version}.txt"
    with watched("Writing") as progress:
        count = write_positions(rows, out, member=member, written=lambda done: progress(done, 0))
    click.echo(f"{out.name}: {count:,} rows in the layout of {number}")


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere; hears how much of how much is done, 0 for an unknown whole."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole or None)
