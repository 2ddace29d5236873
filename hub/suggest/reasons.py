"""Why a candidate is proposed, in a few words for the person who decides.

Knows which columns speak for a candidate and from which value on. Must not know the ranking: a reason explains, it does
not weigh. Rules: what a coder looks at first - the same name, the same branch of the code book, what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a candidate: a stable code, and words in Chinese and English."""

    code: str
    chinese: str
    english: str


_RULES: tuple[tuple[str, float, Reason], ...] = (
    ("same_core", 1.0, Reason("same_name", "名称相同", "same name")),
    ("same_outer", 1.0, Reason("same_but_brackets", "括号外名称相同", "same name outside brackets")),
    ("code_equal", 1.0, Reason("same_code", "编码相同", "same code")),
    ("code_same_branch", 1.0, Reason("same_branch", "编码同一亚目", "same branch of the code book")),
    ("service_stem_same", 1.0, Reason("same_item", "项目编码同源", "same item number")),
    ("service_parent_same", 1.0, Reason("same_parent", "主项目相同", "same parent item")),
    ("proposed", 1.0, Reason("remembered", "对照记录或编码提示", "pointed to by a decided mapping or a code")),
    ("edit", 0.7, Reason("similar_name", "名称相近", "similar name")),
    ("query_covered", 1.0, Reason("contains_name", "包含全部字词", "contains every character of the name")),
    ("variant_score", 0.6, Reason("other_wording", "同义表述相近", "similar when worded otherwise")),
)
MOST = 3
_LAST = Reason("some_likeness", "部分字词相同", "some words in common")


def reasons_for(values: Mapping[str, float]) -> tuple[Reason, ...]:
    """The reasons that hold for a pair with these feature values, the strongest first, at most three."""
    found = [reason for column, least, reason in _RULES if values.get(column, 0.0) >= least]
    if found and found[0].code == "same_name":
        found = [one for one in found if one.code not in {"same_but_brackets", "similar_name", "contains_name"}]
    return tuple(found[:MOST]) or (_LAST,)
