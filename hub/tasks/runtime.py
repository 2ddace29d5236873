"""The hub inside a worker process: built after the fork, once, from the settings.

Knows when to build and when to close. Must not know tasks.
"""

from __future__ import annotations

from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown

from hub.settings import Settings
from hub.wiring import App, build_app

_built: list[App] = []


def app() -> App:
    """The hub of this process; connections opened before a fork are never shared."""
    if not _built:
        _built.append(build_app(Settings.from_env()))
    return _built[0]


def use(given: App) -> None:
    """Run the tasks of this process on a hub that was built elsewhere (tests)."""
    _built[:] = [given]


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    _built.clear()
    app()


@worker_process_shutdown.connect
def _at_exit(**_: Any) -> None:
    while _built:
        _built.pop().close()
