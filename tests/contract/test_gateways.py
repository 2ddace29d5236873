"""What every gateway promises, whatever kind it is; the sandbox first, then each region that the hub answers itself."""

import dataclasses
from datetime import date

import pytest

from adapters.policy_folder import load_policy
from adapters.registry import PLAYED, build_gateways, load_policies
from adapters.sandbox.gateway import PLAYERS, Trick
from catalogs.load import ROOT
from hub.core.codes import Fund, IdentityNumber, InsuranceType, Region, identity_check_digit
from hub.core.decision import Coverage, InsuranceStatus, PersonGroup, Refusal, RefusalReason, YearToDate, check_answer
from hub.core.errors import Inconsistent, NotAllowed, Unreachable
from hub.core.money import Money, yuan
from hub.core.registration import AccessBasis
from hub.ports import Booking
from tests.contract.in_memory import MemoryJournal, MemoryRoster
from tests.policies import request

SANDBOX = Region("990100")
UNPLACED = Region("990105")
LACKING = [Region("110000"), Region("410100"), Region("520100")]
"""Regions whose catastrophic layer lacks its deductible: every bill that leaves something over is refused."""
STATED = [
    SANDBOX,
    *map(Region, ("450700", "320115", "341000", "310000", "371081", "620522", "650100")),
    UNPLACED,
]
REGIONS = [*STATED, *LACKING]
DAY = date(2026, 6, 30)
MEMBER = IdentityNumber("11010119800101001" + identity_check_digit("11010119800101001"))
STRANGER = IdentityNumber("11010119900202002" + identity_check_digit("11010119900202002"))
NAME = "沙一"


@pytest.fixture
def gateways():
    roster = MemoryRoster()
    for region in REGIONS:
        coverage = Coverage(region, InsuranceStatus.NORMAL, InsuranceType.RESIDENT, PersonGroup.ADULT, 1)
        roster.enrol(region, identity=MEMBER, name=NAME, coverage=coverage)
    return build_gateways(roster=roster, journal=MemoryJournal(), with_sandbox=True)


@pytest.fixture(params=REGIONS, ids=str)
def gateway(request, gateways):
    return gateways[request.param]


@pytest.fixture(params=STATED, ids=str)
def paying(request, gateways):
    return gateways[request.param]


@pytest.fixture(params=LACKING, ids=str)
def lacking(request, gateways):
    return gateways[request.param]


@pytest.fixture
def sandbox(gateways):
    return gateways[SANDBOX]


def bill_for(gateway, in_policy="5000.00", **facts):
    return request(in_policy, insuring_region=gateway.region, **facts)


def booking(event_id="evt_1", *, total="5000.00", fund_total="2000.00"):
    return Booking(event_id, "bil_1", DAY, InsuranceType.RESIDENT, yuan(total), yuan(fund_total))


# --- every gateway -----------------------------------------------------------------------------------------------


def test_it_answers_for_its_own_region(gateways):
    assert all(gateway.region == region for region, gateway in gateways.items())
    assert sorted(gateways) == sorted(REGIONS)


def test_a_member_is_known_by_number_and_name(gateway):
    coverage = gateway.coverage(identity=MEMBER, name=NAME, on=DAY)

    assert (coverage.insuring_region, coverage.status) == (gateway.region, InsuranceStatus.NORMAL)


def test_a_stranger_is_nobody(gateway):
    assert gateway.coverage(identity=STRANGER, name=NAME, on=DAY) is None


def test_a_number_with_another_name_is_nobody(gateway):
    assert gateway.coverage(identity=MEMBER, name="别人", on=DAY) is None


def test_its_answer_fits_the_question(paying):
    asked = bill_for(paying, full_self_pay="120.00", first_self_pay="30.50")

    decision = paying.decide(asked)

    check_answer(decision, request=asked, beyond_policy=paying.region == Region("650100"))
    assert decision.policy.startswith(f"{paying.region}@")
    assert decision.fund_total > Money(0)


def test_a_region_whose_figures_are_not_printed_names_the_one_that_the_bill_needs(lacking):
    refusal = lacking.decide(bill_for(lacking))

    assert refusal.reason is RefusalReason.RULE_MISSING
    assert "catastrophic.deductible" in refusal.detail


def test_a_bill_that_needs_no_missing_figure_is_decided_by_every_region(gateway):
    decision = gateway.decide(bill_for(gateway, "0.00", full_self_pay="120.00"))

    assert (decision.fund_total, decision.cash) == (Money(0), yuan("120.00"))


def test_the_same_question_gets_the_same_answer(gateway):
    asked = bill_for(gateway)

    assert gateway.decide(asked) == gateway.decide(asked)


def test_deciding_a_bill_books_nothing(gateway):
    gateway.decide(bill_for(gateway))

    assert list(gateway.booked(day=DAY)) == []


def test_an_answer_may_be_settled_and_taken_back(paying):
    decision = paying.decide(bill_for(paying))
    year = YearToDate(2026)

    assert year.plus(decision.contribution).minus(decision.contribution) == year


def test_a_bill_before_the_first_day_of_its_rules_is_refused(gateway):
    old = date(2023, 6, 30)

    refusal = gateway.decide(bill_for(gateway, admitted_on=date(2023, 6, 20), discharged_on=old, year=YearToDate(2023)))

    assert refusal.reason is RefusalReason.RULE_MISSING


def test_an_insurance_type_without_rules_is_refused(gateway):
    refusal = gateway.decide(bill_for(gateway, insurance_type=InsuranceType.EMPLOYEE))

    assert refusal.reason is RefusalReason.RULE_MISSING


def test_a_bill_without_registration_is_refused_or_paid_but_never_more_than_a_referred_one(paying):
    unregistered = paying.decide(bill_for(paying, basis=AccessBasis.UNREGISTERED))
    referred = paying.decide(bill_for(paying))

    if isinstance(unregistered, Refusal):
        assert unregistered.reason is RefusalReason.NOT_REGISTERED
    else:
        assert unregistered.fund_total <= referred.fund_total


def test_a_bill_of_another_region_stops_the_work(gateway):
    with pytest.raises(Inconsistent):
        gateway.decide(request(insuring_region=Region("120000")))


def test_booking_twice_is_one_booking(gateway):
    gateway.book(booking())
    gateway.book(booking())

    assert list(gateway.booked(day=DAY)) == [booking()]


def test_other_content_under_a_booked_event_stops_the_work(gateway):
    gateway.book(booking())

    with pytest.raises(Inconsistent):
        gateway.book(booking(total="5000.01"))


def test_bookings_of_a_day_come_in_the_order_of_their_events(gateway):
    cancel = booking("evt_2", total="-5000.00", fund_total="-2000.00")
    gateway.book(cancel)
    gateway.book(booking("evt_1"))
    gateway.book(dataclasses.replace(booking("evt_0"), booked_on=date(2026, 7, 1)))

    assert list(gateway.booked(day=DAY)) == [booking("evt_1"), cancel]


def test_registrations_hold_at_least_six_months(gateway):
    assert gateway.registration_rules(on=DAY).temporary_months >= 6


def test_there_are_no_registration_rules_before_the_first_day(gateway):
    with pytest.raises(NotAllowed, match="rule_missing"):
        gateway.registration_rules(on=date(2023, 12, 31))


# --- the sandbox misbehaves on purpose ---------------------------------------------------------------------------


def played(trick, **facts):
    return request(str(trick.value), insuring_region=SANDBOX, **facts)


@pytest.mark.parametrize(("trick", "transient"), [(Trick.TIMES_OUT, True), (Trick.IS_CLOSED_FOR_GOOD, False)])
def test_a_region_that_does_not_answer_is_unreachable(sandbox, trick, transient):
    with pytest.raises(Unreachable) as silent:
        sandbox.decide(played(trick))

    assert silent.value.transient is transient


def test_a_look_up_may_time_out(sandbox):
    slow = next(player for player in PLAYERS if not player.answers)

    with pytest.raises(Unreachable) as silent:
        sandbox.coverage(identity=IdentityNumber(slow.number), name=slow.name, on=DAY)

    assert silent.value.transient


@pytest.mark.parametrize(
    ("trick", "code"),
    [
        (Trick.ANSWERS_OTHER_BILL, "answer_other_bill"),
        (Trick.ANSWERS_OTHER_TOTAL, "answer_other_total"),
        (Trick.PAYS_ABOVE_POLICY, "answer_above_policy"),
        (Trick.FORGETS_CONTRIBUTION, "answer_contribution"),
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_not_believed(sandbox, trick, code):
    asked = poor_enough(trick)

    answer = sandbox.decide(asked)

    with pytest.raises(Inconsistent) as disbelieved:
        check_answer(answer, request=asked)
    assert disbelieved.value.code == code


def poor_enough(trick):
    """The in-policy part lies so low that one fen more than it still fits into the total."""
    return request("1.00", full_self_pay=str(trick.value - yuan("1.00")), insuring_region=SANDBOX)


def test_a_negative_answer_never_leaves_the_gateway(sandbox):
    with pytest.raises(Inconsistent, match="decision_negative"):
        sandbox.decide(played(Trick.ANSWERS_NEGATIVE))


def test_a_late_answer_to_a_booking_is_settled_by_asking_again(sandbox):
    late = booking(total=str(Trick.BOOKS_BUT_ANSWERS_LATE.value), fund_total="10.00")

    with pytest.raises(Unreachable):
        sandbox.book(late)
    sandbox.book(late)

    assert list(sandbox.booked(day=DAY)) == [late]


@pytest.mark.parametrize("player", PLAYERS[:-1], ids=lambda player: player.name)
def test_every_played_person_is_what_the_list_says(sandbox, player):
    coverage = sandbox.coverage(identity=IdentityNumber(player.number), name=player.name, on=DAY)

    assert (coverage.status, coverage.group, coverage.insurance_type) == (
        player.status,
        player.group,
        player.insurance_type,
    )


def test_a_trick_on_a_refused_bill_stays_a_refusal(sandbox):
    refusal = sandbox.decide(played(Trick.ANSWERS_OTHER_BILL, basis=AccessBasis.UNREGISTERED))

    assert refusal.reason is RefusalReason.NOT_REGISTERED


# --- the registry ------------------------------------------------------------------------------------------------


def test_the_played_regions_open_only_where_they_are_asked_for():
    gateways = build_gateways(roster=MemoryRoster(), journal=MemoryJournal(), with_sandbox=False)

    assert set(gateways) == set(REGIONS) - {SANDBOX, UNPLACED}


def test_every_figure_of_every_region_names_its_source_and_every_assumption_is_marked():
    for policy in load_policies().values():
        assert policy.layers
        for layer in policy.layers:
            for row in layer.rows():
                guessed = row.parameter.source.startswith("Assumption of the hub")
                assert not guessed or row.parameter.assumed, row.parameter.name


def test_every_region_that_is_a_place_stands_in_the_area_book():
    played = {str(region) for region, policy in load_policies().items() if policy.kind in PLAYED}
    (book,) = (ROOT / "unified").glob("*/areas.csv")
    known = {line.partition(",")[0] for line in book.read_text(encoding="utf-8").splitlines()}

    assert {str(region) for region in REGIONS} - known == played == {"990100", "990105"}


def test_all_faulty_regions_are_reported_at_once(tmp_path):
    for code, content in [("110000", "region = "), ("120000", 'region = "130000"'), ("140000", "\xff")]:
        (tmp_path / code).mkdir()
        (tmp_path / code / "policy.toml").write_bytes(content.encode("latin-1"))

    with pytest.raises(NotAllowed) as refused:
        load_policies(tmp_path)

    places = {fault.where.partition("/")[0] for fault in refused.value.faults}
    assert (refused.value.code, places) == ("policies_faulty", {"110000", "120000", "140000"})


def minimal_policy(folder, *, region, kind):
    folder.mkdir()
    text = f'region = "{region}"\nname = "T"\nkind = "{kind}"\nversion = "1"\n[sources]\nT = "Test rules"\n'
    (folder / "policy.toml").write_text(text, encoding="utf-8")


def test_a_policy_in_another_regions_folder_is_refused(tmp_path):
    minimal_policy(tmp_path / "110000", region="120000", kind="rulepack")

    with pytest.raises(NotAllowed) as refused:
        load_policy(tmp_path / "110000")

    assert refused.value.faults[0].code == "region_other_folder"


def test_an_unknown_kind_of_gateway_is_refused(tmp_path):
    minimal_policy(tmp_path / "110000", region="110000", kind="pigeon")

    with pytest.raises(NotAllowed) as refused:
        load_policies(tmp_path)

    assert refused.value.faults[0].code == "kind_unknown"


def test_funds_of_a_layer_are_named_in_the_order_of_payment(gateways):
    decision = gateways[Region("450700")].decide(bill_for(gateways[Region("450700")], "100600.00"))

    assert list(decision.shares) == [Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC]
