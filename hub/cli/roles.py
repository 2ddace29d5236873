"""The roles of a deployment: web, worker, beat, migrate; and `serve`, which runs all on one machine.

Knows how each role's program is started. Must not know what it does.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import click

from hub.cli.lifeline import end_with
from hub.cli.processes import Processes
from hub.cli.surroundings import read_settings, services_of
from hub.services import Services


def register(group: click.Group) -> None:
    for found in (serve, web, worker, beat, migrate, demo):
        group.add_command(found)


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Run web, worker and beat here, with an embedded database and queue where none is given."""
    from hub.cli.setup import prepare_database

    with services_of(read_settings(context)) as (settings, services):
        prepare_database(settings)
        with Processes(settings) as processes:
            click.echo(f"The hub runs at {settings.public_url}  (logs in {settings.state_dir}; stop with Ctrl-C)")
            _watch(services, processes)


def _with_parent(command: click.Command) -> click.Command:
    """Give a role the hidden option by which `hub serve` binds it to its own life."""

    def bind(_context: click.Context, _option: click.Parameter, parent: int | None) -> None:
        if parent is not None:
            end_with(parent)

    option = click.Option(["--parent"], type=int, hidden=True, expose_value=False, callback=bind)
    command.params.append(option)
    return command


@_with_parent
@click.command()
def web() -> None:
    """Run the web server (gunicorn) in the foreground."""
    os.execv(  # noqa: S606 - the server takes this process's place, so that signals reach it.
        sys.executable,
        [sys.executable, "-m", "gunicorn", "--config", "python:hub.web.gunicorn_conf", "hub.web.wsgi:make()"],
    )


@_with_parent
@click.command()
@click.option("--concurrency", default=2, show_default=True, help="Processes that carry out tasks.")
def worker(concurrency: int) -> None:
    """Run a Celery worker for every queue in the foreground."""
    from hub.tasks.app import QUEUES
    from hub.tasks.entry import celery

    celery.worker_main(
        [
            "worker",
            "--loglevel=WARNING",
            f"--concurrency={concurrency}",
            f"--queues={','.join(QUEUES)}",
            "--without-mingle",
        ]
    )


@_with_parent
@click.command()
@click.pass_context
def beat(context: click.Context) -> None:
    """Run the Celery scheduler in the foreground; one is enough, two do no harm."""
    from hub.tasks.entry import celery

    state = read_settings(context).state_dir
    celery.start(["beat", "--loglevel=WARNING", f"--schedule={state / 'beat-schedule'}", "--pidfile="])


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to the newest schema and load the catalogs that ship with the hub."""
    from hub.cli.setup import prepare_database

    with services_of(read_settings(context)) as (settings, _services):
        prepare_database(settings)
    click.echo("The database is ready.")


@click.command()
@click.pass_context
def demo(context: click.Context) -> None:
    """Play one day and one month close in front of you, on real catalogs."""
    from hub.demo.play import main

    sys.exit(main(read_settings(context)))


def _watch(services: Services, processes: Processes) -> None:
    """Until Ctrl-C or a request to stop: start again what dies, the embedded services first."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            time.sleep(1)
            for name in (*services.ensure_running(), *processes.revive()):
                click.echo(f"{name} had ended and was started again")
    except KeyboardInterrupt:
        click.echo("Stopping ...")
