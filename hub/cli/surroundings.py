"""Settings and services for a command: the given ones, or the embedded ones of a state folder.

Knows how a command comes to a running database. Must not know what it does there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from hub.services import Services, start_services
from hub.settings import Settings
from hub.wiring import App, build_app


def read_settings(context: click.Context) -> Settings:
    """The environment's settings, with the state folder of the command line where it names one."""
    settings = Settings.from_env()
    state_dir: Path | None = context.find_root().obj
    return replace(settings, state_dir=state_dir.absolute()) if state_dir else settings


@contextmanager
def services_of(settings: Settings) -> Iterator[tuple[Settings, Services]]:
    """Start (or join) the services, and give settings that name them."""
    with start_services(settings) as services:
        yield (
            replace(
                settings,
                database_url=services.database_app_url,
                database_owner_url=services.database_owner_url,
                redis_url=services.redis_url,
            ),
            services,
        )


@contextmanager
def running_app(context: click.Context) -> Iterator[App]:
    """A built hub for one command."""
    with services_of(read_settings(context)) as (settings, _services):
        app = build_app(settings)
        try:
            yield app
        finally:
            app.close()
