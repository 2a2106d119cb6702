"""A machine as a picture, with every state and every way."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from certify.core.access.roles import Role
from certify.core.rulebook.loading import load_rulebook
from certify.core.workflow import diagram as room
from certify.core.workflow.diagram import NoPicture, diagram
from certify.core.workflow.machine import Machine, State, StepInfo, Transition
from certify.resources import WORKFLOWS

CERTIFICATION = load_rulebook(WORKFLOWS, guards=None).machine("certification")


def test_mermaid_shows_every_state_in_its_step_and_every_way() -> None:
    text = diagram(CERTIFICATION)
    assert text.splitlines()[3] == "stateDiagram-v2"
    for key, state in CERTIFICATION.states.items():
        assert f'state "{state.label}" as {key}' in text
    ways = sum(len(t.sources) for t in CERTIFICATION.transitions)
    ends = sum(s.ends for s in CERTIFICATION.states.values())
    assert len(re.findall(r"-->", text)) == ways + ends + 1
    assert "draft --> submitted : submit (questionnaire_complete, " in text


def test_svg_is_drawn_without_a_program_of_the_system() -> None:
    root = ElementTree.fromstring(diagram(CERTIFICATION, "svg"))  # noqa: S314 - our own picture
    titles = {e.text for e in root.iter("{http://www.w3.org/2000/svg}title")}
    assert set(CERTIFICATION.states) <= titles
    assert "draft->submitted" in titles


def test_words_of_a_label_cannot_break_out_of_the_picture() -> None:
    nasty = State("a", 1, 'End"]; } click a "javascript:x" %%{init}', ends=True)
    made = Machine("m", 'T"\n---', "1", "a", {"a": nasty}, (), (StepInfo(1, "one", "One"),))
    line = next(x for x in diagram(made).splitlines() if " as a" in x)
    assert line.count('"') == 2
    assert not set("[]{};") & set(line)
    ElementTree.fromstring(diagram(made, "svg"))  # noqa: S314 - our own picture


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="mermaid, svg"):
        diagram(CERTIFICATION, "png")


def test_without_a_drawing_program_the_refusal_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(room.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPicture, match="Mermaid text needs no program"):
        diagram(CERTIFICATION, "svg")


def test_a_step_open_in_many_states_is_drawn_dotted() -> None:
    states = {k: State(k, 1, k) for k in "abcde"}
    wide = Transition(1, "leave", tuple("abcd"), "e", frozenset({Role.SYSTEM}), "Leave")
    made = Machine("m", "M", "1", "a", states, (wide,), (StepInfo(1, "one", "One"),))
    assert "stroke-dasharray" in diagram(made, "svg")
