"""Settling a bill the whole way: HTTP, signature, idempotency key, sealed columns, audit, outbox, year, row security.

Gunicorn with the settings' workers and threads on the embedded PostgreSQL, loaded by four clients. Yardstick: pgbench's
TPC-B with four clients on the same server, in turns before and after.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import psycopg

from hub.cli.processes import NotReady, Processes
from tests.bench.clients import Letter, Load, send
from tests.bench.place import Place
from tests.bench.stays import Ward, alternating
from tests.bench.table import Broken, Figure, Target, rate, seconds
from tests.bench.timing import percentile
from tests.bench.tpcb import CLIENTS, Tpcb

PART = "settle"
FEW, MANY = 40, 200
"""Lines of a bill, and of the long bills."""

FULL_BILLS, FULL_SECONDS = 1_200, 10.0
HALF_BILLS, HALF_SECONDS = 500, 10.0
SINGLE_BILLS = 60
TPCB_SECONDS = 4
WARM_BILLS = 96

AGAINST_TPCB = Target(0.12, 0.25)
HALF_P95 = Target(40, 15, " ms", most=True)
LINE_COST = Target(25, 8, " µs", most=True)


def measure(place: Place) -> Iterator[Figure]:
    ward = Ward(place)
    assert place.services.sockets is not None
    tpcb = Tpcb(place.superuser, place.services.sockets)
    try:
        with Processes(place.settings, roles=("web",)) as web:
            yield from _figures(place, ward, tpcb)
            web.check()
    except NotReady as why:
        raise Broken(str(why)) from None


def _figures(place: Place, ward: Ward, tpcb: Tpcb) -> Iterator[Figure]:
    port = place.settings.port
    _warm(ward, port)
    settled = _settled(place)
    queues = ward.letters(FULL_BILLS, lines=FEW, clients=CLIENTS)
    tpcb.turn(TPCB_SECONDS)
    full = send(port, queues, most_seconds=FULL_SECONDS)
    tpcb.turn(TPCB_SECONDS)
    if _settled(place) - settled < len(full.latencies):
        raise Broken("there are fewer bills in the database than were answered with 201")
    servers = f"{place.settings.web_workers} × {place.settings.web_threads}"
    share = full.rate / tpcb.tps
    yield Figure(
        PART,
        f"bills of {FEW} lines, {CLIENTS} clients, gunicorn {servers}",
        rate(full.rate),
        f"{share:.3f} of TPC-B ({' and '.join(rate(turn) for turn in tpcb.turns)})",
        AGAINST_TPCB,
        share,
    )
    yield Figure(PART, "answered at full load", _spread(full), f"{_in_tpcb(full, tpcb):.0f} TPC-B transactions")

    queues = ward.letters(HALF_BILLS, lines=FEW, clients=CLIENTS)
    half = send(port, queues, most_seconds=HALF_SECONDS, pace=full.rate / 2)
    yield Figure(
        PART,
        f"answered at half that load ({rate(half.rate)})",
        _spread(half),
        "",
        HALF_P95,
        percentile(half.latencies, 95) * 1e3,
    )
    yield _cost_of_a_line(ward, port)


def _cost_of_a_line(ward: Ward, port: int) -> Figure:
    """One client alone, short and long bills in turn; the difference of the medians is shared out over the lines."""
    short, long = (ward.letters(SINGLE_BILLS, lines=lines, clients=1)[0] for lines in (FEW, MANY))
    found = send(port, [list(alternating(short, long))], most_seconds=30)
    if len(found.latencies) < 2 * SINGLE_BILLS:
        raise Broken(f"only {len(found.latencies)} of {2 * SINGLE_BILLS} bills were answered in 30 s")
    few, many = statistics.median(found.latencies[0::2]), statistics.median(found.latencies[1::2])
    cost = (many - few) / (MANY - FEW)
    return Figure(
        PART,
        f"each further line, one client ({FEW} lines {seconds(few)}, {MANY} lines {seconds(many)})",
        seconds(cost),
        f"{cost * FEW / few:.0%} of a bill of {FEW} lines is its lines",
        LINE_COST,
        cost * 1e6,
    )


def _warm(ward: Ward, port: int) -> None:
    """Enough bills, over many connections, for every worker to have met every region's catalog."""
    for group in _in_pieces(ward.letters(WARM_BILLS, lines=FEW, clients=6), pieces=4):
        send(port, group, most_seconds=60)


def _in_pieces(queues: list[list[Letter]], *, pieces: int) -> Iterator[list[list[Letter]]]:
    for piece in range(pieces):
        yield [queue[piece::pieces] for queue in queues]


def _settled(place: Place) -> int:
    with psycopg.connect(place.superuser) as connection:
        found = connection.execute("select count(*) from bill where state = 'posted'").fetchone()
    return int(found[0]) if found else 0


def _spread(load: Load) -> str:
    p50, p95 = (seconds(percentile(load.latencies, share)) for share in (50, 95))
    return f"p50 {p50}, p95 {p95}"


def _in_tpcb(load: Load, tpcb: Tpcb) -> float:
    """How many TPC-B transactions of one client fit into the median answer."""
    return statistics.median(load.latencies) / (CLIENTS / tpcb.tps)
