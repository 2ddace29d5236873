"""Watches everything that the suite prints or logs for personal data.

A plugin: it reads what pytest captured of each test, and the last test of the run (test_zz_no_personal_data.py in
tests/tidy) asks it for what it found.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.core.codes import identity_check_digit
from tests.world import PERSONS

NAMES = frozenset(person.name for person in PERSONS.values())
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9X](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9A-Za-z.])1[3-9][0-9]{9}(?![0-9A-Za-z])")

LAST = "test_zz_no_personal_data.py"

found: list[str] = []
seen_lines: list[int] = [0]


def personal_data_in(text: str) -> str | None:
    """What of a text must not stand in a log: a made-up person's name, an identity number that fits its check digit, a
    phone."""
    for name in NAMES:
        if name in text:
            return "a name"
    for number in _IDENTITY.findall(text):
        if identity_check_digit(number[:17]) == number[17]:
            return "an identity number"
    if _PHONE.search(text):
        return "a phone number"
    return None


def watch(where: str, text: str) -> None:
    """Note every line that holds personal data."""
    for line in text.splitlines():
        seen_lines[0] += 1
        kind = personal_data_in(line)
        if kind:
            found.append(f"{where}: {kind}")


def watch_files(folder: Path) -> None:
    """The same for the logs that child processes wrote."""
    for path in sorted(folder.glob("*.log")):
        watch(path.name, path.read_text(encoding="utf-8", errors="replace"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # What a failing test prints of its own values is no log of the product.
    if report.passed:
        for title, content in report.sections:
            watch(f"{report.nodeid} ({title})", content)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The question is asked last, when every other test has run."""
    items.sort(key=lambda item: item.path.name == LAST)
