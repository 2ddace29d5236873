"""Sealed values open in their place only, and what is searched by hash is hashed with a key."""

from __future__ import annotations

import pytest

from hub.core.errors import Inconsistent
from hub.vault import KeyRing, Vault, WrappedKey

PLACE = {"table": "person", "column": "name", "row": "per-1"}


class KeptInMemory:
    """A source of data keys without a database."""

    def __init__(self) -> None:
        self.kept: list[WrappedKey] = []

    def load(self):
        return list(self.kept)

    def found(self, first):
        self.kept = self.kept or list(first)
        return list(self.kept)


@pytest.fixture
def source():
    return KeptInMemory()


@pytest.fixture
def ring():
    return KeyRing({"new": b"n" * 32, "old": b"o" * 32})


@pytest.fixture
def vault(ring, source):
    return Vault(ring, source)


def test_a_sealed_text_opens_in_its_place(vault):
    sealed = vault.seal("李雷", **PLACE)

    assert vault.open(sealed, **PLACE) == "李雷"


def test_a_sealed_text_shows_nothing_and_never_looks_the_same_twice(vault):
    first, second = vault.seal("李雷", **PLACE), vault.seal("李雷", **PLACE)

    assert first != second
    assert "李雷".encode() not in first


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"table": "visit", "column": "name", "row": "per-1"},
        {"table": "person", "column": "phone", "row": "per-1"},
        {"table": "person", "column": "name", "row": "per-2"},
    ],
)
def test_a_sealed_text_moved_to_another_place_does_not_open(vault, elsewhere):
    sealed = vault.seal("李雷", **PLACE)

    with pytest.raises(Inconsistent, match="changed or moved"):
        vault.open(sealed, **elsewhere)


def test_places_that_would_read_alike_cannot_be_named(vault):
    with pytest.raises(Inconsistent, match="stroke"):
        vault.seal("李雷", table="person|name", column="x", row="per-1")


@pytest.mark.parametrize("position", [9, 20, 21, -1])
def test_a_sealed_text_with_a_changed_byte_does_not_open(vault, position):
    sealed = bytearray(vault.seal("李雷", **PLACE))
    sealed[position] ^= 1

    with pytest.raises(Inconsistent):
        vault.open(bytes(sealed), **PLACE)


def test_a_value_of_an_unknown_version_is_refused(vault):
    sealed = vault.seal("李雷", **PLACE)

    with pytest.raises(Inconsistent, match="known way"):
        vault.open(b"\x02" + sealed[1:], **PLACE)


def test_a_value_cut_short_is_refused(vault):
    with pytest.raises(Inconsistent, match="known way"):
        vault.open(vault.seal("李雷", **PLACE)[:20], **PLACE)


def test_a_value_under_an_unknown_data_key_is_refused(vault):
    sealed = vault.seal("李雷", **PLACE)

    with pytest.raises(Inconsistent, match="not kept: ffffffffffffffff"):
        vault.open(sealed[:1] + b"\xff" * 8 + sealed[9:], **PLACE)


def test_two_vaults_over_the_same_keys_open_each_others_values(ring, source, vault):
    sealed = vault.seal("李雷", **PLACE)

    assert Vault(ring, source).open(sealed, **PLACE) == "李雷"


def test_a_data_key_added_later_is_found_by_a_vault_that_runs_already(ring, source, vault):
    vault.seal("李雷", **PLACE)
    source.kept.append(vault.new_data_key())
    sealed = Vault(ring, source).seal("韩梅梅", **PLACE)

    assert sealed[1:9].hex() == source.kept[-1].id
    assert vault.open(sealed, **PLACE) == "韩梅梅"


def test_the_blind_index_of_a_text_is_the_same_each_time(ring, source, vault):
    index = vault.blind_index("110101199003070038", column="person.identity")

    assert index == Vault(ring, source).blind_index("110101199003070038", column="person.identity")
    assert len(index) == 32


def test_the_blind_index_differs_from_column_to_column(vault):
    one = vault.blind_index("110101199003070038", column="person.identity")
    other = vault.blind_index("110101199003070038", column="roster.identity")

    assert one != other


def test_the_blind_index_depends_on_the_key(vault):
    another = Vault(KeyRing({"other": b"x" * 32}), KeptInMemory())

    assert vault.blind_index("a", column="c") != another.blind_index("a", column="c")


def test_data_keys_are_wrapped_by_the_first_key_of_the_file(vault, source):
    vault.prepare()

    assert {key.kek_id for key in source.kept} == {"new"}


def test_data_keys_wrapped_by_an_older_key_still_open(source):
    sealed = Vault(KeyRing({"old": b"o" * 32}), source).seal("李雷", **PLACE)

    assert Vault(KeyRing({"new": b"n" * 32, "old": b"o" * 32}), source).open(sealed, **PLACE) == "李雷"


def test_after_rewrapping_the_older_key_is_not_needed_any_more(source):
    sealed = Vault(KeyRing({"old": b"o" * 32}), source).seal("李雷", **PLACE)
    both = Vault(KeyRing({"new": b"n" * 32, "old": b"o" * 32}), source)

    source.kept = [both.rewrapped(key) for key in source.kept]

    assert Vault(KeyRing({"new": b"n" * 32}), source).open(sealed, **PLACE) == "李雷"


def test_data_keys_wrapped_by_a_key_that_is_not_in_the_file_are_refused(source):
    Vault(KeyRing({"old": b"o" * 32}), source).prepare()

    with pytest.raises(Inconsistent, match="not in the key file"):
        Vault(KeyRing({"new": b"n" * 32}), source).prepare()


def test_a_wrapped_data_key_put_under_another_id_is_refused(ring, source, vault):
    vault.prepare()
    seal = source.kept[1]
    source.kept[1] = WrappedKey("0" * 16, seal.purpose, seal.kek_id, seal.wrapped)

    with pytest.raises(Inconsistent, match="was changed"):
        Vault(ring, source).prepare()
