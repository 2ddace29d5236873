"""What ships with the hub: it loads without a fault, whole, and every file says where it comes from."""

import sys
import time
import tomllib
from dataclasses import replace
from datetime import date
from fractions import Fraction
from hashlib import sha256

import pytest

from catalogs.load import ROOT, Catalogs, load_all
from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.codes import CatalogKind, LocalCode, Region, UnifiedCode
from hub.core.errors import NotAllowed
from hub.core.mapping import Grade
from hub.core.money import Rate

NANJING, HUANGSHAN, QINZHOU = "320115", "341000", "450700"


def region(shipped: Catalogs, code: str):
    """The newest release of a region's catalog."""
    return [one for one in shipped.regions if one.region.code == code][-1]


def test_each_book_has_the_entries_that_its_readme_counts(shipped: Catalogs):
    counts = {kind: len(book) for kind, book in shipped.unified.books.items()}

    assert counts == {
        CatalogKind.DIAGNOSIS: 49_666,
        CatalogKind.MORPHOLOGY: 1_494,
        CatalogKind.PROCEDURE: 18_360,
        CatalogKind.SERVICE: 5_410,
        CatalogKind.FACILITY: 17,
        CatalogKind.DRUG: 17_884,
        CatalogKind.HERBAL: 10_454,
        CatalogKind.AREA: 4_294,
    }


def test_only_active_diagnoses_can_stand_in_a_bill(shipped: Catalogs):
    statuses = [entry.status for entry in shipped.unified.books[CatalogKind.DIAGNOSIS].values()]

    assert statuses.count("active") == 33_304
    assert statuses.count("gray") == 4_143
    assert statuses.count("heading") == 12_219
    assert len(statuses) == 33_304 + 4_143 + 12_219


def test_every_row_left_out_or_taken_with_a_defect_is_reported_with_its_reason(shipped: Catalogs):
    checks = [one.check for one in shipped.unified.quarantined]

    assert checks.count("quarantined") == 3
    assert checks.count("parent_unknown") == 46 + 37
    assert checks.count("text_hidden_character") == 8
    assert len(region(shipped, NANJING).quarantined) == 10
    assert len(region(shipped, QINZHOU).quarantined) == 7
    assert all(one.because for one in shipped.unified.quarantined)


def test_each_region_has_the_items_and_mappings_of_its_sources(shipped: Catalogs):
    counts = {(one.region.code, one.release): (len(one.items), len(one.mappings)) for one in shipped.regions}

    for release in ("2024-06", "2025-01"):
        assert counts[NANJING, release] == (5_418, 3_229)
        assert counts[HUANGSHAN, release] == (0, 0)
        assert counts[QINZHOU, release] == (12_187, 2_455)


def test_beds_are_facilities_from_2025_on_and_were_services_before(shipped: Catalogs):
    bed = LocalCode(Region(NANJING), CatalogKind.SERVICE, "110900001-a")
    catalog = shipped.in_memory().of(Region(NANJING))

    before, after = (catalog.item(bed, day) for day in (date(2024, 12, 31), date(2025, 1, 1)))
    facility = catalog.item(replace(bed, kind=CatalogKind.FACILITY), date(2025, 1, 1))

    assert before is not None
    assert after is None
    assert facility is not None
    assert (facility.name, facility.unit) == ("四人及以上多人间床位费", "日")
    mapping = catalog.mapping(replace(bed, kind=CatalogKind.FACILITY), date(2025, 1, 1))
    assert mapping is not None
    assert mapping.unified == UnifiedCode(CatalogKind.FACILITY, "001109000010400")


def test_only_what_became_another_kind_has_the_version_of_the_newer_release(shipped: Catalogs):
    newer = [entry.code.kind for entry in shipped.unified.entries() if entry.version == "v2025-01"]

    assert {kind: newer.count(kind) for kind in newer} == {CatalogKind.MORPHOLOGY: 1_494, CatalogKind.FACILITY: 17}


def test_morphology_codes_are_active_in_their_own_book(shipped: Catalogs):
    entry = shipped.unified.find(CatalogKind.MORPHOLOGY, "M80100/3")

    assert entry is not None
    assert (entry.name, entry.status) == ("癌", "active")
    assert shipped.unified.find(CatalogKind.DIAGNOSIS, "M80100/3") is None


def test_a_heading_with_a_dagger_is_the_parent_of_the_codes_below_it(shipped: Catalogs):
    entry = shipped.unified.find(CatalogKind.DIAGNOSIS, "A17.000x001+G05.0*")

    assert entry is not None
    assert entry.parent == "A17+"


def test_several_rows_of_one_herbal_piece_become_names_of_one_entry(shipped: Catalogs):
    entry = shipped.unified.find(CatalogKind.HERBAL, "T001100687")

    assert entry is not None
    assert entry.name == "生蒲黄"
    assert entry.attributes["aliases"] == "蒲黄"


def test_an_operation_in_jiangsu_has_its_class_and_the_limits_of_the_south(shipped: Catalogs):
    """JS04511 肠粘连松解术: class 甲, 1,624 yuan at level 3, 1,299 at level 2, level 1 set by the city."""
    item = next(one for one in region(shipped, NANJING).items if one.local.code == "331003008")

    assert item.benefit_class is BenefitClass.A
    assert item.limit_for(HospitalLevel.LEVEL_3) == Fraction(1624)
    assert item.limit_for(HospitalLevel.LEVEL_2) == Fraction(1299)
    assert item.limit_for(HospitalLevel.LEVEL_1) is None


def test_an_item_with_two_conditional_classes_has_the_one_that_pays_less(shipped: Catalogs):
    """220203004 is 丙/甲: 甲 only for maternity benefit, which a fee line does not say."""
    item = next(one for one in region(shipped, NANJING).items if one.local.code == "220203004")

    assert item.benefit_class is BenefitClass.C
    assert item.first_self_pay == Rate(Fraction(1))


def test_a_surcharge_with_seven_prices_keeps_the_highest_as_its_limit(shipped: Catalogs):
    item = next(one for one in region(shipped, NANJING).items if one.local.code == "33-i")

    assert item.limit_for(HospitalLevel.LEVEL_3) == Fraction(1400)


def test_qinzhou_states_its_own_first_self_pay(shipped: Catalogs):
    rates = region(shipped, QINZHOU).first_self_pay

    assert {one.value: str(rate) for one, rate in rates.items()} == {"A": "0 %", "B": "15 %", "C": "30 %"}


def test_the_provinces_pairs_with_another_name_and_number_are_not_paid_by(shipped: Catalogs):
    grades = [one.grade for one in region(shipped, NANJING).mappings]

    assert (grades.count(Grade.EXACT), grades.count(Grade.BROADER), grades.count(Grade.PARTIAL)) == (2846, 125, 258)


def test_a_derived_mapping_says_so_in_each_row(shipped: Catalogs):
    (mapping,) = region(shipped, QINZHOU).mapping_releases

    assert {entry.origin.partition(":")[0] for entry in mapping.entries} == {"derived by a rule"}


def test_every_data_file_is_named_with_its_sum_source_and_licence():
    described = {}
    for descriptor in ROOT.rglob("*.toml"):
        content = tomllib.loads(descriptor.read_text("utf-8"))
        files = content.get("file", [])
        for one in files if isinstance(files, list) else [files]:
            root = ROOT / "unified" if descriptor.is_relative_to(ROOT / "unified") else descriptor.parents[2]
            folder = root / one["from"] if "from" in one else descriptor.parent
            described.setdefault(folder / one["name"], []).append(one)

    assert set(described) == set(ROOT.rglob("*.csv"))
    for path, several in described.items():
        for one in several:
            assert one["sha256"] == sha256(path.read_bytes()).hexdigest(), path
            assert all(one[key].strip() for key in ("source", "licence", "version", "known_defects")), path


def test_the_readme_names_every_data_file():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert [path.name for path in ROOT.rglob("*.csv") if str(path.relative_to(ROOT)) not in readme] == []


def test_everything_loads_and_the_time_is_printed(capsys: pytest.CaptureFixture[str]):
    start = time.perf_counter()

    load_all()

    with capsys.disabled():
        sys.stdout.write(f" [all catalogs loaded in {time.perf_counter() - start:.2f} s]")


def test_twenty_working_days_after_28_september_2026_end_on_30_october(shipped: Catalogs):
    """29 and 30 September, 8 and 9, 10 (a make-up Saturday), 12-16, 19-23 and 26-30 October."""
    assert shipped.calendar.add_working_days(date(2026, 9, 28), 20) == date(2026, 10, 30)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 4), True),
        (date(2024, 9, 17), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),
        (date(2026, 1, 2), False),
        (date(2026, 9, 20), True),
    ],
)
def test_days_of_the_holiday_notices_are_as_announced(shipped: Catalogs, day: date, works: bool):
    assert shipped.calendar.is_working_day(day) is works


def test_a_year_without_a_notice_is_refused(shipped: Catalogs):
    with pytest.raises(NotAllowed, match="calendar_year_missing"):
        shipped.calendar.is_working_day(date(2027, 1, 4))
