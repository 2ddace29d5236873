"""What bills of windows not yet closed wait for: codes without entry or mapping, and the money in them.

Knows the table waiting_line and the packed lines of bills. Must not know how a line is classified.
Sources: decisions 0030 (lines are one packed value) and 0062 (what waits has a table, and when it waits no more).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, text

from hub.core.classification import LineOutcome
from hub.core.codes import BILLABLE_KINDS, CatalogKind, LocalCode, Region
from hub.core.mapping import HOLDING_STATES, PAYABLE_GRADES
from hub.core.money import Money
from hub.ports.catalogs import Coverage, WaitingRow
from hub.store import codec
from hub.vault import Vault

# Bills that may still be cancelled and settled anew under a better catalog.
_OPEN = """
    open_bill as materialized (
        select bill.id, settled_at from bill
        join clearing_window as holding on holding.regime = bill.regime and holding.period = bill.period
        where care_region = :region and bill.state = 'posted' and holding.state <> 'closed'
    )
"""
# A line waits no more once its mapping was decided after its bill, and where the code was unknown its entry as well.
_SINCE = """
    decided.kind = asked.kind and decided.code = asked.code and reviewed_at > settled_at
        and valid_from <= fee_date and (valid_until is null or valid_until > fee_date)
"""
_WAITS = f"""
    decided as materialized (
        select kind, code, what, valid_from, valid_until, reviewed_at from catalog_change
        where region = :region and state = any (cast(:holding as text[]))
    ), asked as (
        select waiting_line.*, settled_at from waiting_line join open_bill on open_bill.id = bill_id
        where care_region = :region
    ), waits as (
        select * from asked
        where not exists (select from decided where what = 'mapping' and {_SINCE})
        union all
        select * from asked
        where outcome = 'unknown_code'
            and exists (select from decided where what = 'mapping' and {_SINCE})
            and not exists (select from decided where what = 'entry' and {_SINCE})
    )
"""
_QUEUE = text(
    f"""
    with {_OPEN}, {_WAITS}
    select kind, code, mode() within group (order by name) as name,
        (array_agg(outcome order by fee_date desc, bill_id desc))[1] as outcome,
        count(distinct bill_id) as bills, count(*) as lines, sum(amount_fen) as amount_fen
    from waits
    where cast(:kind as text) is null or kind = :kind
    group by kind, code
    order by sum(amount_fen) desc, kind, code
    offset :offset limit :limit
    """
)
_MONEY = text(
    f"""
    with {_OPEN}, {_WAITS}, charged as (
        select line ->> {codec.LINE_KIND} as kind, sum((line ->> {codec.LINE_AMOUNT})::bigint) as amount_fen
        from open_bill join bill using (id)
        cross join lateral jsonb_array_elements(lines -> 'lines') as packed (line)
        group by 1
    ), waiting as (
        select kind, sum(amount_fen) as amount_fen from waits group by kind
    )
    select kind, charged.amount_fen, coalesce(waiting.amount_fen, 0) as waiting_fen
    from charged left join waiting using (kind)
    """
)
# What holds on a day as `hub.core.catalog` lays it out: of the release in force, and of the changes over it.
_ROWS = text(
    """
    with release as (
        select id, valid_from from catalog_release
        where region = :region and state = 'ready' and valid_from <= :on order by valid_from desc limit 1
    ), decided as (
        select kind, code, what, decided_order, catalog_change.valid_from < release.valid_from as begins_earlier,
            says -> 'condition' as condition, says ->> 'unified' as unified_code, says ->> 'grade' as grade
        from catalog_change left join release on true
        where region = :region and state = any (cast(:holding as text[])) and catalog_change.valid_from <= :on
            and (valid_until is null or valid_until > :on)
    ), entry as (
        select kind, code from region_item join release on release.id = release_id
        where region_item.valid_from <= :on and (valid_until is null or valid_until > :on)
        union
        select kind, code from decided where what = 'entry'
    ), published as (
        select kind, code, condition - 'v' as condition, unified_code, grade
        from code_mapping join release on release.id = release_id
        where code_mapping.valid_from <= :on and (valid_until is null or valid_until > :on)
    ), changed as (
        select distinct on (kind, code, condition) kind, code, condition, unified_code, grade from decided
        where what = 'mapping' and not (
            coalesce(begins_earlier, false)
            and exists (select from published where (published.kind, published.code) = (decided.kind, decided.code))
        )
        order by kind, code, condition, decided_order desc
    ), mapped as (
        select kind, code, unified_code, grade from published
        where not exists (
            select from changed
            where (changed.kind, changed.code) = (published.kind, published.code)
                and changed.condition is not distinct from published.condition
        )
        union all
        select kind, code, unified_code, grade from changed
    ), told as (
        select kind, code, bool_or(unified_code is not null) as mapped,
            bool_or(grade = any (cast(:payable as text[]))) as payable
        from mapped group by kind, code
    )
    select kind, count(*) as rows, count(*) filter (where mapped) as mapped, count(*) filter (where payable) as payable
    from entry left join told using (kind, code) group by kind
    """
)
# From the newest bill on, and no further than the limit: `offset 0` keeps the lines of all bills from being unpacked.
_BILLS_WITH = text(
    f"""
    with {_OPEN}
    select id from (select id, settled_at from open_bill order by settled_at desc, id desc) as newest
    where exists (
        select from bill cross join lateral jsonb_array_elements(lines -> 'lines') as packed (line)
        where bill.id = newest.id
            and line ->> {codec.LINE_KIND} = :kind and line ->> {codec.LINE_CODE} = :code
            and line ->> {codec.LINE_FEE_DATE} >= :since
            and (cast(:until as text) is null or line ->> {codec.LINE_FEE_DATE} < :until)
        offset 0
    )
    order by settled_at desc, id desc limit :limit
    """
)

_HOLDING = sorted(state.value for state in HOLDING_STATES)


class Waiting:
    """The shelf of what waits; see `hub.ports.catalogs.Waiting`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def queue(self, region: Region, *, kind: CatalogKind | None, offset: int, limit: int) -> Sequence[WaitingRow]:
        found = self._connection.execute(
            _QUEUE,
            {
                "region": region.code,
                "kind": None if kind is None else kind.value,
                "holding": _HOLDING,
                "offset": offset,
                "limit": limit,
            },
        )
        return [
            WaitingRow(
                local=LocalCode(region, CatalogKind(row.kind), row.code),
                name=row.name,
                outcome=LineOutcome(row.outcome),
                bills=row.bills,
                lines=row.lines,
                amount=Money(int(row.amount_fen)),
            )
            for row in found
        ]

    def coverage(self, region: Region, *, on: date) -> Sequence[Coverage]:
        rows = self._connection.execute(
            _ROWS,
            {
                "region": region.code,
                "on": on,
                "holding": _HOLDING,
                "payable": sorted(grade.value for grade in PAYABLE_GRADES),
            },
        )
        by_kind = {row.kind: (row.rows, row.mapped, row.payable) for row in rows}
        money = self._connection.execute(_MONEY, {"region": region.code, "holding": _HOLDING})
        fen = {row.kind: (int(row.amount_fen), int(row.waiting_fen)) for row in money}
        return [
            Coverage(kind, *by_kind.get(kind.value, (0, 0, 0)), *map(Money, fen.get(kind.value, (0, 0))))
            for kind in BILLABLE_KINDS
        ]

    def bills_with(self, local: LocalCode, *, since: date, until: date | None, limit: int) -> Sequence[str]:
        found = self._connection.execute(
            _BILLS_WITH,
            {
                "region": local.region.code,
                "kind": local.kind.value,
                "code": local.code,
                "since": since.isoformat(),
                "until": None if until is None else until.isoformat(),
                "limit": limit,
            },
        )
        return list(found.scalars())
