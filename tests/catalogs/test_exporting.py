"""What leaves the hub as a file: it can be imported again, no cell is a formula, a version brings what is newer."""

import csv
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from catalogs.incoming.book_files import FileToRead
from catalogs.incoming.importing import import_books
from catalogs.incoming.national import FILE_LAYOUTS
from catalogs.incoming.region_import import RegionFile, RegionWanted, import_terms
from catalogs.incoming.staging import About
from catalogs.load import Catalogs, load_all, load_unified_releases
from catalogs.outgoing import contents
from catalogs.outgoing.sheets import Sheet
from catalogs.outgoing.writing import write_csv, write_positions, write_xlsx
from catalogs.regional import RegionRelease
from catalogs.unified import NO_VERSION
from hub.core.codes import CatalogKind, Region
from hub.core.errors import NotAllowed

ABOUT = About("2025-01", date(2025, 1, 1), "made up for tests", "1", "none needed")
PROVINCE = Region("320000")
EMPTY_SHEET = Sheet("empty", ("code", "name"), frozenset({"code"}), ())


def sheet_of(*rows: tuple[str, str]) -> Sheet:
    return replace(EMPTY_SHEET, rows=[{"code": code, "name": name} for code, name in rows])


def province(found: Catalogs) -> RegionRelease:
    return next(one for one in found.regions if one.region == PROVINCE)


def cells_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


# --- there and back again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_csv, write_xlsx], ids=["csv", "xlsx"])
@pytest.mark.parametrize(
    "kind",
    [
        CatalogKind.DIAGNOSIS,
        CatalogKind.DRUG,
        CatalogKind.HERBAL,
        CatalogKind.SERVICE,
        CatalogKind.INSTITUTION,
        CatalogKind.AREA,
    ],
)
def test_an_exported_book_imported_again_changes_nothing(small: Path, tmp_path: Path, write, kind: CatalogKind):
    (before,) = load_unified_releases(small)
    target = tmp_path / f"book.{'csv' if write is write_csv else 'xlsx'}"
    write(contents.whole_book(before, kind), target)

    import_books(small, [FileToRead(target, kind)], ABOUT)

    after = load_unified_releases(small)[-1]
    assert after.books[kind] == before.books[kind]
    assert contents.newer_than(load_unified_releases(small), kind, "v2024-06") == []


def test_exported_terms_imported_again_say_the_same(small: Path, tmp_path: Path):
    found = load_all(small)
    sheet = contents.region_terms(province(found), found.unified, CatalogKind.HERBAL)
    write_csv(sheet, tmp_path / "terms.csv")
    wanted = RegionWanted(PROVINCE, CatalogKind.HERBAL)

    import_terms(small, [RegionFile(tmp_path / "terms.csv", "terms")], wanted, ABOUT)

    newer = load_all(small)
    release = next(one for one in newer.regions if (one.region, one.release) == (PROVINCE, "2025-01"))
    again = contents.region_terms(release, newer.unified, CatalogKind.HERBAL)
    assert [{**row, "valid_from": ""} for row in again.rows] == [{**row, "valid_from": ""} for row in sheet.rows]


def test_terms_with_all_they_can_say_are_written_as_they_were_read(small: Path):
    found = load_all(small)

    rows = list(contents.region_terms(province(found), found.unified, CatalogKind.DRUG).rows)

    (row,) = [one for one in rows if one["code"] == "L003"]
    assert {key: text for key, text in row.items() if text} == {
        "code": "L003",
        "name": "戊酸雌二醇",
        "unit": "盒",
        "class": "丙",
        "first_self_pay": "1",
        "valid_from": "2024-01-01",
        "valid_until": "2024-07-01",
        "price_limit_1": "9",
        "only_sex": "2",
        "only_age_from": "18",
        "only_age_to": "60",
        "only_diagnoses": "N95|E28",
        "only_inpatient": "1",
        "only_levels": "2|3",
        "only_days": "14",
    }


def test_a_mapping_is_written_as_it_was_read(small: Path, tmp_path: Path):
    found = load_all(small)
    release = next(one for one in found.regions if one.region == Region("320115"))

    write_csv(contents.mapping_rows(release.mapping_releases[0], found.unified), tmp_path / "mapping.csv")

    with (small / "mappings/list/2024-05/mapping.csv").open(encoding="utf-8", newline="") as file:
        assert cells_of(tmp_path / "mapping.csv") == list(csv.reader(file))


# --- formulas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "|", "＝", "＋", "－", "＠"])
def test_a_code_that_begins_like_a_formula_leaves_in_no_file(tmp_path: Path, sign: str):
    for write in (write_csv, write_xlsx):
        with pytest.raises(NotAllowed, match="code_formula"):
            write(sheet_of(("A1", "x"), (f"{sign}1", "x")), tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def test_in_csv_a_text_that_begins_like_a_formula_has_an_apostrophe_before_it(tmp_path: Path):
    write_csv(sheet_of(("A1", "=1+1"), ("A2", "---×24片/盒"), ("A3", "氧气")), tmp_path / "out.csv")

    assert cells_of(tmp_path / "out.csv")[1:] == [["A1", "'=1+1"], ["A2", "'---×24片/盒"], ["A3", "氧气"]]


def test_in_a_workbook_every_cell_is_text_and_formatted_as_text(tmp_path: Path):
    write_xlsx(sheet_of(("001203000010000", "=1+1"), ("00", "<&>\"'")), tmp_path / "out.xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["001203000010000", "=1+1"],
        ["00", "<&>\"'"],
    ]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(NotAllowed, match="folder_closed"):
        write_csv(EMPTY_SHEET, tmp_path / "nowhere" / "out.csv")


def test_the_same_rows_give_the_same_bytes(tmp_path: Path):
    for name in ("one", "two"):
        write_xlsx(sheet_of(("A1", "氧气")), tmp_path / f"{name}.xlsx")
        write_positions([["A1", "氧气"]], tmp_path / f"{name}.zip", member="1305.txt")

    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


# --- by position --------------------------------------------------------------------------------------------------


def test_a_positional_file_has_tabs_and_null_and_is_read_by_its_own_layout(small: Path, tmp_path: Path):
    books = load_unified_releases(small)
    changed = contents.newer_than(books, CatalogKind.DIAGNOSIS, NO_VERSION)
    number, rows = contents.positions(books[-1], CatalogKind.DIAGNOSIS, changed)

    write_positions(rows, tmp_path / "out.zip", member="1307.txt")

    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        first, *_ = archive.read("1307.txt").decode().splitlines()
    cells = first.split("\t")
    assert (number, len(cells)) == ("1307", 24)
    assert cells[6:12] == ["A17+", "神经系统的结核病", "A17.0+", "结核性脑膜炎", "A17.000x001+G05.0*", "结核性脑炎"]
    assert (cells[0], cells[18], cells[22]) == ("null", "1", "v2024-06")


@pytest.mark.parametrize(
    ("number", "kind"), [("1301", CatalogKind.DRUG), ("1302", CatalogKind.HERBAL), ("1305", CatalogKind.SERVICE)]
)
def test_a_positional_file_can_be_imported_again(small: Path, tmp_path: Path, number: str, kind: CatalogKind):
    books = load_unified_releases(small)
    _, rows = contents.positions(books[-1], kind, contents.newer_than(books, kind, NO_VERSION))
    write_positions(rows, tmp_path / "out.zip", member=f"{number}.txt")

    import_books(small, [FileToRead(tmp_path / "out.zip", kind, FILE_LAYOUTS[number])], ABOUT)

    after = load_unified_releases(small)[-1].books[kind]
    assert {code: one.name for code, one in after.items()} == {
        code: one.name for code, one in books[-1].books[kind].items()
    }


def test_a_kind_without_a_national_file_is_refused_by_position(small: Path):
    with pytest.raises(NotAllowed, match="layout_missing"):
        contents.positions(load_unified_releases(small)[-1], CatalogKind.INSTITUTION, [])


def test_a_regions_terms_are_written_as_rows_of_the_queries(small: Path):
    found = load_all(small)
    release = province(found)

    entries, limits, ratios = (
        list(contents.query_rows(release, found.unified, CatalogKind.DRUG, number))
        for number in ("1312", "1318", "1319")
    )

    assert entries[0][:5] == ["L001", "阿莫西林", "320000", "2024-01-01", "2024-03-31"]
    assert entries[0][6:8] == ["02", "0"]
    assert limits[0][:7] == ["L001", "03", "", "320000", "2024-01-01", "2024-03-31", "12.5"]
    assert [row[1:7:5] for row in ratios if row[:1] == ["L001"]] == [
        ["99", "0.1"],
        ["390", "0.2"],
        ["99", "0.3"],
        ["310", "0.25"],
    ]


# --- what is newer ------------------------------------------------------------------------------------------------


@pytest.fixture
def changed(small: Path, tmp_path: Path) -> Path:
    """The small tree with a newer release: one service renamed, one new, one gone."""
    path = tmp_path / "services.csv"
    path.write_text(
        "code,name,is_national,sources\n001203000010000,吸氧,1,jiangsu\n001204000010000,注射,1,a\n", "utf-8"
    )
    import_books(small, [FileToRead(path, CatalogKind.SERVICE)], ABOUT)
    return small


def test_who_holds_a_version_gets_what_is_new_changed_or_struck_off(changed: Path):
    newer = contents.newer_than(load_unified_releases(changed), CatalogKind.SERVICE, "v2024-06")

    assert [(one.entry.code.code, one.entry.name, one.stands) for one in newer] == [
        ("001203000010000", "吸氧", True),
        ("001204000010000", "注射", True),
        ("002503050070000", "血清丙氨酸氨基转移酶测定", False),
    ]


def test_who_holds_nothing_gets_all_that_stands(changed: Path):
    newer = contents.newer_than(load_unified_releases(changed), CatalogKind.SERVICE, NO_VERSION)

    assert [one.entry.code.code for one in newer] == ["001203000010000", "001204000010000"]


def test_who_holds_the_newest_version_gets_nothing(changed: Path):
    assert contents.newer_than(load_unified_releases(changed), CatalogKind.SERVICE, "v2025-01") == []


def test_a_book_that_did_not_change_has_nothing_newer(changed: Path):
    assert contents.newer_than(load_unified_releases(changed), CatalogKind.DRUG, "v2024-06") == []


def test_a_version_that_never_was_is_refused_with_those_that_were(changed: Path):
    with pytest.raises(NotAllowed, match="v0000, v2024-06, v2025-01"):
        contents.newer_than(load_unified_releases(changed), CatalogKind.SERVICE, "v2024-07")
