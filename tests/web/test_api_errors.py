"""Attack table, rows 8 to 11, and the form of every refusal; whatever comes, the worker answers and stays alive."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from werkzeug.test import Client

from hub.core.errors import Conflict, Inconsistent, NotAllowed, NotFound, Unreachable
from hub.ports import Participant
from hub.web import errors
from tests.web.conftest import Api
from tests.web.test_api_bills import admission, bill
from tests.world import PERSONS, QINZHOU

HOST = "http://localhost"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_every_refusal_is_a_problem_with_a_code_and_a_request_id(api: Api, hospital: Participant):
    answer = api.send(hospital, "GET", "/v1/bills/bil-none")
    body = answer.json()

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body.keys() == {"type", "status", "code", "title", "detail", "faults", "request_id"}
    assert (body["status"], body["code"]) == (404, "bill_not_found")
    assert body["request_id"] == answer.headers["X-Request-Id"]


# --- rows 8 and 9: fields that are not the sender's, amounts that do not add up -----------------------------


@pytest.mark.parametrize("field", ["status", "region", "approved_by", "fund_amount", "id", "state"])
def test_fields_that_only_the_hub_sets_are_refused(api: Api, hospital: Participant, field: str):
    answer = api.send(hospital, "POST", "/v1/bills", bill(**{field: "x"}))

    assert code(answer) == (422, "fields_refused")
    assert [one["where"] for one in answer.json()["faults"]] == [field]


@pytest.mark.parametrize(
    "line",
    [
        {"quantity": "-1", "amount": "-10000.00"},
        {"unit_price": "-1", "amount": "-1.00"},
        {"quantity": "0", "amount": "0.00"},
        {"amount": "9999.99"},
        {"quantity": "-1", "amount": "-10000.00", "returns": 7},
        {"fee_date": "2026-09-01"},
    ],
)
def test_a_bill_that_does_not_add_up_posts_nothing(api: Api, hospital: Participant, line: dict[str, Any]):
    api.world.register("Huang", QINZHOU)
    api.send(hospital, "POST", "/v1/admissions", admission())
    lines = [bill()["lines"][0] | line]

    answer = api.send(hospital, "POST", "/v1/bills", bill(lines=lines), key="key-00000002")

    assert answer.status_code == 422
    assert answer.json()["faults"]
    assert api.count("bill") == api.count("entry") == 0


# --- rows 10 and 11: numbers and bodies ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"total": NaN}', 400),
        (b'{"total": Infinity}', 400),
        (b'{"total": 1e309}', 400),
        (b'{"total": 12.5}', 400),
        (b'{"total": ' + b"9" * 5_000 + b"}", 400),
        (b'{"total": 12}', 422),
        ('{"total": "１２.５０"}'.encode(), 422),
        ('{"total": "٣٤.٠٠"}'.encode(), 422),
        (b'{"total": "12.345"}', 422),
        (b'{"bill_no": "a\\u0000b"}', 422),
        (b'{"bill_no": "\\ud800"}', 422),
        (b'{"\\ud800": 1}', 422),
        (b'{"total": "1.00", "total": "1.00"}', 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"total": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b"[]", 400),
        (b"null", 400),
        (b"", 400),
    ],
)
def test_a_body_that_is_not_one_clear_object_is_refused(api: Api, hospital: Participant, raw: bytes, status: int):
    named = (
        raw.replace(b"{", b'{"institution": "H45070200001", ', 1) if raw[:2] == b'{"' and raw[:4] != b'{"a"' else raw
    )

    answer = api.send(hospital, "POST", "/v1/bills", raw=named)

    assert answer.status_code == status


def test_a_hundred_thousand_lines_are_refused_by_their_number(api: Api, hospital: Participant):
    raw = json.dumps(bill(lines=[1] * 100_000)).encode()

    answer = api.send(hospital, "POST", "/v1/bills", raw=raw)

    assert code(answer) == (422, "fields_refused")


def test_fifty_megabytes_are_refused_before_they_are_read(api: Api, hospital: Participant):
    assert code(api.send(hospital, "POST", "/v1/bills", raw=b" " * 50_000_000)) == (413, "too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=gbk"]
)
def test_another_kind_of_body_is_refused(api: Api, hospital: Participant, kind: str):
    answer = api.send(hospital, "POST", "/v1/bills", bill(), headers={"Content-Type": kind})

    assert code(answer) == (415, "media_type")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_packed_body_is_refused(api: Api, hospital: Participant, coding: str):
    packed = gzip.compress(json.dumps(bill()).encode())

    answer = api.send(hospital, "POST", "/v1/bills", raw=packed, headers={"Content-Encoding": coding})

    assert code(answer) == (415, "content_coding")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=1&limit=2", 400),
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=1_0", 422),
        ("limit=%EF%BC%91", 422),
        ("day=2026-02-30", 422),
        ("period=2026-13", 422),
        ("after=%00", 422),
        ("scope=hub", 422),
        ("after='%20or%201=1--", 422),
    ],
)
def test_a_query_is_as_strict_as_a_body(api: Api, hospital: Participant, query: str, status: int):
    assert api.send(hospital, "GET", f"/v1/bills?{query}").status_code == status


# --- addresses, methods, hosts ------------------------------------------------------------------------------


def test_an_unknown_address_is_a_problem(api: Api):
    answer = Client(api.app).get("/v1/nothing", base_url=HOST)

    assert (answer.status_code, answer.json["code"]) == (404, "address_unknown")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"])
def test_another_method_is_refused_and_told_which_are_served(api: Api, method: str):
    answer = Client(api.app).open("/v1/bills", method=method, base_url=HOST)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", ""])
def test_a_forged_host_is_refused(api: Api, host: str):
    assert Client(api.app).get("/health/live", headers={"Host": host}, base_url=HOST).status_code == 400


def test_every_answer_carries_the_walls_of_the_browser(api: Api):
    answer = Client(api.app).get("/v1/nothing", base_url=HOST)

    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


# --- the one table ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotAllowed("a", "b"), 422),
        (NotFound("a", "b"), 404),
        (Conflict("a", "b"), 409),
        (Conflict("idempotency_key_reused", "b"), 422),
        (Unreachable("a", "b", transient=True), 503),
        (Inconsistent("a", "b"), 500),
        (errors.NotYours("a", "b"), 403),
    ],
)
def test_a_class_of_error_has_one_status(error: Any, status: int):
    assert errors.status_of(error) == status


def test_our_own_mistake_is_told_without_a_detail(api: Api, hospital: Participant, monkeypatch: pytest.MonkeyPatch):
    def breaks(*_: object, **__: object) -> None:
        raise ValueError(f"secret {PERSONS['Wei'].identity.number}")

    monkeypatch.setattr("hub.actions.settlement.list_bills", breaks)

    answer = api.send(hospital, "GET", "/v1/bills")

    assert code(answer) == (500, "internal")
    assert "secret" not in answer.text


def test_a_region_that_does_not_answer_is_a_matter_of_trying_again(api: Api, hospital: Participant):
    slow = {"insuring_region": "990100", "name": "沙慢", "identity": "110101198001010061"}

    answer = api.send(hospital, "POST", "/v1/admissions", admission(**slow))

    assert answer.status_code in {422, 503}
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
