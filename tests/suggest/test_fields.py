"""Fields of drugs and services: what is taken apart, and what two rows say of each other."""

from __future__ import annotations

import numpy as np
import pytest

from hub.suggest import drugs
from hub.suggest.fields import DrugFields
from hub.suggest.parts import Part
from hub.suggest.routes import DrugRoutes, with_routes
from hub.suggest.rows import Decided, Rows
from hub.suggest.services import PARENT, ServiceFields, habitual, stem_of, with_parents
from hub.suggest.text import normalise


def catalog(entries: dict[str, str], **columns: list[str]) -> Rows:
    return Rows(ids=list(entries), columns={"code": list(entries), "name": list(entries.values()), **columns})


def listing(names: list[str], **columns: list[str]) -> Rows:
    return Rows(ids=[str(at) for at in range(len(names))], columns={"name": names, **columns})


def compared(part: Part, queries: Rows, pairs: list[tuple[int, int]]) -> dict[str, list[float]]:
    """The named columns of pairs (row of the list, place in the catalog)."""
    q_idx = np.asarray([query for query, _ in pairs], dtype=np.int32)
    c_idx = np.asarray([place for _, place in pairs], dtype=np.int32)
    found = part.features(queries, q_idx, c_idx)
    return {name: found[:, at].tolist() for at, name in enumerate(part.names)}


@pytest.mark.parametrize(
    ("name", "substance"),
    [
        ("注射用盐酸多西环素", "多西环素"),
        ("苯磺酸氨氯地平片", "氨氯地平"),
        ("枸橼酸莫沙必利分散片", "莫沙必利"),
        ("注射用哌拉西林钠他唑巴坦钠", "哌拉西林他唑巴坦"),
        ("氯化钠注射液", "氯化钠"),
        ("硫酸镁注射液", "硫酸镁"),
        ("葡萄糖酸钙口服溶液", "葡萄糖酸钙"),
    ],
)
def test_a_drug_name_is_its_substance_without_salt_and_form(name: str, substance: str) -> None:
    assert drugs.read_name(normalise(name)).substances[0] == substance


def test_an_entry_lists_its_forms_in_brackets() -> None:
    entry = drugs.read_name(normalise("金刚藤丸(糖浆、颗粒、胶囊、片)"))

    assert entry.bases == ("金刚藤",)
    assert entry.forms == {"pill", "oral_liquid", "granule", "capsule", "tablet"}
    assert entry.route == drugs.ORAL


def test_a_second_name_in_brackets_is_another_name_of_the_drug() -> None:
    entry = drugs.read_name(normalise("艾司奥美拉唑(埃索美拉唑)"))

    assert entry.bases == ("艾司奥美拉唑", "埃索美拉唑")


def test_a_solvent_is_left_out_in_a_further_name() -> None:
    named = drugs.read_name(normalise("盐酸莫西沙星氯化钠注射液"))

    assert "莫西沙星" in named.substances


@pytest.mark.parametrize(
    ("one", "other"),
    [("0.25g", "250mg"), ("50ml:12.5mg", "50毫升：0.0125克"), ("8万单位", "80000IU"), ("5ml:1g", "5ml:1.0g")],
)
def test_the_same_amount_written_otherwise_is_the_same_strength(one: str, other: str) -> None:
    assert drugs.strengths(one) == drugs.strengths(other)


@pytest.mark.parametrize(
    ("package", "count"),
    [("0.25g*6片/盒", 6), ("10ml×5支×2盒", 10), ("2ml:10mg×1支/支", 1), ("0.3g", 0)],
)
def test_a_package_is_counted(package: str, count: int) -> None:
    assert drugs.pack_count(package) == count


def test_a_maker_is_known_without_the_words_that_all_makers_have() -> None:
    assert drugs.maker_core("鲁南贝特制药有限公司") == drugs.maker_core("鲁南贝特制药股份有限公司") == "鲁南贝特"


def test_homonyms_are_told_apart_by_the_order_of_their_routes() -> None:
    names = {"X0055": "阿昔洛韦", "X0056": "阿昔洛韦", "X0057": "阿昔洛韦", "Z0188": "金刚藤丸(糖浆、片)"}
    entries = catalog(names)
    queries = listing(["注射用阿昔洛韦"], dosage_form=["注射剂"], route=["注射"])

    routes = compared(DrugRoutes(entries), queries, [(0, 0), (0, 1), (0, 2)])

    assert routes["drug_route"][2] > 0.8
    assert max(routes["drug_route"][:2]) < 0.1


def test_a_decided_route_leaves_the_other_entry_for_the_other_route() -> None:
    entries = catalog({"X1730": "奈诺沙星", "X1974": "奈诺沙星", "Z0188": "金刚藤丸(糖浆、片)"})
    decided = Decided(listing(["苹果酸奈诺沙星胶囊"], dosage_form=["胶囊剂"], route=["口服"]), [(0,)])
    queries = listing(["苹果酸奈诺沙星氯化钠注射液"], dosage_form=["注射液"], route=["注射"])

    routes = compared(DrugRoutes(entries, decided), queries, [(0, 0), (0, 1)])["drug_route"]

    assert routes[0] < 0.1
    assert routes[1] > 0.4


def test_the_routes_of_a_list_give_each_entry_of_a_name_its_turn() -> None:
    entries = catalog({"X0043": "阿替洛尔", "X0044": "阿替洛尔", "Z0188": "金刚藤丸(糖浆、片)"})
    told = listing(["阿替洛尔片"], dosage_form=["片剂"], route=["口服"])
    asked = listing(["阿替洛尔注射液"], dosage_form=["注射液"], route=["注射"])

    part = DrugRoutes(entries, Decided(told, [(0,)]))
    turns = compared(part, with_routes(asked, told), [(0, 0), (0, 1)])["drug_route_in_turn"]

    assert turns == [-1.0, 1.0]


def test_products_are_compared_by_strength_pack_and_maker() -> None:
    entries = catalog(
        {"XA": "阿奇霉素分散片", "XB": "阿奇霉素分散片"},
        dosage_form=["分散片", "分散片"],
        spec=["0.25g", "0.5g"],
        package=["0.25g*6片/盒", "0.5g*3片/盒"],
        manufacturer=["海口奇力制药股份有限公司", "海口奇力制药股份有限公司"],
    )
    queries = listing(
        ["阿奇霉素分散片"], spec=["250mg"], package=["250mg×6片/盒"], manufacturer=["海口奇力制药有限公司"]
    )

    facts = compared(DrugFields(entries), queries, [(0, 0), (0, 1)])

    assert facts["drug_strength_same"] == [1.0, 0.0]
    assert facts["drug_pack_clash"] == [0.0, 1.0]
    assert facts["drug_maker_same"] == [1.0, 1.0]


def test_drug_fields_are_silent_about_diagnoses() -> None:
    part = DrugFields(catalog({"A00": "霍乱", "I10": "特发性高血压"}))

    facts = compared(part, listing(["高血压"]), [(0, 0), (0, 1)])

    assert not any(any(values) for values in facts.values())


@pytest.mark.parametrize(
    ("code", "stem"),
    [("110200001-d", "110200001"), ("001102000010200", "110200001"), ("1204-6-1", ""), ("2401-a", "2401")],
)
def test_the_stem_of_a_code_is_its_item(code: str, stem: str) -> None:
    assert stem_of(code) == stem


def test_a_surcharge_finds_its_parent_by_its_code() -> None:
    rows = listing(["炎症局部显象", "每增加一个体位加收"], code=["230200057", "230200057-a"])

    assert with_parents(rows).column(PARENT) == ["", "炎症局部显象"]


def test_a_parent_may_stand_among_the_rows_that_are_known_already() -> None:
    known = listing(["炎症局部显象"], code=["230200057"])
    rows = listing(["每增加一个体位加收"], code=["230200057-a"])

    assert with_parents(rows, known).column(PARENT) == ["炎症局部显象"]


def test_without_codes_a_surcharge_belongs_to_the_item_before_it() -> None:
    names = ["炎症局部显象", "每增加一个体位加收", "肾动态显象"]
    rows = Rows(ids=["JS00567", "JS00568", "JS00569"], columns={"name": names})

    assert with_parents(rows).column(PARENT) == ["", "炎症局部显象", ""]


def test_a_surcharge_is_compared_with_the_surcharges_of_its_parent_item() -> None:
    entries = catalog({
        "002302000570000": "炎症局部显象",
        "002302000570001": "炎症局部显象(增加一个体位加收)",
        "002302000430002": "肾上腺皮质显象(增加体位加收)",
    })  # fmt: skip
    queries = with_parents(listing(["炎症局部显象", "增加一个体位加收"], code=["230200057", "230200057-a"]))

    facts = compared(ServiceFields(entries), queries, [(1, 0), (1, 1), (1, 2)])

    assert facts["service_parent_same"] == [1.0, 1.0, 0.0]
    assert facts["service_both_surcharge"] == [0.0, 1.0, 1.0]
    assert facts["service_stem_same"] == [1.0, 1.0, 0.0]


def test_spellings_that_price_lists_mix_are_one() -> None:
    assert habitual("普通门诊诊察费") == habitual("普通门诊诊查费")


def test_service_fields_are_silent_about_drugs() -> None:
    part = ServiceFields(catalog({"X0001": "阿昔洛韦", "X0002": "阿替洛尔"}))

    facts = compared(part, listing(["阿替洛尔片"]), [(0, 0), (0, 1)])

    assert not any(any(values) for values in facts.values())
