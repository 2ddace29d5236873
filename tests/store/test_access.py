"""Participants with keys and nonces, staff with sessions, rosters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from hub.core.codes import InsuranceType
from hub.core.decision import Coverage, InsuranceStatus, PersonGroup
from hub.core.errors import Conflict, Inconsistent, NotAllowed
from hub.ports import HUB_SCOPE
from hub.ports.records import Participant, Sight
from hub.store.access import NonceUse, ParticipantKey, RosterRow, StaffMember, WebSession
from hub.store.insured import SqlRoster
from tests.store.rows import CHENGDU, HAN_MEIMEI, LI_LEI, NANJING, NANJING_FIRST, NOON, QINZHOU, region_scope

AGENCY = Participant("agency-450700", Sight.REGION, QINZHOU, None, "钦州市医疗保障局")
HOSPITAL = Participant("H32010200001", Sight.INSTITUTION, NANJING, NANJING_FIRST, "南京市第一医院")
KEY = ParticipantKey("key-1", HOSPITAL.id, b"k" * 32, valid_from=NOON, valid_until=NOON + timedelta(days=365))
CLERK = StaffMember("stf-1", AGENCY.id, login="wei", name="韦", role="officer", password_hash="hash-1")
SESSION = WebSession(b"t" * 32, '{"name": "李雷"}', CLERK.id, created_at=NOON, expires_at=NOON + timedelta(hours=1))
ROW = RosterRow(QINZHOU, LI_LEI, "李雷", InsuranceStatus.NORMAL, InsuranceType.RESIDENT, PersonGroup.ADULT, 7)


@pytest.fixture
def kept(store):
    """A store with an agency, its clerk, and a hospital with a key."""
    with store.begin(HUB_SCOPE) as uow:
        uow.participants.add(AGENCY)
        uow.participants.add(HOSPITAL)
        uow.participants.add_key(KEY)
        uow.staff.add(CLERK)
    return store


def test_participants_come_back_as_they_were_kept(kept):
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.participants.get(HOSPITAL.id) == HOSPITAL
        assert uow.participants.listed() == [HOSPITAL, AGENCY]


def test_a_participant_id_is_given_once(kept):
    with kept.begin(HUB_SCOPE) as uow, pytest.raises(Conflict, match="participant_exists"):
        uow.participants.add(AGENCY)


def test_a_region_sees_its_own_participants_only(kept):
    with kept.begin(region_scope(QINZHOU)) as uow:
        assert uow.participants.listed() == [AGENCY]
    with kept.begin(region_scope(CHENGDU)) as uow:
        assert uow.participants.listed() == []


def key_at(store, moment):
    with store.begin(HUB_SCOPE) as uow:
        return uow.participants.key("key-1", at=moment)


def test_a_key_counts_from_its_first_moment_until_before_its_last(kept):
    assert key_at(kept, NOON - timedelta(microseconds=1)) is None
    assert key_at(kept, NOON) == KEY
    assert key_at(kept, NOON + timedelta(days=365)) is None


def test_an_unknown_key_is_none(kept):
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.participants.key("key-2", at=NOON) is None


def test_a_revoked_key_counts_for_nothing_at_once_and_for_ever(kept):
    with kept.begin(HUB_SCOPE) as uow:
        uow.participants.revoke_key("key-1", at=NOON + timedelta(days=1))

    assert key_at(kept, NOON) is None
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.participants.keys(HOSPITAL.id) == [replace(KEY, revoked_at=NOON + timedelta(days=1))]


def test_a_key_id_is_given_once(kept):
    with kept.begin(HUB_SCOPE) as uow, pytest.raises(Conflict, match="key_exists"):
        uow.participants.add_key(KEY)


def test_a_key_is_held_by_one_of_the_participants_own_staff(kept):
    held = ParticipantKey("key-wei", AGENCY.id, b"w" * 32, valid_from=NOON, holder=CLERK.id)
    with kept.begin(HUB_SCOPE) as uow:
        uow.participants.add_key(held)

    with kept.begin(HUB_SCOPE) as uow:
        assert uow.participants.key("key-wei", at=NOON) == held


def test_nobody_from_elsewhere_holds_a_participants_key(kept):
    foreign = replace(KEY, id="key-3", holder=CLERK.id)

    with pytest.raises(NotAllowed, match="holder_unknown"), kept.begin(HUB_SCOPE) as uow:
        uow.participants.add_key(foreign)


def use_nonce(store, *, digest=b"d1", key_id="key-1"):
    with store.begin(HUB_SCOPE) as uow:
        return uow.participants.use_nonce(
            key_id=key_id, nonce="n1", signature_digest=digest, expires_at=NOON + timedelta(minutes=10)
        )


def test_a_nonce_is_new_then_the_same_or_anothers(store):
    assert [use_nonce(store), use_nonce(store), use_nonce(store, digest=b"d2")] == [
        NonceUse.NEW,
        NonceUse.SAME,
        NonceUse.OTHER,
    ]


def test_two_keys_may_use_the_same_nonce(store):
    assert use_nonce(store) is NonceUse.NEW
    assert use_nonce(store, key_id="key-2") is NonceUse.NEW


def test_of_ten_messages_with_one_nonce_at_once_one_is_new(store):
    store.vault.prepare()
    with ThreadPoolExecutor(10) as pool:
        uses = list(pool.map(lambda _: use_nonce(store), range(10)))

    assert sorted(uses) == [NonceUse.NEW] + [NonceUse.SAME] * 9


def test_expired_nonces_are_forgotten(store):
    use_nonce(store)

    with store.begin(HUB_SCOPE) as uow:
        assert uow.participants.forget_nonces(at=NOON) == 0
        assert uow.participants.forget_nonces(at=NOON + timedelta(minutes=11)) == 1


def test_staff_come_back_as_they_were_kept(kept):
    with kept.begin(HUB_SCOPE) as uow:
        assert uow.staff.by_login("wei") == uow.staff.get("stf-1") == CLERK
        assert uow.staff.of(AGENCY.id) == [CLERK]
        assert uow.staff.by_login("nobody") is None


def test_a_login_name_is_given_once(kept):
    with pytest.raises(Conflict, match="login_taken"), kept.begin(HUB_SCOPE) as uow:
        uow.staff.add(replace(CLERK, id="stf-2"))


def test_failed_logins_are_counted_and_forgotten_after_success(kept):
    with kept.begin(HUB_SCOPE) as uow:
        uow.staff.note_failure("stf-1", locked_until=None)
        uow.staff.note_failure("stf-1", locked_until=NOON)

        assert uow.staff.by_login("wei", lock=True) == replace(CLERK, failed_count=2, locked_until=NOON)

        uow.staff.note_success("stf-1")

        assert uow.staff.get("stf-1") == CLERK


def session_at(store, moment):
    with store.begin(HUB_SCOPE) as uow:
        return uow.sessions.get(SESSION.token_digest, at=moment)


@pytest.fixture
def logged_in(kept):
    with kept.begin(HUB_SCOPE) as uow:
        uow.sessions.put(SESSION)
    return kept


def test_a_session_holds_until_it_expires(logged_in):
    assert session_at(logged_in, NOON) == SESSION
    assert session_at(logged_in, SESSION.expires_at) is None


def test_new_data_and_a_later_end_replace_those_of_a_session(logged_in):
    later = replace(SESSION, data="{}", expires_at=NOON + timedelta(hours=2))
    with logged_in.begin(HUB_SCOPE) as uow:
        uow.sessions.put(replace(later, staff_id=None))

    assert session_at(logged_in, NOON) == later


def test_nothing_of_a_session_lies_open_in_the_database(logged_in, owner):
    row = owner.execute(text("select data from web_session")).scalar_one()

    assert "李雷".encode() not in bytes(row)


def test_an_ended_session_is_gone(logged_in):
    with logged_in.begin(HUB_SCOPE) as uow:
        uow.sessions.end(SESSION.token_digest)

    assert session_at(logged_in, NOON) is None


def test_a_new_password_ends_every_session(logged_in):
    with logged_in.begin(HUB_SCOPE) as uow:
        uow.staff.set_password("stf-1", password_hash="hash-2")

        assert uow.staff.get("stf-1") == replace(CLERK, password_hash="hash-2")
    assert session_at(logged_in, NOON) is None


def test_a_new_role_ends_every_session(logged_in):
    with logged_in.begin(HUB_SCOPE) as uow:
        uow.staff.set_role("stf-1", role="auditor")

        assert uow.staff.get("stf-1") == replace(CLERK, role="auditor")
    assert session_at(logged_in, NOON) is None


def test_expired_sessions_are_forgotten(logged_in):
    with logged_in.begin(HUB_SCOPE) as uow:
        assert uow.sessions.forget_expired(at=NOON) == 0
        assert uow.sessions.forget_expired(at=SESSION.expires_at) == 1


@pytest.fixture
def roster(store):
    with store.begin(region_scope(QINZHOU)) as uow:
        uow.roster.put([ROW])
    return SqlRoster(store)


def test_a_person_on_the_roster_is_covered_as_it_says(roster):
    assert roster.find(QINZHOU, identity=LI_LEI, name="李雷", on=date(2026, 11, 2)) == Coverage(
        insuring_region=QINZHOU,
        status=InsuranceStatus.NORMAL,
        insurance_type=InsuranceType.RESIDENT,
        group=PersonGroup.ADULT,
        membership_years=7,
    )


@pytest.mark.parametrize(
    ("region", "identity", "name"),
    [(QINZHOU, LI_LEI, "韩梅梅"), (QINZHOU, HAN_MEIMEI, "李雷"), (CHENGDU, LI_LEI, "李雷")],
)
def test_a_person_is_known_by_region_number_and_name_together(roster, region, identity, name):
    assert roster.find(region, identity=identity, name=name, on=date(2026, 11, 2)) is None


def test_a_newer_row_of_a_roster_replaces_the_older(store, roster):
    with store.begin(region_scope(QINZHOU)) as uow:
        uow.roster.put([replace(ROW, status=InsuranceStatus.SUSPENDED)])

    found = roster.find(QINZHOU, identity=LI_LEI, name="李雷", on=date(2026, 11, 2))

    assert found is not None
    assert found.status is InsuranceStatus.SUSPENDED


def test_a_region_cannot_write_into_the_roster_of_another(store):
    with pytest.raises(Inconsistent, match="not_permitted"), store.begin(region_scope(CHENGDU)) as uow:
        uow.roster.put([ROW])
