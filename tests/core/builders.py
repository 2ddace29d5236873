"""The smallest valid values of the core, each with the facts that a test wants to change."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from hub.core.bill import Bill, BillLine, ClassifiedAmounts
from hub.core.catalog import BenefitClass, CareCatalog, CatalogItem, Held, HospitalLevel
from hub.core.codes import (
    CatalogKind,
    Fund,
    InstitutionCode,
    InsuranceType,
    LocalCode,
    Region,
    UnifiedCode,
    identity_check_digit,
)
from hub.core.dates import Span
from hub.core.decision import Contribution, Decision, DecisionRequest, Payer, PersonGroup, Place, Step, YearToDate
from hub.core.mapping import ALWAYS, Grade, Mapping
from hub.core.money import ZERO, Money, line_amount, percent, total, yuan
from hub.core.registration import AccessBasis, Evidence, Registration, RegistrationCategory, RegistrationState

HOME = Region("450700")
AWAY = Region("430100")
HOSPITAL = InstitutionCode("H43010000001")
CODE = "001"
DRUG = UnifiedCode(CatalogKind.DRUG, "XA01ABD075A002010100483")
ADMITTED = date(2026, 9, 1)
DISCHARGED = date(2026, 9, 10)


def day(text):
    return date.fromisoformat(text)


def identity(first_seventeen):
    return first_seventeen + identity_check_digit(first_seventeen)


# --- catalog -----------------------------------------------------------------------------------------------------


@dataclass
class Release:
    """One release of these entries and mappings, in force for ever."""

    items: list = field(default_factory=list)
    mappings: list = field(default_factory=list)

    def held(self, kind, code):
        def named(several):
            return [one for one in several if (one.local.kind, one.local.code) == (kind, code)]

        return [Held(Span(date(2000, 1, 1)), named(self.items), named(self.mappings))]


def catalog_of(items=(), mappings=(), *, changes=(), region=AWAY):
    return CareCatalog(region, Release(list(items), list(mappings)), changes=changes)


def item(
    code=CODE,
    *,
    benefit_class="B",
    first_self_pay="10 %",
    limits=None,
    start="2026-01-01",
    end=None,
    region=AWAY,
    grace_until=None,
    **more,
):
    return CatalogItem(
        local=LocalCode(region, CatalogKind.DRUG, code),
        name="amoxicillin",
        unit="box",
        benefit_class=BenefitClass(benefit_class),
        first_self_pay=percent(first_self_pay),
        price_limits={HospitalLevel(level): Fraction(limit) for level, limit in (limits or {}).items()},
        valid=Span(day(start), day(end) if end else None),
        grace_until=day(grace_until) if grace_until else None,
        **more,
    )


def mapped(code=CODE, *, grade=Grade.EXACT, unified=DRUG, start="2026-01-01", end=None, condition=ALWAYS):
    local = LocalCode(AWAY, CatalogKind.DRUG, code)
    return Mapping(local, unified, grade, day(start), day(end) if end else None, condition)


def shelf(*items):
    """A catalog of these entries, every one of them exactly mapped."""
    return catalog_of(items, [mapped(code) for code in dict.fromkeys(found.local.code for found in items)])


# --- bill --------------------------------------------------------------------------------------------------------


def line(line_no=1, *, price="10.00", quantity="1", amount=None, on=ADMITTED, kind=CatalogKind.DRUG, **more):
    unit_price, count = Fraction(price), Fraction(quantity)
    return BillLine(
        line_no=line_no,
        kind=kind,
        code=more.pop("code", CODE),
        name="amoxicillin",
        unit_price=unit_price,
        quantity=count,
        amount=yuan(amount) if amount else line_amount(unit_price=unit_price, quantity=count),
        fee_date=on,
        **more,
    )


def bill(*lines, head=None, admitted=ADMITTED, discharged=DISCHARGED):
    lines = lines or (line(),)
    added = total(one.amount for one in lines)
    return Bill("B1", admitted, discharged, tuple(lines), yuan(head) if head else added)


def amounts(in_policy="100.00", *, full="0.00", over="0.00", first="0.00"):
    parts = [yuan(full), yuan(over), yuan(first), yuan(in_policy)]
    return ClassifiedAmounts(total(parts), *parts)


# --- decision ----------------------------------------------------------------------------------------------------


def step(amount, *, fund=None, pays=None):
    payer = pays or (Payer.FUND if fund else Payer.PERSON)
    return Step(
        layer="basic",
        parameter="segment",
        value="60 %",
        valid_from=date(2026, 1, 1),
        article="article 1",
        base=ZERO,
        formula="",
        amount=yuan(amount),
        pays=payer,
        fund=fund,
    )


def contribution(in_policy="100.00", *, funds=None, level="3", self_pay=None, accumulated=None):
    paid = {fund: yuan(amount) for fund, amount in (funds or {}).items()}
    return Contribution(
        level=HospitalLevel(level),
        in_policy=yuan(in_policy),
        self_pay_in_policy=yuan(self_pay) if self_pay else yuan(in_policy) - total(paid.values()),
        paid_by_fund=paid,
        accumulated={name: yuan(amount) for name, amount in (accumulated or {}).items()},
    )


def decision(*, funds=None, cash="40.00", account="0.00", hospital="0.00", **more):
    """A decision on a bill that is wholly in policy."""
    paid = {Fund.RESIDENT_BASIC: "60.00"} if funds is None else funds
    shares = {fund: yuan(amount) for fund, amount in paid.items()}
    whole = total(shares.values()) + yuan(cash) + yuan(account) + yuan(hospital)
    steps = [step(amount, fund=fund) for fund, amount in paid.items()]
    steps += [step(str(yuan(cash) + yuan(account))), step(hospital, pays=Payer.HOSPITAL)]
    given = {
        "bill_id": "bil_1",
        "policy": "450700@1#abc",
        "total": whole,
        "shares": shares,
        "personal_account": yuan(account),
        "cash": yuan(cash),
        "hospital_borne": yuan(hospital),
        "contribution": contribution(str(whole), funds=paid),
        "steps": tuple(steps),
    }
    return Decision(**{**given, **more})


def request(in_policy="100.00", **more):
    given = {
        "bill_id": "bil_1",
        "insuring_region": HOME,
        "care_region": AWAY,
        "place": Place.OUTSIDE_PROVINCE,
        "basis": AccessBasis.REFERRED,
        "level": HospitalLevel.LEVEL_3,
        "insurance_type": InsuranceType.RESIDENT,
        "group": PersonGroup.ADULT,
        "membership_years": 1,
        "admitted_on": ADMITTED,
        "discharged_on": DISCHARGED,
        "amounts": amounts(in_policy),
        "year_to_date": YearToDate(2026),
    }
    return DecisionRequest(**{**given, **more})


# --- registration ------------------------------------------------------------------------------------------------


def registered(
    start="2026-03-01",
    end="2026-09-01",
    *,
    category="other_temporary",
    state=RegistrationState.APPROVED,
    to=AWAY,
    id="reg_1",  # noqa: A002 - the field's own name.
):
    return Registration(
        id=id,
        insuring_region=HOME,
        care_region=to,
        category=RegistrationCategory(category),
        evidence=Evidence.NONE,
        span=Span(day(start), day(end) if end else None),
        state=state,
    )


def fen(amount):
    return Money(amount)
