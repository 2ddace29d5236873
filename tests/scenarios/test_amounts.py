"""Bills at the edge of what an amount can be: nothing, returns, very much, and the regime within a province."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection

from hub.actions import settlement, statements
from hub.actions.rendering import render
from hub.core.bill import AdmissionKind, Hospital
from hub.core.catalog import HospitalLevel
from hub.core.clearing import WindowState
from hub.core.codes import InstitutionCode, Regime, Region
from hub.core.dates import Period
from hub.core.money import yuan
from hub.ports import HUB_SCOPE, Scope, UnitOfWork
from hub.ports.records import BillRecord, VisitRecord
from hub.store.verify import run
from tests.world import HOSPITALS, HUANGSHAN, QINZHOU, SERVICE, World, care_catalogs

NANNING = Region("450100")
NANNING_HOSPITAL = Hospital(
    InstitutionCode("H45010200001"), "南宁示范医院", NANNING, HospitalLevel.LEVEL_3, date(2024, 1, 1)
)


def stay(world: World, who: str = "Huang") -> VisitRecord:
    return world.admit(who, QINZHOU, kind=AdmissionKind.EMERGENCY)


def settle(world: World, command: settlement.SubmitBill) -> BillRecord:
    return settlement.settle(world.hub, command, by=world.hospital(QINZHOU), as_of=world.now)


def cells(world: World, regime: Regime) -> list[tuple[str, int]]:
    found = statements.matrix(world.hub, regime=regime, period=Period(2026, 10), scope=HUB_SCOPE).cells
    return [(str(cell.amount), cell.bills) for cell in found]


def wrong(world: World, owner: Connection) -> list[tuple[str, tuple[str, ...]]]:
    owner.rollback()
    checks = run(owner, world.store.vault, gateways=world.hub.gateways, render=render)
    return [(one.name, one.findings) for one in checks if not one.ok]


def test_an_empty_database_passes_every_check(world: World, owner: Connection):
    assert wrong(world, owner) == []


def test_a_bill_of_nothing_is_settled_cancelled_and_cleared_without_a_trace_of_money(world: World, owner: Connection):
    bill = world.settle(stay(world), "0.00")
    world.cancel(bill)
    world.settle(stay(world), "0.00")
    world.go_to(date(2026, 11, 1))
    world.close("2026-10")

    assert (
        statements.matrix(world.hub, regime=Regime.CROSS_PROVINCE, period=Period(2026, 10), scope=HUB_SCOPE).cells == ()
    )
    assert wrong(world, owner) == []


def test_a_bill_whose_returns_take_everything_back_costs_nobody_anything(world: World, owner: Connection):
    command = world.bill(stay(world), "100.01")
    (line,) = command.lines
    back = replace(line, line_no=2, quantity=-line.quantity, amount=-line.amount, returns=1)

    bill = settle(world, replace(command, lines=(line, back), total=yuan("0.00")))

    assert (bill.decision.total, bill.decision.cash) == (yuan("0.00"), yuan("0.00"))
    assert wrong(world, owner) == []


def test_the_dearest_bills_there_can_be_are_settled_and_cleared(world: World, owner: Connection):
    """Nearly ten million million yuan each; the funds stop at their caps of 150,000.00 and 500,000.00."""
    bills = [
        world.settle(world.admit(who, HUANGSHAN, kind=AdmissionKind.EMERGENCY), *["9999999999.99"] * 1000)
        for who in ("Wei", "Nong")
    ]
    world.go_to(date(2026, 11, 1))
    world.close("2026-10")

    assert [str(bill.decision.fund_total) for bill in bills] == ["650000.00", "650000.00"]
    assert wrong(world, owner) == []


def test_within_a_province_bills_are_cleared_in_a_window_of_their_own(
    world: World, owner: Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(HOSPITALS, NANNING, NANNING_HOSPITAL)
    monkeypatch.setitem(SERVICE, NANNING, SERVICE[QINZHOU])
    with world.store.begin(HUB_SCOPE) as uow:
        uow.institutions.put(NANNING_HOSPITAL)
    own = world.hub
    world.hub = replace(own, catalog=lambda _region: care_catalogs().of(QINZHOU))
    bill = world.settled("Wei", NANNING, "10000.00")
    world.hub = own
    world.settled("Wei", HUANGSHAN, "10000.00")
    world.go_to(date(2026, 11, 1))
    world.close("2026-10", Regime.WITHIN_PROVINCE)

    # Basic, level 3: (10,000.00 - 600.00) x (60 - 20) % = 3,760.00; the other province's month is still open.
    assert str(bill.decision.fund_total) == "3760.00"
    assert [cells(world, regime) for regime in Regime] == [[], [("3760.00", 1)]]
    assert wrong(world, owner) == []


class Dying:
    """A store that dies with its worker after so many transactions."""

    def __init__(self, world: World, left: int) -> None:
        self._store = world.store
        self._left = left

    def begin(self, scope: Scope) -> AbstractContextManager[UnitOfWork]:
        self._left -= 1
        if self._left < 0:
            raise SystemExit
        return self._store.begin(scope)


def test_a_month_can_be_checked_after_any_step_at_which_its_close_died(world: World, owner: Connection):
    world.settled("Huang", QINZHOU)
    world.cancel(world.settled("Huang", QINZHOU))
    world.settled("Wei", HUANGSHAN)
    world.go_to(date(2026, 11, 1))
    hub, states = world.hub, []

    for left in (2, 2, 2, 3, 4, 5):
        world.hub = replace(hub, store=Dying(world, left))
        with pytest.raises(SystemExit):
            world.close("2026-10")
        assert wrong(world, owner) == []
        states.append(state_of(world))
    world.hub = hub

    assert states == ["cut", "grossed", "netted", "netted", "netted", "netted"]
    assert world.close("2026-10").state is WindowState.CLOSED
    assert wrong(world, owner) == []


def state_of(world: World) -> WindowState:
    with world.store.begin(HUB_SCOPE) as uow:
        window = uow.windows.get(Regime.CROSS_PROVINCE, Period(2026, 10))
    assert window is not None
    return window.state
