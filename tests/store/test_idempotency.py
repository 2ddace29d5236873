"""One key, one effect, one answer, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.core.errors import Conflict, Inconsistent
from hub.ports import HUB_SCOPE
from hub.ports.records import Claim, StoredAnswer
from tests.store.rows import NOON

OURS, RUNNING = Claim(ours=True, answer=None), Claim(ours=False, answer=None)
ANSWER = StoredAnswer(status=201, body='{"name": "李雷"}')


def claim(store, *, participant="hospital", key="k1", fingerprint="f1", at=NOON):
    with store.begin(HUB_SCOPE) as uow:
        return uow.idempotency.claim(participant=participant, key=key, fingerprint=fingerprint, at=at, lease_seconds=60)


def finish(store, *, answer=ANSWER):
    with store.begin(HUB_SCOPE) as uow:
        uow.idempotency.finish(participant="hospital", key="k1", answer=answer, at=NOON)


def release(store, *, until=NOON + timedelta(seconds=60)):
    with store.begin(HUB_SCOPE) as uow:
        uow.idempotency.release(participant="hospital", key="k1", leased_until=until)


def at_once(count, work):
    """Run the same work in so many threads that start together."""
    start = Barrier(count)

    def run(number):
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_key_is_its_first_callers(store):
    assert claim(store) == OURS
    assert claim(store) == RUNNING


def test_of_twenty_callers_at_once_one_has_the_key(store):
    claims = at_once(20, lambda _: claim(store))

    assert sorted(found.ours for found in claims) == [False] * 19 + [True]


def test_of_twenty_callers_at_once_one_takes_over_an_ended_lease(store):
    claim(store)

    claims = at_once(20, lambda _: claim(store, at=NOON + timedelta(seconds=60)))

    assert sorted(found.ours for found in claims) == [False] * 19 + [True]


def test_callers_that_claim_and_give_back_at_once_are_all_answered(store):
    def run(_number):
        found = claim(store)
        if found.ours:
            release(store)
        return found.ours

    assert any(at_once(20, run))
    assert claim(store) == OURS


def test_a_finished_key_gives_its_answer(store):
    claim(store)
    finish(store)

    assert claim(store) == Claim(ours=False, answer=ANSWER)


def test_a_finished_key_is_never_run_again(store):
    claim(store)
    finish(store)

    assert claim(store, at=NOON + timedelta(days=365)) == Claim(ours=False, answer=ANSWER)


def test_an_answer_gives_itself_and_nothing_else_when_looked_at(store):
    with store.begin(HUB_SCOPE) as uow:
        assert uow.idempotency.look(participant="hospital", key="k1", fingerprint="f1") is None
    claim(store)
    finish(store)

    with store.begin(HUB_SCOPE) as uow:
        found = uow.idempotency.look(participant="hospital", key="k1", fingerprint="f1")

    assert found == Claim(ours=False, answer=ANSWER)


@pytest.mark.parametrize("done", [False, True])
def test_a_key_used_for_another_content_is_a_conflict(store, done):
    claim(store)
    if done:
        finish(store)

    with pytest.raises(Conflict, match="idempotency_key_reused"):
        claim(store, fingerprint="f2", at=NOON + timedelta(days=1))


def test_keys_of_two_participants_are_independent(store):
    assert claim(store, participant="hospital") == OURS
    assert claim(store, participant="agency", fingerprint="f2") == OURS


def test_a_key_given_back_can_be_claimed_by_anybody(store):
    claim(store)
    release(store)

    assert claim(store, fingerprint="f2") == OURS


def test_a_finished_key_cannot_be_given_back(store):
    claim(store)
    finish(store)
    release(store)

    assert claim(store) == Claim(ours=False, answer=ANSWER)


def test_who_lost_a_key_cannot_give_it_back(store):
    claim(store)
    claim(store, at=NOON + timedelta(seconds=60))

    release(store)

    assert claim(store) == RUNNING


def test_the_effect_of_a_runner_who_lost_his_key_does_not_stand(store):
    claim(store)
    claim(store, at=NOON + timedelta(seconds=60))
    finish(store)

    def second_effect():
        with store.begin(HUB_SCOPE) as uow:
            uow.outbox.add(topic="effect", key="second", payload={}, due_at=NOON)
            uow.idempotency.finish(participant="hospital", key="k1", answer=ANSWER, at=NOON)

    with pytest.raises(Conflict, match="idempotency_finished"):
        second_effect()
    with store.begin(HUB_SCOPE) as uow:
        assert uow.outbox.waiting() == 0


def test_an_answer_for_a_key_that_nobody_claimed_is_refused(store):
    with pytest.raises(Inconsistent, match="idempotency_not_claimed"):
        finish(store)


def test_no_answer_lies_open_in_the_database(store, owner):
    claim(store)
    finish(store)

    row = owner.execute(text("select cast(to_jsonb(idempotency.*) as text) from idempotency")).scalar_one()

    assert "李雷".encode().hex() not in row
    assert "李雷" not in row


@pytest.mark.parametrize(
    "statement",
    ["delete from idempotency", "update idempotency set status = 500", "update idempotency set body_sealed = ''"],
)
def test_an_answer_that_was_given_can_neither_be_changed_nor_taken_away(store, owner, statement):
    claim(store)
    finish(store)

    with pytest.raises(DBAPIError, match="never changed or deleted"):
        owner.execute(text(statement))
