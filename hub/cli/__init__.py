"""The `hub` command: roles of the deployment, and the operator's errands.

Knows arguments, printing and exit codes. Must not know rules or SQL.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hub.cli.processes import NotReady
from hub.core.errors import HubError
from hub.services import ServiceError
from hub.settings import SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of embedded data and development keys (HUB_STATE_DIR).",
)
@click.pass_context
def command(context: click.Context, state_dir: Path | None) -> None:
    """The off-site care clearing hub."""
    context.obj = state_dir


def build() -> click.Group:
    """The command with all that is under it; calling it twice changes nothing."""
    from hub.cli import catalog_files, catalogs, decide, inspect, members, operate, outbox, roles, vault

    for module in (roles, operate, inspect, decide, outbox, members, vault, catalogs, catalog_files):
        module.register(command)
    return command


def main() -> None:
    """Run the command; a known error is one clear sentence and exit status 1, never a trace."""
    try:
        build().main(prog_name="hub", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (SettingsError, ServiceError, NotReady) as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(1)
    except HubError as wrong:
        click.echo(f"{wrong.code}: {wrong.message}", err=True)
        for fault in wrong.faults:
            click.echo(f"  {fault.where}: {fault.message}", err=True)
        sys.exit(1)
