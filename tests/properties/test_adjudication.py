"""Random bills and years: no fen is lost, caps hold, and each decision equals the slow exact reference to the fen."""

import dataclasses
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.policy_folder import REGIONS_FOLDER, load_policy
from hub.core.adjudication import decide, pay_layer
from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import DecisionRequest, PersonGroup, Place, Refusal, RefusalReason, YearToDate, check_answer
from hub.core.money import ZERO, Money, total
from hub.core.plan import compile_plan
from hub.core.policy import Case
from hub.core.registration import AccessBasis
from tests import reference

DAY = date(2026, 6, 30)
PLANS = {code: compile_plan(load_policy(REGIONS_FOLDER / code), on=DAY) for code in reference.REGIONS}
YEARLY_CAPS = {
    ("450700", Fund.RESIDENT_BASIC): Money(150_000_00),
    ("450700", Fund.RESIDENT_CATASTROPHIC): Money(500_000_00),
    ("320115", Fund.RESIDENT_BASIC): Money(250_000_00),
    ("320115", Fund.RESIDENT_CATASTROPHIC): Money(1_000_000_00),
    ("341000", Fund.RESIDENT_BASIC): Money(50_000_00),
}
EDGES = [0, 1, 499_99, 500_00, 500_01, 6_000_00, 15_000_01, 26_000_00, 30_000_00, 60_000_00, 646_000_00, 1_142_777_78]

amounts = st.one_of(
    st.sampled_from(EDGES), st.integers(0, 2_000_00), st.integers(0, 100_000_00), st.integers(0, 3_000_000_00)
)


@st.composite
def years(draw):
    """One person's stays of a year; group and membership stay the same, everything else varies."""
    group = draw(st.sampled_from([str(one) for one in PersonGroup]))
    membership_years = draw(st.integers(0, 7))
    stay = st.builds(
        reference.Stay,
        level=st.integers(1, 3),
        place=st.sampled_from([str(one) for one in Place]),
        basis=st.sampled_from(["long_term", "referred", "emergency", "temporary"]),
        group=st.just(group),
        membership_years=st.just(membership_years),
        in_policy=amounts,
    )
    return draw(st.lists(stay, min_size=1, max_size=6))


def request_of(code, stay, year, *, own=ZERO):
    return DecisionRequest(
        bill_id="bill",
        insuring_region=Region(code),
        care_region=Region("430100"),
        place=Place(stay.place),
        basis=AccessBasis(stay.basis),
        level=HospitalLevel(str(stay.level)),
        insurance_type=InsuranceType.RESIDENT,
        group=PersonGroup(stay.group),
        membership_years=stay.membership_years,
        admitted_on=date(2026, 6, 20),
        discharged_on=DAY,
        amounts=ClassifiedAmounts(
            total=Money(stay.in_policy) + own,
            full_self_pay=own,
            over_limit=ZERO,
            first_self_pay=ZERO,
            in_policy=Money(stay.in_policy),
        ),
        year_to_date=year,
    )


def settled(code, stays):
    """Decide the stays in order, each with the year that the earlier ones left; stop at a refusal."""
    year = YearToDate(2026)
    for stay in stays:
        request = request_of(code, stay, year)
        decision = decide(PLANS[code], request)
        yield stay, request, decision
        if isinstance(decision, Refusal):
            return
        year = year.plus(decision.contribution)


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=150, deadline=None)
@given(stays=years())
def test_a_year_of_decisions_equals_the_reference_to_the_fen(code, stays):
    year = reference.new_year()

    for stay, _, decision in settled(code, stays):
        expected = reference.REGIONS[code](stay, year)
        if expected is None:
            assert decision.reason is RefusalReason.RULE_MISSING
        else:
            shares = {fund: amount.fen for fund, amount in decision.shares.items()}
            assert shares.get(Fund.RESIDENT_BASIC, 0) == expected.basic
            assert shares.get(Fund.RESIDENT_CATASTROPHIC, 0) == expected.catastrophic


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=100, deadline=None)
@given(stays=years())
def test_every_decision_adds_up_is_explained_and_stays_below_the_caps(code, stays):
    for _, request, decision in settled(code, stays):
        if isinstance(decision, Refusal):
            return
        check_answer(decision, request=request)
        assert decision.fund_total + decision.cash == request.amounts.total
        assert total(step.amount for step in decision.steps) == request.amounts.total
        assert all(step.amount > ZERO and step.article for step in decision.steps)
        after = request.year_to_date.plus(decision.contribution)
        for fund, paid in after.paid_by_fund.items():
            assert paid <= YEARLY_CAPS[code, fund]


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=100, deadline=None)
@given(stays=years(), more=st.integers(1, 50_000_00))
@example(stays=[reference.Stay(3, "outside_province", "referred", "adult", 1, 600_00)], more=1)
def test_a_larger_bill_never_gets_less_from_the_funds(code, stays, more):
    *_, (stay, request, decision) = settled(code, stays)

    larger = decide(PLANS[code], request_of(code, stay._replace(in_policy=stay.in_policy + more), request.year_to_date))

    if not isinstance(decision, Refusal) and not isinstance(larger, Refusal):
        assert decision.fund_total <= larger.fund_total <= decision.fund_total + Money(more)


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=100, deadline=None)
@given(stays=years())
def test_a_cancel_takes_back_exactly_what_the_bill_added_to_the_year(code, stays):
    for _, request, decision in settled(code, stays):
        if not isinstance(decision, Refusal):
            year = request.year_to_date
            assert year.plus(decision.contribution).minus(decision.contribution) == year


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(st.integers(0, 90_000_00), min_size=1, max_size=8), code=st.sampled_from(["450700", "320115"]))
@example(parts=[6_000_01, 1, 1, 1], code="450700")
def test_how_a_year_is_cut_into_bills_does_not_change_what_it_pays(parts, code):
    """The yearly layer rounds the year's amount, not each bill's: see decision record 0010."""
    person = Case(
        HospitalLevel.LEVEL_3,
        PersonGroup.ADULT,
        Place.WITHIN_PROVINCE,
        PLANS[code].treatment(AccessBasis.LONG_TERM).value,
    )
    _, terms = PLANS[code].terms(person, insurance_type=InsuranceType.RESIDENT, membership_years=1)
    whole = pay_layer(terms, base=Money(sum(parts)), year_to_date=YearToDate(2026))

    year = YearToDate(2026)
    for part in parts:
        share = pay_layer(terms, base=Money(part), year_to_date=year)
        year = dataclasses.replace(
            year,
            paid_by_fund={terms.fund: year.paid(terms.fund) + share.paid},
            accumulated={terms.layer: year.accumulated.get(terms.layer, ZERO) + share.accumulated},
        )

    assert year.paid(terms.fund) == whole.paid


@settings(max_examples=100, deadline=None)
@given(stays=years(), own=st.integers(0, 10_000_00))
def test_what_the_catalog_leaves_out_is_paid_by_the_person_alone(stays, own):
    stay = stays[0]._replace(in_policy=min(stays[0].in_policy, 50_000_00))

    bare = decide(PLANS["450700"], request_of("450700", stay, YearToDate(2026)))
    with_own = decide(PLANS["450700"], request_of("450700", stay, YearToDate(2026), own=Money(own)))

    assert with_own.shares == bare.shares
    assert with_own.cash == bare.cash + Money(own)
