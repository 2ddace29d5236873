"""`hub catalogs suggest` from files to a file, without a database."""

import csv

import pytest
from click.testing import CliRunner

from hub.cli import build
from hub.core.errors import NotAllowed
from tests.suggest.world import BOOK


@pytest.fixture
def folder(tmp_path):
    def write(name, header, rows):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, *rows])

    write("C.csv", ("code", "name"), BOOK.items())
    write("Q.csv", ("id", "bezeichnung"), [("q1", "慢性浅表性胃炎"), ("q2", "肾结石")])
    write("T.csv", ("bezeichnung", "target_code"), [("慢性浅表性胃炎", "K29.500")])
    return tmp_path


def suggest(folder, out="O.csv", *more):
    given = ["--candidates", "C.csv", "--queries", "Q.csv", "--out", out, "--map", "bezeichnung=name", *more]
    paths = [str(folder / one) if one.endswith(".csv") else one for one in given]
    return CliRunner().invoke(build(), ["catalogs", "suggest", *paths])


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_row_is_answered_in_the_order_of_the_queries(folder):
    result = suggest(folder, "O.csv", "--top", "3")
    first = [row for row in rows_of(folder / "O.csv") if row["rank"] == "1"]

    assert result.exit_code == 0, result.output
    assert [(row["query_id"], row["code"], row["in_answer"]) for row in first] == [
        ("q1", "K29.500", "1"),
        ("q2", "N20.000", "1"),
    ]
    assert list(first[0]) == ["query_id", "rank", "code", "name", "score", "in_answer"]


def test_the_same_files_twice_give_the_same_bytes(folder):
    for out in ("O.csv", "P.csv"):
        suggest(folder, out, "--learn", "T.csv")

    assert (folder / "O.csv").read_bytes() == (folder / "P.csv").read_bytes()


def test_nothing_is_left_behind_where_a_file_is_refused(folder):
    (folder / "Q.csv").write_text("id,bezeichnung\n", encoding="utf-8")

    result = suggest(folder)

    assert isinstance(result.exception, NotAllowed)
    assert not (folder / "O.csv").exists()


def test_a_map_that_is_no_pair_is_explained(folder):
    result = suggest(folder, "O.csv", "--map", "name")

    assert result.exit_code == 2
    assert "THEIRS=OURS" in result.output
