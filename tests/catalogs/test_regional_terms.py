"""A region's dated terms: several rows for a code, restrictions, grace, ratios by insurance type, the unified codes."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from catalogs.incoming.region_import import RegionFile, RegionWanted, check_queries, import_mapping, import_terms
from catalogs.incoming.staging import About
from catalogs.load import load_all, load_mapping, load_unified_releases
from hub.core.catalog import BenefitClass, CareCatalog, CatalogItem, HospitalLevel
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, Sex
from hub.core.errors import NotAllowed
from hub.core.mapping import Circumstances, applying
from hub.core.money import Rate

PROVINCE = Region("320000")
DRUG = CatalogKind.DRUG
CAPSULES, TABLETS = "XJ01CAA040E001020200600", "XJ01FAA051A006030105755"
ABOUT = About("2025-01", date(2025, 1, 1), "made up for tests", "1", "none needed")
TERMS = "code,name,unit,class,first_self_pay,valid_from,valid_until\n"
ROWS_1312 = "hilist_code,hilist_name,insu_admdvs,begndate,enddate,chrgitm_lv,list_type,vali_flag\n"
ROWS_1318 = "hilist_code,hilist_lmtpric_type,insu_admdvs,begndate,enddate,hilist_pric_uplmt_amt,vali_flag\n"
ROWS_1319 = "hilist_code,selfpay_prop_psn_type,selfpay_prop_type,insu_admdvs,begndate,enddate,selfpay_prop,vali_flag\n"


@pytest.fixture
def catalog(small: Path) -> CareCatalog:
    return load_all(small).in_memory().of(PROVINCE)


@pytest.fixture
def file(tmp_path: Path):
    """Writes a file of a region and says what it is."""

    def write(form: str, text: str) -> RegionFile:
        path = tmp_path / f"{form}.csv"
        path.write_text(text, "utf-8")
        return RegionFile(path, form)

    return write


def on(catalog: CareCatalog, code: str, day: date) -> CatalogItem | None:
    return catalog.item(LocalCode(PROVINCE, DRUG, code), day)


def percent(parts: int) -> Rate:
    return Rate(Fraction(parts, 100))


def newest(root: Path) -> CareCatalog:
    return load_all(root).in_memory().of(PROVINCE)


# --- what a table of terms says -----------------------------------------------------------------------------------


def test_a_code_has_the_terms_of_the_day(catalog: CareCatalog):
    before, after = on(catalog, "L001", date(2024, 3, 31)), on(catalog, "L001", date(2024, 4, 1))

    assert before is not None
    assert after is not None
    assert (before.limit_for(HospitalLevel.LEVEL_3), before.payment_standard) == (Fraction("12.5"), None)
    assert (after.limit_for(HospitalLevel.LEVEL_3), after.payment_standard) == (Fraction(11), Fraction("10.2"))


def test_a_row_without_a_ratio_has_the_regions_ratios_of_its_class(catalog: CareCatalog):
    item = on(catalog, "L001", date(2024, 3, 31))

    assert item is not None
    assert item.self_pay_for(InsuranceType.EMPLOYEE) == percent(10)
    assert item.self_pay_for(InsuranceType.RESIDENT) == percent(20)


def test_a_row_with_a_ratio_has_its_own_for_everybody_it_does_not_name(catalog: CareCatalog):
    item = on(catalog, "L001", date(2024, 4, 1))

    assert item is not None
    assert item.self_pay_for(InsuranceType.EMPLOYEE) == percent(25)
    assert item.self_pay_for(InsuranceType.RESIDENT) == percent(30)


def test_a_code_struck_off_is_paid_until_its_grace_ends(catalog: CareCatalog):
    local = LocalCode(PROVINCE, DRUG, "L002")

    last, after = (catalog.on(DRUG, local.code, day) for day in (date(2024, 5, 31), date(2024, 6, 1)))

    assert last is not None
    assert last.in_grace
    assert after is not None
    assert after.item is None


def test_a_restriction_is_read_whole(catalog: CareCatalog):
    item = on(catalog, "L003", date(2024, 1, 1))

    assert item is not None
    found = item.restriction
    assert found is not None
    assert (found.sex, found.age_from, found.age_to, found.diagnoses) == (Sex.FEMALE, 18, 60, ("N95", "E28"))
    assert (found.inpatient_only, found.most_days) == (True, 14)
    assert found.levels == {HospitalLevel.LEVEL_2, HospitalLevel.LEVEL_3}


def test_a_local_code_may_stand_for_two_unified_ones_by_condition(catalog: CareCatalog):
    found = catalog.on(DRUG, "L001", date(2024, 5, 1))

    assert found is not None
    child = Circumstances(
        date(2024, 5, 1),
        birth_date=date(2015, 1, 1),
        insurance_type=InsuranceType.RESIDENT,
        diagnoses=frozenset({"J18.900"}),
    )
    targets = [applying(found.mappings, who) for who in (child, Circumstances(date(2024, 5, 1)))]
    assert [one.unified.code for one in targets if one and one.unified] == [TABLETS, CAPSULES]


# --- from own codes to unified ones -------------------------------------------------------------------------------


def test_own_codes_hold_to_the_day_before_the_unified_ones_begin(catalog: CareCatalog):
    last, first = date(2024, 6, 30), date(2024, 7, 1)

    assert on(catalog, "L001", last) is not None
    assert on(catalog, CAPSULES, last) is None
    assert on(catalog, "L001", first) is None
    assert on(catalog, CAPSULES, first) is not None
    assert catalog.mapping(LocalCode(PROVINCE, DRUG, "L001"), first) is None


def test_terms_stated_for_a_unified_code_stand_in_place_of_those_of_its_class(catalog: CareCatalog):
    stated, later, plain = (
        on(catalog, code, day)
        for code, day in ((CAPSULES, date(2024, 7, 1)), (CAPSULES, date(2024, 10, 1)), (TABLETS, date(2024, 7, 1)))
    )

    assert stated is not None
    assert later is not None
    assert plain is not None
    assert (stated.benefit_class, stated.payment_standard) == (BenefitClass.A, Fraction("8.8"))
    assert (later.benefit_class, later.first_self_pay) == (BenefitClass.B, percent(5))
    assert (plain.benefit_class, plain.first_self_pay) == (BenefitClass.B, percent(10))


# --- importing ----------------------------------------------------------------------------------------------------


def test_imported_terms_begin_with_the_new_release(small: Path, file):
    wanted = RegionWanted(PROVINCE, DRUG)

    import_terms(small, [file("terms", TERMS + f"{CAPSULES},胶囊,盒,乙,0.5,,\n")], wanted, ABOUT)

    catalog = newest(small)
    before, after = on(catalog, CAPSULES, date(2024, 12, 31)), on(catalog, CAPSULES, date(2025, 1, 1))
    assert before is not None
    assert after is not None
    assert (before.first_self_pay, after.first_self_pay) == (percent(5), percent(50))
    assert on(catalog, TABLETS, date(2025, 1, 1)) is not None


def test_a_region_adopts_the_unified_codes_on_a_day_of_the_new_release(small: Path, file):
    district = Region("320115")
    wanted = RegionWanted(district, CatalogKind.SERVICE, adopt=date(2025, 3, 1))
    terms = file("terms", TERMS + "001203000010000,氧气吸入,小时,甲,,,\n")

    import_terms(small, [terms], wanted, ABOUT)

    catalog = load_all(small).in_memory().of(district)
    own, unified = (LocalCode(district, CatalogKind.SERVICE, code) for code in ("120300001", "001203000010000"))
    assert catalog.item(own, date(2025, 2, 28)) is not None
    assert catalog.item(own, date(2025, 3, 1)) is None
    assert catalog.item(unified, date(2025, 2, 28)) is None
    assert catalog.item(unified, date(2025, 3, 1)) is not None


def test_a_code_given_twice_with_other_terms_is_put_aside_and_named(small: Path, file):
    rows = TERMS + f"{CAPSULES},胶囊,盒,乙,0.5,,\n{CAPSULES},胶囊,盒,乙,0.4,,\n{TABLETS},片,盒,甲,,,\n"

    report = import_terms(small, [file("terms", rows)], RegionWanted(PROVINCE, DRUG), ABOUT)

    assert [(one.line, one.code) for one in report.tables[0].quarantined] == [(2, CAPSULES), (3, CAPSULES)]


def test_rows_that_ended_before_the_release_are_left_out_and_counted(small: Path, file):
    rows = TERMS + f"{CAPSULES},胶囊,盒,乙,0.5,2023-01-01,2024-01-01\n{CAPSULES},胶囊,盒,乙,0.4,2024-01-01,\n"

    report = import_terms(small, [file("terms", rows)], RegionWanted(PROVINCE, DRUG), ABOUT)

    assert report.notes == ("left out: 1 rows that ended by 2025-01-01, the first day",)
    item = on(newest(small), CAPSULES, date(2025, 1, 1))
    assert item is not None
    assert item.first_self_pay == percent(40)


def test_rows_of_the_national_queries_are_cut_where_any_of_them_changes(small: Path, file):
    """The class from 2020 on, a limit to the end of March 2025, and another ratio from June: three rows."""
    files = [
        file("1312", ROWS_1312 + f"{CAPSULES},胶囊,320000,2020-01-01,2099-12-31,02,101,1\n"),
        file("1318", ROWS_1318 + f"{CAPSULES},03,320000,2020-01-01,2025-03-31,12.5,1\n"),
        file("1319", ROWS_1319 + f"{CAPSULES},99,10,320000,2020-01-01,2025-05-31,0.1,1\n"
             f"{CAPSULES},99,10,320000,2025-06-01,,0.2,1\n{CAPSULES},390,10,320000,2025-06-01,,0.3,1\n"
             f"{CAPSULES},99,20,320000,2020-01-01,,0.9,1\n"),
    ]  # fmt: skip

    report = import_terms(small, files, RegionWanted(PROVINCE, DRUG), ABOUT)

    catalog = newest(small)
    march, april, june = (on(catalog, CAPSULES, date(2025, month, 30)) for month in (3, 4, 6))
    assert report.tables[0].rows == 3
    assert march is not None
    assert april is not None
    assert june is not None
    assert [one.limit_for(HospitalLevel.LEVEL_3) for one in (march, april)] == [Fraction("12.5"), None]
    assert [one.self_pay_for(InsuranceType.RESIDENT) for one in (april, june)] == [percent(10), percent(30)]
    assert report.notes == ("left out: 1 ratios of type 20, which are not first self-pay",)


def test_rows_of_1316_give_the_terms_to_national_codes(small: Path, file):
    heading = "med_list_codg,hilist_code,list_type,insu_admdvs,begndate,enddate,vali_flag\n"
    files = [
        file("1312", ROWS_1312 + "A01,青霉素类,320000,2020-01-01,,01,101,1\n"),
        file("1316", heading + f"{CAPSULES},A01,101,320000,2020-01-01,,1\n{TABLETS},A01,101,320000,2025-06-01,,1\n"),
    ]

    import_terms(small, files, RegionWanted(PROVINCE, DRUG), ABOUT)

    catalog = newest(small)
    first, second = on(catalog, CAPSULES, date(2025, 1, 1)), on(catalog, TABLETS, date(2025, 6, 1))
    assert first is not None
    assert second is not None
    assert (first.benefit_class, second.benefit_class) == (BenefitClass.A, BenefitClass.A)


def test_misspelt_headings_of_the_nations_are_known(small: Path, file):
    rows = ROWS_1312.replace("vali_flag", "Vali_Flag").replace("hilist_name", "医保目录名称")

    report = import_terms(
        small,
        [file("1312", rows + f"{CAPSULES},胶囊,320000,2020-01-01,,01,101,1\n")],
        RegionWanted(PROVINCE, DRUG),
        None,
    )

    assert report.tables[0].rows == 1


def test_a_mapping_file_becomes_a_release_of_its_mapping(small: Path, file):
    rows = (small / "mappings/own/2024-06/mapping.csv").read_text("utf-8")
    wanted = RegionWanted(PROVINCE, DRUG, mapping="own")

    report = import_mapping(small, file("mapping", rows), wanted, ABOUT)

    assert report.tables[0].rows == 3
    older, newer = (
        load_mapping(small / "mappings/own" / release, region=PROVINCE, unified=load_unified_releases(small)[-1])
        for release in ("2024-06", "2025-01")
    )
    assert newer.entries == older.entries


def test_a_region_goes_over_to_a_newer_unified_release_only_if_its_mappings_do(small: Path, file):
    """The mapping of its own codes still names the older one."""
    newer = small / "unified/2025-01"
    newer.mkdir()
    text = (small / "unified/2024-06/release.toml").read_text("utf-8").replace('"2024-06"', '"2025-01"', 1)
    text = text.replace("2024-01-01", "2025-01-01", 1).replace("\nname =", '\nfrom = "2024-06"\nname =')
    (newer / "release.toml").write_text(text, "utf-8")
    terms = file("terms", TERMS + f"{CAPSULES},胶囊,盒,乙,0.5,,\n")

    import_terms(small, [terms], RegionWanted(PROVINCE, DRUG, unified="2025-01"), ABOUT)
    with pytest.raises(NotAllowed, match="is not the unified release in use"):
        import_terms(small, [terms], RegionWanted(Region("320115"), DRUG, unified="2025-01"), ABOUT)

    assert {one.unified_release for one in load_all(small).regions if one.region == PROVINCE} == {"2024-06", "2025-01"}


def test_rows_that_the_hub_keeps_nowhere_are_only_checked(file):
    heading = "fixmedins_code,medins_list_codg,insu_admdvs,list_type,med_list_codg,begndate,vali_flag\n"

    report = check_queries([file("1317", heading + f"H32011500001,Y1,320000,101,{CAPSULES},2024-01-01,1\n")])

    assert (report.files[0].rows, report.folder) == (1, None)


def test_two_sources_of_terms_at_once_are_refused(small: Path, file):
    files = [file("terms", TERMS), file("1312", ROWS_1312)]

    with pytest.raises(NotAllowed, match="two_sources"):
        import_terms(small, files, RegionWanted(PROVINCE, DRUG), ABOUT)
