"""Lays a bad case over a copy of the small tree."""

import re
import shutil
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent


def spoil(root: Path, case: Path) -> None:
    """Lay a bad case over the tree; sums and row counts are set anew, so that only the case's own fault is left.

    A descriptor that the case itself brings stays as it is.
    """
    brought = {path.relative_to(case) for path in case.rglob("*") if path.is_file() and path.name != "expected.txt"}
    for path in brought:
        shutil.copyfile(case / path, root / path)
    for descriptor in root.rglob("*.toml"):
        if descriptor.relative_to(root) not in brought:
            _restamp(descriptor)


def _restamp(descriptor: Path) -> None:
    def stamped(found: re.Match[str]) -> str:
        content = (descriptor.parent / found["name"]).read_bytes()
        digest = sha256(content).hexdigest()
        rows = max(0, content.count(b"\n") - 1)
        return f'name = "{found["name"]}"\nsha256 = "{digest}"\nrows = {rows}'

    pattern = r'name = "(?P<name>[^"]+\.csv)"\nsha256 = "[^"]*"\nrows = [0-9]+'
    descriptor.write_text(re.sub(pattern, stamped, descriptor.read_text("utf-8")), "utf-8")
