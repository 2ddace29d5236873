"""Reads every table of region rules in this folder and checks each case; see README.md beside it."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from adapters.policy_folder import POLICY_FILE, REGIONS_FOLDER
from hub.core.adjudication import decide, pay_layer
from hub.core.bill import ClassifiedAmounts
from hub.core.catalog import BenefitClass, CatalogItem, HospitalLevel
from hub.core.classification import Treated, classify_line
from hub.core.codes import CatalogKind, InsuranceType, LocalCode, Region, UnifiedCode
from hub.core.dates import Period, Span
from hub.core.decision import (
    CareKind,
    DecisionRequest,
    Payer,
    PersonGroup,
    Place,
    Referral,
    Refusal,
    YearToDate,
    check_answer,
)
from hub.core.financing import (
    DeadlineReading,
    last_day_of_payment,
    per_head,
    quotas,
    second_compensation_opens,
    second_compensation_reaches,
    split_loss,
    split_surplus,
    trigger_of,
    unclaimed,
    unexplained,
)
from hub.core.layer import Unstated
from hub.core.mapping import Grade, Mapping
from hub.core.money import ZERO, percent, total, yuan
from hub.core.plan import compile_plan
from hub.core.policy import Base, Case
from hub.core.policy_file import read_policy
from hub.core.registration import AccessBasis
from tests.core.builders import catalog_of
from tests.core.builders import line as fee_line

HERE = Path(__file__).parent


def read_cases():
    for path in sorted(HERE.glob("*/*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert table["source"]
        for case in table["case"]:
            assert case["by_hand"], f"{path.name}: {case['name']} has no sum on paper"
            facts = {**table.get("given", {}), **case["given"]}
            facts["readings"] = table.get("reading", []) + case.get("reading", [])
            name = f"{path.parent.name}/{path.stem}: {case['name']}"
            yield pytest.param(table["drive"], facts, case["expect"], id=name)


@pytest.mark.parametrize(("drive", "facts", "expect"), list(read_cases()))
def test_rule(drive, facts, expect):
    answer = DRIVES[drive](facts)

    if "refused" in expect:
        assert isinstance(answer, Refusal), answer
        assert answer.reason == expect["refused"]
        assert expect.get("naming", "") in answer.detail
    else:
        assert {key: str(answer[key]) for key in expect} == expect


# --- policies, as published and as read otherwise ----------------------------------------------------------------


@cache
def policy_of(code, readings):
    """A region's policy with changes of its data: other readings of the text, or a figure that the text lacks."""
    tables = tomllib.loads((REGIONS_FOLDER / code / POLICY_FILE).read_text(encoding="utf-8"))
    for reading in tomllib.loads(readings)["reading"]:
        *path, last = reading["at"].split(".")
        place = tables
        for step in path:
            place = find(place, step)
        key = int(last) if isinstance(place, list) else last
        if "add" in reading:
            place.setdefault(key, []).append(reading["add"])
        elif "instead" in reading:
            place[key] = reading["instead"]
        else:
            del place[key]
    return read_policy(tables, file=f"{code}/{POLICY_FILE}", digest="0" * 64)


def find(place, step):
    """The value of a key; of rows, the one with this number, name or ground of access."""
    if isinstance(place, dict):
        return place[step]
    if step.isdigit():
        return place[int(step)]
    return next(row for row in place if step in {row.get("name"), row.get("basis")})


def as_toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def plan_for(facts):
    policy = policy_of(facts["region"], f"reading = {as_toml(facts.get('readings', []))}")
    return compile_plan(policy, on=day_of(facts))


# --- layers and bills --------------------------------------------------------------------------------------------


def drive_layer(facts):
    plan = plan_for(facts)
    treatment = plan.treatment(AccessBasis(facts["basis"])).value
    person = Case(
        level_of(facts),
        group_of(facts),
        Place(facts["place"]),
        treatment,
        care=care_of(facts),
        lists=plan.lists_with(facts.get("disease", "")),
    )
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
    if isinstance(share, Unstated):
        return plan.missing(share.parameter)
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
    names = (
        "deductible",
        "remainder",
        "cap",
        "full_self_pay",
        "first_self_pay",
        "paid_first",
        "by_disease",
        "catastrophic",
    )
    found = dict.fromkeys((*names, *(layer.name for layer in plan_for(facts).layers)), ZERO)
    for step in decision.steps:
        name = step.layer if step.pays is Payer.FUND else step.parameter
        found[name] = found.get(name, ZERO) + step.amount
    return {
        **found,
        "cash": decision.cash,
        "hospital_borne": decision.hospital_borne,
        "total": decision.total,
        "policy": decision.policy,
        "counted": decision.contribution.accumulated.get("catastrophic", ZERO),
    }


def decide_one(facts, year, bill_id):
    parts = {name: yuan(facts.get(name, "0.00")) for name in ("full_self_pay", "over_limit", "first_self_pay")}
    amounts = ClassifiedAmounts(
        total=total((*parts.values(), yuan(facts["in_policy"]))), in_policy=yuan(facts["in_policy"]), **parts
    )
    outside = {"within_province": facts["region"][:2] + "0900", "outside_province": "430100"}
    plan = plan_for(facts)
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
        care=care_of(facts),
        referral=Referral(facts.get("referral", "none")),
        disease=facts.get("disease", ""),
        by_disease=facts.get("by_disease", False),
        paid_first={source: yuan(amount) for source, amount in facts.get("paid_first", {}).items()},
    )
    decision = decide(plan, request)
    if not isinstance(decision, Refusal):
        whole = any(row.parameter.value is Base.WHOLE_REMAINDER for layer in plan.layers for row in layer.base)
        check_answer(decision, request=request, beyond_policy=whole)
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


# --- money between schemes, insurers and hospitals ---------------------------------------------------------------


def drive_surplus(facts):
    split = split_surplus(yuan(facts["surplus"]), financing=yuan(facts["financing"]), fee=percent(facts["fee"]))
    return {"insurer": split.insurer, "returned": split.fund}


def drive_loss(facts):
    split = split_loss(
        yuan(facts["loss"]), caused_by_policy=facts["caused_by_policy"], fund_bears=percent(facts["fund_bears"])
    )
    return {"insurer": split.insurer, "fund": split.fund}


def drive_second_compensation(facts):
    opens = second_compensation_opens(
        yuan(facts["surplus"]), financing=yuan(facts["financing"]), above=percent(facts["above"])
    )
    reaches = second_compensation_reaches(yuan(facts["own_part"]), income_per_head=yuan(facts["income_per_head"]))
    return {"opens": yes(opens), "reaches": yes(reaches)}


def drive_quota(facts):
    return quotas(yuan(facts["budget"]), costs={name: yuan(cost) for name, cost in facts["costs"].items()})


def drive_per_head(facts):
    return {"per_head": per_head(yuan(facts["amount"]), heads=facts["heads"])}


def drive_total(facts):
    return {"unexplained": unexplained(yuan(facts["stated"]), parts=[yuan(part) for part in facts["parts"]])}


def drive_deadline(facts):
    last = last_day_of_payment(Period.parse(facts["month"]), reading=DeadlineReading(facts["reading"]))
    return {"last_day": last, "paid": yes(date.fromisoformat(facts["received"]) <= last)}


def drive_trigger(facts):
    found = trigger_of(yuan(facts["own_part"]), before=yuan(facts["before"]), deductible=yuan(facts["deductible"]))
    return {"trigger": found}


def drive_unclaimed(facts):
    due = {person: yuan(amount) for person, amount in facts["due"].items()}
    offered = unclaimed(due, paid={person: yuan(amount) for person, amount in facts["paid"].items()})
    return {person: offered.get(person, ZERO) for person in due}


DRIVES = {
    "layer": drive_layer,
    "bill": drive_bill,
    "line": drive_line,
    "surplus": drive_surplus,
    "loss": drive_loss,
    "second_compensation": drive_second_compensation,
    "quota": drive_quota,
    "per_head": drive_per_head,
    "total": drive_total,
    "deadline": drive_deadline,
    "trigger": drive_trigger,
    "unclaimed": drive_unclaimed,
}


def yes(answer):
    return "yes" if answer else "no"


def care_of(facts):
    return CareKind(facts.get("care", "inpatient"))


def day_of(facts):
    return date.fromisoformat(facts.get("on", "2026-06-30"))


def level_of(facts):
    return HospitalLevel(facts.get("level", "3"))


def group_of(facts):
    return PersonGroup(facts.get("group", "adult"))
