"""Loads the table of China's working days.

Knows the file in catalogs/calendar. Must not know what day it is or what a deadline is for.
Source: the State Council's yearly notice on holidays; the number of each notice stands in each row.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from types import MappingProxyType

from catalogs.descriptor import read_descriptor
from catalogs.faults import FaultList
from catalogs.tables import Table
from hub.core.dates import DayKind, WorkingCalendar

_COLUMNS = ("date", "kind", "name", "source")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read_day(text: str) -> date | None:
    """A date written like 2024-01-01; None for anything else."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def load_calendar(folder: Path) -> WorkingCalendar:
    """Read and check the working-day table; complete for the years that calendar.toml lists and for no other.

    Raises CatalogFaults with every fault.
    """
    faults = FaultList()
    top, _ = read_descriptor(folder / "calendar.toml", faults=faults, what=folder.name)
    years = frozenset(top.wholes("years"))
    table = Table(folder, top.section("file"))
    days: dict[date, DayKind] = {}
    for line, (day_text, kind_text, name, source) in table.read(_COLUMNS):
        day = read_day(day_text)
        if day is None:
            table.fault(line, "date", "date_malformed", f"{day_text!r} is not a date: write it like 2026-10-01")
            continue
        if day.year not in years:
            table.fault(line, "date", "year_undeclared", f"{day.year} is not among the years in calendar.toml")
        if day in days:
            table.fault(line, "date", "day_twice", f"{day} stands in the file already")
        if kind_text not in list(DayKind):
            table.fault(line, "kind", "value_unknown", f"{kind_text!r} is not one of {', '.join(DayKind)}")
            continue
        if kind_text == DayKind.MAKE_UP_WORKDAY and day.weekday() < 5:
            table.fault(line, "kind", "not_a_weekend", f"{day} is no Saturday or Sunday: nothing to make up")
        if not name or not source:
            table.fault(line, "source", "source_missing", "name the holiday and the notice that orders it")
        days[day] = DayKind(kind_text)
    for year in sorted(years - {day.year for day in days}):
        top.fault("years", "year_empty", f"lists {year}, of which the file has no day")
    table.finish()
    top.finish()
    faults.stop_if_any(folder.name)
    return WorkingCalendar(MappingProxyType(days), years)
