"""Deciding bills from files, and looking at policies, without a database.

Knows arguments, lines of JSON and what to print. Must not know rules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import click

from adapters.policy_folder import load_policy
from adapters.registry import load_policies
from hub.core.adjudication import decide as decide_one
from hub.core.codes import Region
from hub.core.errors import HubError, NotAllowed
from hub.core.plan import PlanBook
from hub.deciding.reading import EXAMPLE, read_bill
from hub.deciding.words import explain_policy
from hub.deciding.writing import write_answer, write_fault


def register(group: click.Group) -> None:
    group.add_command(decide)
    group.add_command(policy)


@click.command()
@click.option("--example", is_flag=True, help="Print one bill as it may be sent, and stop.")
@click.option(
    "--policy-folder",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A region's folder with a policy.toml that takes the place of the shipped one; may be repeated.",
)
@click.option(
    "--bulk",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table (.csv or .parquet) with one bill a row, decided by the bulk engine; needs --out.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the table of answers goes.")
def decide(*, example: bool, folders: tuple[Path, ...], bulk: Path | None, out: Path | None) -> None:
    r"""Decide bills without a database: one JSON object a line in, one a line out, in the same order.

    \b
    In    region, care_region (or place), admitted_on (or service_date), discharged_on,
          registration (long_term, temporary, referred, emergency, unregistered),
          referral (none, up, down), level (1 to 3), care (inpatient, special_outpatient ...),
          insurance_type (310, 390), group, membership_years, disease, by_disease, paid_first,
          insured_since, lines (class, amount, over_limit, first_self_pay) or amounts
          (full_self_pay, over_limit, first_self_pay, in_policy), year_to_date
          (admissions by level, paid_by_fund, accumulated by layer). Amounts are yuan.
    Out   id with decision (shares, cash, hospital_borne, adds_to_year, steps),
          or refusal (code, detail, words), or error (every faulty field).

    A table has the same fields as columns, without lines: the four parts of amounts, and
    admissions_<level>, paid_<fund>, accumulated_<layer>, paid_first_<source>.

    Exit status 1 where any line had an error; a refusal is an answer.
    """
    if example:
        click.echo(json.dumps(EXAMPLE, ensure_ascii=False))
        return
    books = _books(folders)
    if bulk is not None:
        _decide_table(bulk, out, books)
        return
    wrong = 0
    for answer in _answers(sys.stdin, books):
        wrong += "error" in answer
        click.echo(json.dumps(answer, ensure_ascii=False))
    if wrong:
        click.echo(f"{wrong} lines had errors", err=True)
        sys.exit(1)


def _decide_table(table: Path, out: Path | None, books: Mapping[Region, PlanBook]) -> None:
    """Decide a whole table, or nothing where any cell is faulty."""
    from hub.bulk.engine import BulkEngine
    from hub.deciding.tables import read_table, write_table

    if out is None:
        raise click.UsageError("say with --out where the answers go, to a .csv or a .parquet")
    frame, bills = read_table(table)
    unknown = sorted({one.insuring_region.code for one in bills.facts} - {region.code for region in books})
    if unknown:
        raise NotAllowed("region_unknown", f"no policy is loaded of: {', '.join(unknown)}")
    decided = BulkEngine(books.__getitem__).decide(bills)
    write_table(out, frame, decided)
    refused = int((decided.refused >= 0).sum())
    click.echo(f"{len(frame)} bills, {refused} refused, answers in {out.name}", err=True)


def _books(folders: Iterable[Path]) -> Mapping[Region, PlanBook]:
    policies = load_policies()
    for folder in folders:
        draft = load_policy(folder)
        policies[draft.region] = draft
    return {region: PlanBook(found) for region, found in policies.items()}


def _answers(lines: TextIO, books: Mapping[Region, PlanBook]) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _answer(line, number, books)


def _answer(line: str, number: int, books: Mapping[Region, PlanBook]) -> Mapping[str, object]:
    bill_id = f"line {number}"
    try:
        document = json.loads(line, parse_float=Decimal)
        if not isinstance(document, dict):
            raise NotAllowed("object_expected", f"line {number} is not a JSON object")
        bill_id = str(document.get("id", bill_id))
        request = read_bill(document)
        book = books.get(request.insuring_region)
        if book is None:
            known = ", ".join(sorted(region.code for region in books))
            raise NotAllowed("region_unknown", f"no policy of {request.insuring_region} is loaded; there are: {known}")
        return write_answer(bill_id, decide_one(book.plan(on=request.discharged_on), request))
    except ValueError as wrong:
        return write_fault(bill_id, NotAllowed("json_malformed", f"line {number} is not JSON: {wrong}"))
    except HubError as wrong:
        return write_fault(bill_id, wrong)


@click.group()
def policy() -> None:
    """Check a policy file, or read what a region's policy says on a day."""


@policy.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check a policy.toml: every fault with its key, or one line that says what it holds."""
    found = load_policy(file.parent) if file.name == "policy.toml" else None
    if found is None:
        raise click.UsageError("the file of a region's policy is called policy.toml")
    layers = ", ".join(layer.name for layer in found.layers)
    click.echo(
        f"{found.label} {found.name}: {len(found.layers)} layers ({layers}), {len(found.changes())} days of change"
    )


@policy.command("explain")
@click.argument("region")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day.")
def explain(region: str, day: datetime) -> None:
    """Say in words what holds for a region on a day, each figure with its article and since when."""
    policies = load_policies()
    found = policies.get(Region(region))
    if found is None:
        raise NotAllowed(
            "region_unknown", f"no policy of {region}; there are: {', '.join(one.code for one in policies)}"
        )
    click.echo(explain_policy(found, on=day.date()))
