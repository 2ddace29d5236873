"""Medical services compared field by field: parent item, surcharge, content, level of a code, decided neighbours.

Knows how price lists are made (an item, its sub-items and surcharges behind a dash or in brackets). Must not know
drugs, diagnoses or how much any fact weighs. Rules: the national service list numbers an item with nine digits between
a two-digit prefix and four digits of sub-item and surcharge, and repeats the item's name before a bracket.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from rapidfuzz import distance, process

from hub.suggest.parts import Part
from hub.suggest.retrieval import Index
from hub.suggest.rows import Decided, Rows
from hub.suggest.text import Floats, Ints, core, normalise

PARENT = "parent"
"""The column that `with_parents` adds: the name of the item that a row is a sub-item or a surcharge of."""
STEM = 9
"""Digits of an item in the national list and in lists made after it: class 2 + 2 + 2, item 3."""
REACH = 8
"""Rows without codes: how far before a surcharge its item may stand in the list."""
CONTENT = 120
"""Characters of a content text that are read: what comes later tells what is excluded."""

_DIGITS = re.compile(r"^(\d{4,})(?:[-_.]([0-9a-z]+))?$")
_NUMBERED = re.compile(r"^(\D*)(\d+)$")
_LAST_BRACKET = re.compile(r"^(.+?)\((.+)\)([^()]*)$")
_SURCHARGE = re.compile(r"加收|酌情|加价|另加|每增加|每增")
_NOISE = re.compile(
    r"酌情|加收|可|者|的|时|按|使用|采用|进行|每次|每|增加|一个|一张|一|个|次|从第.(?:次|个)?|第.次?起?|"
    r"均|需|指|含|在|由|费|不"
)
_GENERAL = re.compile(r"(?:治疗|手术|术|检查|测定|检测|费|护理|疗法|训练|评定|监测|分析|试验|技术)+$")
_SEVERAL = 0.6
"""The part of a sub-item's words that a name must hold to speak of it."""
_EXCLUDED = re.compile(r"不含.*|不包括.*")
_HABITS = (
    ("诊察", "诊查"), ("牙合", "𬌗"), ("显象", "显像"), ("成象", "成像"), ("摄象", "摄像"), ("兰光", "蓝光"),
    ("伽马", "伽玛"), ("γ", "伽玛"), ("粘膜", "黏膜"), ("体层", "断层"), ("给养", "给氧"), ("吸氧", "氧气吸入"),
    ("副高职称及以上", "副主任医师"), ("副高职称以上", "副主任医师"), ("辩证", "辨证"), ("护理费", "护理"),
    ("检测", "测定"), ("检验", "测定"), ("彩超", "彩色多普勒超声"), ("b超", "b型超声"), ("核磁", "磁共振"),
    ("mri", "磁共振"), ("ct", "计算机断层ct"), ("dsa", "数字减影dsa"), ("ptca", "经皮冠状动脉腔内成形ptca"),
    ("剥除", "剔除"), ("摘除", "切除"), ("放置", "植入"), ("置入", "植入"), ("穿刺活检", "活检"),
    ("活体组织检查", "活检"), ("静点", "静脉输液"), ("副鼻窦", "鼻窦"), ("超声刀", "高强度超声聚焦刀"),
    ("互联网医院", "互联网医疗"), ("煎煮", "煎药"), ("留观", "观察"), ("救护车使用", "救护车"), ("苷肽", "甘肽"),
)  # fmt: skip
"""Spellings and words that price lists use for the same thing; each is written as the second."""
_TITLES = (
    "副主任", "主任医师", "主治", "专家", "普通", "儿童", "特需", "急诊", "双侧", "单侧",
    "显微", "激光", "腹腔镜", "内镜", "超声", "快速", "定量", "定性", "增强", "平扫",
    "三维", "彩色", "院前", "新生儿", "夜间", "晚间", "远程", "中药", "针刺", "电子",
    "动态", "复杂",
)  # fmt: skip
"""Words that tell one item of a price list from the next."""


def habitual(text: str) -> str:
    """A name in the core spelling with the trade's interchangeable words made one."""
    for word, usual in _HABITS:
        if word in text:
            text = text.replace(word, usual)
    return text


def stem_of(code: str) -> str:
    """The item digits of a code: 110200001-d -> 110200001; 001102000010200 -> 110200001; empty where there are none."""
    hit = _DIGITS.match(code.strip().lower())
    if hit is None:
        return ""
    digits = hit.group(1)
    return digits[2 : 2 + STEM] if len(digits) == 15 else digits


def with_parents(rows: Rows, known: Rows | None = None) -> Rows:
    """The rows with a column of parent items, looked up among themselves and in `known` (other rows of the same list).

    By code where rows have codes (what stands before the dash), else a surcharge belongs to the last item before it in
    the order of the numbered ids. A row that has no parent, or whose parent is not among the rows, gets an empty text.
    """
    if PARENT in rows.columns or not (rows.has("content") or any(map(_is_surcharge, rows.plain))):
        return rows
    lists = [rows] if known is None else [known, rows]
    if rows.has("code"):
        names = {code: name for one in lists for code, name in zip(one.column("code"), one.column("name"), strict=True)}
        parents = [_parent_by_code(code, names) for code in rows.column("code")]
    else:
        items: set[tuple[str, int, str]] = set()
        for one in lists:
            for key, name, plain in zip(one.ids, one.column("name"), one.plain, strict=True):
                if not _is_surcharge(plain):
                    items |= {(prefix, number, name) for prefix, number in _numbered(key)}
        order = sorted(items)
        parents = [_parent_by_order(key, plain, order) for key, plain in zip(rows.ids, rows.plain, strict=True)]
    return Rows(ids=rows.ids, columns={**rows.columns, PARENT: parents})


def _is_surcharge(plain: str) -> bool:
    return _SURCHARGE.search(plain) is not None


def _numbered(key: str) -> list[tuple[str, int]]:
    hit = _NUMBERED.match(key)
    return [(hit.group(1), int(hit.group(2)))] if hit and hit.group(1) and len(hit.group(2)) < 12 else []


def _parent_by_code(code: str, names: dict[str, str]) -> str:
    before, dash, _ = code.partition("-")
    return names.get(before, "") if dash else ""


def _parent_by_order(key: str, plain: str, order: Sequence[tuple[str, int, str]]) -> str:
    if not _is_surcharge(plain):
        return ""
    for prefix, number in _numbered(key):
        at = bisect_left(order, (prefix, number, "")) - 1
        if at >= 0 and order[at][0] == prefix and number - order[at][1] <= REACH:
            return order[at][2]
    return ""


class ServiceFields(Part):
    """What the fields of two services say of each other; silent (all 0) about rows that are no services."""

    names = (
        "service", "service_both_surcharge", "service_no_surcharge", "service_new_surcharge", "service_parent_known",
        "service_parent_same", "service_parent_edit", "service_child_edit", "service_child_covered",
        "service_inner_covered", "service_whole_cosine", "service_whole_covers", "service_whole_covered",
        "service_content_cosine", "service_content_covers", "service_inner_in_content", "service_usual_edit",
        "service_usual_same", "service_main_item", "service_sub_item", "service_titles_shared",
        "service_titles_missing", "service_titles_more", "service_stem_same", "service_stem_prefix",
        "service_stem_decided", "service_decided_item", "service_decided_class", "service_outer_covers",
        "service_has_suffix", "service_general", "service_general_size", "service_general_in_content",
        "service_several_inner", "service_stem_surcharges", "service_stem_subs",
    )  # fmt: skip

    def __init__(self, candidates: Rows, decided: Decided | None = None) -> None:
        self._size = len(candidates)
        self._active = _of_services(candidates)
        if not self._active:
            return
        self._entries = [_Entry.read(plain) for plain in candidates.plain]
        self._whole = [habitual(one) for one in candidates.core]
        self._index = Index(self._whole)
        self._outer = [entry.outer for entry in self._entries]
        self._inner = [entry.inner for entry in self._entries]
        self._surcharge = np.asarray([entry.surcharge for entry in self._entries], dtype=np.bool_)
        self._titles = _titles(self._whole)
        self._general = [_GENERAL.sub("", outer) for outer in self._outer]
        stems = [stem_of(code) for code in candidates.ids]
        self._stems = _digits(stems)
        rest = [code[2 + STEM :] if len(code) == 15 else "" for code in candidates.ids]
        self._main = np.asarray([one == "0000" for one in rest], dtype=np.bool_)
        self._sub = np.asarray([one.endswith("00") and one != "0000" for one in rest], dtype=np.bool_)
        self._by_stem: dict[str, list[int]] = defaultdict(list)
        for place, stem in enumerate(stems):
            if stem:
                self._by_stem[stem].append(place)
        surcharges: dict[str, int] = defaultdict(int)
        subs: dict[str, int] = defaultdict(int)
        for stem, one in zip(stems, rest, strict=True):
            surcharges[stem] += one.startswith("00") and one != "0000"
            subs[stem] += bool(one) and not one.startswith("00")
        self._surcharges = np.log1p(np.asarray([surcharges[stem] for stem in stems], dtype=np.float32))
        self._subs = np.log1p(np.asarray([subs[stem] for stem in stems], dtype=np.float32))
        self._item = _numbers(stems)
        self._by_outer: dict[str, list[int]] = defaultdict(list)
        for place, (outer, whole) in enumerate(zip(self._outer, self._whole, strict=True)):
            self._by_outer[outer].append(place)
            if whole != outer:
                self._by_outer[whole].append(place)
        self._decided: dict[str, list[int]] = defaultdict(list)
        self._stem_trusted = False
        if decided is not None:
            self._learn(decided, stems)

    def _learn(self, decided: Decided, stems: Sequence[str]) -> None:
        """Which items the decided rows of each stem went to, and whether stems mean the same in both lists at all."""
        same = there = 0
        for code, targets in zip(decided.queries.column("code"), decided.targets, strict=True):
            stem = stem_of(code)
            if stem:
                self._decided[stem] += targets
                there += stem in self._by_stem
                same += any(stems[target] == stem for target in targets)
        self._stem_trusted = there > 0 and same * 2 > there

    def variants(self, queries: Rows) -> Sequence[Sequence[str]]:
        if not self._active:
            return super().variants(queries)
        found: list[list[str]] = []
        for one, parent in zip(queries.core, queries.column(PARENT), strict=True):
            usual = habitual(one)
            more = [usual] if usual != one else []
            if parent:
                bare = core(normalise(parent))
                more += [bare + one, bare]
            found.append(more)
        return found

    def pairs(self, queries: Rows) -> tuple[Ints, Ints]:
        """The items with the same stem, those of the parent's name, and those that rows of the same stem went to."""
        owners: list[int] = []
        places: list[int] = []
        if self._active:
            for query, (code, parent) in enumerate(zip(queries.column("code"), queries.column(PARENT), strict=True)):
                stem = stem_of(code)
                near = set(self._by_stem.get(stem, ())) | set(self._decided.get(stem, ()))
                if parent:
                    near |= set(self._by_outer.get(habitual(core(normalise(parent))), ()))
                owners += [query] * len(near)
                places += sorted(near)
        return np.asarray(owners, dtype=np.int32), np.asarray(places, dtype=np.int32)

    def features(self, queries: Rows, q_idx: Ints, c_idx: Ints) -> Floats:
        found = np.zeros((len(q_idx), len(self.names)), dtype=np.float32)
        if not self._active or not len(q_idx):
            return found
        usual = [habitual(one) for one in queries.core]
        parents = [habitual(core(normalise(one))) if one else "" for one in queries.column(PARENT)]
        child = [_bare(one) for one in usual]
        surcharge = np.asarray([_is_surcharge(one) for one in queries.plain], dtype=np.bool_)
        found[:, 0] = 1.0
        mine, theirs = surcharge[q_idx], self._surcharge[c_idx]
        found[:, 1], found[:, 2], found[:, 3] = mine & theirs, mine & ~theirs, ~mine & theirs
        self._of_parent(found, parents, child, q_idx, c_idx)
        self._of_content(found, queries, usual, parents, q_idx=q_idx, c_idx=c_idx)
        entry = _at(self._whole, c_idx)
        name = _at(usual, q_idx)
        found[:, 16] = _measured(name, entry, distance.Levenshtein.normalized_similarity)
        found[:, 17] = [one == other for one, other in zip(name, entry, strict=True)]
        found[:, 18], found[:, 19] = self._main[c_idx], self._sub[c_idx]
        titles = _titles(usual)[q_idx]
        their_titles = self._titles[c_idx]
        found[:, 20] = np.bitwise_count(titles & their_titles)
        found[:, 21] = np.bitwise_count(titles & ~their_titles)
        found[:, 22] = np.bitwise_count(their_titles & ~titles)
        outer = _at(self._outer, c_idx)
        found[:, 28] = _measured(name, outer, distance.LCSseq.similarity) / np.maximum(_lengths(outer), 1)
        self._of_general(found, name, q_idx, c_idx)
        self._of_codes(found, queries, q_idx, c_idx)
        return found

    def _of_general(self, found: Floats, name: list[str], q_idx: Ints, c_idx: Ints) -> None:
        """Whether the entry is the more general name, and whether the row speaks of several of its item's sub-items."""
        general = _at(self._general, c_idx)
        inside = np.asarray([len(one) > 1 and one in other for one, other in zip(general, name, strict=True)], np.bool_)
        found[:, 30] = inside
        found[:, 31] = inside * _lengths(general) / np.maximum(_lengths(name), 1)
        spoken = (found[:, 9] >= _SEVERAL) & ~self._main[c_idx]
        keys = q_idx.astype(np.int64) * (int(self._item.max(initial=0)) + 1) + self._item[c_idx]
        _, place = np.unique(keys, return_inverse=True)
        found[:, 33] = np.bincount(place, weights=spoken)[place] > 1
        found[:, 34], found[:, 35] = self._surcharges[c_idx], self._subs[c_idx]

    def _of_parent(self, found: Floats, parents: list[str], child: list[str], q_idx: Ints, c_idx: Ints) -> None:
        """The parent item against what stands before the bracket, the rest of the name against what stands in it."""
        has_parent = np.asarray([bool(one) for one in parents], dtype=np.bool_)
        inner = _at(self._inner, c_idx)
        rest = _at(child, q_idx)
        shared = _measured(rest, inner, distance.LCSseq.similarity)
        found[:, 7] = _measured(rest, inner, distance.Indel.normalized_similarity)
        found[:, 8] = shared / np.maximum(_lengths(rest), 1)
        found[:, 9] = shared / np.maximum(_lengths(inner), 1)
        found[:, 4] = has_parent[q_idx]
        rows = np.flatnonzero(has_parent[q_idx])
        if len(rows):
            parent, outer = _at(parents, q_idx[rows]), _at(self._outer, c_idx[rows])
            whole = _at(self._whole, c_idx[rows])
            found[rows, 5] = [one in (other, all_) for one, other, all_ in zip(parent, outer, whole, strict=True)]
            found[rows, 6] = _measured(parent, outer, distance.Indel.normalized_similarity)

    def _of_content(
        self, found: Floats, queries: Rows, usual: list[str], parents: list[str], *, q_idx: Ints, c_idx: Ints
    ) -> None:
        """The name with its parent, and with its content, against the whole entry: shared pieces of writing."""
        content = [
            habitual(core(_EXCLUDED.sub("", normalise(one))[:CONTENT])) if one else ""
            for one in queries.column("content")
        ]
        for at, texts in ((10, [a + b for a, b in zip(parents, usual, strict=True)]),
                          (13, [a + b + c for a, b, c in zip(parents, usual, content, strict=True)])):  # fmt: skip
            vectors, norms = self._index.vectors(texts)
            cosine = self._index.similarity(vectors, q_idx, c_idx)
            ratio = self._index.norms[c_idx] / norms[q_idx]
            found[:, at], found[:, at + 1] = cosine, cosine / ratio
            if at == 10:
                found[:, 12] = cosine * ratio
        rows = np.flatnonzero(np.asarray([bool(one) for one in content], dtype=np.bool_)[q_idx])
        if len(rows):
            inner = _at(self._inner, c_idx[rows])
            told = _at(content, q_idx[rows])
            general = _at(self._general, c_idx[rows])
            found[rows, 32] = [len(one) > 1 and one in other for one, other in zip(general, told, strict=True)]
            found[rows, 15] = [bool(one) and one in other for one, other in zip(inner, told, strict=True)]

    def _of_codes(self, found: Floats, queries: Rows, q_idx: Ints, c_idx: Ints) -> None:
        """How far the digits of the item agree, and where decided rows of the same and of near items went."""
        codes = queries.column("code")
        if not queries.has("code"):
            return
        stems = [stem_of(code) for code in codes]
        digits = _digits(stems)
        equal = (digits[q_idx] == self._stems[c_idx]) & (digits[q_idx] >= 0)
        prefix = np.cumprod(equal, axis=1).sum(axis=1)
        found[:, 23], found[:, 24] = prefix == STEM, prefix / STEM
        found[:, 29] = np.asarray(["-" in code for code in codes], dtype=np.bool_)[q_idx]
        found[:, 25] = (prefix == STEM) & self._stem_trusted
        keys = {stem: number for number, stem in enumerate(dict.fromkeys(stems))}
        decided_item = {(keys[stem], int(place)) for stem in keys for place in self._decided.get(stem, ())}
        decided_stem = {(number, self._stems[place].tobytes()) for number, place in decided_item}
        if decided_item:
            owner = np.asarray([keys[stem] for stem in stems], dtype=np.int64)[q_idx]
            size = np.int64(self._size)
            found[:, 26] = np.isin(owner * size + c_idx, np.asarray([n * size + p for n, p in decided_item]))
            of_stem: dict[bytes, int] = {}
            stem_of_place = np.asarray([of_stem.setdefault(row.tobytes(), len(of_stem)) for row in self._stems])
            wanted = np.asarray([n * size + of_stem[row] for n, row in decided_stem])
            found[:, 27] = np.isin(owner * size + stem_of_place[c_idx], wanted)


class _Entry:
    """An entry of the national list: the item before the bracket, what stands in it, whether it is a surcharge."""

    __slots__ = ("inner", "outer", "surcharge")

    def __init__(self, outer: str, inner: str, surcharge: bool) -> None:
        self.outer = outer
        self.inner = inner
        self.surcharge = surcharge

    @staticmethod
    def read(plain: str) -> _Entry:
        hit = _LAST_BRACKET.match(plain)
        surcharge = _is_surcharge(plain)
        if hit is None:
            return _Entry(habitual(core(plain)), "", surcharge)
        outer, inner, tail = hit.groups()
        return _Entry(habitual(core(outer)), _bare(habitual(core(inner + tail))), surcharge)


def _of_services(candidates: Rows) -> bool:
    """Whether these are services: some of their names are surcharges, which nothing else has."""
    return sum(map(_is_surcharge, candidates.plain)) * 100 > len(candidates)


def _bare(text: str) -> str:
    """What is left of a sub-item's or surcharge's name without the words that all of them have."""
    return _NOISE.sub("", text)


def _titles(texts: Sequence[str]) -> Ints:
    return np.asarray(
        [sum(1 << bit for bit, word in enumerate(_TITLES) if word in text) for text in texts], dtype=np.uint64
    )


def _numbers(stems: Sequence[str]) -> Ints:
    """One number a stem; entries without one have 0."""
    known = {stem: at for at, stem in enumerate(dict.fromkeys(("", *stems)))}
    return np.asarray([known[stem] for stem in stems], dtype=np.int64)


def _digits(stems: Iterable[str]) -> Ints:
    """The digits of each stem as a row of STEM numbers, -1 where there is none."""
    rows = [[int(digit) for digit in stem[:STEM]] + [-1] * (STEM - len(stem[:STEM])) for stem in stems]
    return np.asarray(rows, dtype=np.int8).reshape(-1, STEM)


def _lengths(texts: Sequence[str]) -> Floats:
    return np.asarray([len(text) for text in texts], dtype=np.float32)


def _at(texts: Sequence[str], places: Ints) -> list[str]:
    return [texts[place] for place in places.tolist()]


def _measured(mine: list[str], theirs: list[str], scorer: Callable[..., Any]) -> Floats:
    return np.asarray(process.cpdist(mine, theirs, scorer=scorer, dtype=np.float32, workers=1), dtype=np.float32)
