"""Checks of the ledger: balance, privileges, and that bills and entries tell the same.

Knows the tables of bills, entries and windows. Must not know matrices and nets. Source: design invariants 3 and 4.
"""

from __future__ import annotations

from hub.store.verify.check import Check, Inspection

APPEND_ONLY = (
    "account",
    "audit",
    "audit_link",
    "bill_move",
    "bill_share",
    "catalog_change_move",
    "decision",
    "entry",
    "gross_cell",
    "inbox",
    "leg",
    "net_position",
    "net_transfer",
    "region_booking",
    "registration_move",
    "statement",
    "visit_move",
    "waiting_line",
    "window_move",
)
"""Tables whose rows are never changed; the application has no right to, and a trigger refuses the owner as well."""


def _balanced(inspection: Inspection) -> None:
    inspection.count("select count(*) from entry")
    inspection.find(
        """
        select entry.id || ': '
            || case when count(leg.entry_id) <> leg_count
                    then 'has ' || count(leg.entry_id) || ' of ' || leg_count || ' legs'
                when coalesce(sum(case side when 'D' then amount_fen else -amount_fen end), 0) <> 0
                    then 'is out of balance by ' || sum(case side when 'D' then amount_fen else -amount_fen end)
                else 'has a leg of another window, event or pair of regions' end
        from entry left join leg on leg.entry_id = entry.id
        group by entry.id
        having count(leg.entry_id) <> leg_count
            or coalesce(sum(case side when 'D' then amount_fen else -amount_fen end), 0) <> 0
            or bool_or((leg.window_id, leg.event, leg.insuring_region, leg.care_region)
                is distinct from (entry.window_id, entry.event, entry.insuring_region, entry.care_region))
        """
    )
    inspection.find(
        """
        select leg.entry_id || ': leg ' || leg_no || ' has no account of its pair of regions'
        from leg left join account on account.id = leg.account_id
        where (account.insuring_region, account.care_region) is distinct from (leg.insuring_region, leg.care_region)
        """
    )


def _append_only(inspection: Inspection) -> None:
    inspection.counted = len(APPEND_ONLY) + 2
    inspection.find(
        """
        select name || ': the application may change or delete rows'
        from unnest(cast(:tables as text[])) as name
        where has_any_column_privilege('hub_app', name, 'update')
            or has_table_privilege('hub_app', name, 'delete')
            or has_table_privilege('hub_app', name, 'truncate')
        """,
        tables=list(APPEND_ONLY),
    )
    inspection.find(
        """
        select name || ': no trigger refuses changes'
        from unnest(cast(:tables as text[])) as name
        where not exists (
            select from pg_trigger
            where tgrelid = to_regclass(name) and tgname = name || '_append_only' and tgenabled in ('O', 'A')
        )
        """,
        tables=list(APPEND_ONLY),
    )
    inspection.find(
        """
        select name || ': the application may change more than its state'
        from unnest(cast(:tables as text[])) as name
        where has_table_privilege('hub_app', name, 'delete')
            or has_table_privilege('hub_app', name, 'truncate')
            or exists (
                select from pg_attribute
                where attrelid = to_regclass(name) and attnum > 0 and not attisdropped
                    and attname <> all (cast(:movable as text[]))
                    and has_column_privilege('hub_app', attrelid, attnum, 'update')
            )
        """,
        tables=["bill", "catalog_change"],
        movable=["state", "reviewed_by", "reviewed_at", "undo_proposed_by", "undo_reviewed_by"],
    )


def _once(inspection: Inspection) -> None:
    inspection.count("select count(*) from entry")
    inspection.find(
        """
        select event || ' ' || subject || ' revision ' || revision || ': entered ' || count(*) || ' times'
        from entry group by event, subject, revision having count(*) > 1
        """
    )


def _bills_in_ledger(inspection: Inspection) -> None:
    """Every leg, not those of funds alone: what a hospital is owed and what a patient paid are money, too."""
    inspection.count("select count(*) from bill")
    inspection.find(
        """
        with borne as (
            select bill_id, 'fund_due' as kind, fund, '' as institution, amount_fen from bill_share
            union all
            select bill.id, part.kind, '', institution, part.amount_fen
            from bill cross join lateral (values
                ('hospital_claim', -total_fen),
                ('patient_paid', total_fen - fund_total_fen - hospital_borne_fen),
                ('hospital_borne', hospital_borne_fen)
            ) as part (kind, amount_fen)
        ), told as (
            select bill.id as bill_id, 'settled' as event, 'win_' || regime || '_' || period as window_id,
                insuring_region, care_region, insurance_type, kind, fund, borne.institution, amount_fen
            from bill join borne on borne.bill_id = bill.id
            where state in ('posted', 'cancelled') and amount_fen <> 0
            union all
            select bill.id, 'cancelled', undone.window_id, bill.insuring_region, bill.care_region, insurance_type, kind,
                fund, borne.institution, -amount_fen
            from bill
            join borne on borne.bill_id = bill.id
            left join entry as undone on undone.bill_id = bill.id and undone.event = 'cancelled'
            where state = 'cancelled' and amount_fen <> 0
        ), booked as (
            select entry.bill_id, entry.event, entry.window_id, account.insuring_region, account.care_region,
                account.insurance_type, account.kind, coalesce(account.fund, '') as fund,
                coalesce(account.institution, '') as institution,
                sum(case side when 'D' then leg.amount_fen else -leg.amount_fen end) as amount_fen
            from leg
            join account on account.id = leg.account_id
            join entry on entry.id = leg.entry_id
            where entry.event in ('settled', 'cancelled')
            group by 1, 2, 3, 4, 5, 6, 7, 8, 9
            having sum(case side when 'D' then leg.amount_fen else -leg.amount_fen end) <> 0
        )
        select coalesce(bill_id, 'no bill') || ' ' || event || ', '
            || case kind when 'fund_due' then 'fund ' || fund else kind || ' ' || institution end || ': bill '
            || coalesce(told.amount_fen, 0) || ' fen, ledger ' || coalesce(booked.amount_fen, 0) || ' fen'
        from told
        full join booked using (
            bill_id, event, window_id, insuring_region, care_region, insurance_type, kind, fund, institution
        )
        where told.amount_fen is distinct from booked.amount_fen
        """
    )


def _one_place(inspection: Inspection) -> None:
    """A bill stands in the window of its entry, open or closed, unless its cancel names that very entry; and it stands
    there by right: in the first month that was open when it was booked.
    """
    inspection.count("select count(*) from bill where total_fen > 0")
    inspection.find(
        """
        select bill.id || ': ' || case
            when (settled.id is not null) <> (bill.state in ('posted', 'cancelled')) then 'is ' || bill.state || ' but '
                || case when settled.id is null then 'was never entered' else 'was entered' end
            when settled.subject <> bill.id or settled.revision <> bill.revision then 'its entry is of another bill'
            when holding.id is null then 'its entry stands in a window that does not exist'
            when (undone.id is not null) <> (bill.state = 'cancelled') then 'is ' || bill.state || ' but '
                || case when undone.id is null then 'no entry cancels it' else 'an entry cancels it' end
            when undone.reverses <> settled.id then 'its cancel reverses another entry'
            else 'its cancel stands in a window that does not exist' end
        from bill
        left join entry as settled on settled.bill_id = bill.id and settled.event = 'settled'
        left join clearing_window as holding on holding.id = settled.window_id
        left join entry as undone on undone.bill_id = bill.id and undone.event = 'cancelled'
        left join clearing_window as taking_back on taking_back.id = undone.window_id
        where total_fen > 0 and (
            (settled.id is not null) <> (bill.state in ('posted', 'cancelled'))
            or settled.subject <> bill.id
            or settled.revision <> bill.revision
            or (settled.id is not null and holding.id is null)
            or (undone.id is not null) <> (bill.state = 'cancelled')
            or undone.reverses <> settled.id
            or (undone.id is not null and taking_back.id is null)
        )
        """
    )
    inspection.find(
        """
        select entry.id || ': booked on ' || booked_on || ', but stands in ' || entry.window_id
        from entry
        join clearing_window as holding on holding.id = entry.window_id
        where event in ('settled', 'cancelled') and (
            holding.period < to_char(booked_on, 'YYYY-MM')
            or exists (
                select from clearing_window as passed_by
                where passed_by.regime = holding.regime and passed_by.state = 'open'
                    and passed_by.period >= to_char(booked_on, 'YYYY-MM') and passed_by.period < holding.period
            )
        )
        union all
        select bill.id || ': settled on ' || settled_on || ', entered on ' || booked_on
        from bill join entry on entry.bill_id = bill.id and event = 'settled'
        where booked_on <> settled_on
        """
    )
    inspection.find(
        """
        select bill.id || ': ' || case
            when (regime = 'within_province') <> (left(bill.insuring_region, 2) = left(bill.care_region, 2))
                then 'its regime is not that of its regions'
            when months_late <> late.months then 'is ' || late.months || ' months late, not ' || months_late
            else 'is not of the person, hospital or regions of its stay' end
        from bill
        join visit on visit.id = bill.visit_id
        cross join lateral (
            select greatest(0, left(period, 4)::integer * 12 + right(period, 2)::integer
                - extract(year from discharged_on)::integer * 12 - extract(month from discharged_on)::integer) as months
        ) as late
        where (regime = 'within_province') <> (left(bill.insuring_region, 2) = left(bill.care_region, 2))
            or months_late <> late.months
            or (bill.person_id, bill.institution, bill.insuring_region, bill.care_region, bill.insurance_type)
                <> (visit.person_id, visit.institution, visit.insuring_region, visit.care_region, visit.insurance_type)
        """
    )


LEDGER_CHECKS = (
    Check("entries-balance", 3, "Each entry has all its legs, and debit equals credit.", _balanced),
    Check("ledger-append-only", 3, "The application has no right to change or delete what was entered.", _append_only),
    Check("one-entry-per-event", 3, "No event of a bill or window was entered twice.", _once),
)
CONSERVATION_CHECKS = (
    Check(
        "bills-equal-ledger",
        4,
        "What funds, patient and hospital bear of each bill is what the ledger holds, per window and account.",
        _bills_in_ledger,
    ),
    Check(
        "every-fen-in-one-place",
        4,
        "Each settled bill stands in exactly one window, or its cancel names the entry that it reverses.",
        _one_place,
    ),
)
