"""Random bills and years: no fen is lost, caps hold, and each decision equals the slow exact reference to the fen."""

import dataclasses
import itertools
import random
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.policy_folder import REGIONS_FOLDER, load_policy
from hub.core.adjudication import decide, pay_layer
from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import (
    CareKind,
    DecisionRequest,
    PersonGroup,
    Place,
    Referral,
    Refusal,
    YearToDate,
    check_answer,
)
from hub.core.money import ZERO, Money, total
from hub.core.plan import compile_plan
from hub.core.policy import Case
from hub.core.registration import AccessBasis
from tests import reference

DAY = date(2026, 6, 30)
PLANS = {code: compile_plan(load_policy(REGIONS_FOLDER / code), on=DAY) for code in reference.REGIONS}
FUNDS = {
    "basic": Fund.RESIDENT_BASIC,
    "catastrophic": Fund.RESIDENT_CATASTROPHIC,
    "supplementary": Fund.RESIDENT_SUPPLEMENTARY,
    "outpatient": Fund.RESIDENT_OUTPATIENT,
    "accident": Fund.RESIDENT_ACCIDENT,
}
NO_CAP = Money(10**12)
YEARLY_CAPS = {
    ("450700", Fund.RESIDENT_BASIC): Money(150_000_00),
    ("450700", Fund.RESIDENT_CATASTROPHIC): Money(500_000_00),
    ("320115", Fund.RESIDENT_BASIC): Money(250_000_00),
    ("320115", Fund.RESIDENT_CATASTROPHIC): Money(1_000_000_00),
    ("341000", Fund.RESIDENT_BASIC): Money(50_000_00),
    ("341000", Fund.RESIDENT_OUTPATIENT): Money(2_000_00),
    ("341000", Fund.RESIDENT_ACCIDENT): Money(2_000_00),
    ("620522", Fund.RESIDENT_BASIC): Money(60_000_00),
    ("650100", Fund.RESIDENT_SUPPLEMENTARY): Money(10_000_00),
    ("310000", Fund.RESIDENT_CATASTROPHIC): NO_CAP,
    **{
        (code, Fund.RESIDENT_BASIC): Money(150_000_00)
        for code in ("650100", "520100", "990105", "410100", "310000", "371081", "110000")
    },
}
DISEASES = ["", "M07803", "M08300", "M00503", "M02101", "M01200", "M03900"]
SOURCES = ["mutual_aid", "cooperative_scheme", "public_health", "assistance"]
BASES = ["long_term", "referred", "emergency", "temporary"]
BILLS_OF_A_LONG_RUN, BILLS_OF_A_YEAR = 1_000_000, 4
EDGES = [0, 1, 499_99, 500_00, 500_01, 6_000_00, 15_000_01, 26_000_00, 30_000_00, 60_000_00, 646_000_00, 1_142_777_78]

amounts = st.one_of(
    st.sampled_from(EDGES), st.integers(0, 2_000_00), st.integers(0, 100_000_00), st.integers(0, 3_000_000_00)
)


@st.composite
def years(draw):
    """One person's bills of a year; group and membership stay the same, everything else varies."""
    group = draw(st.sampled_from([str(one) for one in PersonGroup]))
    membership_years = draw(st.integers(0, 7))
    stay = st.builds(
        reference.Stay,
        level=st.integers(1, 3),
        place=st.sampled_from([str(one) for one in Place]),
        basis=st.sampled_from(BASES),
        group=st.just(group),
        membership_years=st.just(membership_years),
        in_policy=amounts,
        own=st.sampled_from([0, 0, 1, 1_000_00]),
        care=st.sampled_from(["inpatient", "inpatient", *(str(one) for one in CareKind)]),
        disease=st.sampled_from(DISEASES),
        referral=st.sampled_from([str(one) for one in Referral]),
        by_disease=st.just(False),
        paid_first=st.one_of(st.just(()), st.tuples(st.tuples(st.sampled_from(SOURCES), amounts))),
    )
    return draw(st.lists(stay, min_size=1, max_size=6))


def any_year(draw):
    """The same without shrinking: a person's year out of a plain generator, for long runs."""
    group, membership_years = str(draw.choice(list(PersonGroup))), draw.randint(0, 7)
    return [
        reference.Stay(
            level=draw.randint(1, 3),
            place=str(draw.choice(list(Place))),
            basis=draw.choice(BASES),
            group=group,
            membership_years=membership_years,
            in_policy=draw.choice(EDGES) if draw.randint(0, 3) == 0 else draw.randint(0, 10 ** draw.randint(3, 8)),
            own=draw.choice((0, draw.randint(0, 5_000_00))),
            care=str(draw.choice([CareKind.INPATIENT, CareKind.INPATIENT, *CareKind])),
            disease=draw.choice(DISEASES),
            referral=str(draw.choice(list(Referral))),
            paid_first=((draw.choice(SOURCES), draw.randint(0, 20_000_00)),) if draw.randint(0, 3) == 0 else (),
        )
        for _ in range(BILLS_OF_A_YEAR)
    ]


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
            total=Money(stay.in_policy + stay.own) + own,
            full_self_pay=Money(stay.own) + own,
            over_limit=ZERO,
            first_self_pay=ZERO,
            in_policy=Money(stay.in_policy),
        ),
        year_to_date=year,
        care=CareKind(stay.care),
        referral=Referral(stay.referral),
        disease=stay.disease,
        by_disease=stay.by_disease,
        paid_first={source: Money(paid) for source, paid in stay.paid_first},
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


def compare_with_reference(code, stays):
    """Every bill of a year equals the reference to the fen, or is refused for the same reason; gives the bills seen."""
    year = reference.new_year()
    seen = 0
    for stay, _, decision in settled(code, stays):
        seen += 1
        expected = reference.REGIONS[code](stay, year)
        if isinstance(decision, Refusal):
            assert str(decision.reason) == expected, (code, stay)
        else:
            paid = {name: decision.shares.get(fund, ZERO).fen for name, fund in FUNDS.items()}
            assert paid == expected._asdict(), (code, stay)
    return seen


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=30, deadline=None)
@given(stays=years())
def test_a_year_of_decisions_equals_the_reference_to_the_fen(code, stays):
    compare_with_reference(code, stays)


@pytest.mark.long
def test_a_million_bills_equal_the_reference_to_the_fen():
    draw = random.Random(20260630)
    codes = itertools.cycle(reference.REGIONS)

    asked = 0
    while asked < BILLS_OF_A_LONG_RUN:
        asked += compare_with_reference(next(codes), any_year(draw))


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=15, deadline=None)
@given(stays=years())
def test_every_decision_adds_up_is_explained_and_stays_below_the_caps(code, stays):
    for _, request, decision in settled(code, stays):
        if isinstance(decision, Refusal):
            return
        check_answer(decision, request=request, beyond_policy=code == "650100")
        assert decision.fund_total + decision.cash + decision.hospital_borne == request.amounts.total
        assert total(step.amount for step in decision.steps) == request.amounts.total
        assert all(step.amount > ZERO and step.article for step in decision.steps)
        after = request.year_to_date.plus(decision.contribution)
        for fund, paid in after.paid_by_fund.items():
            assert paid <= YEARLY_CAPS[code, fund]


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=15, deadline=None)
@given(stays=years(), more=st.integers(1, 50_000_00))
@example(stays=[reference.Stay(3, "outside_province", "referred", "adult", 1, 600_00)], more=1)
def test_a_larger_bill_never_gets_less_from_the_funds(code, stays, more):
    *_, (stay, request, decision) = settled(code, stays)

    larger = decide(PLANS[code], request_of(code, stay._replace(in_policy=stay.in_policy + more), request.year_to_date))

    if not isinstance(decision, Refusal) and not isinstance(larger, Refusal):
        assert decision.fund_total <= larger.fund_total <= decision.fund_total + Money(more)


@pytest.mark.parametrize("code", reference.REGIONS)
@settings(max_examples=15, deadline=None)
@given(stays=years())
def test_a_cancel_takes_back_exactly_what_the_bill_added_to_the_year(code, stays):
    for _, request, decision in settled(code, stays):
        if not isinstance(decision, Refusal):
            year = request.year_to_date
            assert year.plus(decision.contribution).minus(decision.contribution) == year


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=15, deadline=None)
@given(stays=years(), own=st.integers(0, 10_000_00))
def test_what_the_catalog_leaves_out_is_paid_by_the_person_alone(stays, own):
    stay = stays[0]._replace(in_policy=min(stays[0].in_policy, 50_000_00), care="inpatient")

    bare = decide(PLANS["450700"], request_of("450700", stay, YearToDate(2026)))
    with_own = decide(PLANS["450700"], request_of("450700", stay, YearToDate(2026), own=Money(own)))

    assert with_own.shares == bare.shares
    assert with_own.cash == bare.cash + Money(own)
