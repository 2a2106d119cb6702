"""Reading a machine from its files, one per step, and checking that it can be walked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from certify.core.access.roles import Role
from certify.core.declarations.reading import Map, Mistake, Reader, nearest, read_yaml
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
    # The line of each key of a state or transition, by where it begins, so that a mistake points at the very line.
    lines: dict[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)


def load_machine(
    key: str,
    files: Iterable[Path],
    root: Path,
    mistakes: list[Mistake],
    *,
    guards: Collection[str] | None,
    deadlines: Collection[str],
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

    def at(thing: State | Transition, key: str, reason: str) -> None:
        line = parts.lines.get((thing.file, thing.line), {}).get(key, thing.line)
        what = f"state {thing.key!r}" if isinstance(thing, State) else f"transition {thing.trigger!r}"
        mistakes.append(Mistake(thing.file, line, f"{what}: {reason}"))

    if machine.initial not in machine.states:
        file = machine.steps[0].file if machine.steps else f"{root.name}/machines/{key}"
        reason = f"'initial' names no state: {machine.initial!r}" if machine.initial else "no file declares 'initial'"
        mistakes.append(Mistake(file, 1, reason))
    _check_transitions(machine, at, guards)
    _check_states(machine, at, deadlines)
    _check_ways(machine, at)
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
    parts.steps.append(
        StepInfo(number, step.text("key"), step.text("title"), step.text("explanation", ""), source.file)
    )
    step.done()
    states = reader.map("states")
    for name, body in states.items():
        if not isinstance(body, Map):
            mistakes.append(Mistake(source.file, states.lines[name], f"state {name!r} must hold keys and values"))
        elif name in parts.states:
            first = parts.states[name]
            mistakes.append(
                Mistake(
                    source.file,
                    states.lines[name],
                    f"state {name!r} is declared twice (first in {first.file}:{first.line})",
                )
            )
        else:
            parts.states[name] = _read_state(name, number, body, states.lines[name], mistakes)
            parts.lines[source.file, states.lines[name]] = body.lines
    for body in reader.maps("transitions"):
        parts.transitions.append(_read_transition(body, mistakes))
        parts.lines[source.file, body.line] = body.lines
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
            r.wrong("roles", f"{role!r} is not a role; {nearest(role, [x.value for x in Role])}", entry=role)
    automatic, clock = r.flag("automatic"), r.flag("clock")
    if not roles and "roles" in body:
        r.wrong("roles", "'roles' names no one who may take this step")
    if (automatic or clock) and roles - {Role.SYSTEM}:
        r.wrong("roles", "what happens by itself is taken by 'system' alone")
    if automatic and clock:
        r.wrong("clock", "a step is taken at once ('automatic') or when its time has come ('clock'), not both")
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
        prepare=r.text("prepare", ""),
        file=body.file,
        line=body.line,
    )
    r.done()
    keys = [one.key for one in transition.inputs]
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        r.wrong("inputs", f"the input {key!r} stands twice")
    if (automatic or clock) and any(one.required for one in transition.inputs):
        r.wrong("inputs", "what happens by itself can ask nobody: it takes no required inputs")
    if transition.prepare and not transition.page:
        r.wrong("prepare", "'prepare' leads to the page of the step: declare 'page' too")
    if transition.page and not transition.page.startswith("/"):
        r.wrong("page", "'page' must begin with /")
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
        internal=r.flag("internal", False),
    )
    if kind == "choice" and not one.choices:
        r.wrong("choices", "a choice needs 'choices'")
    r.done()
    return one


At = Callable[[State | Transition, str, str], None]


def _check_transitions(machine: Machine, at: At, guards: Collection[str] | None) -> None:
    """Every transition names states, guards and a number of its own; a trigger has one way from a state."""
    numbers: dict[int, Transition] = {}
    pairs: dict[tuple[str, str], Transition] = {}
    for t in machine.transitions:
        first = numbers.setdefault(t.number, t)
        if first is not t:
            at(t, "number", f"number {t.number} is used twice (first in {first.file}:{first.line})")
        for key, named in (("from", t.sources), ("to", (t.target,))):
            for state in named:
                if state not in machine.states:
                    at(t, key, f"{state!r} is not a state; {nearest(state, machine.states)}")
        for source in t.sources:
            before = pairs.setdefault((source, t.trigger), t)
            if before is not t or t.sources.count(source) > 1:
                at(
                    t,
                    "from",
                    f"leads on from {source!r} twice (see {before.file}:{before.line}); a trigger has one way from a state",
                )
            if source in machine.states and machine.states[source].ends:
                at(t, "from", f"leads on from {source!r}, which is an end")
        for guard in t.guards:
            if guards is not None and guard not in guards:
                at(t, "guards", f"{guard!r} is not a guard; {nearest(guard, guards)}")
            if t.guards.count(guard) > 1:
                at(t, "guards", f"the guard {guard!r} stands twice")


def _check_states(machine: Machine, at: At, deadlines: Collection[str]) -> None:
    """Every state has a holder while people wait, and a deadline that exists."""
    for state in machine.states.values():
        if state.due and state.due not in deadlines:
            at(state, "due", f"{state.due!r} is not a deadline of deadlines.yaml; {nearest(state.due, deadlines)}")
        if state.due and state.ends:
            at(state, "due", "an end has no due date")
        if not state.ends and not state.rests and not state.awaits and state.holder == "none":
            at(state, "holder", "says no holder; someone must have the ball")


def _check_ways(machine: Machine, at: At) -> None:
    """Every state can be reached from the first, and each leads to an end, a rest, or a later machine.

    Judged once every transition names states that exist: a name misspelled would cut off everything behind it.
    """
    if any(key not in machine.states for t in machine.transitions for key in (machine.initial, *t.sources, t.target)):
        return
    ahead: dict[str, set[str]] = {key: set() for key in machine.states}
    back: dict[str, set[str]] = {key: set() for key in machine.states}
    for t in machine.transitions:
        for source in t.sources:
            if source in machine.states and t.target in machine.states:
                ahead[source].add(t.target)
                back[t.target].add(source)
    reached = _reach([machine.initial], ahead)
    settling = _reach([s.key for s in machine.states.values() if s.ends or s.rests or s.awaits], back)
    for state in machine.states.values():
        if state.awaits:
            continue
        if state.key not in reached:
            at(state, "", f"cannot be reached from {machine.initial!r}")
        if state.key not in settling:
            if ahead[state.key]:
                at(state, "", "goes in a circle: nothing that follows from it leads to an end or a rest")
            else:
                at(state, "", "is a dead end; mark it 'ends' or 'rests', or declare a transition from it")


def _reach(begin: Iterable[str], ways: Mapping[str, set[str]]) -> set[str]:
    """Every key that can be come to from the first ones."""
    found: set[str] = set()
    open_ones = [key for key in begin if key in ways]
    while open_ones:
        key = open_ones.pop()
        if key not in found:
            found.add(key)
            open_ones += ways[key]
    return found
