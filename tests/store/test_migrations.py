"""The schema grows along one line, and running it again changes nothing."""

from __future__ import annotations

from datetime import date

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from hub.store.engine import open_store
from hub.store.migrate import downgrade, heads, is_current, present_revision, upgrade
from tests.builders import Stay, noon, person, settled_bill


def connected(url):
    return create_engine(url, poolclass=NullPool).connect()


def test_there_is_one_newest_revision():
    assert len(heads()) == 1


def test_an_empty_database_has_no_revision(empty_database):
    with connected(empty_database.owner_url) as connection:
        assert present_revision(connection) is None
        assert not is_current(connection)


def test_migrations_bring_an_empty_database_up_to_date(empty_database):
    upgrade(empty_database.owner_url)

    with connected(empty_database.owner_url) as connection:
        assert is_current(connection)


def test_migrating_again_changes_nothing(empty_database):
    upgrade(empty_database.owner_url)
    before = fingerprint(empty_database)

    upgrade(empty_database.owner_url)

    assert fingerprint(empty_database) == before


def test_every_migration_can_be_undone_and_done_again(empty_database):
    upgrade(empty_database.owner_url)
    before = fingerprint(empty_database)

    downgrade(empty_database.owner_url, revision="base")
    upgrade(empty_database.owner_url)

    assert [kind for kind, _, _ in fingerprint(empty_database)] == [kind for kind, _, _ in before]


def test_undoing_all_leaves_no_table_and_no_function(empty_database):
    upgrade(empty_database.owner_url)

    downgrade(empty_database.owner_url, revision="base")

    assert [name for _, name, _ in fingerprint(empty_database)] == ["alembic_version", "alembic_version_pkc"]


def test_lines_of_bills_settled_before_are_found_to_wait(empty_database, key_ring):
    upgrade(empty_database.owner_url)
    store = open_store(empty_database.app_url, key_ring)
    settled_bill(store, Stay(1, person(1), noon(date(2026, 10, 12)), in_policy="100.00", self_pay="20.00"))
    store.engine.dispose()
    before = waiting(empty_database)

    downgrade(empty_database.owner_url, revision="0004")
    upgrade(empty_database.owner_url)

    assert waiting(empty_database) == before
    assert [(line.code, line.amount_fen) for line in before] == [("FW999", 2000)]


def waiting(database):
    with connected(database.owner_url) as connection:
        return connection.execute(text("select * from waiting_line")).all()


def fingerprint(database):
    """Every relation and function of the schema, with the transaction that last touched it."""
    with connected(database.owner_url) as connection:
        return connection.execute(
            text(
                """
                select kind, name, xmin from (
                    select 'relation' as kind, relname as name, cast(cast(xmin as text) as bigint) as xmin from pg_class
                    where relnamespace = 'public'::regnamespace
                    union all
                    select 'function', proname, cast(cast(xmin as text) as bigint) from pg_proc
                    where pronamespace = 'public'::regnamespace
                ) as all_of_it
                order by kind, name
                """
            )
        ).all()
