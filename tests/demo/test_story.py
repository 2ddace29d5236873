"""The story keeps its promises before anybody plays it: enough bills, every case, and rules that end them as told."""

from collections import Counter
from datetime import date

import pytest

from adapters.registry import load_policies
from hub.core.adjudication import decide
from hub.core.bill import add_up, classify, length_of_stay
from hub.core.classification import LineOutcome, Treated
from hub.core.codes import Fund
from hub.core.decision import Decision, DecisionRequest, Place, Refusal, RefusalReason, YearToDate
from hub.core.money import yuan
from hub.core.plan import PlanBook
from hub.core.registration import AccessBasis
from hub.demo.story import CLOSE_DAY, PLAYED_DAY, REGISTRATION_DAY, Filing, Tale, tell
from hub.demo.world import JIANGNING


@pytest.fixture(scope="session")
def decided(story, bills, catalogs):
    """What the real policies decide of a stay, given what the person had of the year before."""
    shelf = catalogs.in_memory()
    plans = {region: PlanBook(policy) for region, policy in load_policies().items()}

    def of(stay, *, year=None, basis=AccessBasis.LONG_TERM):
        lines = classify(bills[stay.number], catalog=shelf.of(stay.care_region), treated=Treated(stay.hospital.level))
        return decide(
            plans[stay.insuring_region].plan(on=stay.discharged_on),
            DecisionRequest(
                bill_id="bil-1",
                insuring_region=stay.insuring_region,
                care_region=stay.care_region,
                place=Place.OUTSIDE_PROVINCE,
                basis=basis,
                level=stay.hospital.level,
                insurance_type=stay.member.insurance_type,
                group=stay.member.group,
                membership_years=stay.member.membership_years,
                admitted_on=stay.admitted_on,
                discharged_on=stay.discharged_on,
                amounts=add_up(lines),
                year_to_date=year or YearToDate(2026),
            ),
        )

    return of


def test_at_least_three_hundred_bills_run_between_six_pairs_of_regions(story):
    pairs = Counter((stay.insuring_region.code, stay.care_region.code) for stay in story.tale(Tale.ORDINARY))

    assert len(story.stays) >= 300
    assert pairs == {
        (insured, care): 50
        for insured in ("320115", "341000", "450700")
        for care in ("320115", "341000", "450700")
        if insured != care
    }


def test_six_hospitals_send_bills(story):
    assert len({stay.hospital.code for stay in story.stays}) == 6


def test_stays_last_2_to_20_days(story):
    days = [length_of_stay(admitted_on=stay.admitted_on, discharged_on=stay.discharged_on) for stay in story.stays]

    assert (min(days), max(days)) == (2, 20)


def test_nobody_is_admitted_before_he_registered(story):
    assert all(stay.admitted_on > REGISTRATION_DAY for stay in story.stays)


def test_every_tale_is_in_the_story(story):
    assert {stay.tale for stay in story.stays} == set(Tale)


def test_at_least_three_persons_register_on_the_page(story):
    on_page = [stay for stay in story.stays if stay.application and stay.application.filing is Filing.PAGE]

    assert len(on_page) == 4


def test_numbers_of_stays_and_bills_are_unique(story):
    assert len({stay.visit_no for stay in story.stays}) == len({stay.bill_no for stay in story.stays}) == 326


def test_the_late_bill_was_discharged_in_october_and_comes_after_the_close(story):
    (late,) = story.tale(Tale.LATE_BILL)

    assert (late.discharged_on, late.settled_on) == (PLAYED_DAY, CLOSE_DAY)


def test_open_bills_of_november_lie_with_jiangning_and_wait_for_what_it_has_not_mapped(story, bills, catalogs):
    jiangning = catalogs.in_memory().of(JIANGNING)

    for stay in story.tale(Tale.OPEN_WINDOW):
        lines = classify(bills[stay.number], catalog=jiangning, treated=Treated(stay.hospital.level))
        assert (stay.care_region, stay.settled_on) == (JIANGNING, CLOSE_DAY)
        assert sum(line.outcome is LineOutcome.UNMAPPED for line in lines) >= 4


def test_the_emergency_and_the_refused_person_are_known_to_nobody(story):
    (emergency,) = story.tale(Tale.EMERGENCY)

    assert emergency.application is None
    assert [stay.application for stay in story.stays if stay.kind.value == "emergency"] == [None] * 13


def test_a_smaller_story_has_the_same_special_cases(story):
    small = tell(per_pair=1)

    assert len(small.stays) == 6 + 14 + 12
    assert {stay.tale for stay in small.stays} == set(Tale)


def test_the_policies_settle_every_ordinary_bill(story, decided):
    refused = [found for stay in story.tale(Tale.ORDINARY) if isinstance(found := decided(stay), Refusal)]

    assert refused == []


def test_the_costly_year_ends_at_both_caps_with_the_third_bill(story, decided):
    year, funds = YearToDate(2026), []
    for stay in story.tale(Tale.YEARLY_CAP):
        decision = decided(stay, year=year)
        assert isinstance(decision, Decision)
        year = year.plus(decision.contribution)
        funds.append(decision.fund_total)

    assert year.paid(Fund.RESIDENT_BASIC) == yuan("250000.00")
    assert year.paid(Fund.RESIDENT_CATASTROPHIC) == yuan("1000000.00")
    assert yuan("0.00") < funds[2] < funds[1]


def test_the_costly_stays_follow_one_another(story):
    stays = story.tale(Tale.YEARLY_CAP)

    assert [stay.discharged_on for stay in stays] == [date(2026, 10, 16), date(2026, 10, 23), date(2026, 10, 30)]
    assert len({stay.member.identity.number for stay in stays}) == 1


def test_huangshan_cannot_decide_the_bill_beyond_what_its_policy_states(story, decided):
    (stay,) = story.tale(Tale.RULE_NOT_STATED)

    found = decided(stay)

    assert isinstance(found, Refusal)
    assert found.reason is RefusalReason.RULE_MISSING


def test_jiangning_settles_nothing_for_the_refused_registration(story, decided):
    (stay,) = story.tale(Tale.REFUSED)

    found = decided(stay, basis=AccessBasis.UNREGISTERED)

    assert isinstance(found, Refusal)
    assert found.reason is RefusalReason.NOT_REGISTERED
