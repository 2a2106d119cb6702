"""Reading a machine from its files, one per step, and checking that it can be walked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from certify.core.access.roles import Role
from certify.core.declarations.reading import Map, Mistake, Reader, read_yaml
from certify.core.workflow.machine import Input, Machine, State, StepInfo, Transition

HOLDERS = ("practice", "program", "surveyor", "council", "finance", "none")
INPUT_KINDS = (
    "text", "longtext", "date", "choice", "money", "person", "checkbox", "questions", "standards", "sites", "gaps", "number", "records",
)  # fmt: skip


@dataclass
class _Parts:
    """What the files of one machine say, before it is put together."""

    title: str = ""
    version: str = ""
    initial: str = ""
    states: dict[str, State] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    steps: list[StepInfo] = field(default_factory=list)


def load_machine(
    key: str, files: Iterable[Path], root: Path, mistakes: list[Mistake], *, guards: Collection[str] | None, deadlines: Collection[str]
) -> Machine:
    """Return the machine its files declare; every mistake is added to `mistakes`.

    Args:
        guards: the keys of the guards there are; None leaves that unchecked.
        deadlines: the keys of the deadlines there are.
    """
    parts = _Parts()
    for path in sorted(files):
        _read_file(key, read_yaml(path, root, mistakes), parts, mistakes)
    machine = Machine(
        key, parts.title or key, parts.version, parts.initial, parts.states, tuple(parts.transitions),
        tuple(sorted(parts.steps, key=lambda s: s.number)),
    )  # fmt: skip
    _check(machine, mistakes, guards, deadlines)
    return machine


def _read_file(key: str, source: Map, parts: _Parts, mistakes: list[Mistake]) -> None:
    if not source:
        return
    reader = Reader(source, mistakes)
    if reader.text("machine") not in {key, ""}:
        reader.wrong("machine", f"'machine' must be {key!r}, the name of its folder")
    parts.version = reader.text("version") or parts.version
    if reader.has("title"):
        parts.title = reader.text("title")
    if reader.has("initial"):
        if parts.initial:
            reader.wrong("initial", "'initial' is declared twice; one file says where a case begins")
        parts.initial = reader.text("initial")
    step = Reader(reader.map("step", required=True), mistakes, "step: ")
    number = step.integer("number", least=1, most=20)
    if number in {s.number for s in parts.steps}:
        step.wrong("number", f"step {number} is declared twice")
    parts.steps.append(StepInfo(number, step.text("key"), step.text("title"), step.text("explanation", ""), source.file))
    step.done()
    states = reader.map("states")
    for name, body in states.items():
        if not isinstance(body, Map):
            mistakes.append(Mistake(source.file, states.lines[name], f"state {name!r} must hold keys and values"))
        elif name in parts.states:
            first = parts.states[name]
            mistakes.append(Mistake(source.file, states.lines[name], f"state {name!r} is declared twice (first in {first.file}:{first.line})"))
        else:
            parts.states[name] = _read_state(name, number, body, states.lines[name], mistakes)
    for body in reader.maps("transitions"):
        parts.transitions.append(_read_transition(body, mistakes))
    reader.done()


def _read_state(name: str, step: int, body: Map, line: int, mistakes: list[Mistake]) -> State:
    r = Reader(body, mistakes, f"state {name!r}: ")
    ends = r.flag("ends")
    state = State(
        key=name,
        step=step,
        label=r.text("label"),
        public_label=r.text("public_label", ""),
        holder=r.choice("holder", HOLDERS, "none" if ends else None),
        status=r.text("status"),
        status_others=r.text("status_others", ""),
        next=r.text("next", ""),
        due=r.text("due", "") or None,
        late=r.text("late", ""),
        ends=ends,
        rests=r.flag("rests"),
        awaits=r.text("awaits", ""),
        file=body.file,
        line=line,
    )
    r.done()
    return state if state.status_others else State(**{**state.__dict__, "status_others": state.status})


def _read_transition(body: Map, mistakes: list[Mistake]) -> Transition:
    name = str(body.get("trigger", "?"))
    r = Reader(body, mistakes, f"transition {name!r}: ")
    roles = set()
    for role in r.texts("roles", None):
        if role in {x.value for x in Role}:
            roles.add(Role(role))
        else:
            r.wrong("roles", f"{role!r} is not a role; roles are {', '.join(x.value for x in Role)}")
    automatic, clock = r.flag("automatic"), r.flag("clock")
    if not roles and "roles" in body:
        r.wrong("roles", "'roles' names no one who may take this step")
    if (automatic or clock) and roles - {Role.SYSTEM}:
        r.wrong("roles", "what happens by itself is taken by 'system' alone")
    transition = Transition(
        number=r.integer("number", least=1, most=999),
        trigger=r.text("trigger"),
        sources=r.texts("from", None),
        target=r.text("to"),
        roles=frozenset(roles),
        label=r.text("label"),
        explanation=r.text("explanation", ""),
        guards=r.texts("guards"),
        inputs=tuple(_read_input(entry, name, mistakes) for entry in r.maps("inputs")),
        sets=r.texts("sets"),
        primary=r.flag("primary"),
        automatic=automatic,
        clock=clock,
        confirm=r.flag("confirm"),
        done=r.text("done"),
        page=r.text("page", ""),
        file=body.file,
        line=body.line,
    )
    r.done()
    keys = [one.key for one in transition.inputs]
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        r.wrong("inputs", f"the input {key!r} stands twice")
    try:
        transition.page.format(ref="X-1")
    except (KeyError, IndexError, ValueError):
        r.wrong("page", "'page' may hold {ref} and no other placeholder")
    return transition


def _read_input(body: Map, trigger: str, mistakes: list[Mistake]) -> Input:
    r = Reader(body, mistakes, f"transition {trigger!r}, input {body.get('key', '?')!r}: ")
    kind = r.choice("kind", INPUT_KINDS)
    choices = r.map("choices")
    one = Input(
        key=r.text("key"),
        label=r.text("label"),
        kind=kind,
        required=r.flag("required", True),
        hint=r.text("hint", ""),
        choices=tuple((str(k), str(v)) for k, v in choices.items()),
        max_length=r.integer("max_length", 0, least=0, most=100_000) or None,
    )
    if kind == "choice" and not one.choices:
        r.wrong("choices", "a choice needs 'choices'")
    r.done()
    return one


def _check(machine: Machine, mistakes: list[Mistake], guards: Collection[str] | None, deadlines: Collection[str]) -> None:
    """Add every mistake that only shows when all files are read together."""

    def at(thing: State | Transition, reason: str) -> None:
        mistakes.append(Mistake(thing.file, thing.line, reason))

    if machine.initial not in machine.states:
        file = machine.steps[0].file if machine.steps else machine.key
        mistakes.append(Mistake(file, 1, f"'initial' names no state: {machine.initial!r}" if machine.initial else "no file declares 'initial'"))
    numbers: dict[int, Transition] = {}
    pairs: dict[tuple[str, str], Transition] = {}
    for t in machine.transitions:
        name = f"transition {t.trigger!r}: "
        if t.number in numbers:
            at(t, f"{name}number {t.number} is used twice (first in {numbers[t.number].file}:{numbers[t.number].line})")
        numbers.setdefault(t.number, t)
        for state in (*t.sources, t.target):
            if state not in machine.states:
                at(t, f"{name}{state!r} is not a state")
        for source in t.sources:
            if (source, t.trigger) in pairs:
                at(t, f"{name}leads on from {source!r} twice; a trigger has one way from a state")
            pairs[source, t.trigger] = t
            if source in machine.states and machine.states[source].ends:
                at(t, f"{name}leads on from {source!r}, which is an end")
        for guard in t.guards if guards is not None else ():
            if guard not in guards:
                near = difflib.get_close_matches(guard, sorted(guards), 1)
                meant = f"; did you mean {near[0]!r}?" if near else f"; guards are {', '.join(sorted(guards))}"
                at(t, f"{name}{guard!r} is not a guard{meant}")
    for state in machine.states.values():
        if state.due and state.due not in deadlines:
            at(state, f"state {state.key!r}: {state.due!r} is not a deadline of deadlines.yaml")
        if not state.ends and not state.rests and not state.awaits and state.holder == "none":
            at(state, f"state {state.key!r}: says no holder; someone must have the ball")
    _check_ways(machine, at)


def _check_ways(machine: Machine, at: object) -> None:
    """Every state can be reached from the first, and each leads on, unless it ends, rests or awaits a later machine."""
    assert callable(at)
    reached, ahead = set(), [machine.initial]
    while ahead:
        state = ahead.pop()
        if state in reached or state not in machine.states:
            continue
        reached.add(state)
        ahead += [t.target for t in machine.transitions if state in t.sources]
    for state in machine.states.values():
        if state.awaits:
            continue
        if state.key not in reached:
            at(state, f"state {state.key!r}: cannot be reached from {machine.initial!r}")
        if not state.ends and not state.rests and not any(state.key in t.sources for t in machine.transitions):
            at(state, f"state {state.key!r}: is a dead end; mark it 'ends' or 'rests', or declare a transition from it")
