"""Says in words what a policy holds on a day, for people who do not read its file.

Knows the parts of a policy and how a figure is written. Must not know bills, files or commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from hub.core.plan import compile_plan
from hub.core.policy import CapKind, Condition, Layer, Parameter, Policy, Row


def explain_policy(policy: Policy, *, on: date) -> str:
    """One line a figure: what it is, for whom, its value, since when, and where it stands."""
    return "\n".join(_lines(policy, on))


def _lines(policy: Policy, on: date) -> Iterator[str]:
    plan = compile_plan(policy, on=on)
    since = f"unchanged since {plan.span.start}" if plan.span is not None else "nothing is in force yet"
    yield f"{policy.name} ({policy.label}) on {on}: {since}"
    for basis, treatment in plan.access.items():
        yield f"  access {basis}: {treatment.value}{_source(treatment)}"
    for one in (plan.year_attribution, plan.catalog_of):
        if one is not None:
            yield f"  {one.name}: {one.value}{_source(one)}"
    for row in plan.waiting:
        yield f"  waiting period: {row.parameter.value} days{_for(row.when)}{_source(row.parameter)}"
    for found in plan.standards:
        standard = found.parameter.value
        yield f"  price of {standard.disease}: {standard.amount} yuan{_for(found.when)}{_source(found.parameter)}"
    for layer in plan.layers:
        yield from _layer(layer)


def _layer(layer: Layer) -> Iterator[str]:
    yield f"  layer {layer.name}: fund {layer.fund}, insurance type {layer.insurance_type} ({layer.source})"
    for name, rows in (
        ("covers", layer.covers),
        ("base", layer.base),
        ("counted over the", layer.accumulate),
        ("opens", layer.opens),
        ("less what came first", layer.less),
        ("deductible", layer.deductibles),
        ("segment", layer.segments),
        ("elsewhere", layer.elsewhere),
        ("tilt", layer.tilts),
        ("membership", layer.bonuses),
        ("cap", layer.caps),
    ):
        for row in rows:
            yield f"    {name}{_value(row)}{_for(row.when)}{_source(row.parameter)}"


def _value(row: Row[Any]) -> str:
    value = row.parameter.value
    if value is True:
        return ""
    if isinstance(value, frozenset):
        return f" {', '.join(sorted(map(str, value))) or 'none'}"
    fields = getattr(value, "__slots__", ())
    if not fields:
        return f" {value}"
    told = []
    for field in fields:
        found = getattr(value, field)
        if found is None and field == "up_to":
            found = "no limit"
        if found in (None, frozenset()) or (field == "amount" and getattr(value, "kind", None) is CapKind.NONE):
            continue
        told.append(f"{field} {', '.join(sorted(map(str, found))) if isinstance(found, frozenset) else found}")
    return f" {', '.join(told)}"


def _for(when: Condition) -> str:
    told = [
        ", ".join(sorted(map(str, several)))
        for several in (when.levels, when.groups, when.places, when.treatments, when.care, when.referrals, when.lists)
        if several
    ]
    if when.from_admission > 1:
        told.append(f"from admission {when.from_admission}")
    return f" [{'; '.join(told)}]" if told else ""


def _source(parameter: Parameter[Any]) -> str:
    assumed = ", assumed" if parameter.assumed else ""
    return f" ({parameter.source}; from {parameter.span.start}{assumed})"
