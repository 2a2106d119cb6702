"""A declared state machine: its parts, what may happen next, and taking one step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from transitions import Machine as Engine

from certify.core.access.roles import Role
from certify.core.foundation.errors import NotAllowed, NotOpen, RulesUnmet, Unmet

Check = Callable[[str], Sequence[Unmet]]


@dataclass(frozen=True)
class Input:
    """What a person is asked for when taking a step."""

    key: str
    label: str
    kind: str
    required: bool = True
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int | None = None


@dataclass(frozen=True)
class Transition:
    """One way from states to a state: who may take it, under which guards, and the words pages show."""

    number: int
    trigger: str
    sources: tuple[str, ...]
    target: str
    roles: frozenset[Role]
    label: str
    explanation: str = ""
    guards: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    sets: tuple[str, ...] = ()
    primary: bool = False
    automatic: bool = False
    clock: bool = False
    confirm: bool = False
    done: str = ""
    page: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class State:
    """Where a case can stand, and the words for it."""

    key: str
    step: int
    label: str
    public_label: str = ""
    holder: str = "none"
    status: str = ""
    status_others: str = ""
    next: str = ""
    due: str | None = None
    late: str = ""
    ends: bool = False
    rests: bool = False
    awaits: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Opening:
    """A transition as it stands for one case now: open to the role or not, and all that it still lacks."""

    trigger: str
    label: str
    explanation: str
    source: str
    target: str
    roles: frozenset[Role]
    role_allowed: bool
    allowed: bool
    unmet: tuple[Unmet, ...]
    inputs: tuple[Input, ...]
    primary: bool
    automatic: bool
    clock: bool
    confirm: bool
    page: str


@dataclass(frozen=True)
class StepInfo:
    """One of the steps people see, and the file that declares it."""

    number: int
    key: str
    title: str
    explanation: str = ""
    file: str = ""


@dataclass(frozen=True)
class Machine:
    """A whole machine, read and checked."""

    key: str
    title: str
    version: str
    initial: str
    states: dict[str, State]
    transitions: tuple[Transition, ...]
    steps: tuple[StepInfo, ...]

    @cached_property
    def _leaving(self) -> dict[str, tuple[Transition, ...]]:
        return {key: tuple(t for t in self.transitions if key in t.sources) for key in self.states}

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """Return the transitions that lead on from a state, in the order declared."""
        return self._leaving[state]

    @cached_property
    def triggers(self) -> frozenset[str]:
        """Return every trigger of the machine."""
        return frozenset(t.trigger for t in self.transitions)


def openings(machine: Machine, state: str, *, roles: Collection[Role], check: Check) -> list[Opening]:
    """Return every transition that leads on from `state`, with all its unmet guards.

    Each guard is asked once, however many transitions share it. `next_state` asks this very function, so what a page
    offers and what the server allows cannot differ.
    """
    answers: dict[str, tuple[Unmet, ...]] = {}

    def unmet(guards: Sequence[str]) -> tuple[Unmet, ...]:
        for guard in guards:
            if guard not in answers:
                answers[guard] = tuple(check(guard))
        return tuple(u for guard in guards for u in answers[guard])

    found = []
    for t in machine.leaving(state):
        lacking = unmet(t.guards)
        yours = bool(t.roles & set(roles))
        found.append(
            Opening(
                t.trigger, t.label, t.explanation, state, t.target, t.roles, yours, yours and not lacking, lacking,
                t.inputs, t.primary, t.automatic, t.clock, t.confirm, t.page,
            )  # fmt: skip
        )
    return found


def next_state(machine: Machine, state: str, trigger: str, *, roles: Collection[Role], check: Check) -> str:
    """Return the state after a trigger.

    Raises: NotOpen when the trigger does not lead on from here, NotAllowed when none of the roles may take it,
        RulesUnmet with every guard that does not hold.
    """
    mine = [o for o in openings(machine, state, roles=roles, check=check) if o.trigger == trigger]
    if not mine:
        raise NotOpen(f"{trigger!r} is not open while the case is at “{machine.states[state].label}”.")
    opening = next((o for o in mine if o.role_allowed), mine[0])
    if not opening.role_allowed:
        raise NotAllowed(f"“{opening.label}” is for: {', '.join(sorted(opening.roles))}.")
    cursor = _Cursor()
    engine = Engine(model=cursor, states=[opening.source, opening.target], initial=state, auto_transitions=False)
    engine.add_transition("go", opening.source, opening.target, conditions=[lambda: not opening.unmet])
    if not engine.events["go"].trigger(cursor):
        raise RulesUnmet(opening.unmet)
    return cursor.state


class _Cursor:
    """A throw-away model for the engine: never a row, because the engine keeps what it is given."""

    state: str = ""
