"""Checks that recompute: statements of closed windows, and decisions with the rules valid then.

Knows which stored values a computation starts from and ends in. Must not know rules or layouts: gateways decide and the
given renderer writes. Source: design invariant 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import text

from hub.core.clearing import Window, WindowState
from hub.core.codes import Region
from hub.core.decision import Decision, Refusal
from hub.core.errors import Unreachable
from hub.core.statement import Statement
from hub.store import codec
from hub.store.clearing import Clearing
from hub.store.verify.check import Check, Inspection, Render
from hub.store.windows import Windows


def _statements(inspection: Inspection) -> None:
    if inspection.render is None:
        inspection.skipped = "no renderer given"
        return
    for window in Windows(inspection.connection, inspection.vault).listed():
        if window.state is WindowState.CLOSED:
            _window(inspection, window, inspection.render)
    inspection.find(
        """
        select statement.id || ': a statement of a month that is ' || coalesce(state, 'unknown')
        from statement left join clearing_window on clearing_window.id = window_id
        where coalesce(state, 'unknown') not in ('netted', 'closed')
        """
    )


def _window(inspection: Inspection, window: Window, render: Render) -> None:
    clearing = Clearing(inspection.connection, inspection.vault)
    regions = clearing.regions(window)
    for region in regions:
        rows = tuple(clearing.statement_rows(window, region))
        computed = render(Statement(region, window.regime, window.period, rows))
        stored = _stored(inspection, window, region)
        for kind, media_type in sorted({*computed, *stored}):
            inspection.counted += 1
            place = f"{window.id} {region} {kind} ({media_type})"
            if (kind, media_type) not in stored:
                inspection.found(f"{place}: is not kept")
            elif computed.get((kind, media_type)) != stored[kind, media_type]:
                inspection.found(f"{place}: computed again it has other bytes")
    inspection.find(
        """
        select window_id || ' ' || region || ': a statement for a region without bookings' from statement
        where window_id = :window_id and region <> all (cast(:regions as text[]))
        """,
        window_id=window.id,
        regions=[region.code for region in regions],
    )


def _stored(inspection: Inspection, window: Window, region: Region) -> Mapping[tuple[str, str], bytes]:
    found = inspection.connection.execute(
        text("select kind, media_type, content from statement where window_id = :window_id and region = :region"),
        {"window_id": window.id, "region": region.code},
    )
    return {(kind, media_type): bytes(content) for kind, media_type, content in found}


def _decisions(inspection: Inspection) -> None:
    if inspection.gateways is None:
        inspection.skipped = "no gateways given"
        return
    rows = inspection.rows("select bill_id, cast(request as text), cast(decision as text) from decision")
    for row in rows:
        bill_id = row.bill_id
        request = codec.read_request(row.request)
        gateway = inspection.gateways.get(request.insuring_region)
        if gateway is None:
            inspection.found(f"{bill_id}: nobody can decide for region {request.insuring_region}")
            continue
        inspection.counted += 1
        try:
            again = gateway.decide(request)
        except Unreachable:
            inspection.found(f"{bill_id}: region {request.insuring_region} does not answer")
            continue
        if isinstance(again, Refusal):
            inspection.found(f"{bill_id}: decided again it is refused")
        elif _shares(again) != _kept_shares(orjson.loads(row.decision)):
            inspection.found(f"{bill_id}: decided again it has other shares")


def _shares(decision: Decision) -> dict[str, int]:
    return {
        **{fund.value: amount.fen for fund, amount in decision.shares.items() if amount},
        "personal_account": decision.personal_account.fen,
        "cash": decision.cash.fen,
        "hospital_borne": decision.hospital_borne.fen,
    }


def _kept_shares(written: Mapping[str, Any]) -> dict[str, int]:
    """Straight from the record: whether its steps add up to it is another check's business."""
    return {
        **{fund: fen for fund, fen in written["shares"] if fen},
        **{part: written[part] for part in ("personal_account", "cash", "hospital_borne")},
    }


REPLAY_CHECKS = (
    Check(
        "statements-replay",
        6,
        "The statements of each closed window, computed again from its bookings, are the bytes that were kept.",
        _statements,
    ),
    Check(
        "decisions-replay",
        6,
        "Each bill, decided again with the rules valid then, has the same shares.",
        _decisions,
    ),
)
