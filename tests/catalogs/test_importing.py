"""Good files become a release: duplicates, quarantine, encodings, headings, national layouts, what changed only."""

from datetime import date
from pathlib import Path

import pytest

from catalogs.faults import CatalogFaults
from catalogs.incoming.book_files import FileToRead
from catalogs.incoming.importing import import_books
from catalogs.incoming.national import FILE_LAYOUTS
from catalogs.incoming.staging import About
from catalogs.load import load_unified_releases
from hub.core.codes import CatalogKind
from hub.core.errors import Conflict, NotAllowed

ABOUT = About("2025-01", date(2025, 1, 1), "made up for tests", "1", "none needed")
LATER = About("2025-02", date(2025, 2, 1), "made up for tests", "1", "none needed")
HEADINGS = "code,name,is_national,sources\n"
OXYGEN = "001203000010000,氧气吸入,1,jiangsu\n"


@pytest.fixture
def table(tmp_path: Path):
    """Writes a file of services and gives it as one to import."""

    def write(text: str | bytes, *, name: str = "services.csv", kind: str = "service", **said) -> FileToRead:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        layout = FILE_LAYOUTS.get(kind)
        return FileToRead(path, CatalogKind(kind) if layout is None else layout.kind, layout, **said)

    return write


def national(number: str, **cells: str) -> str:
    """A row of a national file: cells by position (p1, p2 ...), null elsewhere."""
    row = ["null"] * FILE_LAYOUTS[number].columns
    for place, text in cells.items():
        row[int(place[1:]) - 1] = text
    return "\t".join(row) + "\n"


def book(root: Path, kind: CatalogKind):
    return load_unified_releases(root)[-1].books[kind]


def test_an_import_makes_a_release_in_which_all_else_is_as_before(small: Path, table):
    before = load_unified_releases(small)[-1]

    report = import_books(small, [table(HEADINGS + "001204000010000,注射,1,jiangsu\n")], ABOUT)

    after = load_unified_releases(small)[-1]
    assert report.folder == small / "unified/2025-01"
    assert (after.release, list(after.books[CatalogKind.SERVICE])) == ("2025-01", ["001204000010000"])
    assert {kind for kind in before.books if after.books[kind] is not before.books[kind]} != {CatalogKind.SERVICE}
    assert after.books[CatalogKind.DRUG] == before.books[CatalogKind.DRUG]


def test_rows_that_say_the_same_become_one(small: Path, table):
    report = import_books(small, [table(HEADINGS + OXYGEN * 3)], ABOUT)

    assert (report.tables[0].rows, report.tables[0].merged) == (1, 2)


def test_a_code_with_two_contents_is_put_aside_and_both_rows_are_named(small: Path, table):
    """As 310412 stands twice in a published table, for two things."""
    report = import_books(small, [table(HEADINGS + OXYGEN + OXYGEN.replace("氧气", "高压氧"))], ABOUT)

    assert [(one.line, one.code) for one in report.tables[0].quarantined] == [
        (2, "001203000010000"),
        (3, "001203000010000"),
    ]
    release = load_unified_releases(small)[-1]
    assert release.books[CatalogKind.SERVICE] == {}
    assert [one.line for one in release.quarantined if one.file == "service.csv"] == [2, 3]


def test_an_invalid_row_beside_a_valid_one_of_its_code_is_an_older_state(small: Path, table):
    rows = HEADINGS.replace("\n", ",valid_flag\n") + (
        "001203000010000,吸氧,1,a,0\n001203000010000,氧气吸入,1,a,1\n001204000010000,注射,1,a,0\n"
    )

    report = import_books(small, [table(rows)], ABOUT)

    entries = book(small, CatalogKind.SERVICE)
    assert report.tables[0].superseded == 1
    assert {code: (one.name, one.status) for code, one in entries.items()} == {
        "001203000010000": ("氧气吸入", "active"),
        "001204000010000": ("注射", "invalid"),
    }


def test_gathered_rows_become_names_of_one_entry(small: Path, table):
    rows = "code,name,insurance_class,standard\nT000100030,白芷,甲,药典\nT000100030,白芷片,甲,药典\n"

    import_books(small, [table(rows, kind="herbal", gather=True)], ABOUT)

    assert book(small, CatalogKind.HERBAL)["T000100030"].attributes["aliases"] == "白芷片"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "CSV, UTF-8"), ("utf-8-sig", "CSV, UTF-8 with byte order mark"), ("gb18030", "CSV, GB18030")],
)
def test_an_encoding_is_found_and_named(small: Path, table, encoding: str, named: str):
    report = import_books(small, [table((HEADINGS + OXYGEN).encode(encoding))], ABOUT)

    assert report.files[0].described == named
    assert book(small, CatalogKind.SERVICE)["001203000010000"].name == "氧气吸入"


def test_a_short_text_in_two_possible_encodings_is_read_as_a_person_says(small: Path, table):
    """The bytes of 一些 in GB18030 are also valid UTF-8, of two other letters."""
    rows = HEADINGS.encode() + b"001203000010000," + "一些".encode("gb18030") + b",1,a\n"

    import_books(small, [table(rows, encoding="gb18030")], ABOUT)

    assert book(small, CatalogKind.SERVICE)["001203000010000"].name == "一些"


def test_headings_may_be_declared_and_left_out(small: Path, table):
    rows = "Code,名称,is_national,sources,page\n001203000010000,氧气吸入,1,a,7\n"

    import_books(small, [table(rows, renamed={"名称": "name", "page": ""})], ABOUT)

    assert book(small, CatalogKind.SERVICE)["001203000010000"].attributes == {"is_national": "1", "sources": "a"}


def test_what_an_export_quoted_is_read_as_it_was(small: Path, table):
    import_books(small, [table(HEADINGS + "001203000010000,'-氧气吸入,1,a\n")], ABOUT)

    assert book(small, CatalogKind.SERVICE)["001203000010000"].name == "-氧气吸入"


def test_only_newer_rows_change_their_codes_and_leave_the_others(small: Path, table):
    rows = HEADINGS + "002503050070000,丙氨酸氨基转移酶,1,b\n001204000010000,注射,1,b\n"

    report = import_books(small, [table(rows)], ABOUT, only_newer=True)

    assert report.tables[0].taken_over == 1
    assert {code: (one.name, one.version) for code, one in book(small, CatalogKind.SERVICE).items()} == {
        "002503050070000": ("丙氨酸氨基转移酶", "v2025-01"),
        "001204000010000": ("注射", "v2025-01"),
        "001203000010000": ("氧气吸入", "v2024-06"),
    }


def test_a_dry_run_checks_everything_and_writes_nothing(small: Path, table):
    before = sorted(small.rglob("*"))

    report = import_books(small, [table(HEADINGS + OXYGEN)], None)

    assert (report.folder, report.tables[0].rows) == (None, 1)
    assert sorted(small.rglob("*")) == before


def test_a_release_that_is_there_is_never_written_again(small: Path, table):
    file = table(HEADINGS + OXYGEN)
    import_books(small, [file], ABOUT)

    with pytest.raises(Conflict, match="release_exists"):
        import_books(small, [file], ABOUT, base="2024-06")


@pytest.mark.parametrize(
    ("name", "day", "code"),
    [
        ("2023-01", date(2025, 1, 1), "release_order"),
        ("2025-01", date(2024, 1, 1), "release_order"),
        ("../up", date(2025, 1, 1), "release_order"),
        ("2025 01", date(2025, 1, 1), "release_name"),
    ],
)
def test_a_release_comes_after_the_one_before_and_bears_a_plain_name(small: Path, table, name, day, code):
    with pytest.raises(NotAllowed, match=code):
        import_books(small, [table(HEADINGS + OXYGEN)], About(name, day, "s", "1", "none"))


def test_a_second_import_starts_from_the_newest_release(small: Path, table):
    import_books(small, [table(HEADINGS + OXYGEN)], ABOUT)
    import_books(small, [table("code,name\nA01.01.,感冒\n", kind="tcm_disease", name="tcm.csv")], LATER)

    release = load_unified_releases(small)[-1]
    assert list(release.books[CatalogKind.SERVICE]) == ["001203000010000"]
    assert release.books[CatalogKind.TCM_DISEASE]["A01.01."].name == "感冒"


# --- national files -----------------------------------------------------------------------------------------------


def test_drugs_are_read_by_position_and_their_group_codes_from_their_code(small: Path, table):
    row = national("1301", p1="XJ01FAA051A006030105755", p8="阿奇霉素分散片", p16="分散片", p62="H20057521", p92="02")

    import_books(small, [table(row, kind="1301")], ABOUT)

    entry = book(small, CatalogKind.DRUG)["XJ01FAA051A006030105755"]
    assert (entry.name, entry.attributes["dosage_form"], entry.attributes["insurance_class"]) == (
        "阿奇霉素分散片",
        "分散片",
        "乙",
    )
    assert entry.attributes["generic_form_code"] == "XJ01FAA051A006"


def test_columns_that_a_region_adds_on_the_right_are_ignored(small: Path, table):
    row = national("1302", p1="T000100030", p2="白芷").rstrip("\n") + "\t湖南\t1\n"

    import_books(small, [table(row, kind="1302")], ABOUT)

    assert book(small, CatalogKind.HERBAL)["T000100030"].attributes == {}


def test_beds_in_the_file_of_services_go_to_the_book_of_facilities(small: Path, table):
    rows = national("1305", p1="001203000010000", p10="氧气吸入") + national(
        "1305", p1="001109000010000", p10="普通病房床位费", p3="日"
    )

    import_books(small, [table(rows, kind="1305")], ABOUT)

    assert list(book(small, CatalogKind.SERVICE)) == ["001203000010000"]
    assert book(small, CatalogKind.FACILITY)["001109000010000"].attributes["unit"] == "日"


def test_a_disease_brings_the_headings_above_it(small: Path, table):
    above = {"p7": "A17", "p8": "神经系统的结核病", "p9": "A17.0", "p10": "结核性脑膜炎"}
    rows = "".join(national("1307", **above, p11=code, p12="脑膜炎", p19="1") for code in ("A17.000", "A17.001"))

    report = import_books(small, [table(rows, kind="1307")], ABOUT)

    entries = book(small, CatalogKind.DIAGNOSIS)
    assert (report.tables[0].rows, report.tables[0].merged) == (4, 0)
    assert [entries["A17.001"].parent, entries["A17.0"].parent, entries["A17"].status] == ["A17.0", "A17", "heading"]


def test_a_file_of_which_the_hub_keeps_no_book_is_only_checked(small: Path, table):
    file = table(national("1320", p2="K001", p3="白芷颗粒"), kind="1320")

    report = import_books(small, [file], None)

    assert report.files[0].rows == 1
    assert "keeps no book" in report.notes[0]
    with pytest.raises(NotAllowed, match="no_book"):
        import_books(small, [file], ABOUT)


def test_institutions_are_taken_with_level_services_and_a_known_area(small: Path, table):
    rows = (
        "code,name,region,level,services_opened\n"
        "H32011500002,江宁二院,320115,2,inpatient|chronic_outpatient\n"
        "P32011500001,江宁大药房,320115,,pharmacy\n"
    )

    import_books(small, [table(rows, kind="institution")], ABOUT)

    hospital = book(small, CatalogKind.INSTITUTION)["H32011500002"]
    assert hospital.attributes == {
        "region": "320115",
        "level": "2",
        "services_opened": "inpatient|chronic_outpatient",
    }


def test_an_entitlement_may_name_the_national_disease_that_it_belongs_to(small: Path, table):
    rows = "code,name,national_disease\nM03900,高血压病,高血压\nM99999,白癜风,\n"

    import_books(small, [table(rows, kind="chronic_disease")], ABOUT)

    entries = book(small, CatalogKind.CHRONIC_DISEASE)
    assert entries["M03900"].attributes["national_disease"] == "高血压"
    assert "national_disease" not in entries["M99999"].attributes


@pytest.mark.parametrize("layout", FILE_LAYOUTS.values(), ids=lambda layout: layout.number)
def test_every_layout_stays_within_its_columns_and_names_columns_of_its_book(layout):
    from catalogs.books import BOOKS

    places = [place for several in layout.at.values() for place in several]
    places += [place for code_at, name_at, _ in layout.parents for place in (code_at, name_at)]

    assert min(places) >= 1
    assert max(places) <= layout.columns
    if layout.kind is not None:
        assert set(layout.at) <= {*BOOKS[layout.kind].columns, *BOOKS[layout.kind].optional}


def test_more_than_two_hundred_faults_are_counted(small: Path, table):
    rows = HEADINGS + "".join(f"{number},氧气,1,a\n" for number in range(300))

    with pytest.raises(CatalogFaults) as refused:
        import_books(small, [table(rows)], ABOUT)

    assert (refused.value.total, len(refused.value.faults)) == (300, 201)


@pytest.mark.long
def test_two_hundred_thousand_rows_are_imported_in_bounded_memory(small: Path, table):
    import resource

    rows = "".join(
        national("1306A", p1=f"C0202020010200100102{number:07d}", p2=f"支架{number}") for number in range(200_000)
    )
    file = table(rows, kind="1306A")
    del rows

    report = import_books(small, [file], None)

    assert report.tables[0].rows == 200_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000
