"""How the table of each unified code book is laid out, and what must hold of one of its rows.

Knows the columns, the fixed words and the checks of a row. Must not know files, releases or regions.
Sources: national-interface section 6 for what the national files carry, section 10.4 for the shape of codes;
domain-process section 2 for the ten chronic diseases settled across provinces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.core.catalog import HospitalLevel
from hub.core.codes import CatalogKind
from hub.core.errors import NotAllowed
from hub.core.money import exact_decimal

ACTIVE = "active"
"""The status of an entry that may stand in a bill; others are headings, gray codes and codes struck off."""

INVALID = "invalid"
"""The status of an entry that the national file marks as no longer valid."""

CLASS_COLUMN = "insurance_class"
"""The column and attribute with the published class; several classes of one code are joined by a stroke."""

LIST_SEPARATOR = "|"
"""Stands between the words of a cell that holds several."""

NATIONAL_DISEASES = (
    "高血压",
    "糖尿病",
    "恶性肿瘤门诊放化疗",
    "尿毒症透析",
    "器官移植术后抗排异治疗",
    "慢阻肺",
    "类风湿关节炎",
    "冠心病",
    "病毒性肝炎",
    "强直性脊柱炎",
)
"""The chronic diseases settled across provinces: the first five since 2021, the others since 2025-01-01. A region has
several entitlements for one of them (dialysis by method, transplants by organ).
"""

SERVICES_OPENED = ("inpatient", "outpatient", "chronic_outpatient", "pharmacy")
"""Kinds of off-site settlement that an institution may be open for."""

RowFault = tuple[str, str, str]
"""What is wrong with a row: column, code of the fault, and how to mend it."""

NATIONAL_COLUMNS = ("valid_flag", "record_id", "national_version", "effective_from", "effective_until")
"""What every national file says of a record: whether it is valid, its id, version and days, as published."""


def _no_fault(_cells: Mapping[str, str]) -> RowFault | None:
    return None


def _status_of(cells: Mapping[str, str]) -> str:
    return INVALID if cells.get("valid_flag") == "0" else ACTIVE


def _words(text: str, *, empty: bool = False) -> frozenset[str]:
    return frozenset(text.split()) | (frozenset({""}) if empty else frozenset())


@dataclass(frozen=True, slots=True)
class Book:
    """The layout of one kind: columns that each file has, in this order, then those of `optional` that it has.

    `allowed` are the fixed words of a column; `codes` the columns that hold codes, whose digits a spreadsheet may have
    damaged; `refers` names the column that holds a code of another book of the same release.
    """

    columns: tuple[str, ...]
    optional: tuple[str, ...] = NATIONAL_COLUMNS
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    status: Callable[[Mapping[str, str]], str] = _status_of
    parents: bool = False
    check: Callable[[Mapping[str, str]], RowFault | None] = _no_fault
    codes: tuple[str, ...] = ("code",)
    refers: Mapping[str, CatalogKind] = field(default_factory=dict)

    def layout(self, found: Sequence[str]) -> tuple[str, ...] | None:
        """The columns of a header; None if it is not the required ones and then optional ones in their order."""
        head, tail = tuple(found[: len(self.columns)]), list(found[len(self.columns) :])
        if head != self.columns or tail != [column for column in self.optional if column in tail]:
            return None
        return (*head, *tail)

    def fault(self, cells: Mapping[str, str]) -> RowFault | None:
        """The first thing wrong with a row, its code aside."""
        if not cells["name"]:
            return "name", "name_empty", "is empty: an entry has a name"
        for column, allowed in self.allowed.items():
            text = cells.get(column)
            if text is not None and text not in allowed:
                words = ", ".join(word or "nothing" for word in sorted(allowed))
                return column, "value_unknown", f"{text!r} is not one of {words}"
        return self.check(cells)


def price_fault(cells: Mapping[str, str], column: str) -> RowFault | None:
    """A listed price is yuan with up to six decimals, not negative, or absent."""
    price = cells.get(column, "")
    try:
        if price and exact_decimal(price, places=6) < 0:
            return column, "price_negative", f"{price!r} is negative"
    except NotAllowed:
        return column, "price_malformed", f"{price!r} is not a price: write yuan like 12.5, or nothing"
    return None


def _drug_fault(cells: Mapping[str, str]) -> RowFault | None:
    """The price is a decimal, and the three group codes are prefixes of the product's code."""
    wrong = price_fault(cells, "listed_price_yuan")
    if wrong is not None:
        return wrong
    for column in ("class_code", "generic_code", "generic_form_code"):
        if not cells["code"].startswith(cells[column]):
            return column, "prefix", f"{cells[column]!r} is not the beginning of the code {cells['code']}"
    return None


def _herbal_fault(cells: Mapping[str, str]) -> RowFault | None:
    """A piece may have several classes, which hold under conditions, joined by strokes: 甲/丙."""
    text = cells[CLASS_COLUMN]
    if text and not set(text.split("/")) <= {"甲", "乙", "丙"}:
        return CLASS_COLUMN, "value_unknown", f"{text!r} is not one of 甲, 乙, 丙, or several of them joined by '/'"
    return None


def _consumable_fault(cells: Mapping[str, str]) -> RowFault | None:
    return price_fault(cells, "listed_price_yuan")


def _institution_fault(cells: Mapping[str, str]) -> RowFault | None:
    """The code names the institution's province, and the kinds of service it is open for are known."""
    if cells["code"][1:3] != cells["region"][:2]:
        return "region", "area_differs", f"{cells['region']!r} is not in the province that the code begins with"
    if cells["code"].startswith("P") and cells["level"]:
        return "level", "level_of_pharmacy", f"{cells['level']!r}: a pharmacy has no hospital level"
    opened = cells["services_opened"].split(LIST_SEPARATOR) if cells["services_opened"] else []
    for word in opened:
        if word not in SERVICES_OPENED:
            return "services_opened", "value_unknown", f"{word!r} is not one of {', '.join(SERVICES_OPENED)}"
    if len(opened) != len(set(opened)):
        return "services_opened", "value_twice", f"{cells['services_opened']!r} names a kind of service twice"
    return None


_SERVICE = Book(
    columns=("code", "name", "is_national", "sources"),
    optional=("unit", "content", "exclusions", "remark", *NATIONAL_COLUMNS),
    allowed={"is_national": _words("0 1")},
)

BOOKS: Mapping[CatalogKind, Book] = {
    CatalogKind.DIAGNOSIS: Book(
        columns=("code", "name", "level", "parent_code", "status"),
        allowed={
            "level": _words("category subcategory code"),
            "status": _words("active gray morphology heading invalid"),
        },
        status=lambda cells: cells["status"],
        parents=True,
    ),
    CatalogKind.PROCEDURE: Book(
        columns=("code", "name", "level", "parent_code", "is_drg_operation"),
        allowed={
            "level": _words("chapter category subcategory detail code"),
            "is_drg_operation": _words("0 1", empty=True),
        },
        status=lambda cells: _status_of(cells) if cells["level"] == "code" else "heading",
        parents=True,
    ),
    CatalogKind.MORPHOLOGY: Book(
        columns=("code", "name"),
        # The first three are those of the diagnoses, out of whose file the morphology was taken at first.
        optional=("level", "parent_code", "status", *NATIONAL_COLUMNS),
    ),
    CatalogKind.SERVICE: _SERVICE,
    CatalogKind.FACILITY: _SERVICE,
    CatalogKind.DRUG: Book(
        columns=(
            "code",
            "name",
            "dosage_form",
            "spec",
            "package",
            "approval_no",
            "manufacturer",
            "listed_price_yuan",
            "class_code",
            "generic_code",
            "generic_form_code",
        ),
        optional=(CLASS_COLUMN, "generic_name", "brand_name", "restricted_scope", *NATIONAL_COLUMNS),
        allowed={CLASS_COLUMN: _words("甲 乙 丙", empty=True)},
        check=_drug_fault,
        codes=("code", "class_code", "generic_code", "generic_form_code"),
    ),
    CatalogKind.HERBAL: Book(
        columns=("code", "name", CLASS_COLUMN, "standard"),
        optional=("aliases", *NATIONAL_COLUMNS),
        check=_herbal_fault,
    ),
    CatalogKind.PREPARATION: Book(
        columns=("code", "name", "dosage_form", "spec", "approval_no", "manufacturer"),
        optional=("licence_no", *NATIONAL_COLUMNS),
    ),
    CatalogKind.CONSUMABLE: Book(
        columns=("code", "name", "registration_no", "manufacturer", "spec", "material", "listed_price_yuan"),
        optional=("generic_code", "generic_name", "model", "consumable_class", "restricted_scope", *NATIONAL_COLUMNS),
        check=_consumable_fault,
        codes=("code", "generic_code"),
    ),
    CatalogKind.TCM_DISEASE: Book(columns=("code", "name")),
    CatalogKind.TCM_SYNDROME: Book(columns=("code", "name")),
    CatalogKind.CHRONIC_DISEASE: Book(
        columns=("code", "name", "national_disease"),
        optional=("disease_class", "disease_subclass", "region", *NATIONAL_COLUMNS),
        allowed={"national_disease": frozenset({"", *NATIONAL_DISEASES})},
    ),
    CatalogKind.INSTITUTION: Book(
        columns=("code", "name", "region", "level", "services_opened"),
        allowed={"level": frozenset({"", *HospitalLevel})},
        check=_institution_fault,
        codes=("code", "region"),
        refers={"region": CatalogKind.AREA},
    ),
    CatalogKind.AREA: Book(
        columns=("admdvs_code", "name", "level", "parent_code", "path"),
        optional=(),
        allowed={"level": _words("1 2 3")},
        parents=True,
        codes=("admdvs_code", "parent_code"),
    ),
}
"""Every kind has a layout, also those of which no table ships: it is what an import brings a table to."""
