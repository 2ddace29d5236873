"""Four clients at once with signed messages: as fast as the answers come, or at an even pace.

Knows HTTP connections and clocks. Must not know what the messages say. Signatures are made before the clock starts,
since a hospital's own signing is no work of the hub; a message waits less than the five minutes it is believed.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.table import Broken

CREATED = 201


@dataclass(frozen=True)
class Letter:
    """One signed request, ready to be sent."""

    path: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Load:
    """What came of a load: seconds of each answer, and of the whole."""

    latencies: list[float]
    elapsed: float

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.elapsed


def send(port: int, queues: Sequence[Sequence[Letter]], *, most_seconds: float, pace: float | None = None) -> Load:
    """Send each client's letters over a connection of its own until they or the seconds are used up.

    `pace` is how many letters all clients together send a second. Latency then counts from the moment a letter was due,
    so that a slow answer is not forgotten with those that waited behind it.
    """
    starts = time.perf_counter() + 0.05
    ends = starts + most_seconds

    def client(number: int) -> list[tuple[float, float]]:
        due = _due(starts, number, len(queues), pace)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            return list(_sent(connection, queues[number], due, ends=ends))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(queues)) as pool:
        answers = [answer for found in pool.map(client, range(len(queues))) for answer in found]
    if not answers:
        raise Broken("no letter was sent")
    return Load([latency for latency, _ in answers], max(moment for _, moment in answers) - starts)


def _due(starts: float, number: int, clients: int, pace: float | None) -> Iterator[float | None]:
    sent = 0
    while True:
        yield None if pace is None else starts + (sent * clients + number) / pace
        sent += 1


def _sent(
    connection: http.client.HTTPConnection, letters: Sequence[Letter], due: Iterator[float | None], *, ends: float
) -> Iterator[tuple[float, float]]:
    """Latency and moment of each answer."""
    for letter, moment in zip(letters, due, strict=False):
        begun = moment if moment is not None else time.perf_counter()
        if begun > ends:
            return
        time.sleep(max(0.0, begun - time.perf_counter()))
        connection.request("POST", letter.path, body=letter.body, headers=letter.headers)
        answer = connection.getresponse()
        content = answer.read()
        now = time.perf_counter()
        if answer.status != CREATED:
            raise Broken(f"{answer.status} instead of {CREATED}: {content[:300].decode('utf-8', 'replace')}")
        if now > ends and moment is None:
            return
        yield now - begun, now
