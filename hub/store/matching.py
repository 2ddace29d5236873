"""The daily match: what hospitals reported, what the hub booked, and the breaks that were found.

Knows the tables hospital_report, match_run and match_break. Must not know causes of breaks: the core finds them.
Source: domain-process section 8.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.codes import InstitutionCode, Region
from hub.core.dates import start_of_day
from hub.core.matching import Break, BreakCause, Told
from hub.core.money import Money
from hub.ports.records import MatchRow, MatchRun, ReportedBooking, SidedBooking
from hub.vault import Vault

_FORGET_REPORT = text("delete from hospital_report where institution = :institution and day = :day")
_REPORT = text(
    """
    with head as (
        insert into hospital_report (institution, day, region, at) values (:institution, :day, :region, :at)
    )
    insert into hospital_report_row (
        institution, day, care_region, event_id, insuring_region, total_fen, fund_total_fen
    )
    select :institution, :day, :region, * from unnest(
        cast(:event_ids as text[]), cast(:insuring_regions as text[]), cast(:totals as bigint[]),
        cast(:funds as bigint[])
    )
    """
)
# What one hospital says of another's bill counts for nothing, and an event that two of them made up counts once: else
# any hospital could stop the match of a whole region.
_CARE_SIDE = text(
    """
    select distinct on (told.event_id collate "C")
        told.event_id, told.total_fen, told.fund_total_fen, told.care_region, told.institution
    from hospital_report_row as told left join bill on bill.id = split_part(told.event_id, '/', 1)
    where day = :day and told.insuring_region = :insuring_region
        and (bill.id is null or bill.institution = told.institution)
    order by told.event_id collate "C", told.institution
    """
)
# From the bills, not from the ledger: a bill of zero has no entry, but all three sides speak of it.
_HUB_SIDE = text(
    """
    select bill.id || '/settled' as event_id, total_fen, fund_total_fen, care_region, institution
    from bill
    where settled_on = :day and insuring_region = :insuring_region
    union all
    select bill.id || '/cancelled', -total_fen, -fund_total_fen, care_region, institution
    from bill_move join bill on bill.id = bill_move.bill_id
    where event = 'cancelled' and at >= :begin and at < :end and insuring_region = :insuring_region
    order by event_id
    """
)
_FORGET_RUN = text("delete from match_run where day = :day and insuring_region = :insuring_region")
_SAVE = text(
    """
    with head as (
        insert into match_run (day, insuring_region, agreed, broken, at)
        values (:day, :insuring_region, :agreed, :broken, :at)
    )
    insert into match_break (
        day, insuring_region, event_id, cause, care_region, institution, hub_total_fen, hub_fund_total_fen,
        care_total_fen, care_fund_total_fen, insuring_total_fen, insuring_fund_total_fen
    )
    select :day, :insuring_region, * from unnest(
        cast(:event_ids as text[]), cast(:causes as text[]), cast(:care_regions as text[]),
        cast(:institutions as text[]), cast(:hub_totals as bigint[]), cast(:hub_funds as bigint[]),
        cast(:care_totals as bigint[]), cast(:care_funds as bigint[]), cast(:insuring_totals as bigint[]),
        cast(:insuring_funds as bigint[])
    )
    """
)
_RUNS = text("select insuring_region, agreed, broken, at from match_run where day = :day order by insuring_region")
_BREAKS = text(
    """
    select insuring_region, event_id, cause, care_region, institution, hub_total_fen, hub_fund_total_fen,
        care_total_fen, care_fund_total_fen, insuring_total_fen, insuring_fund_total_fen
    from match_break where day = :day order by insuring_region, event_id collate "C"
    """
)


class Matching:
    """The shelf of the daily match; see `hub.ports.store.Matching`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def report(
        self, institution: InstitutionCode, *, region: Region, day: date, rows: Iterable[ReportedBooking], at: datetime
    ) -> None:
        given = list(rows)
        key = {"institution": institution.code, "day": day}
        self._connection.execute(_FORGET_REPORT, key)
        self._connection.execute(
            _REPORT,
            {
                **key,
                "region": region.code,
                "at": at,
                "event_ids": [row.event_id for row in given],
                "insuring_regions": [row.insuring_region.code for row in given],
                "totals": [row.total.fen for row in given],
                "funds": [row.fund_total.fen for row in given],
            },
        )

    def care_side(self, *, day: date, insuring_region: Region) -> Sequence[SidedBooking]:
        found = self._connection.execute(_CARE_SIDE, {"day": day, "insuring_region": insuring_region.code})
        return [_sided(row) for row in found]

    def hub_side(self, *, day: date, insuring_region: Region) -> Sequence[SidedBooking]:
        found = self._connection.execute(
            _HUB_SIDE,
            {
                "day": day,
                "begin": start_of_day(day),
                "end": start_of_day(day + timedelta(days=1)),
                "insuring_region": insuring_region.code,
            },
        )
        return [_sided(row) for row in found]

    def save(
        self, *, day: date, insuring_region: Region, agreed: int, breaks: Iterable[MatchRow], at: datetime
    ) -> None:
        rows = list(breaks)
        key = {"day": day, "insuring_region": insuring_region.code}
        self._connection.execute(_FORGET_RUN, key)
        self._connection.execute(
            _SAVE,
            {
                **key,
                "agreed": agreed,
                "broken": len(rows),
                "at": at,
                "event_ids": [row.found.event_id for row in rows],
                "causes": [row.found.cause.value for row in rows],
                "care_regions": [row.care_region.code if row.care_region else None for row in rows],
                "institutions": [row.institution.code if row.institution else None for row in rows],
                **_side_columns("hub", [row.found.hub for row in rows]),
                **_side_columns("care", [row.found.care for row in rows]),
                **_side_columns("insuring", [row.found.insuring for row in rows]),
            },
        )

    def runs(self, *, day: date) -> Sequence[MatchRun]:
        """The latest run of each insuring region that the scope sees, ordered by region."""
        found = self._connection.execute(_RUNS, {"day": day})
        return [MatchRun(day, Region(row.insuring_region), row.agreed, row.broken, row.at) for row in found]

    def breaks(self, *, day: date) -> Sequence[MatchRow]:
        """Breaks of a day that the scope sees, ordered by insuring region and event id."""
        return [_match_row(day, row) for row in self._connection.execute(_BREAKS, {"day": day})]


def _sided(row: Row[Any]) -> SidedBooking:
    return SidedBooking(
        told=Told(row.event_id, Money(row.total_fen), Money(row.fund_total_fen)),
        care_region=Region(row.care_region),
        institution=InstitutionCode(row.institution),
    )


def _side_columns(side: str, told: Sequence[Told | None]) -> dict[str, list[int | None]]:
    return {
        f"{side}_totals": [one.total.fen if one else None for one in told],
        f"{side}_funds": [one.fund_total.fen if one else None for one in told],
    }


def _match_row(day: date, row: Row[Any]) -> MatchRow:
    def told(side: str) -> Told | None:
        if getattr(row, f"{side}_total_fen") is None:
            return None
        return Told(
            row.event_id, Money(getattr(row, f"{side}_total_fen")), Money(getattr(row, f"{side}_fund_total_fen"))
        )

    return MatchRow(
        day=day,
        insuring_region=Region(row.insuring_region),
        care_region=Region(row.care_region) if row.care_region else None,
        institution=InstitutionCode(row.institution) if row.institution else None,
        found=Break(row.event_id, BreakCause(row.cause), told("hub"), told("care"), told("insuring")),
    )
