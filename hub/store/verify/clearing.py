"""Checks of closed windows: matrix, clearing entries, nets and transfers, each against the bookings themselves.

Knows the tables of a window's figures. Must not know bills. Each figure is compared with the legs of settlements and
cancels, never with another figure, so that one wrong figure fails one check. Source: design invariant 4.
"""

from __future__ import annotations

from hub.store.verify.check import Check, Inspection

_MATRIX = """
    matrix as (
        select summed.window_id, insurance_type, insuring_region, care_region, fund, summed.amount_fen, summed.bills
        from (
            select window_id, account_id, count(*) as bills,
                sum(case side when 'D' then amount_fen else -amount_fen end) as amount_fen
            from leg where event in ('settled', 'cancelled') group by window_id, account_id
        ) as summed
        join account on account.id = summed.account_id and account.kind = 'fund_due'
        join clearing_window on clearing_window.id = summed.window_id
        where clearing_window.state = any (cast(:states as text[]))
    )
"""
_POSITIONS = """
    due as (
        select window_id, insurance_type, region, sum(amount_fen) as amount_fen
        from (
            select window_id, insurance_type, insuring_region as region, -amount_fen as amount_fen from matrix
            union all
            select window_id, insurance_type, care_region, amount_fen from matrix
        ) as sides
        group by window_id, insurance_type, region
    )
"""
_GROSSED = ["grossed", "netted", "closed"]
_NETTED = ["netted", "closed"]


def _matrix(inspection: Inspection) -> None:
    inspection.count("select count(*) from gross_cell")
    inspection.find(
        f"""
        with {_MATRIX}
        select window_id || ' ' || insuring_region || ' to ' || care_region || ', ' || fund || ': ledger '
            || coalesce(matrix.amount_fen, 0) || ' fen of ' || coalesce(matrix.bills, 0) || ' bookings, matrix '
            || coalesce(gross_cell.amount_fen, 0) || ' fen of ' || coalesce(gross_cell.bills, 0)
        from matrix
        full join gross_cell using (window_id, insurance_type, insuring_region, care_region, fund)
        where (matrix.amount_fen, matrix.bills) is distinct from (gross_cell.amount_fen, gross_cell.bills)
        """,
        states=_GROSSED,
    )


def _cleared(inspection: Inspection) -> None:
    inspection.count("select count(*) from entry where event = 'cleared'")
    inspection.find(
        f"""
        with {_MATRIX}, cleared as (
            select leg.window_id, insurance_type, account.insuring_region, account.care_region, fund,
                sum(case when side = 'D' then amount_fen else -amount_fen end) filter (where kind = 'clearing_due')
                    as raised,
                sum(case when side = 'C' then amount_fen else -amount_fen end) filter (where kind = 'fund_due')
                    as settled
            from leg join account on account.id = leg.account_id
            where leg.event = 'cleared'
            group by leg.window_id, insurance_type, account.insuring_region, account.care_region, fund
        )
        select window_id || ' ' || insuring_region || ' to ' || care_region || ', ' || fund || ': due '
            || coalesce(amount_fen, 0) || ' fen, cleared ' || coalesce(raised, 0) || ' fen'
        from (select * from matrix where amount_fen <> 0) as matrix
        full join cleared using (window_id, insurance_type, insuring_region, care_region, fund)
        where amount_fen is distinct from raised or amount_fen is distinct from settled
        """,
        states=_GROSSED,
    )


def _zero(inspection: Inspection) -> None:
    """Also that no stranger has a position: a sum over too many regions would be zero by chance only."""
    inspection.count("select count(distinct (window_id, insurance_type)) from net_position")
    inspection.find(
        """
        select window_id || ', insurance type ' || insurance_type || ': positions add up to ' || sum(amount_fen)
            || ' fen'
        from net_position group by window_id, insurance_type having sum(amount_fen) <> 0
        """
    )
    inspection.find(
        f"""
        with {_MATRIX}, {_POSITIONS}
        select net_position.window_id || ': ' || region || ' has a position but no booking'
        from net_position left join due using (window_id, insurance_type, region)
        where due.amount_fen is null
        """,
        states=_NETTED,
    )


def _nets(inspection: Inspection) -> None:
    inspection.count("select count(*) from net_position")
    inspection.find(
        f"""
        with {_MATRIX}, {_POSITIONS}
        select window_id || ', insurance type ' || insurance_type || ': ' || region || ' is due ' || due.amount_fen
            || ' fen, its position is ' || coalesce(cast(net_position.amount_fen as text), 'missing')
        from due left join net_position using (window_id, insurance_type, region)
        where due.amount_fen is distinct from net_position.amount_fen
        """,
        states=_NETTED,
    )


def _transfers(inspection: Inspection) -> None:
    inspection.count("select count(*) from net_transfer")
    inspection.find(
        f"""
        with {_MATRIX}, {_POSITIONS}, moved as (
            select window_id, insurance_type, region, sum(amount_fen) as amount_fen
            from (
                select window_id, insurance_type, payer as region, -amount_fen as amount_fen
                from net_transfer where method = 'multilateral'
                union all
                select window_id, insurance_type, payee, amount_fen from net_transfer where method = 'multilateral'
            ) as sides
            group by window_id, insurance_type, region
        )
        select window_id || ': ' || region || ' is due ' || coalesce(due.amount_fen, 0)
            || ' fen, multilateral transfers bring ' || coalesce(moved.amount_fen, 0)
        from due full join moved using (window_id, insurance_type, region)
        where coalesce(due.amount_fen, 0) <> coalesce(moved.amount_fen, 0)
        """,
        states=_NETTED,
    )
    inspection.find(
        f"""
        with {_MATRIX}, due as (
            select window_id, insurance_type, least(insuring_region, care_region) as one,
                greatest(insuring_region, care_region) as other,
                sum(case when insuring_region < care_region then amount_fen else -amount_fen end) as amount_fen
            from matrix group by 1, 2, 3, 4
        ), moved as (
            select window_id, insurance_type, least(payer, payee) as one, greatest(payer, payee) as other,
                sum(case when payer < payee then amount_fen else -amount_fen end) as amount_fen
            from net_transfer where method = 'bilateral' group by 1, 2, 3, 4
        )
        select window_id || ': ' || one || ' owes ' || other || ' ' || coalesce(due.amount_fen, 0)
            || ' fen, the bilateral transfer is ' || coalesce(moved.amount_fen, 0)
        from due full join moved using (window_id, insurance_type, one, other)
        where coalesce(due.amount_fen, 0) <> coalesce(moved.amount_fen, 0)
        """,
        states=_NETTED,
    )


CLEARING_CHECKS = (
    Check(
        "ledger-equals-gross-matrix",
        4,
        "Each cell of the gross matrix is the sum of its settlements and cancels in the ledger.",
        _matrix,
    ),
    Check(
        "clearing-entries-equal-matrix",
        4,
        "The clearing entries of each window move exactly what its settlements and cancels left due.",
        _cleared,
    ),
    Check("nets-sum-to-zero", 4, "Net positions add up to zero, among regions with bookings only.", _zero),
    Check("nets-equal-gross", 4, "Each region's net position is what it is owed less what it owes.", _nets),
    Check("transfers-settle-positions", 4, "The transfers of each net leave nobody owing anything.", _transfers),
)
