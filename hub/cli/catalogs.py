"""Mapping a region's catalog from files: `hub catalogs suggest` needs no database and no service.

Knows options, the progress on a terminal and what to say at the end. Must not know how a suggestion is made.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import click

from hub.cli.inspect import catalogs

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MOST_NAMED = 5


def register(group: click.Group) -> None:
    catalogs.add_command(suggest)
    group.add_command(catalogs)


@catalogs.command()
@click.option("--candidates", required=True, type=FILE, help="CSV of the code set to answer from: code, name, ...")
@click.option("--learn", type=FILE, help="CSV of decided mappings: source columns, target_code and/or target_name.")
@click.option("--queries", required=True, type=FILE, help="CSV of rows to find codes for: id, name, code, ...")
@click.option("--top", default=50, show_default=True, type=click.IntRange(1, 200), help="Suggestions for each row.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="CSV to write.")
@click.option("--map", "renamed", multiple=True, metavar="THEIRS=OURS", help="A column called otherwise; repeatable.")
def suggest(
    *, candidates: Path, learn: Path | None, queries: Path, top: int, out: Path, renamed: tuple[str, ...]
) -> None:
    """Propose codes for the rows of a region's catalog, ranked, each with the probability that it is right."""
    from hub.suggest.engine import Suggester
    from hub.suggest.files import read_candidates, read_queries, read_training, write_suggestions

    columns = _renamed(renamed)
    targets = read_candidates(candidates, renamed=columns)
    asked = read_queries(queries, renamed=columns)
    training = None if learn is None else read_training(learn, targets, renamed=columns)
    if training is not None and training.lost:
        click.echo(f"{len(training.lost)} decided rows name a target that is no candidate:", err=True)
        for where in training.lost[:MOST_NAMED]:
            click.echo(f"  {where}", err=True)
    began = time.perf_counter()
    suggester = Suggester(targets, None if training is None else training.decided, known=known_names())
    built = time.perf_counter()
    shown = sys.stderr.isatty()
    with click.progressbar(length=len(asked), label="Suggesting", file=sys.stderr, hidden=not shown) as bar:
        ranking = suggester.rank(asked, top=top, progress=bar.update)
    ended = time.perf_counter()
    write_suggestions(out, asked, targets, ranking)
    learnt = "" if training is None else f", learnt from {len(training.decided):,} decided rows"
    click.echo(
        f"{len(asked):,} rows answered from {len(targets):,} candidates in {ended - built:.1f} s"
        f" ({len(asked) / max(ended - built, 1e-9):,.0f} a second); made ready{learnt} in {built - began:.1f} s",
        err=True,
    )


def known_names() -> dict[str, str]:
    """The names that the shipped diagnoses know without accepting them (headings, gray codes), with their codes."""
    from catalogs.load import ROOT
    from hub.suggest.text import core, normalise

    newest = max((ROOT / "unified").glob("*/diagnoses.csv"), default=None)
    if newest is None:
        return {}
    with newest.open(encoding="utf-8", newline="") as lines:
        return {
            core(normalise(row["name"])): row["code"]
            for row in csv.DictReader(lines)
            if row["status"] in ("gray", "heading")
        }


def _renamed(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        theirs, sign, ours = (part.strip() for part in pair.partition("="))
        if not (theirs and sign and ours):
            raise click.BadParameter(f"`{pair}` is not THEIRS=OURS, as in source_name=name", param_hint="--map")
        found[theirs] = ours
    return found
