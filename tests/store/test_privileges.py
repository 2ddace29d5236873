"""What the application's role may do, table by table, and what not even the owner does by accident."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.core.errors import Inconsistent
from hub.ports import HUB_SCOPE

APPEND_ONLY = (
    "audit",
    "audit_link",
    "registration_move",
    "visit_move",
    "inbox",
    "unified_entry",
    "region_item",
    "code_mapping",
    "catalog_change_move",
    "waiting_line",
)


def rights(connection, table):
    """Rights on a whole table; a right to update some columns only is not among them."""
    kinds = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
    return {
        kind
        for kind in kinds
        if connection.execute(
            text("select has_table_privilege('hub_app', cast(:table as regclass), :kind)"),
            {"table": table, "kind": kind},
        ).scalar_one()
    }


ADDED_TO = [
    *("audit", "audit_link", "registration_move", "visit_move", "inbox", "data_key"),
    *("catalog_change_move", "waiting_line"),
]


@pytest.mark.parametrize("table", ADDED_TO)
def test_the_application_only_adds_to_what_is_kept_for_ever(owner, table):
    assert rights(owner, table) == {"select", "insert"}


@pytest.mark.parametrize("table", ["catalog_release", "unified_entry", "region_item", "code_mapping"])
def test_the_application_only_reads_catalogs(owner, table):
    assert rights(owner, table) == {"select"}


def test_the_application_may_truncate_refer_to_or_watch_no_table(owner):
    tables = owner.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()

    assert {table for table in tables if rights(owner, table) & {"truncate", "references", "trigger"}} == set()


def test_the_application_may_make_no_table(store):
    with pytest.raises(Inconsistent, match="not_permitted"), store.begin(HUB_SCOPE) as uow:
        uow.connection.execute(text("create table mine (id integer)"))


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("registration", ["decided_by", "decided_reason", "ends_on", "state"]),
        ("catalog_change", ["reviewed_at", "reviewed_by", "state", "undo_proposed_by", "undo_reviewed_by"]),
    ],
)
def test_the_application_cannot_change_who_decided_about_what(owner, table, columns):
    found = owner.execute(
        text(
            """
            select column_name from information_schema.column_privileges
            where table_name = :table and grantee = 'hub_app' and privilege_type = 'UPDATE' order by 1
            """
        ),
        {"table": table},
    )

    assert found.scalars().all() == columns


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {} cascade"])
def test_not_even_the_owner_takes_rows_out_of_what_is_kept_for_ever(owner, table, statement):
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        owner.execute(text(statement.format(table)))


def test_everybody_elses_rights_are_none(owner):
    grants = owner.execute(
        text("select table_name, grantee from information_schema.role_table_grants where table_schema = 'public'")
    )

    assert {grantee for _, grantee in grants} == {"hub_owner", "hub_app"}


def test_the_application_is_neither_superuser_nor_above_row_level_security(store):
    with store.begin(HUB_SCOPE) as uow:
        role = uow.connection.execute(
            text("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        )

        assert tuple(role.one()) == ("hub_app", False, False)
