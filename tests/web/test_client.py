"""The signing client: sends again where that is safe, each time newly signed, and tells refusals apart."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from hub import vault
from hub.client import HubClient, Problem
from tests.web.conftest import BASE
from tests.world import START, StandingClock


class Scripted(BaseAdapter):
    """Answers as told; an exception is raised instead."""

    def __init__(self, *script: Any) -> None:
        super().__init__()
        self._script = iter(script)
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.seen.append(request)
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        status, body, *headers = step
        answer = requests.Response()
        answer.status_code = status
        answer.headers.update(headers[0] if headers else {})
        answer.raw = io.BytesIO(body)
        answer._content = body
        return answer

    def close(self) -> None:
        """Nothing is open."""


def client(*script: Any) -> tuple[HubClient, Scripted, list[float]]:
    pauses: list[float] = []
    found = HubClient(
        BASE,
        key_id="key-1",
        private_key=vault.generate_signing_key(),
        clock=StandingClock(START),
        pause=pauses.append,
    )
    adapter = Scripted(*script)
    found._session.mount(BASE, adapter)
    return found, adapter, pauses


def test_a_broken_line_is_tried_again_under_the_same_key_with_a_new_signature():
    hub, line, pauses = client(requests.ConnectionError(), requests.Timeout(), (201, b'{"id": "bil-1"}'))

    assert hub.settle_bill({"bill_no": "B1"}) == {"id": "bil-1"}

    assert len({request.headers["Idempotency-Key"] for request in line.seen}) == 1
    assert len({request.headers["Signature"] for request in line.seen}) == 3
    assert pauses == [0.1, 0.2]


def test_a_wait_that_the_hub_asks_for_is_kept():
    hub, _, pauses = client(
        (503, b"{}", {"Retry-After": "5"}), (429, b"{}", {"Retry-After": "1"}), (200, b'{"items": []}')
    )

    assert hub.windows() == []

    assert pauses == [5.0, 1.0]


def test_a_message_that_still_runs_is_asked_for_again():
    running = b'{"code": "idempotency_still_running"}'
    hub, _, _ = client((409, running), (201, b'{"id": "bil-1"}'))

    assert hub.settle_bill({}, idempotency_key="my-own-key") == {"id": "bil-1"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_refusal_is_told_at_once_with_its_faults(status: int):
    fault = {"where": "total", "code": "total_differs", "message": "…"}
    body = json.dumps({"code": "bill_faulty", "detail": "mend it", "faults": [fault]}).encode()
    hub, line, pauses = client((status, body))

    with pytest.raises(Problem) as refused:
        hub.settle_bill({})

    assert (refused.value.status, refused.value.code, refused.value.faults) == (status, "bill_faulty", [fault])
    assert (len(line.seen), pauses) == (1, [])


def test_the_last_failure_is_told_when_trying_again_did_not_help():
    hub, line, _ = client(*[requests.ConnectionError()] * 4)

    with pytest.raises(requests.ConnectionError):
        hub.windows()

    assert len(line.seen) == 4


def test_an_answer_of_something_else_than_the_hub_is_a_problem_too():
    hub, _, _ = client((404, b"<html>proxy</html>"))

    with pytest.raises(Problem) as refused:
        hub.windows()

    assert refused.value.status == 404
