"""The players outside the hub: a hospital's desk, an agency, a patient at his phone, an officer at his workbench.

Knows what each sends and what a hospital books for itself. Must not look into the hub: everything goes by signed
messages or pages, as it would from another building.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hub.client import HubClient
from hub.core.bill import Bill, Hospital
from hub.core.money import Money, yuan
from hub.demo.bills import lines_json
from hub.demo.browser import Browser, PageProblem
from hub.demo.stage import Login
from hub.demo.story import REGISTRATION_DAY, Stay
from hub.demo.world import Member

Json = dict[str, Any]

NOTICE_VERSION = "2026-01"


def person_json(member: Member) -> Json:
    return {"insuring_region": member.region.code, "name": member.name, "identity": member.identity.number}


def application_json(stay: Stay) -> Json:
    """A person's application, as an agency or a hospital sends it for him."""
    if stay.application is None:
        raise ValueError(f"stay {stay.number} has no application")
    return {
        **person_json(stay.member),
        "care_region": stay.care_region.code,
        "category": str(stay.application.category),
        "evidence": str(stay.application.evidence),
        "start": REGISTRATION_DAY.isoformat(),
        "phone": stay.member.phone,
        "notice_version": NOTICE_VERSION,
    }


@dataclass(frozen=True, slots=True)
class Booked:
    """One line of a hospital's own day book; amounts are negative for a cancel. `funds` says which fund owes what."""

    event_id: str
    stay: Stay
    day: date
    period: str
    total: Money
    fund_total: Money
    funds: tuple[tuple[str, Money], ...]


@dataclass(slots=True)
class Desk:
    """A hospital's desk with its own way to the hub and its own day book."""

    hospital: Hospital
    client: HubClient
    book: list[Booked] = field(default_factory=list)

    def record_admission(self, stay: Stay) -> Json:
        return self.client.record_admission(
            {
                "institution": self.hospital.code.code,
                "visit_no": stay.visit_no,
                **person_json(stay.member),
                "kind": str(stay.kind),
                "diagnosis": stay.illness.code,
                "admitted_at": stay.admitted_at.isoformat(),
            },
            idempotency_key=f"admit-{stay.visit_no}",
        )

    def settle(self, stay: Stay, bill: Bill, *, revision: int = 1, key: str = "") -> Json:
        """Send a bill and book what comes back. Raises Problem where it is refused."""
        answer = self.client.settle_bill(
            {
                "institution": self.hospital.code.code,
                "visit_no": stay.visit_no,
                "bill_no": bill.bill_no,
                "revision": revision,
                "discharged_on": bill.discharged_on.isoformat(),
                "total": str(bill.total),
                "lines": lines_json(bill),
            },
            idempotency_key=key or f"settle-{bill.bill_no}-{revision}",
        )
        booked = Booked(
            event_id=f"{answer['id']}/settled",
            stay=stay,
            day=date.fromisoformat(answer["settled_on"]),
            period=answer["period"],
            total=yuan(answer["amounts"]["total"]),
            fund_total=yuan(answer["split"]["fund_total"]),
            funds=tuple((share["fund"], yuan(share["amount"])) for share in answer["split"]["funds"]),
        )
        # The answer to a message sent twice is the same answer: it is booked once.
        if booked.event_id not in {one.event_id for one in self.book}:
            self.book.append(booked)
        return answer

    def cancel(self, bill_id: str, *, reason: str, day: date, period: str) -> Json:
        """Cancel a settled bill and book the mirror image on the day of the cancel."""
        answer = self.client.cancel_bill(bill_id, reason=reason, idempotency_key=f"cancel-{bill_id}")
        original = next(one for one in self.book if one.event_id == f"{bill_id}/settled")
        self.book.append(
            Booked(
                event_id=f"{bill_id}/cancelled",
                stay=original.stay,
                day=day,
                period=period,
                total=-original.total,
                fund_total=-original.fund_total,
                funds=tuple((fund, -amount) for fund, amount in original.funds),
            )
        )
        return answer

    def report(self, day: date, *, leaving_out: Sequence[Stay] = (), misreporting: Sequence[Stay] = ()) -> Json:
        """Send the day book of a day; on request with the mistakes that happen: a row forgotten, a total mistyped."""
        rows = [
            {
                "event_id": one.event_id,
                "insuring_region": one.stay.insuring_region.code,
                "total": str(mistyped(one.total) if one.stay in misreporting else one.total),
                "fund_total": str(one.fund_total),
            }
            for one in self.book
            if one.day == day and one.stay not in leaving_out
        ]
        return self.client.report_day(
            {"institution": self.hospital.code.code, "day": day.isoformat(), "bookings": rows}
        )


def mistyped(amount: Money) -> Money:
    """An amount with its first two digits of yuan exchanged; ninety yuan more where they are alike."""
    yuan_digits, _, fen = str(amount).partition(".")
    swapped = f"{yuan_digits[1]}{yuan_digits[0]}{yuan_digits[2:]}" if len(yuan_digits) > 1 else yuan_digits
    if swapped == yuan_digits or swapped.startswith("0"):
        return amount + yuan("90.00")
    return yuan(f"{swapped}.{fen}")


# --- at the pages --------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}\b")


def apply_on_page(origin: str, stay: Stay) -> str:
    """Register as a patient does: one question a page, then the check, then the reference number, which is given back.

    Which questions are asked is read from the pages, so that a category without a choice of evidence just works.
    """
    wanted = application_json(stay)
    del wanted["notice_version"]  # The page names the notice that the patient ticks.
    browser = Browser(origin)
    browser.open("/register")
    for _ in range(12):
        asked = browser.fields & wanted.keys()
        browser.send(**{name: wanted[name] for name in asked})
        if browser.url.endswith("/done"):
            break
    found = _REFERENCE.search(browser.text)
    if found is None:
        raise PageProblem(f"no reference number on {browser.url}: {browser.text[:400]}")
    return found[0]


@dataclass(slots=True)
class Officer:
    """An officer at the workbench."""

    browser: Browser

    @classmethod
    def signed_in(cls, origin: str, login: Login) -> Officer:
        browser = Browser(origin)
        browser.open("/login")
        browser.send(login=login.login, password=login.password)
        return cls(browser)

    def decide(self, registration_id: str, *, approve: bool, reason: str = "") -> None:
        """Decide one application on its page."""
        self.browser.open(f"/desk/registrations/{registration_id}")
        self.browser.send(decision="approve" if approve else "refuse", reason=reason)
