"""Transactions: who looks holds for one only, errors become the hub's own, data keys are made once."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hub.core.errors import Inconsistent, NotAllowed, Unreachable
from hub.ports import HUB_SCOPE
from hub.store.data_keys import keep_data_key, rewrap_data_keys
from hub.store.engine import forget_connections, open_store
from hub.vault import KeyRing
from tests.store.rows import LI_LEI, NOON, QINZHOU, person


def test_an_exception_rolls_everything_back(store):
    def fail():
        with store.begin(HUB_SCOPE) as uow:
            uow.persons.add(person())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with store.begin(HUB_SCOPE) as uow:
        assert uow.persons.get("per-1") is None


def test_who_looked_is_forgotten_with_the_transaction(database, key_ring):
    narrow = open_store(database.app_url, key_ring, pool_size=1)
    with narrow.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

    with narrow.engine.begin() as connection:
        assert connection.execute(text("select count(*) from person")).scalar_one() == 0
    narrow.engine.dispose()


def test_a_transaction_has_time_limits_and_tells_time_in_utc(store):
    with store.begin(HUB_SCOPE) as uow:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
        settings = [uow.connection.execute(text(f"show {name}")).scalar_one() for name in names]

    assert settings == ["30s", "10s", "1min", "UTC"]


@pytest.mark.parametrize("state", ["40001", "40P01", "57014", "55P03"])
def test_what_may_work_at_the_next_try_is_unreachable_for_now(store, state):
    with pytest.raises(Unreachable) as caught, store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(text(f"do $$ begin raise exception 'x' using errcode = '{state}'; end $$"))

    assert caught.value.transient


def look_over_a_broken_line(store):
    """Ask something after the socket under the connection was shut."""
    with store.begin(HUB_SCOPE) as uow:
        cut_off(uow.connection)
        uow.persons.get("per-1")


def cut_off(connection):
    with socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def test_a_lost_connection_is_unreachable_for_now_and_the_next_one_works(store):
    with pytest.raises(Unreachable) as caught:
        look_over_a_broken_line(store)

    assert caught.value.transient
    assert store.is_alive()


def test_a_connection_that_died_in_the_pool_is_not_noticed_by_the_next_transaction(database, key_ring):
    narrow = open_store(database.app_url, key_ring, pool_size=1)
    with narrow.begin(HUB_SCOPE) as uow:
        line = uow.connection.connection.driver_connection.fileno()
    with socket.socket(fileno=os.dup(line)) as broken:
        broken.shutdown(socket.SHUT_RDWR)

    with narrow.begin(HUB_SCOPE) as uow:
        assert uow.persons.get("per-1") is None
    narrow.engine.dispose()


def test_a_database_that_is_not_there_is_unreachable(key_ring):
    away = open_store("postgresql+psycopg://nobody@/none?host=/nowhere", key_ring)

    with pytest.raises(Unreachable), away.begin(HUB_SCOPE):
        pass
    assert not away.is_alive()


def test_a_broken_constraint_is_named_without_quoting_the_row(store):
    with pytest.raises(Inconsistent, match="institution_level_check") as caught, store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(
            text("insert into institution values ('H32010200001', '320102', 'a name', '9', '2026-01-01')")
        )

    assert "a name" not in str(caught.value)


@pytest.mark.parametrize("spoilt", ["a\x00b", "a\ud800b"])
def test_a_text_that_cannot_be_kept_is_refused(store, spoilt):
    with pytest.raises(NotAllowed, match="text_unstorable"), store.begin(HUB_SCOPE) as uow:
        uow.audit.write(actor=spoilt, action="x", subject="y", at=NOON, facts={})


def test_an_error_does_not_quote_its_parameters(store):
    with pytest.raises(DBAPIError) as caught, store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(text("select cast(:number as integer) / 0, :secret"), {"number": 1, "secret": "李雷"})

    assert "李雷" not in str(caught.value)


def test_many_processes_that_start_at_once_share_their_first_data_keys(database, key_ring):
    stores = [open_store(database.app_url, key_ring, pool_size=1) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        indexes = list(pool.map(lambda one: one.vault.blind_index("a", column="c"), stores))
    for one in stores:
        one.engine.dispose()

    assert len(set(indexes)) == 1


def test_the_keys_of_the_key_file_are_exchanged_without_touching_a_sealed_value(database, owner):
    old, new = KeyRing({"old": b"o" * 32}), KeyRing({"new": b"n" * 32, "old": b"o" * 32})
    before = open_store(database.app_url, old)
    with before.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
    both = open_store(database.app_url, new)
    both.vault.prepare()

    assert rewrap_data_keys(owner, both.vault) == 2
    owner.commit()
    assert rewrap_data_keys(owner, both.vault) == 0

    after = open_store(database.app_url, KeyRing({"new": b"n" * 32}))
    with after.begin(HUB_SCOPE) as uow:
        assert uow.persons.find(QINZHOU, LI_LEI) == person()
    for one in (before, both, after):
        one.engine.dispose()


def test_a_new_data_key_seals_and_the_old_one_still_opens(database, store, key_ring):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
        keep_data_key(uow.connection, store.vault.new_data_key())

    fresh = open_store(database.app_url, key_ring)
    with fresh.begin(HUB_SCOPE) as uow:
        uow.persons.set_phone("per-1", "13900139000")
    fresh.engine.dispose()

    with store.begin(HUB_SCOPE) as uow:
        found = uow.persons.get("per-1")
    assert found is not None
    assert (found.name, found.phone) == ("李雷", "13900139000")


def test_a_child_process_opens_connections_of_its_own(store):
    with store.begin(HUB_SCOPE) as uow:
        parents = uow.connection.execute(text("select pg_backend_pid()")).scalar_one()

    read, write = os.pipe()
    child = os.fork()
    if not child:
        forget_connections(store.engine)
        with store.begin(HUB_SCOPE) as uow:
            os.write(write, str(uow.connection.execute(text("select pg_backend_pid()")).scalar_one()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    childs = int(os.read(read, 20))
    os.close(read)
    os.close(write)

    assert childs != parents
    with store.begin(HUB_SCOPE) as uow:
        assert uow.connection.execute(text("select pg_backend_pid()")).scalar_one() == parents


def test_the_owner_sees_what_the_application_wrote(database, store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

    engine = create_engine(database.owner_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from person")).scalar_one() == 1
