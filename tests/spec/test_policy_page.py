"""The page for policy officers names every key that the reader of a policy file knows, and every word of its lists."""

import re
from pathlib import Path

import pytest

import adapters
from hub.core import policy_file
from hub.core.decision import CareKind, PersonGroup, Place, Referral
from hub.core.policy import Accumulation, Base, CapKind, CatalogOf, Charged, CombineOrder, CountFrom, Treatment
from hub.core.registration import AccessBasis

PAGE = (Path(adapters.__file__).parent / "POLICY.md").read_text(encoding="utf-8")
WORDS = re.findall(r"[a-z_]+", PAGE)
KEYS = re.findall(
    r'(?:text|read|take|words|texts|whole|tables|rows|words)\((?:\w+, )?"([a-z_]+)"',
    Path(policy_file.__file__).read_text(encoding="utf-8"),
)


@pytest.mark.parametrize("key", sorted({*KEYS, "from", "until"}))
def test_every_key_is_on_the_page(key):
    assert key in WORDS


@pytest.mark.parametrize(
    "kind",
    [AccessBasis, Treatment, CareKind, PersonGroup, Place, Referral, Base, Accumulation, CountFrom, Charged, CapKind,
     CombineOrder, CatalogOf],
)  # fmt: skip
def test_every_word_of_a_closed_list_is_on_the_page(kind):
    assert [str(one) for one in kind if str(one) not in WORDS] == []
