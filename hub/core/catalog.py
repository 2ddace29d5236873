"""A region's catalog entry, and how one fee line divides under it.

Knows classes, price limits by hospital level, first self-pay ratios and the four parts of a line.
Must not know where entries come from, any insuring region's rule, or whole bills.
Sources: care-place catalog (就医地目录): the place of care classifies each line at the date of the fee
(domain-process section 3); the four parts are the national settlement fields fulamt_ownpay_amt, overlmt_selfpay,
preselfpay_amt, inscp_scp_amt.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from hub.core.codes import PAYABLE_GRADES, CatalogKind, LocalCode, Mapping, Region, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.money import ZERO, Money, Rate, line_amount, share_of


class HospitalLevel(StrEnum):
    """Hospital levels (医院等级): the first is the smallest."""

    LEVEL_1 = "1"
    LEVEL_2 = "2"
    LEVEL_3 = "3"


class BenefitClass(StrEnum):
    """甲: wholly in policy; 乙: in policy after a first self-pay; 丙: see the region's rule, usually not payable."""

    A = "A"
    B = "B"
    C = "C"


class LineOutcome(StrEnum):
    """What became of a fee line, named, so that the patient can be told why."""

    COVERED = "covered"
    OVER_LIMIT = "over_limit"
    UNKNOWN_CODE = "unknown_code"
    UNMAPPED = "unmapped"
    MAPPED_TOO_BROADLY = "mapped_too_broadly"
    NOT_PAYABLE = "not_payable"


OUTCOME_WORDS: MappingOf[LineOutcome, tuple[str, str]] = {
    LineOutcome.COVERED: ("在医保目录内", "covered by the catalog"),
    LineOutcome.OVER_LIMIT: ("价格超过限价,超出部分由个人支付", "price above the limit: the excess is the patient's"),
    LineOutcome.UNKNOWN_CODE: (
        "就医地目录中没有该编码,全部由个人支付",
        "the code is not in the catalog of the place of care: fully self-paid",
    ),
    LineOutcome.UNMAPPED: (
        "该项目尚未对应国家统一编码,全部由个人支付",
        "not mapped to a unified code: fully self-paid",
    ),
    LineOutcome.MAPPED_TOO_BROADLY: (
        "该项目与国家统一编码对应不够精确,全部由个人支付",
        "the mapping is too broad to pay by: fully self-paid",
    ),
    LineOutcome.NOT_PAYABLE: ("丙类或目录外项目,全部由个人支付", "class C or outside the catalog: fully self-paid"),
}
"""The words a patient sees for each outcome: Chinese first, then English."""


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """An entry of a region's catalog over a span of days.

    `price_limits` gives the highest price per unit in yuan, exact, by hospital level; a level that is absent has no
    limit. `first_self_pay` is the part of the price that the person pays before any fund (先行自付); `Rate(1)` means
    not payable.
    """

    local: LocalCode
    name: str
    unit: str
    benefit_class: BenefitClass
    first_self_pay: Rate
    price_limits: MappingOf[HospitalLevel, Fraction]
    valid: Span

    def __post_init__(self) -> None:
        if self.benefit_class is BenefitClass.A and self.first_self_pay.value != 0:
            raise NotAllowed("class_a_self_pay", f"{self.local.code}: a class A entry has no first self-pay")
        if any(limit < 0 for limit in self.price_limits.values()):
            raise NotAllowed("price_limit_negative", f"{self.local.code}: a price limit is not negative")

    def limit_for(self, level: HospitalLevel) -> Fraction | None:
        return self.price_limits.get(level)


class CareCatalog(Protocol):
    """What a bill asks of the care region's catalog: the entry and the mapping of a local code on a day."""

    def item(self, local: LocalCode, on: date) -> CatalogItem | None: ...

    def mapping(self, local: LocalCode, on: date) -> Mapping | None: ...


@dataclass(frozen=True, slots=True)
class ClassifiedLine:
    """One fee line divided into its four parts; they always add up to `amount`.

    A return (negative quantity) divides as the mirror image of what it takes back.
    """

    line_no: int
    local: LocalCode
    unified: UnifiedCode | None
    name: str
    outcome: LineOutcome
    benefit_class: BenefitClass | None
    amount: Money
    full_self_pay: Money
    over_limit: Money
    first_self_pay: Money
    in_policy: Money

    def __post_init__(self) -> None:
        parts = self.full_self_pay + self.over_limit + self.first_self_pay + self.in_policy
        if parts != self.amount:
            raise Inconsistent("line_parts", f"line {self.line_no}: parts {parts} do not add up to {self.amount}")


def classify_line(
    catalog: CareCatalog,
    *,
    line_no: int,
    region: Region,
    kind: CatalogKind,
    code: str,
    name: str,
    unit_price: Fraction,
    quantity: Fraction,
    fee_date: date,
    level: HospitalLevel,
) -> ClassifiedLine:
    """Divide one line under the care region's catalog of the day of the fee.

    Order: unknown or unmapped codes are fully self-paid; then the part of the price above the limit; then the first
    self-pay ratio on what the limit left; the rest is in policy. Each cut is rounded half up to the fen and the rest
    goes to the later part, so no fen is lost.
    """
    local = LocalCode(region, kind, code)
    amount = line_amount(unit_price=unit_price, quantity=quantity)
    item = catalog.item(local, fee_date)
    mapping = catalog.mapping(local, fee_date)

    def whole_line_self_paid(outcome: LineOutcome, unified: UnifiedCode | None = None) -> ClassifiedLine:
        return ClassifiedLine(
            line_no=line_no,
            local=local,
            unified=unified,
            name=item.name if item else name,
            outcome=outcome,
            benefit_class=item.benefit_class if item else None,
            amount=amount,
            full_self_pay=amount,
            over_limit=ZERO,
            first_self_pay=ZERO,
            in_policy=ZERO,
        )

    if item is None:
        return whole_line_self_paid(LineOutcome.UNKNOWN_CODE)
    if mapping is None or mapping.unified is None:
        return whole_line_self_paid(LineOutcome.UNMAPPED)
    if mapping.grade not in PAYABLE_GRADES:
        return whole_line_self_paid(LineOutcome.MAPPED_TOO_BROADLY, mapping.unified)
    if item.first_self_pay.value == 1:
        return whole_line_self_paid(LineOutcome.NOT_PAYABLE, mapping.unified)

    limit = item.limit_for(level)
    within = amount
    if limit is not None and unit_price > limit:
        within = line_amount(unit_price=limit, quantity=quantity)
    first = share_of(within, item.first_self_pay)
    return ClassifiedLine(
        line_no=line_no,
        local=local,
        unified=mapping.unified,
        name=item.name,
        outcome=LineOutcome.COVERED if within == amount else LineOutcome.OVER_LIMIT,
        benefit_class=item.benefit_class,
        amount=amount,
        full_self_pay=ZERO,
        over_limit=amount - within,
        first_self_pay=first,
        in_policy=within - first,
    )
