"""Money between a scheme, its insurer and its hospitals: who keeps a surplus, who bears a loss, until when is paid.

Knows the rules that work on a year's totals and not on one bill.
Must not know any fund's balance, any bill, nor where a figure comes from: every amount and rate is handed in.
Sources: seed-policies P05 (fee, surplus, loss), P06 (what sets an insurer's payment off), P10 (second compensation),
P12 (quota of a hospital), P16 (amount per head), P24 (last day of payment) and P27 (parts against their total).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hub.core.dates import Period
from hub.core.errors import NotAllowed
from hub.core.money import ZERO, Money, Rate, cut, share, share_of, total

LAST_DAY = 20
"""Hospitals' bills of a month are taken until this day of the next month, itself included (P24)."""


@dataclass(frozen=True, slots=True)
class Split:
    """An amount divided between the insurer and the scheme's fund: insurer + fund = the amount divided."""

    insurer: Money
    fund: Money


def split_surplus(surplus: Money, *, financing: Money, fee: Rate) -> Split:
    """Divide what the year left over: the insurer keeps up to the contract's fee, the rest returns to the fund (P05).

    The fee is a share of the year's financing, rounded half up to the fen. Raises NotAllowed for a negative amount.
    """
    _not_negative(surplus=surplus, financing=financing)
    kept = min(surplus, share_of(financing, fee))
    return Split(insurer=kept, fund=surplus - kept)


def split_loss(loss: Money, *, caused_by_policy: bool, fund_bears: Rate) -> Split:
    """Divide a year's loss: one that a change of policy caused as the contract says, any other to the insurer (P05).

    `fund_bears` is the contract's share of the fund; it is rounded half up to the fen, the insurer bears the rest.
    """
    _not_negative(loss=loss)
    if not caused_by_policy:
        return Split(insurer=loss, fund=ZERO)
    fund, insurer = cut(loss, fund_bears.value.numerator, fund_bears.value.denominator)
    return Split(insurer=insurer, fund=fund)


def second_compensation_opens(surplus: Money, *, financing: Money, above: Rate) -> bool:
    """Whether a year's surplus, carry-over included, lies above a share of its financing (P10: above 20 %, not at it).

    Compared exactly, without rounding. Raises NotAllowed for a negative financing; a deficit opens nothing.
    """
    _not_negative(financing=financing)
    return surplus.fen * above.value.denominator > financing.fen * above.value.numerator


def second_compensation_reaches(own_part: Money, *, income_per_head: Money) -> bool:
    """Whether an inpatient's own part lies above last year's local income per head (P10)."""
    return own_part > income_per_head


def quotas(budget: Money, *, costs: Mapping[str, Money]) -> dict[str, Money]:
    """Divide a year's money by the hospitals' costs of the last three years (P12).

    Each gets its exact share cut down to the fen; the fen left over go to the largest cut-off fractions, the hospital
    named first where two are equal, so that the quotas add up to the budget. Raises NotAllowed where a cost is negative
    or no hospital had any.
    """
    _not_negative(budget=budget, **costs)
    whole = total(costs.values()).fen
    if not whole:
        raise NotAllowed("quota_without_costs", "no hospital had costs in the years that the quota rests on")
    exact = {name: budget.fen * cost.fen for name, cost in costs.items()}
    found = {name: product // whole for name, product in exact.items()}
    left = budget.fen - sum(found.values())
    by_fraction = sorted(exact, key=lambda name: -(exact[name] % whole))
    for name in by_fraction[:left]:
        found[name] += 1
    return {name: Money(fen) for name, fen in found.items()}


def quota_left(quota: Money, *, spent: Money) -> Money:
    """What a hospital keeps of its quota for later use; below zero what it bears itself (P12)."""
    return quota - spent


def per_head(amount: Money, *, heads: int) -> Money:
    """An amount per person or per stay, rounded half up to the fen: the check that a unit is right (P12, P16).

    Raises NotAllowed where there is nobody.
    """
    if heads < 1:
        raise NotAllowed("nobody", "an amount per head needs at least one head")
    return share(amount, 1, heads)


def unexplained(stated: Money, *, parts: Iterable[Money]) -> Money:
    """What a stated total has above the sum of its parts; anything but zero is reported, one fen as well (P27)."""
    return stated - total(parts)


class DeadlineReading(StrEnum):
    """How P24 is read: each month has its own last day, or the 20th is the rhythm and only the year has one."""

    EACH_MONTH = "each_month"
    YEAR_ONLY = "year_only"


def last_day_of_payment(month: Period, *, reading: DeadlineReading) -> date:
    """The last day on which a hospital's bills of a month are taken, itself included; later nothing is paid (P24).

    Calendar days, without regard to holidays.
    """
    due = month.next() if reading is DeadlineReading.EACH_MONTH else Period(month.year + 1, 1)
    return due.first_day.replace(day=LAST_DAY)


class Trigger(StrEnum):
    """What sets an insurer's payment off (P06): one stay, several together, or that nobody claimed what was due."""

    SINGLE = "single"
    ACCUMULATED = "accumulated"
    UNCLAIMED = "unclaimed"


def trigger_of(own_part: Money, *, before: Money, deductible: Money) -> Trigger | None:
    """What a stay sets off: `own_part` is its self-pay in policy, `before` that of the year's earlier stays.

    A stay that passes the deductible by itself is settled at discharge; one that passes it only with the earlier ones
    is paid promptly afterwards; below the deductible nothing is due. At the deductible itself nothing is due, either.
    """
    _not_negative(own_part=own_part, before=before, deductible=deductible)
    if own_part > deductible:
        return Trigger.SINGLE
    return Trigger.ACCUMULATED if own_part + before > deductible else None


def unclaimed(due: Mapping[str, Money], *, paid: Mapping[str, Money]) -> dict[str, Money]:
    """For each person to whom more is due than was paid: what the insurer must offer without being asked (P06)."""
    left = {person: amount - paid.get(person, ZERO) for person, amount in due.items()}
    return {person: amount for person, amount in left.items() if amount > ZERO}


def _not_negative(**amounts: Money) -> None:
    for name, amount in amounts.items():
        if amount < ZERO:
            raise NotAllowed("amount_negative", f"{name} is {amount}, an amount of a year is not negative")
