"""A month's close on the real database: the matrix, the nets, the statements, and what comes too late for them."""

from __future__ import annotations

from datetime import date

import pytest

from hub.actions import statements
from hub.actions.rendering import PAYMENT_NOTICE, STATEMENT
from hub.core.clearing import WindowState
from hub.core.codes import Regime
from hub.core.dates import Period
from hub.core.errors import NotAllowed
from hub.core.money import total, yuan
from hub.core.netting import NetMethod
from hub.ports import HUB_SCOPE
from hub.ports.records import StoredStatement
from tests.world import HUANGSHAN, JIANGNING, QINZHOU, World

OCTOBER = Period(2026, 10)
NOVEMBER = Period(2026, 11)


def october_matrix(world: World) -> statements.Matrix:
    return statements.matrix(world.hub, regime=Regime.CROSS_PROVINCE, period=OCTOBER, scope=HUB_SCOPE)


def kept(world: World) -> list[StoredStatement]:
    listed = statements.list_statements(world.hub, scope=HUB_SCOPE, regime=None, period=None, after="", limit=100)
    return [statements.get_statement(world.hub, one.id, scope=HUB_SCOPE) for one in listed]


def test_the_matrix_holds_what_each_region_owes_and_the_nets_add_up_to_zero(world: World):
    # Huangshan owes Qinzhou (10,000.00 - 500.00) x 55 % = 5,225.00
    # and, the year's deductible taken, 4,000.00 x 55 % = 2,200.00
    world.settled("Huang", QINZHOU, "10000.00")
    world.settled("Huang", QINZHOU, "4000.00")
    # Qinzhou owes Huangshan at level 2: (5,000.00 - 400.00) x (75 - 20) % = 2,530.00;
    # the person's 2,070.00 stay below the 6,000.00 of the catastrophic layer
    world.settled("Wei", HUANGSHAN, "5000.00")
    world.go_to(date(2026, 11, 3))

    world.close("2026-10")

    found = october_matrix(world)
    assert [(cell.insuring_region, cell.care_region, str(cell.amount), cell.bills) for cell in found.cells] == [
        (HUANGSHAN, QINZHOU, "7425.00", 2),
        (QINZHOU, HUANGSHAN, "2530.00", 1),
    ]
    assert [(one.region, str(one.amount)) for one in found.positions] == [
        (HUANGSHAN, "-4895.00"),
        (QINZHOU, "4895.00"),
    ]
    assert {(one.method, one.payer, one.payee, str(one.amount)) for one in found.transfers} == {
        (NetMethod.BILATERAL, HUANGSHAN, QINZHOU, "4895.00"),
        (NetMethod.MULTILATERAL, HUANGSHAN, QINZHOU, "4895.00"),
    }


def test_a_month_that_has_not_ended_cannot_be_closed(world: World):
    with pytest.raises(NotAllowed) as refused:
        world.close("2026-10")

    assert refused.value.code == "period_not_over"


def test_closing_twice_gives_the_same_bytes_and_no_second_entry(world: World):
    world.settled("Huang", QINZHOU)
    world.settled("Jiang", HUANGSHAN)
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")
    first = [(one.id, one.content) for one in kept(world)]

    again = world.close("2026-10")

    assert again.state is WindowState.CLOSED
    assert [(one.id, one.content) for one in kept(world)] == first
    assert len(first) == 12  # three regions, four papers each


def test_a_bill_settled_after_the_cut_falls_into_the_next_month_and_says_how_late_it_is(world: World):
    world.settled("Huang", QINZHOU)
    visit = world.admit("Xu", QINZHOU)
    world.register("Xu", QINZHOU)
    command = world.bill(visit, "1000.00")
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")

    from hub.actions.settlement import settle

    late = settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)

    assert (late.period, late.months_late) == (NOVEMBER, 1)


def test_a_cancel_after_the_close_is_a_negative_amount_of_the_next_month(world: World):
    bill = world.settled("Huang", QINZHOU, "10000.00")
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")
    before = [(one.id, one.content) for one in kept(world)]
    world.cancel(bill)
    world.go_to(date(2026, 12, 1))

    world.close("2026-11")

    november = statements.matrix(world.hub, regime=Regime.CROSS_PROVINCE, period=NOVEMBER, scope=HUB_SCOPE)
    assert [str(cell.amount) for cell in november.cells] == ["-5225.00"]
    assert [(one.payer, one.payee) for one in november.transfers if one.method is NetMethod.BILATERAL] == [
        (QINZHOU, HUANGSHAN)
    ]
    assert [(one.id, one.content) for one in kept(world) if one.id in dict(before)] == before


def test_a_month_without_bookings_closes_with_an_empty_matrix(world: World):
    world.go_to(date(2026, 11, 3))

    window = world.close("2026-10", Regime.WITHIN_PROVINCE)

    assert window.state is WindowState.CLOSED
    assert statements.matrix(world.hub, regime=Regime.WITHIN_PROVINCE, period=OCTOBER, scope=HUB_SCOPE).cells == ()


def test_a_region_sees_its_own_statements_and_cells_only(world: World):
    world.settled("Huang", QINZHOU)
    world.settled("Jiang", HUANGSHAN)
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")
    scope = world.agency(JIANGNING).scope

    listed = statements.list_statements(world.hub, scope=scope, regime=None, period=None, after="", limit=100)
    cells = statements.matrix(world.hub, regime=Regime.CROSS_PROVINCE, period=OCTOBER, scope=scope).cells

    assert {one.region for one in listed} == {JIANGNING}
    assert {(cell.insuring_region, cell.care_region) for cell in cells} == {(JIANGNING, HUANGSHAN)}


def test_the_statement_of_both_sides_names_the_bill_with_the_same_amount(world: World):
    bill = world.settled("Huang", QINZHOU, "10000.00")
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")

    papers = [one for one in kept(world) if one.kind == STATEMENT and one.media_type.startswith("text/csv")]

    rows = [[line for line in one.content.decode().splitlines() if bill.id in line] for one in papers]
    assert len(papers) == 2
    assert rows[0] == rows[1]
    assert rows[0][0].endswith("10000.00,0.00,0.00,5225.00,0.00,0.00,0.00,0.00,0.00,5225.00")


def test_the_gross_notices_of_all_payers_and_payees_have_the_same_sum(world: World):
    import json

    world.settled("Huang", QINZHOU, "10000.00")
    world.settled("Wei", HUANGSHAN, "5000.00")
    world.go_to(date(2026, 11, 3))
    world.close("2026-10")

    notices = [json.loads(one.content) for one in kept(world) if one.kind.endswith("notice")]

    paying = total(yuan(one["sum"]) for one in notices if one["notice"] == PAYMENT_NOTICE)
    receiving = total(yuan(one["sum"]) for one in notices if one["notice"] != PAYMENT_NOTICE)
    assert paying == receiving == yuan("7755.00")
