"""`certify template`: what there is, the built-in one as a file, what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner

from certify.cli.template import command
from certify.outlets.documents.docx_writer import templates


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTIFY_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setattr(templates, "_own", None)


def test_list_names_every_kind() -> None:
    answer = CliRunner().invoke(command, ["list", "--json"])
    assert answer.exit_code == 0
    assert [row["kind"] for row in json.loads(answer.output)] == ["decision-letter", "certificate", "survey-report"]


def test_an_own_template_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "instance" / "templates"
    folder.mkdir(parents=True)
    (folder / "certificate.docx").write_bytes(templates.built_in("certificate"))
    rows = json.loads(CliRunner().invoke(command, ["list", "--json"]).output)
    assert [(row["kind"], row["own"]) for row in rows if row["own"]] == [("certificate", True)]


def test_what_is_exported_is_right(tmp_path: Path) -> None:
    target = tmp_path / "letter.docx"
    assert CliRunner().invoke(command, ["export", "decision-letter", "--output", str(target)]).exit_code == 0
    answer = CliRunner().invoke(command, ["check", str(target), "--kind", "decision-letter"])
    assert answer.exit_code == 0
    assert "ready to use" in answer.output


def test_a_mistake_ends_with_one_and_its_paragraph(tmp_path: Path) -> None:
    target = tmp_path / "letter.docx"
    document = docx.Document()
    document.add_paragraph("A line.")
    document.add_paragraph("Dear {{ recipiant }},")
    document.save(str(target))
    answer = CliRunner().invoke(command, ["check", str(target), "--kind", "decision-letter"])
    assert answer.exit_code == 1
    assert answer.output.startswith("paragraph 2: unknown field “recipiant”. Did you mean “recipient”?")
    told = json.loads(CliRunner().invoke(command, ["check", str(target), "--kind", "decision-letter", "--json"]).output)
    assert told["mistakes"][0]["paragraph"] == 2
