"""What survey.yaml may declare, and what it means."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from certify.core.rulebook.loading import check_files, load_rulebook
from certify.resources import WORKFLOWS

RULES = load_rulebook(WORKFLOWS, guards=None).survey


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the product's rules to spoil."""
    return Path(shutil.copytree(WORKFLOWS, tmp_path / "workflows"))


def mistakes(root: Path, old: str, new: str) -> tuple[list[str], int]:
    """Return what is said once `old` is replaced, and the line on which § stood in the new text."""
    path = root / "survey.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    line = changed[: changed.index("§")].count("\n") + 1 if "§" in changed else 0
    path.write_text(changed.replace("§", ""), encoding="utf-8")
    return [str(m) for m in check_files(root, [path], guards=None)], line


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('key: "yes", label', '§key: "maybe", label', "'key' must be one of yes, no, na"),
        ("- {key: na, label: Not applicable, meaning", "- {key: \"no\", label: Not applicable, meaning", "'no' stands twice"),
        ("needs: note, placed", "§needs: notes, placed", "'needs' must be one of note, na_reason"),
        ("second_reviewer: critical", "§second_reviewer: sometimes", "must be one of never, critical, every"),
        ("placed: true", "§second_reviewer: critical", "the key 'second_reviewer' is not known here"),
        ('many: "{count} elements', '§many: "Some elements', "'many' must hold {count}"),
        ("  conflict:\n", "  clash:\n", "'conflict' is missing"),
        ("demands: [leadership, prevention]", "§demands: [leadershp]", "'leadershp' is not a statement; did you mean leadership?"),
        ("pattern: moderate,", "pattern: §grave,", "matrix, moderate: 'pattern' must be one of high, low, moderate"),
        ("  low: {limited: low, pattern: low, widespread: moderate}\n", "  low: {limited: low, pattern: low}\n", "'widespread' must be one of"),
        ("  high: {limited: moderate,", "  §extreme: {limited: low}\n  high: {limited: moderate,", "the key 'extreme' is not known here"),
        ("{key: tracer,", "{key: interview,", "'interview' stands twice"),
        ("{key: prevention,", "{key: §prayer,", "'key' must be one of leadership, prevention"),
        ("{key: leader,", "{key: landlord,", "'key' must be one of leader, surveyor"),
        ('version: "1"', "version: 1", "'version' must be text"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_reason(root: Path, old: str, new: str, reason: str) -> None:
    said, line = mistakes(root, old, new)
    assert any(reason in m for m in said), said
    if line:
        assert any(m.startswith(f"workflows/survey.yaml:{line}:") for m in said), said


def test_the_file_cannot_be_left_out(root: Path) -> None:
    (root / "survey.yaml").unlink()
    assert any("survey.yaml:1: cannot be read" in str(m) for m in check_files(root, [], guards=None))


def test_the_two_high_risk_corners_demand_leadership_and_prevention() -> None:
    demanded = {
        (harm.key, scope.key): [s.key for s in RULES.demanded(harm.key, scope.key)]
        for harm in RULES.harm
        for scope in RULES.scope
    }
    high = {place for place, statements in demanded.items() if statements == ["leadership", "prevention"]}
    assert high == {("moderate", "widespread"), ("high", "pattern"), ("high", "widespread")}
    assert all(statements == [] for place, statements in demanded.items() if place not in high)
    assert RULES.demanded("", "") == ()  # a finding that has no place yet


def test_several_places_count_as_the_worst_harm_and_the_widest_scope() -> None:
    assert RULES.worst([("low", "widespread"), ("high", "limited")]) == ("high", "widespread")
    assert RULES.worst([]) is None


def test_a_place_is_one_of_nine() -> None:
    assert sum(RULES.is_place(h.key, s.key) for h in RULES.harm for s in RULES.scope) == 9
    for harm, scope in (("high", "everywhere"), ("grave", "limited"), (None, None), (["high"], "limited")):
        assert not RULES.is_place(harm, scope)


def test_the_tablet_gets_all_of_it() -> None:
    told = json.loads(json.dumps(RULES.as_json))
    assert [r["key"] for r in told["ratings"]] == ["yes", "no", "na"]
    assert told["ratings"][1]["needs"] == "note"
    assert told["ratings"][2]["second_reviewer"] == "critical"
    assert told["matrix"]["high"]["widespread"] == "high"
    assert told["levels"][2]["demands"] == ["leadership", "prevention"]
    assert set(told["gaps"]) == {"unrated", "note", "na_reason", "conflict", "agreement"}
    assert {n["key"] for n in told["notes"] if n["pseudonym"]} == {"record_review", "tracer"}
