"""The files of `hub catalogs suggest`: columns under many names, and every fault named with its place."""

import pytest

from hub.core.errors import NotAllowed
from hub.suggest.files import read_candidates, read_queries, read_training

CANDIDATES = "code,name\nA1,胃炎\nB2,肺炎\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="rows.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def refused(reader, *given, **words):
    with pytest.raises(NotAllowed) as caught:
        reader(*given, **{"renamed": {}, **words})
    return caught.value


def test_a_column_called_otherwise_is_known_by_its_other_name(file):
    rows = read_queries(file("row_id,source_code,drug_name\n7,X1,阿莫西林\n"), renamed={})

    assert rows.ids == ["7"]
    assert rows.columns == {"code": ["X1"], "name": ["阿莫西林"]}


def test_a_column_is_renamed_where_the_command_says_so(file):
    rows = read_queries(file("id,bezeichnung,name\n1,胃炎,昵称\n"), renamed={"bezeichnung": "name"})

    assert rows.columns["name"] == ["胃炎"]


def test_rows_without_ids_are_numbered_from_one(file):
    assert read_queries(file("text\n胃炎\n肺炎\n"), renamed={}).ids == ["1", "2"]


def test_a_target_column_of_the_queries_is_never_read(file):
    rows = read_queries(file("text,standard,target_code\n胃炎,肺炎,B2\n"), renamed={})

    assert set(rows.columns) == {"name"}


def test_a_file_saved_by_an_old_spreadsheet_is_read(file):
    assert read_queries(file("text\n胃炎\n", encoding="gb18030"), renamed={}).columns["name"] == ["胃炎"]


def test_only_active_candidates_are_read_where_a_status_says_so(file):
    rows = read_candidates(file("code,name,status\nA,胃病,heading\nA1,胃炎,active\n"), renamed={})

    assert rows.ids == ["A1"]


def test_several_targets_are_read_by_code_or_by_name(file):
    candidates = read_candidates(file(CANDIDATES), renamed={})

    told = read_training(file("text,target_name\n胃肺,胃炎##肺炎\n胃,胃炎\n", "t.csv"), candidates, renamed={})

    assert told.decided.targets == [(0, 1), (0,)]


def test_a_target_that_is_no_candidate_teaches_nothing_and_is_named(file):
    candidates = read_candidates(file(CANDIDATES), renamed={})

    told = read_training(file("text,target_code\n胃,A1\n骨,C3\n", "t.csv"), candidates, renamed={})

    assert len(told.decided) == 1
    assert told.lost == ("t.csv line 3: C3",)


def test_a_missing_column_is_named_with_those_that_are_there(file):
    wrong = refused(read_candidates, file("kode,name\n1,胃炎\n"))

    assert wrong.code == "column_missing"
    assert "`code`" in wrong.message
    assert "it has kode, name" in wrong.message


def test_a_row_without_a_name_is_named_by_its_line(file):
    wrong = refused(read_candidates, file("code,name\nA1,胃炎\nB2,\n"))

    assert [(one.where, one.code) for one in wrong.faults] == [("rows.csv line 3", "cell_empty")]


def test_an_id_that_stands_twice_is_refused_with_both_lines(file):
    wrong = refused(read_queries, file("id,name\n7,胃炎\n8,肺炎\n7,骨折\n"))

    assert wrong.faults[0].where == "rows.csv line 4"
    assert "line 2" in wrong.faults[0].message


@pytest.mark.parametrize("text", ["", "\n\n", "id,name\n"])
def test_a_file_without_rows_is_called_empty(file, text):
    assert refused(read_queries, file(text)).code == "file_empty"


def test_a_file_that_is_no_text_is_called_unreadable(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xff\xfe\x00\x81\xff")

    assert refused(read_queries, path).code == "file_unreadable"


def test_a_row_with_more_cells_than_headings_is_named(file):
    wrong = refused(read_queries, file("id,name\n1,胃炎,多余\n"))

    assert wrong.faults[0].where == "rows.csv line 2"


def test_training_without_any_known_target_is_refused(file):
    candidates = read_candidates(file(CANDIDATES), renamed={})

    assert refused(read_training, file("text,target_code\n骨,C3\n", "t.csv"), candidates).code == "training_empty"
