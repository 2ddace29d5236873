"""`hub demo`: one day and one month close, played against a hub of its own in front of the watcher.

Knows the order of the acts, what is printed at the end, and the exit status. Must not know any case.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from catalogs.load import load_all
from hub.cli.processes import NotReady
from hub.cli.verification import run_checks
from hub.client import Problem
from hub.core.bill import Bill
from hub.demo import report
from hub.demo.acts import Play, PlayStuck
from hub.demo.browser import PageProblem
from hub.demo.report import Outcome
from hub.demo.screen import Screen, make_console
from hub.demo.shelf import build_shelf
from hub.demo.stage import FOLDER, Stage, set_stage
from hub.demo.story import Story, Tale, bill_of, tell
from hub.demo.world import HOSPITALS
from hub.settings import Settings, SettingsError


def main(settings: Settings) -> int:
    """Play, print, and give the exit status: 0 where everything ended as the story expects.

    Everything happens in the folder `demo` of the settings' state folder, on services of its own.
    """
    if settings.production:
        raise SettingsError(("hub demo is for development: unset HUB_ENV",))
    began = time.monotonic()
    screen = Screen(make_console())
    screen.say(f"A played October in {_shown(settings)}: three regions, six hospitals, made-up persons.")
    try:
        with screen.running():
            return _play(settings, screen, began=began)
    except (NotReady, PageProblem, PlayStuck, Problem, requests.RequestException) as wrong:
        screen.say(f"The play broke off: {wrong}")
        return 1


def _play(settings: Settings, screen: Screen, *, began: float) -> int:
    story = tell()
    with set_stage(settings, story.members, screen) as stage:
        with screen.act("Write the bills while web, worker and beat start"):
            bills = _write_bills(story)
            stage.processes.wait_until_ready()
        ready = time.monotonic()
        play = Play(stage, story, bills, screen)
        for act in (play.registration, play.october, play.played_day, play.daily_match, play.close, play.stragglers):
            act()
        with screen.act("Verify every invariant"):
            checks = run_checks(stage.settings)
        matrix = play.matrix()
    for check in checks:
        play.notes.expect(check.ok, f"invariant {check.invariant}, {check.name}: {'; '.join(check.findings)}")
    screen.finish()
    report.show(screen.console, report.matrix_parts(matrix))
    report.show(screen.console, report.outcome_parts(_in_order(play.notes.outcomes)))
    report.show(screen.console, report.listed("The daily match of 30 October", play.match_words))
    report.show(screen.console, report.listed("hub ledger verify", report.check_lines(checks)))
    report.show(screen.console, report.listed("Where to look", _addresses(stage, settings)))
    return _verdict(play, screen, lines=sum(len(bill.lines) for bill in bills.values()), began=began, ready=ready)


def _write_bills(story: Story) -> Mapping[int, Bill]:
    """All bills of the story, by the number of the stay."""
    catalogs = load_all()
    shelves = {(one.region, one.level): build_shelf(catalogs, one.region, one.level) for one in HOSPITALS}
    return {stay.number: bill_of(stay, shelves) for stay in story.stays}


def _in_order(outcomes: list[Outcome]) -> list[Outcome]:
    order = [str(tale) for tale in Tale]
    return sorted(outcomes, key=lambda one: order.index(one.tale))


def _addresses(stage: Stage, settings: Settings) -> list[str]:
    command = sys.argv[0] if Path(sys.argv[0]).name == "hub" else "hub"
    serve = f"{command} --state-dir {_shown(settings)} serve"
    origin = f"http://localhost:{settings.port}"
    keys = f"{_shown(settings)}/keys"
    return list(report.address_lines(origin=origin, serve=serve, logins=stage.logins, keys=keys))


def _shown(settings: Settings) -> Path:
    """The demonstration's folder as one would type it here."""
    folder = settings.state_dir / FOLDER
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _verdict(play: Play, screen: Screen, *, lines: int, began: float, ready: float) -> int:
    told = {outcome.tale for outcome in play.notes.outcomes}
    for tale in Tale:
        play.notes.expect(
            tale in (Tale.ORDINARY, Tale.OPEN_WINDOW) or str(tale) in told, f"the case '{tale}' was not told to its end"
        )
    took = f"{time.monotonic() - began:.0f} s, {time.monotonic() - ready:.0f} s of them the play itself"
    screen.say(f"{len(play.story.stays)} bills with {lines} lines; {took}.")
    if not play.notes.differed:
        screen.say("Everything ended as it should.")
        return 0
    screen.say("These did not end as they should:")
    for what in play.notes.differed:
        screen.say(f"  - {what}")
    return 1
