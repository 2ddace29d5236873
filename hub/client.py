"""A signing client of the REST interface, for hospitals, agencies, the demonstration and the tests.

Knows addresses, signatures and when trying again is safe. Must not know rules, nor anything of the hub's inside.
Sources: the OpenAPI document; RFC 9421. Answers are plain dictionaries in the form of the schemas.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import orjson
import requests

from hub.clock import SystemClock
from hub.ports import Clock
from hub.web.signing import sign

Json = dict[str, Any]

AGAIN_STATUSES = frozenset({429, 502, 503, 504})
"""The hub, or what stands before it, asks to send the same message again."""

STILL_RUNNING = "idempotency_still_running"

LONGEST_WAIT_SECONDS = 10.0


class Problem(Exception):
    """The hub refused a message; `code` is stable, `faults` name each field."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", ""))
        self.detail = str(body.get("detail", ""))
        self.faults: list[Json] = list(body.get("faults", ()))
        self.facts: Json = dict(body.get("facts", {}))
        self.request_id = str(body.get("request_id", ""))
        super().__init__(f"{status} {self.code}: {self.detail}")


class HubClient:
    """One participant's way to the hub. Not for several threads at once: give each its own.

    `private_key` is a path to a PEM file or its bytes. Reads, and writes under their idempotency key, are sent again
    when the connection breaks or the hub asks for it, each time newly signed, at most `tries` times.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_id: str,
        private_key: bytes | str | Path,
        clock: Clock | None = None,
        tries: int = 4,
        timeout_seconds: float = 30.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._key_id = key_id
        self._pem = private_key if isinstance(private_key, bytes) else Path(private_key).read_bytes()
        self._clock = clock or SystemClock()
        self._tries = tries
        self._timeout = timeout_seconds
        self._pause = pause
        self._session = requests.Session()
        # The machine's proxy settings and netrc are not meant for a hospital's way to the hub.
        self._session.trust_env = False

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- registrations --------------------------------------------------------------------------------------

    def file_registration(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/registrations", body, idempotency_key)

    def registration(self, registration_id: str) -> Json:
        return self._get(f"/v1/registrations/{quote(registration_id, safe='')}")

    def registrations(self, **query: str) -> Iterator[Json]:
        """All registrations that the sender sees, page by page."""
        return self._all("/v1/registrations", query)

    def decide_registration(
        self, registration_id: str, *, approve: bool, reason: str = "", idempotency_key: str | None = None
    ) -> Json:
        path = f"/v1/registrations/{quote(registration_id, safe='')}/decision"
        return self._post(path, {"approve": approve, "reason": reason}, idempotency_key)

    def cancel_registration(self, registration_id: str, *, reason: str, idempotency_key: str | None = None) -> Json:
        path = f"/v1/registrations/{quote(registration_id, safe='')}/cancel"
        return self._post(path, {"reason": reason}, idempotency_key)

    # --- stays and bills ------------------------------------------------------------------------------------

    def record_admission(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/admissions", body, idempotency_key)

    def admission(self, admission_id: str) -> Json:
        return self._get(f"/v1/admissions/{quote(admission_id, safe='')}")

    def withdraw_admission(self, admission_id: str, *, reason: str, idempotency_key: str | None = None) -> Json:
        path = f"/v1/admissions/{quote(admission_id, safe='')}/withdraw"
        return self._post(path, {"reason": reason}, idempotency_key)

    def quote_bill(self, body: Json) -> Json:
        """What a settlement would give now; books nothing."""
        return self._call("POST", "/v1/bills/quote", body=body)

    def settle_bill(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/bills", body, idempotency_key)

    def bill(self, bill_id: str) -> Json:
        return self._get(f"/v1/bills/{quote(bill_id, safe='')}")

    def bills(self, **query: str) -> Iterator[Json]:
        """All bills that the sender sees, page by page; `day` or `period` narrows them."""
        return self._all("/v1/bills", query)

    def cancel_bill(self, bill_id: str, *, reason: str, idempotency_key: str | None = None) -> Json:
        return self._post(f"/v1/bills/{quote(bill_id, safe='')}/cancel", {"reason": reason}, idempotency_key)

    def report_day(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/day-reports", body, idempotency_key)

    # --- catalogs -------------------------------------------------------------------------------------------

    def search_catalog(self, kind: str, words: str, *, limit: int = 20) -> list[Json]:
        found: list[Json] = self._get(f"/v1/catalogs/{kind}", {"q": words, "limit": str(limit)})["items"]
        return found

    def catalog_entry(self, kind: str, code: str) -> Json:
        return self._get(f"/v1/catalogs/{kind}/{quote(code, safe='')}")

    def regional_item(self, region: str, kind: str, code: str, *, on: date | None = None) -> Json:
        query = {"on": on.isoformat()} if on else {}
        return self._get(f"/v1/catalogs/regions/{region}/{kind}/{quote(code, safe='')}", query)

    def newer_entries(self, kind: str, *, since: int = 0) -> tuple[int, list[Json]]:
        """The unified entries newer than a version, and the version to ask from next time."""
        return self._newer(f"/v1/catalogs/downloads/unified/{kind}", since)

    def newer_codes(self, kind: str, *, since: int = 0) -> tuple[int, list[Json]]:
        """What one's own region's catalog says otherwise than at a version, and the version to ask from next time."""
        return self._newer(f"/v1/catalogs/downloads/own/{kind}", since)

    # --- the mapping workbench ------------------------------------------------------------------------------

    def waiting(self, **query: str) -> list[Json]:
        """Codes of open bills that wait for an entry or a mapping, the most money first; `kind`, `offset`, `limit`."""
        found: list[Json] = self._get("/v1/mappings/queue", query)["items"]
        return found

    def coverage(self, *, on: date | None = None) -> list[Json]:
        found: list[Json] = self._get("/v1/mappings/coverage", {"on": on.isoformat()} if on else {})["items"]
        return found

    def local_code(self, kind: str, code: str) -> Json:
        """One local code of one's own region: what holds when, its history, candidates."""
        return self._get("/v1/mappings/code", {"kind": kind, "code": code})

    def changes(self, **query: str) -> Iterator[Json]:
        """All changes of one's own region's catalog, page by page; `state` and `kind` narrow them."""
        return self._all("/v1/mappings/changes", query)

    def change(self, change_id: str) -> Json:
        return self._get(self._change_path(change_id))

    def propose_mapping(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/mappings/changes", body, idempotency_key)

    def propose_entry(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        return self._post("/v1/mappings/entries", body, idempotency_key)

    def review_change(
        self, change_id: str, *, approve: bool, reason: str = "", idempotency_key: str | None = None
    ) -> Json:
        body = {"approve": approve, "reason": reason}
        return self._post(self._change_path(change_id, "/review"), body, idempotency_key)

    def withdraw_change(self, change_id: str, *, reason: str, idempotency_key: str | None = None) -> Json:
        return self._post(self._change_path(change_id, "/withdraw"), {"reason": reason}, idempotency_key)

    def propose_undo(self, change_id: str, *, reason: str, idempotency_key: str | None = None) -> Json:
        return self._post(self._change_path(change_id, "/undo"), {"reason": reason}, idempotency_key)

    def review_undo(
        self, change_id: str, *, approve: bool, reason: str = "", idempotency_key: str | None = None
    ) -> Json:
        body = {"approve": approve, "reason": reason}
        return self._post(self._change_path(change_id, "/undo-review"), body, idempotency_key)

    def propose_above(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose the best candidates above a score, at most 500 at a time."""
        return self._post("/v1/mappings/bulk-proposals", body, idempotency_key)

    def approve_above(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        """Approve colleagues' proposals above a score, at most 500 at a time."""
        return self._post("/v1/mappings/bulk-reviews", body, idempotency_key)

    def impact_of_mapping(self, body: Json) -> Json:
        """What a mapping would move; proposes nothing."""
        return self._call("POST", "/v1/mappings/impact", body=body)

    def impact_of_entry(self, body: Json) -> Json:
        """What another entry would move; proposes nothing."""
        return self._call("POST", "/v1/mappings/entries/impact", body=body)

    def impact_of_change(self, change_id: str) -> Json:
        return self._get(self._change_path(change_id, "/impact"))

    # --- clearing -------------------------------------------------------------------------------------------

    def windows(self) -> list[Json]:
        found: list[Json] = self._get("/v1/windows")["items"]
        return found

    def matrix(self, regime: str, period: str) -> Json:
        return self._get(f"/v1/windows/{regime}/{period}/matrix")

    def statements(self, **query: str) -> Iterator[Json]:
        """All statements addressed to the sender, page by page; `regime` and `period` narrow them."""
        return self._all("/v1/statements", query)

    def statement(self, statement_id: str, *, form: str = "json") -> bytes:
        """The bytes of a statement, as `json` or `csv`."""
        answer = self._send("GET", f"/v1/statements/{quote(statement_id, safe='')}", query={"format": form})
        return answer.content

    # --- sending --------------------------------------------------------------------------------------------

    def _newer(self, path: str, since: int) -> tuple[int, list[Json]]:
        """All pages; the version is that of the first, since a code may change after its page was read."""
        page = self._get(path, {"since": str(since)})
        version, items = int(page["version"]), list(page["items"])
        while page["next"] is not None:
            page = self._get(path, {"since": str(since), "after": page["next"]})
            items += page["items"]
        return version, items

    def _change_path(self, change_id: str, ending: str = "") -> str:
        return f"/v1/mappings/changes/{quote(change_id, safe='')}{ending}"

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        return self._call("GET", path, query=query)

    def _post(self, path: str, body: Json, idempotency_key: str | None) -> Json:
        return self._call("POST", path, body=body, key=idempotency_key or f"auto-{secrets.token_hex(16)}")

    def _all(self, path: str, query: Mapping[str, str]) -> Iterator[Json]:
        after = ""
        while True:
            page = self._get(path, {**query, **({"after": after} if after else {})})
            yield from page["items"]
            after = page["next"]
            if not after:
                return

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        key: str | None = None,
    ) -> Json:
        found: Json = self._send(method, path, query=query, body=body, key=key).json()
        return found

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        key: str | None = None,
    ) -> requests.Response:
        """Send until there is an answer that trying again would not change. Raises Problem for a refusal."""
        left = self._tries
        while True:
            left -= 1
            try:
                answer = self._once(method, path, query=query, body=body, key=key)
            except (requests.ConnectionError, requests.Timeout):
                if not left:
                    raise
                wait = self._growing(left)
            else:
                if answer.ok:
                    return answer
                problem = _problem(answer)
                again = answer.status_code in AGAIN_STATUSES or problem.code == STILL_RUNNING
                if not again or not left:
                    raise problem
                wait = _asked_wait(answer) or self._growing(left)
            self._pause(min(wait, LONGEST_WAIT_SECONDS))

    def _once(
        self, method: str, path: str, *, query: Mapping[str, str] | None, body: Json | None, key: str | None
    ) -> requests.Response:
        data = orjson.dumps(body) if body is not None else b""
        headers = {"Accept": "application/json, text/csv, application/problem+json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        request = requests.Request(method, self._base + path, params=query or None, data=data or None, headers=headers)
        prepared = self._session.prepare_request(request)
        sign(
            prepared,
            key_id=self._key_id,
            private_pem=self._pem,
            nonce=secrets.token_urlsafe(18),
            at=self._clock.now(),
            body=data,
        )
        return self._session.send(prepared, timeout=self._timeout, allow_redirects=False)

    def _growing(self, left: int) -> float:
        return 0.1 * 2.0 ** (self._tries - left - 1)


def _problem(answer: requests.Response) -> Problem:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return Problem(answer.status_code, body if isinstance(body, dict) else {})


def _asked_wait(answer: requests.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
