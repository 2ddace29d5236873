"""From an admission to a cancelled bill through signed messages."""

from __future__ import annotations

from typing import Any

import pytest

from hub.client import Problem
from hub.ports import Participant
from tests.web.conftest import Api
from tests.world import HUANGSHAN, JIANGNING, PERSONS, QINZHOU

HUANG = PERSONS["Huang"]


def admission(visit_no: str = "V1", **more: Any) -> dict[str, Any]:
    return {
        "institution": "H45070200001",
        "visit_no": visit_no,
        "insuring_region": "341000",
        "name": HUANG.name,
        "identity": HUANG.identity.number,
        "kind": "ordinary",
        "diagnosis": "K35.800",
        "admitted_at": "2026-10-15T09:00:00+08:00",
        **more,
    }


def bill(amount: str = "10000.00", visit_no: str = "V1", **more: Any) -> dict[str, Any]:
    line = {
        "line_no": 1,
        "kind": "service",
        "code": "001101000010000",
        "name": "诊查费",
        "unit_price": amount,
        "quantity": "1",
        "amount": amount,
        "fee_date": "2026-10-15",
    }
    return {
        "institution": "H45070200001",
        "visit_no": visit_no,
        "bill_no": "B1",
        "discharged_on": "2026-10-20",
        "total": amount,
        "lines": [line],
        **more,
    }


@pytest.fixture
def stay(api: Api, hospital: Participant) -> dict[str, Any]:
    """Huang is registered in Qinzhou and was admitted there."""
    api.world.register("Huang", QINZHOU)
    return api.client(hospital).record_admission(admission())


def test_an_admission_is_recorded_with_the_person_masked(stay: dict[str, Any]):
    assert stay["state"] == "admitted"
    assert stay["person"] == {"name": "黄**", "identity": HUANG.identity.masked}
    assert stay["recorded_late"] is True


def test_a_quote_books_nothing_and_a_settlement_says_the_same(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)

    quoted = client.quote_bill(bill())
    assert api.count("bill") == 0
    settled = client.settle_bill(bill())

    # (10,000.00 - 500.00) x 55 % = 5,225.00
    assert quoted["split"] == settled["split"]
    assert settled["split"]["fund_total"] == "5225.00"
    assert settled["split"]["cash"] == "4775.00"
    assert settled["state"] == "settled"


def test_a_bill_is_looked_at_with_its_lines_and_every_fen_explained(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)
    settled = client.settle_bill(bill())

    found = client.bill(settled["id"])

    fen = sum(int(step["amount"].replace(".", "")) for step in found["steps"])
    assert fen == 1_000_000
    assert found["lines"][0]["words"]["en"] == "covered by the catalog"
    assert [one["id"] for one in client.bills(day="2026-10-20")] == [settled["id"]]


def test_a_bill_is_seen_by_both_its_regions_and_by_nobody_else(api: Api, hospital: Participant, stay: dict):
    settled = api.client(hospital).settle_bill(bill())

    for region in (QINZHOU, HUANGSHAN):
        assert api.client(api.world.agency(region)).bill(settled["id"])["id"] == settled["id"]
    for stranger in (api.world.agency(JIANGNING), api.world.hospital(HUANGSHAN)):
        with pytest.raises(Problem) as refused:
            api.client(stranger).bill(settled["id"])
        assert (refused.value.status, refused.value.code) == (404, "bill_not_found")
        assert list(api.client(stranger).bills()) == []


def test_the_diagnosis_is_told_to_the_hospital_only(api: Api, hospital: Participant, stay: dict):
    assert api.client(hospital).admission(stay["id"])["diagnosis"] == "K35.800"
    assert "diagnosis" not in api.client(api.world.agency(HUANGSHAN)).admission(stay["id"])


def test_a_faulty_bill_is_refused_whole_with_every_row_named(api: Api, hospital: Participant, stay: dict):
    lines = [
        {**bill()["lines"][0], "amount": "9999.00"},
        {**bill()["lines"][0], "quantity": "-1", "amount": "-10000.00"},
    ]

    with pytest.raises(Problem) as refused:
        api.client(hospital).settle_bill(bill(total="1.00", lines=lines))

    assert (refused.value.status, refused.value.code) == (422, "bill_faulty")
    assert {one["where"] for one in refused.value.faults} >= {"lines[0].amount", "lines[1].line_no", "total"}
    assert api.count("bill") == 0


def test_an_unregistered_person_is_told_why_in_both_languages(api: Api, hospital: Participant):
    client = api.client(hospital)
    client.record_admission(admission())

    quoted = client.quote_bill(bill())

    if quoted["refusal"] is None:
        assert quoted["basis"] == "unregistered"
    else:
        assert quoted["refusal"]["words"]["zh"]


def test_a_cancelled_bill_frees_the_stay_for_a_new_revision(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)
    settled = client.settle_bill(bill())

    cancelled = client.cancel_bill(settled["id"], reason="wrong price")
    again = client.settle_bill(bill("9000.00", revision=2))

    assert cancelled["state"] == "cancelled"
    assert again["state"] == "settled"


def test_the_same_bill_under_a_new_key_is_not_paid_twice(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)
    client.settle_bill(bill(), idempotency_key="first-key-1")

    for body in (bill(), bill("9000.00"), bill(revision=1)):
        with pytest.raises(Problem) as refused:
            client.settle_bill(body)
        assert (refused.value.status, refused.value.code) == (409, "bill_exists")

    assert api.count("bill") == 1


def test_an_admission_is_withdrawn_once(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)

    assert client.withdraw_admission(stay["id"], reason="never came")["state"] == "withdrawn"

    with pytest.raises(Problem) as refused:
        client.withdraw_admission(stay["id"], reason="never came")
    assert refused.value.status == 409


def test_a_day_is_reported_and_the_later_report_replaces_the_earlier(api: Api, hospital: Participant, stay: dict):
    client = api.client(hospital)
    settled = client.settle_bill(bill())
    row = {
        "event_id": f"{settled['id']}/settled",
        "insuring_region": "341000",
        "total": "10000.00",
        "fund_total": "5225.00",
    }
    report = {"institution": "H45070200001", "day": "2026-10-20", "bookings": [row]}

    client.report_day({**report, "bookings": []})
    held = client.report_day(report)

    assert held == {"day": "2026-10-20", "bookings": 1, "total": "10000.00", "fund_total": "5225.00"}
