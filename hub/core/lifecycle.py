"""A table of moves, and how to refuse a move that is not in it.

Knows states, events and the edges between them as data.
Must not know any document in particular: each table stands beside the type it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from hub.core.errors import Conflict, Inconsistent

State = TypeVar("State", bound=StrEnum)


class MoveNotAllowed(Conflict):
    """The document is not in a state in which this event may happen."""


class Lifecycle(Generic[State]):
    """The legal moves of one kind of document: ``(from, event, to)``; an event is a verb in the past tense.

    Raises Inconsistent when built if two moves start alike or a state cannot be reached.
    """

    def __init__(self, name: str, *, start: State, moves: Iterable[tuple[State, str, State]]) -> None:
        self.name = name
        self.start = start
        self.moves = tuple(moves)
        self._next = {(source, event): target for source, event, target in self.moves}
        if len(self._next) != len(self.moves):
            raise Inconsistent("lifecycle_ambiguous", f"{name}: one state has the same event twice")
        reached = {start}
        while found := {target for source, _, target in self.moves if source in reached} - reached:
            reached |= found
        missing = set(type(start)) - reached
        if missing:
            raise Inconsistent("lifecycle_unreachable", f"{name}: no way leads from {start} to {sorted(missing)}")

    def after(self, state: State, event: str) -> State:
        """The state that follows. Raises MoveNotAllowed, naming what may happen instead."""
        target = self._next.get((state, event))
        if target is None:
            possible = ", ".join(self.events_from(state)) or "nothing more"
            raise MoveNotAllowed(
                f"{self.name}_move_not_allowed",
                f"a {self.name} that is {state} cannot be {event}; possible now: {possible}",
                facts={"state": str(state), "event": event},
            )
        return target

    def events_from(self, state: State) -> tuple[str, ...]:
        return tuple(event for source, event, _ in self.moves if source is state)

    def final_states(self) -> frozenset[State]:
        """States from which nothing more can happen."""
        return frozenset(type(self.start)) - {source for source, _, _ in self.moves}

    def as_mermaid(self) -> str:
        """The table as a Mermaid state diagram, in the order of the moves."""
        rows = [f"    [*] --> {self.start}"]
        rows += [f"    {source} --> {target}: {event}" for source, event, target in self.moves]
        rows += [f"    {state} --> [*]" for state in sorted(self.final_states())]
        return "\n".join(["stateDiagram-v2", *rows])
