"""What the demonstration shows at the end: who owes whom, what became of each special bill, what holds.

Knows tables and words. Must not know where the figures come from: all are given, and nothing is computed but sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hub.core.codes import Region
from hub.core.money import ZERO, Money, total, yuan
from hub.demo.stage import Login
from hub.demo.world import REGION_NAMES

INSURANCE_TYPES = {"310": "employees (职工 310)", "390": "residents (居民 390)"}
METHODS = {"bilateral": "bilateral: each pair settles its difference", "multilateral": "multilateral: each region once"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one special case. `total` and `fund_total` are of all its bills that stand."""

    tale: str
    bill_ids: tuple[str, ...]
    total: Money
    fund_total: Money
    sentence: str


def amount(value: Money) -> str:
    """Yuan with commas: ``1,234,567.80``."""
    whole, _, fen = str(abs(value)).partition(".")
    return f"{'-' if value < ZERO else ''}{int(whole):,}.{fen}"


def place(code: str) -> str:
    """A region's names, or its code where it is none of the story's."""
    names = REGION_NAMES.get(Region(code))
    return f"{names[0]} {names[1]}" if names else code


def gross_tables(matrix: Mapping[str, Any]) -> Iterable[Table]:
    """Per insurance type, payers down and payees across, with sums at both edges."""
    for kind in sorted({cell["insurance_type"] for cell in matrix["cells"]}):
        cells = [cell for cell in matrix["cells"] if cell["insurance_type"] == kind]
        payees = sorted({cell["care_region"] for cell in cells})
        payers = sorted({cell["insuring_region"] for cell in cells})
        table = _table(f"Gross matrix of {matrix['window']['period']}, {INSURANCE_TYPES.get(kind, kind)}, yuan")
        table.add_column("insured in (pays)")
        for payee in payees:
            table.add_column(f"care in {place(payee)}", justify="right")
        table.add_column("owes in all", justify="right")
        for payer in payers:
            row = [_owed(cells, payer, payee) for payee in payees]
            table.add_row(place(payer), *map(amount, row), amount(total(row)))
        columns = [total(_owed(cells, payer, payee) for payer in payers) for payee in payees]
        table.add_section()
        table.add_row("is owed", *map(amount, columns), amount(total(columns)))
        yield table


def _owed(cells: Sequence[Mapping[str, Any]], payer: str, payee: str) -> Money:
    return total(
        yuan(cell["amount"]) for cell in cells if (cell["insuring_region"], cell["care_region"]) == (payer, payee)
    )


def fund_table(matrix: Mapping[str, Any]) -> Table:
    """The legal record itself: one row per insurance type, pair and fund."""
    table = _table("The same by fund, as the legal record keeps it")
    for heading in ("type", "insured in", "care in", "fund"):
        table.add_column(heading)
    table.add_column("bookings", justify="right")
    table.add_column("yuan", justify="right")
    for cell in matrix["cells"]:
        table.add_row(
            cell["insurance_type"],
            place(cell["insuring_region"]),
            place(cell["care_region"]),
            cell["fund"],
            str(cell["bills"]),
            amount(yuan(cell["amount"])),
        )
    return table


def net_tables(matrix: Mapping[str, Any]) -> Iterable[Table]:
    """Positions, which add up to zero, and the transfers of both nets."""
    for kind in sorted({one["insurance_type"] for one in matrix["positions"]}):
        found = [one for one in matrix["positions"] if one["insurance_type"] == kind]
        table = _table(f"Net positions, {INSURANCE_TYPES.get(kind, kind)}: + receives, - pays")
        table.add_column("region")
        table.add_column("yuan", justify="right")
        for one in found:
            table.add_row(place(one["region"]), amount(yuan(one["amount"])))
        table.add_section()
        table.add_row("sum", amount(total(yuan(one["amount"]) for one in found)))
        yield table
    for method, words in METHODS.items():
        table = _table(f"Transfers, {words}")
        for heading in ("type", "from", "to"):
            table.add_column(heading)
        table.add_column("yuan", justify="right")
        for one in matrix["transfers"]:
            if one["method"] == method:
                money = amount(yuan(one["amount"]))
                table.add_row(one["insurance_type"], place(one["payer"]), place(one["payee"]), money)
        yield table


def outcome_table(outcomes: Iterable[Outcome]) -> Table:
    """Every special case, followed to its end."""
    table = _table("What became of each special case")
    table.add_column("case")
    table.add_column("bill", overflow="fold")
    table.add_column("total", justify="right")
    table.add_column("funds pay", justify="right")
    table.add_column("in plain words", ratio=1)
    for one in outcomes:
        table.add_row(
            one.tale, "\n".join(one.bill_ids) or "none", amount(one.total), amount(one.fund_total), one.sentence
        )
    return table


def check_lines(results: Iterable[Any]) -> Iterable[str]:
    """One line per check of `hub ledger verify`, with what is wrong below it."""
    for result in results:
        yield f"{'ok  ' if result.ok else 'FAIL'}  {result.invariant:>2}  {result.name:<32} {result.counted} looked at"
        yield from (f"          {finding}" for finding in (*result.findings, *filter(None, (result.skipped,))))


def address_lines(*, origin: str, serve: str, logins: Iterable[Login], keys: str) -> Iterable[str]:
    """Where everything is to be seen, and as whom."""
    yield "The hub is stopped now. Its data stay; look at the pages with"
    yield f"    {serve}"
    yield f"Patients        {origin}/            (register, or look a registration up)"
    yield f"Workbench       {origin}/login"
    yield from (f"                {one.login:<20} {one.password:<16} {one.meaning}" for one in logins)
    yield f"API             {origin}/docs        (OpenAPI at {origin}/openapi.json)"
    yield f"Keys, logins    {keys}"


def show(console: Console, parts: Iterable[Table | str]) -> None:
    """Print tables and lines one below the other."""
    for part in parts:
        if isinstance(part, str):
            console.print(part, markup=False, soft_wrap=True)
        else:
            console.print(part)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
