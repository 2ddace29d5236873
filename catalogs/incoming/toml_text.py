"""Writes the descriptor of a release: the standard library reads TOML and does not write it.

Knows texts, numbers, days, lists and tables. Must not know what a descriptor says.
Source: TOML 1.0; what is written here is read again by the loader before it counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date

from hub.core.errors import Inconsistent

_BARE = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*", re.ASCII)


def toml_text(values: Mapping[str, object]) -> str:
    """The descriptor as text: plain keys first, then tables, in the order given."""
    return "\n".join(_table(values, ())) + "\n"


def _table(values: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items() if not _is_table(value)]
    for key, value in values.items():
        inner = (*path, key)
        if isinstance(value, Mapping):
            lines += ["", f"[{_dotted(inner)}]", *_table(value, inner)]
        elif _is_table(value) and isinstance(value, list):
            for one in value:
                lines += ["", f"[[{_dotted(inner)}]]", *_table(one, inner)]
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(_key(part) for part in path)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but that DEL must be escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    raise Inconsistent("descriptor_value", f"a descriptor holds no {type(value).__name__}")
