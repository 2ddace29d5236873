"""Checks of everything that guards: messages, seals, the audit chain, sight, four eyes and moves.

Knows the tables of messages, persons, registrations and moves, and PostgreSQL's catalog. Must not know money.
Source: design invariants 5, 8, 9 and 10.
"""

from __future__ import annotations

from typing import Any

from hub.core.bill import BILL_MOVES, VISIT_MOVES
from hub.core.clearing import WINDOW_MOVES
from hub.core.codes import IdentityNumber
from hub.core.errors import HubError
from hub.core.lifecycle import Lifecycle
from hub.core.mapping import CHANGE_MOVES
from hub.core.registration import REGISTRATION_MOVES
from hub.store.audit import verify_chain
from hub.store.people import IDENTITY_COLUMN
from hub.store.verify.check import Check, Inspection

_TELL_WHOSE = (
    *("insuring_region", "care_region", "region", "payer", "institution"),
    *("person_id", "registration_id", "visit_id", "bill_id", "change_id"),
)
"""Columns by which a row belongs to somebody."""

_PUBLIC = ("catalog_release",)
"""Tables with such a column that everybody may read: catalogs are published."""


def _messages(inspection: Inspection) -> None:
    inspection.count(
        "select (select count(*) from outbox) + (select count(*) from inbox) + (select count(*) from idempotency)"
    )
    inspection.find(
        """
        select 'outbox ' || topic || ' ' || key || ': ' || count(*) || ' times'
        from outbox group by topic, key having count(*) > 1
        union all
        select 'inbox ' || source || ' ' || message_id || ': ' || count(*) || ' times'
        from inbox group by source, message_id having count(*) > 1
        union all
        select 'idempotency key ' || key || ' of ' || participant || ': ' || count(*) || ' times'
        from idempotency group by participant, key having count(*) > 1
        union all
        select 'idempotency key ' || key || ' of ' || participant || ': done without a whole answer'
        from idempotency where num_nulls(status, body_sealed, finished_at) not in (0, 3)
        """
    )


def _sealed(inspection: Inspection) -> None:
    _persons(inspection)
    _roster(inspection)
    for row in inspection.rows("select id, diagnosis_sealed from visit"):
        _opened(inspection, row.diagnosis_sealed, table="visit", column="diagnosis", row=row.id)


def _persons(inspection: Inspection) -> None:
    for row in inspection.rows("select id, name_sealed, identity_sealed, phone_sealed, identity_index from person"):
        _opened(inspection, row.name_sealed, table="person", column="name", row=row.id)
        if row.phone_sealed is not None:
            _opened(inspection, row.phone_sealed, table="person", column="phone", row=row.id)
        number = _opened(inspection, row.identity_sealed, table="person", column="identity", row=row.id)
        if number is not None and not _is_indexed(inspection, number, row.identity_index, column=IDENTITY_COLUMN):
            inspection.found(f"person {row.id}: the look-up hash is not that of the identity number")


def _roster(inspection: Inspection) -> None:
    rows = inspection.rows("select region, identity_index, name_index, name_sealed, identity_sealed from roster")
    for row in rows:
        place = f"{row.region}:{bytes(row.identity_index).hex()}"
        for column, sealed, index in (
            ("name", row.name_sealed, row.name_index),
            ("identity", row.identity_sealed, row.identity_index),
        ):
            value = _opened(inspection, sealed, table="roster", column=column, row=place)
            if value is not None and not _is_indexed(inspection, value, index, column=f"roster.{column}"):
                inspection.found(f"roster {place}: the look-up hash is not that of the {column}")


def _opened(inspection: Inspection, sealed: bytes, *, table: str, column: str, row: str) -> str | None:
    inspection.counted += 1
    try:
        value = inspection.vault.open(sealed, table=table, column=column, row=row)
        if column == "identity":
            IdentityNumber(value)
    except HubError as error:
        inspection.found(f"{table} {row}, {column}: {error.code}")
        return None
    return value


def _is_indexed(inspection: Inspection, value: str, index: bytes, *, column: str) -> bool:
    return inspection.vault.blind_index(value, column=column) == bytes(index)


def _audit(inspection: Inspection) -> None:
    inspection.count("select count(*) from audit_link")
    broken = verify_chain(inspection.connection, inspection.vault)
    if broken is not None:
        inspection.found(f"audit link {broken.seq}, row {broken.audit_id}: {broken.why}")


def _sight(inspection: Inspection) -> None:
    values = {"columns": list(_TELL_WHOSE), "public": list(_PUBLIC)}
    tables = """
        select distinct pg_class.oid, relname, relrowsecurity, relforcerowsecurity
        from pg_class
        join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
            and attname = any (cast(:columns as text[])) and relname <> all (cast(:public as text[]))
    """
    inspection.counted += len(list(inspection.rows(tables, **values)))
    inspection.find(
        f"""
        select relname || ': row-level security is not in force' from ({tables}) as kept
        where not relrowsecurity or not relforcerowsecurity
        union all
        select relname || ': no policy bounds what the application sees' from ({tables}) as kept
        where not exists (
            select from pg_policy
            where polrelid = kept.oid and to_regrole('hub_app') = any (polroles) and polqual is not null
                and pg_get_expr(polqual, polrelid) not in ('true', '(true)')
        )
        union all
        select 'hub_app: passes by row-level security' from pg_roles
        where rolname = 'hub_app' and (rolsuper or rolbypassrls or pg_has_role('hub_app', 'hub_owner', 'member'))
        """,
        **values,
    )


def _four_eyes(inspection: Inspection) -> None:
    inspection.count("select count(*) from registration where decided_by is not null")
    inspection.find(
        """
        select id || ': decided by ' || decided_by || ', who submitted it' from registration
        where decided_by = submitted_by
        """
    )


def _moves(inspection: Inspection) -> None:
    for table, moves, owner, order, lifecycle in (
        ("bill", "bill_move", "bill_id", "move_no", BILL_MOVES),
        ("visit", "visit_move", "visit_id", "id", VISIT_MOVES),
        ("registration", "registration_move", "registration_id", "id", REGISTRATION_MOVES),
        ("clearing_window", "window_move", "window_id", "move_no", WINDOW_MOVES),
        ("catalog_change", "catalog_change_move", "change_id", "move_no", CHANGE_MOVES),
    ):
        inspection.count(f"select count(*) from {moves}")
        _moves_of(inspection, table=table, moves=moves, owner=owner, order=order, lifecycle=lifecycle)


def _moves_of(
    inspection: Inspection, *, table: str, moves: str, owner: str, order: str, lifecycle: Lifecycle[Any]
) -> None:
    """The first move starts from nothing or from the start, each other one where the one before ended."""
    inspection.find(
        f"""
        with legal as (
            select * from unnest(cast(:sources as text[]), cast(:events as text[]), cast(:targets as text[]))
                as move (source, event, target)
        ), told as (
            select {owner} as owner, source, event, target,
                lag(target) over own as before, row_number() over own as place,
                row_number() over (partition by {owner} order by {order} desc) as from_end
            from {moves} window own as (partition by {owner} order by {order})
        )
        select '{table} ' || owner || ': the move ' || event || ' from ' || coalesce(source, 'nothing') || ' to '
            || target || ' is not allowed'
        from told
        where not (place = 1 and source is null)
            and not exists (
                select from legal
                where (legal.source, legal.event, legal.target) = (told.source, told.event, told.target)
            )
        union all
        select '{table} ' || owner || ': the move ' || event || ' does not start where the one before ended'
        from told where source is distinct from before and not (place = 1 and source = :start)
        union all
        select '{table} ' || {table}.id || ': is ' || state || ', its last move led to ' || coalesce(target, :start)
        from {table} left join told on told.owner = {table}.id and from_end = 1
        where state <> coalesce(target, :start)
        """,
        sources=[source.value for source, _, _ in lifecycle.moves],
        events=[event for _, event, _ in lifecycle.moves],
        targets=[target.value for _, _, target in lifecycle.moves],
        start=lifecycle.start.value,
    )


MESSAGE_CHECKS = (
    Check(
        "messages-once", 5, "No message or key is kept twice, and each finished key has its whole answer.", _messages
    ),
)
SEAL_CHECKS = (
    Check("sealed-values-open", 8, "Each sealed value opens in its place, and look-up hashes fit the values.", _sealed),
    Check("audit-chain-unbroken", 8, "The digests of the audit log follow from its rows.", _audit),
)
SIGHT_CHECKS = (
    Check("bounded-sight", 9, "Each table with somebody's rows shows the application only those in its sight.", _sight),
)
FOUR_EYES_CHECKS = (Check("four-eyes", 10, "Nobody decided a registration that he submitted.", _four_eyes),)
MOVE_CHECKS = (
    Check("states-follow-moves", 3, "Each state is where the last move led, and every move is in its table.", _moves),
)
