"""`make bench-mapping`: how well the suggester finds the right code, beside plain baselines, on published mappings.

Knows the files of the data folder and how to judge an answer. Nothing here is asserted; where the data folder is absent
it says so and ends well. Held out: folds by target code (no target of a test fold was ever decided), for Yidu-N7K and
CHIP-CDN also folds by chance, as in their official parts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rapidfuzz import distance, process
from rich.table import Table

from hub.cli.catalogs import known_names
from hub.demo.screen import make_console
from hub.suggest import weights
from hub.suggest.engine import Ranking, Sample, Suggester
from hub.suggest.files import read_candidates, read_training
from hub.suggest.ranker import NetRanker, learn
from hub.suggest.retrieval import Index
from hub.suggest.rows import Decided, Rows

DATA = Path(__file__).parents[3] / "shared" / "data"
FOLDS = 4
TOP = 50
MOST_OF_ONE_TASK = 1500
"""Rows that one task gives to the shipped ranker, so that no task outweighs the others."""
BANDS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Task:
    """One published mapping: what is asked, what can be answered, and what is to be reached."""

    name: str
    asked: str
    candidates: str
    reach: str
    status: tuple[str, ...] = ()
    ship: bool = False
    by_chance: bool = False
    several: bool = False
    only: Callable[[Rows, Rows, Decided], np.ndarray] | None = None


def _renamed_rows(queries: Rows, candidates: Rows, decided: Decided) -> np.ndarray:
    """Rows whose target is called otherwise: the rest is too easy to tell anything."""
    names = candidates.column("name")
    return np.asarray([
        name != names[targets[0]] for name, targets in zip(queries.column("name"), decided.targets, strict=True)
    ])  # fmt: skip


TASKS = (
    Task("diagnoses", "gold/icd10_clinical_to_yb_train.csv", "national/icd10_yb_v2.csv", "0.78 / 0.93",
         status=("active",), ship=True),
    Task("diagnoses, gray too", "gold/icd10_clinical_to_yb_train.csv", "national/icd10_yb_v2.csv", "",
         status=("active", "gray")),
    Task("services", "gold/jiangsu_service_map_train.csv", "national/service_items_yb.csv", "0.65 / 0.82", ship=True,
         only=_renamed_rows),
    Task("drug names", "gold/fujian_drug_name_map_train.csv", "gold/fujian_drug_catalog.csv", "0.93 / 0.995",
         ship=True),
    Task("drug products", "gold/fujian_drug_product_map_train.csv", "national/drug_products_yb.csv", "", ship=True),
    Task("operations", "gold/yidu_n7k_train.csv", "gold/icd9_2017_pumch.csv", "0.89 / 0.98", by_chance=True,
         several=True),
    Task("diagnosis texts", "gold/chip_cdn_train.csv", "gold/icd10_beijing_v601.csv", "F1 0.55", by_chance=True,
         several=True),
)  # fmt: skip


@dataclass
class Tally:
    """What became of the queries of a task."""

    queries: int = 0
    first: int = 0
    fifth: int = 0
    within: int = 0
    chosen: int = 0
    wanted: int = 0
    both: int = 0
    seconds: float = 0.0
    ready: float = 0.0
    queries_asked: int = 0
    bands: dict[float, list[int]] = field(default_factory=dict)

    def add(self, decided: Decided, ranking: Ranking, counted: np.ndarray) -> None:
        rank_of: dict[int, int] = {}
        best: dict[int, int] = {}
        for q, c, score, chosen in zip(
            ranking.q_idx.tolist(), ranking.c_idx.tolist(), ranking.scores.tolist(), ranking.in_answer.tolist(),
            strict=True,
        ):  # fmt: skip
            rank_of[q] = rank_of.get(q, -1) + 1
            right = c in decided.targets[q]
            if right:
                best.setdefault(q, rank_of[q])
            if counted[q]:
                self.chosen += chosen
                self.both += chosen and right
                band = next(one for one in reversed(BANDS[:-1]) if score >= one)
                row = self.bands.setdefault(band, [0, 0, 0])
                row[0] += 1
                row[1] += right
                row[2] += round(score * 1e6)
        for q in np.flatnonzero(counted).tolist():
            self.queries += 1
            self.wanted += len(decided.targets[q])
            self.first += best.get(q, TOP) == 0
            self.fifth += best.get(q, TOP) < 5
            self.within += best.get(q, TOP) < TOP

    def cells(self) -> tuple[str, ...]:
        count = max(self.queries, 1)
        f1 = 2 * self.both / max(self.chosen + self.wanted, 1)
        speed = f"{self.queries_asked / self.seconds:,.0f}" if self.seconds else ""
        return (
            f"{self.first / count:.3f}", f"{self.fifth / count:.3f}", f"{self.within / count:.3f}", f"{f1:.3f}",
            speed, f"{self.ready:.0f}" if self.ready else "",
        )  # fmt: skip


def read(task: Task, data: Path) -> tuple[Rows, Decided]:
    """The candidates and the decided rows of a task, as the command line would read them."""
    candidates = read_candidates(data / task.candidates, renamed={}, answerable=task.status or None)
    decided = read_training(data / task.asked, candidates, renamed={}).decided
    return candidates, decided


def folds_of(decided: Decided, *, by_chance: bool, folds: int) -> np.ndarray:
    random = np.random.default_rng(3)
    if by_chance:
        return random.permutation(len(decided)) % folds
    first = np.asarray([targets[0] for targets in decided.targets])
    _, place = np.unique(first, return_inverse=True)
    return (random.permutation(place.max() + 1) % folds)[place]


def without(decided: Decided, *columns: str) -> Decided:
    kept = {name: values for name, values in decided.queries.columns.items() if name not in columns}
    return Decided(Rows(decided.queries.ids, kept), decided.targets)


# --- baselines ---------------------------------------------------------------------------------------------------


def exact(candidates: Rows, queries: Rows) -> Iterable[list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(candidates.column("name")):
        places.setdefault(name, []).append(place)
    return [places.get(name, []) for name in queries.column("name")]


def edit_ratio(candidates: Rows, queries: Rows) -> Iterable[list[int]]:
    names = candidates.column("name")
    for name in queries.column("name"):
        found = process.extract(name, names, scorer=distance.Indel.normalized_similarity, limit=5)
        yield [place for _, _, place in found]


def character_weights(candidates: Rows, queries: Rows) -> Iterable[list[int]]:
    places, _ = Index(candidates.column("name")).search(queries.column("name"), top=TOP)
    return [[place for place in row if place >= 0] for row in places.tolist()]


BASELINES = {"exact": exact, "edit ratio": edit_ratio, "character TF-IDF": character_weights}


def judge_baseline(
    answers: Callable[[Rows, Rows], Iterable[list[int]]], candidates: Rows, decided: Decided, counted: np.ndarray
) -> Tally:
    tally = Tally(queries_asked=len(decided))
    began = time.process_time()
    found = list(answers(candidates, decided.queries))
    tally.seconds = time.process_time() - began
    q_idx = np.asarray([q for q, places in enumerate(found) for _ in places], dtype=np.int64)
    c_idx = np.asarray([place for places in found for place in places], dtype=np.int64)
    leading = np.asarray([rank == 0 for places in found for rank in range(len(places))], dtype=np.bool_)
    tally.add(decided, Ranking(q_idx, c_idx, np.zeros(len(q_idx), np.float32), leading), counted)
    return tally


# --- the suggester -----------------------------------------------------------------------------------------------


class Samples:
    """What each task that may be passed on gives to the shipped ranker; worked out once."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._known = known_names()
        self._made: dict[str, list[tuple[tuple[str, ...], Sample]]] = {}

    def ranker(self, *, but: str = "") -> NetRanker:
        """A ranker learned from every task but one, so that a task is never judged by what it taught."""
        found = [one for task in TASKS if task.ship and task.asked != but for one in self._of(task)]
        names = found[0][0]
        steps = np.cumsum([0, *(int(sample.q_idx[-1]) + 1 for _, sample in found)])
        return learn(
            names,
            np.concatenate([sample.features for _, sample in found]),
            np.concatenate([sample.q_idx + step for (_, sample), step in zip(found, steps, strict=False)]),
            np.concatenate([sample.right for _, sample in found]),
            part_of_query=np.concatenate([sample.part_of_query for _, sample in found]),
        )

    def _of(self, task: Task) -> list[tuple[tuple[str, ...], Sample]]:
        if task.name not in self._made:
            candidates, decided = read(task, self._data)
            random = np.random.default_rng(5)
            hard = np.ones(len(decided), bool) if task.only is None else task.only(decided.queries, candidates, decided)
            easy = random.permutation(np.flatnonzero(~hard))[: MOST_OF_ONE_TASK // 2]
            hard_ones = random.permutation(np.flatnonzero(hard))[:MOST_OF_ONE_TASK]
            some = decided.part(sorted([*easy.tolist(), *hard_ones.tolist()]))
            names = [name for name in some.queries.columns if name != "name"]
            self._made[task.name] = []
            for known, asked in ((self._known, some), ({}, without(some, *names))):
                suggester = Suggester(candidates, ranker=NO_RANKER, known=known)
                self._made[task.name].append((suggester.feature_names, suggester.sample(asked, cold=True)))
        return self._made[task.name]


NO_RANKER = NetRanker((), np.zeros(0, np.float32), np.zeros(0, np.float32), (), (1.0, 0.0, 0.0))


def judge(
    task: Task, candidates: Rows, decided: Decided, *, ranker: NetRanker, cold: bool, folds: int, by_chance: bool
) -> Tally:
    """Every row is asked for once, by a suggester that has learned from the other folds (or from nothing)."""
    fold_of_row = folds_of(decided, by_chance=by_chance, folds=folds)
    tally = Tally(queries_asked=len(decided))
    known = known_names()
    for fold in range(folds):
        asked = decided.part(np.flatnonzero(fold_of_row == fold).tolist())
        rest = decided.part(np.flatnonzero(fold_of_row != fold).tolist())
        began = time.process_time()
        suggester = Suggester(candidates, None if cold else rest, ranker=ranker, known=known)
        built = time.process_time()
        ranking = suggester.rank(asked.queries, top=TOP)
        tally.seconds += time.process_time() - built
        tally.ready += (built - began) / folds
        counted = np.ones(len(asked), bool) if task.only is None else task.only(asked.queries, candidates, asked)
        tally.add(asked, ranking, counted)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mapping", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"only these: {', '.join(one.name for one in TASKS)}")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder (default: ../shared/data)")
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--no-baselines", action="store_true", help="leave the plain baselines out")
    parser.add_argument("--ship", action="store_true", help="write the ranker that ships with the hub, and end")
    wanted = parser.parse_args()
    console = make_console()
    if not (wanted.data / "gold").is_dir():
        console.print(
            "bench-mapping: skipped, there is no folder ../shared/data (or --data FOLDER) with gold/*_train.csv"
        )
        return 0
    samples = Samples(wanted.data)
    if wanted.ship:
        weights.write(weights.SHIPPED, samples.ranker())
        return 0
    for task in TASKS:
        if wanted.tasks and task.name not in wanted.tasks:
            continue
        console.print(_measured(task, wanted, samples))
    return 0


def _measured(task: Task, wanted: argparse.Namespace, samples: Samples) -> Table:
    candidates, decided = read(task, wanted.data)
    counted = np.ones(len(decided), bool) if task.only is None else task.only(decided.queries, candidates, decided)
    table = Table(
        "how", "hit@1", "hit@5", "hit@50", "set F1", "terms/s", "ready s",
        title=f"{task.name}: {int(counted.sum()):,} rows, {len(candidates):,} candidates; to reach {task.reach or '-'}",
    )  # fmt: skip
    if not wanted.no_baselines:
        for name, baseline in BASELINES.items():
            table.add_row(name, *judge_baseline(baseline, candidates, decided, counted).cells())
    shared = samples.ranker(but=task.asked) if task.ship or task.status else weights.shipped()
    coded = [("", decided)]
    if decided.queries.has("code"):
        coded = [("with codes, ", decided), ("without codes, ", without(decided, "code"))]
    last: Tally | None = None
    for words, rows in coded:
        for cold in (True, False):
            for by_chance in (False, True) if task.by_chance and not cold else (False,):
                last = judge(task, candidates, rows, ranker=shared, cold=cold, folds=wanted.folds, by_chance=by_chance)
                how = "cold" if cold else "learned, folds by chance" if by_chance else "learned, folds by target"
                table.add_row(words + how, *last.cells())
                sys.stderr.write(f"{task.name}: {words}{how}: {' '.join(last.cells())}\n")
    if last is not None:
        table.caption = _reliability(last)
    return table


def _reliability(tally: Tally) -> str:
    """How often a candidate was right, for bands of its score: score said / right / pairs."""
    rows = sorted(tally.bands.items())
    return "score said -> was right: " + "; ".join(
        f"{said / 1e6 / count:.2f} -> {right / count:.2f} ({count:,})" for _, (count, right, said) in rows
    )


if __name__ == "__main__":
    sys.exit(main())
