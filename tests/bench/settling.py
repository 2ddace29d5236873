"""Settling a bill the whole way: HTTP, signature, idempotency key, sealed columns, audit, outbox, year, row security.

Gunicorn with the settings' workers and threads on the embedded PostgreSQL, loaded by four clients. Yardstick: pgbench's
TPC-B with four clients on the same server, in turns before and after.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from hub.cli.processes import NotReady, Processes
from tests.bench.clients import Letter, Load, send
from tests.bench.place import Place
from tests.bench.processor import parent_of, spent_by_family, spent_by_session
from tests.bench.stays import Ward, alternating
from tests.bench.table import Broken, Figure, Target, rate, seconds
from tests.bench.timing import percentile
from tests.bench.tpcb import CLIENTS, Tpcb

PART = "settle"
FEW, MANY = 40, 200
"""Lines of a bill, and of the long bills."""

MOST_BILLS = 4_000
FULL_SECONDS, HALF_SECONDS, SINGLE_SECONDS = 10.0, 8.0, 20.0
SINGLE_BILLS = 50
"""Bills of each length in the comparison of lengths."""

TPCB_SECONDS = 4
REAPED_SECONDS = 0.5
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
            yield from _figures(place, ward, tpcb, web)
            web.check()
    except NotReady as why:
        raise Broken(str(why)) from None


def _figures(place: Place, ward: Ward, tpcb: Tpcb, web: Processes) -> Iterator[Figure]:
    port = place.settings.port
    guess = _warm(ward, port)
    settled = _settled(place)
    queues = ward.letters(_enough(guess, FULL_SECONDS), lines=FEW, clients=CLIENTS)
    meter = _Meter(place, web)
    tpcb.turn(TPCB_SECONDS)
    tpcb_cost = meter.per_piece(round(tpcb.turns[0] * TPCB_SECONDS))
    full = send(port, queues, most_seconds=FULL_SECONDS)
    cost = meter.per_piece(len(full.latencies))
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
    if cost and tpcb_cost:
        yield Figure(
            PART,
            "processor time of such a bill",
            f"web {seconds(cost.web)}, database {seconds(cost.database)}",
            f"database {cost.database / tpcb_cost.database:.0f} × that of TPC-B ({seconds(tpcb_cost.database)})",
        )
    yield Figure(PART, "answered at full load", _spread(full), f"p50 is {_in_tpcb(full, tpcb):.0f} TPC-B transactions")

    queues = ward.letters(_enough(full.rate / 2, HALF_SECONDS), lines=FEW, clients=CLIENTS)
    half = send(port, queues, most_seconds=HALF_SECONDS, pace=full.rate / 2)
    p95 = percentile(half.latencies, 95) * 1e3
    yield Figure(PART, f"answered at half that load ({rate(half.rate)})", _spread(half), "", HALF_P95, p95)
    yield _cost_of_a_line(ward, port)


def _cost_of_a_line(ward: Ward, port: int) -> Figure:
    """One client alone, short and long bills in turn; the difference of the medians is shared out over the lines."""
    short, long = (ward.letters(SINGLE_BILLS, lines=lines, clients=1)[0] for lines in (FEW, MANY))
    found = send(port, [list(alternating(short, long))], most_seconds=SINGLE_SECONDS)
    if len(found.latencies) < SINGLE_BILLS // 2:
        raise Broken(f"only {len(found.latencies)} bills were answered in {SINGLE_SECONDS:.0f} s")
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


def _warm(ward: Ward, port: int) -> float:
    """Enough bills, over many connections, for every worker to have met every region's catalog; gives the last rate."""
    last = 0.0
    for group in _in_pieces(ward.letters(WARM_BILLS, lines=FEW, clients=6), pieces=4):
        last = send(port, group, most_seconds=60).rate
    return last


def _enough(guess: float, for_seconds: float) -> int:
    """So many letters that the seconds end before they do, within bounds."""
    return min(MOST_BILLS, 2 * round(guess * for_seconds) + 10 * CLIENTS)


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


@dataclass(frozen=True)
class _Cost:
    """Processor seconds of one bill or transaction, in the web processes and in the database's."""

    web: float
    database: float


class _Meter:
    """Reads the processor time of the web server and the database between two readings."""

    def __init__(self, place: Place, web: Processes) -> None:
        self._web = web.running["web"].pid
        with psycopg.connect(place.superuser) as connection:
            self._server = parent_of(connection.info.backend_pid)
        self._last = self._read()

    def per_piece(self, pieces: int) -> _Cost | None:
        """What each of so many pieces took since the last reading; None where the machine does not tell."""
        # What an ending server process used is counted with its parent once it has been reaped.
        time.sleep(REAPED_SECONDS)
        before, self._last = self._last, self._read()
        if before is None or self._last is None or not pieces:
            return None
        return _Cost((self._last.web - before.web) / pieces, (self._last.database - before.database) / pieces)

    def _read(self) -> _Cost | None:
        web = spent_by_session(self._web)
        database = spent_by_family(self._server) if self._server else None
        return None if web is None or database is None else _Cost(web, database)
