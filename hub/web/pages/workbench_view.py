"""What the mapping workbench shows of values of the core: one line for a change, before and after, what differs.

Knows values and words. Must not read the store or decide anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Any

from hub.actions.impact import Unanswered
from hub.actions.workbench import CodeView, Told
from hub.core.catalog import CatalogItem, HospitalLevel, Restriction, Stretch
from hub.core.decision import REFUSAL_WORDS, RefusalReason
from hub.core.mapping import Condition, Mapping
from hub.core.money import Rate
from hub.web.pages import words
from hub.web.pages import workbench_words as bench
from hub.web.pages.language import either, say
from hub.web.pages.workbench_forms import decimal_text

Parts = Sequence[tuple[str, str]]
"""A text in pieces, each with how it stands to another text: see `difference`."""

SHOWN_FACTS = (
    *("unit", "dosage_form", "spec", "package", "route", "content", "exclusions", "remark"),
    *("manufacturer", "approval_no", "insurance_class", "listed_price_yuan"),
)
"""Columns of a unified entry that tell a person whether it is the same thing, in the order in which he asks."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One column of an entry; `differs` where the other side says otherwise."""

    label: str
    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """One column before and after a change."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Option:
    """A unified entry that may be chosen; `score` and reasons are the suggester's, absent for what was searched."""

    code: str
    name_parts: Parts
    rows: Sequence[Fact]
    score: int | None = None
    in_answer: bool = False
    reasons: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What a catalog holds of a code on some days."""

    title: str
    rows: Sequence[Fact]


def difference(local: str, other: str) -> Parts:
    """The other text in pieces: "same", "more" where the local one lacks it, "less" for what only the local one has.

    Letters are compared as they are read: wide and narrow, large and small ones are the same. Where less than half of
    the local text is found again, what it has besides is left out: that would be most of it.
    """
    codes = SequenceMatcher(None, _plain(local), _plain(other), autojunk=False).get_opcodes()
    alike = 2 * sum(end - start for tag, start, end, _, _ in codes if tag == "equal") >= len(local)
    found: list[tuple[str, str]] = []
    for tag, start, end, other_start, other_end in codes:
        if tag != "equal" and alike and end > start:
            found.append((local[start:end], "less"))
        if other_end > other_start:
            found.append((other[other_start:other_end], "same" if tag == "equal" else "more"))
    return found


def _plain(text: str) -> list[str]:
    return [unicodedata.normalize("NFKC", letter).casefold() for letter in text]


def facts_of(attributes: MappingOf[str, str], *, local: MappingOf[str, str]) -> list[Fact]:
    """The columns of a unified entry that are worth showing, compared with the local ones where there are any."""
    return [
        Fact(either(bench.FACT[key]), attributes[key], key in local and _plain(local[key]) != _plain(attributes[key]))
        for key in SHOWN_FACTS
        if attributes.get(key)
    ]


def mark_of(view: CodeView) -> str:
    """A mark of everything decided or proposed about a code: it is another one once anything changed."""
    states = [f"{told.record.id}:{told.record.state}" for told in view.changes]
    return sha256("\n".join(states).encode()).hexdigest()[:16]


# --- in a line ---------------------------------------------------------------------------------------------------


def summary(told: Told) -> str:
    """A change in one line: what it is about and what it makes of it."""
    new = told.record.new
    if isinstance(new, CatalogItem):
        return say("{name}：{terms}", name=new.name, terms=terms_of(new))
    item = None if told.before is None else told.before.item
    name = new.local.code if item is None else item.name
    if new.unified is None:
        return say("{name} → 没有对应", name=name)
    return say("{name} → {target}", name=name, target=told.target_name or new.unified.code)


def terms_of(item: CatalogItem) -> str:
    """Class and first self-pay of an entry."""
    kind = either(bench.BENEFIT_CLASS[item.benefit_class])
    return say("{kind}，先行自付 {ratio}", kind=kind, ratio=item.first_self_pay)


def answer_words(one: Unanswered) -> str:
    """Why an insuring region gave no decision, in the reader's words."""
    reason = one.code.removeprefix("refused_")
    if reason in set(RefusalReason):
        return either(REFUSAL_WORDS[RefusalReason(reason)])
    pair = bench.REFUSED.get(one.code)
    return either(pair) if pair else one.words


# --- what holds --------------------------------------------------------------------------------------------------


def local_facts(stretches: Sequence[Stretch], *, on: date) -> list[Fact]:
    """The local entry as it is on a day, else as it was last."""
    items = [one for one in stretches if one.item is not None]
    now = next((one for one in items if on in one.span), items[-1] if items else None)
    if now is None or now.item is None:
        return [Fact(say("目录"), say("地区目录里没有这个编码"))]
    return [Fact(one.label, one.after) for one in _item_rows(None, now.item) if one.after]


def held(stretches: Sequence[Stretch], names: MappingOf[str, str]) -> list[Held]:
    """The mappings of a code over time, each stretch with its days."""
    found = []
    for stretch in stretches:
        if stretch.mappings:
            title = days_of(stretch.span.start, stretch.span.end)
            rows = [
                Fact(_condition_text(one.condition) or say("对应到"), _target_text(one, names))
                for one in stretch.mappings
            ]
            found.append(Held(title, rows))
    return found


def days_of(start: date, end: date | None) -> str:
    """A half-open span in words."""
    return say("{start} 起", start=start) if end is None else say("{start} 起，至 {end} 前", start=start, end=end)


# --- before and after --------------------------------------------------------------------------------------------


def compared(before: Stretch | None, new: CatalogItem | Mapping, *, names: MappingOf[str, str]) -> list[Compared]:
    """What a change puts in place of what the catalog holds on its first day."""
    if isinstance(new, CatalogItem):
        old = None if before is None else before.item
        return [one for one in _item_rows(old, new) if one.before or one.after]
    same = [] if before is None else [one for one in before.mappings if one.condition == new.condition]
    old_mapping = same[0] if same else None
    return [
        Compared(label, "" if old_mapping is None else read(old_mapping), read(new))
        for label, read in _mapping_columns(names)
    ]


Column = tuple[str, Callable[[Any], str]]


def _mapping_columns(names: MappingOf[str, str]) -> list[Column]:
    return [
        (say("对应到"), lambda one: _target_text(one, names)),
        (say("对应程度"), lambda one: either(bench.GRADE[one.grade])),
        (say("条件"), lambda one: _condition_text(one.condition) or say("不限")),
        (say("执行日期"), lambda one: days_of(one.valid_from, one.valid_until)),
    ]


def _item_rows(old: CatalogItem | None, new: CatalogItem) -> list[Compared]:
    return [Compared(label, "" if old is None else read(old), read(new)) for label, read in _item_columns()]


def _item_columns() -> list[Column]:
    return [
        (say("名称"), lambda one: one.name),
        (say("计价单位"), lambda one: one.unit),
        (say("类别（甲、乙、丙）"), lambda one: either(bench.BENEFIT_CLASS[one.benefit_class])),
        (say("先行自付比例"), _ratio_text),
        (say("限价和支付标准（元）"), _limits_text),
        (say("限定支付范围"), lambda one: _restriction_text(one.restriction)),
        (say("执行日期"), lambda one: days_of(one.valid.start, one.valid.end)),
        (say("过渡期到哪一天前"), lambda one: "" if one.grace_until is None else one.grace_until.isoformat()),
    ]


def _target_text(one: Mapping, names: MappingOf[str, str]) -> str:
    if one.unified is None:
        return say("没有对应")
    name = names.get(one.unified.code, "")
    return f"{name} {one.unified.code}".strip()


def _ratio_text(item: CatalogItem) -> str:
    special = [f"{either(words.INSURANCE_TYPE[kind])} {rate}" for kind, rate in sorted(item.first_self_pay_of.items())]
    return _listed([_rate_text(item.first_self_pay), *special])


def _rate_text(rate: Rate) -> str:
    return say("{rate}（不予支付）", rate=rate) if rate.value == 1 else str(rate)


def _limits_text(item: CatalogItem) -> str:
    found = [
        f"{either(words.LEVEL[level])} {decimal_text(item.price_limits[level])}"
        for level in reversed(HospitalLevel)
        if level in item.price_limits
    ]
    if item.payment_standard is not None:
        found.append(say("支付标准 {yuan}", yuan=decimal_text(item.payment_standard)))
    return _listed(found)


def _restriction_text(rule: Restriction | None) -> str:
    if rule is None:
        return ""
    found = _person_texts(rule)
    if rule.inpatient_only:
        found.append(say("仅限住院"))
    if rule.levels:
        found.append(_listed([either(words.LEVEL[level]) for level in sorted(rule.levels)]))
    if rule.most_days is not None:
        found.append(say("疗程最多 {n} 天", n=rule.most_days))
    return _listed(found)


def _condition_text(condition: Condition) -> str:
    found = _person_texts(condition)
    if condition.insurance_type is not None:
        found.append(either(words.INSURANCE_TYPE[condition.insurance_type]))
    return _listed(found)


def _person_texts(rule: Restriction | Condition) -> list[str]:
    found = [] if rule.sex is None else [either(bench.SEX[rule.sex])]
    if rule.age_from is not None and rule.age_to is not None:
        found.append(say("{first} 至 {last} 周岁", first=rule.age_from, last=rule.age_to))
    elif rule.age_from is not None:
        found.append(say("{first} 周岁以上", first=rule.age_from))
    elif rule.age_to is not None:
        found.append(say("{last} 周岁以下", last=rule.age_to))
    if rule.diagnoses:
        found.append(say("诊断 {codes}", codes=" ".join(rule.diagnoses)))
    return found


def _listed(texts: Sequence[str]) -> str:
    return say("；").join(texts)
