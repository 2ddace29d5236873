"""What waits: clearing months with their states, and messages that a person must let go again.

Knows what to print. Must not know rules or SQL, nor what a message means.
"""

from __future__ import annotations

import json

import click

from hub.actions import delivery, statements
from hub.cli.operate import OPERATOR
from hub.cli.surroundings import running_app
from hub.ports import HUB_SCOPE

MOST_LISTED = 1000


def register(group: click.Group) -> None:
    for found in (outbox, windows):
        group.add_command(found)


@click.command()
@click.pass_context
def windows(context: click.Context) -> None:
    """List every clearing month and the state it stands in."""
    with running_app(context) as app:
        found = statements.list_windows(app.hub, scope=HUB_SCOPE)
    for window in found:
        click.echo(f"{window.period}  {window.regime:<16}  {window.state}")


@click.group()
def outbox() -> None:
    """Messages to the regions and the workers."""


@outbox.command("list")
@click.pass_context
def listed(context: click.Context) -> None:
    """Say how many messages wait, and list those that are parked; exit status 1 where one is."""
    with running_app(context) as app:
        waiting = delivery.waiting(app.hub)
        parked = delivery.parked(app.hub, limit=MOST_LISTED)
    click.echo(f"{waiting} waiting, {len(parked)} parked")
    for message, error in parked:
        facts = json.dumps(message.payload, ensure_ascii=False, sort_keys=True)
        click.echo(f"{message.id}  {message.topic}  {message.attempts} attempts  {error}  {facts}")
    if parked:
        context.exit(1)


@outbox.command()
@click.argument("message_ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "every", is_flag=True, help="All that are parked.")
@click.pass_context
def retry(context: click.Context, message_ids: tuple[int, ...], *, every: bool) -> None:
    """Let parked messages be sent again; exit status 1 where one of the ids is not parked."""
    if every == bool(message_ids):
        raise click.UsageError("name the messages by id, or say --all")
    with running_app(context) as app:
        wanted = [str(one) for one in message_ids]
        if every:
            wanted = [message.id for message, _ in delivery.parked(app.hub, limit=MOST_LISTED)]
        let_go = [one for one in wanted if delivery.retry_parked(app.hub, one, actor=OPERATOR, as_of=app.clock.now())]
    click.echo(f"{len(let_go)} let go")
    for one in wanted:
        if one not in let_go:
            click.echo(f"{one} is not parked", err=True)
    if len(let_go) < len(wanted):
        context.exit(1)
