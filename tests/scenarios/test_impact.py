"""What a change of a catalog moves between fund and patient is told before it is approved, and nothing is guessed.

Huangshan (P10), outside the city: 500.00 deductible at level 3, then 55 % to the fund. Qinzhou: 60 % less 20 points.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from hub.actions import impact, workbench
from hub.core.catalog import BenefitClass
from hub.core.classification import LineOutcome
from hub.core.codes import CatalogKind, LocalCode
from hub.core.decision import Refusal, RefusalReason
from hub.core.errors import Conflict, Unreachable
from hub.core.mapping import Grade
from hub.core.money import Rate, total, yuan
from hub.ports import HUB_SCOPE
from tests.workbench import PAID, UNMAPPED, Bench, bench
from tests.world import HUANGSHAN, JIANGNING

__all__ = ["bench"]

HALF = Rate(Fraction(1, 2))


def of_mapping(bench: Bench, **more: object) -> impact.Impact:
    limit = {name: more.pop(name) for name in ("most_bills",) if name in more}
    return impact.impact_of_mapping(
        bench.world.hub, bench.draft(**more), by=bench.agency, as_of=bench.world.now, **limit
    )


def test_a_mapping_moves_its_lines_from_the_patient_to_the_fund(bench: Bench):
    bill = bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))

    found = of_mapping(bench)

    # 1,000.00 more in policy, of which 55 % is the fund's.
    assert (found.looked_at, found.reclassified, found.moved, found.cut_off) == (1, 1, 1, False)
    assert (found.to_fund, found.from_person, found.from_hospital) == (yuan("550.00"), yuan("550.00"), yuan("0.00"))
    assert [(str(one.insuring_region), one.fund, str(one.amount)) for one in found.by_fund] == [
        ("341000", "390100", "550.00")
    ]
    (moved,) = found.most
    assert (moved.bill_id, str(moved.before.fund_total), str(moved.after.fund_total)) == (bill.id, "2475.00", "3025.00")
    assert [(line.line_no, line.before.outcome, line.after.outcome) for line in moved.lines] == [
        (2, LineOutcome.UNMAPPED, LineOutcome.COVERED)
    ]


def test_the_preview_says_what_a_new_settlement_then_pays(bench: Bench):
    bill = bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))
    foreseen = of_mapping(bench).most[0].after
    bench.in_force()
    bench.world.cancel(bill)

    again = bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))

    assert again.decision.shares == foreseen.shares
    assert again.amounts == foreseen.amounts


def test_several_regions_are_told_apart_and_the_sums_keep_every_fen(bench: Bench):
    bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "333.33"))
    bench.settled("Wei", (PAID, "5000.00"), (UNMAPPED, "333.33"))

    found = of_mapping(bench)

    # Huangshan 55 %, Qinzhou 60 % less 20 points; 183.3315 and 133.332 round to the fen.
    assert [(str(one.insuring_region), str(one.amount)) for one in found.by_fund] == [
        ("341000", "183.33"),
        ("450700", "133.33"),
    ]
    assert found.to_fund == yuan("316.66") == found.from_person
    for moved in found.most:
        for split in (moved.before, moved.after):
            assert total([*split.shares.values(), split.person, split.hospital]) == split.amounts.total


def test_another_class_and_limit_move_money_back_to_the_patient(bench: Bench):
    bench.settled("Huang", (PAID, "5000.00"))
    draft = bench.entry_draft(PAID, benefit_class=BenefitClass.B, first_self_pay=HALF)

    found = impact.impact_of_entry(bench.world.hub, draft, by=bench.agency, as_of=bench.world.now)

    # Half of 5,000.00 leaves the policy, of which the fund paid 55 %.
    assert (str(found.to_fund), str(found.from_person)) == ("-1375.00", "-1375.00")


def test_an_undoing_is_previewed_as_the_change_turned_round(bench: Bench):
    bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))
    proposed = bench.propose()
    forth = impact.impact_of_change(bench.world.hub, proposed.id, by=bench.agency)
    approved = bench.review(proposed)

    back = impact.impact_of_change(bench.world.hub, approved.id, by=bench.agency)

    assert (forth.to_fund, back.to_fund) == (yuan("550.00"), yuan("-550.00"))


def test_a_change_that_is_over_has_no_preview(bench: Bench):
    rejected = bench.review(bench.propose(), approve=False, reason="no")

    with pytest.raises(Conflict) as refused:
        impact.impact_of_change(bench.world.hub, rejected.id, by=bench.agency)

    assert refused.value.code == "change_is_over"


def test_a_change_that_divides_no_line_otherwise_asks_nobody(bench: Bench):
    bench.settled("Huang", (PAID, "5000.00"), (UNMAPPED, "1000.00"))
    bench.world.with_gateway(HUANGSHAN, Silent(bench.world.hub.gateways[HUANGSHAN]))
    bench.played.answers = {}

    found = of_mapping(bench, grade=Grade.BROADER, first_day=date(2026, 10, 18))

    assert (found.looked_at, found.moved, found.unanswered) == (0, 0, [])


def test_only_the_newest_bills_are_looked_at_where_there_are_too_many(bench: Bench):
    bench.settled("Huang", (UNMAPPED, "1000.00"))
    bench.world.clock.moment += timedelta(minutes=1)
    newest = bench.settled("Huang", (UNMAPPED, "2000.00"))

    found = of_mapping(bench, most_bills=1)

    assert (found.looked_at, found.cut_off) == (1, True)
    assert [one.bill_id for one in found.most] == [newest.id]


def test_bills_of_a_closed_month_are_not_looked_at(bench: Bench):
    bench.settled("Huang", (UNMAPPED, "1000.00"))
    bench.world.go_to(date(2026, 11, 3))
    bench.world.close("2026-10")

    assert of_mapping(bench).looked_at == 0


class Silent:
    """A region that answers nothing, and counts how often it was asked."""

    def __init__(self, real: object, answer: object = None) -> None:
        self._real = real
        self._answer = answer
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def decide(self, _request: object) -> object:
        self.asked += 1
        if self._answer is None:
            raise Unreachable("region_timeout", "no answer", transient=True)
        return self._answer


def test_a_region_that_does_not_answer_is_named_and_not_asked_for_every_bill(bench: Bench):
    for who in ("Huang", "Xu"):
        bench.settled(who, (UNMAPPED, "1000.00"))
    bench.settled("Wei", (PAID, "5000.00"), (UNMAPPED, "1000.00"))
    silent = Silent(bench.world.hub.gateways[HUANGSHAN])
    bench.world.with_gateway(HUANGSHAN, silent)

    found = of_mapping(bench)

    assert [(str(one.insuring_region), one.code, one.bills) for one in found.unanswered] == [
        ("341000", "region_timeout", 2)
    ]
    # Qinzhou's 40 % of 1,000.00 is told all the same.
    assert (silent.asked, str(found.to_fund)) == (1, "400.00")


def test_a_region_that_refuses_a_bill_is_counted_and_not_guessed(bench: Bench):
    bench.settled("Huang", (UNMAPPED, "1000.00"))
    refusal = Refusal(RefusalReason.RULE_MISSING, "segment")
    bench.world.with_gateway(HUANGSHAN, Silent(bench.world.hub.gateways[HUANGSHAN], refusal))

    found = of_mapping(bench)

    assert [(one.code, one.bills) for one in found.unanswered] == [("refused_rule_missing", 1)]
    assert (found.reclassified, found.moved, found.to_fund) == (1, 0, yuan("0.00"))


def test_an_answer_to_another_question_is_not_believed(bench: Bench):
    bill = bench.settled("Huang", (UNMAPPED, "1000.00"))
    bench.world.with_gateway(
        HUANGSHAN, Silent(bench.world.hub.gateways[HUANGSHAN], replace(bill.decision, bill_id="bil_other"))
    )

    assert [one.code for one in of_mapping(bench).unanswered] == ["answer_other_bill"]


def test_a_preview_changes_nothing(bench: Bench):
    bill = bench.settled("Huang", (UNMAPPED, "1000.00"))
    of_mapping(bench)

    assert workbench.changes(bench.world.hub, by=bench.agency, state=None, kind=None, limit=10) == []
    with bench.world.store.begin(HUB_SCOPE) as uow:
        assert uow.bills.get(bill.id) == bill


def test_ten_bills_that_move_most_are_shown_the_largest_first(bench: Bench):
    for number in range(12):
        bench.settled("Huang", (UNMAPPED, f"{1000 + number}.00"))

    found = of_mapping(bench)

    moves = [abs(one.to_fund.fen) for one in found.most]
    assert (found.moved, len(found.most)) == (12, 10)
    assert moves == sorted(moves, reverse=True)
    assert LocalCode(JIANGNING, CatalogKind.SERVICE, UNMAPPED) == found.most[0].lines[0].after.local
