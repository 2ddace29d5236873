"""What an agency wants changed in its catalog, made into an entry or a mapping and checked before anybody proposes it.

Knows the rules of a proposal: which codes exist, how far back it may begin, what it may not overlap.
Must not know who reviews it, nor pages or messages.
Sources: domain-process sections 6.2 and 6.3; seed policy P21; decision 0063.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import TypeVar

from hub.actions.context import Hub
from hub.core.catalog import BenefitClass, CareCatalog, CatalogItem, Change, HospitalLevel, Restriction
from hub.core.clearing import Window, WindowState
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, UnifiedCode
from hub.core.dates import Period, Span, add_months, business_day
from hub.core.errors import Fault, Faults, NotAllowed, NotFound
from hub.core.mapping import ALWAYS, HOLDING_STATES, Condition, Grade, Mapping, Origin
from hub.core.money import Rate
from hub.ports import Participant, Sight, UnitOfWork

Value = TypeVar("Value")

ACTIVE = "active"
"""The state of a unified entry that may be mapped to; headings, gray and withdrawn codes may not."""

LONG_AGO = date(1900, 1, 1)
"""Before any bill."""


class Kept(Enum):
    """Stands for "as in the old entry" where None itself says something."""

    KEEP = "keep"


KEEP = Kept.KEEP


@dataclass(frozen=True, slots=True)
class ProposeMapping:
    """A mapping as an officer proposes it; the origin says whether he took a candidate of the suggester.

    `target` is a unified code of the same kind, and None exactly where the grade is ``none``. `until` is the first day
    on which the mapping no longer holds.
    """

    kind: CatalogKind
    code: str
    target: str | None
    grade: Grade
    first_day: date
    reason: str
    until: date | None = None
    condition: Condition = ALWAYS
    origin: Origin = Origin.MANUAL


@dataclass(frozen=True, slots=True)
class ProposeEntry:
    """What shall be otherwise in an entry from a day on; all else stays as in the entry that holds on that day.

    Whoever gives price limits or ratios by insurance type gives all of them. `name` and `unit` are needed only for a
    code that the catalog does not have yet. An entry struck off is proposed in class C with all of it self-paid.
    """

    kind: CatalogKind
    code: str
    first_day: date
    reason: str
    until: date | Kept | None = KEEP
    name: str | None = None
    unit: str | None = None
    benefit_class: BenefitClass | None = None
    first_self_pay: Rate | None = None
    first_self_pay_of: MappingOf[InsuranceType, Rate] | None = None
    price_limits: MappingOf[HospitalLevel, Fraction] | None = None
    payment_standard: Fraction | Kept | None = KEEP
    restriction: Restriction | Kept | None = KEEP
    grace_until: date | Kept | None = KEEP


def own_region(by: Participant) -> Region:
    """The region whose catalog an agency keeps. Raises NotFound for anybody else: nobody learns what there is."""
    if by.sight is not Sight.REGION or by.region is None:
        raise NotFound("catalog_not_found", "only a region's agency works on its catalog")
    return by.region


# --- mappings -----------------------------------------------------------------------------------------------------


def drafted_mapping(region: Region, command: ProposeMapping) -> Mapping:
    """Raises NotAllowed naming the field at fault."""
    local = local_code(region, command.kind, command.code)
    if (command.target is None) != (command.grade is Grade.NONE):
        raise refused("target", "mapping_grade", "a mapping has no target exactly when its grade is 'none'")
    if command.until is not None and command.until <= command.first_day:
        raise refused("until", "mapping_span", "a mapping must end after its first day")
    target = None
    if command.target is not None:
        try:
            target = UnifiedCode(command.kind, command.target)
        except NotAllowed as fault:
            raise refused("target", fault.code, fault.message) from None
    return Mapping(local, target, command.grade, command.first_day, command.until, command.condition)


def check_mapping(uow: UnitOfWork, draft: Mapping, *, catalog: CareCatalog, earliest: date) -> None:
    """What must hold of a mapping when it is proposed, and again when it is approved."""
    check_first_day(draft.valid_from, earliest=earliest)
    if draft.unified is not None:
        entry = uow.catalogs.entry(draft.unified)
        if entry is None:
            raise refused(
                "target", "target_unknown", f"the newest unified release has no {draft.local.kind} {draft.unified.code}"
            )
        if entry.status != ACTIVE:
            raise refused(
                "target", "target_not_active", f"{draft.unified.code} is {entry.status} in the newest unified release"
            )
    # The memory may be a moment behind what another worker decided: this transaction is not.
    decided = [
        Change(one.order, one.new)
        for one in uow.changes.of_code(draft.local)
        if one.state in HOLDING_STATES and one.order is not None
    ]
    newest = catalog.with_changes(decided) if decided else catalog
    for stretch in newest.stretches(draft.local.kind, draft.local.code):
        if not stretch.span.overlaps(draft.valid):
            continue
        for other in stretch.mappings:
            # One with the same condition gives way to the new one; any other must not answer for the same line.
            if other.condition != draft.condition and draft.clashes_with(other):
                raise refused(
                    "condition",
                    "mapping_overlaps",
                    f"from {stretch.span.start} another mapping holds whose condition can be met together with this "
                    "one: narrow the conditions so that no person meets both",
                )


def check_known(uow: UnitOfWork, local: LocalCode, *, catalog: CareCatalog) -> None:
    """A code is worth a decision only where the region's catalog has it, or a bill that is still open named it."""
    if catalog.stretches(local.kind, local.code):
        return
    if not uow.waiting.bills_with(local, since=LONG_AGO, until=None, limit=1):
        raise refused(
            "code", "code_unknown", f"neither the region's catalog nor an open bill has the {local.kind} {local.code}"
        )


# --- entries ------------------------------------------------------------------------------------------------------


def drafted_entry(command: ProposeEntry, *, catalog: CareCatalog) -> CatalogItem:
    """The whole new entry: the old one with what shall be otherwise. Raises NotAllowed naming the field at fault."""
    local = local_code(catalog.region, command.kind, command.code)
    old = catalog.item(local, command.first_day)
    if old is None:
        return _new_entry(local, command)
    if command.until is KEEP and old.valid.end is not None and old.valid.end <= command.first_day:
        raise refused(
            "until", "entry_struck_off", f"the entry was struck off on {old.valid.end}: say until when it shall hold"
        )
    until = old.valid.end if isinstance(command.until, Kept) else command.until
    kept_grace = old.grace_until if until == old.valid.end else None
    benefit_class = command.benefit_class or old.benefit_class
    ratio, ratios = command.first_self_pay or old.first_self_pay, old.first_self_pay_of
    if benefit_class is not old.benefit_class:
        if benefit_class is BenefitClass.A:
            ratio, ratios = command.first_self_pay or Rate(Fraction(0)), {}
        elif command.first_self_pay is None:
            raise refused("first_self_pay", "ratio_missing", f"say the first self-pay of class {benefit_class} too")
    new = replace(
        old,
        name=command.name or old.name,
        unit=command.unit if command.unit is not None else old.unit,
        benefit_class=benefit_class,
        first_self_pay=ratio,
        first_self_pay_of=ratios if command.first_self_pay_of is None else command.first_self_pay_of,
        price_limits=old.price_limits if command.price_limits is None else command.price_limits,
        valid=_span(command.first_day, until),
        payment_standard=_kept(command.payment_standard, old.payment_standard),
        restriction=_kept(command.restriction, old.restriction),
        grace_until=_kept(command.grace_until, kept_grace),
    )
    if new == replace(old, valid=new.valid) and new.valid.end == old.valid.end:
        raise NotAllowed("entry_same", "nothing would be otherwise than in the entry that holds on that day")
    return new


def _new_entry(local: LocalCode, command: ProposeEntry) -> CatalogItem:
    faults = Faults()
    for where in ("name", "unit", "benefit_class", "first_self_pay"):
        if getattr(command, where) is None:
            faults.add(where, "entry_incomplete", "the catalog has no entry on that day: a new one needs this")
    faults.stop_if_any("entry_incomplete", f"the catalog has no {local.kind} {local.code} on {command.first_day}")
    assert command.name is not None
    assert command.unit is not None
    assert command.benefit_class is not None
    assert command.first_self_pay is not None
    return CatalogItem(
        local=local,
        name=command.name,
        unit=command.unit,
        benefit_class=command.benefit_class,
        first_self_pay=command.first_self_pay,
        first_self_pay_of=command.first_self_pay_of or {},
        price_limits=command.price_limits or {},
        valid=_span(command.first_day, _kept(command.until, None)),
        payment_standard=_kept(command.payment_standard, None),
        restriction=_kept(command.restriction, None),
        grace_until=_kept(command.grace_until, None),
    )


def _kept(given: Value | Kept, old: Value) -> Value:
    return old if isinstance(given, Kept) else given


def _span(first: date, until: date | None) -> Span:
    if until is not None and until <= first:
        raise refused("until", "entry_span", "an entry must end after its first day")
    return Span(first, until)


# --- days ---------------------------------------------------------------------------------------------------------


def earliest_day(hub: Hub, windows: Iterable[Window], *, today: date) -> date:
    """The first day from which a change may hold.

    Bills of windows not yet closed can be cancelled and settled anew, and a bill may be as late as the scheme allows:
    the first day of the month that lies so many months before the earliest such window. What was settled in a
    closed window keeps its classification, so a change that reached further back would only look as if it did.
    """
    not_closed = [one.period for one in windows if one.state is not WindowState.CLOSED]
    first = min([*not_closed, Period.of(today)])
    return add_months(first.first_day, -hub.clearing_rules.months_late)


def earliest_for(hub: Hub, uow: UnitOfWork, *, as_of: datetime) -> date:
    """`earliest_day` as the windows stand now."""
    return earliest_day(hub, uow.windows.listed(), today=business_day(as_of))


def check_first_day(first: date, *, earliest: date) -> None:
    if first < earliest:
        raise refused(
            "first_day",
            "first_day_too_early",
            f"a change may begin on {earliest} at the earliest: bills before it are closed and keep what they were",
        )


# --- refusing -----------------------------------------------------------------------------------------------------


def local_code(region: Region, kind: CatalogKind, code: str) -> LocalCode:
    try:
        return LocalCode(region, kind, code)
    except NotAllowed as fault:
        raise refused("code", fault.code, fault.message) from None


def refused(where: str, code: str, message: str) -> NotAllowed:
    """A refusal that names the one field at fault."""
    return NotAllowed(code, message, faults=(Fault(where, code, message),))
