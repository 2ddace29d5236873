"""Drugs compared field by field: substance, salt, dosage form, strength, pack, maker.

Knows pairs of drug names and their columns. Must not know services, diagnoses or how much any fact weighs.
Rules: hub/suggest/drugs.py takes names, amounts and packs apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from rapidfuzz import distance, process

from hub.suggest import drugs
from hub.suggest.parts import Part
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Flags, Floats, Ints, normalise

ALTERNATIVES = 4
"""Names of one drug that are compared: the main one, those in brackets, the one without its solvent."""
PROPOSED = 40
"""Candidates of one substance that are put forward for one query."""


class DrugFields(Part):
    """What the fields of two drugs say of each other; silent (all 0) about rows that are no drugs."""

    names = (
        "drug", "drug_same_base", "drug_same_substance", "drug_same_loose", "drug_loose_edit",
        "drug_same_letters", "drug_query_inside", "drug_candidate_inside", "drug_class", "drug_form_fits",
        "drug_form_clashes", "drug_same_form", "drug_marks_same", "drug_marks_clash", "drug_strength_shared",
        "drug_strength_same", "drug_strength_clash", "drug_pack_same", "drug_pack_clash", "drug_maker_same",
        "drug_maker_edit", "drug_package_edit", "drug_approval_same",
    )  # fmt: skip

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:  # noqa: ARG002 - a Maker takes both.
        self._active = of_drugs(candidates)
        if not self._active:
            return
        self._facts = _Drugs(candidates)
        self._by_loose: dict[int, list[int]] = defaultdict(list)
        if candidates.has("spec") or candidates.has("manufacturer"):
            for place, numbers in enumerate(self._facts.loose.tolist()):
                for number in dict.fromkeys(numbers):
                    if number >= 0:
                        self._by_loose[number].append(place)

    def variants(self, queries: Rows) -> Sequence[Sequence[str]]:
        if not self._active:
            return super().variants(queries)
        found: list[list[str]] = []
        for plain in queries.plain:
            named = drugs.read_name(plain)
            more = [*named.substances[:2], *drugs.class_entries(plain)]
            found.append([text for text in dict.fromkeys(more) if text and text != plain])
        return found

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        """For each product the products of the same substance that agree best in strength, pack and maker."""
        if not self._active or not self._by_loose:
            return super().pairs(queries)
        facts = _Drugs(queries, like=self._facts)
        owners: list[Ints] = []
        places: list[Ints] = []
        for query, numbers in enumerate(facts.loose.tolist()):
            near = sorted({place for number in numbers for place in self._by_loose.get(number, ())})
            if not near:
                continue
            c_idx = np.asarray(near, dtype=np.int32)
            if len(c_idx) > PROPOSED:
                q_idx = np.full(len(c_idx), query, dtype=np.int32)
                agreed = self._agreement(facts, q_idx, c_idx)
                c_idx = c_idx[np.sort(np.lexsort((c_idx, -agreed))[:PROPOSED])]
            owners.append(np.full(len(c_idx), query, dtype=np.int32))
            places.append(c_idx)
        none = np.zeros(0, dtype=np.int32)
        return np.concatenate([none, *owners]), np.concatenate([none, *places])

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not self._active or not len(q_idx):
            return found
        mine, theirs = _Drugs(queries, like=self._facts), self._facts
        found[:, 0] = 1.0
        found[:, 1] = _any_equal(mine.base[q_idx], theirs.base[c_idx])
        found[:, 2] = _any_equal(mine.substance[q_idx], theirs.substance[c_idx])
        found[:, 3] = _any_equal(mine.loose[q_idx], theirs.loose[c_idx])
        for other in range(ALTERNATIVES):
            texts = theirs.loose_texts[other]
            there = np.flatnonzero(theirs.loose[c_idx, other] >= 0)
            if len(there):
                edit = _measured(_at(mine.loose_texts[0], q_idx[there]), _at(texts, c_idx[there]),
                                 distance.Levenshtein.normalized_similarity)  # fmt: skip
                found[there, 4] = np.maximum(found[there, 4], edit)
        found[:, 5] = mine.letters[q_idx] == theirs.letters[c_idx]
        main, entry = _at(mine.loose_texts[0], q_idx), _at(theirs.loose_texts[0], c_idx)
        found[:, 6] = [one in other for one, other in zip(main, entry, strict=True)]
        found[:, 7] = [other in one for one, other in zip(main, entry, strict=True)]
        found[:, 8] = (mine.member[q_idx] & theirs.entry[c_idx]) != 0
        form, forms = mine.form[q_idx], theirs.forms[c_idx]
        says = (form != 0) & (forms != 0)
        found[:, 9] = says & ((form & forms) != 0)
        found[:, 10] = says & ((form & forms) == 0)
        found[:, 11] = (mine.form_text[q_idx] == theirs.form_text[c_idx]) & (mine.form_text[q_idx] >= 0)
        marked = (mine.marks[q_idx] >= 0) & (theirs.marks[c_idx] >= 0)
        same = mine.marks[q_idx] == theirs.marks[c_idx]
        found[:, 12], found[:, 13] = marked & same, marked & ~same
        self._product(found, mine, q_idx, c_idx)
        return found

    def _product(self, found: Floats, mine: _Drugs, q_idx: Ints, c_idx: Ints) -> None:
        """Strength, pack and maker, where both sides give them."""
        theirs = self._facts
        strong = np.flatnonzero((mine.strength[q_idx] >= 0) & (theirs.strength[c_idx] >= 0))
        if len(strong):
            shared = mine.shared_strength(theirs, mine.strength[q_idx[strong]], theirs.strength[c_idx[strong]])
            found[strong, 14], found[strong, 15], found[strong, 16] = shared, shared == 1.0, shared == 0.0
        counted = (mine.pack[q_idx] > 0) & (theirs.pack[c_idx] > 0)
        same = mine.pack[q_idx] == theirs.pack[c_idx]
        found[:, 17], found[:, 18] = counted & same, counted & ~same
        made = np.flatnonzero((mine.maker[q_idx] >= 0) & (theirs.maker[c_idx] >= 0))
        if len(made):
            found[made, 19] = mine.maker[q_idx[made]] == theirs.maker[c_idx[made]]
            found[made, 20] = _measured(_at(mine.maker_texts, q_idx[made]), _at(theirs.maker_texts, c_idx[made]),
                                        distance.Indel.normalized_similarity)  # fmt: skip
        packed = np.flatnonzero(mine.packed[q_idx] & theirs.packed[c_idx])
        if len(packed):
            texts, entries = _at(mine.package_texts, q_idx[packed]), _at(theirs.package_texts, c_idx[packed])
            found[packed, 21] = _measured(texts, entries, distance.Indel.normalized_similarity)
        found[:, 22] = (mine.approval[q_idx] == theirs.approval[c_idx]) & (mine.approval[q_idx] >= 0)

    def _agreement(self, facts: _Drugs, q_idx: Ints, c_idx: Ints) -> Floats:
        """How well the products of one substance agree with a query: a rough order, to keep the best only."""
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        self._product(found, facts, q_idx, c_idx)
        same_form = facts.form[q_idx] & self._facts.forms[c_idx] != 0
        same_base = _any_equal(facts.base[q_idx], self._facts.base[c_idx])
        total = found[:, 14] + 0.5 * found[:, 17] + 2.0 * found[:, 20] + found[:, 21] + 3.0 * found[:, 22]
        return np.asarray(total + 0.5 * same_form + same_base, dtype=np.float32)


class _Drugs:
    """The facts of the rows of one side as arrays; texts of queries are numbered by those of the candidates `like`."""

    def __init__(self, rows: Rows, like: _Drugs | None = None) -> None:
        self._like = None if like is None else like.numbers
        self.numbers: dict[str, int] = {}
        self.amounts: dict[frozenset[str], int] = {}
        plains = rows.plain
        named = [drugs.read_name(plain) for plain in plains]
        self.base = self._numbered(one.bases for one in named)
        self.substance = self._numbered(one.substances for one in named)
        loose = [tuple(drugs.loosen(text) for text in one.substances) for one in named]
        self.loose = self._numbered(loose)
        self.loose_texts = [[one[at] if at < len(one) else "" for one in loose] for at in range(ALTERNATIVES)]
        self.letters = np.asarray([hash_of_letters(one[0]) for one in loose], dtype=np.int64)
        forms = rows.column("dosage_form")
        families = [drugs.family_of(plain, form) for plain, form in zip(plains, forms, strict=True)]
        self.form = np.asarray([_bits((family,)) for family in families], dtype=np.int64)
        self.forms = np.asarray(
            [_bits(one.forms) | (_bits((family,)) if form else 0)
             for one, family, form in zip(named, families, forms, strict=True)], dtype=np.int64,
        )  # fmt: skip
        self.form_text = self._one([normalise(form) for form in forms])
        self.member = np.asarray([_mask(drugs.classes_named(one, as_entry=False)) for one in plains], dtype=np.int64)
        self.entry = np.asarray([_mask(drugs.classes_named(one, as_entry=True)) for one in plains], dtype=np.int64)
        self.marks = self._one([one.marks for one in named])
        self.strength = np.asarray(
            [self._strength(drugs.strengths(spec)) for spec in rows.column("spec")], dtype=np.int32
        )
        self.pack = np.asarray([drugs.pack_count(one) if one else 0 for one in rows.column("package")], dtype=np.int32)
        self.maker_texts = [drugs.maker_core(one) if one else "" for one in rows.column("manufacturer")]
        self.maker = self._one(self.maker_texts)
        self.package_texts = [normalise(one) for one in rows.column("package")]
        self.packed = np.asarray([bool(one) for one in self.package_texts], dtype=np.bool_)
        self.approval = self._one([normalise(one) for one in rows.column("approval_no")])

    def shared_strength(self, other: _Drugs, mine: Ints, theirs: Ints) -> Floats:
        """The shared part of all amounts that a specification here and one of `other` name, 0 to 1."""
        here, there = list(self.amounts), list(other.amounts)
        keys, place = np.unique(mine.astype(np.int64) * len(there) + theirs, return_inverse=True)
        pairs = [(here[key // len(there)], there[key % len(there)]) for key in keys.tolist()]
        shares = np.asarray([len(one & two) / len(one | two) for one, two in pairs], dtype=np.float32)
        return shares[place]

    def _strength(self, found: frozenset[str]) -> int:
        return self.amounts.setdefault(found, len(self.amounts)) if found else -1

    def _number(self, text: str) -> int:
        if not text:
            return -1
        if self._like is None:
            return self.numbers.setdefault(text, len(self.numbers))
        # A text that no candidate has is equal to none of theirs; among themselves queries are never compared.
        return self._like.get(text, len(self._like))

    def _one(self, texts: Iterable[str]) -> Ints:
        return np.asarray([self._number(text) for text in texts], dtype=np.int32)

    def _numbered(self, several: Iterable[Sequence[str]]) -> Ints:
        rows = [
            [*(self._number(text) for text in one[:ALTERNATIVES]), *[-1] * (ALTERNATIVES - len(one))] for one in several
        ]
        return np.asarray(rows, dtype=np.int32).reshape(-1, ALTERNATIVES)


def hash_of_letters(text: str) -> int:
    """One number for the characters of a text whatever their order (甘氨酸碳酸钙, 碳酸钙甘氨酸)."""
    total = 0
    for letter in text:
        code = ord(letter)
        total += code * code * 2654435761 + code
    return total & 0x7FFFFFFFFFFFFFFF


def of_drugs(candidates: Rows) -> bool:
    """Whether these are drugs: they give dosage forms, or one in twenty of their names ends in one."""
    if candidates.has("dosage_form"):
        return True
    ends = sum(1 for plain in candidates.plain if drugs.named_family(plain))
    return ends * 20 > len(candidates) > 0


def _bits(families: Iterable[str]) -> int:
    return sum(1 << drugs.FAMILIES.index(family) for family in set(families) if family)


def _mask(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _any_equal(mine: Ints, theirs: Ints) -> Flags:
    """Whether any of the numbers of one side is one of the other's; -1 is none."""
    found = np.zeros(len(mine), dtype=np.bool_)
    for at in range(mine.shape[1]):
        for other in range(theirs.shape[1]):
            found |= (mine[:, at] == theirs[:, other]) & (mine[:, at] >= 0)
    return found


def _at(texts: Sequence[str], places: Ints) -> list[str]:
    return [texts[place] for place in places.tolist()]


def _measured(mine: list[str], theirs: list[str], scorer: Callable[..., Any]) -> Floats:
    return np.asarray(process.cpdist(mine, theirs, scorer=scorer, dtype=np.float32, workers=1), dtype=np.float32)
