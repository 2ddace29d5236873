"""Where it is measured: a state folder of this run, embedded services, and a database with the shipped catalogs.

Knows how a hub is set up. Everything is made when first asked for and removed at the end; a database or queue that the
caller's settings name is never touched.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from catalogs.load import Catalogs, load_all
from hub.services import Services, remove_data, start_services
from hub.settings import Settings, SettingsError
from hub.store.catalogs import load_into
from hub.store.engine import make_engine
from hub.store.migrate import upgrade
from hub.wiring import App, build_app
from tests.bench.timing import once, spent


class Place:
    """One run's surroundings. `seconds` tells how long each step of the setting-up took."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._bare = settings
        self._stack = stack
        self.seconds: dict[str, float] = {}

    @cached_property
    def catalogs(self) -> Catalogs:
        """Every shipped catalog, read and checked."""
        found: list[Catalogs] = []
        started = time.perf_counter()
        self.seconds["read, processor"] = spent(lambda: found.append(load_all()))
        self.seconds["read"] = time.perf_counter() - started
        return found[0]

    @cached_property
    def services(self) -> Services:
        return self._stack.enter_context(start_services(self._bare))

    @cached_property
    def superuser(self) -> str:
        """The address of the superuser, as psycopg wants it: he alone may copy past row security."""
        assert self.services.superuser_url is not None
        return self.services.superuser_url.replace("postgresql+psycopg://", "postgresql://", 1)

    @cached_property
    def settings(self) -> Settings:
        """Settings of a hub on the migrated database with the catalogs in it."""
        owner_url = self.services.database_owner_url
        self.seconds["migrate"] = once(lambda: upgrade(owner_url))
        catalogs = self.catalogs
        engine = make_engine(owner_url, pool_size=1)
        with engine.begin() as owner:
            self.seconds["store"] = once(lambda: load_into(owner, catalogs.unified_releases, catalogs.regions))
        engine.dispose()
        return replace(
            self._bare,
            database_url=self.services.database_app_url,
            database_owner_url=owner_url,
            redis_url=self.services.redis_url,
        )

    @cached_property
    def app(self) -> App:
        """A hub in this process, to prepare and to close with."""
        app = build_app(self.settings)
        self._stack.callback(app.close)
        return app


@contextmanager
def set_up(given: Settings) -> Iterator[Place]:
    """A place that leaves nothing behind. Raises SettingsError in production."""
    if given.production:
        raise SettingsError(("the bench is for development: unset HUB_ENV",))
    # Root's PostgreSQL runs as another user, who must get through.
    state = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    state.chmod(0o711 if os.geteuid() == 0 else 0o700)
    port = _free_port()
    settings = replace(
        given,
        state_dir=state,
        database_url=None,
        database_owner_url=None,
        redis_url=None,
        vault_key_file=None,
        port=port,
        public_url=f"http://localhost:{port}",
    )
    try:
        with ExitStack() as stack:
            yield Place(settings, stack)
    finally:
        remove_data(settings)
        shutil.rmtree(state, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
