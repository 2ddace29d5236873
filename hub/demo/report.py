"""What the demonstration shows at the end: who owes whom, what became of each special bill, what holds.

Knows tables and words. Must not know where the figures come from: all are given, and nothing is computed but sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub.core.codes import Region
from hub.core.money import ZERO, Money, total, yuan
from hub.demo.stage import COLLEAGUE, Login, officer_login
from hub.demo.world import JIANGNING, PLAYED_PERSON, REGION_NAMES

INSURANCE_TYPES = {"310": "employees (职工 310)", "390": "residents (居民 390)"}
METHODS = {"bilateral": "bilateral: each pair settles its difference", "multilateral": "multilateral: each region once"}


COUNT = "bookings"
NUMBER_WIDTH = 13
"""Columns that an amount always has: millions of yuan with commas and fen."""

Part = Table | Text | Padding | str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one special case. `total` and `fund_total` are of all its bills; `stands` is False where they
    were taken back.
    """

    tale: str
    bill_ids: tuple[str, ...]
    total: Money
    fund_total: Money
    stands: bool
    sentence: str

    @property
    def figures(self) -> str:
        """The amounts in words."""
        if not self.bill_ids:
            return "no bill"
        back = "" if self.stands else ", both taken back"
        return f"total {amount(self.total)}, the funds pay {amount(self.fund_total)}{back}"


def amount(value: Money) -> str:
    """Yuan with commas: ``1,234,567.80``."""
    whole, _, fen = str(abs(value)).partition(".")
    return f"{'-' if value < ZERO else ''}{int(whole):,}.{fen}"


def place(code: str) -> str:
    """A region's names, or its code where it is none of the story's."""
    names = REGION_NAMES.get(Region(code))
    return f"{names[0]} {names[1]}" if names else code


def matrix_parts(matrix: Mapping[str, Any]) -> Iterator[Part]:
    """Who owes whom: the gross matrix, which is the record, then both nets laid over it."""
    yield from gross_tables(matrix)
    yield from fund_table(matrix)
    yield from net_tables(matrix)


def gross_tables(matrix: Mapping[str, Any]) -> Iterator[Part]:
    """Per insurance type, payers down and payees across, with sums at both edges."""
    for kind in sorted({cell["insurance_type"] for cell in matrix["cells"]}):
        cells = [cell for cell in matrix["cells"] if cell["insurance_type"] == kind]
        payees = sorted({cell["care_region"] for cell in cells})
        payers = sorted({cell["insuring_region"] for cell in cells})
        table = _table("insured in (pays)", numbers=[*(f"care in {place(payee)}" for payee in payees), "owes in all"])
        for payer in payers:
            row = [_owed(cells, payer, payee) for payee in payees]
            table.add_row(place(payer), *map(amount, row), amount(total(row)))
        columns = [total(_owed(cells, payer, payee) for payer in payers) for payee in payees]
        table.add_section()
        table.add_row("is owed", *map(amount, columns), amount(total(columns)))
        yield _heading(f"Gross matrix of {matrix['window']['period']}, {INSURANCE_TYPES.get(kind, kind)}, yuan")
        yield table


def _owed(cells: Sequence[Mapping[str, Any]], payer: str, payee: str) -> Money:
    return total(
        yuan(cell["amount"]) for cell in cells if (cell["insuring_region"], cell["care_region"]) == (payer, payee)
    )


def fund_table(matrix: Mapping[str, Any]) -> Iterator[Part]:
    """The legal record itself: one row per insurance type, pair and fund."""
    table = _table("type", "insured in", "care in", "fund", numbers=(COUNT, "yuan"))
    for cell in matrix["cells"]:
        pair = (place(cell["insuring_region"]), place(cell["care_region"]))
        table.add_row(cell["insurance_type"], *pair, cell["fund"], str(cell["bills"]), amount(yuan(cell["amount"])))
    yield _heading("The same by fund, as the legal record keeps it")
    yield table


def net_tables(matrix: Mapping[str, Any]) -> Iterator[Part]:
    """Positions, which add up to zero, and the transfers of both nets."""
    for kind in sorted({one["insurance_type"] for one in matrix["positions"]}):
        found = [one for one in matrix["positions"] if one["insurance_type"] == kind]
        table = _table("region", numbers=("yuan",))
        for one in found:
            table.add_row(place(one["region"]), amount(yuan(one["amount"])))
        table.add_section()
        table.add_row("sum", amount(total(yuan(one["amount"]) for one in found)))
        yield _heading(f"Net positions, {INSURANCE_TYPES.get(kind, kind)}: + receives, - pays")
        yield table
    for method, words in METHODS.items():
        table = _table("type", "from", "to", numbers=("yuan",))
        for one in matrix["transfers"]:
            if one["method"] == method:
                money = amount(yuan(one["amount"]))
                table.add_row(one["insurance_type"], place(one["payer"]), place(one["payee"]), money)
        yield _heading(f"Transfers, {words}")
        yield table


def outcome_parts(outcomes: Iterable[Outcome]) -> Iterator[Part]:
    """Every special case, followed to its end: its name and figures, then a sentence."""
    yield _heading("What became of each special case")
    for one in outcomes:
        yield Text.assemble(("  " + one.tale, "bold"), f": {one.figures}")
        for text in (*one.bill_ids, one.sentence):
            yield Padding(Text(text), (0, 0, 0, 6), expand=False)
    yield ""


def listed(title: str, lines: Iterable[str]) -> Iterator[Part]:
    """A heading with lines below it that are never broken."""
    yield _heading(title)
    for line in lines:
        yield Text("  " + line, no_wrap=True, overflow="ignore")
    yield ""


def check_lines(results: Iterable[Any]) -> Iterable[str]:
    """One line per check of `hub ledger verify`, with what is wrong below it."""
    for result in results:
        yield f"{'ok  ' if result.ok else 'FAIL'}  {result.invariant:>2}  {result.name:<32} {result.counted} looked at"
        yield from (f"          {finding}" for finding in (*result.findings, *filter(None, (result.skipped,))))


def address_lines(*, origin: str, serve: str, logins: Iterable[Login], keys: str) -> Iterable[str]:
    """Where everything is to be seen, and as whom."""
    yield f"The hub is stopped now. Its data stay; to look at the pages:   {serve}"
    yield f"Patients        {origin}/            (register, or look a registration up)"
    region, name, identity = PLAYED_PERSON
    yield f"                as {name}, {identity}, insured in {region}: nobody real"
    yield f"Workbench       {origin}/login"
    yield from (f"                {one.login:<20} {one.password:<16} {one.meaning}" for one in logins)
    yield f"Mapping         {origin}/desk/mapping   what November's bills wait for, by money: propose as"
    yield f"                {officer_login(JIANGNING)}, approve as {COLLEAGUE}: nobody reviews his own"
    yield f"API             {origin}/docs        (OpenAPI at {origin}/openapi.json)"
    yield f"Keys, logins    {keys}"


def show(console: Console, parts: Iterable[Part]) -> None:
    """Print everything one below the other."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and part.no_wrap is True)


def _heading(title: str) -> Text:
    return Text(title, style="bold")


def _table(*words: str, numbers: Iterable[str]) -> Table:
    """A table with these columns of words, then these of numbers."""
    table = Table(box=SIMPLE_HEAD)
    for heading in words:
        table.add_column(heading)
    # In a narrow terminal words are folded, never a number.
    for heading in numbers:
        table.add_column(heading, justify="right", min_width=0 if heading == COUNT else NUMBER_WIDTH)
    return table
