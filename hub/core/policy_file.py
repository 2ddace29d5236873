"""Reads one region's policy from plain data and reports every fault with its file and key path.

Knows the layout of `policy.toml` and what makes a figure impossible.
Must not know TOML, folders or bills: adapters parse the file and hand its tables over.
Sources: the layout is the hub's own (adapters/POLICY.md); the shapes are those of seed-policies P01-P15.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import Any

from hub.core.catalog import HospitalLevel
from hub.core.codes import Fund, InsuranceType, Region
from hub.core.decision import CareKind, PersonGroup, Place, Referral, Refusal
from hub.core.errors import Faults
from hub.core.money import percent
from hub.core.plan import all_cases, band_faults, compile_plan
from hub.core.policy import (
    Accumulation,
    Base,
    Bonus,
    Cap,
    CapKind,
    CatalogOf,
    ChangeKind,
    Charged,
    CombineOrder,
    Condition,
    CountFrom,
    Deductible,
    DiseaseList,
    Layer,
    Opening,
    Parameter,
    Policy,
    Row,
    Segment,
    Standard,
    Tilt,
    Treatment,
    Value,
    YearAttribution,
)
from hub.core.policy_table import Table, Word, amount, change, limit, names, points, word
from hub.core.registration import AccessBasis, RegistrationCategory, RegistrationRules


def read_policy(data: Mapping[str, object], *, file: str, digest: str) -> Policy:
    """Build a policy from the tables of its file.

    `digest` is the SHA-256 of the file in hex. Raises NotAllowed ``policy_faulty`` with every fault found,
    each with the file and the path of its key. Figures that are merely absent are no faults: a bill that
    needs one is refused.
    """
    faults = Faults()
    top = Table(data, where=f"{file}: ", faults=faults)
    reader = _Reader(top)
    region = top.read("region", Region)
    policy_name, kind, version = top.text("name"), top.text("kind"), top.text("version")
    layers = tuple(found for found in (reader.layer(table) for table in top.tables("layer")) if found is not None)
    access = reader.access(top.tables("access"))
    attribution = reader.words(top, "year_attribution", YearAttribution)
    catalog_of = reader.words(top, "catalog_of", CatalogOf)
    registration = reader.registration(top.tables("registration"))
    lists = reader.plain(top.tables("disease_list"), _disease_list, unit="codes")
    standards = reader.plain(top.tables("standard"), _standard, unit="yuan")
    waiting = reader.plain(top.tables("waiting"), _waiting, unit="days")
    admissions = reader.plain(top.tables("counts_as_admission"), _yes, unit="cases")
    conditions = [row for layer in layers for row in layer.rows()] + [*standards, *waiting, *admissions]
    _check_lists(conditions, {row.parameter.value.name for row in lists}, top)
    top.done()
    _check_layers(layers, top)
    faults.stop_if_any("policy_faulty", f"{file} was refused as a whole; mend every fault listed")
    assert region is not None
    policy = Policy(
        region=region,
        name=policy_name,
        kind=kind,
        version=version,
        digest=digest,
        layers=layers,
        access=access,
        year_attribution=attribution,
        catalog_of=catalog_of,
        registration=registration,
        lists=lists,
        standards=standards,
        waiting=waiting,
        admissions=admissions,
    )
    _check_compiled(policy, top)
    faults.stop_if_any("policy_faulty", f"{file} was refused as a whole; mend every fault listed")
    return policy


class _Reader:
    """Reads the rows of a policy; sources are named by the keys of the file's [sources] table."""

    def __init__(self, top: Table) -> None:
        found = top.take("sources")
        self.sources = Table(found, where=top.path("sources"), faults=top.faults)
        self.titles = {key: self.sources.text(key) for key in (found if isinstance(found, Mapping) else ())}

    def source(self, table: Table) -> str:
        """``"P09, article 9"`` becomes the title of source P09 and the place in it."""
        key, comma, place = table.text("source").partition(", ")
        if key not in self.titles:
            table.fault(
                "source",
                "source_unknown",
                f"begin with a key of [sources] ({', '.join(self.titles)}) and ', '",
            )
        elif not comma or not place:
            table.fault("source", "source_place", f"say where in the source it stands: '{key}, article ...'")
        return f"{self.titles.get(key, key)}, {place}"

    def row(self, table: Table, value: Value | None, *, unit: str, for_cases: bool = True) -> Row[Value] | None:
        """A dated parameter with its condition, where it may have one; None after a fault was noted."""
        when = _condition(table) if for_cases else Condition()
        span, source = table.span(), self.source(table)
        note, assumed = table.take("note"), table.take("assumed")
        if note is not None and not isinstance(note, str):
            table.fault("note", "text_expected", "a note is a text")
        if assumed is not None and not isinstance(assumed, bool):
            table.fault("assumed", "flag_expected", "write true or false")
        table.done()
        if value is None or span is None:
            return None
        name = table.where.rpartition(": ")[2]
        return Row(when, Parameter(name, value, unit, span, source, str(note or ""), assumed is True))

    def rows(self, owner: Table, key: str, parse: Callable[[str], Value], *, unit: str) -> tuple[Row[Value], ...]:
        """Rows of a layer whose whole content is one `value`."""
        tables = owner.tables(key)
        return self.kept(tables, [self.row(table, table.read("value", parse), unit=unit) for table in tables])

    def plain(
        self, tables: Sequence[Table], read: Callable[[Table], Value | None], *, unit: str
    ) -> tuple[Row[Value], ...]:
        """Rows whose content has keys of its own; rows of different names stand side by side."""
        rows = [self.row(table, read(table), unit=unit) for table in tables]
        return tuple(row for row in rows if row is not None)

    def words(self, owner: Table, key: str, kind: type[Word]) -> tuple[Row[Word], ...]:
        """Rows of the whole policy: one word each, the same for every case."""
        tables = owner.tables(key)
        found = [self.row(one, one.read("value", word(kind)), unit="word", for_cases=False) for one in tables]
        return self.kept(tables, found)

    def kept(self, tables: Sequence[Table], rows: Sequence[Row[Value] | None]) -> tuple[Row[Value], ...]:
        """Drop what was faulty and report rows that an earlier one hides on some of their days."""
        for (_, earlier), (table, later) in combinations(zip(tables, rows, strict=True), 2):
            if earlier is None or later is None or not earlier.parameter.span.overlaps(later.parameter.span):
                continue
            if _hides(earlier, later):
                message = f"{earlier.parameter.name} stands before it and holds for the same case on the same days"
                table.fault("", "row_hidden", message)
        return tuple(row for row in rows if row is not None)

    def access(self, tables: Sequence[Table]) -> dict[AccessBasis, tuple[Row[Treatment], ...]]:
        found: dict[AccessBasis, tuple[list[Table], list[Row[Treatment] | None]]] = {}
        for table in tables:
            basis = table.read("basis", word(AccessBasis))
            row = self.row(table, table.read("treatment", word(Treatment)), unit="word", for_cases=False)
            if basis is not None:
                of_basis = found.setdefault(basis, ([], []))
                of_basis[0].append(table)
                of_basis[1].append(row)
        return {basis: self.kept(of_basis, rows) for basis, (of_basis, rows) in found.items()}

    def registration(self, tables: Sequence[Table]) -> tuple[Row[RegistrationRules], ...]:
        rows: list[Row[RegistrationRules] | None] = []
        for table in tables:
            months = table.take("temporary_months")
            instant = table.words("instant_categories", RegistrationCategory)
            if type(months) is not int or not 1 <= months <= 120:
                table.fault("temporary_months", "months_range", "a whole number of months from 1 to 120 is required")
                months = 1
            rules = RegistrationRules(temporary_months=months, instant_categories=instant, source=table.where)
            row = self.row(table, rules, unit="months", for_cases=False)
            if row is not None:
                stated = dataclasses.replace(rules, source=row.parameter.source)
                row = dataclasses.replace(row, parameter=dataclasses.replace(row.parameter, value=stated))
            rows.append(row)
        return self.kept(tables, rows)

    def layer(self, table: Table) -> Layer | None:
        name = table.text("name")
        insurance_type = table.read("insurance_type", word(InsuranceType))
        fund = table.read("fund", word(Fund))
        span, source = table.span(), self.source(table)
        base = self.rows(table, "base", word(Base), unit="word")
        without = self.rows(table, "without_deductible_of", names, unit="layers")
        accumulate = self.rows(table, "accumulate", word(Accumulation), unit="word")
        count_from = self.rows(table, "segments_count_from", word(CountFrom), unit="word")
        combine = self.rows(table, "combine", word(CombineOrder), unit="word")
        bonuses = self.bonuses(table.tables("membership"))
        elsewhere = self.rows(table, "elsewhere", change, unit="adjustment")
        covers = self.plain(table.tables("covers"), _covers, unit="cases")
        opens = self.plain(table.tables("opens"), _opening, unit="yuan")
        less = self.rows(table, "less_paid_first", names, unit="sources")
        if any(Treatment.AS_AT_HOME in row.when.treatments for row in elsewhere):
            table.fault("elsewhere", "elsewhere_at_home", "a row for as_at_home never acts: take it out")
        deductibles = table.tables("deductible")
        segments = table.tables("segment")
        tilts = table.tables("tilt")
        caps = table.tables("cap")
        segment_rows = [self.row(one, _segment(one), unit="percent") for one in segments]
        cap_rows = [self.row(one, _cap(one), unit="yuan") for one in caps]
        deductible_rows = self.kept(deductibles, [self.row(one, _deductible(one), unit="yuan") for one in deductibles])
        tilt_rows = self.kept(tilts, [self.row(one, _tilt(one), unit="adjustment") for one in tilts])
        table.done()
        if insurance_type is None or fund is None or span is None:
            return None
        return Layer(
            name=name,
            insurance_type=insurance_type,
            fund=fund,
            span=span,
            source=source,
            base=base,
            without_deductible_of=without,
            accumulate=accumulate,
            count_from=count_from,
            combine=combine,
            deductibles=deductible_rows,
            segments=tuple(row for row in segment_rows if row is not None),
            elsewhere=elsewhere,
            tilts=tilt_rows,
            bonuses=bonuses,
            caps=tuple(row for row in cap_rows if row is not None),
            covers=covers,
            opens=opens,
            less=less,
        )

    def bonuses(self, tables: Sequence[Table]) -> tuple[Row[Bonus], ...]:
        """The rows of each year are kept apart: a higher year may hold for the same case on the same days."""
        of_year: dict[int, tuple[list[Table], list[Row[Bonus] | None]]] = {}
        for table in tables:
            year, size = table.take("from_year"), table.read("value", points)
            if type(year) is not int or year < 1:
                table.fault("from_year", "year_range", "a whole number of years from 1 (the first year) is required")
                year = 0
            row = self.row(table, Bonus(year, size) if size is not None else None, unit="points")
            same_year = of_year.setdefault(year, ([], []))
            same_year[0].append(table)
            same_year[1].append(row)
        return tuple(row for same_year, rows in of_year.values() for row in self.kept(same_year, rows))


def _condition(table: Table) -> Condition:
    return Condition(
        levels=table.words("levels", HospitalLevel),
        groups=table.words("groups", PersonGroup),
        places=table.words("places", Place),
        treatments=table.words("treatments", Treatment),
        care=table.words("care", CareKind),
        referrals=table.words("referrals", Referral),
        lists=table.texts("disease_lists"),
        from_admission=table.whole("from_admission", least=1, most=99, default=1),
    )


def _covers(table: Table) -> bool | None:
    found = table.take("covered")
    if found is not None and not isinstance(found, bool):
        table.fault("covered", "flag_expected", "write true or false; a row without it covers its cases")
        return None
    return found is not False


def _yes(_table: Table) -> bool:
    return True


def _opening(table: Table) -> Opening | None:
    fund, paid = table.read("fund", word(Fund)), table.read("paid", amount)
    return Opening(fund, paid) if fund is not None and paid is not None else None


def _disease_list(table: Table) -> DiseaseList | None:
    name, codes = table.text("name"), table.texts("codes")
    if not codes:
        table.fault("codes", "list_expected", "name at least one disease")
    return DiseaseList(name, codes) if name and codes else None


def _standard(table: Table) -> Standard | None:
    disease, size = table.text("disease"), table.read("value", amount)
    return Standard(disease, size) if disease and size is not None else None


def _waiting(table: Table) -> int | None:
    return table.whole("days", least=1, most=3660, default=None)


def _check_lists(rows: Iterable[Row[Any]], known: set[str], top: Table) -> None:
    """A row names only disease lists that the policy has."""
    for row in rows:
        for name in sorted(row.when.lists - known):
            top.fault("disease_list", "list_unknown", f"{row.parameter.name} names {name!r}, which is no disease_list")


def _segment(table: Table) -> Segment | None:
    faults_before = len(table.faults.found)
    above, up_to = table.read("above", amount), table.read("up_to", limit)
    rate = table.read("rate", percent)
    if above is None or rate is None or len(table.faults.found) > faults_before:
        return None
    if up_to is not None and up_to <= above:
        table.fault("up_to", "segment_empty", f"the segment ends at {up_to}, not above {above}")
        return None
    return Segment(above, up_to, rate)


def _deductible(table: Table) -> Deductible | None:
    size, charged = table.read("value", amount), table.read("charged", word(Charged))
    first_among = table.words("first_among", HospitalLevel)
    if charged is not None and (charged is Charged.FIRST_ADMISSION) != bool(first_among):
        table.fault(
            "first_among",
            "first_among",
            "name the levels counted, and only where charged = 'first_admission'",
        )
    return Deductible(size, charged, first_among) if size is not None and charged is not None else None


def _tilt(table: Table) -> Tilt | None:
    found, on_flat = table.read("value", change), table.take("on_flat_rate")
    if not isinstance(on_flat, bool):
        table.fault(
            "on_flat_rate",
            "flag_expected",
            "say with true or false whether it also moves a flat off-site rate",
        )
        return None
    if found is not None and found.kind is ChangeKind.FLAT:
        table.fault(
            "value",
            "tilt_flat",
            "a tilt moves a rate by points or a factor; a flat rate belongs to [[elsewhere]]",
        )
        return None
    return Tilt(found, on_flat) if found is not None else None


def _cap(table: Table) -> Cap | None:
    kind = table.read("kind", word(CapKind))
    if kind is CapKind.NONE:
        return Cap(kind, None)
    key = "safe_up_to" if kind is CapKind.NOT_STATED else "value"
    size = table.read(key, amount)
    shared = table.words("shared_with", Fund)
    return Cap(kind, size, shared) if kind is not None and size is not None else None


def _hides(earlier: Row[Value], later: Row[Value]) -> bool:
    """Whether the earlier row fits every case that the later one fits."""
    pairs: tuple[tuple[frozenset[StrEnum], frozenset[StrEnum]], ...] = (
        (frozenset(earlier.when.levels), frozenset(later.when.levels)),
        (frozenset(earlier.when.groups), frozenset(later.when.groups)),
        (frozenset(earlier.when.places), frozenset(later.when.places)),
        (frozenset(earlier.when.treatments), frozenset(later.when.treatments)),
        (frozenset(earlier.when.care), frozenset(later.when.care)),
        (frozenset(earlier.when.referrals), frozenset(later.when.referrals)),
    )
    if earlier.when.from_admission > later.when.from_admission:
        return False
    if earlier.when.lists and not (later.when.lists and later.when.lists <= earlier.when.lists):
        return False
    return all(not wide or (bool(narrow) and narrow <= wide) for wide, narrow in pairs)


def _check_layers(layers: Sequence[Layer], top: Table) -> None:
    """Layers of one insurance type that hold on the same days have different names and different funds."""
    for earlier, later in combinations(layers, 2):
        if earlier.insurance_type is not later.insurance_type or not earlier.span.overlaps(later.span):
            continue
        if earlier.name == later.name:
            top.fault("layer", "layer_twice", f"layer {later.name!r} occurs twice on the same days")
        if earlier.fund is later.fund:
            top.fault("layer", "fund_twice", f"layers {earlier.name!r} and {later.name!r} pay from one fund")


def _check_compiled(policy: Policy, top: Table) -> None:
    """Try every case on every stretch of days: what the rows say together must make sense."""
    found: dict[str, None] = {}
    for day in policy.changes():
        plan = compile_plan(policy, on=day)
        for insurance_type in {layer.insurance_type: None for layer in plan.layers}:
            for case in all_cases(policy):
                terms = plan.terms(case, insurance_type=insurance_type, membership_years=0)
                if isinstance(terms, Refusal):
                    continue
                earlier: set[str] = set()
                for one in terms:
                    wrong = (
                        band_faults(one),
                        _base_fault(one.base, one.without_deductible_of, earlier),
                        _counting_fault(one.deductible, per_year=one.per_year, from_zero=one.count_from_zero),
                        _cap_fault([cap for cap, _ in one.caps]),
                    )
                    found.update({f"{one.layer}: {words}": None for words in wrong if words})
                    earlier.add(one.layer)
    for words in found:
        top.fault("layer", "layer_impossible", words)


def _base_fault(base: Base, excluded: frozenset[str], earlier: set[str]) -> str | None:
    if (base is Base.IN_POLICY) != (not earlier):
        return "the first layer's base is 'in_policy', every later layer's is 'left_over' or 'whole_remainder'"
    unknown = excluded - earlier
    return f"without_deductible_of names no earlier layer: {sorted(unknown)}" if unknown else None


def _counting_fault(deductible: Deductible, *, per_year: bool, from_zero: bool) -> str | None:
    yearly = deductible.charged is Charged.YEAR
    if yearly and not per_year:
        return "a yearly deductible needs accumulate = 'year'"
    if per_year and from_zero and not yearly:
        return "with a deductible per admission, segments over the year count from the deductible"
    return None


def _cap_fault(caps: Sequence[Cap]) -> str | None:
    kinds = [cap.kind for cap in caps]
    if len(set(kinds)) != len(kinds):
        return "two caps of one kind hold for the same case"
    if len(kinds) > 1 and {CapKind.NONE, CapKind.NOT_STATED} & set(kinds):
        return "a cap that is 'none' or 'not_stated' stands alone"
    return None
