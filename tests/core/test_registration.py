"""What a registration rests on, how long it holds, and on what ground a stay is settled."""

from datetime import timedelta

import pytest

from hub.core.codes import Region
from hub.core.dates import Span
from hub.core.errors import NotAllowed
from hub.core.registration import (
    ACCEPTED_EVIDENCE,
    REGISTRATION_MOVES,
    AccessBasis,
    Evidence,
    RegistrationCategory,
    RegistrationRules,
    RegistrationState,
    basis_of_access,
    check_new,
    validity,
)
from tests.core.builders import AWAY, HOME, day, registered

TODAY = day("2026-10-12")
RULES = RegistrationRules(temporary_months=6, instant_categories=frozenset(), source="article 1")


def file(*, category="other_temporary", evidence=Evidence.NONE, start=TODAY, to=AWAY, home=HOME, active=()):
    check_new(
        insuring_region=home,
        care_region=to,
        category=RegistrationCategory(category),
        evidence=evidence,
        start=start,
        as_of=TODAY,
        active=active,
    )


def refusal(**facts):
    with pytest.raises(NotAllowed) as refused:
        file(**facts)
    return refused.value.code


def covers(registration, *, on, to=AWAY):
    """Whether it covers a stay of a single day."""
    return registration.covers(care_region=to, admitted_on=day(on), discharged_on=day(on))


def basis(*registrations, admitted="2026-08-20", discharged="2026-09-05", emergency=False, to=AWAY):
    return basis_of_access(
        registrations, care_region=to, admitted_on=day(admitted), discharged_on=day(discharged), emergency=emergency
    )


# --- filing ------------------------------------------------------------------------------------------------------


def test_an_application_with_all_it_needs_is_accepted():
    assert file() is None


@pytest.mark.parametrize("category", ["retired_settled", "long_term_resident", "posted_worker"])
def test_a_long_term_category_rests_on_papers_or_a_promise(category):
    file(category=category, evidence=Evidence.PROMISE)
    file(category=category, evidence=Evidence.PAPERS)
    assert refusal(category=category, evidence=Evidence.NONE) == "registration_evidence"


def test_a_referral_rests_on_its_certificate_alone():
    file(category="referred", evidence=Evidence.REFERRAL_CERTIFICATE)
    assert refusal(category="referred", evidence=Evidence.PROMISE) == "registration_evidence"


def test_every_category_says_what_it_rests_on():
    assert set(ACCEPTED_EVIDENCE) == set(RegistrationCategory)


def test_an_emergency_is_flagged_by_the_hospital_and_not_filed():
    assert refusal(category="emergency") == "registration_emergency_not_filed"


@pytest.mark.parametrize(("home", "to"), [("450700", "450702"), ("110101", "110105")])
def test_a_registration_inside_the_insured_place_is_refused(home, to):
    assert refusal(home=Region(home), to=Region(to)) == "registration_not_off_site"


def test_two_county_level_cities_of_one_province_are_off_site_to_each_other():
    assert file(home=Region("429004"), to=Region("429005")) is None


def test_a_registration_starts_today_at_the_earliest():
    assert refusal(start=TODAY - timedelta(days=1)) == "registration_start_past"


def test_a_registration_starts_six_months_ahead_at_the_latest():
    assert file(start=day("2027-04-12")) is None
    assert refusal(start=day("2027-04-13")) == "registration_start_far"


@pytest.mark.parametrize("state", [RegistrationState.SUBMITTED, RegistrationState.APPROVED])
def test_a_second_live_registration_for_the_same_place_is_refused_by_name(state):
    other = registered("2026-09-01", "2027-03-01", state=state, id="reg_9")

    with pytest.raises(NotAllowed) as refused:
        file(active=[other])

    assert (refused.value.code, refused.value.facts) == ("registration_overlap", {"registration": "reg_9"})


@pytest.mark.parametrize(
    "other",
    [
        registered("2026-09-01", "2027-03-01", state=RegistrationState.CANCELLED),
        registered("2026-09-01", "2027-03-01", state=RegistrationState.REFUSED),
        registered("2026-09-01", "2027-03-01", to=Region("430200")),
        registered("2026-04-12", "2026-10-12"),
    ],
    ids=["cancelled", "refused", "another city", "ended yesterday"],
)
def test_a_registration_that_no_longer_stands_in_the_way_is_no_overlap(other):
    assert file(active=[other]) is None


# --- how long it holds -------------------------------------------------------------------------------------------


def test_a_temporary_registration_holds_the_number_of_months_of_its_region():
    assert validity(RegistrationCategory.REFERRED, start=day("2026-10-12"), rules=RULES) == Span(
        day("2026-10-12"), day("2027-04-12")
    )


def test_a_temporary_registration_over_the_end_of_february_is_not_cut_short():
    span = validity(RegistrationCategory.OTHER_TEMPORARY, start=day("2026-08-31"), rules=RULES)

    assert day("2027-02-28") in span
    assert day("2027-03-01") not in span


@pytest.mark.parametrize("category", ["retired_settled", "long_term_resident", "posted_worker"])
def test_a_long_term_registration_holds_without_end(category):
    found = RegistrationCategory(category)

    assert found.is_long_term
    assert validity(found, start=TODAY, rules=RULES) == Span(TODAY)


def test_rules_that_give_less_than_a_month_are_refused():
    with pytest.raises(NotAllowed) as refused:
        RegistrationRules(temporary_months=0, instant_categories=frozenset(), source="article 1")

    assert refused.value.code == "registration_rules"


# --- does it cover? ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2026-02-28", False), ("2026-03-01", True), ("2026-08-31", True), ("2026-09-01", False)],
    ids=["the day before", "day 0", "the last day", "the first day after"],
)
def test_a_registration_covers_from_its_first_to_its_last_day(on, expected):
    assert covers(registered(), on=on) is expected


@pytest.mark.parametrize(
    ("registered_to", "hospital_in", "expected"),
    [
        ("430100", "430102", True),
        ("430102", "430100", True),
        ("430100", "430200", False),
        ("110000", "110105", True),
        ("500000", "500243", True),
        ("429004", "429005", False),
    ],
)
def test_a_registration_covers_its_whole_city_and_no_other(registered_to, hospital_in, expected):
    found = registered(to=Region(registered_to))

    assert covers(found, on="2026-05-01", to=Region(hospital_in)) is expected


@pytest.mark.parametrize(
    "state", sorted(set(RegistrationState) - {RegistrationState.APPROVED, RegistrationState.CANCELLED})
)
def test_a_registration_that_was_never_approved_covers_nothing(state):
    assert not covers(registered(state=state), on="2026-05-01")


@pytest.mark.parametrize(
    ("admitted", "discharged", "found"),
    [
        ("2026-08-31", "2026-09-20", AccessBasis.TEMPORARY),
        ("2026-09-01", "2026-09-20", AccessBasis.UNREGISTERED),
        ("2026-02-10", "2026-03-01", AccessBasis.TEMPORARY),
        ("2026-02-10", "2026-02-28", AccessBasis.UNREGISTERED),
        ("2026-02-10", "2026-12-20", AccessBasis.TEMPORARY),
    ],
    ids=[
        "admitted on the last day",
        "admitted too late",
        "registered on discharge",
        "not yet begun",
        "within the stay",
    ],
)
def test_a_registration_covers_a_stay_that_it_meets_on_any_day(admitted, discharged, found):
    """Validity at admission is enough, and so is a registration made before discharge (articles 7 and 16)."""
    assert basis(registered(), admitted=admitted, discharged=discharged)[0] is found


def test_a_long_term_registration_is_the_best_ground_and_a_referral_the_next():
    temporary = registered(id="reg_1")
    referred = registered(category="referred", id="reg_2")
    long_term = registered(category="retired_settled", end=None, id="reg_3")

    assert basis(temporary, referred, long_term, emergency=True) == (AccessBasis.LONG_TERM, "reg_3")
    assert basis(temporary, referred, emergency=True) == (AccessBasis.REFERRED, "reg_2")


def test_an_emergency_counts_as_registered_and_goes_before_a_temporary_registration():
    assert basis(registered(), emergency=True) == (AccessBasis.EMERGENCY, None)
    assert basis(emergency=True) == (AccessBasis.EMERGENCY, None)


def test_of_two_registrations_of_one_kind_the_smaller_id_counts_in_any_order():
    two = registered(id="reg_2"), registered(id="reg_1")

    assert basis(*two) == basis(*reversed(two)) == (AccessBasis.TEMPORARY, "reg_1")


def test_without_a_registration_in_that_city_a_person_is_unregistered():
    assert basis(registered(to=Region("430200"))) == (AccessBasis.UNREGISTERED, None)


def test_a_registration_is_decided_once():
    assert REGISTRATION_MOVES.events_from(RegistrationState.SUBMITTED) == ("approved", "refused", "withdrawn")
    assert REGISTRATION_MOVES.events_from(RegistrationState.APPROVED) == ("withdrawn", "cancelled")


def test_a_cancelled_registration_still_covers_the_days_before_its_cancel():
    ended = registered("2026-09-01", "2026-10-06", state=RegistrationState.CANCELLED)

    assert ended.covers(care_region=AWAY, admitted_on=day("2026-10-01"), discharged_on=day("2026-10-05"))
    assert not ended.covers(care_region=AWAY, admitted_on=day("2026-10-06"), discharged_on=day("2026-10-08"))
