"""Reads one bill, a document of plain values, as the question that is put to an insuring region.

Knows every field of the document, and names the one that is wrong. Must not know how a bill is decided.
Source: decision record 0072.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Regime, Region, regime_of
from hub.core.decision import CareKind, DecisionRequest, PersonGroup, Place, Referral, YearToDate
from hub.core.errors import Faults, HubError, NotAllowed
from hub.core.money import ZERO, Money, total, yuan
from hub.core.registration import AccessBasis

Word = TypeVar("Word", bound=StrEnum)
Value = TypeVar("Value")

EXAMPLE: Mapping[str, object] = {
    "id": "bill-1",
    "region": "450700",
    "care_region": "341000",
    "admitted_on": "2026-06-21",
    "discharged_on": "2026-06-30",
    "registration": "referred",
    "referral": "up",
    "level": "3",
    "care": "inpatient",
    "insurance_type": "390",
    "group": "adult",
    "membership_years": 3,
    "lines": [
        {"class": "A", "amount": "8000.00"},
        {"class": "B", "amount": "1000.00", "over_limit": "100.00", "first_self_pay": "90.00"},
        {"class": "C", "amount": "200.00"},
    ],
    "year_to_date": {
        "admissions": {"3": 1},
        "paid_by_fund": {"390100": "2500.00"},
        "accumulated": {"catastrophic": "3500.00"},
    },
}
"""A document with the fields that most bills have; `amounts` may stand in the place of `lines`."""

_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?", re.ASCII)
_PARTS = ("full_self_pay", "over_limit", "first_self_pay", "in_policy")
_KNOWN = frozenset(
    {*EXAMPLE, "service_date", "place", "amounts", "disease", "by_disease", "paid_first", "insured_since"}
)


def read_bill(document: Mapping[str, object]) -> DecisionRequest:
    """The question that a document puts. Raises NotAllowed ``bill_faulty`` with every fault and its field."""
    return _Reader(document).request()


class _Reader:
    def __init__(self, document: Mapping[str, object]) -> None:
        self._given = document
        self._faults = Faults()
        for key in document:
            if key not in _KNOWN:
                self._faults.add(key, "field_unknown", "this field is not known: mend the spelling or leave it out")

    def request(self) -> DecisionRequest:
        region = self._read("region", Region)
        care_region = self._read("care_region", Region) if "care_region" in self._given else None
        discharged = self._day("discharged_on")
        facts: dict[str, Any] = {
            "bill_id": self._text("id") or "bill",
            "insuring_region": region,
            "care_region": care_region or region,
            "place": self._place(region, care_region),
            "basis": self._word("registration", AccessBasis),
            "level": self._word("level", HospitalLevel),
            "insurance_type": self._word("insurance_type", InsuranceType, default=InsuranceType.RESIDENT),
            "group": self._word("group", PersonGroup, default=PersonGroup.ADULT),
            "membership_years": self._count("membership_years"),
            "admitted_on": self._admitted(discharged),
            "discharged_on": discharged,
            "amounts": self._amounts(),
            "year_to_date": self._year(discharged),
            "care": self._word("care", CareKind, default=CareKind.INPATIENT),
            "referral": self._word("referral", Referral, default=Referral.NONE),
            "disease": self._text("disease"),
            "by_disease": self._flag("by_disease"),
            "paid_first": self._money_by_name("paid_first", self._part("paid_first"), str),
            "insured_since": self._day("insured_since") if "insured_since" in self._given else None,
        }
        self._stop()
        try:
            return DecisionRequest(**facts)
        except NotAllowed as wrong:
            self._faults.add("", wrong.code, wrong.message)
            self._stop()
            raise

    def _stop(self) -> None:
        self._faults.stop_if_any("bill_faulty", "the bill was not decided; mend every fault listed")

    # --- single values ------------------------------------------------------------------------------------------

    def _read(self, key: str, parse: Callable[[str], Value]) -> Value | None:
        found = self._given.get(key)
        if found is None:
            self._faults.add(key, "field_missing", "this field is required")
            return None
        try:
            return parse(str(found))
        except HubError as wrong:
            self._faults.add(key, wrong.code, wrong.message)
            return None

    def _word(self, key: str, kind: type[Word], *, default: Word | None = None) -> Word | None:
        found = self._given.get(key)
        if found is None:
            if default is None:
                self._faults.add(key, "field_missing", f"this field is required: one of {', '.join(kind)}")
            return default
        try:
            return kind(str(found))
        except ValueError:
            self._faults.add(key, "word_unknown", f"{str(found)[:40]!r} is none of: {', '.join(kind)}")
            return default

    def _day(self, key: str) -> date | None:
        found = self._given.get(key)
        if found is None:
            self._faults.add(key, "field_missing", "this field is required: a day like 2026-06-30")
            return None
        try:
            return date.fromisoformat(str(found))
        except ValueError:
            self._faults.add(key, "date_malformed", f"{str(found)[:40]!r} is not a day: write it like 2026-06-30")
            return None

    def _text(self, key: str) -> str:
        found = self._given.get(key, "")
        if not isinstance(found, str | int):
            self._faults.add(key, "text_expected", "a text is expected")
            return ""
        return str(found)

    def _flag(self, key: str) -> bool:
        found = self._given.get(key, False)
        if not isinstance(found, bool):
            self._faults.add(key, "flag_expected", "write true or false")
            return False
        return found

    def _count(self, key: str) -> int:
        found = self._given.get(key, 0)
        if type(found) is not int or not 0 <= found <= 150:
            self._faults.add(key, "count_range", "a whole number of years from 0 to 150 is expected")
            return 0
        return found

    def _admitted(self, discharged: date | None) -> date | None:
        key = "admitted_on" if "admitted_on" in self._given else "service_date"
        admitted = self._day(key) if key in self._given else discharged
        if admitted is not None and discharged is not None and admitted > discharged:
            self._faults.add(key, "discharge_before_admission", "the discharge lies before the admission")
        return admitted

    def _place(self, region: Region | None, care_region: Region | None) -> Place | None:
        if "place" in self._given:
            return self._word("place", Place)
        if region is None or care_region is None:
            self._faults.add("care_region", "field_missing", "name the place of care by `care_region` or by `place`")
            return None
        try:
            regime = regime_of(insuring_region=region, care_region=care_region)
        except HubError as wrong:
            self._faults.add("care_region", wrong.code, wrong.message)
            return None
        return Place.WITHIN_PROVINCE if regime is Regime.WITHIN_PROVINCE else Place.OUTSIDE_PROVINCE

    # --- amounts ------------------------------------------------------------------------------------------------

    def _money(self, where: str, found: object) -> Money:
        """Yuan as text or as a JSON number of at most two decimals."""
        text = str(found) if isinstance(found, str | int | Decimal) and not isinstance(found, bool) else ""
        if not _AMOUNT.fullmatch(text) or text.startswith("-"):
            self._faults.add(
                where, "money_malformed", f"{str(found)[:40]!r} is not an amount: yuan, not negative, like 1234.50"
            )
            return ZERO
        whole, _, part = text.partition(".")
        return yuan(f"{whole}.{part:0<2}")

    def _part(self, key: str, given: Mapping[str, object] | None = None) -> Mapping[str, object]:
        found = (self._given if given is None else given).get(key, {})
        if not isinstance(found, Mapping):
            self._faults.add(key, "object_expected", "an object of names and values is expected")
            return {}
        return found

    def _money_by_name(self, where: str, given: Mapping[str, object], kind: type[Value]) -> dict[Value, Money]:
        found: dict[Value, Money] = {}
        for name, amount in given.items():
            try:
                key = kind(name)  # type: ignore[call-arg]
            except ValueError:
                self._faults.add(f"{where}.{name}", "name_unknown", f"{name[:40]!r} is not a {kind.__name__.lower()}")
                continue
            found[key] = self._money(f"{where}.{name}", amount)
        return found

    def _amounts(self) -> ClassifiedAmounts:
        if ("lines" in self._given) == ("amounts" in self._given):
            self._faults.add("amounts", "amounts_once", "give either `lines` or `amounts`")
            return ClassifiedAmounts(ZERO, ZERO, ZERO, ZERO, ZERO)
        if "lines" in self._given:
            return self._lines(self._given["lines"])
        given = self._part("amounts")
        for key in given:
            if key not in (*_PARTS, "total"):
                self._faults.add(f"amounts.{key}", "field_unknown", f"the parts are {', '.join(_PARTS)} and total")
        parts = {name: self._money(f"amounts.{name}", given.get(name, "0.00")) for name in _PARTS}
        added = total(parts.values())
        if "in_policy" not in given:
            self._faults.add("amounts.in_policy", "field_missing", "the in-policy amount is required")
        if "total" in given and self._money("amounts.total", given["total"]) != added:
            self._faults.add("amounts.total", "total_differs", f"the four parts add up to {added}")
        return ClassifiedAmounts(total=added, **parts)

    def _lines(self, given: object) -> ClassifiedAmounts:
        sums = dict.fromkeys(_PARTS, 0)
        if not isinstance(given, list) or not given:
            self._faults.add("lines", "list_expected", "a list of at least one line is expected")
            given = []
        for row, line in enumerate(given):
            for name, fen in self._line(f"lines[{row}]", line).items():
                sums[name] += fen
        parts = {name: Money(fen) for name, fen in sums.items()}
        return ClassifiedAmounts(total=total(parts.values()), **parts)

    def _line(self, where: str, given: object) -> Mapping[str, int]:
        """Class A enters as it is, class B after its first self-pay, class C and what is outside is fully self-paid."""
        if not isinstance(given, Mapping):
            self._faults.add(where, "object_expected", "a line is an object with class and amount")
            return {}
        amount = self._money(f"{where}.amount", given.get("amount"))
        over = self._money(f"{where}.over_limit", given.get("over_limit", "0.00"))
        first = self._money(f"{where}.first_self_pay", given.get("first_self_pay", "0.00"))
        kind = str(given.get("class"))
        if kind not in ("A", "B", "C", "none"):
            self._faults.add(f"{where}.class", "class_unknown", "the class is A, B, C or none (outside the catalog)")
        if kind == "B" and "first_self_pay" not in given:
            self._faults.add(f"{where}.first_self_pay", "field_missing", "a class B line says what is paid first")
        if kind == "A" and first:
            self._faults.add(f"{where}.first_self_pay", "class_a_self_pay", "a class A line has no first self-pay")
        if kind in ("C", "none") and not first and not over:
            return {"full_self_pay": amount.fen}
        inside = amount.fen - over.fen - first.fen
        if inside < 0:
            self._faults.add(where, "line_parts", "limit excess and first self-pay are more than the amount")
            return {}
        return {"over_limit": over.fen, "first_self_pay": first.fen, "in_policy": inside}

    # --- the year so far ----------------------------------------------------------------------------------------

    def _year(self, discharged: date | None) -> YearToDate:
        given = self._part("year_to_date")
        admissions: dict[HospitalLevel, int] = {}
        for name, count in self._part("admissions", given).items():
            if name not in list(HospitalLevel) or type(count) is not int or count < 0:
                self._faults.add(f"year_to_date.admissions.{name}", "count_range", "a level 1 to 3 and a count from 0")
                continue
            admissions[HospitalLevel(name)] = count
        for key in given:
            if key not in ("year", "admissions", "paid_by_fund", "accumulated", "in_policy", "self_pay_in_policy"):
                self._faults.add(f"year_to_date.{key}", "field_unknown", "this field is not known")
        return YearToDate(
            year=discharged.year if discharged is not None else 2000,
            admissions={level: count for level, count in sorted(admissions.items()) if count},
            in_policy=self._money("year_to_date.in_policy", given.get("in_policy", "0.00")),
            self_pay_in_policy=self._money("year_to_date.self_pay_in_policy", given.get("self_pay_in_policy", "0.00")),
            paid_by_fund=self._money_by_name("year_to_date.paid_by_fund", self._part("paid_by_fund", given), Fund),
            accumulated=self._money_by_name("year_to_date.accumulated", self._part("accumulated", given), str),
        )
