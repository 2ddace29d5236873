"""Entries, mappings and their parts are read back as they were written, to the fraction."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel, Restriction
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, Sex, UnifiedCode
from hub.core.dates import Span
from hub.core.errors import Inconsistent
from hub.core.mapping import ALWAYS, Condition, Grade, Mapping
from hub.core.money import Rate
from hub.store import catalog_codec as codec

LOCAL = LocalCode(Region("320100"), CatalogKind.SERVICE, "110900001-3")
TARGET = UnifiedCode(CatalogKind.SERVICE, "001109000010000")

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
prices = st.fractions(0, 1000)
rates = st.fractions(0, 1).map(Rate)
sexes = st.none() | st.sampled_from(Sex)
ages = st.none() | st.integers(0, 75)
old_ages = st.none() | st.integers(75, 150)
diagnoses = st.lists(st.sampled_from(["C50", "O80", "D05.9"]), max_size=3).map(tuple)
restrictions = st.builds(
    Restriction,
    sexes,
    ages,
    old_ages,
    diagnoses,
    st.booleans(),
    st.frozensets(st.sampled_from(HospitalLevel)),
    st.none() | st.integers(1, 99),
)
conditions = st.builds(Condition, sexes, ages, old_ages, st.none() | st.sampled_from(InsuranceType), diagnoses)


@st.composite
def entries(draw):
    start, length, grace = draw(days), draw(st.none() | st.integers(1, 900)), draw(st.none() | st.integers(1, 90))
    end = None if length is None else start + timedelta(days=length)
    return CatalogItem(
        local=LOCAL,
        name=draw(words),
        unit=draw(words),
        benefit_class=draw(st.sampled_from([BenefitClass.B, BenefitClass.C])),
        first_self_pay=draw(rates),
        price_limits=draw(st.dictionaries(st.sampled_from(HospitalLevel), prices)),
        valid=Span(start, end),
        payment_standard=draw(st.none() | prices),
        first_self_pay_of=draw(st.dictionaries(st.sampled_from(InsuranceType), rates)),
        restriction=draw(st.none() | restrictions),
        grace_until=None if end is None or grace is None else end + timedelta(days=grace),
    )


@given(entries())
def test_an_entry_comes_back_as_it_was_written(entry):
    assert codec.read_entry(codec.write_change(entry), local=LOCAL) == entry


@given(days, st.none() | st.integers(1, 900), conditions, st.sampled_from(Grade))
def test_a_mapping_comes_back_as_it_was_written(start, length, condition, grade):
    end = None if length is None else start + timedelta(days=length)
    mapping = Mapping(LOCAL, None if grade is Grade.NONE else TARGET, grade, start, end, condition)

    assert codec.read_mapping(codec.write_change(mapping), local=LOCAL) == mapping


@given(st.none() | restrictions)
def test_a_restriction_comes_back_as_it_was_written(restriction):
    assert codec.read_restriction(codec.write_restriction(restriction)) == restriction


@given(conditions)
def test_a_condition_comes_back_as_it_was_written(condition):
    assert codec.read_condition(codec.write_condition(condition)) == condition


@given(st.dictionaries(st.sampled_from(HospitalLevel), prices), st.dictionaries(st.sampled_from(InsuranceType), rates))
def test_limits_and_ratios_come_back_as_they_were_written(limits, ratios):
    assert codec.read_limits(codec.write_limits(limits)) == limits
    assert codec.read_ratios(codec.write_ratios(ratios)) == ratios


def test_nothing_said_is_nothing_written():
    assert (codec.write_limits({}), codec.write_ratios({})) == ("", None)
    assert (codec.write_restriction(None), codec.write_condition(ALWAYS)) == (None, None)


def test_an_age_of_nought_is_an_age():
    assert orjson.loads(codec.write_restriction(Restriction(age_from=0))) == {"v": 1, "age_from": 0}


def test_prices_are_exact_texts():
    entry = CatalogItem(
        LOCAL,
        "床",
        "日",
        BenefitClass.A,
        Rate(Fraction(0)),
        {HospitalLevel.LEVEL_3: Fraction(81, 2)},
        Span(date(2026, 1, 1)),
    )

    written = orjson.loads(codec.write_change(replace(entry, payment_standard=Fraction(1, 3))))

    assert (written["price_limits"], written["payment_standard"]) == ({"3": "81/2"}, "1/3")


def test_a_version_that_nobody_knows_is_refused():
    with pytest.raises(Inconsistent, match="version 2"):
        codec.read_condition('{"v": 2, "sex": "1"}')
