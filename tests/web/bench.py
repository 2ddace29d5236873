"""The little world with a catalog of Jiangning that leaves work for the mapping workbench.

Five services of Jiangning's own: one mapped, three that nobody has mapped, one mapped too broadly. Two bills of persons
from Qinzhou wait for four of them; a hospital also bills a code that no catalog has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from sqlalchemy import Connection

from hub.actions import settlement
from hub.actions.drafting import ProposeMapping
from hub.actions.mapping import propose_mapping, review
from hub.core.catalog import BenefitClass, CatalogItem
from hub.core.codes import CatalogKind, LocalCode, UnifiedCode
from hub.core.dates import Span, business_day
from hub.core.mapping import Grade, Mapping
from hub.core.money import Rate, total
from hub.ports.catalogs import Candidate, ChangeRecord, LocalRow
from hub.ports.records import BillRecord
from hub.store.catalogs import load_into
from hub.store.shelf import CatalogMemory
from tests.store.test_catalogs import Book, Entry, Regional
from tests.web.conftest import Api
from tests.web.visitor import hire
from tests.world import JIANGNING, QINZHOU, SERVICE

SINCE = date(2024, 1, 1)
HALF = Rate(Fraction(1, 10))

REGISTERING = UnifiedCode(CatalogKind.SERVICE, "001101000010000")
NURSING_1 = UnifiedCode(CatalogKind.SERVICE, "001201000030000")
NURSING_2 = UnifiedCode(CatalogKind.SERVICE, "001201000040000")
INTRAVENOUS = UnifiedCode(CatalogKind.SERVICE, "001204000060000")
HEADING = UnifiedCode(CatalogKind.SERVICE, "001200000000000")


def service(code: str) -> LocalCode:
    return LocalCode(JIANGNING, CatalogKind.SERVICE, code)


def item(code: str, name: str, unit: str = "日") -> CatalogItem:
    return CatalogItem(service(code), name, unit, BenefitClass.B, HALF, {}, Span(SINCE))


BOOK = Book(
    (
        Entry(REGISTERING, "挂号费", {"unit": "次"}),
        Entry(NURSING_1, "Ⅰ级护理", {"unit": "日", "content": "含需要护士每15—30分钟巡视观察一次"}),
        Entry(NURSING_2, "Ⅱ级护理", {"unit": "日"}),
        Entry(INTRAVENOUS, "静脉输液", {"unit": "组", "content": "含输液过程中加药"}),
        Entry(HEADING, "一般治疗操作", status="heading"),
    )
)
REGIONAL = Regional(
    region=JIANGNING,
    name="江宁",
    release="2024-06",
    items=(
        item(SERVICE[JIANGNING], "挂号费", "次"),
        item("JN-001", "一级护理"),
        item("JN-002", "静脉输液(住院)", "次"),
        item("JN-003", "陪客床<b>位</b>费"),
        item("JN-004", "特殊护理"),
    ),
    mappings=(
        Mapping(service(SERVICE[JIANGNING]), REGISTERING, Grade.EXACT, SINCE),
        Mapping(service("JN-004"), NURSING_1, Grade.BROADER, SINCE),
    ),
)

ELSEWHERE = Regional(items=(), mappings=(), region=QINZHOU, name="钦州", release="2024-06")
"""A region with a catalog of its own, and nothing in it."""

CANDIDATES: dict[str, tuple[tuple[UnifiedCode, str, int, bool], ...]] = {
    "JN-001": ((NURSING_1, "Ⅰ级护理", 968, True), (NURSING_2, "Ⅱ级护理", 341, False)),
    "JN-002": ((INTRAVENOUS, "静脉输液", 874, True), (NURSING_2, "Ⅱ级护理", 20, False)),
    "JN-003": ((NURSING_2, "Ⅱ级护理", 266, True),),
    "JN-004": ((NURSING_1, "Ⅰ级护理", 612, False),),
}


class Ranked:
    """A suggester that knows what it says of four codes."""

    def suggest(self, kind: CatalogKind, rows: Sequence[LocalRow], *, top: int) -> Sequence[Sequence[Candidate]]:
        reasons = (("名称相近", "similar name"), ("计价单位", "unit"))
        return [[Candidate(*found, reasons) for found in CANDIDATES.get(row.local.code, ())[:top]] for row in rows]


@dataclass
class Bench:
    """The workbench's world: three officers of Jiangning, and what its bills wait for."""

    api: Api
    bills: list[BillRecord]

    def propose(self, code: str, target: UnifiedCode = NURSING_1, *, login: str = "jia", **more) -> ChangeRecord:
        """Have an officer propose a mapping."""
        command = ProposeMapping(
            CatalogKind.SERVICE, code, target.code, Grade.EXACT, date(2026, 10, 1), "同名同义", **more
        )
        world = self.api.world
        by = world.agency(JIANGNING)
        return propose_mapping(world.hub, command, by=by, actor=f"staff:stf-{login}", as_of=world.now)

    def approve(self, record: ChangeRecord, *, login: str = "yi") -> ChangeRecord:
        world = self.api.world
        by = world.agency(JIANGNING)
        return review(world.hub, record.id, approve=True, reason="", by=by, actor=f"staff:stf-{login}", as_of=world.now)


def set_up(api: Api, owner: Connection, *, book: Book = BOOK) -> Bench:
    """Load the catalog, hire officers, and settle two bills."""
    load_into(owner, [book], [REGIONAL, ELSEWHERE])
    owner.commit()
    world = api.world
    world.hub = replace(world.hub, catalog=CatalogMemory(world.store).of, suggesting=Ranked())
    api.app.extensions["hub"] = replace(api.app.extensions["hub"], hub=world.hub)
    for login in ("jia", "yi", "bing"):
        hire(world, world.agency(JIANGNING), login)
    bills = [
        settled(api, "Nong", {SERVICE[JIANGNING]: "20000.00", "JN-001": "600.00", "JN-002": "90.50"}),
        settled(api, "Wei", {SERVICE[JIANGNING]: "30000.00", "JN-001": "400.00", "JN-004": "50.00", "XX-9": "7.00"}),
    ]
    world.go_to(world.today, hour=10)
    return Bench(api, bills)


def settled(api: Api, who: str, amounts: dict[str, str]) -> BillRecord:
    """A stay at Jiangning with one line per code."""
    world = api.world
    world.approve(world.register(who, JIANGNING))
    visit = world.admit(who, JIANGNING)
    day = business_day(visit.admitted_at)
    lines = tuple(
        world.line(number, JIANGNING, amount, day, code=code)
        for number, (code, amount) in enumerate(amounts.items(), start=1)
    )
    command = settlement.SubmitBill(
        visit_no=visit.visit_no,
        bill_no=f"B-{who}",
        revision=1,
        discharged_on=world.today,
        lines=lines,
        total=total(line.amount for line in lines),
    )
    return settlement.settle(world.hub, command, by=world.hospital(JIANGNING), as_of=world.now)
