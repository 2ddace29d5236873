"""The two languages of the pages: Chinese is the source, English the second catalog.

Knows how a text is chosen and filled in, and how dates and amounts are written. Must not know any page.
Source strings are Chinese; hub/web/pages/english.py has the English of each, and a test finds any that is missing.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import flask

from hub.core.dates import SHANGHAI
from hub.core.money import Money, yuan
from hub.web.pages.english import ENGLISH

COOKIE = "hub-language"
LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""Our name of each language, and the one that browsers know."""

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_LONG_AMOUNT = re.compile(r"\b(\d{4,})(\.\d{2})\b")
_OF_THE_CORE = [
    (re.compile(r"; cap (.+?) leaves (.+)"), r"；限额 \1，余 \2"),
    (re.compile(r"([\d.,]+) per_year"), r"每年 \1"),
    (re.compile(r"([\d.,]+) per_stay"), r"每次 \1"),
    (re.compile(r"\bmin\((.+), (.+)\)"), r"取小（\1；\2）"),
    (re.compile(r"100 % − rate"), "100 % − 各段比例"),
    (re.compile(r"(\d+) pp\b"), r"\1 个百分点"),
    (re.compile(r"care-place catalog of \d{6} \((.+?)\)"), r"\1"),
    (re.compile(r"Assumption of the hub, not published"), "平台假设，未见公布文件"),
]
"""What `hub.core` itself writes into a step, and its Chinese."""


def chosen() -> str:
    """The language of this request: what the reader chose, Chinese before he has."""
    if not flask.has_request_context():
        return "zh"
    found = flask.request.cookies.get(COOKIE, "zh")
    return found if found in LANGUAGES else "zh"


def say(text: str, **filled: object) -> str:
    """A source text in the reader's language, with `{names}` filled in; the result is text, escaped by the template."""
    words = ENGLISH[text] if chosen() == "en" else text
    return words.format(**filled) if filled else words


def either(pair: tuple[str, str]) -> str:
    """One of a pair of words (Chinese, English)."""
    return pair[1] if chosen() == "en" else pair[0]


def day(value: date | str) -> str:
    """A day written out: 2026年11月22日, 22 November 2026."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    if chosen() == "en":
        return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"
    return f"{found.year}年{found.month}月{found.day}日"


def moment(value: datetime) -> str:
    """A moment in Beijing time to the minute, as officers read it: 2026-11-22 09:05."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def amount(value: Money | str) -> str:
    """Yuan with two decimals and commas: 1,234,567.80; the minus sign is a real one."""
    found = yuan(value) if isinstance(value, str) else value
    whole, _, fen = str(abs(found)).partition(".")
    return f"{'−' if found.fen < 0 else ''}{int(whole):,}.{fen}"


def clause(text: str) -> str:
    """A decision's value, formula or article as people read it: commas in amounts, the core's own words in Chinese.

    Words of a region's policy stay as the policy has them.
    """
    found = _LONG_AMOUNT.sub(lambda amount: f"{int(amount[1]):,}{amount[2]}", text)
    if chosen() == "en":
        return found.replace("per_year", "a year").replace("per_stay", "a stay")
    for english, chinese in _OF_THE_CORE:
        found = english.sub(chinese, found)
    return found
