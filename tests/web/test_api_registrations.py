"""Registrations through signed messages: filed by agencies and hospitals, decided by the insuring region only."""

from __future__ import annotations

from typing import Any

import pytest

from hub.client import Problem
from tests.web.conftest import OPERATOR, Api
from tests.world import HUANGSHAN, JIANGNING, PERSONS, QINZHOU


def application(who: str = "Huang", **more: Any) -> dict[str, Any]:
    person = PERSONS[who]
    return {
        "insuring_region": person.region.code,
        "care_region": "450700",
        "category": "other_temporary",
        "evidence": "none",
        "start": "2026-10-20",
        "name": person.name,
        "identity": person.identity.number,
        "phone": person.phone,
        "notice_version": "2026-01",
        **more,
    }


def test_an_agency_files_and_looks_at_a_registration_with_the_person_masked(api: Api):
    client = api.client(api.world.agency(HUANGSHAN))

    filed = client.file_registration(application())
    found = client.registration(filed["id"])

    assert filed["channel"] == "agency"
    assert found["person"] == {"name": "黄**", "identity": PERSONS["Huang"].identity.masked}
    assert found["reference"] == filed["reference"]
    assert [one["id"] for one in client.registrations()] == [filed["id"]]


def test_a_hospital_files_for_a_patient_who_comes_to_its_city(api: Api):
    filed = api.client(api.world.hospital(QINZHOU)).file_registration(application())

    assert filed["channel"] == "hospital"


def test_a_registration_is_seen_by_its_two_regions_and_the_operator_only(api: Api):
    filed = api.client(api.world.agency(HUANGSHAN)).file_registration(application())

    for who in (api.world.agency(QINZHOU), OPERATOR):
        assert api.client(who).registration(filed["id"])["id"] == filed["id"]
    with pytest.raises(Problem) as refused:
        api.client(api.world.agency(JIANGNING)).registration(filed["id"])
    assert (refused.value.status, refused.value.code) == (404, "registration_not_found")
    assert list(api.client(api.world.agency(JIANGNING)).registrations()) == []


def test_who_filed_a_registration_does_not_decide_it(api: Api):
    """Jiangning lets temporary patients wait for an officer."""
    client = api.client(api.world.agency(JIANGNING))
    filed = client.file_registration(application("Jiang"))

    with pytest.raises(Problem) as refused:
        client.decide_registration(filed["id"], approve=True)

    assert refused.value.code == "four_eyes"


def test_the_place_of_care_sees_a_registration_but_does_not_decide_it(api: Api):
    filed = api.client(api.world.hospital(QINZHOU)).file_registration(application("Jiang"))

    with pytest.raises(Problem) as refused:
        api.client(api.world.agency(QINZHOU)).decide_registration(filed["id"], approve=True)

    assert refused.value.status == 404


def test_a_registration_is_cancelled_with_a_reason(api: Api):
    client = api.client(api.world.agency(HUANGSHAN))
    filed = client.file_registration(application())

    ended = client.cancel_registration(filed["id"], reason="stays at home")

    assert ended["state"] in {"withdrawn", "cancelled"}


def test_the_place_of_care_sees_a_registration_but_does_not_cancel_it(api: Api):
    filed = api.client(api.world.agency(HUANGSHAN)).file_registration(application())

    with pytest.raises(Problem) as refused:
        api.client(api.world.agency(QINZHOU)).cancel_registration(filed["id"], reason="not wanted here")

    assert (refused.value.status, refused.value.code) == (404, "registration_not_found")
    assert api.client(OPERATOR).registration(filed["id"])["state"] == filed["state"]


def test_a_list_is_read_page_by_page_without_a_gap(api: Api):
    client = api.client(api.world.agency(HUANGSHAN))
    filed = [
        client.file_registration(application(who, care_region=care))["id"]
        for who in ("Huang", "Xu")
        for care in ("450700", "320115")
    ]

    assert [one["id"] for one in client.registrations(limit="3")] == sorted(filed)
    first = client._get("/v1/registrations", {"limit": "3"})
    assert len(first["items"]) == 3
    assert first["next"] == sorted(filed)[2]


def test_an_unknown_person_is_refused_in_one_sentence_whatever_was_wrong(api: Api):
    client = api.client(api.world.agency(HUANGSHAN))
    wrong_name = application(name="黄测柏")
    wrong_number = application(identity=PERSONS["Wei"].identity.number)

    details = set()
    for body in (wrong_name, wrong_number):
        with pytest.raises(Problem) as refused:
            client.file_registration(body)
        details.add((refused.value.status, refused.value.code, refused.value.detail))

    assert len(details) == 1
    assert details.pop()[:2] == (422, "person_unknown")
