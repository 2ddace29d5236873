"""The OpenAPI document is the truth: its examples work, and nothing is answered that it does not say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks
from werkzeug.test import Client
from werkzeug.wrappers import Request

from hub.ports import Participant
from hub.web.api import examples
from hub.web.guards import guard_of
from hub.web.signing import sign
from tests.web.conftest import BASE, Api
from tests.world import JIANGNING, PERSONS, QINZHOU


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    answer = Client(api.app).get("/openapi.json", base_url=BASE)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.get_data())
    return found


def operations(document: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post"}:
                yield method, path, operation


def test_every_route_is_guarded_and_says_by_whom(api: Api):
    unguarded = [
        rule.endpoint
        for rule in api.app.url_map.iter_rules()
        if not rule.endpoint.endswith("static") and guard_of(api.app.view_functions[rule.endpoint]) is None
    ]

    assert unguarded == []


def test_every_signed_operation_is_described_with_its_security_and_its_refusals(document: dict[str, Any]):
    for method, path, operation in operations(document):
        if path.startswith("/v1/"):
            assert operation["security"], path
            assert {"400", "401", "403", "429", "500", "503"} <= operation["responses"].keys(), path
            assert operation["summary"].endswith("."), path
        if method == "post":
            assert "example" in operation["requestBody"]["content"]["application/json"], path
            assert {"413", "415", "422"} <= operation["responses"].keys(), path


def test_amounts_are_texts_in_the_document(document: dict[str, Any]):
    schemas = document["components"]["schemas"]

    assert schemas["BillIn"]["properties"]["total"]["type"] == "string"
    assert schemas["SplitOut"]["properties"]["cash"]["type"] == "string"
    assert '"number"' not in json.dumps(document)


def test_the_examples_play_a_whole_stay(api: Api, hospital: Participant):
    world, client = api.world, api.client(hospital)
    world.go_to(date(2026, 11, 20), hour=11)

    registered = client.file_registration(examples.REGISTRATION)
    admitted = client.record_admission(examples.ADMISSION)
    world.go_to(date(2026, 11, 22), hour=16)
    quoted = client.quote_bill(examples.BILL)
    settled = client.settle_bill(examples.BILL)
    reported = client.report_day(examples.DAY_REPORT)
    cancelled = client.cancel_bill(settled["id"], **examples.REASON)
    withdrawn = client.withdraw_admission(admitted["id"], **examples.REASON)

    assert registered["state"] == "approved"
    assert quoted["split"] == settled["split"]
    assert reported["bookings"] == 1
    assert (cancelled["state"], withdrawn["state"]) == ("cancelled", "withdrawn")


def test_the_example_of_an_approval_approves(api: Api):
    jiang = PERSONS["Jiang"]
    filed = api.client(api.world.hospital(QINZHOU)).file_registration(
        {
            **examples.REGISTRATION,
            "insuring_region": "320115",
            "name": jiang.name,
            "identity": jiang.identity.number,
            "start": "2026-10-20",
        }
    )
    assert filed["state"] == "submitted"

    decided = api.client(api.world.agency(JIANGNING)).decide_registration(filed["id"], **examples.APPROVAL)

    assert decided["state"] == "approved"


def test_the_page_shows_every_operation_and_needs_no_script(api: Api, document: dict[str, Any]):
    answer = Client(api.app).get("/docs", base_url=BASE)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert all(f">{path}<" in page for _, path, _ in operations(document))
    assert "<script" not in page
    assert " style=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


# --- nothing undocumented -----------------------------------------------------------------------------------


class Signing:
    """Signs whatever passes through it as the participant whom the address serves, then hands it on."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._numbers = iter(range(10**9))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        target = environ.get("RAW_URI") or environ["REQUEST_URI"]
        headers = {name: value for name, value in request.headers.items() if name != "Content-Digest"}
        sent = requests.Request(request.method, BASE, headers=headers).prepare()
        sent.url = BASE + target
        for_hospital = request.path.startswith(("/v1/bills", "/v1/admissions", "/v1/day-reports"))
        who = self._api.world.hospital(QINZHOU) if for_hospital else self._api.world.agency(QINZHOU)
        if request.method != "POST" or "Content-Type" in headers:
            sign(
                sent,
                key_id=f"key-{who.id}",
                private_pem=self._api.keys[who.id],
                nonce=f"nonce-{next(self._numbers):012d}",
                at=self._api.world.now,
                body=body,
            )
        for name in ("Signature", "Signature-Input", "Content-Digest"):
            if name in sent.headers:
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = sent.headers[name]
        environ |= {"HTTP_HOST": "localhost", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body)}
        return self._api.app(environ, start)


CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]


def _as_the_sender(case: schemathesis.Case) -> None:
    """Let made-up bodies name the sender itself: what they hold otherwise would never be looked at."""
    if isinstance(case.body, dict):
        for name, own in (("institution", "H45070200001"), ("insuring_region", "450700"), ("visit_no", "V1")):
            if name in case.body:
                case.body[name] = own


def drive(api: Api, *, examples_each: int) -> int:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", Signing(api))
    sent = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=examples_each,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def no_surprise(case: schemathesis.Case) -> None:
            nonlocal sent
            sent += 1
            _as_the_sender(case)
            case.call_and_validate(checks=CHECKS)

        no_surprise()
    return sent


def test_no_made_up_message_is_answered_otherwise_than_documented(api: Api):
    api.world.settled("Huang", QINZHOU)

    assert drive(api, examples_each=40) > 500


@pytest.mark.long
def test_no_made_up_message_is_answered_otherwise_than_documented_for_minutes(api: Api):
    api.world.settled("Huang", QINZHOU)

    drive(api, examples_each=150)
