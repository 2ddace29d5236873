"""Example messages for the documentation; a test sends each of them.

Knows the made-up persons of the played region 990100. Must not hold anybody's real data.
"""

from __future__ import annotations

from typing import Any

_PERSON: dict[str, Any] = {"insuring_region": "990100", "name": "沙一", "identity": "110101198001010010"}

REGISTRATION: dict[str, Any] = {
    **_PERSON,
    "care_region": "450700",
    "category": "other_temporary",
    "evidence": "none",
    "start": "2026-11-20",
    "phone": "13900000001",
    "notice_version": "2026-01",
}

APPROVAL: dict[str, Any] = {"approve": True, "reason": ""}

REASON: dict[str, Any] = {"reason": "entered twice"}

ADMISSION: dict[str, Any] = {
    "institution": "H45070200001",
    "visit_no": "ZY20261120-0007",
    **_PERSON,
    "kind": "ordinary",
    "diagnosis": "K35.800",
    "admitted_at": "2026-11-20T09:30:00+08:00",
}

BILL: dict[str, Any] = {
    "institution": "H45070200001",
    "visit_no": "ZY20261120-0007",
    "bill_no": "JS20261122-0007",
    "revision": 1,
    "discharged_on": "2026-11-22",
    "total": "980.00",
    "lines": [
        {
            "line_no": 1,
            "kind": "service",
            "code": "001101000010000",
            "name": "诊查费",
            "unit_price": "35",
            "quantity": "30",
            "amount": "1050.00",
            "fee_date": "2026-11-21",
        },
        {
            "line_no": 2,
            "kind": "service",
            "code": "001101000010000",
            "name": "诊查费",
            "unit_price": "35",
            "quantity": "-2",
            "amount": "-70.00",
            "fee_date": "2026-11-22",
            "returns": 1,
        },
    ],
}

DAY_REPORT: dict[str, Any] = {
    "institution": "H45070200001",
    "day": "2026-11-22",
    "bookings": [
        {
            "event_id": "bil-01jd3x5v2m8q0c6k4t7w9y1z3b/settled",
            "insuring_region": "990100",
            "total": "980.00",
            "fund_total": "490.00",
        }
    ],
}

MAPPING: dict[str, Any] = {
    "kind": "service",
    "code": "001101000010000",
    "target": "001101000010000",
    "grade": "exact",
    "first_day": "2026-11-01",
    "reason": "the same service in both books",
}

ENTRY: dict[str, Any] = {
    "kind": "service",
    "code": "001101000010000",
    "first_day": "2026-11-01",
    "benefit_class": "B",
    "first_self_pay": "10 %",
    "price_limits": {"3": "35"},
    "reason": "class and limit of the new price list",
}

BULK_PROPOSAL: dict[str, Any] = {
    "kind": "service",
    "least_score": 950,
    "first_day": "2026-11-01",
    "reason": "name and code agree",
}

BULK_REVIEW: dict[str, Any] = {"least_score": 950, "reason": "looked through the list"}
