"""`hub catalogs import`, `export` and `download` as a person types them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import build

HEADINGS = "code,name,is_national,sources\n"
RELEASE = ("--release", "2025-01", "--from", "2025-01-01", "--source", "s", "--edition", "1", "--licence", "none")


@pytest.fixture
def run(small: Path):
    """Runs a command of `hub catalogs` on the small tree."""

    def typed(*arguments: object) -> Result:
        return CliRunner().invoke(build(), ["catalogs", *map(str, arguments), "--catalogs", str(small)])

    return typed


@pytest.fixture
def services(tmp_path: Path) -> Path:
    path = tmp_path / "services.csv"
    path.write_text(HEADINGS + "001203000010000,吸氧,1,a\n" * 2, "utf-8")
    return path


def test_an_import_says_what_was_read_and_what_came_of_it(run, services: Path):
    result = run("import", f"service={services}", *RELEASE)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "services.csv: 2 rows (CSV, UTF-8)",
        "service: 1 rows; 1 that said the same again are left out",
        "unified/2025-01 is made.",
    ]


def test_a_dry_run_needs_no_release_and_writes_none(run, services: Path, small: Path):
    result = run("import", f"service={services}", "--dry-run")

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("Nothing is wrong, and nothing was written.\n")
    assert not (small / "unified/2025-01").exists()


def test_codes_put_aside_are_named_with_their_rows(run, services: Path):
    services.write_text(HEADINGS + "001203000010000,吸氧,1,a\n001203000010000,高压氧,1,a\n", "utf-8")

    result = run("import", f"service={services}", *RELEASE)

    assert "1 codes are put aside" in result.stdout
    assert "  row 2: 001203000010000\n  row 3: 001203000010000\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("service={file}",), "give --release, --from, --source, --edition, --licence, or --dry-run"),
        (("services={file}", "--dry-run"), "'services' is none of 1301"),
        (("{file}", "--dry-run"), "is not of the form AS=FILE"),
        (("service={file}x", "--dry-run"), "there is no file"),
        (("service={file}", "--dry-run", "--map", "name"), "is not of the form --map"),
        (("terms={file}", "--dry-run", "--region", "320000"), "say with --kind"),
        (("service={file}", "--dry-run", "--region", "320000", "--kind", "drug"), "with --region a file is one of"),
        (("mapping={file}", "--dry-run", "--region", "320000", "--kind", "drug"), "say with --mapping"),
        (("1317={file}", *RELEASE), "the hub keeps no rows of 1317"),
    ],
)
def test_what_is_missing_or_misspelt_is_said(run, services: Path, arguments, said: str):
    result = run("import", *(one.replace("{file}", str(services)) for one in arguments))

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx", "out.zip"])
def test_a_book_is_exported_in_the_form_that_the_name_says(run, tmp_path: Path, name: str):
    result = run("export", "--kind", "drug", "--out", tmp_path / name)

    assert result.exit_code == 0, result.output
    assert f"{name}: 2 rows" in result.stdout
    assert (tmp_path / name).exists()


def test_a_regions_terms_mapping_and_query_rows_are_exported(run, tmp_path: Path):
    for number, more in enumerate(((), ("--mapping",), ("--as", "1318", "--format", "zip"))):
        result = run("export", "--region", "320115", "--kind", "service", *more, "--out", tmp_path / f"{number}.csv")

        assert result.exit_code == 0, result.output
        assert "3 rows" in result.stdout or "2 rows" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "drug", "--out", "x.pdf"), "say with --format"),
        (("--kind", "drug", "--out", "x.csv", "--mapping"), "give --region"),
        (("--kind", "drug", "--out", "x.csv", "--release", "1999"), "there is no unified release 1999"),
        (("--kind", "drug", "--out", "x.csv", "--region", "110000"), "there is no catalog of 110000"),
        (("--kind", "drug", "--out", "x.zip", "--region", "320000"), "say which with --as"),
        (("--kind", "herbal", "--out", "x.csv", "--region", "320000", "--mapping"), "maps no herbal"),
    ],
)
def test_an_export_that_cannot_be_is_refused_with_the_reason(run, arguments, said: str):
    result = run("export", *arguments)

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_download_gives_what_is_newer_and_says_the_version_that_is_held_then(run, services: Path, tmp_path: Path):
    run("import", f"service={services}", *RELEASE)

    newer = run("download", "--kind", "service", "--since", "v2024-06", "--out", tmp_path / "newer.csv")
    nothing = run("download", "--kind", "service", "--since", "v2025-01", "--out", tmp_path / "nothing.csv")

    assert "Whoever holds these holds v2025-01; 1 of them are struck off." in newer.stdout
    assert "Nothing is newer than v2025-01" in nothing.stdout
    assert not (tmp_path / "nothing.csv").exists()
