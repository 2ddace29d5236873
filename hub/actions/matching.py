"""The daily three-way match: what the hospital reports, what the insuring region booked, what the hub has.

Knows whom to ask and where to keep the outcome.
Must not know causes (core) or repairs. Sources: domain-process section 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hub.actions.admission import hospital_of
from hub.actions.context import Hub, Keep, keep_nothing
from hub.core.codes import Region
from hub.core.dates import business_day
from hub.core.errors import HubError, NotAllowed
from hub.core.matching import Break, Told, three_way
from hub.ports import HUB_SCOPE, Participant
from hub.ports.records import MatchRow, ReportedBooking, SidedBooking, Topic


@dataclass(frozen=True, slots=True)
class RegionMatch:
    """How one insuring region's day came out."""

    insuring_region: Region
    agreed: int
    breaks: tuple[Break, ...]


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a hospital reported of a day, as it was kept: the count and the sum now held."""

    day: date
    bookings: int
    total_fen: int
    fund_total_fen: int


def report_day(
    hub: Hub,
    day: date,
    rows: tuple[ReportedBooking, ...],
    *,
    by: Participant,
    as_of: datetime,
    keep: Keep[DayReport] = keep_nothing,
) -> DayReport:
    """Keep what a hospital says it booked on a day; a later report of the day replaces the earlier one."""
    if day > business_day(as_of):
        raise NotAllowed("day_in_future", f"{day} lies in the future")
    if len({row.event_id for row in rows}) != len(rows):
        raise NotAllowed("booking_twice", "a booking occurs twice in the report: name each event once")
    with hub.store.begin(HUB_SCOPE) as uow:
        hospital = hospital_of(uow, by, as_of=as_of)
        uow.matching.report(hospital.code, region=hospital.region, day=day, rows=rows, at=as_of)
        uow.audit.write(
            actor=by.id,
            action="day_reported",
            subject=f"{hospital.code}/{day}",
            at=as_of,
            facts={"rows": str(len(rows))},
        )
        held = DayReport(
            day=day,
            bookings=len(rows),
            total_fen=sum(row.total.fen for row in rows),
            fund_total_fen=sum(row.fund_total.fen for row in rows),
        )
        keep(uow, held)
    return held


def request_match(hub: Hub, day: date, *, as_of: datetime) -> bool:
    """Ask the workers to match a day; False where that was asked before."""
    with hub.store.begin(HUB_SCOPE) as uow:
        if not uow.jobs.claim(job="match_day", period=day.isoformat(), at=as_of):
            return False
        uow.outbox.add(topic=Topic.MATCH_DAY, key=day.isoformat(), payload={"day": day.isoformat()}, due_at=as_of)
    return True


def match_day(hub: Hub, day: date, *, as_of: datetime) -> tuple[RegionMatch, ...]:
    """Match a day for every insuring region, ordered by code; running it again replaces the outcome.

    A region that fails holds up no other: all that answer are matched, then the first failure is raised.
    """
    matched: list[RegionMatch] = []
    failures: list[HubError] = []
    for region in sorted(hub.gateways):
        try:
            matched.append(_match_region(hub, region, day, as_of=as_of))
        except HubError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return tuple(matched)


def _match_region(hub: Hub, region: Region, day: date, *, as_of: datetime) -> RegionMatch:
    at_insuring = [
        Told(booking.event_id, booking.total, booking.fund_total) for booking in hub.gateway(region).booked(day=day)
    ]
    with hub.store.begin(HUB_SCOPE) as uow:
        at_hub = uow.matching.hub_side(day=day, insuring_region=region)
        at_care = uow.matching.care_side(day=day, insuring_region=region)
        agreed, breaks = three_way(
            hub=[row.told for row in at_hub], care=[row.told for row in at_care], insuring=at_insuring
        )
        places: dict[str, SidedBooking] = {row.told.event_id: row for row in (*at_care, *at_hub)}
        rows = [_row(day, region, found, places.get(found.event_id)) for found in breaks]
        uow.matching.save(day=day, insuring_region=region, agreed=agreed, breaks=rows, at=as_of)
    return RegionMatch(region, agreed, breaks)


def _row(day: date, region: Region, found: Break, place: SidedBooking | None) -> MatchRow:
    return MatchRow(
        day=day,
        insuring_region=region,
        care_region=place.care_region if place else None,
        institution=place.institution if place else None,
        found=found,
    )
