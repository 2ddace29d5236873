"""Habits of the house that no tool checks: migrations, queues, state tables, names, and what no file may hold."""

import ast
import importlib
import pkgutil
import re
import statistics
import warnings
from enum import EnumType

import pytest
from celery.exceptions import CDeprecationWarning

import hub.core
from hub.cli.inspect import LIFECYCLES
from hub.core.lifecycle import Lifecycle
from hub.ports.records import Topic
from hub.store.migrate import heads
from hub.tasks.app import QUEUES, SCHEDULE, make_celery
from hub.tasks.jobs import QUEUE_OF_TOPIC
from tests.tidy.sources import CODE, ROOT, python_files, text_files, text_of, tree_of

MOST_LINES = 600
WRITTEN = {".py", ".html", ".css", ".js", ".md", ".sql"}
"""What is written by hand and read as a whole; data and locks are not."""

UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|HA" + "CK)" + r"\b")
MACHINE = re.compile(r"(?<![\w.~-])/(work|root|tmp|mnt|home/\w+|Users/\w+)/\w")
INDEX_HOST = re.compile(r"py" + r"pi\.|python" + r"hosted|--(extra-)?index-" + r"url|\bsim" + r"ple/", re.IGNORECASE)

IN_THE_CASE = {"tests/spec/test_spec.py::test_rule": "each case of a table carries its own sentence"}
"""Tests whose sentence stands elsewhere."""

CORE = [importlib.import_module(f"hub.core.{found.name}") for found in pkgutil.iter_modules(hub.core.__path__)]


def searched(pattern):
    return [
        f"{path}:{number}: {found.group()}"
        for path in text_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if (found := pattern.search(line))
    ]


def every_test():
    """Every test function of the suite: its place and its tree."""
    for path in python_files("tests"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{path}::{node.name}", node


# --- migrations, queues, schedule --------------------------------------------------------------------------------


def test_the_migrations_have_one_head():
    assert len(heads()) == 1


@pytest.fixture(scope="module")
def celery():
    """The worker's application with every task; the broker is named and never asked."""
    app = make_celery("redis://localhost:6379/0")
    app.loader.import_default_modules()
    with warnings.catch_warnings():
        # Celery 6 wants routes beside the settings; until then the queue stands at the task, where it is read.
        warnings.simplefilter("ignore", CDeprecationWarning)
        app.finalize(auto=True)
        yield app


def own_tasks(celery):
    return {name: task for name, task in celery.tasks.items() if name.startswith("hub.")}


def test_every_queue_that_a_task_names_is_consumed_by_the_worker(celery):
    named = {task.queue for task in own_tasks(celery).values()} | set(QUEUE_OF_TOPIC.values())

    assert named <= set(QUEUES) == set(celery.amqp.queues)
    assert celery.conf.task_default_queue in QUEUES


def test_every_task_of_the_schedule_exists(celery):
    scheduled = {row["task"] for row in SCHEDULE.values()}

    assert scheduled <= set(own_tasks(celery))


def test_every_topic_of_the_outbox_has_a_queue():
    assert set(QUEUE_OF_TOPIC) == set(Topic)


def test_every_task_says_its_queue_and_tolerates_words_it_does_not_know(celery):
    for name, task in own_tasks(celery).items():
        assert task.queue, name
        assert task.run.__code__.co_flags & 0x08, f"{name} takes no **unknown words: an older worker would drop it"


# --- state tables ------------------------------------------------------------------------------------------------


def tables():
    return [value for module in CORE for value in vars(module).values() if isinstance(value, Lifecycle)]


def test_every_state_table_of_the_core_is_drawn_by_the_command_line():
    assert {table.name for table in tables()} == {table.name for table in LIFECYCLES}


@pytest.mark.parametrize("table", LIFECYCLES, ids=lambda table: table.name)
def test_every_state_is_reached_and_drawn_and_some_state_ends_it(table):
    reached = {table.start}
    for _ in table.moves:
        reached |= {target for source, _, target in table.moves if source in reached}
    drawn = table.as_mermaid()

    assert reached == set(type(table.start))
    assert all(f" {state}" in drawn for state in reached)
    assert all(f": {event}" in drawn for _, event, _ in table.moves)
    assert table.final_states() or table.name == "visit"


@pytest.mark.parametrize("table", LIFECYCLES, ids=lambda table: table.name)
def test_events_are_words_that_a_log_can_carry(table):
    assert all(re.fullmatch(r"[a-z_]+", event) for _, event, _ in table.moves)


# --- texts -------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_one_can_hold_in_mind():
    long = [
        f"{path}: {len(text_of(path).splitlines())} lines"
        for path in text_files()
        if path.suffix in WRITTEN and len(text_of(path).splitlines()) > MOST_LINES
    ]

    assert not long, "\n".join(long)


def test_nothing_is_left_for_later():
    found = searched(UNFINISHED)

    assert not found, "\n".join(found)


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    found = searched(MACHINE)

    assert not found, "\n".join(found)


def test_no_file_names_a_package_index():
    found = searched(INDEX_HOST)

    assert not found, "\n".join(found)


def test_every_module_opens_with_what_it_knows():
    silent = [
        str(path)
        for path in python_files(*CODE)
        if text_of(path).strip() and "migrations/versions" not in str(path) and not ast.get_docstring(tree_of(path))
    ]

    assert not silent, "\n".join(silent)


# --- tests -------------------------------------------------------------------------------------------------------


def test_every_test_is_named_by_a_sentence():
    short = [place for place, node in every_test() if len(node.name.split("_")) < 5 and place not in IN_THE_CASE]

    assert not short, "\n".join(short)


def test_half_of_all_tests_are_shorter_than_fifteen_lines():
    lengths = [node.end_lineno - node.lineno + 1 for _, node in every_test()]

    assert statistics.median(lengths) < 15


def test_no_two_tests_of_one_file_bear_the_same_name():
    places = [place for place, _ in every_test()]

    assert len(places) == len(set(places)), {place for place in places if places.count(place) > 1}


# --- words -------------------------------------------------------------------------------------------------------


def test_every_public_class_of_the_core_stands_in_the_glossary():
    glossary = (ROOT / "hub/GLOSSARY.md").read_text(encoding="utf-8")
    public = {
        name
        for module in CORE
        for name, value in vars(module).items()
        if isinstance(value, type | EnumType) and value.__module__ == module.__name__ and not name.startswith("_")
    }

    missing = sorted(name for name in public if f"`{name}`" not in glossary)
    assert not missing, f"say in hub/GLOSSARY.md what these are: {missing}"


def test_every_name_that_the_glossary_gives_exists_in_the_code():
    code = "\n".join(text_of(path) for path in python_files(*CODE))
    rows = re.findall(r"^\|.*\|.*\|(.*)\|$", (ROOT / "hub/GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}

    missing = sorted(name for name in named if not re.search(rf"\b{re.escape(name.split('.')[-1])}\b", code))
    assert not missing, f"these are not in the code: {missing}"
