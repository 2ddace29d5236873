"""A stored statement as a page shows it: read from its own bytes, grouped by hospital, and checked to add up.

Knows the JSON layout of a statement. Must not compute what the statement does not say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub.actions.rendering import JSON_TYPE, STATEMENT
from hub.core.errors import Inconsistent, NotFound
from hub.core.money import ZERO, Money, yuan
from hub.core.money import total as total_of
from hub.ports.records import StoredStatement

JSON_STATEMENT = (STATEMENT, JSON_TYPE)


@dataclass(frozen=True, slots=True)
class Movement:
    """One side of a statement: what was booked and taken back in the month, and what that leaves."""

    opening: Money
    settled: Money
    cancelled: Money
    closing: Money
    bookings: int
    bill_total: Money


@dataclass(slots=True)
class HospitalTotal:
    """What one hospital's bookings of one direction come to."""

    insuring_region: str
    care_region: str
    institution: str
    bookings: int = 0
    bill_total: Money = ZERO
    fund_total: Money = ZERO


def read_statement(stored: StoredStatement) -> dict[str, Any]:
    """The statement's document; only statements themselves have a page, notices are files."""
    if (stored.kind, stored.media_type) != JSON_STATEMENT:
        raise NotFound("statement_not_found", f"{stored.id} has no page")
    document: dict[str, Any] = json.loads(stored.content)
    return document


def parts_of(document: dict[str, Any]) -> dict[str, Movement]:
    """Payable and receivable, each as opening + settled + cancelled = closing.

    A month opens at zero: what an earlier one left over was cleared in full, and late bills are bookings of this month.
    Raises Inconsistent where the bookings do not add up to the statement's own total.
    """
    return {
        "payable": _movement(document, side="insuring_region", total="payable"),
        "receivable": _movement(document, side="care_region", total="receivable"),
    }


def _movement(document: dict[str, Any], *, side: str, total: str) -> Movement:
    own = [row for row in document["bookings"] if row[side] == document["region"]]
    settled, cancelled = ZERO, ZERO
    for row in own:
        amount = yuan(row["fund_total"])
        if row["event"] == "cancelled":
            cancelled += amount
        else:
            settled += amount
    closing = yuan(document[total])
    if settled + cancelled != closing:
        raise Inconsistent("statement_page", f"the bookings of a statement of {document['period']} do not add up")
    return Movement(ZERO, settled, cancelled, closing, len(own), total_of(yuan(row["bill_total"]) for row in own))


def grouped(document: dict[str, Any]) -> list[HospitalTotal]:
    """Sums per direction and hospital, in the statement's order."""
    found: dict[tuple[str, str, str], HospitalTotal] = {}
    for row in document["bookings"]:
        key = (row["insuring_region"], row["care_region"], row["institution"])
        one = found.setdefault(key, HospitalTotal(*key))
        one.bookings += 1
        one.bill_total += yuan(row["bill_total"])
        one.fund_total += yuan(row["fund_total"])
    return list(found.values())
