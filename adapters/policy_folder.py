"""Reads a region's folder: its policy.toml, parsed and checked.

Knows where the folders of regions are and that their policy is TOML.
Must not know the rules themselves, nor how a gateway answers.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from hub.core.errors import Fault, NotAllowed
from hub.core.policy import Policy
from hub.core.policy_file import read_policy

REGIONS_FOLDER = Path(__file__).parent / "regions"
POLICY_FILE = "policy.toml"


def region_folders(root: Path = REGIONS_FOLDER) -> Iterator[Path]:
    """The folders that hold a policy, in the order of their codes."""
    return (path.parent for path in sorted(root.glob(f"*/{POLICY_FILE}")))


def load_policy(folder: Path) -> Policy:
    """Read and check one region's policy. Faults name ``<region>/policy.toml`` and the path of the key.

    Raises NotAllowed ``policy_faulty`` for a file that is not TOML, whose figures are impossible, or that
    stands in another region's folder.
    """
    file = f"{folder.name}/{POLICY_FILE}"
    policy = _read((folder / POLICY_FILE).read_bytes(), file=file)
    if policy.region.code != folder.name:
        fault = Fault(f"{file}: region", "region_other_folder", f"the folder is {folder.name}")
        raise NotAllowed("policy_faulty", f"{file} names region {policy.region}", faults=(fault,))
    return policy


@lru_cache(maxsize=256)
def _read(content: bytes, *, file: str) -> Policy:
    """The policy of a file's content; checking every case takes a while, and the same content gives the same policy."""
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        fault = Fault(file, "toml_malformed", str(wrong))
        raise NotAllowed("policy_faulty", f"{file} is not TOML: {wrong}", faults=(fault,)) from wrong
    return read_policy(tables, file=file, digest=hashlib.sha256(content).hexdigest())
