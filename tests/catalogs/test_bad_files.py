"""Each folder under bad_files/ holds files to import into the small tree; expected.txt says which faults are reported.

case.toml says how they are imported: the files as on the command line, and its options.
"""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from catalogs.faults import CatalogFaults
from catalogs.incoming.book_files import FileToRead
from catalogs.incoming.importing import import_books
from catalogs.incoming.national import FILE_LAYOUTS
from catalogs.incoming.reading import Limits
from catalogs.incoming.region_import import RegionFile, RegionWanted, import_mapping, import_terms
from catalogs.incoming.staging import About
from hub.core.codes import CatalogKind, Region
from hub.core.errors import NotAllowed
from tests.catalogs.spoiling import HERE

CASES = sorted((HERE / "bad_files").iterdir())
ABOUT = About("2025-01", date(2025, 1, 1), "made up for tests", "1", "none needed")


def imported(root: Path, case: Path):
    """Import the files of a case as the command line would."""
    said = tomllib.loads((case / "case.toml").read_text("utf-8"))
    limits = Limits(**said.get("limits", {}))
    given = [(form, case / name) for form, name in (one.split("=") for one in said["files"])]
    if "region" not in said:
        files = [
            FileToRead(
                path,
                FILE_LAYOUTS[form].kind if form in FILE_LAYOUTS else CatalogKind(form),
                FILE_LAYOUTS.get(form),
                said.get("encoding"),
            )
            for form, path in given
        ]
        return import_books(root, files, ABOUT, limits=limits)
    wanted = RegionWanted(Region(said["region"]), CatalogKind(said["kind"]), mapping=said.get("mapping", ""))
    files = [RegionFile(path, form) for form, path in given]
    if "mapping" in said:
        return import_mapping(root, files[0], wanted, ABOUT, limits=limits)
    return import_terms(root, files, wanted, ABOUT, limits=limits)


def every_file(root: Path):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_file_is_refused_with_the_place_and_the_remedy_and_nothing_is_written(case: Path, small: Path):
    expected = (case / "expected.txt").read_text("utf-8").splitlines()
    before = every_file(small)

    with pytest.raises(NotAllowed) as refused:
        imported(small, case)

    found = [f"{fault.where} | {fault.code} | {fault.message}" for fault in refused.value.faults]
    found = found or [f"{refused.value.code} | {refused.value.message}"]
    assert len(found) == len(expected), found
    for line, fault in zip(sorted(expected), sorted(found), strict=True):
        place, remedy = line.rsplit(" | ", 1)
        assert fault.startswith(place + " | "), fault
        assert remedy in fault
    assert every_file(small) == before


def test_the_faults_of_all_files_are_reported_at_once(small: Path):
    case = HERE / "bad_files"
    files = [
        FileToRead(case / "code_in_powers_of_ten/services.csv", CatalogKind.SERVICE),
        FileToRead(case / "class_unknown/pieces.csv", CatalogKind.HERBAL),
    ]

    with pytest.raises(CatalogFaults) as refused:
        import_books(small, files, ABOUT)

    assert [fault.where for fault in refused.value.faults] == ["services.csv:3 code", "pieces.csv:2 insurance_class"]
