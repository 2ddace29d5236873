"""Reads every table of region rules in this folder and checks each case; see README.md beside it."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from adapters.policy_folder import REGIONS_FOLDER, load_policy
from hub.core.adjudication import CapNotStated, decide, pay_layer
from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel
from hub.core.classification import Treated, classify_line
from hub.core.codes import CatalogKind, Fund, InsuranceType, LocalCode, Region, UnifiedCode
from hub.core.dates import Span
from hub.core.decision import DecisionRequest, PersonGroup, Place, Refusal, YearToDate, check_answer
from hub.core.mapping import Grade, Mapping
from hub.core.money import ZERO, percent, total, yuan
from hub.core.plan import compile_plan
from hub.core.policy import Case
from hub.core.registration import AccessBasis
from tests.core.builders import catalog_of
from tests.core.builders import line as fee_line

HERE = Path(__file__).parent
POLICIES = {folder.name: load_policy(folder) for folder in REGIONS_FOLDER.iterdir() if folder.name.isdigit()}
FUNDS = {"basic": Fund.RESIDENT_BASIC, "catastrophic": Fund.RESIDENT_CATASTROPHIC}


def read_cases():
    for path in sorted(HERE.glob("*/*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert table["source"]
        for case in table["case"]:
            assert case["by_hand"], f"{path.name}: {case['name']} has no sum on paper"
            facts = {**table.get("given", {}), **case["given"]}
            name = f"{path.parent.name}/{path.stem}: {case['name']}"
            yield pytest.param(table["drive"], facts, case["expect"], id=name)


@pytest.mark.parametrize(("drive", "facts", "expect"), list(read_cases()))
def test_rule(drive, facts, expect):
    answer = {"layer": drive_layer, "bill": drive_bill, "line": drive_line}[drive](facts)

    if "refused" in expect:
        assert isinstance(answer, Refusal), answer
        assert answer.reason == expect["refused"]
        assert expect.get("naming", "") in answer.detail
    else:
        assert {key: str(answer[key]) for key in expect} == expect


def plan_for(facts):
    return compile_plan(POLICIES[facts["region"]], on=day_of(facts))


def drive_layer(facts):
    plan = plan_for(facts)
    treatment = plan.treatment(AccessBasis(facts["basis"])).value
    person = Case(level_of(facts), group_of(facts), Place(facts["place"]), treatment)
    layers = plan.terms(
        person, insurance_type=InsuranceType.RESIDENT, membership_years=facts.get("membership_years", 1)
    )
    (terms,) = (one for one in layers if one.layer == facts["layer"])
    year = YearToDate(
        2026,
        paid_by_fund={terms.fund: yuan(facts.get("paid_before", "0.00"))},
        accumulated={terms.layer: yuan(facts.get("year_before", "0.00"))},
    )
    share = pay_layer(terms, base=yuan(facts["base"]), year_to_date=year)
    assert not isinstance(share, CapNotStated)
    return {
        "fund": share.paid,
        "below_deductible": share.below_deductible,
        "over_cap": share.over_cap,
        "remainder": share.remainder,
    }


def drive_bill(facts):
    year = YearToDate(day_of(facts).year)
    for number, earlier in enumerate(facts.get("earlier", [])):
        answer = decide_one({**facts, **earlier}, year, f"earlier-{number}")
        year = year.plus(answer.contribution)
    decision = decide_one(facts, year, "bill")
    if isinstance(decision, Refusal):
        return decision
    steps = dict.fromkeys(("deductible", "remainder", "cap", "full_self_pay", "first_self_pay"), ZERO)
    for step in decision.steps:
        steps[step.parameter] = steps.get(step.parameter, ZERO) + step.amount
    shares = {name: decision.shares.get(fund, ZERO) for name, fund in FUNDS.items()}
    return {**steps, **shares, "cash": decision.cash, "total": decision.total}


def decide_one(facts, year, bill_id):
    parts = {name: yuan(facts.get(name, "0.00")) for name in ("full_self_pay", "over_limit", "first_self_pay")}
    amounts = ClassifiedAmounts(
        total=total((*parts.values(), yuan(facts["in_policy"]))), in_policy=yuan(facts["in_policy"]), **parts
    )
    outside = {"within_province": facts["region"][:2] + "0900", "outside_province": "430100"}
    request = DecisionRequest(
        bill_id=bill_id,
        insuring_region=Region(facts["region"]),
        care_region=Region(outside[facts["place"]]),
        place=Place(facts["place"]),
        basis=AccessBasis(facts["basis"]),
        level=level_of(facts),
        insurance_type=InsuranceType(facts.get("insurance_type", "390")),
        group=group_of(facts),
        membership_years=facts.get("membership_years", 1),
        admitted_on=date.fromisoformat(facts.get("admitted_on", "2026-06-20")),
        discharged_on=day_of(facts),
        amounts=amounts,
        year_to_date=year,
    )
    decision = decide(plan_for(facts), request)
    if not isinstance(decision, Refusal):
        check_answer(decision, request=request)
    return decision


def drive_line(facts):
    local = LocalCode(Region(facts["region"]), CatalogKind.SERVICE, "S1")
    item = CatalogItem(
        local, "检查", "次", BenefitClass(facts["class"]), percent(facts["first_self_pay"]), {}, Span(date(2024, 1, 1))
    )
    target = UnifiedCode(CatalogKind.SERVICE, "001102000010000")
    catalog = catalog_of([item], [Mapping(local, target, Grade.EXACT, date(2024, 1, 1))], region=local.region)
    sent = fee_line(price=facts["price"], on=date(2026, 6, 21), kind=local.kind, code=local.code)
    line = classify_line(sent, catalog=catalog, treated=Treated(HospitalLevel.LEVEL_3))
    return {"first_self_pay": line.first_self_pay, "in_policy": line.in_policy}


def day_of(facts):
    return date.fromisoformat(facts.get("on", "2026-06-30"))


def level_of(facts):
    return HospitalLevel(facts.get("level", "3"))


def group_of(facts):
    return PersonGroup(facts.get("group", "adult"))
