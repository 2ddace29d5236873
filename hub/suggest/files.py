"""The files of a suggestion run: candidates, decided mappings and queries as CSV in, ranked suggestions as CSV out.

Knows columns by the hub's names and by the other names that regions give them. Must not know ranking.
Rules: UTF-8 (with or without a mark) or GB 18030, one header row; every fault is named with its file, line and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.core.errors import Faults, NotAllowed
from hub.suggest.engine import Ranking
from hub.suggest.rows import FIELDS, Decided, Rows
from hub.suggest.text import core, normalise

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "name": ("text", "source_name", "drug_name", "item_name", "catalog_name", "source_name_pumch2017"),
    "code": ("source_code", "item_code", "catalog_no"),
    "id": ("query_id", "row_id", "local_id"),
    "target_code": ("target_catalog_no",),
    "target_name": ("standard", "target_catalog_name"),
}
"""What the files call a column otherwise; the hub's own name goes first where a file has both."""

ANSWERABLE = "active"
"""In a candidates' column `status`, where some row has it: only these rows are proposed."""

JOINED = "##"
"""Stands between several targets of one row."""

HEADER = ("query_id", "rank", "code", "name", "score", "in_answer")
MOST_FAULTS = 20


@dataclass(frozen=True)
class TrainingFile:
    """Decided mappings that were read; `lost` names rows whose target is no candidate, and so teach nothing."""

    decided: Decided
    lost: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    path: Path
    columns: dict[str, list[str]]
    size: int

    def need(self, *names: str) -> None:
        """Refuse the file unless it has one of the columns."""
        if any(name in self.columns for name in names):
            return
        wanted = " or ".join(f"`{name}`" for name in names)
        known = sorted({other for name in names for other in OTHER_NAMES.get(name, ())})
        also = f" (also known as {', '.join(known)})" if known else ""
        raise NotAllowed(
            "column_missing",
            f"{self.path.name} has no column {wanted}{also}; it has {', '.join(self.columns) or 'none'}."
            f" Name it with --map theirs={names[0]}",
        )


def read_candidates(path: Path, *, renamed: Mapping[str, str], answerable: Sequence[str] | None = None) -> Rows:
    """The candidates: columns `code` and `name`, others as they are; several rows of one code are several names of it.

    Where a column `status` says which rows are active only these are read, or those with a status in `answerable`.

    Raises NotAllowed where a column is missing, or a row has no code or no name.
    """
    table = _read(path, renamed)
    table.need("code")
    table.need("name")
    places = list(range(table.size))
    status = table.columns.get("status")
    if status is not None and ANSWERABLE in status:
        proposed = frozenset(answerable or (ANSWERABLE,))
        places = [place for place in places if status[place] in proposed]
    faults = Faults()
    for place in places:
        for column in ("code", "name"):
            if not table.columns[column][place] and len(faults.found) < MOST_FAULTS:
                faults.add(_where(path, place), "cell_empty", f"column `{column}` is empty")
    faults.stop_if_any("candidates_faulty", f"{path.name}: every candidate needs a code and a name")
    seen: dict[tuple[str, str], int] = {}
    for place in places:
        seen.setdefault((table.columns["code"][place], table.columns["name"][place]), place)
    kept = list(seen.values())
    return Rows(
        ids=[table.columns["code"][place] for place in kept],
        columns={name: [values[place] for place in kept] for name, values in table.columns.items()},
    )


def read_queries(path: Path, *, renamed: Mapping[str, str]) -> Rows:
    """The queries; without a column of ids the number of the row, counted from 1, is the id.

    Raises NotAllowed where there is neither a name nor a code to go by, or where an id stands twice.
    """
    table = _read(path, renamed)
    table.need("name", "code")
    faults = Faults()
    ids = table.columns.get("id", [str(place + 1) for place in range(table.size)])
    first: dict[str, int] = {}
    for place, name in enumerate(ids):
        if not name:
            faults.add(_where(path, place), "id_empty", "the row has no id")
        elif first.setdefault(name, place) != place:
            faults.add(_where(path, place), "id_repeated", f"id `{name}` stands in line {first[name] + 2} already")
    _check_something_to_go_by(table, faults)
    faults.found[MOST_FAULTS:] = []
    faults.stop_if_any("queries_faulty", f"{path.name}: some rows cannot be asked for")
    return Rows(ids=ids, columns=_fields(table))


def read_training(path: Path, candidates: Rows, *, renamed: Mapping[str, str]) -> TrainingFile:
    """Decided mappings: source columns as in the queries, and `target_code` or `target_name` (several joined by `##`).

    The code goes before the name where a row has both. A target that is no candidate is left out and named.
    """
    table = _read(path, renamed)
    table.need("name", "code")
    table.need("target_code", "target_name")
    faults = Faults()
    _check_something_to_go_by(table, faults)
    faults.found[MOST_FAULTS:] = []
    faults.stop_if_any("training_faulty", f"{path.name}: some rows teach nothing")
    by_code: dict[str, int] = {}
    by_name: dict[str, int] = {}
    by_core: dict[str, int] = {}
    for place, (code, name) in enumerate(zip(candidates.ids, candidates.column("name"), strict=True)):
        by_code.setdefault(code, place)
        by_name.setdefault(name, place)
        by_core.setdefault(candidates.core[place], place)
    empty = [""] * table.size
    targets: list[tuple[int, ...]] = []
    lost: list[str] = []
    rows = zip(table.columns.get("target_code", empty), table.columns.get("target_name", empty), strict=True)
    for place, (codes, names) in enumerate(rows):
        found = [by_code[one] for one in _split(codes) if one in by_code]
        if not found:
            for one in _split(names):
                target = by_name.get(one, by_core.get(core(normalise(one))))
                found += [] if target is None else [target]
        targets.append(tuple(dict.fromkeys(found)))
        if not found:
            lost.append(f"{_where(path, place)}: {codes or names or 'no target'}")
    kept = [place for place, found in enumerate(targets) if found]
    if not kept:
        raise NotAllowed("training_empty", f"{path.name}: no target of any row is among the candidates")
    queries = Rows(ids=[str(place + 1) for place in range(table.size)], columns=_fields(table))
    return TrainingFile(Decided(queries.part(kept), [targets[place] for place in kept]), tuple(lost))


def write_suggestions(path: Path, queries: Rows, candidates: Rows, ranking: Ranking) -> None:
    """Write the ranking; the file appears whole or not at all.

    Raises NotAllowed where the folder cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(_lines(queries, candidates, ranking))
        beside.replace(path)
    except OSError as wrong:
        beside.unlink(missing_ok=True)
        raise NotAllowed("file_not_written", f"{path.name} cannot be written: {wrong.strerror}") from wrong


def _lines(queries: Rows, candidates: Rows, ranking: Ranking) -> Iterator[tuple[object, ...]]:
    names = candidates.column("name")
    last, rank = -1, 0
    for q, c, score, chosen in zip(
        ranking.q_idx.tolist(), ranking.c_idx.tolist(), ranking.scores.tolist(), ranking.in_answer.tolist(), strict=True
    ):
        rank = rank + 1 if q == last else 1
        last = q
        yield queries.ids[q], rank, candidates.ids[c], names[c], f"{score:.6f}", int(chosen)


def _read(path: Path, renamed: Mapping[str, str]) -> _Table:
    """A CSV file as columns under the hub's names."""
    text = _text_of(path)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as wrong:
        raise NotAllowed("file_unreadable", f"{path.name} is no CSV file: {wrong}") from wrong
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise NotAllowed("file_empty", f"{path.name} is empty: a header row and at least one row are needed")
    header = [name.strip() for name in lines[0]]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise NotAllowed("column_repeated", f"{path.name} has the column {', '.join(repeated)} twice")
    if len(lines) == 1:
        raise NotAllowed("file_empty", f"{path.name} has a header row and nothing below it")
    faults = Faults()
    for place, line in enumerate(lines[1:]):
        if len(line) > len(header) and len(faults.found) < MOST_FAULTS:
            faults.add(_where(path, place), "row_too_long", f"{len(line)} cells under {len(header)} headings")
    faults.stop_if_any("file_faulty", f"{path.name}: some rows have more cells than the header; is a comma unquoted?")
    columns: dict[str, list[str]] = {name: [] for name in header if name}
    for line in lines[1:]:
        for name, cell in zip(header, [*line, *[""] * (len(header) - len(line))], strict=True):
            if name:
                columns[name].append(cell.strip())
    return _Table(path, _under_our_names(columns, renamed), len(lines) - 1)


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise NotAllowed("file_unreadable", f"{path.name} cannot be read: {wrong.strerror}") from wrong
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotAllowed("file_unreadable", f"{path.name} is neither UTF-8 nor GB 18030: save it as UTF-8 CSV")


def _under_our_names(columns: Mapping[str, list[str]], renamed: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns by the names that --map gives them, then by the names that are known; ours go before others."""
    found = {renamed.get(name, name): values for name, values in columns.items() if name not in renamed.values()}
    found.update({name: columns[name] for name in renamed.values() if name in columns and name not in found})
    for ours, others in OTHER_NAMES.items():
        for other in others:
            if ours not in found and other in found:
                found[ours] = found.pop(other)
    return found


def _check_something_to_go_by(table: _Table, faults: Faults) -> None:
    names = table.columns.get("name", [""] * table.size)
    codes = table.columns.get("code", [""] * table.size)
    for place, (name, code) in enumerate(zip(names, codes, strict=True)):
        if not name and not code:
            faults.add(_where(table.path, place), "cell_empty", "the row has neither a name nor a code")


def _fields(table: _Table) -> dict[str, Sequence[str]]:
    """The columns that are read; the others, the targets above all, never reach the suggester."""
    return {name: table.columns[name] for name in FIELDS if name in table.columns}


def _split(cell: str) -> Iterable[str]:
    return (one.strip() for one in cell.split(JOINED) if one.strip())


def _where(path: Path, place: int) -> str:
    """A row as an editor counts it, where no cell holds a line break: the header is line 1."""
    return f"{path.name} line {place + 2}"
