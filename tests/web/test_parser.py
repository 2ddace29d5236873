"""JSON that could be read in two ways is refused; nothing that is sent makes the reader fail."""

from __future__ import annotations

import pytest

from hub.web.errors import Malformed
from hub.web.parser import DEEPEST, read_json


def code_of(body: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        read_json(body)
    return refused.value.code


def test_an_ordinary_body_is_read():
    assert read_json('{"a": [1, "二", true, null]}'.encode()) == {"a": [1, "二", True, None]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"amount": 1, "amount": 2}', "json_duplicate_name"),
        (b'{"a": {"b": 1, "b": 1}}', "json_duplicate_name"),
        (b'{"a": NaN}', "json_constant"),
        (b'{"a": -Infinity}', "json_constant"),
        (b'{"a": 12.5}', "json_float"),
        (b'{"a": 1e309}', "json_float"),
        (b'{"a": 1E2}', "json_float"),
        (b'{"a": ' + b"9" * 19 + b"}", "json_number_long"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "json_number_long"),
        (b"\xef\xbb\xbf{}", "json_byte_order_mark"),
        (b'{"a": "\xff"}', "json_encoding"),
        (b'{"a": "\xed\xa0\x80"}', "json_encoding"),
        ('{"a": 1}'.encode("utf-16"), "json_encoding"),
        (b'{"a": 1} {"b": 2}', "json_malformed"),
        (b'{"a": "\x00"}', "json_malformed"),
        (b"{'a': 1}", "json_malformed"),
        (b"", "json_malformed"),
    ],
)
def test_what_two_readers_may_understand_differently_is_refused(body: bytes, code: str):
    assert code_of(body) == code


def test_eighteen_digits_are_read_exactly():
    assert read_json(b'{"a": 999999999999999999}') == {"a": 999_999_999_999_999_999}


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_the_deepest_body_is_read_and_one_level_more_is_refused(brackets: str):
    opening, closing = brackets[:-1], brackets[-1]

    assert read_json((opening * DEEPEST + '""' + closing * DEEPEST).encode())

    assert code_of((opening * (DEEPEST + 1) + '""' + closing * (DEEPEST + 1)).encode()) == "json_deep"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_thousand_levels_do_not_break_the_reader(opening: str):
    assert code_of(opening.encode() * 100_000) in {"json_deep", "json_malformed"}
