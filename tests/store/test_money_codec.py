"""What is written as JSON is read back as the same value, to the fraction and in the same order."""

from datetime import date
from fractions import Fraction

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.bill import BillLine, ClassifiedAmounts
from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import ClassifiedLine, LineOutcome
from hub.core.codes import CatalogKind, Fund, InsuranceType, LocalCode, Region, UnifiedCode
from hub.core.decision import Contribution, Decision, DecisionRequest, Payer, PersonGroup, Place, Step, YearToDate
from hub.core.errors import Inconsistent
from hub.core.money import ZERO, Money, total
from hub.core.registration import AccessBasis
from hub.ports.records import BilledLine
from hub.store import codec

fen = st.integers(0, 10**12).map(Money)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
regions = st.integers(100000, 999999).map(lambda number: Region(str(number)))
by_fund = st.dictionaries(st.sampled_from(Fund), fen, max_size=5)
by_layer = st.dictionaries(words, fen, max_size=3)
levels = st.sampled_from(HospitalLevel)
contributions = st.builds(Contribution, levels, fen, fen, by_fund, by_layer)
years = st.builds(
    YearToDate,
    st.integers(2020, 2030),
    st.dictionaries(levels, st.integers(1, 99)),
    fen,
    fen,
    by_fund,
    by_layer,
)
UNIFIED = {CatalogKind.DRUG: "XJ01CAA040E001010100001", CatalogKind.HERBAL: "T000000001", CatalogKind.SERVICE: "0" * 15}


@st.composite
def billed_lines(draw):
    region = draw(regions)
    return tuple(draw(st.lists(billed_line(region), min_size=1, max_size=5)))


@st.composite
def billed_line(draw, region):
    number, kind, amount = draw(st.integers(1, 10**15 - 1)), draw(st.sampled_from(list(UNIFIED))), draw(fen)
    amount = -amount if draw(st.booleans()) else amount
    code = draw(st.text("ABC123-", min_size=1, max_size=20))
    sent = BillLine(
        number, kind, code, draw(words), draw(st.fractions(0, 1000)), draw(st.fractions(-9, 9)), amount, draw(days),
        draw(st.none() | st.integers(1, 99)),
    )  # fmt: skip
    parts = draw(st.tuples(fen, fen, fen))
    classified = ClassifiedLine(
        line_no=number,
        local=LocalCode(region, kind, code),
        unified=draw(st.none() | st.just(UnifiedCode(kind, UNIFIED[kind]))),
        name=draw(words | st.just(sent.name)),
        outcome=draw(st.sampled_from(LineOutcome)),
        benefit_class=draw(st.none() | st.sampled_from(BenefitClass)),
        amount=amount,
        full_self_pay=parts[0],
        over_limit=parts[1],
        first_self_pay=parts[2],
        in_policy=amount - total(parts),
    )
    return BilledLine(sent, classified)


@st.composite
def requests(draw):
    parts = draw(st.tuples(fen, fen, fen, fen))
    return DecisionRequest(
        draw(words), draw(regions), draw(regions), draw(st.sampled_from(Place)), draw(st.sampled_from(AccessBasis)),
        draw(levels), draw(st.sampled_from(InsuranceType)), draw(st.sampled_from(PersonGroup)),
        draw(st.integers(0, 60)), draw(days), draw(days), ClassifiedAmounts(total(parts), *parts), draw(years),
    )  # fmt: skip


@st.composite
def decisions(draw):
    shares, own, account, borne = draw(by_fund), draw(fen), draw(fen), draw(fen)

    def step(amount, pays, fund=None):
        return Step(
            layer=draw(words),
            parameter=draw(words),
            value=draw(words),
            valid_from=draw(days),
            article=draw(words),
            base=draw(fen),
            formula=draw(words),
            amount=amount,
            pays=pays,
            fund=fund,
        )

    steps = [step(amount, Payer.FUND, fund) for fund, amount in shares.items()]
    steps += [step(own + account, Payer.PERSON), step(borne, Payer.HOSPITAL)]
    everything = total((*shares.values(), own, account, borne))
    return Decision(
        draw(words), draw(words), everything, shares, account, own, borne, draw(contributions), tuple(steps)
    )


@given(billed_lines())
def test_lines_come_back_as_they_were_packed(lines):
    assert codec.unpack_lines(codec.pack_lines(lines)) == lines


@given(requests())
def test_a_request_comes_back_as_it_was_written(request):
    assert codec.read_request(codec.write_request(request)) == request


@given(decisions())
def test_a_decision_comes_back_as_it_was_written_with_its_funds_in_order(decision):
    read = codec.read_decision(codec.write_decision(decision))

    assert read == decision
    assert list(read.shares) == list(decision.shares)


@given(years)
def test_running_totals_come_back_as_they_were_written(totals):
    assert codec.read_totals(codec.write_totals(totals)) == totals


def test_amounts_are_whole_fen_and_never_fractions_of_yuan():
    written = orjson.loads(codec.write_totals(YearToDate(year=2026, in_policy=Money(12345))))

    assert written["in_policy"] == 12345


def test_a_version_that_nobody_knows_is_refused():
    with pytest.raises(Inconsistent, match="version 2"):
        codec.read_totals('{"v": 2, "year": 2026}')


def test_lines_classified_as_something_else_are_not_packed():
    sent = BillLine(1, CatalogKind.DRUG, "A", "甲", Fraction(1), Fraction(1), Money(100), date(2026, 10, 1))
    other = ClassifiedLine(
        line_no=2,
        local=LocalCode(Region("320100"), CatalogKind.DRUG, "A"),
        unified=None,
        name="甲",
        outcome=LineOutcome.UNMAPPED,
        benefit_class=None,
        amount=Money(100),
        full_self_pay=Money(100),
        over_limit=ZERO,
        first_self_pay=ZERO,
        in_policy=ZERO,
    )

    with pytest.raises(Inconsistent, match="line 1 was classified as something else"):
        codec.pack_lines((BilledLine(sent, other),))
