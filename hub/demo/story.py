"""What happens in the played October: some three hundred stays, and a dozen of them worth telling.

Knows who falls ill where, when he comes and goes, and how each special case is expected to end.
Must not know how a message is sent, nor what any bill is decided to be.
The calendar: on 9 October people register; until the 29th they are admitted; 30 October is the played day, on which
nearly all are discharged and settled; on 3 November the month is closed, two stragglers fall into November, and a few
persons go home whose bills stay open: they wait for what Jiangning has not mapped yet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from hub.core.bill import AdmissionKind, Bill, Hospital
from hub.core.catalog import HospitalLevel
from hub.core.codes import Region
from hub.core.dates import SHANGHAI, Period
from hub.core.money import Money, yuan
from hub.core.registration import Evidence, RegistrationCategory
from hub.demo.bills import ILLNESSES, TUMOUR, Illness, draw_bill, with_return, with_several_unmapped, with_unmapped
from hub.demo.shelf import Shelf
from hub.demo.world import HUANGSHAN, JIANGNING, QINZHOU, REGIONS, Member, hospitals_of, members

SEED = "october"

REGISTRATION_DAY = date(2026, 10, 9)
PLAYED_DAY = date(2026, 10, 30)
CLOSE_DAY = date(2026, 11, 3)
PERIOD = Period(2026, 10)
NEXT_PERIOD = Period(2026, 11)

OPEN_STAYS = 12
"""Stays at Jiangning's hospitals that end on the day of the close: their bills can still be settled anew."""

STAYS_PER_PAIR = 50
"""Ordinary stays of persons from one region at another's hospitals; six pairs, three hundred stays."""

SHORTEST_STAY = 2
LONGEST_STAY = 20


class Tale(StrEnum):
    """What a stay is in the story for."""

    ORDINARY = "ordinary"
    UNMAPPED_LINE = "unmapped line"
    RETURN_LINE = "return line"
    DUPLICATE = "duplicate message"
    CANCEL_SAME_DAY = "cancel on the same day"
    CANCEL_AFTER_CLOSE = "cancel after the close"
    LATE_BILL = "late bill"
    EMERGENCY = "emergency without registration"
    YEARLY_CAP = "bill at the yearly cap"
    REFUSED = "registration refused by an officer"
    RULE_NOT_STATED = "bill beyond what the policy states"
    LEFT_OUT = "booking left out of the day report"
    MISREPORTED = "amount misreported in the day report"
    OPEN_WINDOW = "bill of the open November"


class Filing(StrEnum):
    """Through which door a registration comes in."""

    PAGE = "page"
    AGENCY = "agency"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class Application:
    """A registration that a person files before he travels."""

    category: RegistrationCategory
    evidence: Evidence
    filing: Filing


@dataclass(frozen=True, slots=True)
class Stay:
    """One person's stay at one hospital, from his registration to his bill.

    `settled_on` is the day on which the hospital sends the bill; `target` about what a special bill should come to.
    """

    number: int
    tale: Tale
    member: Member
    hospital: Hospital
    illness: Illness
    kind: AdmissionKind
    admitted_at: datetime
    discharged_on: date
    settled_on: date
    application: Application | None
    target: Money | None = None

    @property
    def visit_no(self) -> str:
        return f"ZY{self.admitted_at:%Y%m%d}-{self.number:04d}"

    @property
    def bill_no(self) -> str:
        return f"JS{self.discharged_on:%Y%m%d}-{self.number:04d}"

    @property
    def admitted_on(self) -> date:
        return self.admitted_at.date()

    @property
    def insuring_region(self) -> Region:
        return self.member.region

    @property
    def care_region(self) -> Region:
        return self.hospital.region


@dataclass(frozen=True, slots=True)
class Story:
    """Everybody and everything of the played month."""

    members: tuple[Member, ...]
    stays: tuple[Stay, ...]

    def tale(self, tale: Tale) -> tuple[Stay, ...]:
        """The stays of one special case, the earliest first."""
        return tuple(stay for stay in self.stays if stay.tale is tale)

    def of(self, hospital: Hospital) -> tuple[Stay, ...]:
        return tuple(stay for stay in self.stays if stay.hospital == hospital)


ShelfOf = Mapping[tuple[Region, HospitalLevel], Shelf]


def bill_of(stay: Stay, shelves: ShelfOf) -> Bill:
    """The bill that the hospital sends for a stay, with its special line where the tale wants one."""
    shelf = shelves[stay.care_region, stay.hospital.level]
    bill = draw_bill(
        shelf,
        stay.illness,
        bill_no=stay.bill_no,
        admitted_on=stay.admitted_on,
        discharged_on=stay.discharged_on,
        seed=SEED,
        target=stay.target,
    )
    if stay.tale is Tale.UNMAPPED_LINE:
        return with_unmapped(bill, shelf)
    if stay.tale is Tale.RETURN_LINE:
        return with_return(bill)
    if stay.tale is Tale.OPEN_WINDOW:
        return with_several_unmapped(bill, shelf, seed=SEED)
    return bill


def tell(*, per_pair: int = STAYS_PER_PAIR) -> Story:
    """The whole story; a smaller number of ordinary stays per pair of regions makes a smaller world for tests."""
    teller = _Teller()
    ordinary = [
        teller.ordinary(insured, care)
        for _ in range(per_pair)
        for insured in REGIONS
        for care in REGIONS
        if insured != care
    ]
    stays = [*ordinary, *teller.special()]
    people = {stay.member.identity.number: stay.member for stay in stays}
    return Story(tuple(people.values()), tuple(stays))


# --- applications --------------------------------------------------------------------------------------------------

LONG_TERM = Application(RegistrationCategory.LONG_TERM_RESIDENT, Evidence.PROMISE, Filing.AGENCY)
RETIRED = Application(RegistrationCategory.RETIRED_SETTLED, Evidence.PAPERS, Filing.AGENCY)
POSTED = Application(RegistrationCategory.POSTED_WORKER, Evidence.PROMISE, Filing.AGENCY)
REFERRED = Application(RegistrationCategory.REFERRED, Evidence.REFERRAL_CERTIFICATE, Filing.HOSPITAL)
TEMPORARY = Application(RegistrationCategory.OTHER_TEMPORARY, Evidence.NONE, Filing.HOSPITAL)

_USUAL = (LONG_TERM, LONG_TERM, RETIRED, POSTED, REFERRED, REFERRED, REFERRED, TEMPORARY, TEMPORARY)

EMERGENCY_EVERY = 25
"""One ordinary stay in so many begins in the emergency room, without a registration."""


@dataclass(slots=True)
class _Teller:
    """Draws persons and stays one after the other, so that the same seed tells the same story."""

    draw: random.Random = field(default_factory=lambda: random.Random(SEED))
    people: dict[Region, Iterator[Member]] = field(
        default_factory=lambda: {region: members(region, seed=SEED) for region in REGIONS}
    )
    told: int = 0

    def ordinary(self, insured: Region, care: Region) -> Stay:
        emergency = (self.told + 1) % EMERGENCY_EVERY == 0
        return self.stay(
            Tale.ORDINARY,
            insured,
            self.draw.choice(hospitals_of(care)),
            days=self.draw.randint(SHORTEST_STAY, LONGEST_STAY),
            kind=AdmissionKind.EMERGENCY if emergency else AdmissionKind.ORDINARY,
            application=None if emergency else self.draw.choice(_USUAL),
        )

    def special(self) -> Iterator[Stay]:
        """The named cases, each at a hospital and with a registration that show it best."""
        jiangning, _ = hospitals_of(JIANGNING)
        huangshan, huangshan_small = hospitals_of(HUANGSHAN)
        qinzhou, qinzhou_small = hospitals_of(QINZHOU)
        on_page = replace(LONG_TERM, filing=Filing.PAGE)
        yield self.stay(Tale.UNMAPPED_LINE, QINZHOU, jiangning, days=9, application=on_page)
        yield self.stay(
            Tale.RETURN_LINE, HUANGSHAN, qinzhou, days=7, application=replace(TEMPORARY, filing=Filing.PAGE)
        )
        yield self.stay(Tale.DUPLICATE, JIANGNING, qinzhou, days=6, application=replace(REFERRED, filing=Filing.PAGE))
        yield self.stay(Tale.CANCEL_SAME_DAY, JIANGNING, huangshan_small, days=5)
        yield self.stay(Tale.CANCEL_AFTER_CLOSE, QINZHOU, huangshan, days=12)
        late = self.stay(Tale.LATE_BILL, JIANGNING, qinzhou_small, days=8)
        yield replace(late, settled_on=CLOSE_DAY)
        yield self.stay(Tale.EMERGENCY, QINZHOU, jiangning, days=4, kind=AdmissionKind.EMERGENCY, application=None)
        yield from self.exhausting_the_year(huangshan)
        yield self.stay(Tale.REFUSED, JIANGNING, qinzhou, days=3, application=replace(TEMPORARY, filing=Filing.PAGE))
        yield self.stay(Tale.RULE_NOT_STATED, HUANGSHAN, jiangning, days=18, illness=TUMOUR, target=yuan("180000.00"))
        yield self.stay(Tale.LEFT_OUT, QINZHOU, jiangning, days=6)
        yield self.stay(Tale.MISREPORTED, HUANGSHAN, qinzhou, days=6)
        for number in range(OPEN_STAYS):
            yield self.stay(
                Tale.OPEN_WINDOW,
                (QINZHOU, HUANGSHAN)[number % 2],
                hospitals_of(JIANGNING)[number // 2 % 2],
                days=self.draw.randint(6, 14),
                ends=CLOSE_DAY,
            )

    def exhausting_the_year(self, hospital: Hospital) -> Iterator[Stay]:
        """One person of Jiangning in three costly stays: the first uses up the scheme's yearly cap, the third that of
        the second layer. He registers once.
        """
        member = next(self.people[JIANGNING])
        for ends in (date(2026, 10, 16), date(2026, 10, 23), PLAYED_DAY):
            yield self.stay(
                Tale.YEARLY_CAP,
                JIANGNING,
                hospital,
                days=6,
                member=member,
                illness=TUMOUR,
                target=yuan("700000.00"),
                ends=ends,
                application=LONG_TERM if ends.day == 16 else None,
            )

    def stay(
        self,
        tale: Tale,
        insured: Region,
        hospital: Hospital,
        *,
        days: int,
        kind: AdmissionKind = AdmissionKind.ORDINARY,
        application: Application | None = LONG_TERM,
        illness: Illness | None = None,
        target: Money | None = None,
        ends: date = PLAYED_DAY,
        member: Member | None = None,
    ) -> Stay:
        self.told += 1
        admitted = ends - timedelta(days=days)
        clock = timedelta(hours=self.draw.randint(8, 17), minutes=self.draw.randint(0, 59))
        return Stay(
            number=self.told,
            tale=tale,
            member=member or next(self.people[insured]),
            hospital=hospital,
            illness=illness or self.draw.choice(ILLNESSES),
            kind=kind,
            admitted_at=datetime(admitted.year, admitted.month, admitted.day, tzinfo=SHANGHAI) + clock,
            discharged_on=ends,
            settled_on=ends,
            application=application,
            target=target,
        )
