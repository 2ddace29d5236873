"""Checks of catalogs and what was decided about them: one answer for each line, two persons, an order without gaps.

Knows the tables of releases, changes and waiting lines, and where a packed line keeps its parts. Must not know money
beyond that. Source: design invariants 1, 2 and 10; decision 0062.
"""

from __future__ import annotations

from hub.core.classification import WAITING_OUTCOMES
from hub.core.codes import CatalogKind, Region
from hub.core.errors import HubError
from hub.core.mapping import HOLDING_STATES, Mapping, first_clash
from hub.store import codec
from hub.store.catalog_shelf import CatalogShelf
from hub.store.changes import read_new
from hub.store.verify.check import Check, Inspection

_HOLDING = sorted(state.value for state in HOLDING_STATES)


def _waiting(inspection: Inspection) -> None:
    inspection.count("select count(*) from waiting_line")
    inspection.find(
        f"""
        with told as (
            select id as bill_id, (line ->> {codec.LINE_NO})::integer as line_no, care_region,
                line ->> {codec.LINE_KIND} as kind, line ->> {codec.LINE_CODE} as code,
                coalesce(line ->> {codec.LINE_CATALOG_NAME}, line ->> {codec.LINE_NAME}) as name,
                line ->> {codec.LINE_OUTCOME} as outcome, (line ->> {codec.LINE_FEE_DATE})::date as fee_date,
                (line ->> {codec.LINE_FULL_SELF_PAY})::bigint as amount_fen
            from bill cross join lateral jsonb_array_elements(lines -> 'lines') as packed (line)
            where line ->> {codec.LINE_OUTCOME} = any (cast(:waiting as text[]))
        )
        select coalesce(bill_id, kept.of_bill) || ', line ' || coalesce(told.line_no, kept.of_line) || ': ' || case
            when kept.of_bill is null then 'waits, but is not among those that wait'
            when told.bill_id is null then 'does not wait, but is among those that wait'
            else 'waits otherwise than its bill says' end
        from told
        full join (select bill_id as of_bill, line_no as of_line, waiting_line.* from waiting_line) as kept
            using (bill_id, line_no)
        where (told.care_region, told.kind, told.code, told.name, told.outcome, told.fee_date, told.amount_fen)
            is distinct from (kept.care_region, kept.kind, kept.code, kept.name, kept.outcome, kept.fee_date,
                kept.amount_fen)
        """,
        waiting=sorted(outcome.value for outcome in WAITING_OUTCOMES),
    )


def _one_answer(inspection: Inspection) -> None:
    """Within each release, and where decided mappings lie over releases."""
    inspection.count("select (select count(*) from region_item) + (select count(*) from code_mapping)")
    inspection.find(
        """
        select release_id || ', ' || kind || ' ' || code || ': two entries hold on ' || other.valid_from
        from region_item as one
        join region_item as other using (release_id, kind, code)
        where one.valid_from < other.valid_from and (one.valid_until is null or one.valid_until > other.valid_from)
        union all
        select release_id || ', ' || kind || ' ' || code || ': two mappings hold for one person on ' || other.valid_from
        from code_mapping as one
        join code_mapping as other using (release_id, kind, code)
        where one.ctid < other.ctid
            and (one.valid_until is null or one.valid_until > other.valid_from)
            and (other.valid_until is null or other.valid_until > one.valid_from)
            and (one.condition is null) = (other.condition is null)
            and (one.condition is null or hub_conditions_meet(one.condition, other.condition))
        """
    )
    regions = inspection.rows(
        """
        select distinct region from catalog_change
        where what = 'mapping' and state = any (cast(:holding as text[]))
            and exists (select from catalog_release where region = catalog_change.region and state = 'ready')
        """,
        holding=_HOLDING,
    )
    for row in list(regions):
        _decided_mappings(inspection, Region(row.region))


def _decided_mappings(inspection: Inspection, region: Region) -> None:
    shelf = CatalogShelf(inspection.connection, inspection.vault)
    by_kind: dict[CatalogKind, set[str]] = {}
    for change in shelf.in_force(region):
        if isinstance(change.new, Mapping):
            by_kind.setdefault(change.local.kind, set()).add(change.local.code)
    for kind, codes in by_kind.items():
        catalog = shelf.part(region, kind, sorted(codes))
        for code in sorted(codes):
            inspection.counted += 1
            clashing = next((one for one in catalog.stretches(kind, code) if first_clash(one.mappings)), None)
            if clashing is not None:
                inspection.found(f"{region}, {kind} {code}: two mappings hold for one person on {clashing.span.start}")


def _readable(inspection: Inspection) -> None:
    rows = inspection.rows(
        """
        select id, region, kind, code, what, cast(says as text) as says, valid_from, valid_until from catalog_change
        """
    )
    for row in rows:
        inspection.counted += 1
        try:
            days = read_new(row).valid
        except HubError as error:
            inspection.found(f"{row.id}: {error.message}")
            continue
        except (LookupError, TypeError, ValueError):
            inspection.found(f"{row.id}: cannot be read")
            continue
        if (days.start, days.end) != (row.valid_from, row.valid_until):
            inspection.found(f"{row.id}: says other days than it is found by")


def _orders(inspection: Inspection) -> None:
    inspection.count("select count(*) from catalog_change where decided_order is not null")
    inspection.find(
        """
        select region || ': decision ' || decided_order || ' (' || id || ') should be number ' || place
        from (
            select id, region, decided_order,
                row_number() over (partition by region order by decided_order, id) as place
            from catalog_change where decided_order is not null
        ) as counted
        where decided_order <> place
        """
    )


def _approved(inspection: Inspection) -> None:
    """Who the change names is who took the step; whether steps follow each other is another check's business."""
    inspection.count("select count(*) from catalog_change")
    inspection.find(
        """
        with step as (
            select distinct on (change_id, part) change_id, part, who, at
            from catalog_change_move
            cross join lateral (select case
                when event in ('approved', 'rejected') then 'reviewed'
                when event in ('undone', 'undo_refused') then 'undo reviewed'
                when event in ('proposed', 'undo_proposed') then replace(event, '_', ' ')
            end as part) as named
            where part is not null
            order by change_id, part, move_no desc
        ), named as (
            select id, part, who, at from catalog_change cross join lateral (values
                ('proposed', proposed_by, proposed_at),
                ('reviewed', reviewed_by, reviewed_at),
                ('undo proposed', undo_proposed_by, null),
                ('undo reviewed', undo_reviewed_by, null)
            ) as said (part, who, at)
            where who is not null
        )
        select id || ': ' || named.part || ' by ' || named.who || ', but ' || case
            when step.who is null then 'no step says so'
            when step.who <> named.who then 'the step was taken by ' || step.who
            else 'at another time than the step was taken' end
        from named left join step on step.change_id = id and step.part = named.part
        where step.who is distinct from named.who or (named.at is not null and step.at <> named.at)
        union all
        select id || ': holds without review' from catalog_change
        where state = any (cast(:reviewed as text[])) and reviewed_by is null
        """,
        reviewed=[*_HOLDING, "undone", "rejected"],
    )


def _two_persons(inspection: Inspection) -> None:
    inspection.count(
        """
        select (select count(*) from catalog_change where reviewed_by is not null)
            + (select count(*) from code_mapping where reviewer is not null)
        """
    )
    inspection.find(
        """
        select id || ': reviewed by ' || reviewed_by || ', who proposed it' from catalog_change
        where reviewed_by = proposed_by
        union all
        select id || ': its undoing reviewed by ' || undo_reviewed_by || ', who proposed that' from catalog_change
        where undo_reviewed_by = undo_proposed_by
        union all
        select release_id || ', ' || kind || ' ' || code || ': reviewed by ' || reviewer || ', who decided it'
        from code_mapping where reviewer = decider
        """
    )


WAITING_CHECKS = (
    Check("waiting-lines-equal-bills", 1, "The lines that wait are those of which bills say so.", _waiting),
)
CATALOG_CHECKS = (
    Check("catalog-answers-once", 2, "No line finds two entries, or two mappings for its person.", _one_answer),
    Check("changes-can-be-read", 2, "Each change of a catalog says an entry or a mapping, on its days.", _readable),
)
CHANGE_CHECKS = (
    Check("change-orders-without-gaps", 10, "The decisions of each region are numbered from 1 without gaps.", _orders),
    Check("changes-were-reviewed", 10, "Whoever a change names took that step, and nothing holds without.", _approved),
    Check("changes-by-two", 10, "Nobody stands on both sides of a change or a mapping.", _two_persons),
)
