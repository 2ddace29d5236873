"""How a fee line divides under the catalog of the place of care, on the day of the fee.

Knows the four parts of a line, the named outcomes and the words for the patient.
Must not know where entries come from, any insuring region's rule, or the checks of a bill.
Sources: domain-process sections 3 and 6.3; the four parts are the national settlement fields fulamt_ownpay_amt,
overlmt_selfpay, preselfpay_amt, inscp_scp_amt; decision 0060 for the order of the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, Protocol, Self, cast

from hub.core.catalog import BenefitClass, CareCatalog, CareSetting, CatalogItem, HospitalLevel, Stretch, Unmet
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.errors import Inconsistent
from hub.core.mapping import PAYABLE_GRADES, Circumstances, Mapping, applying
from hub.core.money import ZERO, Money, cut, line_amount


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


class _LineParts(NamedTuple):
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


class ClassifiedLine(_LineParts):
    """One fee line divided into its four parts; they always add up to `amount`.

    A return (negative quantity) divides as the mirror image of what it takes back. A tuple, because a bill has
    hundreds: a frozen dataclass of eleven fields costs three times as much to make.
    """

    __slots__ = ()

    def __new__(
        cls,
        *,
        line_no: int,
        local: LocalCode,
        unified: UnifiedCode | None,
        name: str,
        outcome: LineOutcome,
        benefit_class: BenefitClass | None,
        amount: Money,
        full_self_pay: Money,
        over_limit: Money,
        first_self_pay: Money,
        in_policy: Money,
    ) -> Self:
        parts = full_self_pay.fen + over_limit.fen + first_self_pay.fen + in_policy.fen
        if parts != amount.fen:
            raise Inconsistent("line_parts", f"line {line_no}: parts {parts} do not add up to {amount.fen}")
        head = (line_no, local, unified, name, outcome, benefit_class, amount)
        return tuple.__new__(cls, (*head, full_self_pay, over_limit, first_self_pay, in_policy))


_line = cast(Callable[[type[ClassifiedLine], tuple[object, ...]], ClassifiedLine], tuple.__new__)


def classify_lines(lines: Sequence[FeeLine], *, catalog: CareCatalog, treated: Treated) -> tuple[ClassifiedLine, ...]:
    """Divide every line under the care region's catalog of the day of the fee.

    Order: unknown, struck-off and unmapped codes are fully self-paid, so is what the entry does not pay for; then the
    part of the price above the limit or the payment standard, whichever is lower; then the first self-pay ratio on what
    that left; the rest is in policy. Each cut is rounded half up to the fen and the rest goes to the later part, so no
    fen is lost. A return classifies on the day of the line it takes back, so that it undoes it to the fen even when the
    class changed in between.
    """
    bill = _Bill(lines, catalog, treated)
    return tuple([bill.divided(line) for line in lines])


def classify_line(line: FeeLine, *, catalog: CareCatalog, treated: Treated) -> ClassifiedLine:
    """One line by itself, as the only one of its bill."""
    return classify_lines((line,), catalog=catalog, treated=treated)[0]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a stretch of a catalog says about a line at one hospital level for one insurance type, worked out once.

    `refused` is the outcome of a line that is not paid whatever else holds. `cap` is the lower of limit and payment
    standard, in yuan a unit, and `capped` the outcome of a price above it. The ratio of the first self-pay is
    `own` / `whole`. `asks` says that the person or the day of the course decides.
    """

    item: CatalogItem
    local: LocalCode
    unified: UnifiedCode | None
    name: str
    benefit_class: BenefitClass
    refused: LineOutcome | None
    covered: LineOutcome
    cap: Fraction | None
    cap_numerator: int
    cap_denominator: int
    capped: LineOutcome
    own: int
    whole: int
    asks: bool


def _terms(item: CatalogItem, mapping: Mapping | None, *, in_grace: bool, treated: Treated, asks: bool) -> Terms:
    ratio = item.self_pay_for(treated.insurance_type).value
    unified = None if mapping is None else mapping.unified
    refused = None
    if mapping is None or unified is None:
        refused = LineOutcome.UNMAPPED
    elif mapping.grade not in PAYABLE_GRADES:
        refused = LineOutcome.MAPPED_TOO_BROADLY
    elif ratio == 1:
        refused = LineOutcome.NOT_PAYABLE
    cap, capped = item.price_limits.get(treated.level), LineOutcome.OVER_LIMIT
    standard = item.payment_standard
    if standard is not None and (cap is None or standard < cap):
        cap, capped = standard, LineOutcome.OVER_STANDARD
    return Terms(
        item=item,
        local=item.local,
        unified=unified,
        name=item.name,
        benefit_class=item.benefit_class,
        refused=refused,
        covered=LineOutcome.IN_GRACE if in_grace else LineOutcome.COVERED,
        cap=cap,
        cap_numerator=0 if cap is None else cap.numerator,
        cap_denominator=1 if cap is None else cap.denominator,
        capped=capped,
        own=ratio.numerator,
        whole=ratio.denominator,
        asks=asks,
    )


def _ready(stretch: Stretch, treated: Treated) -> Terms | None:
    """The terms of a stretch where no condition of a mapping has to be looked at; None where one has."""
    if stretch.item is None or any(not one.condition.is_empty for one in stretch.mappings):
        return None
    mapping = stretch.mappings[0] if stretch.mappings else None
    asks = stretch.item.restriction is not None
    return _terms(stretch.item, mapping, in_grace=stretch.in_grace, treated=treated, asks=asks)


_Known = tuple[tuple[CatalogKind, date, date, Terms], ...]


class _Bill:
    """One bill being divided: the catalog, the person, and the other lines where a rule looks at them."""

    __slots__ = ("_catalog", "_dates", "_days", "_known", "_lines", "_treated")

    def __init__(self, lines: Sequence[FeeLine], catalog: CareCatalog, treated: Treated) -> None:
        self._lines = lines
        self._catalog = catalog
        self._treated = treated
        self._known: dict[str, _Known] = catalog.kept((treated.level, treated.insurance_type))
        self._dates: dict[int, date] | None = None
        self._days: dict[tuple[CatalogKind, str], dict[date, int]] = {}

    def divided(self, line: FeeLine) -> ClassifiedLine:
        kind = line.kind
        on = line.fee_date if line.returns is None else self._day_of_original(line)
        # A bill has hundreds of lines and is divided while the patient waits: the common case is one look-up and whole
        # numbers, everything that has to be asked goes the long way.
        for found, start, end, terms in self._known.get(line.code, ()):
            if found is kind and start <= on < end:
                return _divided(line, terms)
        return self._asked(line, on)

    def _asked(self, line: FeeLine, on: date) -> ClassifiedLine:
        """The long way: a code seen for the first time, a condition, a restriction, or nothing that holds."""
        treated = self._treated
        stretches = self._catalog.stretches(line.kind, line.code)
        stretch = next((one for one in stretches if on in one.span), None)
        if stretch is None or stretch.item is None:
            ended = any(one.item is not None and one.span.start <= on for one in stretches)
            outcome = LineOutcome.STRUCK_OFF if ended else LineOutcome.UNKNOWN_CODE
            return _unknown(line, LocalCode(self._catalog.region, line.kind, line.code), outcome)
        terms = _ready(stretch, treated)
        if terms is not None and not terms.asks:
            end = date.max if stretch.span.end is None else stretch.span.end
            known = self._known.get(line.code, ())
            self._known[line.code] = (*known, (line.kind, stretch.span.start, end, terms))
            return _divided(line, terms)
        person = treated.at(on)
        if terms is None:
            mapping = applying(stretch.mappings, person)
            terms = _terms(stretch.item, mapping, in_grace=stretch.in_grace, treated=treated, asks=False)
        restriction = stretch.item.restriction
        if terms.refused is None and restriction is not None:
            day = self._day_of_course(line, on)
            unmet = restriction.unmet(person, level=treated.level, setting=treated.setting, day_of_course=day)
            if unmet is not None:
                return _self_paid(line, terms, _UNMET_OUTCOMES[unmet])
        return _divided(line, terms)

    def _day_of_original(self, line: FeeLine) -> date:
        """The day of the line that a return takes back."""
        if self._dates is None:
            self._dates = {one.line_no: one.fee_date for one in self._lines}
        return self._dates[line.returns] if line.returns is not None else line.fee_date

    def _day_of_course(self, line: FeeLine, on: date) -> int:
        """How many different days, this one included, the code was charged on so far in this bill."""
        key = (line.kind, line.code)
        days = self._days.get(key)
        if days is None:
            charged = {one.fee_date for one in self._lines if one.returns is None and (one.kind, one.code) == key}
            days = self._days[key] = {day: number for number, day in enumerate(sorted(charged), start=1)}
        return days.get(on, 1)


def _unknown(line: FeeLine, local: LocalCode, outcome: LineOutcome) -> ClassifiedLine:
    amount = line.amount
    return _line(
        ClassifiedLine, (line.line_no, local, None, line.name, outcome, None, amount, amount, ZERO, ZERO, ZERO)
    )


def _self_paid(line: FeeLine, terms: Terms, outcome: LineOutcome) -> ClassifiedLine:
    amount = line.amount
    head = (line.line_no, terms.local, terms.unified, terms.name, outcome, terms.benefit_class, amount)
    return _line(ClassifiedLine, (*head, amount, ZERO, ZERO, ZERO))


def _divided(line: FeeLine, terms: Terms) -> ClassifiedLine:
    """Cut a paid line at the cap and by the ratio; what is refused is self-paid as a whole."""
    if terms.refused is not None:
        return _self_paid(line, terms, terms.refused)
    amount = inside = line.amount
    outcome, above, first = terms.covered, ZERO, ZERO
    cap = terms.cap
    if cap is not None:
        price = line.unit_price
        if price.numerator * terms.cap_denominator > terms.cap_numerator * price.denominator:
            inside = line_amount(unit_price=cap, quantity=line.quantity)
            above = amount - inside
            if above:
                outcome = terms.capped
    if terms.own:
        first, inside = cut(inside, terms.own, terms.whole)
    # Each part is what the cut before it left, so the parts add up by construction and need no second look.
    parts = (ZERO, above, first, inside)
    head = (line.line_no, terms.local, terms.unified, terms.name, outcome, terms.benefit_class, amount)
    return _line(ClassifiedLine, (*head, *parts))
