"""Checks of bills and decisions: sums, explanations, and the fold of a person's year.

Knows the tables of bills and the packed values in them. Must not know the ledger. Source: design invariants 1, 2 and 7.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row

from hub.core.decision import YearToDate
from hub.core.errors import HubError
from hub.store import codec
from hub.store.verify.check import Check, Inspection


def _bill_parts(inspection: Inspection) -> None:
    inspection.count("select count(*) from bill")
    inspection.find(
        """
        select bill.id || ': ' || array_to_string(wrong, '; ')
        from bill
        left join (
            select bill_id, sum(amount_fen) as amount_fen, jsonb_object_agg(fund, amount_fen) as by_fund
            from bill_share group by bill_id
        ) as shared on shared.bill_id = bill.id
        left join (select bill_id, decision as told, request as asked from decision) as decided
            on decided.bill_id = bill.id
        cross join lateral (select array_remove(array[
            case when total_fen <> full_self_pay_fen + over_limit_fen + first_self_pay_fen + in_policy_fen
                then 'the total is not its four classified parts' end,
            case when total_fen <> fund_total_fen + personal_account_fen + cash_fen + hospital_borne_fen
                then 'the total is not what funds, person and hospital bear' end,
            case when fund_total_fen <> coalesce(shared.amount_fen, 0)
                then 'the shares do not add up to the fund total' end,
            case when coalesce(by_fund, '{}') <> (
                    select coalesce(jsonb_object_agg(one ->> 0, one -> 1), '{}')
                    from jsonb_array_elements(told -> 'shares') as given (one)
                ) then 'the shares are not those decided' end,
            case when (told ->> 'total', told ->> 'personal_account', told ->> 'cash', told ->> 'hospital_borne')
                    is distinct from (total_fen::text, personal_account_fen::text, cash_fen::text,
                        hospital_borne_fen::text)
                then 'the head is not what was decided' end,
            case when asked - array['v', 'place', 'basis', 'level', 'group', 'membership_years', 'year_to_date']
                    is distinct from jsonb_build_object(
                        'bill_id', bill.id, 'insuring_region', insuring_region, 'care_region', care_region,
                        'insurance_type', insurance_type, 'admitted_on', admitted_on, 'discharged_on', discharged_on,
                        'amounts', jsonb_build_object('total', total_fen, 'full_self_pay', full_self_pay_fen,
                            'over_limit', over_limit_fen, 'first_self_pay', first_self_pay_fen,
                            'in_policy', in_policy_fen))
                then 'the head is not what was asked' end
        ], null) as wrong) as looked
        where wrong <> '{}'
        """
    )


def _bill_lines(inspection: Inspection) -> None:
    inspection.count("select coalesce(sum(jsonb_array_length(lines -> 'lines')), 0) from bill")
    parts = {
        "total_fen": codec.LINE_AMOUNT,
        "full_self_pay_fen": codec.LINE_FULL_SELF_PAY,
        "over_limit_fen": codec.LINE_OVER_LIMIT,
        "first_self_pay_fen": codec.LINE_FIRST_SELF_PAY,
        "in_policy_fen": codec.LINE_IN_POLICY,
    }
    sums = ", ".join(f"sum((line ->> {place})::bigint) as {part}" for part, place in parts.items())
    differ = " or ".join(f"bill.{part} is distinct from added.{part}" for part in parts)
    inspection.find(
        f"""
        select bill.id || ': the lines do not add up to the head'
        from bill
        cross join lateral (select {sums} from jsonb_array_elements(bill.lines -> 'lines') as packed (line)) as added
        where {differ}
        """
    )


def _explained(inspection: Inspection) -> None:
    for row in inspection.rows("select bill_id, cast(decision as text) from decision"):
        inspection.counted += 1
        try:
            decision = codec.read_decision(row.decision)
        except HubError as error:
            inspection.found(f"{row.bill_id}: {error.message}")
            continue
        except (LookupError, TypeError, ValueError):
            inspection.found(f"{row.bill_id}: cannot be read")
            continue
        if not all(step.value for step in decision.steps):
            inspection.found(f"{row.bill_id}: a step names no value")
    inspection.find(
        """
        select bill.id || ': no decision is kept' from bill
        where not exists (select from decision where decision.bill_id = bill.id)
        """
    )


def _years(inspection: Inspection) -> None:
    """Each bill was decided on what stood when it was booked; a version that no bill has cancelled the last one."""
    rows = inspection.rows(
        """
        select coalesce(kept.person_id, booked.person_id) as person_id,
            coalesce(kept.insurance_type, booked.insurance_type) as insurance_type,
            coalesce(kept.year, booked.year) as year,
            version, cast(totals as text) as totals, cast(bills as text) as bills
        from person_year as kept
        full join (
            select person_id, insurance_type, year, json_agg(json_build_array(
                year_version, state, request -> 'year_to_date', decision.decision -> 'contribution', bill.id
            ) order by year_version) as bills
            from bill join decision on decision.bill_id = bill.id
            group by person_id, insurance_type, year
        ) as booked using (person_id, insurance_type, year)
        """
    )
    for row in rows:
        inspection.counted += 1
        _year(inspection, row)
    inspection.find(
        "select id || ': does not count in its year' from bill where year <> extract(year from discharged_on)"
    )


def _year(inspection: Inspection, row: Row[Any]) -> None:
    """Book and cancel the year again: a stack, since the last bill is cancelled first."""
    place = f"{row.person_id}, {row.insurance_type}, {row.year}"
    standing: list[tuple[str, YearToDate]] = [("posted", YearToDate(year=row.year))]
    reached = 0
    for version, state, asked, contribution, bill_id in orjson.loads(row.bills or "[]"):
        _take_back(inspection, standing, version - reached - 1, place=place)
        reached, before = version, standing[-1][1]
        if {**asked, "v": codec.VERSION} != orjson.loads(codec.write_totals(before)):
            inspection.found(f"{bill_id}: was not decided on the fold of the bills settled before")
        standing.append((state, before.plus(codec.read_contribution(contribution))))
    if row.totals is None:
        inspection.found(f"{place}: not the fold of the settled bills")
        return
    _take_back(inspection, standing, row.version - reached, place=place)
    if any(state != "posted" for state, _ in standing) or codec.read_totals(row.totals) != standing[-1][1]:
        inspection.found(f"{place}: not the fold of the settled bills")


def _take_back(inspection: Inspection, standing: list[tuple[str, YearToDate]], cancels: int, *, place: str) -> None:
    for _ in range(cancels):
        if len(standing) == 1 or standing.pop()[0] != "cancelled":
            inspection.found(f"{place}: a version without a bill that was cancelled")
            return


BILL_CHECKS = (
    Check(
        "bill-parts-add-up",
        1,
        "Each bill's total is the sum of its parts and of what funds, person and hospital bear, as asked and decided.",
        _bill_parts,
    ),
    Check("bill-lines-add-up", 1, "The lines of each bill add up to its head.", _bill_lines),
    Check(
        "decision-explained",
        2,
        "The steps of each decision add up to it, and each names parameter, value, date and article.",
        _explained,
    ),
)
YEAR_CHECKS = (
    Check(
        "year-to-date-folds",
        7,
        "Each person's running totals are the fold of his settled bills, and each bill was decided on the fold before.",
        _years,
    ),
)
