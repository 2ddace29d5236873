"""The project's own files and their syntax trees, for the tests that read the source itself."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("hub", "adapters", "catalogs")
_OURS = (*CODE, "tests", "deploy", ".ci")
_MADE_BY_TOOLS = {"__pycache__", ".hub", ".venv", "node_modules"}
_TEXT = {".py", ".md", ".toml", ".html", ".css", ".js", ".sql", ".txt", ".in", ".sample", ".yaml", ".yml", ".csv",
         ".svg", ".po", ".mako", ".sh", ""}  # fmt: skip


@cache
def text_files():
    """Every text file of the project, as paths below its root."""
    inside = [path for folder in _OURS for path in (ROOT / folder).rglob("*")]
    found = [*ROOT.glob("*"), ROOT / ".gitignore", ROOT / ".editorconfig", *inside]
    return sorted(
        path.relative_to(ROOT)
        for path in found
        if path.is_file() and path.suffix in _TEXT and not _MADE_BY_TOOLS & set(path.relative_to(ROOT).parts)
    )


@cache
def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@cache
def tree_of(path):
    return ast.parse(text_of(path))


def python_files(*folders):
    """Python files below these folders, or one file where a file is named."""
    wanted = [Path(folder) for folder in folders]
    return [path for path in text_files() if path.suffix == ".py" and any(path.is_relative_to(one) for one in wanted)]


def module_of(path):
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports_of(path):
    """Every module that a file names in an import, with its line; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)
