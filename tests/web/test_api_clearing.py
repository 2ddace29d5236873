"""Statements, windows and matrices of a closed month through signed messages."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from hub.client import Problem
from hub.ports import Participant
from tests.web.conftest import OPERATOR, Api
from tests.world import HUANGSHAN, JIANGNING, QINZHOU


@pytest.fixture
def closed(api: Api) -> Api:
    """Huang was settled in Qinzhou in October, for 5,225.00 of Huangshan's fund; October is closed."""
    api.world.settled("Huang", QINZHOU)
    api.world.go_to(date(2026, 11, 2))
    api.world.close("2026-10")
    return api


def statement_of(
    api: Api, who: Participant, kind: str = "statement", media: str = "application/json"
) -> dict[str, Any]:
    found = api.client(who).statements(period="2026-10")
    return next(one for one in found if (one["kind"], one["media_type"].partition(";")[0]) == (kind, media))


def test_both_regions_fetch_a_statement_with_the_same_amount(closed: Api):
    payer, payee = closed.world.agency(HUANGSHAN), closed.world.agency(QINZHOU)

    paid = json.loads(closed.client(payer).statement(statement_of(closed, payer)["id"]))
    received = json.loads(closed.client(payee).statement(statement_of(closed, payee)["id"]))

    assert paid["payable"] == received["receivable"] == "5225.00"
    assert paid["bookings"][0]["bill_id"] == received["bookings"][0]["bill_id"]


def test_a_statement_is_fetched_as_csv_by_format_or_by_accept(closed: Api):
    payer = closed.world.agency(HUANGSHAN)
    found = statement_of(closed, payer)

    by_format = closed.client(payer).statement(found["id"], form="csv")
    by_accept = closed.send(payer, "GET", f"/v1/statements/{found['id']}", headers={"Accept": "text/csv"})

    assert by_format == by_accept.content
    assert by_format.startswith(b"period,regime,")
    assert by_accept.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert by_accept.headers["Content-Disposition"] == 'attachment; filename="341000-statement.csv"'


def test_a_notice_is_kept_as_json_only(closed: Api):
    payer = closed.world.agency(HUANGSHAN)
    found = statement_of(closed, payer, kind="payment_notice")

    answer = closed.send(payer, "GET", f"/v1/statements/{found['id']}?format=csv")

    assert (answer.status_code, answer.json()["code"]) == (406, "statement_form")


def test_an_unacceptable_kind_is_refused(closed: Api):
    payer = closed.world.agency(HUANGSHAN)
    found = statement_of(closed, payer)

    answer = closed.send(payer, "GET", f"/v1/statements/{found['id']}", headers={"Accept": "image/png"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_bytes_that_the_agency_has_are_not_sent_again(closed: Api):
    payer = closed.world.agency(HUANGSHAN)
    found = statement_of(closed, payer)
    path = f"/v1/statements/{found['id']}"
    tag = closed.send(payer, "GET", path).headers["ETag"]

    again = closed.send(payer, "GET", path, headers={"If-None-Match": tag})

    assert tag == f'"{found["sha256"]}"'
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["", "?format=csv"])
def test_a_region_does_not_fetch_anothers_statement_by_its_guessable_name(closed: Api, path: str):
    found = statement_of(closed, closed.world.agency(HUANGSHAN))
    stranger = closed.world.agency(JIANGNING)

    answer = closed.send(stranger, "GET", f"/v1/statements/{found['id']}{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "statement_not_found")
    assert list(closed.client(stranger).statements()) == []


def test_a_region_sees_only_the_cells_that_concern_it(closed: Api):
    look = lambda who: closed.client(who).matrix("cross_province", "2026-10")  # noqa: E731

    assert look(OPERATOR)["cells"] == look(closed.world.agency(HUANGSHAN))["cells"] != []
    assert look(OPERATOR)["cells"][0]["amount"] == "5225.00"
    nothing = look(closed.world.agency(JIANGNING))
    assert nothing["cells"] == nothing["positions"] == nothing["transfers"] == []


def test_windows_are_listed_with_their_states(closed: Api):
    windows = closed.client(closed.world.hospital(QINZHOU)).windows()

    assert {
        "id": "win_cross_province_2026-10",
        "regime": "cross_province",
        "period": "2026-10",
        "state": "closed",
    } in windows


def test_a_hospital_reads_no_statement_and_no_matrix(closed: Api):
    for path in ("/v1/statements", "/v1/windows/cross_province/2026-10/matrix"):
        assert closed.send(closed.world.hospital(QINZHOU), "GET", path).status_code == 403


def test_a_month_without_a_window_is_not_found(closed: Api):
    with pytest.raises(Problem) as refused:
        closed.client(OPERATOR).matrix("cross_province", "2020-01")

    assert (refused.value.status, refused.value.code) == (404, "window_not_found")
