"""A patient's application while he fills it in: which questions there are, in which order, and which is next.

Knows the questions' order and what an answer makes void. Must not know pages or HTTP.
The draft lives in the session's sealed row; categories and evidence are the core's (ACCEPTED_EVIDENCE).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.registration import ACCEPTED_EVIDENCE, Evidence, RegistrationCategory

KEY = "draft"

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "insured-place": ("insuring_region",),
    "person": ("name", "identity", "phone", "checked"),
    "care-place": ("care_region",),
    "category": ("category",),
    "notice": ("notice_version",),
    "evidence": ("evidence",),
    "start": ("start",),
}
"""Each question with the answers it gives, in the order asked. `checked`: the insured place knows the person."""

CHECK = "check"

FILED_CATEGORIES = [category for category in RegistrationCategory if category is not RegistrationCategory.EMERGENCY]
"""What a patient may file; the core refuses an emergency, which the hospital's flag alone registers."""


@dataclass(slots=True)
class Draft:
    """The answers so far, as texts; a view on the session, which is told of every change."""

    session: Any

    @property
    def values(self) -> dict[str, str]:
        return dict(self.session.get(KEY, {}))

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def key(self) -> str:
        """The draft's own number, under which it is filed once however often the button is pressed."""
        return self.get("key")

    @property
    def fingerprint(self) -> str:
        """A digest of all answers."""
        return hashlib.sha256(json.dumps(self.values, sort_keys=True).encode()).hexdigest()

    def answered(self, question: str) -> bool:
        held = self.values
        return all(held.get(name) for name in QUESTIONS[question])

    def next_question(self) -> str:
        """The first question without an answer; `check` where all are answered."""
        return next((question for question in QUESTIONS if not self.answered(question)), CHECK)

    def may_see(self, question: str) -> bool:
        """Questions are asked in order: one may be seen once all before it are answered."""
        for earlier in QUESTIONS:
            if earlier == question:
                return True
            if not self.answered(earlier):
                return False
        return question == CHECK

    def asked(self) -> Iterator[str]:
        """The questions that this person is asked: a category with one kind of evidence leaves nothing to choose."""
        for question in QUESTIONS:
            if question != "evidence" or not self.evidence_follows:
                yield question

    @property
    def evidence_follows(self) -> bool:
        """Whether the category alone says what the registration rests on."""
        return self.get("category") != "" and len(self.choices_of_evidence()) == 1

    def choices_of_evidence(self) -> list[Evidence]:
        """What the category may rest on, in the order of the core."""
        accepted = ACCEPTED_EVIDENCE[RegistrationCategory(self.get("category"))]
        return [evidence for evidence in Evidence if evidence in accepted]

    def before(self, question: str) -> str | None:
        """The question to go back to; None at the first."""
        asked = list(self.asked())
        index = len(asked) if question == CHECK else asked.index(question)
        return asked[index - 1] if index else None

    def answer(self, answers: Mapping[str, str]) -> None:
        """Keep answers, and drop those that they make void."""
        held = self.values
        held.setdefault("key", secrets.token_urlsafe(16))
        if "insuring_region" in answers and answers["insuring_region"] != held.get("insuring_region"):
            # Another insured place has not been asked about this person yet.
            held.pop("checked", None)
        held.update(answers)
        if "category" in answers:
            accepted = ACCEPTED_EVIDENCE[RegistrationCategory(answers["category"])]
            if len(accepted) == 1:
                held["evidence"] = next(iter(accepted))
            elif held.get("evidence") not in accepted:
                held.pop("evidence", None)
        self.session[KEY] = held

    def forget(self) -> None:
        self.session.pop(KEY, None)
