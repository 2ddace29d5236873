"""Releases are loaded whole, then never change; a region's catalog answers as the loader's own does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Sex, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Conflict, NotAllowed
from hub.core.mapping import Condition, Grade, Mapping
from hub.core.money import Rate
from hub.ports import HUB_SCOPE
from hub.store import catalog_codec as codec
from hub.store.catalog_shelf import GONE
from hub.store.catalogs import load_into
from tests.store.rows import CHENGDU, NANJING, region_scope

START = date(2024, 1, 1)
BED = UnifiedCode(CatalogKind.SERVICE, "001109000010000")
GINSENG = UnifiedCode(CatalogKind.HERBAL, "T000600001")


@dataclass(frozen=True)
class Entry:
    code: UnifiedCode
    name: str
    attributes: dict = field(default_factory=dict)
    parent: str | None = None
    status: str = "active"


@dataclass(frozen=True)
class Book:
    """A unified release, as the loader hands it over."""

    rows: tuple[Entry, ...]
    release: str = "2024-06"
    digest: str = "d1"
    valid_from: date = START
    sources: tuple = ()

    def entries(self):
        return iter(self.rows)


@dataclass(frozen=True)
class Decided:
    mapping: Mapping
    origin: str = "province: same name"
    reason: str = "同名"
    decided_by: str = "wang"
    reviewed_by: str = "li"


@dataclass(frozen=True)
class MappingFile:
    entries: list[Decided]


@dataclass(frozen=True)
class Regional:
    """A region's release that has its own services and adopts the herbal pieces."""

    items: tuple[CatalogItem, ...]
    mappings: tuple[Mapping, ...]
    region: object = NANJING
    name: str = "南京"
    release: str = "2024-07"
    unified_release: str = "2024-06"
    digest: str = "r1"
    valid: Span = field(default_factory=lambda: Span(START))
    sources: tuple = ()

    @property
    def mapping_releases(self):
        return [MappingFile([Decided(mapping) for mapping in self.mappings])]

    def adopted_item(self, entry):
        return piece(self.region) if entry.code == GINSENG else None

    def adopted_mapping(self, entry):
        local = LocalCode(self.region, GINSENG.kind, GINSENG.code)
        return Mapping(local, GINSENG, Grade.EXACT, START) if entry.code == GINSENG else None


def piece(region):
    local = LocalCode(region, GINSENG.kind, GINSENG.code)
    return CatalogItem(local, "人参", "g", BenefitClass.B, Rate(Fraction(1, 10)), {}, Span(START))


LOCAL_BED = LocalCode(NANJING, CatalogKind.SERVICE, "110900001-3")
BED_ITEM = CatalogItem(
    local=LOCAL_BED,
    name="普通病房床位费",
    unit="日",
    benefit_class=BenefitClass.B,
    first_self_pay=Rate(Fraction(1, 3)),
    price_limits={HospitalLevel.LEVEL_3: Fraction("40.5")},
    valid=Span(START, date(2026, 1, 1)),
)
BED_MAPPINGS = (
    Mapping(LOCAL_BED, None, Grade.NONE, START, date(2025, 1, 1)),
    Mapping(LOCAL_BED, BED, Grade.NARROWER, date(2025, 1, 1)),
)
BOOK = Book(
    rows=(
        Entry(BED, "床位费", {"is_national": "1"}),
        Entry(UnifiedCode(CatalogKind.SERVICE, "001109000020000"), "层流病房床位费"),
        Entry(UnifiedCode(CatalogKind.SERVICE, "001109000030000"), "100%_折扣"),
        Entry(GINSENG, "人参", parent=None),
    )
)
REGIONAL = Regional(items=(BED_ITEM,), mappings=BED_MAPPINGS)


@pytest.fixture
def loaded(store, owner):
    load_into(owner, [BOOK], [REGIONAL])
    owner.commit()
    return store


def care_catalog(store, region=NANJING):
    with store.begin(HUB_SCOPE) as uow:
        return uow.catalogs.care_catalog(region)


def test_loading_gives_how_many_releases_are_new(owner):
    assert load_into(owner, [BOOK], [REGIONAL]) == 2


def test_loading_the_same_again_changes_nothing(loaded, owner):
    assert load_into(owner, [BOOK], [REGIONAL]) == 0


def test_a_release_that_is_loaded_with_another_content_is_a_conflict(loaded, owner):
    with pytest.raises(Conflict, match="release_changed"):
        load_into(owner, [replace(BOOK, digest="d2")], [])


def test_nothing_of_a_load_that_fails_can_be_seen(store, owner):
    twice = replace(REGIONAL, items=(BED_ITEM, BED_ITEM))

    with pytest.raises(UniqueViolation, match="region_item_pkey"):
        load_into(owner, [BOOK], [twice])
    owner.rollback()

    with store.begin(HUB_SCOPE) as uow:
        assert uow.catalogs.releases() == []


def test_releases_are_listed_with_the_unified_one_first(loaded):
    with loaded.begin(region_scope(CHENGDU)) as uow:
        found = [(one.id, one.region) for one in uow.catalogs.releases()]

    assert found == [("unified/2024-06", None), ("region/320100/2024-07", NANJING)]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into unified_entry values ('unified/2024-06', 'drug', 'x', 'x', '{}', null, 'active')",
        "insert into code_mapping values ('region/320100/2024-07', 'drug', 'x', null, 'none', '2024-01-01')",
        "insert into unified_entry values ('unified/none', 'drug', 'x', 'x', '{}', null, 'active')",
        "update region_item set first_self_pay = '0'",
        "delete from unified_entry",
        "update catalog_release set digest = 'x'",
        "delete from catalog_release",
    ],
)
def test_not_even_the_owner_changes_a_ready_release(loaded, owner, statement):
    with pytest.raises(DBAPIError, match=r"never changed|being imported only"):
        owner.execute(text(statement))


def test_an_entry_comes_back_as_it_was_published(loaded):
    with loaded.begin(HUB_SCOPE) as uow:
        found = uow.catalogs.entry(BED)

    assert found is not None
    assert (found.code, found.name, found.attributes, found.status) == (BED, "床位费", {"is_national": "1"}, "active")


def found_names(store, words, kind=CatalogKind.SERVICE):
    with store.begin(HUB_SCOPE) as uow:
        return [entry.name for entry in uow.catalogs.search(kind, words, limit=10)]


def test_a_search_finds_names_that_begin_with_the_words_first(loaded):
    assert found_names(loaded, "床位") == ["床位费", "层流病房床位费"]


def test_a_search_finds_the_beginning_of_a_code(loaded):
    assert found_names(loaded, "00110900002") == ["层流病房床位费"]


@pytest.mark.parametrize(("words", "names"), [("%", ["100%_折扣"]), ("_", ["100%_折扣"]), ("\\", []), ("'", [])])
def test_wild_cards_stand_for_themselves(loaded, words, names):
    assert found_names(loaded, words) == names


def test_a_search_stays_within_its_kind(loaded):
    assert found_names(loaded, "人参") == []
    assert found_names(loaded, "人参", CatalogKind.HERBAL) == ["人参"]


def test_a_regions_item_comes_back_exactly(loaded):
    assert care_catalog(loaded).item(LOCAL_BED, date(2025, 6, 1)) == BED_ITEM


def test_a_regions_item_holds_on_its_days_only(loaded):
    catalog = care_catalog(loaded)

    assert catalog.item(LOCAL_BED, date(2023, 12, 31)) is None
    assert catalog.item(LOCAL_BED, date(2026, 1, 1)) is None


def test_the_mapping_of_the_day_counts(loaded):
    catalog = care_catalog(loaded)

    assert catalog.mapping(LOCAL_BED, date(2024, 12, 31)) == BED_MAPPINGS[0]
    assert catalog.mapping(LOCAL_BED, date(2025, 1, 1)) == BED_MAPPINGS[1]


def test_an_adopted_code_is_an_entry_of_the_region(loaded):
    local = LocalCode(NANJING, GINSENG.kind, GINSENG.code)

    assert care_catalog(loaded).item(local, START) == piece(NANJING)
    assert care_catalog(loaded).mapping(local, START) == Mapping(local, GINSENG, Grade.EXACT, START)


def test_an_unknown_code_has_neither_entry_nor_mapping(loaded):
    unknown = LocalCode(NANJING, CatalogKind.DRUG, "none")

    assert care_catalog(loaded).item(unknown, START) is None
    assert care_catalog(loaded).mapping(unknown, START) is None


def test_the_newest_release_begun_by_the_day_counts(loaded, owner):
    july = Span(date(2025, 7, 1))
    dearer = replace(BED_ITEM, benefit_class=BenefitClass.C, first_self_pay=Rate(Fraction(1)), valid=july)
    newer = replace(REGIONAL, release="2025-07", digest="r2", items=(dearer,), valid=july)
    load_into(owner, [BOOK], [newer])
    owner.commit()

    catalog = care_catalog(loaded)

    assert catalog.item(LOCAL_BED, date(2025, 6, 30)) == BED_ITEM
    assert catalog.item(LOCAL_BED, date(2025, 7, 1)) == dearer


def test_a_region_without_catalog_is_not_the_same_as_a_code_outside_it(loaded):
    with pytest.raises(NotAllowed, match="catalog_missing"):
        care_catalog(loaded, CHENGDU)
    with pytest.raises(NotAllowed, match="catalog_missing"):
        care_catalog(loaded).item(LocalCode(CHENGDU, CatalogKind.DRUG, "x"), START)


@pytest.mark.parametrize(("words", "count"), [("床位", 1), ("1109", 1), ("人参", 0)])
def test_a_regions_items_are_searched_by_name_and_code(loaded, words, count):
    with loaded.begin(HUB_SCOPE) as uow:
        found = uow.catalogs.items(NANJING, CatalogKind.SERVICE, words, on=date(2025, 6, 1), limit=10)

    assert found == [BED_ITEM][:count]


# --- entries over time and mappings with conditions ---------------------------------------------------------------

DEARER = replace(
    BED_ITEM,
    first_self_pay=Rate(Fraction(1, 2)),
    valid=Span(date(2026, 1, 1), date(2026, 7, 1)),
    payment_standard=Fraction(61, 2),
    first_self_pay_of={InsuranceType.RESIDENT: Rate(Fraction(1))},
    restriction=Restriction(
        sex=Sex.FEMALE, age_from=0, age_to=14, diagnoses=("O80",), inpatient_only=True, most_days=3
    ),
    grace_until=date(2026, 10, 1),
)
FOR_WOMEN = replace(BED_MAPPINGS[1], condition=Condition(sex=Sex.FEMALE, diagnoses=("O80",)))


def load(owner, **others):
    load_into(owner, [BOOK], [replace(REGIONAL, **others)])
    owner.commit()


def test_an_entry_has_several_spans_each_with_its_own_limits_and_restriction(store, owner):
    load(owner, items=(DEARER, BED_ITEM))
    catalog = care_catalog(store)

    assert catalog.item(LOCAL_BED, date(2025, 12, 31)) == BED_ITEM
    assert catalog.item(LOCAL_BED, date(2026, 1, 1)) == DEARER
    assert catalog.item(LOCAL_BED, date(2026, 9, 30)) == DEARER
    assert catalog.item(LOCAL_BED, date(2026, 10, 1)) is None


def test_mappings_of_one_code_stand_side_by_side_under_conditions(store, owner):
    load(owner, mappings=(BED_MAPPINGS[1], FOR_WOMEN))

    stretch = care_catalog(store).on(LOCAL_BED.kind, LOCAL_BED.code, date(2025, 6, 1))

    assert set(stretch.mappings) == {BED_MAPPINGS[1], FOR_WOMEN}


def test_who_decided_a_mapping_who_reviewed_it_and_why_is_kept(loaded, owner):
    found = owner.execute(
        text("select distinct kind, origin, reason, decider, reviewer from code_mapping order by kind")
    )

    assert found.all() == [
        ("herbal", "imported", "the region uses the unified code as its own", None, None),
        ("service", "imported", "province: same name; 同名", "wang", "li"),
    ]


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"items": (BED_ITEM, replace(DEARER, valid=Span(date(2025, 12, 31), date(2026, 7, 1))))}, "entries_overlap"),
        ({"mappings": (replace(BED_MAPPINGS[0], valid_until=None), BED_MAPPINGS[1])}, "mappings_overlap"),
        ({"mappings": (FOR_WOMEN, replace(FOR_WOMEN, condition=Condition(age_to=14)))}, "mappings_overlap"),
    ],
)
def test_a_release_with_two_answers_for_one_line_is_not_loaded(owner, others, code):
    with pytest.raises(NotAllowed, match=code):
        load(owner, **others)


def test_conditions_that_nobody_fulfils_both_may_hold_on_one_day(store, owner):
    for_men = replace(FOR_WOMEN, condition=Condition(sex=Sex.MALE))

    load(owner, mappings=(FOR_WOMEN, for_men))

    assert len(care_catalog(store).on(LOCAL_BED.kind, LOCAL_BED.code, date(2025, 6, 1)).mappings) == 2


CONDITIONS = [
    Condition(sex=Sex.FEMALE),
    Condition(sex=Sex.MALE),
    Condition(sex=Sex.FEMALE, age_to=17),
    Condition(age_from=18),
    Condition(age_from=17, age_to=17),
    Condition(insurance_type=InsuranceType.RESIDENT, diagnoses=("O80",)),
    Condition(insurance_type=InsuranceType.EMPLOYEE),
    Condition(diagnoses=("C50",)),
]


def test_the_database_and_the_core_agree_on_which_conditions_can_meet(owner):
    asked = text("select hub_conditions_meet(cast(:one as jsonb), cast(:other as jsonb))")
    for one in CONDITIONS:
        for other in CONDITIONS:
            written = {"one": codec.write_condition(one), "other": codec.write_condition(other)}

            assert owner.execute(asked, written).scalar_one() != one.excludes(other), (one, other)


def test_two_releases_of_a_region_do_not_begin_on_one_day(loaded, owner):
    with pytest.raises(Conflict, match="release_begins"):
        load(owner, release="2024-08")


# --- what is newer than a version ---------------------------------------------------------------------------------


def test_a_version_grows_with_each_release(store, owner):
    with store.begin(HUB_SCOPE) as uow:
        assert (uow.catalogs.version(None), uow.catalogs.version(NANJING)) == (0, 0)
    load(owner)
    with store.begin(HUB_SCOPE) as uow:
        books, region = uow.catalogs.version(None), uow.catalogs.version(NANJING)
    load(owner, release="2025-07", digest="r2", valid=Span(date(2025, 7, 1)))

    with store.begin(HUB_SCOPE) as uow:
        assert 0 < uow.catalogs.version(None) == books < region < uow.catalogs.version(NANJING)


def test_unified_books_of_an_older_day_that_are_loaded_late_are_not_newer(loaded, owner):
    with loaded.begin(HUB_SCOPE) as uow:
        held = uow.catalogs.version(None)

    load_into(owner, [replace(BOOK, release="2023-01", digest="d0", valid_from=date(2023, 1, 1))], [])
    owner.commit()

    with loaded.begin(HUB_SCOPE) as uow:
        assert uow.catalogs.version(None) == held


def entries_since(store, version, *, after="", limit=10):
    with store.begin(HUB_SCOPE) as uow:
        found = uow.catalogs.entries_since(CatalogKind.SERVICE, version=version, after=after, limit=limit)
        return [(entry.code.code[-5:-3], entry.name, entry.status) for entry in found]


def test_entries_newer_than_a_version_are_those_added_changed_and_gone(loaded, owner):
    with loaded.begin(HUB_SCOPE) as uow:
        held = uow.catalogs.version(None)
    rows = (
        Entry(BED, "床位费", {"is_national": "1"}),
        Entry(UnifiedCode(CatalogKind.SERVICE, "001109000020000"), "层流病房床位费（改）"),
        Entry(UnifiedCode(CatalogKind.SERVICE, "001109000040000"), "监护病房床位费"),
    )
    newer = Book(rows, release="2025-06", digest="d2", valid_from=date(2025, 6, 1))
    load_into(owner, [newer], [])
    owner.commit()

    assert entries_since(loaded, held) == [
        ("20", "层流病房床位费（改）", "active"),
        ("30", "100%_折扣", GONE),
        ("40", "监护病房床位费", "active"),
    ]
    assert [place for place, _, _ in entries_since(loaded, 0)] == ["10", "20", "40"]
    assert [place for place, _, _ in entries_since(loaded, held, after="001109000020000", limit=1)] == ["30"]


def codes_since(store, version):
    with store.begin(HUB_SCOPE) as uow:
        return uow.catalogs.codes_since(NANJING, CatalogKind.SERVICE, version=version, after="", limit=10)


def test_codes_newer_than_a_version_are_those_of_which_something_else_is_said(store, owner):
    def own(code, **others):
        return replace(BED_ITEM, **{"local": replace(LOCAL_BED, code=code), "valid": Span(START), **others})

    load(owner, items=(own("same"), own("dearer"), own("gone"), own("mapped")), mappings=())
    with store.begin(HUB_SCOPE) as uow:
        held = uow.catalogs.version(NANJING)
    later = Span(date(2025, 7, 1))
    load(
        owner,
        release="2025-07",
        digest="r2",
        valid=later,
        items=(
            own("same", valid=later),
            own("dearer", valid=later, payment_standard=Fraction(1)),
            own("mapped", valid=later),
            own("new", valid=later),
        ),
        mappings=(replace(BED_MAPPINGS[1], local=replace(LOCAL_BED, code="mapped")),),
    )

    assert codes_since(store, 0) == ["dearer", "gone", "mapped", "new", "same"]
    assert codes_since(store, held) == ["dearer", "gone", "mapped", "new"]
    with store.begin(HUB_SCOPE) as uow:
        assert codes_since(store, uow.catalogs.version(NANJING)) == []
