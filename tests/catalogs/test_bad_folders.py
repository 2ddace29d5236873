"""Each folder under bad/ spoils the small tree in one place; its expected.txt says which faults must be reported."""

from pathlib import Path

import pytest

from catalogs.faults import MOST_LISTED
from catalogs.load import CatalogFaults, load_all
from hub.core.errors import NotAllowed
from tests.catalogs.spoiling import HERE, spoil

CASES = sorted((HERE / "bad").iterdir())


def test_the_small_tree_loads_before_anything_is_spoilt(small: Path):
    assert len(load_all(small).unified) == 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_spoilt_folder_is_refused_with_the_place_and_the_remedy(case: Path, small: Path):
    expected = (case / "expected.txt").read_text("utf-8").splitlines()
    spoil(small, case)

    with pytest.raises(CatalogFaults) as refused:
        load_all(small)

    found = [f"{fault.where} | {fault.code} | {fault.message}" for fault in refused.value.faults]
    assert len(found) == len(expected), found
    for line, fault in zip(sorted(expected), sorted(found), strict=True):
        place, remedy = line.rsplit(" | ", 1)
        assert fault.startswith(place + " | "), fault
        assert remedy in fault


def test_beyond_two_hundred_faults_the_rest_is_counted(small: Path):
    services = small / "unified/2024-06/services.csv"
    bad_rows = "".join(f"{number},name,1,x\n" for number in range(250))
    services.write_text("code,name,is_national,sources\n" + bad_rows, "utf-8")
    spoil(small, HERE / "bad" / "none")

    with pytest.raises(CatalogFaults) as refused:
        load_all(small)

    assert refused.value.total == 250
    assert len(refused.value.faults) == MOST_LISTED + 1
    assert refused.value.faults[-1].message == "and 50 more"


def test_a_tree_without_any_release_is_refused(tmp_path: Path):
    with pytest.raises(NotAllowed, match="catalog_empty"):
        load_all(tmp_path)
