"""The operator's errands: close a month, match a day.

Knows arguments and what to print. Must not know rules or SQL.
"""

from __future__ import annotations

from datetime import datetime

import click

from hub.actions import closing, matching
from hub.cli.surroundings import running_app
from hub.core.codes import Regime
from hub.core.dates import Period

OPERATOR = "operator-cli"


def register(group: click.Group) -> None:
    for found in (close, match):
        group.add_command(found)


@click.command()
@click.argument("period")
@click.pass_context
def close(context: click.Context, period: str) -> None:
    """Close a month (2026-10) in both regimes, or carry on with a close that was interrupted."""
    with running_app(context) as app:
        for regime in Regime:
            now = app.clock.now()
            window = closing.close_window(
                app.hub, regime=regime, period=Period.parse(period), actor=OPERATOR, as_of=now
            )
            click.echo(f"{window.id}: {window.state}")


@click.command()
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.pass_context
def match(context: click.Context, day: datetime) -> None:
    """Match a day three ways: hospitals, insuring regions, hub. Exit status 1 where something differs."""
    with running_app(context) as app:
        found = matching.match_day(app.hub, day.date(), as_of=app.clock.now())
    for region in found:
        click.echo(f"{region.insuring_region}: {region.agreed} agree, {len(region.breaks)} differ")
        for one in region.breaks:
            click.echo(f"  {one.event_id}: {one.cause}")
    if any(region.breaks for region in found):
        context.exit(1)
