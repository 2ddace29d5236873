"""Making a database ready: schema, then catalogs.

Knows the order. Must not know tables.
"""

from __future__ import annotations

from catalogs.load import load_all
from hub.settings import Settings
from hub.store.catalogs import load_into
from hub.store.engine import make_engine
from hub.store.migrate import upgrade


def prepare_database(settings: Settings) -> None:
    """Run the missing migrations and load the shipped catalogs; nothing happens where both are up to date."""
    if settings.database_owner_url is None:
        raise ValueError("settings without a database")
    upgrade(settings.database_owner_url)
    shipped = load_all()
    engine = make_engine(settings.database_owner_url, pool_size=1)
    try:
        with engine.begin() as owner:
            load_into(owner, shipped.unified_releases, shipped.regions)
    finally:
        engine.dispose()
