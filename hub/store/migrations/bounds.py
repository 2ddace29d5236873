"""Row-level security and append-only tables, said the same way in every migration.

Knows the policies that a table with region data needs. Released migrations use these: change nothing, add only.
Source: engineering guide section 5 (the second wall, privileges); decision 0021.
"""

from __future__ import annotations

HUB_ONLY = "hub_sees(null, null, null, null)"


def bounded(table: str, *, sees: str, grants: str) -> str:
    """SQL that shows `hub_app` only the rows for which `sees` holds, lets it write only such rows, and grants rights.

    The role that migrates sees all rows, although the security is forced on it too.
    """
    return f"""
        {_secured(table)}
        create policy {table}_bounded on {table} to hub_app using ({sees}) with check ({sees});
        grant {grants} on {table} to hub_app;
    """


def dropped(table: str, *, sees: str, grants: str) -> str:
    """SQL for a table into which everybody may drop rows, but from which only those read for whom `sees` holds."""
    return f"""
        {_secured(table)}
        create policy {table}_bounded on {table} to hub_app using ({sees}) with check ({sees});
        create policy {table}_dropped on {table} for insert to hub_app with check (true);
        grant {grants} on {table} to hub_app;
    """


def append_only(table: str) -> str:
    """SQL that refuses to change, delete or truncate a table's rows, the owner's own statements included."""
    return f"""
        create trigger {table}_append_only before update or delete or truncate on {table}
            for each statement execute function hub_refuse_change();
    """


def _secured(table: str) -> str:
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy {table}_owner on {table} to current_user using (true) with check (true);
    """
