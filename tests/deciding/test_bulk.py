"""The bulk engine against the scalar one: the same bills of every region, to the fen."""

import random

import numpy as np
import pytest

from adapters.policy_folder import REGIONS_FOLDER, load_policy
from hub.bulk.engine import Bills, BulkEngine
from hub.core.adjudication import decide
from hub.core.catalog import HospitalLevel
from hub.core.codes import Region
from hub.core.decision import Refusal
from hub.core.errors import NotAllowed
from hub.core.plan import PlanBook
from tests import reference
from tests.properties.test_adjudication import DAY, any_year, settled

BOOKS = {Region(code): PlanBook(load_policy(REGIONS_FOLDER / code)) for code in reference.REGIONS}
YEARS = 150
"""Years of up to four bills, of each region."""


def columns_of(requests):
    """Requests as the columns of a run."""

    def column(values):
        return np.array(list(values), dtype=np.int64)

    years = [one.year_to_date for one in requests]
    funds = {fund for year in years for fund in year.paid_by_fund}
    layers = {layer for year in years for layer in year.accumulated}
    sources = {source for one in requests for source in one.paid_first}
    return Bills(
        facts=requests,
        fact_of=np.arange(len(requests), dtype=np.int32),
        total=column(one.amounts.total.fen for one in requests),
        in_policy=column(one.amounts.in_policy.fen for one in requests),
        admissions=np.array([[year.admissions.get(level, 0) for level in HospitalLevel] for year in years]),
        year_paid={fund: column(year.paid(fund).fen for year in years) for fund in funds},
        counted={
            layer: column(year.accumulated[layer].fen if layer in year.accumulated else 0 for year in years)
            for layer in layers
        },
        paid_first={
            source: column(one.paid_first[source].fen if source in one.paid_first else 0 for one in requests)
            for source in sources
        },
    )


def told(decided, row):
    """One row of the answers, in the words of a decision."""
    if decided.refused[row] >= 0:
        return decided.refusals[decided.refused[row]].reason
    shares = {fund: int(fen[row]) for fund, fen in decided.paid.items() if fen[row]}
    adds = {layer: int(fen[row]) for layer, fen in decided.adds.items() if fen[row]}
    return shares, adds, int(decided.hospital_borne[row]), int(decided.cash[row])


def expected(answer):
    if isinstance(answer, Refusal):
        return answer.reason
    made = answer.contribution
    return (
        {fund: share.fen for fund, share in answer.shares.items()},
        {layer: amount.fen for layer, amount in made.accumulated.items()},
        answer.hospital_borne.fen,
        answer.cash.fen,
    )


def test_random_bills_of_every_region_are_decided_as_one_by_one():
    draw = random.Random("bulk")
    found = [
        (request, answer)
        for code in reference.REGIONS
        for _ in range(YEARS)
        for _, request, answer in settled(code, any_year(draw))
    ]

    decided = BulkEngine(BOOKS.__getitem__).decide(columns_of([request for request, _ in found]))

    different = [request for row, (request, answer) in enumerate(found) if told(decided, row) != expected(answer)]
    assert len(found) > 1000
    assert different == []


def test_one_thread_and_two_give_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub.bulk.engine.SLICE", 7)
    draw = random.Random("threads")
    requests = [request for _ in range(10) for _, request, _ in settled("450700", any_year(draw))]
    bills = columns_of(requests)

    one, two = (BulkEngine(BOOKS.__getitem__, threads=threads).decide(bills) for threads in (1, 2))

    assert [told(one, row) for row in range(len(requests))] == [told(two, row) for row in range(len(requests))]


def test_rows_with_the_same_facts_share_them():
    draw = random.Random("facts")
    (_, request, _), *_ = settled("341000", any_year(draw))
    two = columns_of([request, request])
    shared = Bills(
        facts=[request],
        fact_of=np.zeros(2, dtype=np.int32),
        total=two.total,
        in_policy=two.in_policy,
        admissions=two.admissions,
        year_paid=two.year_paid,
        counted=two.counted,
        paid_first=two.paid_first,
    )

    decided = BulkEngine(BOOKS.__getitem__).decide(shared)

    answer = decide(BOOKS[request.insuring_region].plan(on=DAY), request)
    assert [told(decided, row) for row in (0, 1)] == [expected(answer)] * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"in_policy": np.array([-1])}, "amount_range"),
        ({"total": np.array([10**13 + 1])}, "amount_range"),
        ({"total": np.array([0]), "in_policy": np.array([1])}, "parts"),
        ({"total": np.array([0, 0])}, "columns_differ"),
    ],
)
def test_columns_that_cannot_be_bills_are_refused(change, code):
    given = {
        "facts": [],
        "fact_of": np.zeros(1, dtype=np.int32),
        "total": np.array([1]),
        "in_policy": np.array([1]),
        "admissions": np.zeros((1, 3), dtype=np.int64),
    }

    with pytest.raises(NotAllowed) as refused:
        Bills(**{**given, **change})

    assert refused.value.code == code
