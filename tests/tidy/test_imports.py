"""Imports lean one way: the core knows nobody, actions know ports, only shells meet the wiring."""

import sys

import pytest

from tests.tidy.sources import CODE, imports_of, module_of, python_files

SHELLS = {"hub.web", "hub.tasks", "hub.cli", "hub.demo"}
RULES = {"hub.core"}
INNER = RULES | {"hub.ports", "hub.actions"}

MAY_IMPORT = {
    "hub": set(),
    "hub.core": set(),
    "hub.ports": RULES,
    "hub.actions": RULES | {"hub.ports"},
    # Plain services of the process: they know at most an error, a code or the settings.
    "hub.clock": set(),
    "hub.ids": set(),
    "hub.logs": RULES,
    "hub.settings": set(),
    "hub.vault": RULES,
    "hub.services": RULES | {"hub.settings"},
    # The implementations: each stands behind a port and knows no other.
    "hub.store": RULES | {"hub.ports", "hub.vault"},
    "catalogs": RULES,
    # The suggester: rows in, ranked candidates out; it knows neither the catalogs' files nor the database.
    "hub.suggest": RULES | {"hub.ports"},
    # Many bills at once, and bills as documents and tables: rules in, answers out, without a database.
    "hub.bulk": RULES,
    "hub.deciding": RULES | {"hub.bulk"},
    "adapters.policy_folder": RULES,
    "adapters.rulepack": RULES | {"hub.ports"},
    "adapters.sandbox": RULES | {"hub.ports"},
    "adapters.registry": RULES | {"hub.ports", "adapters.policy_folder", "adapters.rulepack", "adapters.sandbox"},
    # The one place where ports meet implementations.
    "hub.wiring": INNER
    | {"hub.clock", "hub.ids", "hub.settings", "hub.vault", "hub.store", "hub.suggest"}
    | {"adapters.registry", "catalogs"},
    # The shells.
    "hub.web": INNER | {"hub.wiring", "hub.settings", "hub.logs", "hub.ids", "hub.vault"},
    "hub.tasks": INNER | {"hub.wiring", "hub.settings", "hub.logs"},
    # The client stands outside: it knows how messages are signed, and nothing of the hub's inside.
    "hub.client": {"hub.clock", "hub.ports", "hub.web"},
    # The command line runs the other shells, migrates and verifies, so it knows the store and the key file too.
    "hub.cli": INNER
    | {"hub.wiring", "hub.settings", "hub.logs", "hub.services", "hub.store", "hub.vault", "hub.web", "hub.tasks"}
    | {"hub.demo", "hub.clock", "hub.suggest", "hub.deciding", "hub.bulk", "catalogs"}
    | {"adapters.registry", "adapters.policy_folder"},
    # The demonstration plays everybody: hospitals, agencies, the operator and the passing of days.
    "hub.demo": INNER
    | {"hub.wiring", "hub.settings", "hub.logs", "hub.services", "hub.store", "hub.vault", "hub.web", "hub.cli"}
    | {"hub.client", "hub.clock", "catalogs"},
}
"""Each part of the hub and every other part that it may import; a part that is not in the table may import nothing."""

OUTSIDE = {
    "alembic": {"hub.store"},
    "argon2": {"hub.web"},
    "celery": {"hub.tasks"},
    "click": {"hub.cli"},
    "cryptography": {"hub.vault"},
    "flask": {"hub.web"},
    "flask_limiter": {"hub.web"},
    "flask_smorest": {"hub.web"},
    "flask_wtf": {"hub.web"},
    "gunicorn": {"hub.cli"},
    "http_message_signatures": {"hub.web"},
    "jinja2": {"hub.web"},
    "kombu": {"hub.tasks"},
    "limits": {"hub.web"},
    "markupsafe": {"hub.web"},
    "marshmallow": {"hub.web"},
    "numba": {"hub.bulk"},
    "numpy": {"hub.bulk", "hub.deciding", "hub.suggest"},
    "openpyxl": {"catalogs"},
    "orjson": {"hub.client", "hub.logs", "hub.store", "hub.web"},
    "polars": {"hub.deciding"},
    "prometheus_client": {"hub.web"},
    "psycopg": {"hub.services", "hub.store"},
    "rapidfuzz": {"hub.suggest"},
    "redis": {"hub.cli", "hub.services", "hub.web"},
    "requests": {"hub.client", "hub.demo"},
    "rich": {"hub.cli", "hub.demo"},
    "scipy": {"hub.suggest"},
    "sklearn": {"hub.suggest"},
    "sqlalchemy": {"hub.store"},
    "structlog": {"hub.logs", *SHELLS},
    "webargs": {"hub.web"},
    "werkzeug": {"hub.web"},
    "wtforms": {"hub.web"},
}
"""Every package from outside, and the parts of the hub that may know it."""

FILES = python_files(*CODE)


def part_of(module):
    """The part of the hub that a module belongs to: ``hub.store.ledger`` -> ``hub.store``."""
    depth = 1 if module.partition(".")[0] == "catalogs" else 2
    return ".".join(module.split(".")[:depth])


def ours(module):
    return module.partition(".")[0] in CODE


def edges():
    """Every import of one part by another: (file and line, part, imported part)."""
    for path in FILES:
        for module, line in imports_of(path):
            if ours(module) and part_of(module) != part_of(module_of(path)):
                yield f"{path}:{line}", part_of(module_of(path)), part_of(module)


def foreign():
    """Every import from outside the project and the standard library: (file and line, part, package)."""
    for path in FILES:
        for module, line in imports_of(path):
            package = module.partition(".")[0]
            if not ours(module) and package not in sys.stdlib_module_names and package != "__future__":
                yield f"{path}:{line}", part_of(module_of(path)), package


def test_every_import_follows_the_table_of_who_may_know_whom():
    wrong = [f"{where}: {part} imports {other}" for where, part, other in edges() if other not in MAY_IMPORT[part]]

    assert not wrong, "\n".join(wrong)


def test_every_part_of_the_hub_stands_in_the_table():
    parts = {part_of(module_of(path)) for path in FILES} - {"adapters"}

    assert parts <= set(MAY_IMPORT), f"say who {parts - set(MAY_IMPORT)} may import"


def test_the_table_itself_holds_no_circle_outside_the_shells():
    def reached(part, seen=frozenset()):
        assert part not in seen, f"{part} comes back to itself through {sorted(seen)}"
        for other in MAY_IMPORT[part] - SHELLS:
            reached(other, seen | {part})

    for part in set(MAY_IMPORT) - SHELLS:
        reached(part)


def test_the_core_imports_the_standard_library_and_itself_alone():
    wrong = [
        f"{path}:{line}: {module}"
        for path in python_files("hub/core")
        for module, line in imports_of(path)
        if not module.startswith("hub.core") and module.partition(".")[0] not in sys.stdlib_module_names
    ]

    assert not wrong, "\n".join(wrong)


def test_only_shells_meet_the_wiring():
    assert {part for _, part, other in edges() if other == "hub.wiring"} <= SHELLS


def test_adapters_never_import_one_another_but_for_their_registry():
    wrong = [
        where
        for where, part, other in edges()
        if part.startswith("adapters.") and other.startswith("adapters.") and part != "adapters.registry"
    ]

    assert not wrong, "\n".join(wrong)


def test_every_package_from_outside_is_known_only_where_it_is_needed():
    wrong = [f"{where}: {part} imports {one}" for where, part, one in foreign() if part not in OUTSIDE.get(one, set())]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("package", "part"),
    [("cryptography", "hub.vault"), ("sqlalchemy", "hub.store"), ("flask", "hub.web"), ("celery", "hub.tasks"),
     ("marshmallow", "hub.web")],
)  # fmt: skip
def test_a_package_that_shapes_its_part_is_imported_there_and_nowhere_else(package, part):
    assert {found for _, found, one in foreign() if one == package} == {part}


def test_no_module_imports_a_name_relative_to_itself_or_everything_at_once():
    wrong = [
        f"{path}:{line}"
        for path in FILES
        for module, line in imports_of(path)
        if module.startswith(("None.", ".")) or module.endswith(".*")
    ]

    assert not wrong, "\n".join(wrong)
