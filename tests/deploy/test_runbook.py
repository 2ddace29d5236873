"""What the documents tell a person to type exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from hub.cli import build
from hub.core.clearing import WINDOW_MOVES

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "deploy/README.md", "deploy/runbook.md")
LINKED = (*DOCUMENTS, "hub/decisions/README.md")
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

STARTS = (["hub"], ["compose", "run", "--rm", "migrate"], [".venv/bin/hub"])


def fenced_lines(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def words_of(line: str) -> list[str]:
    bare = re.sub(r"[()]", " ", line.split(" < ", maxsplit=1)[0].split(" > ", maxsplit=1)[0])
    return shlex.split(bare, comments=True)


def hub_commands(text: str) -> list[list[str]]:
    """The words after `hub` in code fences and in `inline code`."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = []
    for line in (*fenced_lines(text), *inline):
        for part in re.split(r"&&|;", line):
            words = words_of(part) if "'" not in part and '"' not in part.split("#")[0] else []
            found += [words[len(start) :] for start in STARTS if words[: len(start)] == start and words != start]
    return found


def resolved(words: list[str]) -> click.Command | None:
    """The command that these words name, or None."""
    at: click.Command = build()
    for word in words:
        if not isinstance(at, click.Group):
            break
        if word not in at.commands:
            return None
        at = at.commands[word]
    return at


def unknown_options(words: list[str]) -> set[str]:
    command = resolved(words)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    return {word for word in words if word.startswith("--")} - known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_hub_command_in_a_document_exists(document: str):
    commands = hub_commands((ROOT / document).read_text(encoding="utf-8"))

    assert len(commands) > 3
    assert [words for words in commands if resolved(words) is None] == []
    assert [words for words in commands if unknown_options(words)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_a_document_exists(document: str):
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE))

    assert named <= MAKE_TARGETS


@pytest.mark.parametrize("document", LINKED)
def test_every_link_in_a_document_leads_somewhere(document: str):
    base = (ROOT / document).parent
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (base / link).exists()] == []


def test_the_runbook_explains_every_state_of_a_month():
    states = {WINDOW_MOVES.start, *(target for _, _, target in WINDOW_MOVES.moves)}

    assert [state for state in states if f"| `{state}` |" not in RUNBOOK] == []


def test_the_runbooks_shell_is_sound():
    """What stands in capitals is for the reader to fill in; everything else is read as the shell reads it."""
    for line in fenced_lines(RUNBOOK):
        shlex.split(line, comments=True)
