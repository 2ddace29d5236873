"""Who sees which rows: asked of every table that the database has, so that a new one cannot be forgotten.

Each table is given one row of each of two worlds that share nothing. Foreign keys and checks are put aside for
that, in a transaction that is rolled back; policies and privileges stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

PUBLIC = {
    "institution": "a patient looks for a hospital before he travels",
    "clearing_window": "months and how far they are closed",
    "window_move": "months and how far they are closed",
}
"""Tables with policies whose rows are not bounded by region, and why."""

WITHOUT_POLICY = {
    "alembic_version": "the schema's own revision",
    "data_key": "wrapped keys",
    "catalog_release": "published catalogs",
    "unified_entry": "published catalogs",
    "region_item": "published catalogs",
    "code_mapping": "published catalogs",
}
"""Tables that everybody may read whole, and why."""


@dataclass(frozen=True)
class World:
    """What marks the rows of one world; texts that are no region are all its name, so that rows refer to each other."""

    name: str
    number: int
    insuring: str
    care: str

    def value(self, column, kind):
        regions = {
            "insuring_region": self.insuring,
            "care_region": self.care,
            "region": self.insuring,
            "payer": self.insuring,
            "payee": self.care,
        }
        by_kind = {
            "text": regions.get(column, self.name),
            "bytea": self.name.encode(),
            "bool": True,
            "date": f"2026-01-0{self.number}",
            "timestamptz": f"2026-01-0{self.number} 12:00+08",
            "jsonb": "{}",
            "int4": self.number,
            "int8": self.number,
        }
        return by_kind[kind]


EAST = World("east", 1, insuring="450700", care="320100")
WEST = World("west", 2, insuring="510100", care="330100")

_ENTER = """
    select set_config('hub.sight', :sight, true), set_config('hub.region', :region, true),
        set_config('hub.institution', :institution, true), set_config('hub.person', :person, true)
"""

NOBODY = {"sight": "", "region": "", "institution": "", "person": ""}
HUB = {**NOBODY, "sight": "hub"}


def region(code):
    return {**NOBODY, "sight": "region", "region": code}


@pytest.fixture(scope="module")
def two_worlds(services, _migrated):
    """A connection in which every table with policies has a row of each world, seen as the application sees them."""
    made, _ = _migrated
    name = make_url(made.owner_url).database
    url = make_url(services.superuser_url).set(database=name)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for table in tables_with_policies(connection):
            put_checks_aside(connection, table)
        for table in tables_with_policies(connection):
            connection.execute(text(f"delete from {table}"))
            for world in (EAST, WEST):
                add_row(connection, table, world)
        yield connection
        connection.rollback()
    engine.dispose()


def tables_with_policies(connection):
    names = text("select distinct tablename from pg_policies where schemaname = 'public' order by 1")
    return connection.execute(names).scalars().all()


def put_checks_aside(connection, table):
    connection.execute(text(f"alter table {table} disable trigger all"))
    own = "conrelid = cast(:table as regclass) and contype not in ('n', 't')"
    names = connection.execute(text(f"select conname from pg_constraint where {own}"), {"table": table})
    for name in names.scalars().all():
        connection.execute(text(f"alter table {table} drop constraint if exists {name} cascade"))


def add_row(connection, table, world):
    columns = connection.execute(
        text(
            """
            select column_name, udt_name from information_schema.columns
            where table_schema = 'public' and table_name = :table and is_generated = 'NEVER'
            """
        ),
        {"table": table},
    ).all()
    names = ", ".join(column for column, _ in columns)
    places = ", ".join(f"cast(:{column} as {kind})" for column, kind in columns)
    values = {column: world.value(column, kind) for column, kind in columns}
    connection.execute(text(f"insert into {table} ({names}) overriding system value values ({places})"), values)


def seen(connection, table, scope):
    """The worlds whose row of a table the application sees in a scope."""
    connection.execute(text("set local role hub_app"))
    connection.execute(text(_ENTER), scope)
    rows = connection.execute(text(f"select cast(to_jsonb(seen.*) as text) from {table} as seen")).scalars().all()
    connection.execute(text("reset role"))
    return {world.name for world in (EAST, WEST) for row in rows if belongs(row, world)}


def belongs(row, world):
    """Whether a row, as JSON, bears a world's name, as a text or as bytes, or one of its regions."""
    marks = (f'"{world.name}"', f"\\\\x{world.name.encode().hex()}", f'"{world.insuring}"', f'"{world.care}"')
    return any(mark in row for mark in marks)


def test_every_table_has_a_policy_or_a_reason_to_have_none(two_worlds):
    tables = set(two_worlds.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars())

    assert tables - set(tables_with_policies(two_worlds)) == set(WITHOUT_POLICY)


def test_policies_are_switched_on_and_bind_the_owner_too(two_worlds):
    lax = two_worlds.execute(
        text(
            """
            select relname from pg_class join pg_policy on polrelid = pg_class.oid
            where not (relrowsecurity and relforcerowsecurity)
            """
        )
    )

    assert lax.scalars().all() == []


def test_the_hub_sees_every_row(two_worlds):
    for table in tables_with_policies(two_worlds):
        assert seen(two_worlds, table, HUB) == {"east", "west"}, table


def test_a_region_sees_no_row_of_others(two_worlds):
    for table in set(tables_with_policies(two_worlds)) - set(PUBLIC):
        assert seen(two_worlds, table, region(EAST.insuring)) <= {"east"}, table
        assert seen(two_worlds, table, region(EAST.care)) <= {"east"}, table


def test_a_region_that_takes_no_part_sees_nothing(two_worlds):
    for table in set(tables_with_policies(two_worlds)) - set(PUBLIC):
        assert seen(two_worlds, table, region("110100")) == set(), table


def test_a_hospital_sees_no_row_of_others(two_worlds):
    for table in set(tables_with_policies(two_worlds)) - set(PUBLIC):
        scope = {**NOBODY, "sight": "institution", "institution": "east"}

        assert seen(two_worlds, table, scope) <= {"east"}, table


def test_a_person_sees_no_row_of_others(two_worlds):
    for table in set(tables_with_policies(two_worlds)) - set(PUBLIC):
        scope = {**NOBODY, "sight": "person", "person": "east"}

        assert seen(two_worlds, table, scope) <= {"east"}, table


@pytest.mark.parametrize("sight", ["", "region", "institution", "person", "other"])
def test_a_transaction_that_does_not_say_who_looks_sees_nothing(two_worlds, sight):
    for table in set(tables_with_policies(two_worlds)) - set(PUBLIC):
        assert seen(two_worlds, table, {**NOBODY, "sight": sight}) == set(), table


@pytest.mark.parametrize("code", [EAST.insuring, EAST.care])
def test_both_regions_of_a_registration_see_it_with_its_moves_and_its_person(two_worlds, code):
    for table in ("registration", "registration_move", "visit", "visit_move", "person"):
        assert seen(two_worlds, table, region(code)) == {"east"}, table


def test_a_hospital_sees_its_visits_and_whom_they_are_of(two_worlds):
    for table in ("visit", "visit_move", "person"):
        scope = {**NOBODY, "sight": "institution", "institution": "east"}

        assert seen(two_worlds, table, scope) == {"east"}, table


def test_the_hubs_own_tables_are_closed_to_a_region(two_worlds):
    for table in ("audit", "outbox", "inbox", "staff", "web_session", "nonce", "job_run"):
        assert seen(two_worlds, table, region(EAST.insuring)) == set(), table


@pytest.mark.parametrize("table", ["clearing_window", "institution"])
def test_what_everybody_reads_only_the_hub_changes(two_worlds, table):
    for scope, rows in ((region(EAST.insuring), 0), (HUB, 2)):
        assert changed(two_worlds, table, scope) == rows


def test_a_region_reaches_the_keys_of_its_own_participants_only(two_worlds):
    assert changed(two_worlds, "idempotency", region(EAST.insuring)) == 1
    assert changed(two_worlds, "idempotency", region("110100")) == 0


def changed(connection, table, scope):
    """How many of the two worlds' rows the application can lock for a change in a scope."""
    connection.execute(text("set local role hub_app"))
    connection.execute(text(_ENTER), scope)
    rows = connection.execute(text(f"select 1 from {table} for update")).all()
    connection.execute(text("reset role"))
    return len(rows)
