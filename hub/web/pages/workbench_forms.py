"""Reads a drafted mapping or catalog entry from a form, and says at each field what is wrong with it.

Knows fields and what belongs in them. Must not decide what may be proposed: the core and the errands do.
Spans are half-open in the hub; a form asks for the first day and for the day from which it holds no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from hub.actions.drafting import ProposeEntry, ProposeMapping
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Sex, UnifiedCode, clean_text
from hub.core.errors import NotAllowed
from hub.core.mapping import Condition, Grade
from hub.core.money import Rate
from hub.web.pages.forms import Reading, typed_day, words_of
from hub.web.pages.language import either, say
from hub.web.pages.workbench_words import FIELD_OF, REFUSED, REFUSED_AT

Read = TypeVar("Read")

NO_TARGET = "none"
"""The choice that says: the national list has no counterpart."""

LONGEST_REASON = 200
OLDEST_AGE = 150
MOST_COURSE_DAYS = 366
DEAREST_YUAN = 10**8

MAPPING_FIELDS = (
    *("target", "grade", "valid_from", "valid_until", "sex", "age_from", "age_to", "insurance_type", "diagnoses"),
    "reason",
)
ENTRY_FIELDS = (
    *("name", "unit", "benefit_class", "first_self_pay", "first_self_pay_310", "first_self_pay_390"),
    *("limit_1", "limit_2", "limit_3", "payment_standard", "valid_from", "valid_until", "grace_until"),
    *("sex", "age_from", "age_to", "diagnoses", "inpatient_only", "level_1", "level_2", "level_3", "most_days"),
    "reason",
)


def read_mapping(form: MultiDict[str, str], local: LocalCode) -> tuple[Reading, ProposeMapping | None]:
    """A drafted mapping of a local code; None where anything is wrong, which `Reading.wrong` then tells."""
    reading = Reading.of(form, *MAPPING_FIELDS)
    target = _target(reading, local.kind)
    grade = _grade(reading)
    start, end = _span(reading)
    condition = _condition(reading)
    _reason(reading)
    if reading.wrong or start is None or grade is None or condition is None:
        return reading, None
    return reading, ProposeMapping(
        kind=local.kind,
        code=local.code,
        target=None if target is None else target.code,
        grade=grade,
        first_day=start,
        reason=reading.values["reason"],
        until=end,
        condition=condition,
    )


def read_entry(form: MultiDict[str, str], local: LocalCode) -> tuple[Reading, ProposeEntry | None]:
    """A drafted entry of a local code, whole; None where anything is wrong, which `Reading.wrong` then tells."""
    reading = Reading.of(form, *ENTRY_FIELDS)
    reading.read("name", lambda text: clean_text(text, longest=200), missing=say("请填写名称。"))
    reading.read("unit", lambda text: clean_text(text, longest=20), missing=say("请填写计价单位。"))
    reading.choose("benefit_class", list(BenefitClass), missing=say("请选择甲、乙、丙类。"))
    ratio = _optional(reading, "first_self_pay", _rate)
    if ratio is None:
        reading.complain("first_self_pay", say("请填写先行自付比例，甲类填 0，不予支付填 100。"))
    ratios = {kind: _optional(reading, f"first_self_pay_{kind}", _rate) for kind in InsuranceType}
    limits = {level: _optional(reading, f"limit_{level}", _yuan) for level in HospitalLevel}
    standard = _optional(reading, "payment_standard", _yuan)
    start, end = _span(reading)
    grace = _optional(reading, "grace_until", typed_day)
    restriction = _restriction(reading)
    _reason(reading)
    if reading.wrong or start is None or ratio is None or restriction is None:
        return reading, None
    return reading, ProposeEntry(
        kind=local.kind,
        code=local.code,
        first_day=start,
        reason=reading.values["reason"],
        until=end,
        name=reading.values["name"],
        unit=reading.values["unit"],
        benefit_class=BenefitClass(reading.values["benefit_class"]),
        first_self_pay=ratio,
        first_self_pay_of={kind: found for kind, found in ratios.items() if found is not None},
        price_limits={level: limit for level, limit in limits.items() if limit is not None},
        payment_standard=standard,
        restriction=None if restriction == Restriction() else restriction,
        grace_until=grace,
    )


def typed_of_item(item: CatalogItem | None, *, name: str, valid_from: date) -> dict[str, str]:
    """What the form of an entry shows at first: what holds now, to be changed from a day on."""
    if item is None:
        return {"name": name, "valid_from": valid_from.isoformat()}
    rule = item.restriction or Restriction()
    return {
        "name": item.name,
        "unit": item.unit,
        "benefit_class": item.benefit_class.value,
        "first_self_pay": _percent_text(item.first_self_pay),
        **{f"first_self_pay_{kind}": _percent_text(rate) for kind, rate in item.first_self_pay_of.items()},
        **{f"limit_{level}": decimal_text(limit) for level, limit in item.price_limits.items()},
        "payment_standard": "" if item.payment_standard is None else decimal_text(item.payment_standard),
        "valid_from": valid_from.isoformat(),
        "sex": rule.sex.value if rule.sex else "",
        "age_from": _number_text(rule.age_from),
        "age_to": _number_text(rule.age_to),
        "diagnoses": " ".join(rule.diagnoses),
        "inpatient_only": "on" if rule.inpatient_only else "",
        **{f"level_{level}": "on" for level in rule.levels},
        "most_days": _number_text(rule.most_days),
    }


def decimal_text(value: Fraction) -> str:
    """An exact price as people write it, without needless zeros: ``12.5``; a fraction where no decimal is exact."""
    for places in range(7):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(scaled.numerator).rjust(places + 1, "0")
            return digits if not places else f"{digits[:-places]}.{digits[-places:]}"
    return str(value)


def complain_of(reading: Reading, refusal: NotAllowed, *, at: str = "form") -> None:
    """Put a refusal at the field that it is about; at `at` where it names none."""
    words = refusal_words(refusal)
    named = [FIELD_OF.get(fault.where, fault.where) for fault in refusal.faults] or [REFUSED_AT.get(refusal.code, at)]
    for field in named:
        reading.complain(field if field in reading.typed else at, words)


def refusal_words(refusal: NotAllowed) -> str:
    """A refusal in the words of the workbench, else in those of all pages."""
    pair = REFUSED.get(refusal.code)
    return either(pair) if pair else words_of(refusal)


def code_beginnings(text: str) -> tuple[str, ...]:
    """Beginnings of diagnosis codes, separated by blanks or commas: ``C34 C78.0``."""
    found = tuple(one.upper() for one in re.split(r"[\s,，、;；]+", text) if one)
    if len(found) > 30 or not all(re.fullmatch(r"[A-Z][A-Z0-9.+*/x]{0,19}", one, re.ASCII) for one in found):
        raise NotAllowed("diagnoses_malformed", "beginnings of diagnosis codes look like C34 or I21.9")
    return found


# --- parts of both forms -----------------------------------------------------------------------------------------


def _target(reading: Reading, kind: CatalogKind) -> UnifiedCode | None:
    chosen = _narrow(reading.typed["target"])
    if not chosen:
        reading.complain("target", say("请选择一个国家编码，或者选择“没有对应”。"))
    elif chosen != NO_TARGET:
        try:
            return UnifiedCode(kind, chosen)
        except NotAllowed:
            reading.complain("target", say("这不是有效的国家编码，请从候选或检索结果中选择。"))
    return None


def _grade(reading: Reading) -> Grade | None:
    if reading.typed["target"] == NO_TARGET:
        return Grade.NONE
    reading.choose("grade", [one for one in Grade if one is not Grade.NONE], missing=say("请选择对应程度。"))
    return Grade(reading.values["grade"]) if "grade" in reading.values else None


def _span(reading: Reading) -> tuple[date | None, date | None]:
    start = _optional(reading, "valid_from", typed_day)
    if start is None:
        reading.complain("valid_from", say("请填写从哪一天开始执行。"))
    end = _optional(reading, "valid_until", typed_day)
    if start is not None and end is not None and end <= start:
        reading.complain("valid_until", say("停止执行的日期须晚于开始执行的日期。"))
    return start, end


def _condition(reading: Reading) -> Condition | None:
    sex = _one_of(reading, "sex", Sex, say("请从列表中选择性别。"))
    kind = _one_of(reading, "insurance_type", InsuranceType, say("请从列表中选择险种。"))
    ages = _ages(reading)
    diagnoses = _optional(reading, "diagnoses", code_beginnings) or ()
    if reading.wrong:
        return None
    return _made(
        reading,
        lambda: Condition(sex=sex, age_from=ages[0], age_to=ages[1], insurance_type=kind, diagnoses=diagnoses),
        at="age_to",
    )


def _restriction(reading: Reading) -> Restriction | None:
    sex = _one_of(reading, "sex", Sex, say("请从列表中选择性别。"))
    ages = _ages(reading)
    diagnoses = _optional(reading, "diagnoses", code_beginnings) or ()
    days = _optional(reading, "most_days", lambda text: _whole(text, least=1, most=MOST_COURSE_DAYS))
    if reading.wrong:
        return None
    return _made(
        reading,
        lambda: Restriction(
            sex=sex,
            age_from=ages[0],
            age_to=ages[1],
            diagnoses=diagnoses,
            inpatient_only=bool(reading.typed["inpatient_only"]),
            levels=frozenset(level for level in HospitalLevel if reading.typed[f"level_{level}"]),
            most_days=days,
        ),
        at="age_to",
    )


def _ages(reading: Reading) -> tuple[int | None, int | None]:
    first = _optional(reading, "age_from", lambda text: _whole(text, least=0, most=OLDEST_AGE))
    last = _optional(reading, "age_to", lambda text: _whole(text, least=0, most=OLDEST_AGE))
    return first, last


def _reason(reading: Reading) -> None:
    reading.read(
        "reason",
        lambda text: clean_text(text, longest=LONGEST_REASON),
        missing=say("请写明理由，复核的同事和以后查历史的人都要看。"),
    )


def _made(reading: Reading, make: Callable[[], Read], *, at: str) -> Read | None:
    """Build a value of the core; what it refuses becomes a complaint at the field that it is about."""
    try:
        return make()
    except NotAllowed as refusal:
        complain_of(reading, refusal, at=at)
        return None


def _optional(reading: Reading, name: str, reader: Callable[[str], Read]) -> Read | None:
    """What a field holds; None where it is empty or wrong, the latter with a complaint."""
    text = reading.typed[name].strip()
    if not text:
        return None
    try:
        return reader(text)
    except NotAllowed as refusal:
        reading.complain(name, refusal_words(refusal))
        return None


def _one_of(reading: Reading, name: str, allowed: Callable[[str], Read], wrong: str) -> Read | None:
    text = reading.typed[name]
    if not text:
        return None
    try:
        return allowed(text)
    except ValueError:
        reading.complain(name, wrong)
        return None


# --- numbers -----------------------------------------------------------------------------------------------------


def _narrow(text: str) -> str:
    """Full-width digits as ASCII, blanks left out; a minus sign stays, to be refused."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def _decimal(text: str, *, places: int) -> Fraction:
    """A number without sign or exponent: what a spreadsheet damaged (3.22E+14) is refused, not guessed."""
    found = _narrow(text).replace(",", "")
    if not re.fullmatch(rf"[0-9]{{1,9}}(\.[0-9]{{1,{places}}})?", found, re.ASCII):
        raise NotAllowed("number_malformed", "write a number like 12.50")
    return Fraction(found)


def _yuan(text: str) -> Fraction:
    value = _decimal(text, places=4)
    if value >= DEAREST_YUAN:
        raise NotAllowed("number_malformed", "write a price below one hundred million yuan")
    return value


def _rate(text: str) -> Rate:
    """A ratio in per cent, with or without its sign: ``10``, ``12.5 %``, ``１０％``."""
    value = _decimal(_narrow(text).removesuffix("%"), places=4) / 100
    if value > 1:
        raise NotAllowed("rate_above_one", "a ratio is at most 100 %")
    return Rate(value)


def tenths_of_percent(text: str) -> int:
    """A score typed in per cent, as thousandths: ``95`` is 950. Raises NotAllowed where it is none."""
    value = _decimal(_narrow(text).removesuffix("%"), places=1) * 10
    if value > 1000:
        raise NotAllowed("rate_above_one", "a score is at most 100 %")
    return int(value)


def _whole(text: str, *, least: int, most: int) -> int:
    found = _narrow(text)
    if not re.fullmatch(r"[0-9]{1,4}", found, re.ASCII) or not least <= int(found) <= most:
        raise NotAllowed("whole_number_malformed", f"write a whole number from {least} to {most}")
    return int(found)


def _percent_text(rate: Rate) -> str:
    return decimal_text(rate.value * 100)


def _number_text(value: int | None) -> str:
    return "" if value is None else str(value)
