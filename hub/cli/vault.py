"""Changing the keys of the vault's key file: a fresh one first, then everything under it.

Knows the order of a rotation. Must not know ciphers; the data keys themselves never leave the vault.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys

import click

from hub.cli.operate import OPERATOR
from hub.cli.surroundings import read_settings, services_of
from hub.core.errors import NotAllowed
from hub.ports import HUB_SCOPE
from hub.store.data_keys import rewrap_data_keys
from hub.store.engine import make_engine
from hub.vault import read_key_file
from hub.wiring import build_app, vault_key_file


def register(group: click.Group) -> None:
    group.add_command(vault)


@click.group()
def vault() -> None:
    """The keys that seal personal data."""


@vault.command("new-key")
@click.pass_context
def new_key(context: click.Context) -> None:
    """Write to standard output the key file with a fresh key in front; the file itself stays as it is."""
    if sys.stdout.isatty():
        raise NotAllowed("keys_on_screen", "this prints keys: send it to a file that only the hub's user reads")
    ring = read_key_file(vault_key_file(read_settings(context)))
    keys = {f"kek-{secrets.token_hex(4)}": secrets.token_bytes(32), **ring.keys}
    click.echo(json.dumps({key_id: base64.b64encode(key).decode("ascii") for key_id, key in keys.items()}, indent=1))


@vault.command()
@click.pass_context
def rewrap(context: click.Context) -> None:
    """Put every data key under the first key of the key file; afterwards the older keys open nothing any more."""
    with services_of(read_settings(context)) as (settings, _services):
        if settings.database_owner_url is None:
            raise NotAllowed("owner_missing", "give HUB_DATABASE_OWNER_URL: only the owner changes data keys")
        app = build_app(settings)
        engine = make_engine(settings.database_owner_url, pool_size=1)
        try:
            app.vault.prepare()
            with engine.begin() as owner:
                changed = rewrap_data_keys(owner, app.vault)
            with app.store.begin(HUB_SCOPE) as uow:
                uow.audit.write(
                    actor=OPERATOR,
                    action="data_keys_rewrapped",
                    subject="vault",
                    at=app.clock.now(),
                    facts={"changed": str(changed)},
                )
        finally:
            engine.dispose()
            app.close()
    click.echo(f"{changed} data keys are under the new key now")
