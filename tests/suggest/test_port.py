"""The suggester behind its port: made ready once, again for a new release, and wise after what was decided."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from hub.core.codes import CatalogKind, LocalCode, Region
from hub.core.errors import NotAllowed
from hub.ports.catalogs import LocalRow
from hub.suggest.port import CatalogSuggester

NANJING = Region("320100")


@dataclass(frozen=True)
class Entry:
    code: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    code: str
    name: str
    unit: str
    target: str


SERVICES = [
    Entry("001203000010000", "氧气吸入"),
    Entry("001102000010000", "普通门诊诊察费"),
    Entry("001102000030000", "急诊诊察费"),
    Entry("002503050070000", "血清丙氨酸氨基转移酶测定"),
]


class Books:
    """Books that count how often they were read."""

    def __init__(self, decided: list[Told] | None = None) -> None:
        self.release = "unified/1"
        self.told = decided or []
        self.read = 0

    def releases(self) -> str:
        return self.release

    def entries(self, kind: CatalogKind) -> list[Entry]:
        self.read += 1
        return SERVICES if kind is CatalogKind.SERVICE else []

    def decided(self, kind: CatalogKind) -> list[Told]:
        return self.told


def row(name: str, code: str = "1") -> LocalRow:
    return LocalRow(LocalCode(NANJING, CatalogKind.SERVICE, code), name, {"unit": "次"})


def best(suggester: CatalogSuggester, name: str, code: str = "1") -> str:
    return suggester.suggest(CatalogKind.SERVICE, [row(name, code)], top=3)[0][0].unified.code


def test_the_same_name_comes_first_and_says_so():
    found = CatalogSuggester(Books()).suggest(CatalogKind.SERVICE, [row("急诊诊察费"), row("氧气吸入")], top=2)

    assert [(one[0].name, one[0].in_answer) for one in found] == [("急诊诊察费", True), ("氧气吸入", True)]
    assert ("名称相同", "same name") in found[0][0].reasons
    assert all(0 <= one.score <= 1000 for candidates in found for one in candidates)
    assert all(len(candidates) <= 2 for candidates in found)


def test_an_engine_is_made_once_and_anew_for_a_new_release():
    books = Books()
    suggester = CatalogSuggester(books)
    for _ in range(3):
        best(suggester, "氧气吸入")
    before = books.read

    books.release = "unified/2"
    best(suggester, "氧气吸入")

    assert (before, books.read) == (1, 2)


def test_many_askers_at_once_make_one_engine():
    books = Books()
    suggester = CatalogSuggester(books)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: best(suggester, "氧气吸入"), range(8)))

    assert (set(found), books.read) == ({"001203000010000"}, 1)


def test_a_target_that_is_gone_teaches_nothing():
    books = Books([Told("9", "吸氧", "小时", "009999999990000")])

    assert best(CatalogSuggester(books), "氧气吸入") == "001203000010000"


def test_what_was_decided_is_taken_into_account_without_a_minute_of_learning():
    books = Books([Told(str(number), "谷丙转氨酶", "项", "002503050070000") for number in range(3)])

    found = CatalogSuggester(books).suggest(CatalogKind.SERVICE, [row("谷丙转氨酶", "250305007")], top=4)

    assert "002503050070000" in [one.unified.code for one in found[0]]


def test_a_kind_without_a_code_book_is_refused():
    with pytest.raises(NotAllowed) as refused:
        CatalogSuggester(Books()).suggest(CatalogKind.CONSUMABLE, [row("缝线")], top=3)

    assert refused.value.code == "no_code_book"


def test_nobody_asks_the_books_for_nothing():
    books = Books()

    assert CatalogSuggester(books).suggest(CatalogKind.SERVICE, [], top=3) == []
    assert CatalogSuggester(books).suggest(CatalogKind.SERVICE, [row("氧气吸入")], top=0) == [()]
    assert books.read == 0
