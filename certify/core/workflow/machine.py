"""A declared state machine: its parts, what may happen next, and taking one step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from transitions import Machine as Engine

from certify.core.access.roles import PRACTICE_ROLES, Role
from certify.core.foundation.errors import NotAllowed, NotOpen, RulesUnmet, Unmet

Check = Callable[[str], Sequence[Unmet]]

# Those who judge a practice: how far they are with it is theirs until they take the step.
JUDGES = frozenset({Role.SURVEYOR, Role.PROGRAM_STAFF, Role.COUNCIL, Role.APPEAL_PANEL})


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
    internal: bool = False  # the practice does not read it


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
    prepare: str = ""  # words on the button while a guard does not hold yet; without them, the label
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
    """A transition as it stands for one case now: open to the role or not, and all that it still lacks.

    Its guards are asked when someone first wants to know: most pages of a case name its steps without judging them.
    """

    trigger: str
    label: str
    explanation: str
    source: str
    target: str
    roles: frozenset[Role]
    role_allowed: bool
    inputs: tuple[Input, ...]
    primary: bool
    automatic: bool
    clock: bool
    confirm: bool
    page: str
    judge: Callable[[], tuple[Unmet, ...]] = field(repr=False, compare=False)
    prepare: str = ""

    @cached_property
    def unmet(self) -> tuple[Unmet, ...]:
        """Every guard that does not hold."""
        return self.judge()

    @property
    def allowed(self) -> bool:
        """Whether the roles asked about may take it now."""
        return self.role_allowed and not self.unmet


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

    Each guard is asked at most once, however many transitions share it. `next_state` judges by the very same function, so what a
    page offers and what the server allows cannot differ. What those who judge a practice still lack would tell the
    practice what they think of it so far, so someone who is only of the practice gets the step without that.
    """
    asked, only_of_practice = _Asked(check), set(roles) <= PRACTICE_ROLES
    found = []
    for t in machine.leaving(state):
        theirs = only_of_practice and t.roles & JUDGES and not t.roles & PRACTICE_ROLES
        found.append(_opening(replace(t, guards=()) if theirs else t, state, roles, asked))
    return found


def next_state(machine: Machine, state: str, trigger: str, *, roles: Collection[Role], check: Check) -> str:
    """Return the state after a trigger; only the guards of that trigger are asked.

    Raises: NotOpen when the trigger does not lead on from here, NotAllowed when none of the roles may take it,
        RulesUnmet with every guard that does not hold.
    """
    transition = next((t for t in machine.leaving(state) if t.trigger == trigger), None)
    if transition is None:
        raise NotOpen(f"{trigger!r} is not open while the case is at “{machine.states[state].label}”.")
    if not transition.roles & set(roles):
        raise NotAllowed(f"“{transition.label}” is for: {', '.join(sorted(transition.roles))}.")
    opening = _opening(transition, state, roles, _Asked(check))
    cursor = _Cursor()
    engine = Engine(model=cursor, states=list({state, opening.target}), initial=state, auto_transitions=False)
    engine.add_transition("go", state, opening.target, conditions=[lambda: opening.allowed])
    if not engine.events["go"].trigger(cursor):
        raise RulesUnmet(opening.unmet)
    return cursor.state


class _Asked:
    """Guards with their answers, each asked at most once."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._answers: dict[str, tuple[Unmet, ...]] = {}

    def unmet(self, guards: Sequence[str]) -> tuple[Unmet, ...]:
        for guard in guards:
            if guard not in self._answers:
                self._answers[guard] = tuple(self._check(guard))
        return tuple(unmet for guard in guards for unmet in self._answers[guard])


def _opening(t: Transition, state: str, roles: Collection[Role], asked: _Asked) -> Opening:
    """Judge one transition: the only place that says whether a step may be taken."""
    return Opening(
        trigger=t.trigger,
        label=t.label,
        explanation=t.explanation,
        source=state,
        target=t.target,
        roles=t.roles,
        role_allowed=bool(t.roles & set(roles)),
        judge=lambda: asked.unmet(t.guards),
        inputs=t.inputs,
        primary=t.primary,
        automatic=t.automatic,
        clock=t.clock,
        confirm=t.confirm,
        page=t.page,
        prepare=t.prepare or t.label,
    )


class _Cursor:
    """A throw-away model for the engine: never a row, because the engine keeps what it is given."""

    state: str = ""
