"""Checks of bills and decisions: sums, explanations, and the fold of a person's year.

Knows the tables of bills and the packed values in them. Must not know the ledger. Source: design invariants 1, 2 and 7.
"""

from __future__ import annotations

import orjson

from hub.core.decision import YearToDate
from hub.core.errors import HubError
from hub.store import codec
from hub.store.verify.check import Check, Inspection


def _bill_parts(inspection: Inspection) -> None:
    inspection.count("select count(*) from bill")
    inspection.find(
        """
        select bill.id || ': ' || array_to_string(array_remove(array[
                case when total_fen <> full_self_pay_fen + over_limit_fen + first_self_pay_fen + in_policy_fen
                    then 'the total is not its four classified parts' end,
                case when total_fen <> fund_total_fen + personal_account_fen + cash_fen + hospital_borne_fen
                    then 'the total is not what funds, person and hospital bear' end,
                case when fund_total_fen <> coalesce(shared.amount_fen, 0)
                    then 'the shares do not add up to the fund total' end,
                case when (told ->> 'total', told ->> 'personal_account', told ->> 'cash', told ->> 'hospital_borne')
                        is distinct from (total_fen::text, personal_account_fen::text, cash_fen::text,
                            hospital_borne_fen::text)
                    then 'the head is not what was decided' end
            ], null), '; ')
        from bill
        left join (select bill_id, sum(amount_fen) as amount_fen from bill_share group by bill_id) as shared
            on shared.bill_id = bill.id
        left join (select bill_id, decision as told from decision) as decided on decided.bill_id = bill.id
        where total_fen <> full_self_pay_fen + over_limit_fen + first_self_pay_fen + in_policy_fen
            or total_fen <> fund_total_fen + personal_account_fen + cash_fen + hospital_borne_fen
            or fund_total_fen <> coalesce(shared.amount_fen, 0)
            or (told ->> 'total', told ->> 'personal_account', told ->> 'cash', told ->> 'hospital_borne')
                is distinct from (total_fen::text, personal_account_fen::text, cash_fen::text, hospital_borne_fen::text)
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
    """The order of folding does not matter: contributions only add up."""
    rows = inspection.rows(
        """
        select coalesce(kept.person_id, booked.person_id) as person_id,
            coalesce(kept.insurance_type, booked.insurance_type) as insurance_type,
            coalesce(kept.year, booked.year) as year,
            cast(totals as text) as totals, cast(contributions as text) as contributions
        from person_year as kept
        full join (
            select person_id, insurance_type, year, json_agg(decision.decision -> 'contribution') as contributions
            from bill join decision on decision.bill_id = bill.id
            where state = 'posted'
            group by person_id, insurance_type, year
        ) as booked using (person_id, insurance_type, year)
        """
    )
    for row in rows:
        inspection.counted += 1
        folded = YearToDate(year=row.year)
        for contribution in orjson.loads(row.contributions or "[]"):
            folded = folded.plus(codec.read_contribution(contribution))
        if row.totals is None or codec.read_totals(row.totals) != folded:
            inspection.found(f"{row.person_id}, {row.insurance_type}, {row.year}: not the fold of the settled bills")


BILL_CHECKS = (
    Check(
        "bill-parts-add-up",
        1,
        "Each bill's total is the sum of its classified parts and of what funds, person and hospital bear.",
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
    Check("year-to-date-folds", 7, "Each person's running totals are the fold of his settled bills.", _years),
)
