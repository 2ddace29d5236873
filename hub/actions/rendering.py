"""A statement or a notice as bytes: the same values always give the same bytes.

Knows CSV and JSON layouts.
Must not know windows' states, the store or pages. No moment of printing stands in the bytes, so that a closed period
can be recomputed and compared.
Sources: design invariant 6; engineering guide section 8 row 13 for spreadsheet formulas.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from hub.core.codes import Fund, Region
from hub.core.money import ZERO
from hub.core.statement import PairTotal, Statement, StatementRow

CSV_TYPE = "text/csv; charset=utf-8"
JSON_TYPE = "application/json"

STATEMENT = "statement"
PAYMENT_NOTICE = "payment_notice"
RECEIPT_NOTICE = "receipt_notice"

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "|", "＝")

CSV_COLUMNS = (
    "period",
    "regime",
    "insuring_region",
    "care_region",
    "institution",
    "insurance_type",
    "event",
    "bill_id",
    "discharged_on",
    "booked_on",
    "months_late",
    "bill_total",
    *(f"fund_{fund}" for fund in Fund),
    "fund_total",
)
"""One column per fund, so that every column of amounts may be added up."""


def text_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; amounts, which we write ourselves, do not pass through here."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def statement_csv(statement: Statement) -> bytes:
    """One line per booking, in the statement's order; UTF-8 with CRLF ends (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in statement.rows:
        writer.writerow(
            (
                str(statement.period),
                statement.regime,
                row.insuring_region.code,
                row.care_region.code,
                row.institution.code,
                row.insurance_type,
                row.event,
                text_cell(row.bill_id),
                row.discharged_on.isoformat(),
                row.booked_on.isoformat(),
                row.months_late,
                str(row.bill_total),
                *(str(row.by_fund.get(fund, ZERO)) for fund in Fund),
                str(row.fund_total),
            )
        )
    return out.getvalue().encode()


def statement_json(statement: Statement) -> bytes:
    """Totals first, then the bookings; keys in the order written, amounts as yuan texts."""
    return _dump(
        {
            **_head(statement),
            "payable": str(statement.payable),
            "receivable": str(statement.receivable),
            "totals": [_total(found) for found in statement.totals()],
            "bookings": [_booking(row) for row in statement.rows],
        }
    )


def notice_json(statement: Statement, kind: str) -> bytes:
    """A payment or receipt notice in gross: per counterparty, insurance type and fund, with its sum."""
    paying = kind == PAYMENT_NOTICE
    own = [
        found
        for found in statement.totals()
        if (found.insuring_region if paying else found.care_region) == statement.region
    ]
    return _dump(
        {
            **_head(statement),
            "notice": kind,
            "basis": "gross",
            "rows": [_total(found) for found in own],
            "sum": str(statement.payable if paying else statement.receivable),
        }
    )


def render(statement: Statement) -> Mapping[tuple[str, str], bytes]:
    """Everything that a region receives of a closed window, by kind and media type."""
    return {
        (STATEMENT, CSV_TYPE): statement_csv(statement),
        (STATEMENT, JSON_TYPE): statement_json(statement),
        (PAYMENT_NOTICE, JSON_TYPE): notice_json(statement, PAYMENT_NOTICE),
        (RECEIPT_NOTICE, JSON_TYPE): notice_json(statement, RECEIPT_NOTICE),
    }


def statement_id(window_id: str, region: Region, kind: str, media_type: str) -> str:
    """Derived, so that a region can never have two statements of one kind for a window."""
    form = "csv" if media_type == CSV_TYPE else "json"
    return f"stm_{window_id}_{region}_{kind}_{form}"


def _head(statement: Statement) -> dict[str, Any]:
    return {"region": statement.region.code, "regime": statement.regime, "period": str(statement.period)}


def _total(found: PairTotal) -> dict[str, Any]:
    return {
        "insuring_region": found.insuring_region.code,
        "care_region": found.care_region.code,
        "insurance_type": found.insurance_type,
        "fund": found.fund,
        "amount": str(found.amount),
        "bookings": found.bookings,
    }


def _booking(row: StatementRow) -> dict[str, Any]:
    return {
        "event": row.event,
        "bill_id": row.bill_id,
        "insuring_region": row.insuring_region.code,
        "care_region": row.care_region.code,
        "institution": row.institution.code,
        "insurance_type": row.insurance_type,
        "discharged_on": row.discharged_on.isoformat(),
        "booked_on": row.booked_on.isoformat(),
        "months_late": row.months_late,
        "bill_total": str(row.bill_total),
        "funds": {fund: str(amount) for fund, amount in row.by_fund.items()},
        "fund_total": str(row.fund_total),
    }


def _dump(document: Mapping[str, Any]) -> bytes:
    # Without indentation: indented, the standard library's encoder is ten times slower.
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
