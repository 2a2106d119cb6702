"""A machine as a picture: Mermaid text, or SVG made without any program of the system."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from certify.core.foundation.errors import Refusal
from certify.core.workflow.machine import Machine, State, Transition

FORMATS = ("mermaid", "svg")
LONGEST_SECONDS = 60


class NoPicture(Refusal):
    """The picture cannot be made here; the sentence says what can."""


def diagram(machine: Machine, format: str = "mermaid") -> str:
    """Return the machine as a picture: its states in their steps, an arrow for each trigger with the guards it asks.

    A trigger that is open in more than three states (withdraw, expire) is drawn dotted in SVG, to keep the path legible.

    Args:
        format: `mermaid` (text that many viewers draw) or `svg`.
    Raises: ValueError for another format, NoPicture when the drawing program is missing or fails.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    return _mermaid(machine) if format == "mermaid" else _svg(_dot(machine))


def _groups(machine: Machine) -> list[tuple[int, str, list[State]]]:
    """The steps with the states declared in each, steps without states left out."""
    found = [
        (s.number, f"{s.number} {s.title}", [x for x in machine.states.values() if x.step == s.number])
        for s in machine.steps
    ]
    return [group for group in found if group[2]]


def _arrows(machine: Machine) -> list[tuple[str, str, Transition]]:
    return [(source, t.target, t) for t in machine.transitions for source in t.sources]


def _mermaid(machine: Machine) -> str:
    lines = ["---", f"title: {_words(machine.title)}", "---", "stateDiagram-v2", "    direction TB"]
    for number, title, states in _groups(machine):
        lines.append(f'    state "{_words(title)}" as step_{number} {{')
        lines += [f'        state "{_words(state.label)}" as {state.key}' for state in states]
        lines.append("    }")
    lines.append(f"    [*] --> {machine.initial}")
    lines += [f"    {source} --> {target} : {_arrow(t)}" for source, target, t in _arrows(machine)]
    lines += [f"    {state.key} --> [*]" for state in machine.states.values() if state.ends]
    return "\n".join(lines) + "\n"


def _dot(machine: Machine) -> str:
    from graphviz import Digraph

    graph = Digraph(
        machine.key,
        graph_attr={"rankdir": "TB", "label": _words(machine.title), "labelloc": "t", "fontname": "Helvetica"},
        node_attr={"shape": "box", "style": "rounded", "fontname": "Helvetica", "fontsize": "11"},
        edge_attr={"fontname": "Helvetica", "fontsize": "9"},
    )
    for number, title, states in _groups(machine):
        with graph.subgraph(name=f"cluster_{number}", graph_attr={"label": _words(title)}) as step:
            for state in states:
                step.node(state.key, _words(state.label), peripheries="2" if state.ends else "1")
    graph.node("begin", "", shape="point")
    graph.edge("begin", machine.initial)
    for source, target, t in _arrows(machine):
        graph.edge(source, target, t.trigger, style="dotted" if len(t.sources) > 3 else "solid")
    return str(graph.source)


def _arrow(transition: Transition) -> str:
    return f"{transition.trigger} ({', '.join(transition.guards)})" if transition.guards else transition.trigger


def _words(text: str) -> str:
    """Words without the quotes, brackets and line ends that the languages of pictures give a meaning."""
    return re.sub(r'[\s"<>{}\[\];:|\\#]+', " ", text).strip()


def _svg(source: str) -> str:
    try:
        done = subprocess.run(
            [_drawing_program(), "-Tsvg"],
            input=source.encode(),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as problem:
        raise NoPicture(f"The picture could not be drawn: {problem}. Mermaid text needs no program.") from problem
    svg = done.stdout.decode()
    if "<svg" not in svg:
        raise NoPicture("The drawing program gave no SVG. Mermaid text needs no program.")
    return svg


def _drawing_program() -> str:
    """The drawing program beside this Python, or one on the path."""
    beside = Path(sys.executable).parent / "graphviz-pure"
    found = str(beside) if beside.exists() else shutil.which("graphviz-pure") or shutil.which("dot")
    if found is None:
        raise NoPicture("There is neither graphviz-pure nor dot to draw with. Mermaid text needs no program.")
    return found
