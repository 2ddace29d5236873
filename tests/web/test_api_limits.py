"""Nobody asks too often, nobody is locked out by another, and a dead Redis stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.test import Client

from hub.ports import Participant
from hub.settings import Settings
from hub.web import limits
from tests.web.conftest import BASE, Api


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        (None, "memory://"),
        ("redis://:secret@cache:6379/0", "redis://:secret@cache:6379/1"),
        ("rediss://cache:6379", "rediss://cache:6379/1"),
        ("redis+socket:///run/hub/redis.sock?virtual_host=0", "redis+unix:///run/hub/redis.sock?db=1"),
        ("unix:///run/hub/redis.sock", "redis+unix:///run/hub/redis.sock?db=1"),
    ],
)
def test_counters_live_beside_the_queue_in_a_database_of_their_own(given: str | None, uri: str):
    assert limits.storage_uri(given) == uri


def test_refused_signatures_are_slowed_and_good_ones_are_not(api: Api, hospital: Participant):
    stranger = Client(api.app)

    statuses = [stranger.get("/v1/bills", base_url=BASE).status_code for _ in range(125)]

    assert statuses[:120] == [401] * 120
    assert set(statuses[120:]) == {429}
    assert api.send(hospital, "GET", "/v1/bills").status_code == 200


def test_a_participant_that_runs_wild_is_slowed_alone(
    api: Api, hospital: Participant, agency: Participant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "_PARTICIPANT_RATE", limits.parse("2/hour"))

    answers = [api.send(hospital, "GET", "/v1/windows") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert api.send(agency, "GET", "/v1/windows").status_code == 200


def test_an_address_forged_by_the_sender_does_not_count(api: Api):
    stranger = Client(api.app)

    statuses = {
        stranger.get("/v1/bills", base_url=BASE, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(125)
    }

    assert 429 in statuses


class TestWithoutRedis:
    @pytest.fixture
    def web_settings(self) -> Iterator[Settings]:
        yield replace(Settings.from_env({}), redis_url="redis+socket:///nowhere/redis.sock?virtual_host=0")
        limits.limiter._storage_dead = False

    def test_a_dead_redis_stops_nothing(self, api: Api, hospital: Participant):
        assert api.send(hospital, "GET", "/v1/bills").status_code == 200
