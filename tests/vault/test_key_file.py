"""The file with the keys that never enter the database."""

from __future__ import annotations

import base64
import json

import pytest

from hub.core.errors import NotAllowed
from hub.vault import KeyRing, create_key_file, read_key_file


def test_a_new_key_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "keys.json"

    create_key_file(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_key_file_holds_one_key(tmp_path):
    create_key_file(tmp_path / "keys.json")

    ring = read_key_file(tmp_path / "keys.json")

    assert [len(key) for key in ring.keys.values()] == [32]


def test_a_key_file_is_never_overwritten(tmp_path):
    path = tmp_path / "keys.json"
    create_key_file(path)
    before = path.read_bytes()

    with pytest.raises(FileExistsError):
        create_key_file(path)

    assert path.read_bytes() == before


def test_the_first_key_of_the_file_is_the_current_one(tmp_path):
    path = tmp_path / "keys.json"
    key = base64.b64encode(b"k" * 32).decode()
    path.write_text(json.dumps({"z": key, "a": key}))

    assert read_key_file(path).current == "z"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '"text"', '{"a": 1}', '{"a": "???"}', '{"a": "c2hvcnQ="}', '{"": ""}'],
)
def test_a_malformed_key_file_is_refused(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)

    with pytest.raises(NotAllowed):
        read_key_file(path)


def test_a_key_named_twice_is_refused(tmp_path):
    path = tmp_path / "keys.json"
    key = base64.b64encode(b"k" * 32).decode()
    path.write_text(f'{{"a": "{key}", "a": "{key}"}}')

    with pytest.raises(NotAllowed, match="twice"):
        read_key_file(path)


def test_a_missing_key_file_is_not_replaced_silently(tmp_path):
    with pytest.raises(NotAllowed, match="would open nothing"):
        read_key_file(tmp_path / "keys.json")


def test_keys_do_not_show_in_a_trace():
    assert "kkkk" not in repr(KeyRing({"a": b"k" * 32}))
