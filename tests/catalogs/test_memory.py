"""The catalog that answers bills from memory: days, own codes, adopted codes, several releases."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from catalogs.load import InMemoryCatalogs, load_all
from hub.core.bill import BillLine
from hub.core.catalog import BenefitClass, CareCatalog, HospitalLevel
from hub.core.classification import LineOutcome, Treated, classify_line
from hub.core.codes import CatalogKind, LocalCode, Region
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Grade
from hub.core.money import yuan

HERE = Region("320115")
OXYGEN = LocalCode(HERE, CatalogKind.SERVICE, "120300001")
TEST_ALT = LocalCode(HERE, CatalogKind.SERVICE, "250305007")
UNCLASSED = LocalCode(HERE, CatalogKind.SERVICE, "999")
AMOXICILLIN = LocalCode(HERE, CatalogKind.DRUG, "XJ01CAA040E001020200600")
CATTAIL = LocalCode(HERE, CatalogKind.HERBAL, "T001100687")


@pytest.fixture
def catalog(small: Path) -> CareCatalog:
    return load_all(small).in_memory().of(HERE)


def test_an_own_code_has_its_class_and_limit(catalog: CareCatalog):
    item = catalog.item(OXYGEN, date(2024, 5, 1))

    assert item is not None
    assert (item.benefit_class, item.unit) == (BenefitClass.A, "小时")
    assert item.limit_for(HospitalLevel.LEVEL_3) == Fraction("4.5")


def test_an_item_without_a_published_class_has_the_assumed_one(catalog: CareCatalog):
    item = catalog.item(UNCLASSED, date(2024, 5, 1))

    assert item is not None
    assert (item.benefit_class, str(item.first_self_pay)) == (BenefitClass.C, "30 %")


def test_a_mapping_is_that_of_the_day(catalog: CareCatalog):
    before = catalog.mapping(OXYGEN, date(2024, 3, 31))
    after = catalog.mapping(OXYGEN, date(2024, 4, 1))

    assert before is not None
    assert after is not None
    assert (before.grade, after.grade) == (Grade.BROADER, Grade.EXACT)


def test_before_the_release_begins_there_is_neither_entry_nor_mapping(catalog: CareCatalog):
    assert catalog.item(OXYGEN, date(2023, 12, 31)) is None
    assert catalog.mapping(OXYGEN, date(2023, 12, 31)) is None


def test_an_item_without_a_mapping_stays_unmapped(catalog: CareCatalog):
    assert catalog.item(UNCLASSED, date(2024, 5, 1)) is not None
    assert catalog.mapping(UNCLASSED, date(2024, 5, 1)) is None


def test_an_adopted_code_is_its_own_local_code_from_the_day_of_adoption(catalog: CareCatalog):
    item = catalog.item(AMOXICILLIN, date(2024, 7, 1))
    mapping = catalog.mapping(AMOXICILLIN, date(2024, 7, 1))

    assert item is not None
    assert mapping is not None
    assert (item.local, item.benefit_class, item.unit) == (AMOXICILLIN, BenefitClass.B, "盒")
    assert (mapping.unified and mapping.unified.code, mapping.grade) == (AMOXICILLIN.code, Grade.EXACT)


def test_an_adopted_code_is_unknown_on_the_day_before_adoption(catalog: CareCatalog):
    assert catalog.item(AMOXICILLIN, date(2024, 6, 30)) is None
    assert catalog.mapping(AMOXICILLIN, date(2024, 6, 30)) is None


def test_a_herbal_piece_with_two_published_classes_has_the_one_that_pays_less(catalog: CareCatalog):
    item = catalog.item(CATTAIL, date(2024, 5, 1))

    assert item is not None
    assert item.benefit_class is BenefitClass.C


def test_a_code_outside_the_catalog_is_none_for_own_and_adopted_kinds(catalog: CareCatalog):
    assert catalog.item(LocalCode(HERE, CatalogKind.SERVICE, "000"), date(2024, 7, 1)) is None
    assert catalog.item(LocalCode(HERE, CatalogKind.DRUG, "000"), date(2024, 7, 1)) is None
    assert catalog.mapping(LocalCode(HERE, CatalogKind.DRUG, "000"), date(2024, 7, 1)) is None


def test_a_unified_code_is_no_local_code_where_the_region_uses_its_own(catalog: CareCatalog):
    assert catalog.item(LocalCode(HERE, CatalogKind.SERVICE, "001203000010000"), date(2024, 7, 1)) is None


def test_a_region_without_a_catalog_is_refused_and_not_taken_for_an_unknown_code(small: Path):
    with pytest.raises(NotAllowed, match="catalog_missing"):
        load_all(small).in_memory().of(Region("110101"))


def test_a_newer_release_of_a_region_holds_from_its_first_day(small: Path):
    older = small / "regions/320115/2024-06"
    newer = older.with_name("2025-01")
    newer.mkdir()
    text = (older / "catalog.toml").read_text("utf-8").replace('release = "2024-06"', 'release = "2025-01"')
    text = text.replace("valid_from = 2024-01-01", "valid_from = 2025-01-01").replace('B = "15 %"', 'B = "20 %"')
    text = text.replace('gap_because = "for tests"\n', "")
    (newer / "catalog.toml").write_text(text, "utf-8")

    catalog = load_all(small).in_memory().of(HERE)

    last_day, first_day = (catalog.item(AMOXICILLIN, day) for day in (date(2024, 12, 31), date(2025, 1, 1)))
    assert last_day is not None
    assert first_day is not None
    assert (str(last_day.first_self_pay), str(first_day.first_self_pay)) == ("15 %", "20 %")


def test_two_releases_of_a_region_that_begin_on_one_day_are_refused(small: Path):
    catalogs = load_all(small)

    with pytest.raises(Inconsistent, match="release_twice"):
        InMemoryCatalogs(catalogs.unified_releases, catalogs.regions * 2)


def test_a_region_whose_unified_release_is_not_given_is_refused(small: Path):
    with pytest.raises(Inconsistent, match="unified_missing"):
        InMemoryCatalogs((), load_all(small).regions)


def test_a_line_above_the_limit_is_divided_by_this_catalog(catalog: CareCatalog):
    """2 hours at 5.00: limit 4.50, so 9.00 are in policy and 1.00 is the patient's."""
    sent = BillLine(
        1, CatalogKind.SERVICE, "120300001", "氧气吸入", Fraction(5), Fraction(2), yuan("10.00"), date(2024, 5, 1)
    )

    line = classify_line(sent, catalog=catalog, treated=Treated(HospitalLevel.LEVEL_3))

    assert line.outcome is LineOutcome.OVER_LIMIT
    assert (line.in_policy, line.over_limit) == (yuan("9.00"), yuan("1.00"))
