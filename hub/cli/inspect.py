"""Looking and proving: the ledger's invariants, the audit chain, the catalogs, the state tables, the services.

Knows what to print and when the exit status is 1. Must not change anything.
"""

from __future__ import annotations

import click

from hub.cli.surroundings import read_settings, services_of
from hub.core.bill import BILL_MOVES, VISIT_MOVES
from hub.core.clearing import WINDOW_MOVES
from hub.core.mapping import CHANGE_MOVES
from hub.core.registration import REGISTRATION_MOVES

LIFECYCLES = (REGISTRATION_MOVES, VISIT_MOVES, BILL_MOVES, WINDOW_MOVES, CHANGE_MOVES)


def register(group: click.Group) -> None:
    for found in (ledger, audit, catalogs, states, check):
        group.add_command(found)


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command("verify")
@click.pass_context
def ledger_verify(context: click.Context) -> None:
    """Check every invariant, one line each; exit status 1 where one does not hold."""
    from hub.cli.verification import run_checks

    with services_of(read_settings(context)) as (settings, _services):
        results = run_checks(settings)
    for result in results:
        mark = "ok  " if result.ok else "FAIL"
        click.echo(f"{mark}  {result.invariant:>2}  {result.name:<40} {result.counted} looked at")
        for finding in (*result.findings, *([f"skipped: {result.skipped}"] if result.skipped else ())):
            click.echo(f"          {finding}")
    if not all(result.ok for result in results):
        context.exit(1)


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
@click.pass_context
def audit_verify(context: click.Context) -> None:
    """Follow the hash chain and name the first row that does not fit."""
    from hub.cli.verification import check_audit

    with services_of(read_settings(context)) as (settings, _services):
        bad, end = check_audit(settings)
    if bad is None:
        click.echo(f"The audit log is whole: {end.seq} rows, last digest {end.digest.hex()}")
    else:
        row = f"audit row {bad.audit_id}" if bad.audit_id is not None else "no row left to name"
        click.echo(f"The audit log is broken at link {bad.seq} ({row}): {bad.why}", err=True)
        context.exit(1)


@click.group()
def catalogs() -> None:
    """The catalogs that ship with the hub."""


@catalogs.command("verify")
def catalogs_verify() -> None:
    """Read and check every shipped catalog, mapping and calendar; every fault is named with file and line."""
    from catalogs.load import load_all

    found = load_all()
    for release in found.unified_releases:
        click.echo(f"unified {release.release}: {len(release)} entries")
    for region in found.regions:
        click.echo(f"{region.region} {region.name}: {len(region.items)} own items, {len(region.mappings)} mappings")


@click.command()
def states() -> None:
    """Draw every document's states as Mermaid diagrams."""
    for lifecycle in LIFECYCLES:
        click.echo(f"%% {lifecycle.name}")
        click.echo(lifecycle.as_mermaid())
        click.echo("")


@click.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Say which services answer; starts nothing. Exit status 1 where one does not."""
    from hub.services import service_status

    rows = service_status(read_settings(context))
    for row in rows:
        mark = "ok  " if row.running else "FAIL"
        click.echo(f"{mark}  {row.name:<10} {'embedded' if row.embedded else 'by URL':<9} {row.place}  {row.detail}")
    if not all(row.running for row in rows):
        context.exit(1)
