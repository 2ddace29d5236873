"""`hub demo`: one day and one month close, played against a hub of its own in front of the watcher.

Knows the order of the acts, what is printed at the end, and the exit status. Must not know any case.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from catalogs.load import load_all
from hub.cli.verification import run_checks
from hub.core.bill import Bill
from hub.demo import report
from hub.demo.acts import Play
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
    screen.say(f"A played October in {settings.state_dir / FOLDER}: three regions, six hospitals, made-up persons.")
    story = tell()
    with ThreadPoolExecutor(1) as pool:
        bills = pool.submit(_write_bills, story)
        with screen.running():
            return _play(settings, story, bills, screen, began=began)


def _write_bills(story: Story) -> Mapping[int, Bill]:
    """All bills of the story, by the number of the stay; written while the services start."""
    catalogs = load_all()
    shelves = {(one.region, one.level): build_shelf(catalogs, one.region, one.level) for one in HOSPITALS}
    return {stay.number: bill_of(stay, shelves) for stay in story.stays}


def _play(settings: Settings, story: Story, bills: Future[Mapping[int, Bill]], screen: Screen, *, began: float) -> int:
    with set_stage(settings, story.members, screen) as stage:
        with screen.act("Write the bills, 20 to 80 real catalog lines each"):
            written = bills.result()
        ready = time.monotonic()
        play = Play(stage, story, written, screen)
        play.registration()
        play.october()
        play.played_day()
        play.daily_match()
        play.close()
        play.stragglers()
        with screen.act("Verify every invariant"):
            checks = run_checks(stage.settings)
        matrix = play.matrix()
        for check in checks:
            play.notes.expect(check.ok, f"invariant {check.invariant}, {check.name}: {'; '.join(check.findings)}")
    screen.finish()
    report.show(screen.console, report.gross_tables(matrix))
    report.show(screen.console, [report.fund_table(matrix)])
    report.show(screen.console, report.net_tables(matrix))
    report.show(screen.console, [report.outcome_table(_in_order(play.notes.outcomes))])
    report.show(screen.console, ["The daily match of 30 October", *(f"    {words}" for words in play.match_words), ""])
    report.show(screen.console, ["hub ledger verify", *(f"    {line}" for line in report.check_lines(checks)), ""])
    report.show(screen.console, _addresses(stage, settings))
    return _verdict(play, screen, lines=sum(len(bill.lines) for bill in written.values()), began=began, ready=ready)


def _in_order(outcomes: list[Outcome]) -> list[Outcome]:
    order = [str(tale) for tale in Tale]
    return sorted(outcomes, key=lambda one: order.index(one.tale))


def _addresses(stage: Stage, settings: Settings) -> list[str]:
    folder = settings.state_dir / FOLDER
    serve = f"hub --state-dir {folder} serve"
    return list(
        report.address_lines(
            origin=f"http://localhost:{settings.port}", serve=serve, logins=stage.logins, keys=str(stage.key_files)
        )
    )


def _verdict(play: Play, screen: Screen, *, lines: int, began: float, ready: float) -> int:
    told = {outcome.tale for outcome in play.notes.outcomes}
    for tale in Tale:
        play.notes.expect(tale is Tale.ORDINARY or str(tale) in told, f"the case '{tale}' was not told to its end")
    took = f"{time.monotonic() - began:.0f} s, {time.monotonic() - ready:.0f} s of them the play itself"
    screen.say("")
    screen.say(f"{len(play.story.stays)} bills with {lines} lines; {took}.")
    if not play.notes.differed:
        screen.say("Everything ended as it should.")
        return 0
    screen.say("These did not end as they should:")
    for what in play.notes.differed:
        screen.say(f"  - {what}")
    return 1
