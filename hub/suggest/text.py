"""One spelling for names of diagnoses, operations, services and drugs, so that only differences of meaning are left.

Knows characters, numerals and brackets. Must not know any catalog or any learned word.
Rules: Unicode NFKC; Roman and Chinese ordinals as the ICD-10 tables and hospital records write grades and stages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]

_SIGNS = str.maketrans(
    {
        "，": ",",
        "、": ",",
        "；": ",",
        ";": ",",
        "。": ".",
        "・": "·",
        "•": "·",
        "‧": "·",
        "【": "(",
        "】": ")",
        "〔": "(",
        "〕": ")",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "《": "(",
        "》": ")",
        "「": "(",
        "」": ")",
        "—": "-",
        "–": "-",
        "−": "-",
        "‐": "-",
        "～": "-",
        "~": "-",
        "“": '"',
        "”": '"',
        "＂": '"',
        "‘": "'",
        "’": "'",
        "×": "*",
        "х": "x",
        "μ": "u",
        "µ": "u",
        "髙": "高",
        "疒": "",
    }
)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
          "x": "10", "xi": "11", "xii": "12"}  # fmt: skip
_ROMAN_RUN = re.compile(r"(?<![a-z])(?:viii|vii|vi|iv|ix|xii|xi|iii|ii|i|v|x)(?![a-z])")
_CHINESE = {"一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9",
            "十": "10", "十一": "11", "十二": "12"}  # fmt: skip
_ORDINAL = re.compile(r"第(十[一二]?|[一二三四五六七八九])")
_GRADE = re.compile(r"(?<![一-鿿])([一二三四五六])(?=[度期级型])|([一二三四五六])(?=[度期级]$)")
_BLANKS = re.compile(r"\s+")
_NOT_CORE = re.compile(r"[^0-9a-z\u0370-\u03ff\u3400-\u9fff\U00020000-\U0003ffff]+")
_BRACKETED = re.compile(r"\(([^()]*)\)")


def normalise(text: str) -> str:
    """`text` in the one spelling: NFKC, lower case, plain signs, Arabic numerals for grades; brackets stay."""
    found = unicodedata.normalize("NFKC", text).translate(_SIGNS).lower()
    found = _ROMAN_RUN.sub(lambda hit: _ROMAN[hit.group()], found)
    found = _ORDINAL.sub(lambda hit: "第" + _CHINESE[hit.group(1)], found)
    found = _GRADE.sub(lambda hit: _CHINESE[hit.group(1) or hit.group(2)], found)
    return _BLANKS.sub(" ", found).strip()


def core(plain: str) -> str:
    """What is left of a normalised text without signs and blanks: letters, digits and characters in their order."""
    return _NOT_CORE.sub("", plain)


def outside_brackets(plain: str) -> str:
    """A normalised text without what stands in (one level of) brackets; the text itself where nothing else is left."""
    return core(_BRACKETED.sub("", plain)) or core(plain)


def inside_brackets(plain: str) -> str:
    """What stands in brackets, in its order."""
    return core(" ".join(_BRACKETED.findall(plain)))


def cores(texts: Iterable[str]) -> list[str]:
    return [core(normalise(text)) for text in texts]


def grams(text: str) -> list[str]:
    """The characters of `text`, and its pairs of neighbouring characters with both ends marked."""
    marked = f"\x02{text}\x03"
    return [*text, *(marked[at : at + 2] for at in range(len(marked) - 1))]


def pick(texts: Sequence[str], places: Ints) -> list[str]:
    """The texts at `places`, in the order of `places`."""
    return [texts[place] for place in places.tolist()]
