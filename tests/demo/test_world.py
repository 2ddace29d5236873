"""Persons and hospitals of the demonstration exist nowhere, but could."""

from itertools import islice

from adapters.sandbox.gateway import PLAYERS
from hub.core.codes import phone_number
from hub.core.decision import PersonGroup
from hub.demo.story import PLAYED_DAY
from hub.demo.world import HOSPITALS, HUANGSHAN, JIANGNING, PLAYED_PERSON, QINZHOU, REGIONS, hospitals_of, members


def test_each_region_has_a_large_and_a_small_hospital():
    levels = [[one.level.value for one in hospitals_of(region)] for region in REGIONS]

    assert levels == [["3", "2"]] * 3


def test_a_hospitals_code_names_an_area_of_its_city():
    assert all(one.code.code[1:5] == one.region.city for one in HOSPITALS)


def test_the_same_seed_gives_the_same_persons():
    first = list(islice(members(QINZHOU, seed="x"), 20))
    again = list(islice(members(QINZHOU, seed="x"), 20))

    assert first == again


def test_no_two_persons_share_an_identity_number():
    people = [one for region in REGIONS for one in islice(members(region, seed="x"), 500)]

    assert len({one.identity.number for one in people}) == 1500


def test_a_persons_number_begins_with_a_district_of_his_region():
    (person,) = islice(members(HUANGSHAN, seed="x"), 1)

    assert person.identity.number.startswith("341002")


def test_phones_have_a_valid_form():
    phones = [one.phone for one in islice(members(JIANGNING, seed="x"), 100)]

    assert [phone_number(phone) for phone in phones] == phones


def test_pupils_are_young_and_all_others_grown_up():
    people = list(islice(members(JIANGNING, seed="x"), 300))

    born = {one.group is PersonGroup.PUPIL: [] for one in people}
    for one in people:
        born[one.group is PersonGroup.PUPIL].append(one.identity.birth_date)
    of_age = PLAYED_DAY.replace(year=PLAYED_DAY.year - 18)
    assert max(born[False]) <= of_age < min(born[True])


def test_the_person_named_for_trying_the_page_is_one_of_the_played_region():
    _, name, identity = PLAYED_PERSON

    assert any((player.name, player.number) == (name, identity) for player in PLAYERS)
