"""The figures of a window: summed from its legs, kept once.

Knows the tables gross_cell, net_position and net_transfer and the sums over entries and legs. Must not know how nets
are made. Sources: design invariant 4; domain-process section 9.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from hub.core.clearing import Window
from hub.core.codes import Fund, InstitutionCode, InsuranceType, Region
from hub.core.errors import Inconsistent
from hub.core.ledger import Event
from hub.core.money import Money
from hub.core.netting import GrossCell, NetMethod, Position, Transfer
from hub.core.statement import StatementRow
from hub.vault import Vault

# Legs carry window and event, so that the month is summed in one pass and only the sums meet their accounts.
_GROSS = text(
    """
    select insurance_type, insuring_region, care_region, fund, amount_fen, bills
    from (
        select account_id, count(*) as bills,
            cast(sum(case side when 'D' then amount_fen else -amount_fen end) as bigint) as amount_fen
        from leg
        where window_id = :window_id and event in ('settled', 'cancelled')
        group by account_id
    ) as summed
    join account on account.id = summed.account_id
    where account.kind = 'fund_due'
    order by insurance_type, insuring_region, care_region, fund
    """
)
_SAVE_CELLS = text(
    """
    insert into gross_cell (window_id, insuring_region, care_region, insurance_type, fund, amount_fen, bills)
    select :window_id, * from unnest(
        cast(:insuring_regions as text[]), cast(:care_regions as text[]), cast(:insurance_types as text[]),
        cast(:funds as text[]), cast(:amounts as bigint[]), cast(:bills as bigint[])
    )
    """
)
_CELLS = text(
    """
    select insurance_type, insuring_region, care_region, fund, amount_fen, bills from gross_cell
    where window_id = :window_id order by insurance_type, insuring_region, care_region, fund
    """
)
_SAVE_POSITIONS = text(
    """
    insert into net_position (window_id, insurance_type, region, amount_fen)
    select :window_id, * from unnest(
        cast(:insurance_types as text[]), cast(:regions as text[]), cast(:amounts as bigint[])
    )
    """
)
_POSITIONS = text(
    """
    select insurance_type, region, amount_fen from net_position
    where window_id = :window_id order by insurance_type, region
    """
)
_SAVE_TRANSFERS = text(
    """
    insert into net_transfer (window_id, method, insurance_type, payer, payee, amount_fen, transfer_no)
    select :window_id, * from unnest(
        cast(:methods as text[]), cast(:insurance_types as text[]), cast(:payers as text[]), cast(:payees as text[]),
        cast(:amounts as bigint[])
    ) with ordinality
    """
)
_TRANSFERS = text(
    """
    select method, insurance_type, payer, payee, amount_fen from net_transfer
    where window_id = :window_id order by transfer_no
    """
)
_REGIONS = text(
    """
    select insuring_region as region from entry where window_id = :window_id and event in ('settled', 'cancelled')
    union
    select care_region from entry where window_id = :window_id and event in ('settled', 'cancelled')
    order by region
    """
)
_STATEMENT_ROWS = text(
    """
    select entry.id, entry.event, entry.bill_id, entry.insuring_region, entry.care_region, bill.institution,
        bill.insurance_type, bill.discharged_on, entry.booked_on, bill.months_late, bill.total_fen,
        array_agg(account.fund order by leg_no) filter (where account.kind = 'fund_due') as funds,
        array_agg(case side when 'D' then amount_fen else -amount_fen end order by leg_no)
            filter (where account.kind = 'fund_due') as amounts
    from entry
    join bill on bill.id = entry.bill_id
    join leg on leg.entry_id = entry.id
    join account on account.id = leg.account_id
    where entry.window_id = :window_id
        and entry.event in ('settled', 'cancelled')
        and (entry.insuring_region = :region or entry.care_region = :region)
    group by entry.id, bill.id
    order by entry.insuring_region, entry.care_region, bill.institution, entry.booked_on, entry.id collate "C"
    """
)
_TAKE_TIME = text("select set_config('statement_timeout', '20min', true)")


class Clearing:
    """The shelf of a window's figures; see `hub.ports.store.Clearing`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def gross_from_entries(self, window: Window) -> Sequence[GrossCell]:
        """The matrix of a whole month; tens of millions of bills take longer than a desk waits."""
        self._connection.execute(_TAKE_TIME)
        return [_cell(row) for row in self._connection.execute(_GROSS, {"window_id": window.id})]

    def save_cells(self, window: Window, cells: Iterable[GrossCell]) -> None:
        wanted = sorted(cells, key=lambda cell: cell.key)
        held = self.cells(window)
        if held and held != wanted:
            raise Inconsistent("matrix_differs", f"{window.id} has another gross matrix already")
        if wanted and not held:
            self._connection.execute(
                _SAVE_CELLS,
                {
                    "window_id": window.id,
                    "insuring_regions": [cell.insuring_region.code for cell in wanted],
                    "care_regions": [cell.care_region.code for cell in wanted],
                    "insurance_types": [cell.insurance_type.value for cell in wanted],
                    "funds": [cell.fund.value for cell in wanted],
                    "amounts": [cell.amount.fen for cell in wanted],
                    "bills": [cell.bills for cell in wanted],
                },
            )

    def cells(self, window: Window) -> Sequence[GrossCell]:
        return [_cell(row) for row in self._connection.execute(_CELLS, {"window_id": window.id})]

    def save_nets(self, window: Window, *, positions: Iterable[Position], transfers: Iterable[Transfer]) -> None:
        """Keep both nets; keeping the same again changes nothing, others raise Inconsistent."""
        new_positions = sorted(positions, key=lambda position: (position.insurance_type, position.region))
        new_transfers = list(transfers)
        held = (self.positions(window), self.transfers(window))
        if any(held):
            if held != (new_positions, new_transfers):
                raise Inconsistent("nets_differ", f"{window.id} has other nets already")
            return
        self._connection.execute(
            _SAVE_POSITIONS,
            {
                "window_id": window.id,
                "insurance_types": [position.insurance_type.value for position in new_positions],
                "regions": [position.region.code for position in new_positions],
                "amounts": [position.amount.fen for position in new_positions],
            },
        )
        self._connection.execute(
            _SAVE_TRANSFERS,
            {
                "window_id": window.id,
                "methods": [transfer.method.value for transfer in new_transfers],
                "insurance_types": [transfer.insurance_type.value for transfer in new_transfers],
                "payers": [transfer.payer.code for transfer in new_transfers],
                "payees": [transfer.payee.code for transfer in new_transfers],
                "amounts": [transfer.amount.fen for transfer in new_transfers],
            },
        )

    def positions(self, window: Window) -> Sequence[Position]:
        found = self._connection.execute(_POSITIONS, {"window_id": window.id})
        return [Position(InsuranceType(kind), Region(region), Money(fen)) for kind, region, fen in found]

    def transfers(self, window: Window) -> Sequence[Transfer]:
        """In the order in which they were kept."""
        found = self._connection.execute(_TRANSFERS, {"window_id": window.id})
        return [
            Transfer(NetMethod(method), InsuranceType(kind), Region(payer), Region(payee), Money(fen))
            for method, kind, payer, payee, fen in found
        ]

    def regions(self, window: Window) -> Sequence[Region]:
        self._connection.execute(_TAKE_TIME)
        return [Region(code) for code in self._connection.execute(_REGIONS, {"window_id": window.id}).scalars()]

    def statement_rows(self, window: Window, region: Region) -> Sequence[StatementRow]:
        found = self._connection.execute(_STATEMENT_ROWS, {"window_id": window.id, "region": region.code})
        return [
            StatementRow(
                entry_id=row.id,
                event=Event(row.event),
                bill_id=row.bill_id,
                insuring_region=Region(row.insuring_region),
                care_region=Region(row.care_region),
                institution=InstitutionCode(row.institution),
                insurance_type=InsuranceType(row.insurance_type),
                discharged_on=row.discharged_on,
                booked_on=row.booked_on,
                months_late=row.months_late,
                bill_total=Money(row.total_fen if row.event == Event.SETTLED else -row.total_fen),
                by_fund={Fund(fund): Money(fen) for fund, fen in zip(row.funds or (), row.amounts or (), strict=True)},
            )
            for row in found
        ]


def _cell(row: Row[Any]) -> GrossCell:
    return GrossCell(
        insuring_region=Region(row.insuring_region),
        care_region=Region(row.care_region),
        insurance_type=InsuranceType(row.insurance_type),
        fund=Fund(row.fund),
        amount=Money(row.amount_fen),
        bills=row.bills,
    )
