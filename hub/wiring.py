"""The only place where ports meet implementations.

Knows how to build a hub from its settings. Must not know rules; only the shells import it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from adapters.registry import build_gateways
from catalogs.load import ROOT as CATALOGS_ROOT
from catalogs.load import load_calendar
from hub.actions.context import Hub
from hub.clock import PlayedClock, SystemClock
from hub.core.clearing import CLEARING_RULES
from hub.ids import new_id, new_reference
from hub.ports import Clock
from hub.settings import Settings, SettingsError
from hub.store.books import SqlBooks
from hub.store.engine import SqlStore, open_store
from hub.store.gate import Gate
from hub.store.insured import SqlRoster
from hub.store.journal import SqlBookingJournal
from hub.store.shelf import CatalogMemory
from hub.suggest.port import CatalogSuggester
from hub.vault import Vault, create_key_file, read_key_file


@dataclass(frozen=True, slots=True)
class App:
    """A built hub with what its shells need beside the errands."""

    settings: Settings
    hub: Hub
    store: SqlStore
    vault: Vault
    access: Gate
    catalogs: CatalogMemory
    clock: Clock
    secret_key: str

    def close(self) -> None:
        """Give the database connections back."""
        self.store.engine.dispose()


def build_app(settings: Settings, *, clock: Clock | None = None) -> App:
    """Build a hub on the database named in the settings; opens no connection before the first use."""
    if settings.database_url is None:
        raise SettingsError(("HUB_DATABASE_URL is not given and no embedded database was started: use `hub serve`",))
    clock = clock or clock_of(settings)
    ring = read_key_file(vault_key_file(settings))
    store = open_store(settings.database_url, ring, pool_size=settings.web_threads + 2)
    catalogs = CatalogMemory(store)
    hub = Hub(
        store=store,
        gateways=build_gateways(
            roster=SqlRoster(store), journal=SqlBookingJournal(store), with_sandbox=not settings.production
        ),
        catalog=catalogs.of,
        calendar=load_calendar(CATALOGS_ROOT / "calendar"),
        clearing_rules=CLEARING_RULES,
        new_id=lambda prefix: new_id(prefix, at=clock.now()),
        new_reference=new_reference,
        suggesting=CatalogSuggester(SqlBooks(store)),
    )
    return App(
        settings=settings,
        hub=hub,
        store=store,
        vault=store.vault,
        access=Gate(store),
        catalogs=catalogs,
        clock=clock,
        secret_key=settings.secret_key or _development_secret(settings),
    )


def clock_of(settings: Settings) -> Clock:
    """The machine's clock; in development one that can be moved to play another day."""
    return SystemClock() if settings.production else PlayedClock(settings.state_dir)


def vault_key_file(settings: Settings) -> Path:
    """The key file of the settings; in development one is made in the state folder at the first start."""
    if settings.vault_key_file is not None:
        return settings.vault_key_file
    path = settings.state_dir / "vault-keys.json"
    if not path.exists():
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        create_key_file(path)
    return path


def _development_secret(settings: Settings) -> str:
    """A secret kept beside the development data, so that logins outlive a restart."""
    path = settings.state_dir / "cookie-secret"
    if not path.exists():
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(32), encoding="ascii")
        path.chmod(0o600)
    return path.read_text(encoding="ascii")
