"""Brings a database to the newest schema, or says which schema it has.

Knows alembic and where the migrations lie. Must not know tables. Runs as the role that owns the tables, never as the
application's: see decision 0022.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

_FOLDER = Path(__file__).parent / "migrations"

_ONE_AT_A_TIME = 0x6875620001
"""Number of the advisory lock that lets one process migrate while the others wait."""


def upgrade(owner_url: str, *, revision: str = "head") -> None:
    """Run the missing migrations in one transaction, as the role in the URL; nothing happens where none is missing.

    A statement that waits 5 seconds for a lock gives up, so that a migration never blocks the running version for long.
    """
    _run(owner_url, lambda config: command.upgrade(config, revision))


def downgrade(owner_url: str, *, revision: str) -> None:
    """Undo migrations down to a revision; ``base`` undoes all."""
    _run(owner_url, lambda config: command.downgrade(config, revision))


def heads() -> tuple[str, ...]:
    """The newest revisions that the program brings; a sound set of migrations has one."""
    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def present_revision(connection: Connection) -> str | None:
    """The revision that a database has; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(connection: Connection) -> bool:
    """Whether a database has exactly the schema that the program brings."""
    return (present_revision(connection),) == heads()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _run(owner_url: str, work: Callable[[Config], None]) -> None:
    engine = create_engine(owner_url, poolclass=NullPool, hide_parameters=True)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
        connection.execute(
            text("select set_config('lock_timeout', '5s', true), set_config('statement_timeout', '5min', true)")
        )
        config = _config()
        config.attributes["connection"] = connection
        work(config)
