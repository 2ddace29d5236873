"""Bills as a table, one row each: read from CSV or Parquet into columns for the bulk engine, and the answers back.

Knows the table's columns and how each is read. Must not know how a bill is decided. Source: decision record 0072.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from hub.bulk.engine import Bills, Decided
from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund
from hub.core.decision import DecisionRequest
from hub.core.errors import Faults, HubError, NotAllowed
from hub.deciding.reading import read_bill

AMOUNTS = ("full_self_pay", "over_limit", "first_self_pay", "in_policy")
FACTS = (
    "region",
    "care_region",
    "place",
    "admitted_on",
    "service_date",
    "discharged_on",
    "registration",
    "referral",
    "level",
    "care",
    "insurance_type",
    "group",
    "membership_years",
    "disease",
    "by_disease",
    "insured_since",
)
"""Columns that select rules, read as in a document; an empty cell is a field that is not there."""

_REQUIRED = ("region", "discharged_on", "registration", "level", "in_policy")
_ADMISSIONS, _PAID, _COUNTED, _FIRST = "admissions_", "paid_", "accumulated_", "paid_first_"
_NUMBERS = ("membership_years",)
_MOST_SHOWN = 20


def read_table(path: Path) -> tuple[pl.DataFrame, Bills]:
    """The table and its bills in columns.

    Columns: `id`; the facts of a document; `full_self_pay`, `over_limit`, `first_self_pay` and `in_policy` in yuan (an
    absent one is zero, `in_policy` is required); `admissions_1` to `admissions_3`; `paid_<fund>`,
    `accumulated_<layer>` and `paid_first_<source>` in yuan. Raises NotAllowed naming rows and columns.
    """
    frame = _opened(path)
    faults = Faults()
    for name in frame.columns:
        if not _is_known(name):
            faults.add(name, "column_unknown", "this column is not known: mend the spelling or leave it out")
    for name in _REQUIRED:
        if name not in frame.columns:
            faults.add(name, "column_missing", "this column is required")
    faults.stop_if_any("table_faulty", f"{path.name} was not decided; mend every fault listed")
    parts = {name: _fen(frame, name, faults) for name in AMOUNTS}
    paid = {_fund(name, faults): _fen(frame, name, faults) for name in _named(frame, _PAID, but=_FIRST)}
    counted = {name.removeprefix(_COUNTED): _fen(frame, name, faults) for name in _named(frame, _COUNTED)}
    first = {name.removeprefix(_FIRST): _fen(frame, name, faults) for name in _named(frame, _FIRST)}
    facts, fact_of = _facts(frame, faults)
    faults.stop_if_any("table_faulty", f"{path.name} was not decided; mend every fault listed")
    bills = Bills(
        facts=facts,
        fact_of=fact_of,
        total=np.sum(list(parts.values()), axis=0),
        in_policy=parts["in_policy"],
        admissions=np.stack([_counts(frame, f"{_ADMISSIONS}{level}") for level in HospitalLevel], axis=1),
        year_paid={fund: column for fund, column in paid.items() if fund is not None},
        counted=counted,
        paid_first=first,
    )
    return frame, bills


def write_table(path: Path, frame: pl.DataFrame, decided: Decided) -> None:
    """The answers in the order of the rows: id, refusal or empty, what each fund pays, hospital and cash, in yuan."""
    refused = decided.refused.tolist()
    columns: dict[str, pl.Series] = {
        "id": _ids(frame),
        "refusal": pl.Series([decided.refusals[one].reason.value if one >= 0 else "" for one in refused]),
        "detail": pl.Series([decided.refusals[one].detail if one >= 0 else "" for one in refused]),
    }
    for fund, fen in decided.paid.items():
        columns[f"paid_{fund.value}"] = _yuan(fen)
    for layer, fen in decided.adds.items():
        columns[f"accumulated_{layer}"] = _yuan(fen)
    columns["hospital_borne"] = _yuan(decided.hospital_borne)
    columns["cash"] = _yuan(decided.cash)
    found = pl.DataFrame(columns)
    if path.suffix == ".parquet":
        found.write_parquet(path)
    else:
        found.write_csv(path)


def _opened(path: Path) -> pl.DataFrame:
    """Every cell as text, so that no amount passes through a binary fraction."""
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False, encoding="utf8")
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            broken = [name for name, kind in frame.schema.items() if kind.is_float()]
            if broken:
                raise NotAllowed(
                    "column_float", f"{', '.join(broken)}: write amounts as text or decimal, not as floats"
                )
            return frame.select(pl.all().cast(pl.String))
    except (OSError, pl.exceptions.PolarsError) as wrong:
        raise NotAllowed("table_unreadable", f"{path.name} cannot be read: {wrong}") from wrong
    raise NotAllowed("table_kind", f"{path.name}: a table ends in .csv or .parquet")


def _is_known(name: str) -> bool:
    return name in ("id", *FACTS, *AMOUNTS) or name.startswith((_ADMISSIONS, _PAID, _COUNTED, _FIRST))


def _named(frame: pl.DataFrame, start: str, *, but: str = "\0") -> Sequence[str]:
    return [name for name in frame.columns if name.startswith(start) and not name.startswith(but)]


def _fund(column: str, faults: Faults) -> Fund | None:
    try:
        return Fund(column.removeprefix(_PAID))
    except ValueError:
        faults.add(column, "fund_unknown", f"{column.removeprefix(_PAID)!r} is no fund")
        return None


def _fen(frame: pl.DataFrame, name: str, faults: Faults) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A column of yuan with at most two decimals, as fen; an absent column or an empty cell is zero."""
    if name not in frame.columns:
        return np.zeros(len(frame), dtype=np.int64)
    text = frame[name].fill_null("")
    good = text.str.contains(r"^((0|[1-9][0-9]{0,10})(\.[0-9]{1,2})?)?$")
    for row in (~good).arg_true().head(_MOST_SHOWN).to_list():
        faults.add(f"row {row + 1}, {name}", "money_malformed", f"{text[row][:40]!r} is not yuan, like 1234.50")
    if not good.all():
        return np.zeros(len(frame), dtype=np.int64)
    split = text.str.split_exact(".", 1)
    whole = split.struct.field("field_0").cast(pl.Int64, strict=False).fill_null(0)
    part = split.struct.field("field_1").fill_null("0").str.pad_end(2, "0").cast(pl.Int64, strict=False).fill_null(0)
    return np.ascontiguousarray((whole * 100 + part).to_numpy(), dtype=np.int64)


def _counts(frame: pl.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if name not in frame.columns:
        return np.zeros(len(frame), dtype=np.int64)
    found = frame[name].cast(pl.Int64, strict=False).fill_null(0)
    return np.ascontiguousarray(found.to_numpy(), dtype=np.int64)


def _facts(
    frame: pl.DataFrame, faults: Faults
) -> tuple[Sequence[DecisionRequest], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """The different combinations of facts, and each row's place among them; a faulty one is named by its first row."""
    columns = [name for name in FACTS if name in frame.columns]
    grouped = frame.select(columns).with_row_index("row").with_columns(pl.struct(columns).rank("dense").alias("fact"))
    firsts = grouped.group_by("fact").agg(pl.col("row").min()).sort("fact")["row"].to_list()
    found = []
    for row in firsts:
        document: dict[str, object] = {
            name: value for name, value in frame.select(columns).row(row, named=True).items() if value not in (None, "")
        }
        try:
            found.append(read_bill({**_typed(document), "amounts": {"in_policy": "0.00"}}))
        except HubError as wrong:
            for fault in wrong.faults[:_MOST_SHOWN]:
                faults.add(f"row {row + 1}, {fault.where}", fault.code, fault.message)
    return found, (grouped["fact"].to_numpy() - 1).astype(np.int32)


def _typed(document: Mapping[str, object]) -> Mapping[str, object]:
    """Cells that a document writes as a number or a flag."""
    typed = dict(document)
    for name in _NUMBERS:
        if str(typed.get(name, "")).isdecimal():
            typed[name] = int(str(typed[name]))
    if str(typed.get("by_disease", "")).lower() in ("true", "false"):
        typed["by_disease"] = str(typed["by_disease"]).lower() == "true"
    return typed


def _ids(frame: pl.DataFrame) -> pl.Series:
    if "id" in frame.columns:
        return frame["id"]
    return pl.Series([f"row {number}" for number in range(1, len(frame) + 1)], dtype=pl.String)


def _yuan(fen: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.Series:
    column = pl.Series(np.ascontiguousarray(fen))
    whole, part = column // 100, column % 100
    return whole.cast(pl.String) + "." + part.cast(pl.String).str.zfill(2)
