"""`make bench`: measures the hot paths and prints each figure beside its yardstick and its target.

Knows the parts and their order. Nothing here judges: a slow figure is printed and the exit status stays 0; it is 1 only
where a part broke, that is gave wrong amounts or was refused.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable

from hub.core.errors import HubError
from hub.demo.screen import make_console
from hub.settings import Settings, SettingsError
from tests.bench import classifying, closing, deciding, loading, settling
from tests.bench.place import Place, set_up
from tests.bench.table import Broken, Figure, Skipped, table_of

Part = Callable[[Place], Iterable[Figure]]

PARTS: dict[str, tuple[Part, str]] = {
    "load": (loading.measure, "read, check and load every shipped catalog"),
    "decide": (deciding.measure, "decide bills of three regions, with every step"),
    "classify": (classifying.measure, "classify a bill of 80 lines in memory"),
    "settle": (settling.measure, "settle bills over HTTP, every guard on"),
    "close": (closing.measure, "close a month of 20,000 bills"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the hot paths; see README.md.")
    listed = "; ".join(f"{name}: {meaning}" for name, (_, meaning) in PARTS.items())
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these parts ({listed})")
    wanted = parser.parse_args().parts or list(PARTS)
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    try:
        return _run([name for name in PARTS if name in wanted], Settings.from_env())
    except SettingsError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1


def _run(names: list[str], given: Settings) -> int:
    console = make_console()
    figures: list[Figure] = []
    broken = False
    began = time.perf_counter()
    with set_up(given) as place:
        for name in names:
            part, meaning = PARTS[name]
            console.print(f"{name}: {meaning} ...", markup=False)
            started = time.perf_counter()
            try:
                figures += part(place)
            except Skipped as why:
                console.print(f"{name}: skipped, {why}", markup=False)
            except (Broken, HubError) as why:
                broken = True
                console.print(f"{name}: broken, {why}", markup=False)
            console.print(f"{name}: {time.perf_counter() - started:.0f} s", markup=False)
    console.print(table_of(figures))
    console.print(f"{time.perf_counter() - began:.0f} s in all. Compare ratios, never figures of two machines.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
