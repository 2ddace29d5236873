"""What the web process logs: constant events, ids, no person; and a value cannot make itself a line."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import pytest
import structlog
from werkzeug.test import Client

from hub import logs
from hub.core.errors import Inconsistent
from hub.ports import Participant
from tests.web.conftest import BASE, Api
from tests.web.test_api_bills import admission, bill
from tests.world import PERSONS, QINZHOU

HUANG = PERSONS["Huang"]


@pytest.fixture
def stream() -> io.StringIO:
    found = io.StringIO()
    logs.configure("INFO", stream=found)
    return found


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_whole_stay_leaves_no_person_in_the_log(stream: io.StringIO, api: Api, hospital: Participant):
    api.world.register("Huang", QINZHOU)
    api.send(hospital, "POST", "/v1/admissions", admission())
    api.send(hospital, "POST", "/v1/bills", bill(), key="key-00000002")
    api.send(hospital, "POST", "/v1/admissions", admission(name="黄\n测", identity="1" * 18), key="key-00000003")
    api.send(hospital, "GET", f"/v1/catalogs/drug?q={HUANG.identity.number}")

    told = stream.getvalue()
    assert "request_served" in told
    for secret in (HUANG.name, HUANG.identity.number, HUANG.phone, "K35.800", "黄"):
        assert secret not in told


def test_a_request_is_one_line_with_its_route_and_sender(stream: io.StringIO, api: Api, hospital: Participant):
    answer = api.send(hospital, "GET", "/v1/bills/bil-none")

    (line,) = [one for one in events(stream) if one["event"] == "request_served"]
    assert line["route"] == "/v1/bills/<id:bill_id>"
    assert (line["status"], line["code"], line["participant"]) == (404, "bill_not_found", "hos-450700")
    assert line["request_id"] == answer.headers["X-Request-Id"]


def test_denied_access_is_logged_with_its_reason(stream: io.StringIO, api: Api, agency: Participant):
    api.send(agency, "POST", "/v1/bills", bill())
    Client(api.app).get("/v1/bills", base_url=BASE)

    denied = [one for one in events(stream) if one["event"] == "access_denied"]
    assert [(one["reason"], one["key_id"]) for one in denied] == [
        ("role_not_allowed", "key-age-450700"),
        ("signature_missing", None),
    ]


@pytest.mark.parametrize(
    "text", ["11010119800101001X", "id=110101198001010010,", "13900000011", "call 13900000011 now", "a\n13900000011"]
)
def test_numbers_that_slip_into_a_text_are_redacted(text: str):
    assert logs.REDACTED in logs.redacted(text)


@pytest.mark.parametrize("text", ["H13010200001", "bil-01jd3x5v2m8q0c6k4t7w9y1z3b", "2026-10-31T09:30:00Z", "1234.50"])
def test_ids_codes_and_amounts_stay(text: str):
    assert logs.redacted(text) == text


def test_redaction_reaches_into_containers_and_numbers():
    found = logs.redacted({"rows": [{"phone": "13900000011"}, 13900000011, 110101198001010010]})

    assert found == {"rows": [{"phone": logs.REDACTED}, logs.REDACTED, logs.REDACTED]}


def test_the_words_of_a_foreign_error_are_not_logged_but_its_way_is(stream: io.StringIO):
    try:
        int("韦测安")
    except ValueError as error:
        structlog.get_logger().error("unforeseen", exc_info=error)
    structlog.get_logger().error("inconsistent", exc_info=Inconsistent("a", "entry ent_1 is wrong"))

    foreign, own = events(stream)
    assert foreign["error"] == "ValueError"
    assert "韦" not in stream.getvalue()
    assert foreign["stack"]
    assert own["error_message"] == "entry ent_1 is wrong"


def test_a_value_cannot_begin_a_line_of_its_own(stream: io.StringIO):
    structlog.get_logger().warning("x", value='a\n{"event": "forged"}\r\x1b[31m')

    assert len(events(stream)) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Invalid request from ip=127.0.0.1: Invalid HTTP request line: 'GET /x?name=韦测安 bad'", "request line:"),
        ("Invalid request from ip=127.0.0.1: Invalid HTTP header name: '韦测安 '", "header name:"),
    ],
)
def test_the_web_servers_own_log_does_not_quote_a_request_that_it_cannot_read(line: str, kept: str):
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 0, line, (), None)

    logs.Unquoted().filter(record)

    assert record.getMessage().endswith(kept)


def test_the_web_servers_own_log_names_neither_the_address_nor_the_words_of_a_failed_request():
    try:
        raise ValueError("韦测安")
    except ValueError:
        record = logging.LogRecord(
            "gunicorn.error", logging.ERROR, "", 0, "Error handling request %s", ("/x?name=韦测安",), sys.exc_info()
        )

    logs.Unquoted().filter(record)

    assert logging.Formatter().format(record) == "Error handling request (ValueError)"
