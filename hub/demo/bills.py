"""Draws bills: 20 to 80 lines of what a patient with a certain illness is given in a stay, the same for the same seed.

Knows illnesses with the drugs, tests and operations that go with them, and how a line is written on the wire.
Must not know persons, hospitals' names or what any region pays.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hub.core.bill import Bill, BillLine, length_of_stay
from hub.core.codes import CatalogKind
from hub.core.money import Money, line_amount, total
from hub.demo.shelf import ANAESTHESIA, IMAGING, LAB, TREATMENT, Shelf, ShelfItem

FEWEST_LINES = 20
MOST_LINES = 80

LEAST_FEN = 3_000_00
MOST_FEN = 60_000_00

_TARGETS_YUAN = ((3_500, 8_000), (8_000, 15_000), (8_000, 15_000), (15_000, 30_000), (30_000, 55_000))
"""Ranges of what a bill should come to, in yuan; each is as likely as the others."""

_MOST_PACKS = 30

_UNCOVERED_EVERY = 80
"""About one line in so many is of something that no fund pays: an unmapped code, or a class that is not payable."""

_DEARER_EVERY = 30
"""About one line in so many costs a fifth more than the region's limit, where there is one."""

_USUAL_UNMAPPED = ("住院诊察费", "Ⅰ级护理", "静脉输液")
"""What nearly every Jiangsu bill carries although nobody has mapped it yet; elsewhere the first unmapped code."""


_OFTEN_UNMAPPED = 12
"""How many other codes without a mapping come up again and again."""

_DEAREST_UNMAPPED = 300


@dataclass(frozen=True, slots=True)
class Illness:
    """A diagnosis with the drug classes it is treated with and the chapter of its operation, if there is one.

    Drug classes are the first two letters of the national drug code: the X of western drugs and the anatomical letter.
    """

    code: str
    name: str
    drugs: tuple[str, ...]
    operation: str = ""
    herbal: bool = False


ILLNESSES = (
    Illness("J18.900", "肺炎", ("XJ", "XR", "XB")),
    Illness("J44.100", "慢性阻塞性肺病伴有急性加重", ("XR", "XJ", "XH"), herbal=True),
    Illness("I63.900", "脑梗死", ("XB", "XN", "XC"), herbal=True),
    Illness("I21.900", "急性心肌梗死", ("XC", "XB", "XA")),
    Illness("I50.900", "心力衰竭", ("XC", "XB", "XA")),
    Illness("K80.000", "胆囊结石伴有急性胆囊炎", ("XJ", "XB", "XA"), operation="3310"),
    Illness("K35.800", "急性阑尾炎", ("XJ", "XB", "XA"), operation="3310"),
    Illness("K85.900", "急性胰腺炎", ("XA", "XB", "XJ")),
    Illness("S72.000", "股骨颈骨折", ("XM", "XB", "XJ"), operation="3315"),
    Illness("M51.202", "腰椎间盘突出", ("XM", "XN", "XB"), operation="3315", herbal=True),
    Illness("E11.900", "2型糖尿病", ("XA", "XC", "XB"), herbal=True),
    Illness("N20.100", "输尿管结石", ("XJ", "XB", "XG"), operation="3311"),
    Illness("C34.900", "支气管或肺恶性肿瘤", ("XL", "XB", "XA")),
    Illness("C16.900", "胃恶性肿瘤", ("XL", "XB", "XA"), operation="3310"),
)

TUMOUR = ILLNESSES[12]
"""The illness of the costly bills: its drugs alone reach hundreds of thousands."""


@dataclass(frozen=True, slots=True)
class _Given:
    """An item and how much of it was given on a day."""

    item: ShelfItem
    quantity: Fraction
    on: date

    @property
    def amount(self) -> Money:
        return line_amount(unit_price=self.item.price, quantity=self.quantity)


def draw_bill(
    shelf: Shelf,
    illness: Illness,
    *,
    bill_no: str,
    admitted_on: date,
    discharged_on: date,
    seed: str,
    target: Money | None = None,
) -> Bill:
    """A bill of a stay. `target` is about what it should come to; without one it is drawn too.

    Without a target the total lies between 3,000 and 60,000 yuan. All fee dates lie inside the stay.
    """
    draw = random.Random(f"{seed}/{bill_no}")
    ward = _Ward(shelf, illness, draw, admitted_on=admitted_on, discharged_on=discharged_on)
    goal = target or Money(draw.randint(*draw.choice(_TARGETS_YUAN)) * 100)
    most = min(MOST_LINES, FEWEST_LINES + goal.fen // 300_00)
    given = ward.fill(goal, lines=draw.randint(FEWEST_LINES, most))
    if target is None:
        given = _held_within(given)
    given.sort(key=lambda one: (one.on, one.item.code))
    return _written(bill_no, given, admitted_on=admitted_on, discharged_on=discharged_on)


class _Ward:
    """One stay being filled with items until it has its lines and about its total."""

    def __init__(
        self, shelf: Shelf, illness: Illness, draw: random.Random, *, admitted_on: date, discharged_on: date
    ) -> None:
        self.shelf = shelf
        self.illness = illness
        self.draw = draw
        self.first = admitted_on
        self.last = discharged_on
        self.days = length_of_stay(admitted_on=admitted_on, discharged_on=discharged_on)
        self.taken: set[str] = set()

    def fill(self, goal: Money, *, lines: int) -> list[_Given]:
        given = [
            _Given(self.shelf.bed, Fraction(self.days), self.last),
            _Given(self.shelf.nursing, Fraction(self.days), self.last),
        ]
        given += self._operation(goal)
        left = goal.fen - total(one.amount for one in given).fen
        while len(given) < lines:
            fair = Fraction(max(left, 10_00), 100 * (lines - len(given)))
            given.append(self._next(fair * self.draw.choice((Fraction(1, 3), Fraction(2, 3), 1, 1, 2))))
            left -= given[-1].amount.fen
        return given

    def _operation(self, goal: Money) -> list[_Given]:
        """The operation and its anaesthesia on one of the first days, where the illness calls for one."""
        if not self.illness.operation:
            return []
        day = self.first + timedelta(days=min(self.days, self.draw.randint(1, 3)))
        third = Fraction(goal.fen, 300)
        return [
            _Given(self._nearest(self.shelf.services[chapter], budget), Fraction(1), min(day, self.last))
            for chapter, budget in ((self.illness.operation, third), (ANAESTHESIA, third / 6))
        ]

    def _next(self, budget: Fraction) -> _Given:
        """One more item that costs about the budget: mostly a drug, else a test, a treatment or a herb."""
        kind = self.draw.randint(1, 100)
        on = self.first + timedelta(days=self.draw.randint(0, (self.last - self.first).days))
        if self.shelf.uncovered and budget < 500 and self.draw.randint(1, _UNCOVERED_EVERY) == 1:
            return _Given(self._nearest(self.shelf.uncovered, budget), Fraction(1), on)
        if self.illness.herbal and kind <= 20:
            grams = self.draw.choice((6, 9, 10, 12, 15)) * self.draw.choice((3, 5, 7))
            return _Given(self._nearest(self.shelf.herbals, budget / grams), Fraction(grams), on)
        if kind <= 60 or budget > 500:
            group = self.draw.choice(self.illness.drugs)
            return self._packs(self.shelf.drugs[group], budget, on, most=_MOST_PACKS)
        if kind <= 80:
            return self._packs(self.shelf.services[LAB], budget, on, most=max(1, self.days // 3))
        chapter = self.draw.choice((*IMAGING, *TREATMENT))
        return self._packs(self.shelf.services.get(chapter) or self.shelf.services[LAB], budget, on, most=self.days)

    def _packs(self, items: Sequence[ShelfItem], budget: Fraction, on: date, *, most: int) -> _Given:
        item = self._nearest(items, budget / self.draw.randint(1, min(most, 6)))
        packs = min(most, max(1, round(budget / item.price)))
        if item.limit is not None and self.draw.randint(1, _DEARER_EVERY) == 1:
            item = replace(item, price=Fraction(round(item.limit * 120), 100))
        return _Given(item, Fraction(packs), on)

    def _nearest(self, items: Sequence[ShelfItem], price: Fraction) -> ShelfItem:
        """Of a few items at random, the one that costs nearest to a price; an item comes once on a bill."""
        some = [item for item in self.draw.sample(items, min(len(items), 12)) if item.code not in self.taken]
        if not some:
            some = [item for item in items if item.code not in self.taken] or list(items)
        found = min(some, key=lambda item: (abs(item.price - price), item.code))
        self.taken.add(found.code)
        return found


def _held_within(given: list[_Given]) -> list[_Given]:
    """Change quantities until the total lies in the usual range."""
    while total(one.amount for one in given).fen > MOST_FEN:
        index = max(range(len(given)), key=lambda at: given[at].amount)
        one = given[index]
        given[index] = replace(one, quantity=Fraction(max(1, one.quantity // 2)))
    while total(one.amount for one in given).fen < LEAST_FEN:
        index = max(range(2, len(given)), key=lambda at: given[at].amount)
        given[index] = replace(given[index], quantity=given[index].quantity + 1)
    return given


def _written(bill_no: str, given: Iterable[_Given], *, admitted_on: date, discharged_on: date) -> Bill:
    lines = tuple(
        BillLine(
            line_no=number,
            kind=one.item.kind,
            code=one.item.code,
            name=one.item.name,
            unit_price=one.item.price,
            quantity=one.quantity,
            amount=one.amount,
            fee_date=one.on,
        )
        for number, one in enumerate(given, start=1)
    )
    return Bill(bill_no, admitted_on, discharged_on, lines, total(line.amount for line in lines))


# --- special lines -------------------------------------------------------------------------------------------------


def with_return(bill: Bill) -> Bill:
    """The same bill with one pack of its first returnable drug given back on the day of discharge."""
    original = next(line for line in bill.lines if line.kind is CatalogKind.DRUG and line.quantity >= 2)
    back = replace(
        original,
        line_no=len(bill.lines) + 1,
        quantity=Fraction(-1),
        amount=line_amount(unit_price=original.unit_price, quantity=Fraction(-1)),
        fee_date=bill.discharged_on,
        returns=original.line_no,
    )
    return _with_line(bill, back)


def with_unmapped(bill: Bill, shelf: Shelf) -> Bill:
    """The same bill with a line under a real local code that nobody has mapped to the national list."""
    usual = next((one for one in shelf.unmapped if one.name in _USUAL_UNMAPPED), shelf.unmapped[0])
    return _with_unmapped_line(bill, usual)


def _with_unmapped_line(bill: Bill, item: ShelfItem) -> Bill:
    days = Fraction(length_of_stay(admitted_on=bill.admitted_on, discharged_on=bill.discharged_on))
    line = BillLine(
        line_no=len(bill.lines) + 1,
        kind=item.kind,
        code=item.code,
        name=item.name,
        unit_price=item.price,
        quantity=days,
        amount=line_amount(unit_price=item.price, quantity=days),
        fee_date=bill.discharged_on,
    )
    return _with_line(bill, line)


def with_several_unmapped(bill: Bill, shelf: Shelf, *, seed: str) -> Bill:
    """The same bill with what every Jiangning bill carries unmapped, and a few more of what one ward often charges."""
    draw = random.Random(f"{seed}/{bill.bill_no}/unmapped")
    often = [one for one in shelf.unmapped if one.name not in _USUAL_UNMAPPED and one.price < _DEAREST_UNMAPPED]
    often = often[:: max(1, len(often) // _OFTEN_UNMAPPED)]
    for item in (*(one for one in shelf.unmapped if one.name in _USUAL_UNMAPPED), *draw.sample(often, 3)):
        bill = _with_unmapped_line(bill, item)
    return bill


def without_last_line(bill: Bill) -> Bill:
    """The same bill as corrected by the hospital: its last line is gone."""
    lines = bill.lines[:-1]
    return replace(bill, lines=lines, total=total(line.amount for line in lines))


def _with_line(bill: Bill, line: BillLine) -> Bill:
    lines = (*bill.lines, line)
    return replace(bill, lines=lines, total=total(one.amount for one in lines))


# --- on the wire ---------------------------------------------------------------------------------------------------


def lines_json(bill: Bill) -> list[dict[str, Any]]:
    """The lines as a message carries them: amounts, prices and quantities are texts."""
    return [
        {
            "line_no": line.line_no,
            "kind": str(line.kind),
            "code": line.code,
            "name": line.name,
            "unit_price": plain(line.unit_price),
            "quantity": plain(line.quantity),
            "amount": str(line.amount),
            "fee_date": line.fee_date.isoformat(),
            **({} if line.returns is None else {"returns": line.returns}),
        }
        for line in bill.lines
    ]


def plain(value: Fraction) -> str:
    """A price or quantity with at most two decimals as plain text: ``12``, ``0.35``, ``-1``."""
    whole, hundredths = divmod(abs(value.numerator) * 100 // value.denominator, 100)
    decimals = f".{hundredths:02d}".rstrip("0").rstrip(".") if hundredths else ""
    return f"{'-' if value < 0 else ''}{whole}{decimals}"
