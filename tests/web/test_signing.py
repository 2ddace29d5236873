"""Attack table, rows 2 to 6: a message counts only as it was signed, by whom it was signed, and once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from hub import vault
from hub.core.errors import Unreachable
from hub.ports import HUB_SCOPE, Participant
from hub.store.access import ParticipantKey
from hub.web import signing
from tests.web.conftest import Api
from tests.web.test_api_bills import admission, bill
from tests.world import HUANGSHAN, QINZHOU, START

Change = Callable[[requests.PreparedRequest], None]


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def header(name: str, value: str) -> Change:
    return lambda request: request.headers.__setitem__(name, value)


def without(name: str) -> Change:
    return lambda request: request.headers.pop(name)


def replaced(name: str, old: str, new: str) -> Change:
    def change(request: requests.PreparedRequest) -> None:
        assert old in request.headers[name]
        request.headers[name] = request.headers[name].replace(old, new)

    return change


def wrote_nothing(api: Api) -> bool:
    return not any(api.count(table) for table in ("nonce", "idempotency", "visit", "person", "audit"))


def test_a_signed_message_is_let_in(api: Api, hospital: Participant):
    assert api.send(hospital, "POST", "/v1/admissions", admission()).status_code == 201


def test_an_unsigned_message_is_told_to_sign_and_writes_nothing(api: Api):
    answer = api.app.test_client().post("/v1/admissions", json=admission(), headers={"Idempotency-Key": "k" * 8})

    assert answer.status_code == 401
    assert answer.json["code"] == "signature_missing"
    assert answer.headers["WWW-Authenticate"].startswith("Signature")
    assert wrote_nothing(api)


# --- row 4: altered on the way ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda request: setattr(request, "body", request.body.replace(b"ordinary", b"transfer")),
        lambda request: setattr(request, "url", request.url.replace("/admissions", "/bills")),
        lambda request: setattr(request, "url", request.url + "?x=1"),
        lambda request: setattr(request, "url", request.url + "?"),
        header("Content-Type", "application/json; charset=utf-8"),
        header("Idempotency-Key", "key-00000002"),
        without("Idempotency-Key"),
        without("Content-Digest"),
        header("Content-Digest", "sha-256=:" + "A" * 43 + "=:"),
        header("Host", "127.0.0.1"),
    ],
    ids=["body", "path", "query", "empty query", "content type", "key", "no key", "no digest", "digest", "host"],
)
def test_a_message_altered_after_signing_is_refused_and_writes_nothing(api: Api, hospital: Participant, change: Change):
    assert api.send(hospital, "POST", "/v1/admissions", admission(), change=change).status_code == 401

    assert wrote_nothing(api)


def test_another_method_than_the_signed_one_is_refused(api: Api, agency: Participant):
    answer = api.send(agency, "GET", "/v1/bills", change=lambda request: setattr(request, "method", "HEAD"))

    assert answer.status_code == 401


def test_a_key_added_on_the_way_is_refused(api: Api, hospital: Participant):
    answer = api.send(
        hospital, "POST", "/v1/admissions", admission(), key=None, change=header("Idempotency-Key", "key-00000001")
    )

    assert code(answer) == (401, "signature_invalid")


# --- row 5: a weaker or foreign signature -------------------------------------------------------------------


@pytest.mark.parametrize(
    "component", ["@method", "@authority", "@target-uri", "content-digest", "content-type", "idempotency-key"]
)
def test_a_signature_that_covers_less_is_refused(
    api: Api, hospital: Participant, component: str, monkeypatch: pytest.MonkeyPatch
):
    for name in ("ALWAYS_COVERED", "BODY_COVERED"):
        monkeypatch.setattr(signing, name, tuple(one for one in getattr(signing, name) if one != component))
    monkeypatch.setattr(signing, "KEY_COVERED", "x-none" if component == "idempotency-key" else signing.KEY_COVERED)

    def arrive(request: requests.PreparedRequest) -> None:
        assert f'"{component}"' not in request.headers["Signature-Input"]
        monkeypatch.undo()

    answer = api.send(hospital, "POST", "/v1/admissions", admission(), change=arrive)

    assert code(answer) == (401, "signature_invalid")
    assert wrote_nothing(api)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        ('alg="ed25519"', 'alg="none"'),
        ('tag="offsite-care-hub"', 'tag="another"'),
        (';tag="offsite-care-hub"', ""),
        ("key-hos-450700", "key-hos-341000"),
        ("key-hos-450700", "key-of-nobody"),
        ("hub=", "other="),
        ('"@method"', '"@method" "@method"'),
        ("created=1792458000", "created=1792458001"),
        (";created=1792458000", ""),
        ("created=1792458000", "created=99999999999999"),
        (";tag=", ";spy=1;tag="),
    ],
)
def test_other_parameters_than_the_signed_ones_are_refused(api: Api, hospital: Participant, old: str, new: str):
    answer = api.send(hospital, "POST", "/v1/admissions", admission(), change=replaced("Signature-Input", old, new))

    assert answer.status_code == 401
    assert wrote_nothing(api)


def test_two_signatures_are_refused(api: Api, hospital: Participant):
    def twice(request: requests.PreparedRequest) -> None:
        for name in ("Signature", "Signature-Input"):
            one = request.headers[name]
            request.headers[name] = f"{one}, {one.replace('hub=', 'second=')}"

    assert api.send(hospital, "POST", "/v1/admissions", admission(), change=twice).status_code == 401


@pytest.mark.parametrize("nonce", ["short", "x" * 129])
def test_a_nonce_has_a_length(api: Api, hospital: Participant, nonce: str):
    assert code(api.send(hospital, "GET", "/v1/bills", nonce=nonce)) == (401, "signature_nonce")


def test_a_revoked_key_counts_for_nothing_at_once(api: Api, hospital: Participant):
    assert api.send(hospital, "GET", "/v1/bills").status_code == 200

    with api.world.store.begin(HUB_SCOPE) as uow:
        uow.participants.revoke_key("key-hos-450700", at=api.world.now)

    assert code(api.send(hospital, "GET", "/v1/bills")) == (401, "signature_invalid")


def test_two_keys_live_side_by_side_until_the_old_one_ends(api: Api, hospital: Participant):
    old = vault.generate_signing_key()
    key = ParticipantKey(
        "key-old", hospital.id, vault.public_key_bytes(old), START, valid_until=START + timedelta(days=1)
    )
    with api.world.store.begin(HUB_SCOPE) as uow:
        uow.participants.add_key(key)
    api.keys["old"] = old
    sender = Participant("old", hospital.sight, hospital.region, hospital.institution, "")

    assert api.send(sender, "GET", "/v1/bills").status_code == 200
    assert api.send(hospital, "GET", "/v1/bills").status_code == 200

    api.world.clock.moment += timedelta(days=1)
    assert api.send(sender, "GET", "/v1/bills").status_code == 401


# --- row 3: replayed ----------------------------------------------------------------------------------------


def test_a_reading_message_is_read_once(api: Api, hospital: Participant):
    assert code(api.send(hospital, "GET", "/v1/bills", times=2)) == (401, "nonce_reused")


def test_a_writing_message_replayed_to_the_letter_gets_the_first_answer_only(api: Api, hospital: Participant):
    first = api.send(hospital, "POST", "/v1/admissions", admission(), nonce="n" * 16)
    again = api.send(hospital, "POST", "/v1/admissions", admission(), nonce="n" * 16)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert api.count("visit") == 1


def test_a_replayed_message_that_failed_before_is_never_run(
    api: Api, hospital: Participant, monkeypatch: pytest.MonkeyPatch
):
    """The person is unknown at first; when the agency has mended that, a wiretapper's copy must not admit anybody."""
    monkeypatch.setattr("hub.actions.once.COPY_GRACE_SECONDS", 0.1)
    unknown = admission(name="黄测柏")
    assert api.send(hospital, "POST", "/v1/admissions", unknown, nonce="n" * 16).status_code == 422

    again = api.send(hospital, "POST", "/v1/admissions", unknown, nonce="n" * 16)

    assert code(again) == (409, "idempotency_still_running")
    assert api.count("visit") == 0


def test_a_used_nonce_on_another_message_is_refused(api: Api, hospital: Participant):
    api.send(hospital, "POST", "/v1/admissions", admission(), nonce="n" * 16)

    other = api.send(hospital, "POST", "/v1/admissions", admission("V2"), nonce="n" * 16, key="key-00000002")

    assert code(other) == (401, "nonce_reused")
    assert api.count("visit") == 1


def test_an_old_body_under_a_new_nonce_gets_the_stored_answer(api: Api, hospital: Participant):
    first = api.send(hospital, "POST", "/v1/admissions", admission())
    again = api.send(hospital, "POST", "/v1/admissions", admission())

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.parametrize(("shift", "status"), [(329, 200), (331, 401), (-29, 200), (-31, 401)])
def test_a_signature_is_believed_for_five_minutes_and_half_a_minute_of_skew(
    api: Api, agency: Participant, shift: int, status: int
):
    def later(_request: requests.PreparedRequest) -> None:
        api.world.clock.moment += timedelta(seconds=shift)

    assert api.send(agency, "GET", "/v1/bills", change=later).status_code == status


# --- row 2: another's name ----------------------------------------------------------------------------------


def test_a_hospital_that_names_another_hospital_is_refused_and_nothing_is_written(api: Api, hospital: Participant):
    answers = [
        api.send(hospital, "POST", path, body)
        for path, body in (
            ("/v1/admissions", admission(institution="H34100200001")),
            ("/v1/bills", bill(institution="H34100200001")),
            ("/v1/bills/quote", bill(institution="H34100200001")),
            ("/v1/day-reports", {"institution": "H34100200001", "day": "2026-10-20", "bookings": []}),
        )
    ]

    assert {code(answer) for answer in answers} == {(403, "not_the_sender")}
    assert wrote_nothing(api)


def test_an_agency_files_for_its_own_insured_only(api: Api):
    body = {"insuring_region": "450700", "care_region": "341000"}

    assert code(api.send(api.world.agency(HUANGSHAN), "POST", "/v1/registrations", body)) == (403, "not_the_sender")
    assert wrote_nothing(api)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/bills"), ("POST", "/v1/admissions"), ("POST", "/v1/day-reports")]
)
def test_an_agency_does_not_do_a_hospitals_work(api: Api, agency: Participant, method: str, path: str):
    assert code(api.send(agency, method, path, admission())) == (403, "role_not_allowed")
    assert wrote_nothing(api)


# --- row 6: one key, one effect -----------------------------------------------------------------------------


def test_a_key_is_required_and_has_a_form(api: Api, hospital: Participant):
    send = lambda key: code(api.send(hospital, "POST", "/v1/admissions", admission(), key=key))  # noqa: E731

    assert send(None) == (400, "idempotency_key_missing")
    assert send("short") == (400, "idempotency_key_malformed")
    assert send("k" * 129) == (400, "idempotency_key_malformed")
    assert wrote_nothing(api)


def test_a_key_used_for_another_content_is_refused(api: Api, hospital: Participant):
    api.send(hospital, "POST", "/v1/admissions", admission())

    assert code(api.send(hospital, "POST", "/v1/admissions", admission("V2"))) == (422, "idempotency_key_reused")


def test_blanks_and_order_of_a_body_do_not_make_it_another(api: Api, hospital: Participant):
    api.send(hospital, "POST", "/v1/admissions", admission())
    turned = json.dumps(dict(reversed(admission().items())), indent=3).encode()

    assert api.send(hospital, "POST", "/v1/admissions", raw=turned).headers["Idempotency-Replayed"] == "true"


def test_the_same_key_of_another_participant_is_another_key(api: Api, hospital: Participant):
    other = api.world.hospital(HUANGSHAN)
    first = api.send(hospital, "POST", "/v1/admissions", admission())
    report = {"institution": "H34100200001", "day": "2026-10-20", "bookings": []}
    second = api.send(other, "POST", "/v1/day-reports", report)

    assert (first.status_code, second.status_code) == (201, 200)


def test_twenty_copies_to_the_letter_at_once_have_one_effect_and_equal_answers(api: Api, hospital: Participant):
    """One signature, sent twenty times before the first is answered: one settles, the others learn its answer."""
    api.world.register("Huang", QINZHOU)
    api.send(hospital, "POST", "/v1/admissions", admission())

    def settle(_: int) -> requests.Response:
        return api.send(hospital, "POST", "/v1/bills", bill(), key="settle-once", nonce="one-nonce-for-all")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(settle, range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert api.count("bill") == 1


def test_twenty_at_once_under_one_key_have_one_effect(api: Api, hospital: Participant):
    api.world.register("Huang", QINZHOU)
    api.send(hospital, "POST", "/v1/admissions", admission())

    def settle(_: int) -> requests.Response:
        return api.send(hospital, "POST", "/v1/bills", bill(), key="settle-once")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(settle, range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert api.count("bill") == 1


def test_a_database_that_is_away_is_no_fault_of_the_signature(api: Api, hospital: Participant, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise Unreachable("database_unreachable", "the database cannot be reached", transient=True)

    monkeypatch.setattr(api.app.extensions["hub"].access.keys, "find", away)

    answer = api.send(hospital, "GET", "/v1/bills")

    assert code(answer) == (503, "database_unreachable")
    assert answer.headers["Retry-After"]
