"""Checks that a region goes from its own codes to the unified ones without a day on which neither or both hold.

Knows the days that a region's catalog declares for one kind. Must not know codes, files or terms.
Source: domain-process section 6.3: codes and mappings are intervals; seed policy P21 (dated moves to the unified code).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from catalogs.descriptor import Section
from hub.core.codes import CatalogKind


@dataclass(frozen=True, slots=True)
class Handover:
    """Until which day (excluded) a region uses its own codes of a kind, and from which day the unified ones.

    `until` without own codes means nothing; no `adopted` means that the unified codes are not adopted. A gap or an
    overlap that is meant carries its reason.
    """

    own: bool = False
    until: date | None = None
    adopted: date | None = None
    gap_because: str = ""
    overlap_because: str = ""


def check_handover(top: Section, kind: CatalogKind, found: Handover, *, start: date) -> None:
    """Note a fault for each gap or overlap without a reason, and for each reason without a gap or an overlap."""
    if found.until is not None and found.until <= start:
        message = f"give the own codes of {kind} up on {found.until}, before the release begins: take the section out"
        top.fault("own", "own_over", message)
        return
    gap, overlap = _gap(found, start=start), _overlap(found)
    if gap and not found.gap_because:
        top.fault("own, adopted", "codes_gap", f"leave {kind} without codes {gap}: mend the days, or say gap_because")
    if overlap and not found.overlap_because:
        message = f"give {kind} own and unified codes at once {overlap}: mend the days, or say overlap_because"
        top.fault("own, adopted", "codes_overlap", message)
    if found.gap_because and not gap:
        top.fault("own, adopted", "gap_unused", f"give a reason for a gap of {kind} that is not there")
    if found.overlap_because and not overlap:
        top.fault("own, adopted", "overlap_unused", f"give a reason for an overlap of {kind} that is not there")


def _gap(found: Handover, *, start: date) -> str:
    """The days without codes, in words; empty if there are none."""
    first = found.until if found.own else start
    if first is None:
        return ""
    if found.adopted is None:
        return f"from {first} on"
    return f"from {first} until {found.adopted}" if found.adopted > first else ""


def _overlap(found: Handover) -> str:
    if not found.own or found.adopted is None:
        return ""
    if found.until is None:
        return f"from {found.adopted} on"
    return f"from {found.adopted} until {found.until}" if found.adopted < found.until else ""
