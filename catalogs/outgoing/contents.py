"""What a release and a region's catalog say, as rows: whole, or what is newer than a version.

Knows entries, terms, mappings and versions. Must not know files.
Sources: national-interface section 5.2 (1301 to 1319: the caller names the highest version he holds and gets what is
above it) and domain-process section 6.2; what was struck off comes as a row marked as not valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from catalogs.books import ACTIVE, BOOKS
from catalogs.incoming.national import FILE_LAYOUTS, ROW_FORMS, FileLayout
from catalogs.mapping import COLUMNS as MAPPING_COLUMNS
from catalogs.mapping import OPTIONAL_COLUMNS as MAPPING_OPTIONAL
from catalogs.mapping import MappingRelease
from catalogs.outgoing.sheets import Sheet, used_columns
from catalogs.regional import RegionRelease
from catalogs.terms import COLUMNS, LIMIT_COLUMNS, OPTIONAL_COLUMNS, RATIO_COLUMNS, class_word
from catalogs.unified import NO_VERSION, UnifiedEntry, UnifiedRelease, as_row
from hub.core.catalog import CatalogItem
from hub.core.codes import CatalogKind
from hub.core.errors import Inconsistent, NotAllowed

LAYOUT_OF = {
    CatalogKind.DRUG: "1301",
    CatalogKind.HERBAL: "1302",
    CatalogKind.PREPARATION: "1303",
    CatalogKind.SERVICE: "1305",
    CatalogKind.FACILITY: "1305",
    CatalogKind.CONSUMABLE: "1306",
    CatalogKind.DIAGNOSIS: "1307",
    CatalogKind.PROCEDURE: "1308",
    CatalogKind.CHRONIC_DISEASE: "1309",
    CatalogKind.MORPHOLOGY: "1313",
    CatalogKind.TCM_DISEASE: "1314",
    CatalogKind.TCM_SYNDROME: "1315",
}
"""The national number of each kind's file; institutions and areas have none."""

_HEADING = "heading"
_OPEN_END = "2099-12-31"
_CLASS_NUMBERS = {"甲": "01", "乙": "02", "丙": "03"}


class Changed(NamedTuple):
    """An entry that is newer than a version, and whether it still stands; if not, it is as it last stood."""

    entry: UnifiedEntry
    version: str
    stands: bool


def newer_than(releases: Sequence[UnifiedRelease], kind: CatalogKind, since: str) -> list[Changed]:
    """What changed in a book after a version, by code: new and changed entries, and those struck off.

    `releases` are all of them, in their order. Raises NotAllowed for a version that is none of them.
    """
    known = [NO_VERSION, *(one.version for one in releases)]
    if since not in known:
        raise NotAllowed("version_unknown", f"{since[:40]!r} is no version: they are {', '.join(known)}")
    found: dict[str, Changed] = {}
    before: Mapping[str, UnifiedEntry] = {}
    for release in releases:
        book = release.books.get(kind, {})
        if book is not before:
            for code, entry in before.items():
                if code not in book:
                    found[code] = Changed(entry, release.version, stands=False)
            for code, entry in book.items():
                found[code] = Changed(entry, entry.version, stands=True)
        before = book
    newer = [one for one in found.values() if one.version > since]
    if since == NO_VERSION:
        # Who has nothing need not hear of what is gone.
        newer = [one for one in newer if one.stands]
    return sorted(newer, key=lambda one: one.entry.code.code)


def whole_book(release: UnifiedRelease, kind: CatalogKind) -> Sheet:
    """A code book in the columns of its table, headings included, as an import would take it again."""
    book = BOOKS[kind]
    if kind not in release.books:
        message = f"the release {release.release} has no {kind}; it has {', '.join(release.books)}"
        raise NotAllowed("book_missing", message)
    rows = [as_row(entry) for entry in release.books[kind].values()]
    return Sheet(kind.value, used_columns(book.columns, book.optional, rows), frozenset(book.codes), rows)


def changed_rows(kind: CatalogKind, changed: Sequence[Changed]) -> Sheet:
    """What is newer than a version, with the version and whether it stands in the columns that national files have."""
    book = BOOKS[kind]
    rows = [
        {**as_row(one.entry), "valid_flag": "1" if one.stands else "0", "national_version": one.version}
        for one in changed
    ]
    optional = book.optional or ("valid_flag", "national_version")
    return Sheet(kind.value, used_columns(book.columns, optional, rows), frozenset(book.codes), rows)


def positions(
    release: UnifiedRelease, kind: CatalogKind, changed: Sequence[Changed]
) -> tuple[str, Iterator[list[str]]]:
    """The number of the national file, and the rows as it lays them out; headings stand beside their entries only."""
    if kind not in LAYOUT_OF:
        raise NotAllowed("layout_missing", f"there is no national file of {kind}: write CSV or XLSX")
    layout = FILE_LAYOUTS[LAYOUT_OF[kind]]
    rows = (_positioned(layout, one, release.books.get(kind, {})) for one in changed if one.entry.status != _HEADING)
    return layout.number, rows


def _positioned(layout: FileLayout, changed: Changed, book: Mapping[str, UnifiedEntry]) -> list[str]:
    entry = changed.entry
    row = as_row(entry)
    row["code"] = entry.code.code
    row["valid_flag"] = "1" if changed.stands and entry.status == ACTIVE else "0"
    row["national_version"] = changed.version
    cells = [""] * layout.columns
    for column, places in layout.at.items():
        cells[places[0] - 1] = row.get(column, "")
    levels = {level: (code_at, name_at) for code_at, name_at, level in layout.parents}
    above = book.get(entry.parent) if entry.parent else None
    while above is not None:
        place = levels.get(above.attributes.get("level", ""))
        if place is not None:
            cells[place[0] - 1], cells[place[1] - 1] = above.code.code, above.name
        above = book.get(above.parent) if above.parent else None
    return cells


# --- a region's catalog -------------------------------------------------------------------------------------------


def items_of(release: RegionRelease, unified: UnifiedRelease, kind: CatalogKind) -> Iterator[CatalogItem]:
    """Every entry that a region bills under a kind: its own, those with stated terms, and adopted ones as they are."""
    yield from (item for item in release.items if item.local.kind is kind)
    for entry in unified.books.get(kind, {}).values():
        item = release.adopted_item(entry)
        if item is not None:
            yield item


def region_terms(release: RegionRelease, unified: UnifiedRelease, kind: CatalogKind) -> Sheet:
    """A region's terms of a kind in the columns of a table of terms, as an import would take it again."""
    rows = [terms_row(item) for item in items_of(release, unified, kind)]
    if not rows:
        raise NotAllowed("kind_missing", f"the catalog {release.release} of {release.region} has no {kind}")
    columns = used_columns(COLUMNS, OPTIONAL_COLUMNS, rows)
    return Sheet(f"{release.region}-{kind.value}", columns, frozenset({"code"}), rows)


def terms_row(item: CatalogItem) -> dict[str, str]:
    """An entry in the columns of a table of terms; ratios and prices exact."""
    restriction = item.restriction
    row = {
        "code": item.local.code,
        "name": item.name,
        "unit": item.unit,
        "class": class_word(item.benefit_class),
        "first_self_pay": decimal_text(item.first_self_pay.value),
        "valid_from": item.valid.start.isoformat(),
        "valid_until": _day(item.valid.end),
        "grace_until": _day(item.grace_until),
        "payment_standard": "" if item.payment_standard is None else decimal_text(item.payment_standard),
    }
    row |= {LIMIT_COLUMNS[level]: decimal_text(limit) for level, limit in item.price_limits.items()}
    row |= {RATIO_COLUMNS[one]: decimal_text(rate.value) for one, rate in item.first_self_pay_of.items()}
    if restriction is not None:
        row |= {
            "only_sex": restriction.sex or "",
            "only_age_from": _number(restriction.age_from),
            "only_age_to": _number(restriction.age_to),
            "only_diagnoses": "|".join(restriction.diagnoses),
            "only_inpatient": "1" if restriction.inpatient_only else "",
            "only_levels": "|".join(sorted(restriction.levels)),
            "only_days": _number(restriction.most_days),
        }
    return row


def mapping_rows(release: MappingRelease, unified: UnifiedRelease) -> Sheet:
    """A mapping in the columns of its table, as an import would take it again."""
    rows = []
    for one in release.entries:
        mapping, condition = one.mapping, one.mapping.condition
        target = None if mapping.unified is None else unified.entry(mapping.unified)
        rows.append(
            {
                "local_code": mapping.local.code,
                "local_name": one.local_name,
                "unified_code": "" if mapping.unified is None else mapping.unified.code,
                "unified_name": "" if target is None else target.name,
                "grade": mapping.grade.value,
                "valid_from": mapping.valid_from.isoformat(),
                "valid_until": _day(mapping.valid_until),
                "origin": one.origin,
                "if_sex": condition.sex or "",
                "if_age_from": _number(condition.age_from),
                "if_age_to": _number(condition.age_to),
                "if_insurance_type": condition.insurance_type or "",
                "if_diagnoses": "|".join(condition.diagnoses),
                "reason": one.reason,
                "decided_by": one.decided_by,
                "reviewed_by": one.reviewed_by,
            }
        )
    columns = used_columns(MAPPING_COLUMNS, MAPPING_OPTIONAL, rows)
    return Sheet(release.name, columns, frozenset({"local_code", "unified_code"}), rows)


def query_rows(release: RegionRelease, unified: UnifiedRelease, kind: CatalogKind, number: str) -> Iterator[list[str]]:
    """A region's terms as the rows of 1312 (entries), 1318 (price limits) or 1319 (first self-pay ratios)."""
    form = ROW_FORMS[number]
    for item in items_of(release, unified, kind):
        shared = {
            "hilist_code": item.local.code,
            "insu_admdvs": release.region.code,
            "begndate": item.valid.start.isoformat(),
            "enddate": _last_day(item.valid.end),
            "vali_flag": "1",
        }
        for row in _QUERY_ROWS[number](item):
            full = {**shared, **row}
            yield [full.get(field, "") for field in form.fields]


def _entries(item: CatalogItem) -> Iterator[dict[str, str]]:
    limited = "0" if item.restriction is None else "1"
    number = _CLASS_NUMBERS[class_word(item.benefit_class)]
    yield {"hilist_name": item.name, "chrgitm_lv": number, "lmt_used_flag": limited}


def _limits(item: CatalogItem) -> Iterator[dict[str, str]]:
    for level, limit in item.price_limits.items():
        yield {"hilist_lmtpric_type": f"0{level.value}", "hilist_pric_uplmt_amt": decimal_text(limit)}


def _ratios(item: CatalogItem) -> Iterator[dict[str, str]]:
    rates = {"99": item.first_self_pay, **{one.value: rate for one, rate in item.first_self_pay_of.items()}}
    for person, rate in rates.items():
        yield {
            "selfpay_prop_psn_type": person,
            "selfpay_prop_type": "10",
            "selfpay_prop": decimal_text(rate.value),
        }


_QUERY_ROWS = {"1312": _entries, "1318": _limits, "1319": _ratios}


def decimal_text(value: Fraction) -> str:
    """An exact decimal without trailing zeros: ``12.5``. Raises Inconsistent for a fraction that has none."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(decimal) != value:
        raise Inconsistent("not_a_decimal", f"{value} has no short decimal: it cannot have come from a file")
    return f"{decimal:f}"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _last_day(end: date | None) -> str:
    """The last day of a span, as the national rows give it; the year 2099 for until further notice."""
    return _OPEN_END if end is None else (end - timedelta(days=1)).isoformat()


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
