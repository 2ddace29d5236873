"""The rules ask no clock, no environment and no dice, and know no floating point; nor do the adapters."""

import ast

import pytest

from tests.tidy.sources import CODE, imports_of, python_files, tree_of

PURE = python_files("hub/core", "adapters")
WORLD = {"asyncio", "io", "logging", "os", "pathlib", "pickle", "random", "secrets", "shutil", "socket", "sqlite3",
         "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"}  # fmt: skip
"""Modules through which the outside comes in."""
UNSTEADY = {"logging", "os", "random", "secrets", "time", "uuid"}
"""What adapters may not use either: their answer to one question is always the same."""

ONE_CLOCK = {"hub/clock.py": "the one clock: everything else receives its moment"}
ONE_ENVIRONMENT = {"hub/settings.py": "the one reader, which also hands the environment on whole to child processes"}


def named(node):
    """A dotted name such as ``datetime.datetime.now``; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    return ""


def uses(paths, *endings):
    """Where a dotted name that ends so is used."""
    return [
        f"{path}:{node.lineno}: {named(node)}"
        for path in paths
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and named(node).endswith(endings)
    ]


def elsewhere(found, allowed):
    return [one for one in found if one.partition(":")[0] not in allowed]


@pytest.mark.parametrize(("folder", "banned"), [("hub/core", WORLD), ("adapters", UNSTEADY)])
def test_no_module_through_which_the_outside_comes_in_is_imported(folder, banned):
    wrong = [
        f"{path}:{line}: {module}"
        for path in python_files(folder)
        for module, line in imports_of(path)
        if module.partition(".")[0] in banned
    ]

    assert not wrong, "\n".join(wrong)


def test_rules_and_adapters_know_no_floating_point():
    wrong = [
        f"{path}:{node.lineno}"
        for path in PURE
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]

    assert not wrong, "\n".join(wrong)


MAKES_A_FUNCTION = {("hub/core/layer.py", "exec")}
"""A case's sums are compiled from source that has only whole numbers and our own names in it (decision 0070)."""


def test_rules_and_adapters_print_nothing_and_open_no_file_by_hand():
    wrong = [
        f"{path}:{node.lineno}: {node.func.id}"
        for path in PURE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        and node.func.id in {"open", "print", "input", "eval", "exec", "__import__"}
        and (str(path), node.func.id) not in MAKES_A_FUNCTION
    ]  # fmt: skip

    assert not wrong, "\n".join(wrong)


def test_nobody_but_the_one_clock_asks_what_time_it_is():
    asked = uses(
        python_files(*CODE),
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
    )

    assert not elsewhere(asked, ONE_CLOCK), "\n".join(asked)


def test_nobody_but_the_settings_reads_the_environment():
    asked = uses(python_files(*CODE), "os.environ", "os.getenv", "os.environb", "os.putenv")

    assert not elsewhere(asked, ONE_ENVIRONMENT), "\n".join(asked)


def test_every_exception_to_a_ban_is_still_needed():
    assert uses(python_files(*ONE_CLOCK), "datetime.now")
    assert uses(python_files(*ONE_ENVIRONMENT), "os.environ")


def test_values_of_the_core_cannot_be_changed_once_built():
    """Faults is the one list that grows: it collects what is wrong with a document while it is read."""
    wrong = [
        f"{path}:{node.lineno}: {node.name}"
        for path in python_files("hub/core")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and node.name != "Faults"
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and named(decorator.func) == "dataclass"
        and not {("frozen", True), ("slots", True)}
        <= {(word.arg, getattr(word.value, "value", None)) for word in decorator.keywords}
    ]  # fmt: skip

    assert not wrong, "\n".join(wrong)
