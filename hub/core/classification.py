"""How a fee line divides under the catalog of the place of care, on the day of the fee.

Knows the four parts of a line, the named outcomes and the words for the patient.
Must not know where entries come from, any insuring region's rule, or the checks of a bill.
Sources: domain-process sections 3 and 6.3; the four parts are the national settlement fields fulamt_ownpay_amt,
overlmt_selfpay, preselfpay_amt, inscp_scp_amt; decision 0060 for the order of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from hub.core.catalog import BenefitClass, CareCatalog, CareSetting, CatalogItem, HospitalLevel, Stretch, Unmet
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.errors import Inconsistent
from hub.core.mapping import PAYABLE_GRADES, Circumstances, Mapping, applying
from hub.core.money import ZERO, Money, Rate, line_amount, share_of


class LineOutcome(StrEnum):
    """What became of a fee line, named, so that the patient can be told why."""

    COVERED = "covered"
    OVER_LIMIT = "over_limit"
    OVER_STANDARD = "over_standard"
    IN_GRACE = "in_grace"
    UNKNOWN_CODE = "unknown_code"
    STRUCK_OFF = "struck_off"
    UNMAPPED = "unmapped"
    MAPPED_TOO_BROADLY = "mapped_too_broadly"
    NOT_PAYABLE = "not_payable"
    WRONG_SEX = "wrong_sex"
    WRONG_AGE = "wrong_age"
    WRONG_DIAGNOSIS = "wrong_diagnosis"
    INPATIENT_ONLY = "inpatient_only"
    WRONG_LEVEL = "wrong_level"
    COURSE_USED_UP = "course_used_up"


OUTCOME_WORDS: MappingOf[LineOutcome, tuple[str, str]] = {
    LineOutcome.COVERED: ("在医保目录内", "covered by the catalog"),
    LineOutcome.OVER_LIMIT: ("价格超过限价,超出部分由个人支付", "price above the limit: the excess is the patient's"),
    LineOutcome.OVER_STANDARD: (
        "价格超过医保支付标准,超出部分由个人支付",
        "price above the payment standard: the excess is the patient's",
    ),
    LineOutcome.IN_GRACE: (
        "已调出医保目录,过渡期内仍按原标准支付",
        "struck off the catalog, still paid at the old terms for a while",
    ),
    LineOutcome.UNKNOWN_CODE: (
        "就医地目录中没有该编码,全部由个人支付",
        "the code is not in the catalog of the place of care: fully self-paid",
    ),
    LineOutcome.STRUCK_OFF: (
        "该项目已调出就医地医保目录,全部由个人支付",
        "struck off the catalog of the place of care before this day: fully self-paid",
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
    LineOutcome.WRONG_SEX: ("该项目限定性别使用,全部由个人支付", "paid for the other sex only: fully self-paid"),
    LineOutcome.WRONG_AGE: ("该项目限定年龄使用,全部由个人支付", "paid for another age only: fully self-paid"),
    LineOutcome.WRONG_DIAGNOSIS: (
        "该项目限定病种使用,与已上传的诊断不符,全部由个人支付",
        "paid for certain diagnoses only, and none of them was sent: fully self-paid",
    ),
    LineOutcome.INPATIENT_ONLY: ("该项目仅限住院支付,全部由个人支付", "paid in hospital stays only: fully self-paid"),
    LineOutcome.WRONG_LEVEL: (
        "该项目限定医疗机构等级,全部由个人支付",
        "paid at hospitals of another level only: fully self-paid",
    ),
    LineOutcome.COURSE_USED_UP: (
        "超过该项目限定的使用天数,全部由个人支付",
        "beyond the days that a course is paid for: fully self-paid",
    ),
}
"""The words a patient sees for each outcome: Chinese first, then English."""

WAITING_OUTCOMES = frozenset({LineOutcome.UNKNOWN_CODE, LineOutcome.UNMAPPED, LineOutcome.MAPPED_TOO_BROADLY})
"""Outcomes that a better catalog or mapping would change: the money in them waits for the workbench."""

_UNMET_OUTCOMES = {
    Unmet.SEX: LineOutcome.WRONG_SEX,
    Unmet.AGE: LineOutcome.WRONG_AGE,
    Unmet.DIAGNOSIS: LineOutcome.WRONG_DIAGNOSIS,
    Unmet.SETTING: LineOutcome.INPATIENT_ONLY,
    Unmet.LEVEL: LineOutcome.WRONG_LEVEL,
    Unmet.COURSE: LineOutcome.COURSE_USED_UP,
}


@dataclass(frozen=True, slots=True)
class Treated:
    """Who is treated, where and how, as far as an entry's limits, ratios and restrictions ask for it."""

    level: HospitalLevel
    setting: CareSetting = CareSetting.INPATIENT
    insurance_type: InsuranceType | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    diagnoses: frozenset[str] | None = None

    def at(self, day: date) -> Circumstances:
        return Circumstances(day, self.sex, self.birth_date, self.insurance_type, self.diagnoses)


class FeeLine(Protocol):
    """A fee line as sent: price in yuan and quantity exact, `amount` their product rounded to the fen."""

    @property
    def line_no(self) -> int: ...
    @property
    def kind(self) -> CatalogKind: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def unit_price(self) -> Fraction: ...
    @property
    def quantity(self) -> Fraction: ...
    @property
    def amount(self) -> Money: ...
    @property
    def fee_date(self) -> date: ...
    @property
    def returns(self) -> int | None: ...


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
        parts = self.full_self_pay.fen + self.over_limit.fen + self.first_self_pay.fen + self.in_policy.fen
        if parts != self.amount.fen:
            raise Inconsistent("line_parts", f"line {self.line_no}: parts {parts} do not add up to {self.amount.fen}")


def classify_lines(lines: Sequence[FeeLine], *, catalog: CareCatalog, treated: Treated) -> tuple[ClassifiedLine, ...]:
    """Divide every line under the care region's catalog of the day of the fee.

    Order: unknown, struck-off and unmapped codes are fully self-paid, so is what the entry does not pay for; then the
    part of the price above the limit or the payment standard, whichever is lower; then the first self-pay ratio on what
    that left; the rest is in policy. Each cut is rounded half up to the fen and the rest goes to the later part, so no
    fen is lost. A return classifies on the day of the line it takes back, so that it undoes it to the fen even when the
    class changed in between.
    """
    courses = _Courses(lines)
    return tuple([_classified(line, catalog=catalog, treated=treated, courses=courses) for line in lines])


def classify_line(line: FeeLine, *, catalog: CareCatalog, treated: Treated) -> ClassifiedLine:
    """One line by itself, as the only one of its bill."""
    return classify_lines((line,), catalog=catalog, treated=treated)[0]


class _Courses:
    """On which day of its course a code is charged, worked out only for bills with an entry that limits courses."""

    def __init__(self, lines: Sequence[FeeLine]) -> None:
        self._lines = lines
        self._dates: dict[int, date] | None = None
        self._days: dict[tuple[CatalogKind, str], dict[date, int]] = {}

    def returned_on(self, line: FeeLine) -> date:
        """The day of the line that a return takes back."""
        if self._dates is None:
            self._dates = {one.line_no: one.fee_date for one in self._lines}
        return self._dates[line.returns] if line.returns is not None else line.fee_date

    def day(self, line: FeeLine, on: date) -> int:
        key = (line.kind, line.code)
        days = self._days.get(key)
        if days is None:
            charged = {one.fee_date for one in self._lines if one.returns is None and (one.kind, one.code) == key}
            days = self._days[key] = {day: number for number, day in enumerate(sorted(charged), start=1)}
        return days.get(on, 1)


def _classified(line: FeeLine, *, catalog: CareCatalog, treated: Treated, courses: _Courses) -> ClassifiedLine:
    kind, code = line.kind, line.code
    on = line.fee_date if line.returns is None else courses.returned_on(line)
    stretches: tuple[Stretch, ...] = ()
    # The loop is `CareCatalog.stretches` written out: a bill has hundreds of lines, and this is most of their cost.
    for found, known in catalog.known.get(code, ()):
        if found is kind:
            stretches = known
            break
    else:
        stretches = catalog.stretches(kind, code)
    stretch = None
    for one in stretches:
        if on in one.span:
            stretch = one
            break
    if stretch is None or stretch.item is None:
        ended = any(one.item is not None and one.span.start <= on for one in stretches)
        outcome = LineOutcome.STRUCK_OFF if ended else LineOutcome.UNKNOWN_CODE
        return _self_paid(line, LocalCode(catalog.region, kind, code), None, None, outcome)
    item = stretch.item
    mapping = _mapping_of(stretch, treated, on)
    if mapping is None or mapping.unified is None:
        return _self_paid(line, item.local, item, None, LineOutcome.UNMAPPED)
    if mapping.grade not in PAYABLE_GRADES:
        return _self_paid(line, item.local, item, mapping.unified, LineOutcome.MAPPED_TOO_BROADLY)
    ratio = item.self_pay_for(treated.insurance_type) if item.first_self_pay_of else item.first_self_pay
    if ratio.value == 1:
        return _self_paid(line, item.local, item, mapping.unified, LineOutcome.NOT_PAYABLE)
    if item.restriction is not None:
        unmet = item.restriction.unmet(
            treated.at(on), level=treated.level, setting=treated.setting, day_of_course=courses.day(line, on)
        )
        if unmet is not None:
            return _self_paid(line, item.local, item, mapping.unified, _UNMET_OUTCOMES[unmet])
    return _divided(line, item, mapping.unified, ratio=ratio, level=treated.level, in_grace=stretch.in_grace)


def _mapping_of(stretch: Stretch, treated: Treated, on: date) -> Mapping | None:
    mappings = stretch.mappings
    if len(mappings) == 1 and mappings[0].condition.is_empty:
        return mappings[0]
    return applying(mappings, treated.at(on)) if mappings else None


def _self_paid(
    line: FeeLine, local: LocalCode, item: CatalogItem | None, unified: UnifiedCode | None, outcome: LineOutcome
) -> ClassifiedLine:
    return ClassifiedLine(
        line_no=line.line_no,
        local=local,
        unified=unified,
        name=line.name if item is None else item.name,
        outcome=outcome,
        benefit_class=None if item is None else item.benefit_class,
        amount=line.amount,
        full_self_pay=line.amount,
        over_limit=ZERO,
        first_self_pay=ZERO,
        in_policy=ZERO,
    )


def _divided(
    line: FeeLine, item: CatalogItem, unified: UnifiedCode, *, ratio: Rate, level: HospitalLevel, in_grace: bool
) -> ClassifiedLine:
    amount = within = line.amount
    outcome = LineOutcome.IN_GRACE if in_grace else LineOutcome.COVERED
    limit, over = item.price_limits.get(level), LineOutcome.OVER_LIMIT
    standard = item.payment_standard
    if standard is not None and (limit is None or standard < limit):
        limit, over = standard, LineOutcome.OVER_STANDARD
    above = ZERO
    if limit is not None and line.unit_price > limit:
        within = line_amount(unit_price=limit, quantity=line.quantity)
        above = amount - within
        if above:
            outcome = over
    first = share_of(within, ratio) if ratio.value else ZERO
    return ClassifiedLine(
        line_no=line.line_no,
        local=item.local,
        unified=unified,
        name=item.name,
        outcome=outcome,
        benefit_class=item.benefit_class,
        amount=amount,
        full_self_pay=ZERO,
        over_limit=above,
        first_self_pay=first,
        in_policy=within - first if first else within,
    )
