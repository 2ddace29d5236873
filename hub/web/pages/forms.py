"""What somebody typed into a form, and what is wrong with it.

Knows fields, complaints and how to read a person's particulars. Must not know any page.
Shapes of names, numbers and phones are the core's; here only full-width digits and blanks are forgiven, since
Chinese keyboards make them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from werkzeug.datastructures import MultiDict

from hub.core.codes import IdentityNumber, clean_text, identity_number, phone_number
from hub.core.errors import NotAllowed
from hub.web.pages.language import either, say
from hub.web.pages.words import REFUSAL

LONGEST_TYPED = 200
"""Characters kept of what somebody typed; longer texts are no answer to any question here."""


@dataclass(slots=True)
class Reading:
    """One submitted form: what was typed, what was understood, and one complaint per wrong field, in order."""

    typed: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: MultiDict[str, str], *names: str) -> Reading:
        """Take only the fields that the form has; anything else that was sent is left aside."""
        return cls({name: form.get(name, "")[:LONGEST_TYPED] for name in names})

    def complain(self, name: str, text: str) -> None:
        """Only the first complaint of a field is kept: it is the one to mend first."""
        self.wrong.setdefault(name, text)

    def read(self, name: str, reader: Callable[[str], str], *, missing: str) -> None:
        """Understand a field; `missing` is what to say where nothing was typed."""
        text = self.typed[name].strip()
        if not text:
            self.complain(name, missing)
            return
        try:
            self.values[name] = reader(text)
        except NotAllowed as refusal:
            self.complain(name, words_of(refusal))

    def choose(self, name: str, allowed: dict[str, str] | list[str], *, missing: str) -> None:
        """Take one of the allowed values."""
        if self.typed[name] in allowed:
            self.values[name] = self.typed[name]
        else:
            self.complain(name, missing)


def words_of(refusal: NotAllowed) -> str:
    """A refusal in the reader's words; one that is not in the table speaks for itself, in English."""
    pair = REFUSAL.get(refusal.code)
    return either(pair) if pair else say("未能办理：{detail}", detail=refusal.message)


def plain(text: str) -> str:
    """Full-width letters and digits as ASCII, blanks and hyphens left out: for numbers only."""
    return re.sub(r"[\s\-\u2010-\u2015]", "", unicodedata.normalize("NFKC", text))


def name_of_person(text: str) -> str:
    """A person's name as on his credential: letters of any script, with a middle dot or blanks in between."""
    name = clean_text(text, longest=50)
    if any(letter.isdigit() or unicodedata.category(letter)[0] in "SC" for letter in name) or len(name) < 2:
        raise NotAllowed("name_malformed", "a name has at least two letters and no digits")
    return name


def identity(text: str, *, as_of: date) -> IdentityNumber:
    """An identity number as typed; the last letter may be a small x."""
    return identity_number(plain(text).upper(), as_of=as_of)


def phone(text: str) -> str:
    """A mobile number as typed, with or without +86."""
    return phone_number(re.sub(r"^(\+|00)86", "", plain(text)))


def typed_day(text: str) -> date:
    """A day as the browser sends it or as people write it: 2026-11-22, 2026/11/22, 2026年11月22日, 20261122."""
    found = re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", plain(text.replace("-", "/")), re.ASCII)
    try:
        return date(*(int(part) for part in found.groups())) if found else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> date:
    raise NotAllowed("day_malformed", "this is no day: write it like 2026-11-22")
