"""Reads the TOML file that describes a catalog folder and finds missing, misspelt and mistyped keys.

Knows keys and their types. Must not know rows or what a catalog is for.
Each fault names the file and the key, as its keeper wrote it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from catalogs.faults import FaultList
from hub.core.errors import Inconsistent

_LONG_AGO = date(1970, 1, 1)


class Section:
    """One table of a descriptor; remembers the keys asked for, so that `finish` finds the misspelt ones.

    A missing or mistyped key is noted as a fault and answered with an empty value: loading stops later, with
    all faults.
    """

    def __init__(self, values: Mapping[str, object], *, where: str, faults: FaultList) -> None:
        self._values = values
        self._asked: set[str] = set()
        self.where = where
        self.faults = faults

    def has(self, key: str) -> bool:
        """Whether the key is there, for keys that may be left out."""
        return key in self._values

    def says(self, *, without: str) -> str:
        """All that the section says but for one key, as a text to compare with another section's."""
        return repr(sorted((key, value) for key, value in self._values.items() if key != without))

    def fault(self, key: str, code: str, message: str) -> None:
        """Note a fault at a key of this section."""
        self.faults.add(f"{self.where} {key}", code, message)

    def _get(self, key: str, kind: type, words: str) -> object | None:
        self._asked.add(key)
        value = self._values.get(key)
        if value is None:
            self.fault(key, "key_missing", f"is missing: write {words}")
            return None
        if type(value) is not kind:
            self.fault(key, "key_type", f"is {value!r}: write {words}")
            return None
        return value

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._get(key, str, "a text in quotes, not empty")
        if isinstance(value, str) and not value.strip():
            self.fault(key, "key_empty", "is empty: write what it says, or 'none' where there is nothing to say")
        return value if isinstance(value, str) else ""

    def whole(self, key: str) -> int:
        """A whole number."""
        value = self._get(key, int, "a whole number")
        return value if isinstance(value, int) else 0

    def day(self, key: str) -> date:
        """A date, written without quotes."""
        value = self._get(key, date, "a date without quotes, like 2024-01-01")
        return value if isinstance(value, date) and not isinstance(value, datetime) else _LONG_AGO

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, which may be empty."""
        value = self._get(key, list, "a list of texts")
        if not isinstance(value, list):
            return ()
        if not all(isinstance(part, str) for part in value):
            self.fault(key, "key_type", "holds something other than a text")
            return ()
        return tuple(value)

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self._get(key, list, "a list of whole numbers")
        if not isinstance(value, list):
            return ()
        if not all(type(part) is int for part in value):
            self.fault(key, "key_type", "holds something other than a whole number")
            return ()
        return tuple(value)

    def pairs(self, key: str) -> dict[str, str]:
        """A table of texts, such as the column of each hospital level; empty if the key is absent."""
        if not self.has(key):
            return {}
        value = self._get(key, dict, "a table of texts")
        if not isinstance(value, dict):
            return {}
        if not all(isinstance(part, str) for part in value.values()):
            self.fault(key, "key_type", "holds something other than a text")
            return {}
        return dict(value)

    def section(self, key: str) -> Section:
        """A table inside this one."""
        value = self._get(key, dict, "a table")
        return Section(value if isinstance(value, dict) else {}, where=f"{self.where} {key}", faults=self.faults)

    def sections(self, key: str) -> list[Section]:
        """An array of tables, which may be absent."""
        self._asked.add(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            self.fault(key, "key_type", f"is not an array of tables: write [[{key}]]")
            return []
        return [
            Section(part, where=f"{self.where} {key}[{index}]", faults=self.faults) for index, part in enumerate(value)
        ]

    def finish(self) -> None:
        """Report the keys that nobody asked for: a misspelt key must not be ignored."""
        for key in self._values.keys() - self._asked:
            self.fault(key, "key_unknown", f"is not known here: the keys are {', '.join(sorted(self._asked))}")


def read_descriptor(path: Path, *, faults: FaultList, what: str) -> tuple[Section, str]:
    """The descriptor's top section and the SHA-256 of its bytes (which, through the sums it lists, names the
    whole folder).

    Raises CatalogFaults at once if there is no such file or if it is not TOML: nothing further can be checked
    then.
    """
    try:
        content = path.read_bytes()
        values = tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        faults.add(path.name, "file_missing", "is not there: each folder describes itself in this file")
    except UnicodeDecodeError as error:
        faults.add(path.name, "encoding", f"is not UTF-8 (byte {error.start}): save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.add(path.name, "toml", f"is not TOML: {error}")
    else:
        return Section(values, where=path.name, faults=faults), sha256(content).hexdigest()
    faults.stop_if_any(what)
    raise Inconsistent("descriptor", "a descriptor that cannot be read leaves a fault")
