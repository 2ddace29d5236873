"""Entries, mappings and their parts as JSON text and back, exact to the fraction.

Knows how price limits, ratios, restrictions, conditions and changes of a catalog are written down, and under which
version. Must not know tables or rules. Absent parts are left out. Sources: decision 0031.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from datetime import date
from fractions import Fraction
from typing import Any

import orjson

from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel, Restriction
from hub.core.codes import InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Inconsistent
from hub.core.mapping import ALWAYS, Condition, Grade, Mapping
from hub.core.money import Rate

VERSION = 1
"""Written into every value; a reader refuses a version that it does not know."""


def write_limits(limits: MappingOf[HospitalLevel, Fraction]) -> str:
    """Price limits in yuan by hospital level; the empty text where there is none.

    Older than versions: the shape never changed.
    """
    return orjson.dumps(_limits(limits)).decode() if limits else ""


def read_limits(text: str) -> MappingOf[HospitalLevel, Fraction]:
    """Undo `write_limits`."""
    return _read_limits(orjson.loads(text)) if text else {}


def write_ratios(ratios: MappingOf[InsuranceType, Rate]) -> str | None:
    """First self-pay ratios by insurance type; None where no type has its own."""
    return _text({"ratios": _ratios(ratios)}) if ratios else None


def read_ratios(text: str | None) -> MappingOf[InsuranceType, Rate]:
    """Undo `write_ratios`."""
    return {} if text is None else _read_ratios(_read(text)["ratios"])


def write_restriction(one: Restriction | None) -> str | None:
    """For whom and where an entry is paid; None where nothing is restricted."""
    return None if one is None else _text(_restriction(one))


def read_restriction(text: str | None) -> Restriction | None:
    """Undo `write_restriction`."""
    return None if text is None else _read_restriction(_read(text))


def write_condition(one: Condition) -> str | None:
    """When a mapping applies; None where always."""
    return None if one.is_empty else _text(_condition(one))


def read_condition(text: str | None) -> Condition:
    """Undo `write_condition`."""
    return ALWAYS if text is None else _read_condition(_read(text))


def write_change(new: CatalogItem | Mapping) -> str:
    """What a change says of its code: an entry or a mapping, without the code itself."""
    return _text(_mapping(new) if isinstance(new, Mapping) else _entry(new))


def read_mapping(text: str, *, local: LocalCode) -> Mapping:
    """Undo `write_change` for a mapping."""
    found = _read(text)
    target = found.get("unified")
    return Mapping(
        local=local,
        unified=None if target is None else UnifiedCode(local.kind, target),
        grade=Grade(found["grade"]),
        valid_from=date.fromisoformat(found["valid_from"]),
        valid_until=_day(found, "valid_until"),
        condition=_read_condition(found.get("condition", {})),
    )


def read_entry(text: str, *, local: LocalCode) -> CatalogItem:
    """Undo `write_change` for an entry."""
    found = _read(text)
    standard, restriction = found.get("payment_standard"), found.get("restriction")
    return CatalogItem(
        local=local,
        name=found.get("name", ""),
        unit=found.get("unit", ""),
        benefit_class=BenefitClass(found["class"]),
        first_self_pay=Rate(Fraction(found["first_self_pay"])),
        price_limits=_read_limits(found.get("price_limits", {})),
        valid=Span(date.fromisoformat(found["valid_from"]), _day(found, "valid_until")),
        payment_standard=None if standard is None else Fraction(standard),
        first_self_pay_of=_read_ratios(found.get("first_self_pay_of", ())),
        restriction=None if restriction is None else _read_restriction(restriction),
        grace_until=_day(found, "grace_until"),
    )


# ---- parts


def _mapping(one: Mapping) -> dict[str, Any]:
    return {
        "unified": None if one.unified is None else one.unified.code,
        "grade": one.grade,
        "valid_from": one.valid_from.isoformat(),
        "valid_until": _day_text(one.valid_until),
        "condition": None if one.condition.is_empty else _condition(one.condition),
    }


def _entry(one: CatalogItem) -> dict[str, Any]:
    return {
        "name": one.name,
        "unit": one.unit,
        "class": one.benefit_class,
        "first_self_pay": str(one.first_self_pay.value),
        "price_limits": _limits(one.price_limits) if one.price_limits else None,
        "valid_from": one.valid.start.isoformat(),
        "valid_until": _day_text(one.valid.end),
        "payment_standard": None if one.payment_standard is None else str(one.payment_standard),
        "first_self_pay_of": _ratios(one.first_self_pay_of) if one.first_self_pay_of else None,
        "restriction": None if one.restriction is None else _restriction(one.restriction),
        "grace_until": _day_text(one.grace_until),
    }


def _limits(limits: MappingOf[HospitalLevel, Fraction]) -> dict[str, str]:
    return {level.value: str(limit) for level, limit in limits.items()}


def _read_limits(found: MappingOf[str, str]) -> dict[HospitalLevel, Fraction]:
    return {HospitalLevel(level): Fraction(limit) for level, limit in found.items()}


def _ratios(ratios: MappingOf[InsuranceType, Rate]) -> list[list[str]]:
    return [[insured.value, str(rate.value)] for insured, rate in ratios.items()]


def _read_ratios(found: Iterable[Sequence[str]]) -> dict[InsuranceType, Rate]:
    return {InsuranceType(insured): Rate(Fraction(rate)) for insured, rate in found}


def _restriction(one: Restriction) -> dict[str, Any]:
    return _said(
        {
            "sex": one.sex,
            "age_from": one.age_from,
            "age_to": one.age_to,
            "diagnoses": one.diagnoses or None,
            "inpatient_only": one.inpatient_only or None,
            "levels": sorted(one.levels) or None,
            "most_days": one.most_days,
        }
    )


def _read_restriction(found: MappingOf[str, Any]) -> Restriction:
    return Restriction(
        sex=_sex(found),
        age_from=found.get("age_from"),
        age_to=found.get("age_to"),
        diagnoses=tuple(found.get("diagnoses", ())),
        inpatient_only=found.get("inpatient_only", False),
        levels=frozenset(map(HospitalLevel, found.get("levels", ()))),
        most_days=found.get("most_days"),
    )


def _condition(one: Condition) -> dict[str, Any]:
    return _said(
        {
            "sex": one.sex,
            "age_from": one.age_from,
            "age_to": one.age_to,
            "insurance_type": one.insurance_type,
            "diagnoses": one.diagnoses or None,
        }
    )


def _read_condition(found: MappingOf[str, Any]) -> Condition:
    insured = found.get("insurance_type")
    return Condition(
        sex=_sex(found),
        age_from=found.get("age_from"),
        age_to=found.get("age_to"),
        insurance_type=None if insured is None else InsuranceType(insured),
        diagnoses=tuple(found.get("diagnoses", ())),
    )


def _sex(found: MappingOf[str, Any]) -> Sex | None:
    sex = found.get("sex")
    return None if sex is None else Sex(sex)


def _day(found: MappingOf[str, Any], key: str) -> date | None:
    text = found.get(key)
    return None if text is None else date.fromisoformat(text)


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _said(document: MappingOf[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _text(document: MappingOf[str, Any]) -> str:
    return orjson.dumps({"v": VERSION, **_said(document)}).decode()


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    if found.get("v") != VERSION:
        raise Inconsistent("stored_version", f"a stored value has version {found.get('v')!r}, known is {VERSION}")
    return found
