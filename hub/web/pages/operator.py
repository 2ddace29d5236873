"""The console of the hub: windows with their states, who owes whom, and what did not match.

Knows which errand a page shows. Must not close a month: that is asked for on the command line, by two persons.
Source: design sections 3 (gross is the record) and 4, invariant 4.
"""

from __future__ import annotations

from datetime import timedelta

import flask

from hub.actions.lookup import day_match
from hub.actions.statements import Matrix, list_windows, matrix
from hub.core.clearing import Window
from hub.core.codes import InsuranceType, Regime, Region
from hub.core.dates import Period
from hub.core.money import ZERO, Money, total
from hub.core.netting import NetMethod
from hub.web.pages import context, sheets
from hub.web.pages.agency import asked_day
from hub.web.pages.blueprint import pages
from hub.web.pages.guards import AGENCY, OPERATOR, me, staff


@pages.get("/desk/windows")
@staff(AGENCY, OPERATOR)
def windows() -> flask.Response:
    """All clearing months, the newest first."""
    found = list_windows(context.hub(), scope=me().participant.scope)
    return sheets.page("staff/windows.html", found=sorted(found, key=_newest_first, reverse=True))


@pages.get("/desk/windows/<regime:regime>/<month:month>")
@staff(AGENCY, OPERATOR)
def window(regime: str, month: str) -> flask.Response:
    """One month: the gross matrix, which is the record, and both nets laid over it."""
    found = matrix(context.hub(), regime=Regime(regime), period=Period.parse(month), scope=me().participant.scope)
    kinds = [kind for kind in InsuranceType if any(cell.insurance_type is kind for cell in found.cells)]
    return sheets.page(
        "staff/window.html",
        found=found,
        kinds=kinds,
        tables={kind: _table(found, kind) for kind in kinds},
        methods=list(NetMethod),
        statements=f"stm_{found.window.id}",
    )


@pages.get("/desk/match")
@staff(AGENCY, OPERATOR)
def match() -> flask.Response:
    """Whether a day was matched, and what hospital, hub and insured place told differently; else yesterday.

    A region of care has no run of its own; its table lists its insured persons' run beside all breaks it takes part in.
    """
    day, wrong = asked_day(context.today() - timedelta(days=1))
    mine = me().participant
    found = day_match(context.hub(), day=day, scope=mine.scope)
    regions = [mine.region] if mine.region else sorted(context.hub().gateways)
    return sheets.page(
        "staff/match.html",
        422 if wrong else 200,
        day_asked=day,
        wrong={"day": wrong} if wrong else {},
        runs={region: next((run for run in found.runs if run.insuring_region == region), None) for region in regions},
        breaks=found.breaks,
        names=context.hospital_names(),
    )


def _table(found: Matrix, kind: InsuranceType) -> dict[str, object]:
    """Payers down, payees across, funds added up; with sums at both edges that meet in one corner."""
    cells = [cell for cell in found.cells if cell.insurance_type is kind]
    payers = sorted({cell.insuring_region for cell in cells})
    payees = sorted({cell.care_region for cell in cells})
    owed: dict[tuple[Region, Region], Money] = {}
    bills: dict[tuple[Region, Region], int] = {}
    for cell in cells:
        key = (cell.insuring_region, cell.care_region)
        owed[key] = owed.get(key, ZERO) + cell.amount
        bills[key] = max(bills.get(key, 0), cell.bills)
    return {
        "payers": payers,
        "payees": payees,
        "owed": owed,
        "bills": bills,
        "row_sums": {payer: total(owed.get((payer, payee), ZERO) for payee in payees) for payer in payers},
        "column_sums": {payee: total(owed.get((payer, payee), ZERO) for payer in payers) for payee in payees},
        "sum": total(owed.values()),
        "cells": cells,
        "positions": [one for one in found.positions if one.insurance_type is kind],
        "transfers": [one for one in found.transfers if one.insurance_type is kind],
    }


def _newest_first(window: Window) -> tuple[str, str]:
    return (str(window.period), window.regime)
