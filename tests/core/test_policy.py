"""A policy file is read whole or refused whole, and a plan holds exactly the figures of its days."""

import dataclasses
from datetime import date
from fractions import Fraction

import pytest

from hub.core.adjudication import decide
from hub.core.catalog import HospitalLevel
from hub.core.codes import InsuranceType
from hub.core.decision import CareKind, PersonGroup, Place, Refusal, RefusalReason
from hub.core.errors import NotAllowed
from hub.core.money import percent, yuan
from hub.core.plan import PlanBook, compile_plan
from hub.core.policy import Cap, CapKind, Case, Change, ChangeKind, Parameter, Treatment, short_decimal
from hub.core.policy_table import change, points
from hub.core.registration import AccessBasis, RegistrationCategory
from tests.policies import FILE, START, plan_from, policy_tables, read, request, row

ABROAD = Case(HospitalLevel.LEVEL_3, PersonGroup.ADULT, Place.OUTSIDE_PROVINCE, Treatment.WITH_REFERRAL)
HOME = Case(HospitalLevel.LEVEL_3, PersonGroup.ADULT, Place.OUTSIDE_PROVINCE, Treatment.AS_AT_HOME)


def faults_of(tables):
    with pytest.raises(NotAllowed) as refused:
        read(tables)
    assert refused.value.code == "policy_faulty"
    return {fault.where.removeprefix(f"{FILE}: "): fault.code for fault in refused.value.faults}


def terms_of(tables, case, *, layer=0, membership_years=1):
    found = plan_from(tables).terms(case, insurance_type=InsuranceType.RESIDENT, membership_years=membership_years)
    assert not isinstance(found, Refusal), found
    return found[layer]


def missing_of(tables, case):
    plan = plan_from(tables)
    found = plan.terms(case, insurance_type=InsuranceType.RESIDENT, membership_years=1)
    if isinstance(found, Refusal):
        return found.detail
    (missing,) = (f"{one.layer}.{one.missing}" for one in found if one.missing)
    return plan.missing(missing).detail


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_label_names_region_version_and_content():
    assert read(policy_tables()).label == "123400@1#0123456789ab"


def test_every_figure_keeps_its_unit_span_source_and_mark_of_assumption():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [
        row(kind="per_year", value="5000.00 yuan", until=date(2027, 1, 1), assumed=True, note="Not printed.")
    ]

    found = read(tables).layers[0].caps[0].parameter

    assert found.value == Cap(CapKind.PER_YEAR, yuan("5000.00"))
    assert (found.unit, found.span.end, found.source) == ("yuan", date(2027, 1, 1), "Test rules, article 1")
    assert (found.assumed, found.note, found.name) == (True, "Not printed.", "layer[0].cap[0]")


def test_all_faults_are_reported_at_once_with_their_paths():
    tables = policy_tables()
    tables["layer"][0]["segment"][0]["rate"] = "120 %"
    tables["layer"][0]["deductible"][0]["value"] = "100 yuan"
    tables["layer"][0]["deductable"] = []
    tables["sauces"] = {}
    del tables["access"][0]["from"]

    assert faults_of(tables) == {
        "layer[0].segment[0].rate": "rate_above_one",
        "layer[0].deductible[0].value": "money_malformed",
        "layer[0].deductable": "key_unknown",
        "sauces": "key_unknown",
        "access[0].from": "date_missing",
    }


@pytest.mark.parametrize(
    ("key", "wrong", "where", "code"),
    [
        ("region", "12", "region", "region_malformed"),
        ("region", 123400, "region", "value_missing"),
        ("name", " ", "name", "text_missing"),
        ("layer", {}, "layer", "rows_expected"),
        ("layer", ["basic"], "layer[0]", "table_expected"),
        ("sources", {"T": 1}, "sources.T", "text_missing"),
        ("year_attribution", [row("never")], "year_attribution[0].value", "word_unknown"),
        ("registration", [row(temporary_months=0)], "registration[0].temporary_months", "months_range"),
        ("registration", [row(temporary_months="6")], "registration[0].temporary_months", "months_range"),
        ("registration", [{"temporary_months": 6, "source": "T, article 1"}], "registration[0].from", "date_missing"),
        ("year_attribution", [row("whole_at_discharge", levels=["3"])], "year_attribution[0].levels", "key_unknown"),
        ("access", [row(basis="walking", treatment="refuse")], "access[0].basis", "word_unknown"),
    ],
)
def test_a_fault_at_the_top_is_named(key, wrong, where, code):
    tables = policy_tables()
    tables[key] = wrong

    assert faults_of(tables)[where] == code


@pytest.mark.parametrize(
    ("key", "wrong", "where", "code"),
    [
        ("fund", "999999", "fund", "word_unknown"),
        ("from", "2024-01-01", "from", "date_missing"),
        ("until", "soon", "until", "date_malformed"),
        ("until", START, "until", "span_empty"),
        ("source", "Hearsay, article 1", "source", "source_unknown"),
        ("source", "T", "source", "source_place"),
        ("base", [row("in_policy", levels=["4"])], "base[0].levels[0]", "word_unknown"),
        ("base", [row("in_policy", levels="3")], "base[0].levels", "list_expected"),
        ("base", [row("in_policy", levels=[])], "base[0].levels", "list_expected"),
        ("base", [row("in_policy", note=7)], "base[0].note", "text_expected"),
        ("base", [row("in_policy", assumed="yes")], "base[0].assumed", "flag_expected"),
        ("deductible", [row("-1.00 yuan", charged="year")], "deductible[0].value", "amount_negative"),
        ("deductible", [row("1.00", charged="year")], "deductible[0].value", "unit_missing"),
        ("deductible", [row("1.00 yuan", charged="first_admission")], "deductible[0].first_among", "first_among"),
        ("elsewhere", [row("5 points")], "elsewhere[0].value", "points_malformed"),
        ("elsewhere", [row("-101 points")], "elsewhere[0].value", "points_impossible"),
        ("elsewhere", [row("x 3")], "elsewhere[0].value", "factor_impossible"),
        ("elsewhere", [row("101 % flat")], "elsewhere[0].value", "rate_above_one"),
        ("tilt", [row("+10 points")], "tilt[0].on_flat_rate", "flag_expected"),
        ("tilt", [row("50 % flat", on_flat_rate=True)], "tilt[0].value", "tilt_flat"),
        ("membership", [row("+2 points", from_year=0)], "membership[0].from_year", "year_range"),
        ("membership", [row("+2 points", from_year=2), row("+3 points", from_year=2)], "membership[1]", "row_hidden"),
        ("membership", [row("2 points", from_year=2)], "membership[0].value", "points_malformed"),
        ("elsewhere", [row("none", treatments=["as_at_home"])], "elsewhere", "elsewhere_at_home"),
        ("cap", [row(kind="per_year")], "cap[0].value", "value_missing"),
        ("cap", [row(kind="not_stated", value="1.00 yuan")], "cap[0].safe_up_to", "value_missing"),
        ("cap", [row(kind="none", value="1.00 yuan")], "cap[0].value", "key_unknown"),
    ],
)
def test_a_fault_in_a_layer_is_named(key, wrong, where, code):
    tables = policy_tables()
    tables["layer"][0][key] = wrong

    assert faults_of(tables)[f"layer[0].{where}"] == code


def test_a_segment_that_ends_before_it_begins_is_refused():
    tables = policy_tables()
    tables["layer"][0]["segment"] = [row(above="5.00 yuan", up_to="5.00 yuan", rate="50 %")]

    assert faults_of(tables) == {"layer[0].segment[0].up_to": "segment_empty"}


def test_two_figures_for_the_same_case_on_the_same_day_are_refused():
    tables = policy_tables()
    tables["layer"][0]["deductible"].append(row("200.00 yuan", charged="each_admission", levels=["3"]))

    assert faults_of(tables) == {"layer[0].deductible[1]": "row_hidden"}


def test_a_narrower_row_before_a_wider_one_is_welcome():
    tables = policy_tables()
    tables["layer"][0]["deductible"].insert(0, row("200.00 yuan", charged="each_admission", levels=["3"]))

    assert terms_of(tables, HOME).deductible.amount == yuan("200.00")


def test_rows_on_different_days_do_not_hide_each_other():
    tables = policy_tables()
    tables["layer"][0]["deductible"] = [
        row("100.00 yuan", charged="each_admission", until=date(2026, 1, 1)),
        row("200.00 yuan", charged="each_admission", **{"from": date(2026, 1, 1)}),
    ]

    assert terms_of(tables, HOME).deductible.amount == yuan("200.00")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fund": "390100"}, "pay from one fund"),
        ({"name": "basic"}, "occurs twice"),
        ({"base": [row("in_policy")]}, "the first layer's base is 'in_policy'"),
        ({"without_deductible_of": [row("third")]}, "names no earlier layer: ['third']"),
        ({"accumulate": [row("visit")]}, "a yearly deductible needs accumulate = 'year'"),
        (
            {"deductible": [row("1.00 yuan", charged="each_admission")], "segments_count_from": [row("zero")]},
            "count from the deductible",
        ),
        ({"segment": [row(above="1.00 yuan", up_to="no limit", rate="50 %")]}, "the first segment begins at 1.00"),
        ({"segment": [row(above="0.00 yuan", up_to="9.00 yuan", rate="50 %")]}, "the last segment has an end"),
        (
            {
                "segment": [
                    row(above="0.00 yuan", up_to="9.00 yuan", rate="50 %"),
                    row(above="8.00 yuan", up_to="no limit", rate="50 %"),
                ]
            },
            "does not end where the next one begins",
        ),
        (
            {
                "segments_count_from": [row("zero")],
                "segment": [row(above="1000.01 yuan", up_to="no limit", rate="50 %")],
            },
            "the first segment begins at 1000.01",
        ),
        ({"cap": [row(kind="per_year", value="1.00 yuan"), row(kind="none")]}, "stands alone"),
        (
            {"cap": [row(kind="per_year", value="1.00 yuan"), row(kind="per_year", value="2.00 yuan")]},
            "two caps of one kind",
        ),
    ],
)
def test_layers_that_make_no_sense_together_are_refused(changes, words):
    tables = policy_tables(second_layer=True)
    tables["layer"][1].update(changes)

    with pytest.raises(NotAllowed) as refused:
        read(tables)

    assert any(words in fault.message for fault in refused.value.faults)


def test_a_layer_of_another_insurance_type_or_of_other_days_may_share_name_and_fund():
    tables = policy_tables()
    tables["layer"][0]["until"] = date(2025, 1, 1)
    tables["layer"].append({**policy_tables()["layer"][0], "from": date(2025, 1, 1)})
    tables["layer"].append({**policy_tables()["layer"][0], "insurance_type": "310", "fund": "310100"})

    assert len(read(tables).layers) == 3


def test_a_parameter_without_a_source_cannot_be_built():
    with pytest.raises(NotAllowed, match="names its source"):
        Parameter("rate", percent("50 %"), "percent", read(policy_tables()).layers[0].span, "")


def test_a_cap_without_amount_is_none_and_nothing_else():
    with pytest.raises(NotAllowed, match="cap_amount"):
        Cap(CapKind.PER_YEAR, None)


# --- compiling ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("base", "basic.base"),
        ("accumulate", "basic.accumulate"),
        ("segments_count_from", "basic.segments_count_from"),
        ("deductible", "basic.deductible"),
        ("segment", "basic.segment"),
        ("elsewhere", "basic.elsewhere"),
        ("cap", "basic.cap"),
    ],
)
def test_a_missing_figure_is_named_and_has_no_default(key, name):
    tables = policy_tables()
    del tables["layer"][0][key]

    assert missing_of(tables, ABROAD) == (
        f"123400@1#0123456789ab states no {name} (level 3, adult, outside_province, with_referral) from 2024-01-01"
    )


def test_the_first_row_that_fits_says_whether_a_layer_covers_a_case():
    tables = policy_tables()
    tables["layer"][0]["covers"] = [
        row(levels=["3"], groups=["pupil"], covered=False),
        row(levels=["3"]),
    ]
    plan = plan_from(tables)
    pupil = dataclasses.replace(HOME, group=PersonGroup.PUPIL)
    small = dataclasses.replace(HOME, level=HospitalLevel.LEVEL_1)

    found = [plan.terms(one, insurance_type=InsuranceType.RESIDENT, membership_years=1) for one in (HOME, pupil, small)]

    assert [isinstance(one, Refusal) for one in found] == [False, True, True]
    assert found[1].reason is RefusalReason.NOT_COVERED


def test_a_row_that_covers_maybe_is_refused():
    tables = policy_tables()
    tables["layer"][0]["covers"] = [row(covered="no")]

    assert faults_of(tables) == {"layer[0].covers[0].covered": "flag_expected"}


def test_a_deductible_that_nobody_stated_refuses_from_the_first_fen_of_its_base_on():
    tables = policy_tables(second_layer=True)
    del tables["layer"][1]["deductible"]
    tables["layer"][1]["segments_count_from"] = [row("zero")]
    tables["layer"][0]["segment"] = [row(above="0.00 yuan", up_to="no limit", rate="100 %")]
    tables["layer"][1]["without_deductible_of"] = [row("basic")]
    plan = plan_from(tables)

    nothing_left = decide(plan, request("1100.00", basis=AccessBasis.LONG_TERM))
    tables["layer"][0]["segment"] = [row(above="0.00 yuan", up_to="no limit", rate="99.9 %")]
    a_fen_left = decide(plan_from(tables), request("110.00", basis=AccessBasis.LONG_TERM))

    assert nothing_left.cash == yuan("100.00")
    assert "second.deductible" in a_fen_left.detail


def test_a_row_names_only_lists_of_diseases_that_the_policy_has():
    tables = policy_tables()
    tables["standard"] = [row("9.00 yuan", disease="M00503", disease_lists=["rare"])]

    assert faults_of(tables) == {"disease_list": "list_unknown"}


def test_other_care_counts_as_an_admission_where_the_policy_says_so():
    tables = policy_tables()
    tables["disease_list"] = [row(name="dialysis", codes=["M07803"])]
    tables["counts_as_admission"] = [row(care=["special_outpatient"], disease_lists=["dialysis"])]
    plan = plan_from(tables)

    counted = [
        decide(plan, request(care=care, disease=disease)).contribution.admission
        for care, disease in [
            (CareKind.INPATIENT, ""),
            (CareKind.SPECIAL_OUTPATIENT, "M07803"),
            (CareKind.SPECIAL_OUTPATIENT, "M00503"),
        ]
    ]

    assert counted == [True, True, False]


def test_as_at_home_needs_no_figure_for_care_elsewhere():
    tables = policy_tables()
    del tables["layer"][0]["elsewhere"]

    assert terms_of(tables, HOME).bands[0].rate == percent("50 %")


def test_a_later_layer_must_say_whether_the_earlier_deductible_counts():
    tables = policy_tables(second_layer=True)
    del tables["layer"][1]["without_deductible_of"]

    assert "second.without_deductible_of" in missing_of(tables, HOME)


def test_points_and_factors_together_need_a_stated_order():
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("x 0.9")]
    tables["layer"][0]["tilt"] = [row("+10 points", on_flat_rate=False)]

    assert "basic.combine" in missing_of(tables, ABROAD)


@pytest.mark.parametrize(
    ("order", "rate", "words"),
    [
        ("points_then_factor", "54 %", "(50 % + 10 pp) × 0.9 = 54 %"),
        ("factor_then_points", "55 %", "(50 % × 0.9) + 10 pp = 55 %"),
    ],
)
def test_the_stated_order_of_points_and_factors_is_kept(order, rate, words):
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("x 0.9")]
    tables["layer"][0]["tilt"] = [row("+10 points", on_flat_rate=False)]
    tables["layer"][0]["combine"] = [row(order)]

    band = terms_of(tables, ABROAD).bands[0]

    assert (band.rate, band.clause.value) == (percent(rate), words)


def test_points_are_added_up_before_the_rate_is_held_at_a_hundred():
    tables = policy_tables()
    tables["layer"][0]["segment"][0]["rate"] = "95 %"
    tables["layer"][0]["elsewhere"] = [row("-10 points")]
    tables["layer"][0]["tilt"] = [row("+10 points", on_flat_rate=False)]

    assert terms_of(tables, ABROAD).bands[0].rate == percent("95 %")


def test_a_rate_never_falls_below_nothing():
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("-60 points")]

    assert terms_of(tables, ABROAD).bands[0].rate == percent("0 %")


@pytest.mark.parametrize(("on_flat", "rate"), [(True, "40 %"), (False, "30 %")])
def test_a_tilt_moves_a_flat_rate_only_where_the_policy_says_so(on_flat, rate):
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("30 % flat")]
    tables["layer"][0]["tilt"] = [row("+10 points", on_flat_rate=on_flat)]

    assert terms_of(tables, ABROAD).bands[0].rate == percent(rate)


def test_a_flat_rate_replaces_all_segments_by_one():
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("30 % flat")]
    tables["layer"][0]["segment"] = [
        row(above="0.00 yuan", up_to="10.00 yuan", rate="50 %"),
        row(above="10.00 yuan", up_to="no limit", rate="60 %"),
    ]

    (band,) = terms_of(tables, ABROAD).bands

    assert (band.lower_fen, band.upper_fen, band.clause.value) == (0, None, "30 %")


@pytest.mark.parametrize(
    ("years", "rate"), [(0, "50 %"), (1, "50 %"), (2, "52 %"), (4, "52 %"), (5, "60 %"), (40, "60 %")]
)
def test_the_bonus_of_the_highest_year_reached_counts(years, rate):
    tables = policy_tables()
    tables["layer"][0]["membership"] = [
        row("+0 points", from_year=1),
        row("+2 points", from_year=2),
        row("+10 points", from_year=5),
    ]

    assert terms_of(tables, HOME, membership_years=years).bands[0].rate == percent(rate)


def test_a_bonus_may_be_for_some_persons_only():
    tables = policy_tables()
    tables["layer"][0]["membership"] = [row("+5 points", from_year=1, groups=["pupil"])]

    assert terms_of(tables, HOME).bands[0].rate == percent("50 %")


def test_a_clause_quotes_every_article_and_the_latest_date():
    tables = policy_tables()
    tables["layer"][0]["elsewhere"] = [row("-5 points", source="T, article 9", **{"from": date(2025, 3, 1)})]

    clause = terms_of(tables, ABROAD).bands[0].clause

    assert clause.article == "Test rules, article 1; Test rules, article 9"
    assert (clause.value, clause.valid_from) == ("50 % − 5 pp = 45 %", date(2025, 3, 1))


def test_an_insurance_type_without_layers_is_missing():
    found = plan_from(policy_tables()).terms(HOME, insurance_type=InsuranceType.EMPLOYEE, membership_years=1)

    assert "insurance type 310" in found.detail


def test_a_ground_of_access_without_a_row_is_missing():
    tables = policy_tables()
    del tables["access"][4]

    assert "access.unregistered" in plan_from(tables).treatment(AccessBasis.UNREGISTERED).detail


def test_before_its_first_day_a_policy_states_nothing():
    plan = plan_from(policy_tables(), on=date(2023, 12, 31))

    assert (plan.span, plan.layers) == (None, ())
    assert "before its first date" in plan.treatment(AccessBasis.REFERRED).detail


def test_a_plan_is_compiled_once_for_each_stretch_of_days_without_change():
    tables = policy_tables()
    tables["layer"][0]["cap"] = [
        row(kind="none", until=date(2026, 7, 1)),
        row(kind="per_year", value="9.00 yuan", **{"from": date(2026, 7, 1)}),
    ]
    book = PlanBook(read(tables))

    assert book.plan(on=date(2026, 1, 1)) is book.plan(on=date(2026, 6, 30))
    assert book.plan(on=date(2026, 6, 30)) is not book.plan(on=date(2026, 7, 1))
    assert book.plan(on=date(2026, 7, 1)).span.start == date(2026, 7, 1)


def test_a_plan_ends_where_a_layer_ends():
    tables = policy_tables()
    tables["layer"][0]["until"] = date(2026, 7, 1)

    plan = compile_plan(read(tables), on=date(2026, 6, 30))

    assert plan.span.end == date(2026, 7, 1)
    assert compile_plan(read(tables), on=date(2026, 7, 1)).layers == ()


def test_registration_rules_hold_for_their_days():
    policy = read(policy_tables())

    rules = policy.registration_rules(on=date(2026, 1, 1))

    assert (rules.temporary_months, rules.instant_categories) == (6, {RegistrationCategory.LONG_TERM_RESIDENT})
    with pytest.raises(NotAllowed, match="no registration rules"):
        policy.registration_rules(on=date(2023, 1, 1))


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "amount", "shown"),
    [
        ("none", ChangeKind.NONE, Fraction(0), ""),
        ("-5 points", ChangeKind.POINTS, Fraction(-5), "− 5 pp"),
        ("+2.5 points", ChangeKind.POINTS, Fraction(5, 2), "+ 2.5 pp"),
        ("x 0.9", ChangeKind.FACTOR, Fraction(9, 10), "× 0.9"),
        ("50 % flat", ChangeKind.FLAT, Fraction(1, 2), "50 %"),
    ],
)
def test_an_adjustment_is_read_and_shown(text, kind, amount, shown):
    found = change(text)

    assert found == Change(kind, amount)
    assert str(found) == shown


@pytest.mark.parametrize("text", ["5 points", "-5", "- 5 points", "-5 %", "−5 points", "+١ points"])
def test_points_need_a_sign_and_their_unit(text):
    with pytest.raises(NotAllowed, match="points_malformed"):
        points(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(Fraction(5), "5"), (Fraction(-5, 4), "-1.25"), (Fraction(1, 20), "0.05"), (Fraction(1, 3), "1/3")],
)
def test_a_fraction_is_shown_as_a_short_decimal_where_it_has_one(number, text):
    assert short_decimal(number) == text
