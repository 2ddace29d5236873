"""The little world with a workbench: two officers of an agency, a unified release, decided changes at work.

Jiangning's own code 110200004 (class A, no limit) has an entry and no mapping, so bills that name it wait for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, text

from hub.actions import mapping, settlement
from hub.actions.drafting import ProposeEntry, ProposeMapping
from hub.core.catalog import CareCatalog
from hub.core.codes import CatalogKind, Region, UnifiedCode
from hub.core.dates import business_day
from hub.core.mapping import Grade
from hub.core.money import total
from hub.ports import HUB_SCOPE, Participant
from hub.ports.catalogs import Candidate, ChangeRecord, LocalRow
from hub.ports.records import BillRecord
from tests.world import JIANGNING, World, care_catalogs

UNMAPPED = "110200004"
"""An observation fee of Jiangning: class A, no price limit, not mapped in the releases that ship."""
ALSO_UNMAPPED = "110200001"
LIMITED = "110200001-a"
"""Class B at 10 %, at most 30.00 yuan at level 3, and not mapped."""
PAID = "310300001"
"""Mapped and wholly payable in Jiangning."""

TARGET, OTHER_TARGET, HEADING = "001102000040000", "001102000010000", "110000000000000"

FIRST_OFFICER, SECOND_OFFICER = "staff:first", "staff:second"

FIRST_DAY = date(2026, 10, 1)


class Played:
    """A suggester that was told its answers: (code, thousandths) by local code."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[str, int]]] = {}

    def suggest(self, kind: CatalogKind, rows: Sequence[LocalRow], *, top: int) -> list[list[Candidate]]:
        return [
            [
                Candidate(UnifiedCode(kind, code), f"name of {code}", score, place == 0, (("名称相同", "same name"),))
                for place, (code, score) in enumerate(self.answers.get(row.local.code, [])[:top])
            ]
            for row in rows
        ]


class Bench:
    """The world with its workbench; every method is one errand, with as few words as a test needs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.played = Played()
        world.hub = replace(world.hub, catalog=self.catalog, suggesting=self.played)

    @property
    def agency(self) -> Participant:
        return self.world.agency(JIANGNING)

    def catalog(self, region: Region) -> CareCatalog:
        """What shipped, with what was decided over it."""
        with self.world.store.begin(HUB_SCOPE) as uow:
            return care_catalogs().of(region).with_changes(uow.changes.in_force(region))

    def draft(self, code: str = UNMAPPED, **more: Any) -> ProposeMapping:
        said = {"target": TARGET, "grade": Grade.EXACT, "first_day": FIRST_DAY, "reason": "same service", **more}
        return ProposeMapping(CatalogKind.SERVICE, code, **said)

    def propose(self, code: str = UNMAPPED, *, actor: str = FIRST_OFFICER, **more: Any) -> ChangeRecord:
        return mapping.propose_mapping(
            self.world.hub, self.draft(code, **more), by=self.agency, actor=actor, as_of=self.world.now
        )

    def entry_draft(self, code: str = UNMAPPED, **more: Any) -> ProposeEntry:
        return ProposeEntry(CatalogKind.SERVICE, code, **{"first_day": FIRST_DAY, "reason": "price list", **more})

    def propose_entry(self, code: str = UNMAPPED, *, actor: str = FIRST_OFFICER, **more: Any) -> ChangeRecord:
        return mapping.propose_entry(
            self.world.hub, self.entry_draft(code, **more), by=self.agency, actor=actor, as_of=self.world.now
        )

    def review(
        self, change: ChangeRecord, *, approve: bool = True, actor: str = SECOND_OFFICER, reason: str = ""
    ) -> ChangeRecord:
        return mapping.review(
            self.world.hub,
            change.id,
            approve=approve,
            reason=reason,
            by=self.agency,
            actor=actor,
            as_of=self.world.now,
        )

    def in_force(self, code: str = UNMAPPED, **more: Any) -> ChangeRecord:
        return self.review(self.propose(code, **more))

    def settled(self, who: str, *fees: tuple[str, str]) -> BillRecord:
        """A stay in Jiangning with one line per (code, amount), registered and settled."""
        world = self.world
        if not world._registrations(who):
            world.approve(world.register(who, JIANGNING))
        visit = world.admit(who, JIANGNING)
        day = business_day(visit.admitted_at)
        lines = tuple(
            world.line(number, JIANGNING, amount, day, code=code) for number, (code, amount) in enumerate(fees, 1)
        )
        command = replace(world.bill(visit, "1.00"), lines=lines, total=total(line.amount for line in lines))
        return settlement.settle(world.hub, command, by=world.hospital(JIANGNING), as_of=world.now)


def put_book(owner: Connection) -> None:
    """A unified release with the few services that proposals of the tests lead to."""
    owner.execute(
        text(
            """
            insert into catalog_release (id, region, name, release, unified_id, digest, valid_from, state)
            values ('unified/test', null, 'test', 'test', null, 'made up', '2025-01-01', 'importing')
            """
        )
    )
    for code, name, status in (
        (TARGET, "急诊观察床位费", "active"),
        (OTHER_TARGET, "普通门诊诊察费", "active"),
        (HEADING, "综合医疗服务类", "heading"),
    ):
        owner.execute(
            text(
                """
                insert into unified_entry (release_id, kind, code, name, attributes, parent, status)
                values ('unified/test', 'service', :code, :name, '{}', null, :status)
                """
            ),
            {"code": code, "name": name, "status": status},
        )
    owner.execute(text("update catalog_release set state = 'ready' where id = 'unified/test'"))
    owner.commit()


@pytest.fixture
def bench(world: World, owner: Connection) -> Bench:
    put_book(owner)
    return Bench(world)
