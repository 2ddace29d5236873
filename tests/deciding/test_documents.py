"""`hub decide`, `hub policy`: bills as lines of JSON and as tables, as a stranger sends them."""

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from hub.cli import build
from hub.core.errors import NotAllowed
from hub.deciding.reading import EXAMPLE, read_bill


def hub(*words, lines=""):
    return CliRunner().invoke(build(), [str(word) for word in words], input=lines)


def answer(**changes):
    document = {name: value for name, value in {**EXAMPLE, **changes}.items() if value is not None}
    found = hub("decide", lines=json.dumps(document) + "\n")
    return json.loads(found.stdout.splitlines()[0])


def faults(**changes):
    found = answer(**changes)
    return [(fault["where"], fault["code"]) for fault in found["error"]["faults"]]


def test_the_example_is_decided_to_the_fen():
    """(8,810 - 600) x 50 % = 4,105.00 basic; the year has 3,500 + 4,105 = 7,605, and half of the 1,605 above 6,000."""
    decision = answer()["decision"]

    assert decision["shares"] == {"390100": "4105.00", "390200": "802.50"}
    assert (decision["cash"], decision["total"]) == ("4292.50", "9200.00")
    assert sum(Decimal(step["amount"]) for step in decision["steps"]) == Decimal("9200.00")


def test_amounts_may_stand_in_the_place_of_lines_and_as_numbers():
    given = {"in_policy": 8810, "full_self_pay": "200.00", "over_limit": "100.0", "first_self_pay": "90"}

    assert answer(lines=None, amounts=given)["decision"]["shares"] == answer()["decision"]["shares"]


def test_a_refusal_is_an_answer_with_its_code_and_words():
    found = answer(registration="unregistered")

    assert found["refusal"]["code"] == "not_registered"
    assert found["refusal"]["words_zh"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"region": None}, ("region", "field_missing")),
        ({"region": "45"}, ("region", "region_malformed")),
        ({"care_region": "450702"}, ("care_region", "not_off_site")),
        ({"care_region": None}, ("care_region", "field_missing")),
        ({"place": "abroad"}, ("place", "word_unknown")),
        ({"discharged_on": "30.6.2026"}, ("discharged_on", "date_malformed")),
        ({"discharged_on": None}, ("discharged_on", "field_missing")),
        ({"admitted_on": "2026-07-01"}, ("admitted_on", "discharge_before_admission")),
        ({"registration": "none"}, ("registration", "word_unknown")),
        ({"level": 4}, ("level", "word_unknown")),
        ({"membership_years": -1}, ("membership_years", "count_range")),
        ({"by_disease": "yes"}, ("by_disease", "flag_expected")),
        ({"by_disease": True}, ("", "disease_missing")),
        ({"colour": "red"}, ("colour", "field_unknown")),
        ({"lines": []}, ("lines", "list_expected")),
        ({"lines": [{"class": "D", "amount": "1.00"}]}, ("lines[0].class", "class_unknown")),
        ({"lines": [{"class": "A", "amount": "1.001"}]}, ("lines[0].amount", "money_malformed")),
        ({"lines": [{"class": "A", "amount": "-1.00"}]}, ("lines[0].amount", "money_malformed")),
        ({"lines": [{"class": "B", "amount": "1.00"}]}, ("lines[0].first_self_pay", "field_missing")),
        (
            {"lines": [{"class": "A", "amount": "1", "first_self_pay": "1"}]},
            ("lines[0].first_self_pay", "class_a_self_pay"),
        ),
        ({"lines": [{"class": "A", "amount": "1", "over_limit": "2"}]}, ("lines[0]", "line_parts")),
        ({"amounts": {"in_policy": "1.00"}}, ("amounts", "amounts_once")),
        ({"lines": None, "amounts": {}}, ("amounts.in_policy", "field_missing")),
        ({"lines": None, "amounts": {"in_policy": "1", "total": "2"}}, ("amounts.total", "total_differs")),
        ({"year_to_date": {"paid_by_fund": {"9": "1.00"}}}, ("year_to_date.paid_by_fund.9", "name_unknown")),
        ({"year_to_date": {"admissions": {"3": "1"}}}, ("year_to_date.admissions.3", "count_range")),
        ({"paid_first": {"mutual_aid": 0.001}}, ("paid_first.mutual_aid", "money_malformed")),
    ],
)
def test_each_faulty_field_is_named_and_nothing_is_decided(change, fault):
    assert fault in faults(**change)


def test_a_line_that_is_no_json_does_not_stop_the_others():
    found = hub("decide", lines="nonsense\n" + json.dumps(EXAMPLE) + "\n")

    first, second = (json.loads(line) for line in found.stdout.splitlines()[:2])
    assert (first["id"], first["error"]["code"]) == ("line 1", "json_malformed")
    assert "decision" in second
    assert found.exit_code == 1


def test_a_region_without_a_policy_is_named():
    assert answer(region="990199", care_region="341000")["error"]["code"] == "region_unknown"


def test_a_document_with_floats_of_two_decimals_is_read_exactly():
    asked = read_bill({**EXAMPLE, "lines": [{"class": "A", "amount": Decimal("0.29")}]})

    assert asked.amounts.total.fen == 29


# --- tables ------------------------------------------------------------------------------------------------------

HEAD = "id,region,care_region,admitted_on,discharged_on,registration,level,in_policy,accumulated_catastrophic"


def table(folder: Path, *rows, head=HEAD):
    path = folder / "bills.csv"
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return path


def test_a_table_is_decided_as_its_rows_one_by_one(tmp_path: Path):
    given = table(
        tmp_path,
        "a,450700,341000,2026-06-21,2026-06-30,referred,3,8810.00,3500.00",
        "b,450700,341000,2026-06-21,2026-06-30,unregistered,3,100,",
    )

    done = hub("decide", "--bulk", given, "--out", tmp_path / "out.csv")

    first, second = pl.read_csv(tmp_path / "out.csv", infer_schema=False).to_dicts()
    assert (first["paid_390100"], first["paid_390200"], first["cash"]) == ("4105.00", "802.50", "3902.50")
    assert (second["refusal"], second["cash"]) == ("not_registered", "0.00")
    assert done.exit_code == 0


def test_parquet_in_and_out_gives_the_same(tmp_path: Path):
    row = "a,450700,341000,2026-06-21,2026-06-30,referred,3,8810.00,3500.00"
    pl.read_csv(table(tmp_path, row), infer_schema=False).write_parquet(tmp_path / "bills.parquet")

    hub("decide", "--bulk", tmp_path / "bills.parquet", "--out", tmp_path / "out.parquet")

    (found,) = pl.read_parquet(tmp_path / "out.parquet").to_dicts()
    assert (found["paid_390100"], found["cash"]) == ("4105.00", "3902.50")


@pytest.mark.parametrize(
    ("rows", "head", "words"),
    [
        (["a,450700,341000,2026-06-21,2026-06-30,referred,3,1.001,"], HEAD, "row 1, in_policy"),
        (["a,450700,341000,2026-06-21,2026-06-30,referred,9,1.00,"], HEAD, "row 1, level"),
        (["a,1.00"], "id,colour", "colour"),
        (["a"], "id", "in_policy"),
        (["a,450700,341000,2026-06-21,2026-06-30,referred,3,1.00,,2.00"], f"{HEAD},paid_9", "paid_9"),
    ],
)
def test_a_faulty_table_is_refused_whole_with_row_and_column(tmp_path: Path, rows, head, words):
    found = hub("decide", "--bulk", table(tmp_path, *rows, head=head), "--out", tmp_path / "out.csv")

    assert isinstance(found.exception, NotAllowed)
    assert any(words in fault.where for fault in found.exception.faults)
    assert not (tmp_path / "out.csv").exists()


def test_amounts_as_binary_fractions_are_refused(tmp_path: Path):
    pl.DataFrame({"id": ["a"], "in_policy": [0.1]}).write_parquet(tmp_path / "bills.parquet")

    found = hub("decide", "--bulk", tmp_path / "bills.parquet", "--out", tmp_path / "out.csv")

    assert found.exception.code == "column_float"


# --- policies ----------------------------------------------------------------------------------------------------


def test_a_policy_is_told_in_words_with_articles():
    found = hub("policy", "explain", "450700", "--on", "2026-06-30")

    assert "layer catastrophic: fund 390200" in found.stdout
    assert "deductible amount 6000.00, charged year" in found.stdout
    assert "P09" in found.stdout


def test_a_draft_takes_the_place_of_the_shipped_policy(tmp_path: Path):
    shipped = Path("adapters/regions/450700/policy.toml").read_text("utf-8")
    draft = tmp_path / "450700"
    draft.mkdir()
    (draft / "policy.toml").write_text(shipped.replace('value = "6000.00 yuan"', 'value = "7000.00 yuan"'), "utf-8")

    found = hub("decide", "--policy-folder", draft, lines=json.dumps(EXAMPLE) + "\n")

    # The year's 7,605 is 605 above 7,000: half of it.
    assert json.loads(found.stdout.splitlines()[0])["decision"]["shares"]["390200"] == "302.50"


def test_a_faulty_policy_is_refused_with_its_key(tmp_path: Path):
    (tmp_path / "policy.toml").write_text('region = "450700"\ncolour = "red"\n', "utf-8")

    found = hub("policy", "check", tmp_path / "policy.toml")

    assert any("colour" in fault.where for fault in found.exception.faults)
