"""The three kinds of error that the hub raises.

Knows the difference between "the caller can mend it", "somebody outside did not answer" and "our own figures are
wrong".
Must not know HTTP, logs or any document in particular. A refusal by a region's rules is not an error but a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: where it is, what is wrong, how to mend it.

    `where` is the path of the field as the sender wrote it, for example ``lines[3].quantity``; rows count from 0.
    """

    where: str
    code: str
    message: str


class HubError(Exception):
    """Base of the three kinds; `code` is stable and machine-readable."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        faults: tuple[Fault, ...] = (),
        facts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.faults = faults
        self.facts: dict[str, str] = dict(facts or {})


class NotAllowed(HubError):
    """The caller asked for something the rules refuse; `message` and `faults` say how to mend it."""


class NotFound(NotAllowed):
    """What was asked for does not exist, or is not the caller's to see: the two look the same from outside."""


class Conflict(NotAllowed):
    """The request is well-formed but does not fit the present state (already cancelled, other content under a key)."""


class Unreachable(HubError):
    """Somebody outside did not answer; `transient` says whether trying again can help."""

    def __init__(self, code: str, message: str, *, transient: bool, facts: Mapping[str, str] | None = None) -> None:
        super().__init__(code, message, facts=facts)
        self.transient = transient


class Inconsistent(HubError):
    """Our own data or code is wrong: stop and alert; never carry on with a guess."""


@dataclass(slots=True)
class Faults:
    """Collects every fault of one document, so that the sender mends all of them at once."""

    found: list[Fault] = field(default_factory=list)

    def add(self, where: str, code: str, message: str) -> None:
        self.found.append(Fault(where, code, message))

    def stop_if_any(self, code: str, message: str) -> None:
        """Raise NotAllowed with all faults found so far."""
        if self.found:
            raise NotAllowed(code, message, faults=tuple(self.found))
