"""A random half year of settlements, cancels and closes: every check holds, and a plain model has the same matrices."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from hub.actions.closing import close_window
from hub.actions.rendering import render
from hub.core.codes import InsuranceType, Regime
from hub.core.dates import Period
from hub.core.decision import PersonGroup
from hub.ports import HUB_SCOPE
from hub.store.verify import run
from tests.builders import HOSPITALS, PlayedRegion, Stay, cancel, closing_hub, noon, person, settled_bill

ACROSS = Regime.CROSS_PROVINCE


class Story:
    """The hub's half year, and beside it what a clerk with a pencil would keep: fen per month, pair, type and fund."""

    def __init__(self, store, seed):
        self.store, self.rest = store, random.Random(seed)
        self.day, self.number = date(2026, 9, 1), 0
        self.people = [person(number, region=region) for number, region in enumerate([*HOSPITALS, *HOSPITALS])]
        self.standing = []
        self.pencil = Counter()

    def settle(self):
        self.number += 1
        who = self.rest.choice(self.people)
        stay = Stay(
            self.number,
            who,
            noon(self.day),
            care_region=self.rest.choice([region for region in HOSPITALS if region != who.insuring_region]),
            insurance_type=self.rest.choice(list(InsuranceType)),
            group=self.rest.choice([PersonGroup.ADULT, PersonGroup.PUPIL]),
            in_policy=self.rest.choice(["0.00", "0.01", "33.33", "100.00", "123456.78"]),
            self_pay=self.rest.choice(["0.00", "0.07", "20.00"]),
        )
        record = settled_bill(self.store, stay)
        self.standing.append(record)
        self.note(record, sign=1)

    def cancel(self):
        """The last bill of somebody's year, as the order of cancels asks."""
        last = {(record.person_id, record.insurance_type, record.year): record for record in self.standing}
        if last:
            record = self.rest.choice(list(last.values()))
            with self.store.begin(HUB_SCOPE) as uow:
                cancel(uow, record, at=noon(self.day))
            self.standing.remove(record)
            self.note(record, sign=-1)

    def note(self, record, *, sign):
        for fund, amount in record.decision.shares.items():
            pair = (record.insuring_region, record.care_region)
            self.pencil[Period.of(self.day), *pair, record.insurance_type, fund] += sign * amount.fen

    def next_days(self):
        before = Period.of(self.day)
        self.day += timedelta(days=self.rest.randint(1, 12))
        if Period.of(self.day) != before:
            close_window(closing_hub(self.store), regime=ACROSS, period=before, actor="op", as_of=noon(self.day))

    def matrix(self, period):
        with self.store.begin(HUB_SCOPE) as uow:
            cells = uow.clearing.cells(uow.windows.get(ACROSS, period))
        return {
            (period, cell.insuring_region, cell.care_region, cell.insurance_type, cell.fund): cell.amount.fen
            for cell in cells
            if cell.amount
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_half_year_keeps_every_invariant(store, owner, seed):
    story = Story(store, seed)
    while story.day < date(2027, 2, 1):
        story.rest.choice([story.settle, story.settle, story.cancel, story.next_days])()

    results = run(owner, store.vault, gateways={region: PlayedRegion(region) for region in HOSPITALS}, render=render)
    assert [(result.name, result.findings) for result in results if not result.ok] == []
    for period in (Period(2026, 9), Period(2026, 10), Period(2026, 11), Period(2026, 12), Period(2027, 1)):
        pencilled = {key: fen for key, fen in story.pencil.items() if key[0] == period and fen}
        assert story.matrix(period) == pencilled
