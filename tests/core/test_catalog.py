"""A region's catalog over time: releases, grace and decided changes; each cut of time worked out by hand."""

from dataclasses import replace

import pytest

from hub.core.catalog import CareCatalog, Change, Held
from hub.core.codes import CatalogKind, LocalCode, Region
from hub.core.dates import Span
from hub.core.errors import Inconsistent, NotAllowed
from hub.core.mapping import Condition, Grade
from hub.core.money import percent
from tests.core.builders import AWAY, CODE, catalog_of, day, item, mapped

LOCAL = LocalCode(AWAY, CatalogKind.DRUG, CODE)


class TwoReleases:
    """One release until the end of June 2026 and another from July."""

    def __init__(self, older, newer):
        july = day("2026-07-01")
        self.both = [Held(Span(day("2026-01-01"), july), *older), Held(Span(july), *newer)]

    def held(self, kind, code):
        return self.both if (kind, code) == (CatalogKind.DRUG, CODE) else []


def stretches(catalog):
    return [
        (str(one.span.start), str(one.span.end), str(one.item.first_self_pay) if one.item else None, len(one.mappings))
        for one in catalog.stretches(CatalogKind.DRUG, CODE)
    ]


def test_time_is_cut_where_an_entry_or_a_mapping_begins_or_ends():
    catalog = catalog_of(
        [item(end="2026-06-01"), item(first_self_pay="20 %", start="2026-06-01")],
        [mapped(start="2026-02-01", end="2026-08-01")],
    )

    assert stretches(catalog) == [
        ("2026-01-01", "2026-02-01", "10 %", 0),
        ("2026-02-01", "2026-06-01", "10 %", 1),
        ("2026-06-01", "2026-08-01", "20 %", 1),
        ("2026-08-01", "None", "20 %", 0),
    ]


def test_a_newer_release_holds_from_its_first_day_and_its_silence_ends_an_entry():
    older = ([item()], [mapped()])
    newer = ([], [mapped(start="2026-07-01")])

    catalog = CareCatalog(AWAY, TwoReleases(older, newer))

    assert catalog.item(LOCAL, day("2026-06-30")) == item()
    assert catalog.item(LOCAL, day("2026-07-01")) is None


def test_two_releases_that_say_the_same_make_one_stretch():
    same = ([item()], [mapped()])

    assert stretches(CareCatalog(AWAY, TwoReleases(same, same))) == [("2026-01-01", "None", "10 %", 1)]


def test_a_code_that_no_release_has_is_nothing_and_is_not_kept():
    catalog = catalog_of()

    assert catalog.stretches(CatalogKind.DRUG, "misread") == ()
    assert catalog.item(replace(LOCAL, code="misread"), day("2026-05-01")) is None


def test_a_catalog_answers_only_for_its_own_region():
    with pytest.raises(NotAllowed) as refused:
        catalog_of().item(replace(LOCAL, region=Region("320115")), day("2026-05-01"))

    assert refused.value.code == "catalog_missing"


# --- decided changes ----------------------------------------------------------------------------------------------


def test_a_decided_mapping_takes_the_place_of_the_releases_on_its_own_days():
    change = Change(1, mapped(grade=Grade.NARROWER, start="2026-03-01", end="2026-05-01"))
    catalog = catalog_of([item()], [mapped(grade=Grade.BROADER)], changes=[change])

    grades = [catalog.mapping(LOCAL, day(on)).grade for on in ("2026-02-28", "2026-03-01", "2026-04-30", "2026-05-01")]

    assert grades == [Grade.BROADER, Grade.NARROWER, Grade.NARROWER, Grade.BROADER]


def test_of_two_decided_changes_the_later_decision_holds():
    first = Change(1, mapped(grade=Grade.PARTIAL, start="2026-03-01"))
    second = Change(2, mapped(grade=Grade.EXACT, start="2026-02-01"))

    for changes in ([first, second], [second, first]):
        assert catalog_of([item()], changes=changes).mapping(LOCAL, day("2026-04-01")).grade is Grade.EXACT


def test_a_release_that_begins_after_a_change_and_names_the_code_takes_its_place():
    change = Change(1, mapped(grade=Grade.NARROWER, start="2026-03-01"))
    older = ([item()], [])
    newer = ([item()], [mapped(grade=Grade.BROADER, start="2026-07-01")])

    catalog = CareCatalog(AWAY, TwoReleases(older, newer), changes=[change])

    assert catalog.mapping(LOCAL, day("2026-06-30")).grade is Grade.NARROWER
    assert catalog.mapping(LOCAL, day("2026-07-01")).grade is Grade.BROADER


def test_a_change_outlives_a_later_release_that_is_silent_about_the_code():
    change = Change(1, mapped(grade=Grade.NARROWER, start="2026-03-01"))

    catalog = CareCatalog(AWAY, TwoReleases(([item()], []), ([item()], [])), changes=[change])

    assert catalog.mapping(LOCAL, day("2026-07-01")).grade is Grade.NARROWER


def test_of_two_changes_that_a_silent_release_leaves_standing_the_later_decision_holds():
    grades = (Grade.BROADER, Grade.NARROWER)
    changes = [Change(order, mapped(grade=grade, start="2026-03-01")) for order, grade in enumerate(grades, start=1)]

    catalog = CareCatalog(AWAY, TwoReleases(([item()], []), ([item()], [])), changes=changes)

    assert catalog.mapping(LOCAL, day("2026-07-01")).grade is Grade.NARROWER


def test_a_decided_entry_changes_the_ratio_from_its_first_day():
    change = Change(1, item(first_self_pay="30 %", start="2026-03-01"))
    catalog = catalog_of([item()], [mapped()], changes=[change])

    ratios = [catalog.item(LOCAL, day(on)).first_self_pay for on in ("2026-02-28", "2026-03-01")]

    assert ratios == [percent("10 %"), percent("30 %")]


def test_a_conditional_change_leaves_the_unconditional_mapping_behind_it():
    change = Change(1, mapped(condition=Condition(age_to=17)))

    catalog = catalog_of([item()], [mapped(grade=Grade.BROADER)], changes=[change])

    assert [one.grade for one in catalog.on(CatalogKind.DRUG, CODE, day("2026-05-01")).mappings] == [
        Grade.BROADER,
        Grade.EXACT,
    ]


def test_a_draft_is_looked_at_without_touching_the_catalog():
    catalog = catalog_of([item()], [])

    drafted = catalog.with_changes([Change(1, mapped())])

    assert drafted.mapping(LOCAL, day("2026-05-01")).grade is Grade.EXACT
    assert catalog.mapping(LOCAL, day("2026-05-01")) is None


def test_a_draft_lies_over_the_changes_in_force():
    catalog = catalog_of([item()], changes=[Change(1, mapped(grade=Grade.BROADER))])

    drafted = catalog.with_changes([Change(2, mapped(grade=Grade.EXACT))])

    assert drafted.mapping(LOCAL, day("2026-05-01")).grade is Grade.EXACT


def test_a_change_of_another_region_is_our_own_mistake():
    with pytest.raises(Inconsistent, match="change_region"):
        catalog_of(changes=[Change(1, item(region=Region("320115")))])


# --- entries that cannot be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "grace"), [(None, "2026-07-01"), ("2026-07-01", "2026-07-01")])
def test_grace_begins_only_when_an_entry_is_struck_off(end, grace):
    with pytest.raises(NotAllowed) as refused:
        item(end=end, grace_until=grace)

    assert refused.value.code == "grace_span"


def test_a_negative_payment_standard_is_refused():
    with pytest.raises(NotAllowed) as refused:
        item(payment_standard=-1)

    assert refused.value.code == "payment_standard_negative"
