"""Persons are sealed and found by hash; institutions are public."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.core.codes import InstitutionCode, Region
from hub.core.errors import Conflict, Inconsistent, NotAllowed
from hub.ports import HUB_SCOPE
from hub.ports.records import Scope, Sight
from tests.store.rows import CHENGDU, HAN_MEIMEI, LI_LEI, NOON, QINZHOU, hospital, person, region_scope, without_phone


def test_a_person_is_found_by_region_and_identity_number(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

    with store.begin(HUB_SCOPE) as uow:
        assert uow.persons.find(QINZHOU, LI_LEI) == person()
        assert uow.persons.find(CHENGDU, LI_LEI) is None
        assert uow.persons.find(QINZHOU, HAN_MEIMEI) is None


def test_a_person_without_a_phone_comes_back_without_one(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(without_phone(person()))

        assert uow.persons.get("per-1") == without_phone(person())


def test_a_phone_given_later_is_kept(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(without_phone(person()))
        uow.persons.set_phone("per-1", "13800138000")

        assert uow.persons.get("per-1") == person()


def test_the_same_identity_number_twice_in_a_region_is_a_conflict(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

        with pytest.raises(Conflict, match="person_exists"):
            uow.persons.add(person("per-2"))


def test_one_person_may_be_insured_in_two_regions(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
        uow.persons.add(person("per-2", region=CHENGDU))

        assert uow.persons.find(CHENGDU, LI_LEI) == person("per-2", region=CHENGDU)


def test_no_name_number_or_phone_lies_open_in_the_database(store, owner):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

    row = owner.execute(text("select cast(to_jsonb(person.*) as text) from person")).scalar_one()

    for plain in ("李雷", LI_LEI.number, "13800138000"):
        assert plain not in row
        assert plain.encode().hex() not in row


def test_a_name_exchanged_with_another_persons_does_not_open(store, owner):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())
        uow.persons.add(person("per-2", identity=HAN_MEIMEI))
    owner.execute(text("update person set name_sealed = (select name_sealed from person where id = 'per-2')"))
    owner.commit()

    with store.begin(HUB_SCOPE) as uow, pytest.raises(Inconsistent, match="changed or moved"):
        uow.persons.get("per-1")


def test_a_person_is_seen_by_his_region_and_himself_only(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.persons.add(person())

    scopes = [region_scope(QINZHOU), Scope(Sight.PERSON, person="per-1"), region_scope(CHENGDU)]
    seen = []
    for scope in scopes:
        with store.begin(scope) as uow:
            seen.append(uow.persons.get("per-1") is not None)

    assert seen == [True, True, False]


def test_a_region_cannot_add_a_person_of_another(store):
    with pytest.raises(Inconsistent, match="not_permitted"), store.begin(region_scope(CHENGDU)) as uow:
        uow.persons.add(person())


def test_a_text_with_a_nul_is_refused_whole(store):
    with pytest.raises(NotAllowed, match="text_unstorable"), store.begin(HUB_SCOPE) as uow:
        uow.audit.write(actor="a\x00b", action="x", subject="y", at=NOON, facts={})


def test_hospitals_of_a_city_are_listed_with_its_districts(store):
    pukou = hospital(InstitutionCode("H32011100001"), region="320111")
    with store.begin(HUB_SCOPE) as uow:
        for one in (pukou, hospital(), hospital(InstitutionCode("H51010400001"), region="510104")):
            uow.institutions.put(one)

        assert uow.institutions.in_region(Region("320100")) == [hospital(), pukou]


def test_what_is_known_of_a_hospital_is_replaced(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.institutions.put(hospital(region="320111"))
        uow.institutions.put(hospital())

        assert uow.institutions.get(hospital().code) == hospital()


def test_everybody_may_read_hospitals_but_only_the_hub_adds_them(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.institutions.put(hospital())

    with store.begin(Scope(Sight.PERSON, person="per-9")) as uow:
        assert uow.institutions.get(hospital().code) == hospital()
    with pytest.raises(Inconsistent, match="not_permitted"), store.begin(region_scope(CHENGDU)) as uow:
        uow.institutions.put(hospital(InstitutionCode("H51010400001"), region="510104"))
