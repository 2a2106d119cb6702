"""`certify workflow`: a mistake is printed with file and line, a machine as a picture."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from certify import resources
from certify.cli.main import main
from certify.resources import WORKFLOWS


@dataclass
class Said:
    """What a command left behind."""

    code: int | str | None
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    with pytest.raises(SystemExit) as leaving:
        main(["workflow", *arguments])
    printed = capsys.readouterr()
    return Said(leaving.value.code, printed.out, printed.err)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rules that the commands take for the product's own."""
    copy = Path(shutil.copytree(WORKFLOWS, tmp_path / "workflows"))
    monkeypatch.setattr(resources, "WORKFLOWS", copy)
    return copy


def spoil(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_sound_rules_pass(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "check")
    assert (said.code, said.out, said.err) == (0, "No mistakes.\n", "")


def test_each_mistake_is_a_line_with_file_and_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(root, "deadlines.yaml", "kind: business", "kind: working")
    spoil(root, "fees.yaml", "cents: 600000", "cents: free")
    said = run(capsys, "check")
    assert said.code == 1
    assert said.out.splitlines() == [
        "workflows/deadlines.yaml:8: deadline 'application_check_business_days': 'kind' must be one of calendar, business, not 'working'",
        "workflows/fees.yaml:6: band '1 to 5 physicians': 'cents' must be a whole number, not 'free'",
    ]


def test_as_json_it_is_one_document_and_the_lines_go_to_stderr(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(root, "fees.yaml", "cents: 600000", "cents: free")
    said = run(capsys, "check", "--json")
    assert said.code == 1
    assert json.loads(said.out) == {
        "mistakes": [
            {
                "file": "workflows/fees.yaml",
                "line": 6,
                "reason": "band '1 to 5 physicians': 'cents' must be a whole number, not 'free'",
            }
        ]
    }
    assert said.err.startswith("workflows/fees.yaml:6: ")


def test_a_file_of_a_copy_is_checked_within_its_own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = Path(shutil.copytree(WORKFLOWS, tmp_path / "mine"))
    spoil(copy, "deadlines.yaml", "  decision_days:\n", "  decision_day:\n")
    said = run(capsys, "check", str(copy / "machines/certification/4-decision.yaml"))
    assert said.code == 1
    assert said.out.startswith("mine/machines/certification/4-decision.yaml:")
    assert "'decision_days' is not a deadline of deadlines.yaml; did you mean decision_day?" in said.out
    assert run(capsys, "check", str(copy / "fees.yaml")).code == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [(False, "There is no file"), (True, "lies in no workflows folder")],
)
def test_a_file_that_is_not_one_of_the_rules_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: bool, reason: str
) -> None:
    stray = tmp_path / "stray.yaml"
    if make:
        stray.write_text("a: 1\n")
    said = run(capsys, "check", str(stray))
    assert said.code == 2
    assert reason in said.err


def test_a_machine_is_printed_as_mermaid_or_svg(capsys: pytest.CaptureFixture[str]) -> None:
    assert "stateDiagram-v2" in run(capsys, "diagram", "certification").out
    assert "<svg" in run(capsys, "diagram", "certification", "--format", "svg").out
    document = json.loads(run(capsys, "diagram", "certification", "--json").out)
    assert (document["machine"], document["format"]) == ("certification", "mermaid")
    assert "draft --> submitted" in document["picture"]


def test_an_unknown_machine_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "diagram", "appeal")
    assert said.code == 1
    assert "There is no machine 'appeal'; there are: certification." in said.err


def test_broken_rules_are_named_instead_of_drawn(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(root, "fees.yaml", "cents: 600000", "cents: free")
    said = run(capsys, "diagram", "certification")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("workflows/fees.yaml:6: ")
