"""The acts of the play, in order: registration, October, the played day, the match, the close, and what comes after.

Knows which player does what when, and what must be true after each act. Must not know how a single case is played
(`cases`), nor print. Hospitals and agencies work side by side, each in a thread of its own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from hub.actions import closing, lookup, matching
from hub.client import HubClient
from hub.clock import shift_clock
from hub.core.bill import Bill, Hospital
from hub.core.codes import Regime
from hub.core.dates import SHANGHAI
from hub.core.money import ZERO, Money, total, yuan
from hub.demo import cases
from hub.demo.cases import Notes
from hub.demo.desks import Desk, Officer, application_json, apply_on_page
from hub.demo.report import amount
from hub.demo.screen import Advance, Screen
from hub.demo.stage import OPERATOR, Stage, agency_id, hospital_id
from hub.demo.story import CLOSE_DAY, NEXT_PERIOD, PERIOD, PLAYED_DAY, REGISTRATION_DAY, Filing, Stay, Story, Tale
from hub.demo.world import HOSPITALS, JIANGNING, REGIONS
from hub.ports import HUB_SCOPE

THREADS = 8
PATIENCE_SECONDS = 60


class PlayStuck(Exception):
    """The workers did not do in a minute what takes them a second; the message says where to look."""


@dataclass(slots=True)
class Play:
    """The running play: the stage, the players, and what was noted."""

    stage: Stage
    story: Story
    bills: Mapping[int, Bill]
    screen: Screen
    notes: Notes = field(default_factory=Notes)
    match_words: list[str] = field(default_factory=list)
    desks: dict[Hospital, Desk] = field(init=False)
    operator: HubClient = field(init=False)

    def __post_init__(self) -> None:
        self.desks = {one: Desk(one, self.stage.client(hospital_id(one))) for one in HOSPITALS}
        self.operator = self.stage.client(OPERATOR)

    # --- act 1: people register before they travel -------------------------------------------------------------------

    def registration(self) -> None:
        """On 9 October: four persons on the page, everybody else through an agency or a hospital."""
        self._set_clock(REGISTRATION_DAY, 9)
        by_door: dict[Filing, list[Stay]] = {filing: [] for filing in Filing}
        for stay in self.story.stays:
            if stay.application is not None:
                by_door[stay.application.filing].append(stay)
        on_page = by_door[Filing.PAGE]
        references: dict[Tale, str] = {}

        def patients(advance: Advance) -> None:
            for stay in on_page:
                references[stay.tale] = apply_on_page(self.stage.origin, stay)
                advance()

        def counter(client: HubClient, stays: Sequence[Stay], advance: Advance) -> None:
            for stay in stays:
                client.file_registration(application_json(stay), idempotency_key=f"register-{stay.visit_no}")
                advance()

        count = sum(map(len, by_door.values()))
        with self.screen.act(f"9 Oct   {len(on_page)} register on the page, the others by API", steps=count) as step:
            jobs = [partial(patients, step)]
            for region in REGIONS:
                mine = [stay for stay in by_door[Filing.AGENCY] if stay.insuring_region == region]
                jobs.append(partial(counter, self.stage.client(agency_id(region)), mine, step))
            for desk in self.desks.values():
                mine = [stay for stay in by_door[Filing.HOSPITAL] if stay.hospital == desk.hospital]
                jobs.append(partial(counter, desk.client, mine, step))
            together(jobs)
        self._officers(references)

    def _officers(self, references: Mapping[Tale, str]) -> None:
        """Jiangning's officer refuses one application at the workbench and approves one; its system does the rest."""
        agency = self.stage.client(agency_id(JIANGNING))
        waiting = {
            one["reference"]: one["id"]
            for one in agency.registrations(state="submitted")
            if one["insuring_region"] == JIANGNING.code
        }
        refused = waiting.pop(references[Tale.REFUSED])
        approved = waiting.pop(references[Tale.DUPLICATE])

        def at_the_workbench(advance: Advance) -> None:
            officer = Officer.signed_in(self.stage.origin, self.stage.login_of(JIANGNING))
            officer.decide(refused, approve=False, reason="所填病情在本地可以诊治,请先到参保地医院就诊")
            officer.decide(approved, approve=True)
            advance()
            advance()

        def by_system(advance: Advance) -> None:
            for registration_id in waiting.values():
                agency.decide_registration(registration_id, approve=True)
                advance()

        with self.screen.act("9 Oct   Jiangning's officers decide what waits", steps=len(waiting) + 2) as step:
            together([partial(at_the_workbench, step), partial(by_system, step)])
        for registration_id, state in ((refused, "refused"), (approved, "approved")):
            found = self.operator.registration(registration_id)["state"]
            self.notes.expect(found == state, f"the application decided at the workbench is {found}, not {state}")

    # --- act 2: October passes ---------------------------------------------------------------------------------------

    def october(self) -> None:
        """Day by day people are admitted; on two days the costly patient's earlier stays are settled."""
        early = [stay for stay in self.story.stays if stay.settled_on < PLAYED_DAY]
        days = sorted({stay.admitted_on for stay in self.story.stays} | {stay.settled_on for stay in early})

        def desk_of_the_day(desk: Desk, day: date, advance: Advance) -> None:
            for stay in self.story.of(desk.hospital):
                if stay in early and stay.settled_on == day:
                    cases.play_case(desk, stay, self.bills[stay.number], self.notes)
                    advance()
                if stay.admitted_on == day:
                    desk.record_admission(stay)
                    advance()

        steps = len(self.story.stays) + len(early)
        with self.screen.act(f"{days[0].day}-{days[-1].day} Oct   people are admitted", steps=steps) as step:
            for day in days:
                self._set_clock(day, 20)
                together([partial(desk_of_the_day, desk, day, step) for desk in self.desks.values()])

    # --- act 3: the played day ---------------------------------------------------------------------------------------

    def played_day(self) -> None:
        """On 30 October nearly everybody goes home, and six hospitals send their bills at the same time."""
        self._set_clock(PLAYED_DAY, 9)
        today = [stay for stay in self.story.stays if stay.settled_on == PLAYED_DAY]

        def desk_sends(desk: Desk, advance: Advance) -> None:
            for stay in today:
                if stay.hospital == desk.hospital:
                    cases.play_case(desk, stay, self.bills[stay.number], self.notes)
                    advance()

        with self.screen.act("30 Oct   six hospitals settle their bills", steps=len(today)) as step:
            together([partial(desk_sends, desk, step) for desk in self.desks.values()])
        costly = self.story.tale(Tale.YEARLY_CAP)
        cases.tell_yearly_cap(self.desks[costly[0].hospital], costly, self.notes)

    # --- act 4: the daily match --------------------------------------------------------------------------------------

    def daily_match(self) -> None:
        """Hospitals report the day; at night the workers match; two mistakes are found, named and mended."""
        self._set_clock(PLAYED_DAY, 21)
        left_out, misreported = self.story.tale(Tale.LEFT_OUT), self.story.tale(Tale.MISREPORTED)
        reports = [(desk, day) for desk in self.desks.values() for day in sorted({one.day for one in desk.book})]
        with self.screen.act("30 Oct   hospitals report their day books", steps=len(reports)) as step:
            for desk, day in reports:
                desk.report(day, leaving_out=left_out, misreporting=misreported)
                step()
            self._wait_for_outbox()
        self._set_clock(PLAYED_DAY + timedelta(days=1), 3)
        with self.screen.act("31 Oct   the workers match hospitals, regions and hub"):
            days = sorted({day for _, day in reports})
            for day in days:
                matching.request_match(self.stage.app.hub, day, as_of=self._now())
            self._wait_for_outbox()
        self._judge_breaks(left_out[0], misreported[0])
        with self.screen.act("31 Oct   both hospitals mend their reports; the match runs again", steps=2) as step:
            for stay in (left_out[0], misreported[0]):
                self.desks[stay.hospital].report(PLAYED_DAY)
                step()
        again = matching.match_day(self.stage.app.hub, PLAYED_DAY, as_of=self._now())
        agreed, breaks = sum(one.agreed for one in again), sum(len(one.breaks) for one in again)
        booked = sum(one.day == PLAYED_DAY for desk in self.desks.values() for one in desk.book)
        self.notes.expect(
            breaks == 0 and agreed == booked, f"after mending {agreed} of {booked} bookings agree, {breaks} differ"
        )
        self.match_words.append(f"after both reports were mended: {agreed} of {booked} bookings agree, {breaks} differ")

    def _judge_breaks(self, left_out: Stay, misreported: Stay) -> None:
        """Two breaks and no other, each with its true cause."""
        breaks = lookup.day_match(self.stage.app.hub, day=PLAYED_DAY, scope=HUB_SCOPE).breaks
        found = {row.found.event_id: row.found for row in breaks}
        expected = {
            self._event_of(left_out): ("missing_at_care", Tale.LEFT_OUT),
            self._event_of(misreported): ("total_differs", Tale.MISREPORTED),
        }
        causes = {event: str(one.cause) for event, one in found.items()}
        self.notes.expect(
            causes == {event: cause for event, (cause, _) in expected.items()},
            f"the match found these breaks: {causes}",
        )
        for event, (cause, tale) in expected.items():
            stay = self.story.tale(tale)[0]
            one = found.get(event)
            told = one.care.total if one is not None and one.care is not None else None
            booked = next(one.total for one in self.desks[stay.hospital].book if one.event_id == event)
            words = f"booked {amount(booked)}, {f'reported {amount(told)}' if told is not None else 'not reported'}"
            self.match_words.append(f"{cause}: {event} at {stay.hospital.name}: {words}")
            bill = self.desks[stay.hospital].client.bill(event.partition("/")[0])
            self.notes.tell(tale, [bill], f"{words}: the night's match named it {cause}; the mended report agrees")

    def _event_of(self, stay: Stay) -> str:
        return next(one.event_id for one in self.desks[stay.hospital].book if one.stay == stay)

    # --- act 5: the close, and what comes after ----------------------------------------------------------------------

    def close(self) -> None:
        """On 3 November the workers close October in both regimes."""
        self._set_clock(CLOSE_DAY, 9)
        with self.screen.act("3 Nov   the workers close October: cut, gross matrix, nets, statements"):
            closing.request_close(self.stage.app.hub, period=PERIOD, actor=OPERATOR, as_of=self._now())
            self._wait(lambda: self._closed() == len(Regime), "October was not closed")
            self._wait_for_outbox()
        self._judge_matrix()

    def stragglers(self) -> None:
        """After the close a late bill comes, one is cancelled and others are settled: October does not move."""
        before = self._statements()
        late = self.story.tale(Tale.LATE_BILL)[0]
        undone = self.story.tale(Tale.CANCEL_AFTER_CLOSE)[0]
        with self.screen.act("3 Nov   a late bill comes, and a settled one is cancelled", steps=2) as step:
            cases.play_late_bill(self.desks[late.hospital], late, self.bills[late.number], self.notes)
            step()
            cases.play_cancel_after_close(self.desks[undone.hospital], undone, self.notes)
            step()
        leaving = self.story.tale(Tale.OPEN_WINDOW)
        with self.screen.act("3 Nov   others go home; their bills stay open", steps=len(leaving)) as step:
            for stay in leaving:
                cases.play_case(self.desks[stay.hospital], stay, self.bills[stay.number], self.notes)
                step()
            self._wait_for_outbox()
        self.notes.expect(bool(before) and before == self._statements(), "October's statements changed after the close")
        with self.stage.app.store.begin(HUB_SCOPE) as uow:
            window = uow.windows.get(Regime.CROSS_PROVINCE, NEXT_PERIOD)
            cells = uow.clearing.gross_from_entries(window) if window else ()
        november = {
            (one.insuring_region.code, one.care_region.code, str(one.fund)): one.amount for one in cells if one.amount
        }
        booked = self._booked(str(NEXT_PERIOD))
        self.notes.expect(november == booked, f"November holds {_words(november)}, the hospitals {_words(booked)}")

    # --- what must be true -------------------------------------------------------------------------------------------

    def matrix(self) -> dict[str, Any]:
        """October's gross matrix and nets, as the operator fetches them."""
        return self.operator.matrix(Regime.CROSS_PROVINCE, str(PERIOD))

    def _judge_matrix(self) -> None:
        """The matrix is what the six hospitals booked for themselves, to the fen; both nets come to zero."""
        found = self.matrix()
        cells = {
            (cell["insuring_region"], cell["care_region"], cell["fund"]): yuan(cell["amount"])
            for cell in found["cells"]
            if yuan(cell["amount"])
        }
        booked = self._booked(str(PERIOD))
        self.notes.expect(cells == booked, f"the matrix holds {_words(cells)}, the hospitals {_words(booked)}")
        positions = {one["region"]: yuan(one["amount"]) for one in found["positions"]}
        self.notes.expect(total(positions.values()) == ZERO, f"the positions add up to {total(positions.values())}")
        for method in ("bilateral", "multilateral"):
            moved: Counter[str] = Counter()
            for one in found["transfers"]:
                if one["method"] == method:
                    moved[one["payer"]] -= yuan(one["amount"]).fen
                    moved[one["payee"]] += yuan(one["amount"]).fen
            settled = {region: Money(moved[region]) for region in positions}
            self.notes.expect(settled == positions, f"the {method} transfers do not settle the positions")

    def _booked(self, period: str) -> dict[tuple[str, str, str], Money]:
        """What the hospitals' own books say the funds owe for a period, by pair and fund; zeros left out."""
        found: dict[tuple[str, str, str], Money] = {}
        for desk in self.desks.values():
            for one in desk.book:
                for fund, share in one.funds if one.period == period else ():
                    key = (one.stay.insuring_region.code, one.stay.care_region.code, fund)
                    found[key] = found.get(key, ZERO) + share
        return {key: owed for key, owed in found.items() if owed}

    def _statements(self) -> dict[str, str]:
        return {one["id"]: one["sha256"] for one in self.operator.statements(period=str(PERIOD))}

    def _closed(self) -> int:
        return sum(one["state"] == "closed" for one in self.operator.windows() if one["period"] == str(PERIOD))

    # --- time --------------------------------------------------------------------------------------------------------

    def _set_clock(self, day: date, hour: int) -> None:
        shift_clock(self.stage.settings.state_dir, to=datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI))

    def _now(self) -> datetime:
        return self.stage.app.clock.now()

    def _wait_for_outbox(self) -> None:
        """Until the workers have told the regions everything."""
        self._wait(self._outbox_is_empty, "the outbox was not emptied")

    def _outbox_is_empty(self) -> bool:
        with self.stage.app.store.begin(HUB_SCOPE) as uow:
            return uow.outbox.waiting() == 0

    def _wait(self, done: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            self.stage.processes.check()
            if time.monotonic() > deadline:
                log = self.stage.processes.log_of("worker")
                raise PlayStuck(f"{otherwise} within {PATIENCE_SECONDS} s: see {log}")
            time.sleep(0.1)


def together(jobs: Iterable[Callable[[], None]]) -> None:
    """Run jobs side by side and wait for all; the first error is raised."""
    with ThreadPoolExecutor(THREADS) as pool:
        for running in [pool.submit(job) for job in jobs]:
            running.result()


def _words(cells: Mapping[tuple[str, str, str], Money]) -> str:
    return ", ".join(f"{payer}->{payee}/{fund} {owed}" for (payer, payee, fund), owed in sorted(cells.items()))
