"""The ranker that ships with the hub, as a text file of numbers.

Knows the layout of the file. Must not know how its numbers were learned: the mapping bench writes it, from mappings
that may be passed on (diagnoses of the clinical version, services of Jiangsu, drugs of Fujian).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from hub.core.errors import Inconsistent
from hub.suggest.ranker import HIDDEN, NetRanker, Weights
from hub.suggest.text import Floats

SHIPPED = Path(__file__).with_name("ranker.csv")
"""One row an array: its name, its rows and its numbers, separated by blanks."""


@cache
def shipped() -> NetRanker:
    """The ranker for a code set about which nothing has been decided yet."""
    return read(SHIPPED)


def read(path: Path) -> NetRanker:
    """A ranker from its file; Inconsistent where an array is missing or has another shape."""
    with path.open(encoding="utf-8", newline="") as lines:
        arrays = {row["array"]: row["numbers"].split(" ") for row in csv.DictReader(lines)}
    try:
        names = tuple(arrays["names"])
        width = 2 * len(names)
        shapes = ((width, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (width, 1))
        nets: list[Weights] = []
        for net in range(int(arrays["nets"][0])):
            one, two, three, four, five, six = (
                _floats(arrays[f"net{net}.{layer}"]).reshape(shape) for layer, shape in enumerate(shapes)
            )
            nets.append((one, two, three, four, five, six))
        share, raw, always = (float(number) for number in arrays["calibration"])
        return NetRanker(names, _floats(arrays["mean"]), _floats(arrays["spread"]), tuple(nets), (share, raw, always))
    except (KeyError, ValueError) as wrong:
        raise Inconsistent("ranker_unreadable", f"{path.name} does not hold a ranker: {wrong}") from wrong


def write(path: Path, ranker: NetRanker) -> None:
    """Write a ranker; four significant digits are far finer than what it was learned from."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("array", "numbers"))
        writer.writerow(("names", " ".join(ranker.names)))
        writer.writerow(("nets", str(len(ranker.nets))))
        arrays = {"mean": ranker.mean, "spread": ranker.spread, "calibration": np.asarray(ranker.calibration)}
        for net, weights in enumerate(ranker.nets):
            arrays |= {f"net{net}.{layer}": array for layer, array in enumerate(weights)}
        for name, array in arrays.items():
            writer.writerow((name, " ".join(f"{number:.4g}" for number in array.ravel().tolist())))


def _floats(numbers: list[str]) -> Floats:
    return np.asarray(numbers, dtype=np.float32)
