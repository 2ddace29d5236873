"""Smallest valid values for money tests, and a played settlement through the shelves. Names and numbers are made up.

A bill has one drug line in policy and one service line that the patient pays alone. The played region pays half of what
is in policy from its first fund and a tenth from its second; from the first it pays pupils six tenths.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hub.actions.context import Hub
from hub.core.bill import (
    BILL_MOVES,
    AdmissionKind,
    BillLine,
    BillState,
    ClassifiedAmounts,
    VisitState,
    add_up,
)
from hub.core.catalog import BenefitClass, HospitalLevel
from hub.core.classification import ClassifiedLine, LineOutcome
from hub.core.clearing import ClearingRules
from hub.core.codes import (
    CatalogKind,
    Fund,
    IdentityNumber,
    InstitutionCode,
    InsuranceType,
    LocalCode,
    Region,
    UnifiedCode,
    identity_check_digit,
    regime_of,
)
from hub.core.dates import Period, WorkingCalendar, business_day
from hub.core.decision import (
    Contribution,
    Coverage,
    Decision,
    DecisionRequest,
    InsuranceStatus,
    Payer,
    PersonGroup,
    Place,
    Step,
    YearToDate,
)
from hub.core.ledger import Event, cancelled, entry_id, settled
from hub.core.money import ZERO, Money, Rate, share_of, yuan
from hub.core.registration import AccessBasis
from hub.ports import HUB_SCOPE, UnitOfWork
from hub.ports.records import BilledLine, BillRecord, PersonRecord, VisitRecord

QINZHOU = Region("450700")
HUANGSHAN = Region("341000")
NANJING = Region("320100")

HOSPITALS = {
    QINZHOU: InstitutionCode("H45070200001"),
    HUANGSHAN: InstitutionCode("H34100200001"),
    NANJING: InstitutionCode("H32010200001"),
}
FUNDS = {
    InsuranceType.EMPLOYEE: (Fund.EMPLOYEE_BASIC, Fund.EMPLOYEE_LARGE_AMOUNT),
    InsuranceType.RESIDENT: (Fund.RESIDENT_BASIC, Fund.RESIDENT_CATASTROPHIC),
}


def noon(day: date) -> datetime:
    """Twelve o'clock in Shanghai."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def identity(number: int) -> IdentityNumber:
    """The identity number of the made-up person `number` (up to 999), born on 1 January 1980."""
    first = f"45070219800101{number:03d}"
    return IdentityNumber(first + identity_check_digit(first))


def person(number: int, *, region: Region = QINZHOU) -> PersonRecord:
    return PersonRecord(f"per_{number}", region, f"李{number}", identity(number), "13800138000")


def visit(
    number: int,
    *,
    of: PersonRecord,
    care_region: Region = NANJING,
    insurance_type: InsuranceType = InsuranceType.RESIDENT,
    group: PersonGroup = PersonGroup.ADULT,
    admitted_at: datetime,
) -> VisitRecord:
    return VisitRecord(
        id=f"vis_{number}",
        person_id=of.id,
        institution=HOSPITALS[care_region],
        care_region=care_region,
        coverage=Coverage(of.insuring_region, InsuranceStatus.NORMAL, insurance_type, group, membership_years=7),
        visit_no=f"Z{number}",
        kind=AdmissionKind.ORDINARY,
        diagnosis="J18.9",
        admitted_at=admitted_at,
        recorded_at=admitted_at,
        recorded_late=False,
        state=VisitState.ADMITTED,
    )


def lines(in_policy: Money, self_pay: Money, *, care_region: Region = NANJING, on: date) -> tuple[BilledLine, ...]:
    """A drug that is wholly in policy and, unless it costs nothing, a service without a unified code."""
    drug = _line(1, CatalogKind.DRUG, "YP001", "阿莫西林胶囊", in_policy, care_region=care_region, on=on)
    if not self_pay:
        return (drug,)
    return drug, _line(2, CatalogKind.SERVICE, "FW999", "特需护理", self_pay, care_region=care_region, on=on)


def _line(
    number: int, kind: CatalogKind, code: str, name: str, amount: Money, *, care_region: Region, on: date
) -> BilledLine:
    covered = kind is CatalogKind.DRUG
    return BilledLine(
        BillLine(number, kind, code, name, Fraction(amount.fen, 100), Fraction(1), amount, on),
        ClassifiedLine(
            line_no=number,
            local=LocalCode(care_region, kind, code),
            unified=UnifiedCode(kind, "XJ01CAA040E001010100001") if covered else None,
            name=name,
            outcome=LineOutcome.COVERED if covered else LineOutcome.UNMAPPED,
            benefit_class=BenefitClass.A if covered else None,
            amount=amount,
            full_self_pay=ZERO if covered else amount,
            over_limit=ZERO,
            first_self_pay=ZERO,
            in_policy=amount if covered else ZERO,
        ),
    )


def request(
    bill_id: str,
    *,
    stay: VisitRecord,
    amounts: ClassifiedAmounts,
    year_to_date: YearToDate,
    discharged_on: date,
) -> DecisionRequest:
    return DecisionRequest(
        bill_id=bill_id,
        insuring_region=stay.insuring_region,
        care_region=stay.care_region,
        place=Place.OUTSIDE_PROVINCE,
        basis=AccessBasis.TEMPORARY,
        level=HospitalLevel.LEVEL_3,
        insurance_type=stay.coverage.insurance_type,
        group=stay.coverage.group,
        membership_years=stay.coverage.membership_years,
        admitted_on=business_day(stay.admitted_at),
        discharged_on=discharged_on,
        amounts=amounts,
        year_to_date=year_to_date,
    )


def decide(asked: DecisionRequest) -> Decision:
    """What the played region answers; the patient pays a tenth of his part from his personal account."""
    basic, second = FUNDS[asked.insurance_type]
    in_policy = asked.amounts.in_policy
    rate = Rate(Fraction(1, 2) if asked.group is PersonGroup.ADULT else Fraction(6, 10))
    shares = {basic: share_of(in_policy, rate), second: share_of(in_policy, Rate(Fraction(1, 10)))}
    own = asked.amounts.total - shares[basic] - shares[second]
    personal_account = share_of(own, Rate(Fraction(1, 10)))
    steps = [_step("basic", "rate", str(rate), in_policy, shares[basic], fund=basic)]
    steps.append(_step("second", "rate", "10 %", in_policy, shares[second], fund=second))
    steps.append(_step("basic", "remainder", "the rest", asked.amounts.total, own, fund=None))
    return Decision(
        bill_id=asked.bill_id,
        policy=f"{asked.insuring_region}@1#0123456789ab",
        total=asked.amounts.total,
        shares=shares,
        personal_account=personal_account,
        cash=own - personal_account,
        hospital_borne=ZERO,
        contribution=Contribution(
            level=asked.level,
            in_policy=in_policy,
            self_pay_in_policy=in_policy - shares[basic] - shares[second],
            paid_by_fund={fund: amount for fund, amount in shares.items() if amount},
            accumulated={"second": in_policy - shares[basic]},
        ),
        steps=tuple(step for step in steps if step.amount),
    )


def _step(layer: str, parameter: str, value: str, base: Money, amount: Money, *, fund: Fund | None) -> Step:
    return Step(
        layer=layer,
        parameter=parameter,
        value=value,
        valid_from=date(2024, 1, 1),
        article="试行办法第八条",
        base=base,
        formula=f"{base} × {value} = {amount}",
        amount=amount,
        pays=Payer.FUND if fund else Payer.PERSON,
        fund=fund,
    )


def bill(
    number: int,
    *,
    stay: VisitRecord,
    in_policy: str = "100.00",
    self_pay: str = "20.00",
    year_to_date: YearToDate,
    year_version: int = 1,
    at: datetime,
) -> BillRecord:
    """The bill of a stay, discharged and settled on the day of `at`, as revision 1."""
    today = business_day(at)
    sent = lines(yuan(in_policy), yuan(self_pay), care_region=stay.care_region, on=today)
    amounts = add_up([line.classified for line in sent])
    bill_id = f"bil_{number}"
    asked = request(bill_id, stay=stay, amounts=amounts, year_to_date=year_to_date, discharged_on=today)
    return BillRecord(
        id=bill_id,
        visit_id=stay.id,
        person_id=stay.person_id,
        institution=stay.institution,
        insuring_region=stay.insuring_region,
        care_region=stay.care_region,
        insurance_type=stay.coverage.insurance_type,
        regime=regime_of(insuring_region=stay.insuring_region, care_region=stay.care_region),
        bill_no=f"B{number}",
        revision=1,
        admitted_on=asked.admitted_on,
        discharged_on=today,
        registration_id=None,
        amounts=amounts,
        lines=sent,
        request=asked,
        decision=decide(asked),
        year=today.year,
        year_version=year_version,
        months_late=0,
        settled_at=at,
        settled_on=today,
        period=Period.of(today),
        state=BillState.POSTED,
    )


@dataclass(frozen=True)
class Stay:
    """What a played settlement needs to know; `number` makes every id."""

    number: int
    person: PersonRecord
    at: datetime
    care_region: Region = NANJING
    insurance_type: InsuranceType = InsuranceType.RESIDENT
    group: PersonGroup = PersonGroup.ADULT
    in_policy: str = "100.00"
    self_pay: str = "20.00"


def settle(uow: UnitOfWork, one: Stay) -> BillRecord:
    """Play a whole settlement in one unit of work, as the errand would do it, down to the ledger and the outbox."""
    if uow.persons.get(one.person.id) is None:
        uow.persons.add(one.person)
    stay = visit(
        one.number,
        of=one.person,
        care_region=one.care_region,
        insurance_type=one.insurance_type,
        group=one.group,
        admitted_at=one.at - timedelta(days=3),
    )
    uow.visits.add(stay, who="his")
    year = uow.years.lock(one.person.id, one.insurance_type, business_day(one.at).year)
    record = bill(
        one.number,
        stay=stay,
        in_policy=one.in_policy,
        self_pay=one.self_pay,
        year_to_date=year.totals,
        year_version=year.version + 1,
        at=one.at,
    )
    window = uow.windows.open_for(record.regime, record.settled_on)
    assert window.period == record.period
    moves = [move for move in BILL_MOVES.moves if move[1] in {"coded", "decided", "posted"}]
    uow.bills.add(record, moves=moves, who="his")
    uow.years.save(
        record.person_id,
        record.insurance_type,
        year.totals.plus(record.decision.contribution),
        region=record.insuring_region,
        version=record.year_version,
    )
    uow.visits.move(
        stay.id,
        source=VisitState.ADMITTED,
        event="settled",
        target=VisitState.SETTLED,
        who="his",
        why=record.id,
        at=one.at,
    )
    entry = settled(
        record.decision,
        insuring_region=record.insuring_region,
        care_region=record.care_region,
        institution=record.institution,
        insurance_type=record.insurance_type,
        revision=record.revision,
    )
    if entry is not None:
        uow.ledger.add(
            entry,
            regime=record.regime,
            period=window.period,
            bill_id=record.id,
            happened_at=one.at,
            recorded_at=one.at,
        )
    uow.outbox.add(topic="region_booking", key=f"{record.id}/settled", payload={"bill": record.id}, due_at=one.at)
    uow.audit.write(actor="his", action="bill_settled", subject=record.id, at=one.at, facts={})
    return record


def cancel(uow: UnitOfWork, record: BillRecord, *, at: datetime) -> None:
    """Play the cancel of a settled bill in one unit of work."""
    year = uow.years.lock(record.person_id, record.insurance_type, record.year)
    uow.bills.move(
        record.id,
        source=BillState.POSTED,
        event="cancelled",
        target=BillState.CANCELLED,
        who="his",
        why="wrong patient",
        at=at,
    )
    uow.visits.move(
        record.visit_id,
        source=VisitState.SETTLED,
        event="settlement_cancelled",
        target=VisitState.ADMITTED,
        who="his",
        why=record.id,
        at=at,
    )
    uow.years.save(
        record.person_id,
        record.insurance_type,
        year.totals.minus(record.decision.contribution),
        region=record.insuring_region,
        version=year.version + 1,
    )
    window = uow.windows.open_for(record.regime, business_day(at))
    original = uow.ledger.get(entry_id(Event.SETTLED, record.id, record.revision))
    if original is not None:
        uow.ledger.add(
            cancelled(original),
            regime=record.regime,
            period=window.period,
            bill_id=record.id,
            happened_at=at,
            recorded_at=at,
        )


def settled_bill(store, one: Stay) -> BillRecord:
    """`settle` in a transaction of its own, committed."""
    with store.begin(HUB_SCOPE) as uow:
        return settle(uow, one)


class PlayedRegion:
    """A gateway of which only the decision is asked."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def decide(self, asked: DecisionRequest) -> Decision:
        return decide(asked)


def closing_hub(store) -> Hub:
    """A hub that can close windows and do nothing else."""
    return Hub(
        store=store,
        gateways={},
        catalog=lambda region: None,
        calendar=WorkingCalendar({}, frozenset()),
        clearing_rules=ClearingRules(months_late=2, source="test"),
        new_id=lambda prefix: prefix,
        new_reference=lambda: "",
    )
