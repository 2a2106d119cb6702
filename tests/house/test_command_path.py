"""From application to certificate by `certify` commands alone, as a script would."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from certify.cli import main as command_line
from certify.core.rulebook.current import current
from certify.demo.answers import questionnaire
from certify.demo.paper import policy_pdf
from certify.demo.people import SURVEYORS
from tests.support.worlds import Worlds

START = date(2026, 3, 2)


class Script:
    """Runs commands against an instance of its own, with a clock that stands where it is put."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.on = START

    def run(self, *words: str, status: int = 0) -> str:
        """Run `certify WORDS` and return what it prints; the exit code must be the one expected."""
        self.monkeypatch.setenv("CERTIFY_CLOCK", f"{self.on.isoformat()}T15:00:00Z")
        with pytest.raises(SystemExit) as leaving:
            command_line.main(list(words))
        said = self.capsys.readouterr()
        assert leaving.value.code == status, f"certify {' '.join(words)}: {leaving.value.code}\n{said.out}\n{said.err}"
        return said.out

    def json(self, *words: str) -> Any:
        """Run a command with --json and return what it says."""
        return json.loads(self.run(*words, "--json"))

    def do(self, ref: str, trigger: str, who: str, **data: Any) -> str:
        """Take a step and return the state after it."""
        return str(self.json("case", "do", ref, trigger, "--data", json.dumps(data), "--as", who)["state"])


@pytest.fixture
def script(
    tmp_path: Path, database: str, worlds: Worlds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Script:
    """An empty instance, reached by commands only."""
    monkeypatch.setenv("CERTIFY_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("CERTIFY_DATABASE_URL", worlds.empty_database(database))
    return Script(monkeypatch, capsys)


def test_a_practice_is_certified_by_commands_alone(script: Script, tmp_path: Path) -> None:
    """Slow because each command opens the program afresh, as it does in a script."""
    script.run("init")
    script.run("demo", "load", "--practices", "1")
    practice = script.json("practice", "list")[0]
    admin, lead = "practice1@demo.example", "practice1.lead@demo.example"
    script.on = date.fromisoformat(script.json("case", "list")[0]["due_on"])
    ended = script.json("case", "list")[0]["ref"]
    assert script.do(ended, "withdraw", admin, reason="We begin again.", confirmed=True) == "withdrawn"

    visit = script.on + timedelta(days=128)
    while visit.weekday() > 3:
        visit += timedelta(days=1)
    ref = script.json("case", "open", "--practice", str(practice["id"]), "--as", admin)["ref"]
    answers = questionnaire(visit, Random(1), several_sites=len(practice["sites"]) > 1)
    script.run("case", "answer", ref, json.dumps(answers), "--as", admin)
    digest = script.json("case", "sign", ref, "--name", "Ada Lind", "--title", "Lead", "--as", lead)["sha256"]
    script.run("case", "sign", ref, "--name", "Ada Lind", "--title", "Lead", "--sha256", digest, "--as", lead)
    script.run(
        "case",
        "webinar",
        ref,
        "--name",
        "Nina Park",
        "--on",
        (script.on - timedelta(days=3)).isoformat(),
        "--as",
        admin,
    )
    assert script.do(ref, "submit", admin) == "submitted"
    assert script.do(ref, "accept", "staff@demo.example", integration="single_site") == "awaiting_payment"
    refused = script.run("case", "do", ref, "confirm_payment", "--as", admin, status=1)
    assert refused == ""
    due = 600000
    assert (
        script.do(
            ref,
            "confirm_payment",
            "finance@demo.example",
            amount=due,
            received_on=script.on.isoformat(),
            payment_reference="ACH 7",
        )
        == "documents_open"
    )
    paper = tmp_path / "policies.pdf"
    paper.write_bytes(policy_pdf())
    edition = script.json("case", "show", ref)["edition"]
    codes = [code for code in standards(edition) for code in ("--element", code)]
    script.run("case", "evidence", ref, str(paper), *codes, "--as", admin)
    script.do(ref, "send_documents", admin)
    assert script.do(ref, "mark_complete", "staff@demo.example") == "pending"

    surveyor = f"{SURVEYORS[0][0]}@demo.example"
    people = {u["email"]: u for u in script.json("user", "list")}
    script.do(ref, "propose_surveyor", "staff@demo.example", surveyor=people[surveyor]["id"])
    script.run("case", "declare", ref, "--name", "Jordan Ellis", "--as", surveyor)
    script.run("case", "declare", ref, "--name", "Nina Park", "--as", admin)
    assert script.do(ref, "agree_date", surveyor, starts_on=visit.isoformat()) == "survey_scheduled"
    script.on = visit
    script.do(ref, "check_in", surveyor)
    survey_script(script, surveyor, tmp_path)
    assert script.do(ref, "finish_survey", surveyor) == "report_drafting"
    script.do(ref, "submit_report", surveyor)
    script.do(ref, "pass_report", "staff2@demo.example")
    assert script.do(ref, "approve_report", "council@demo.example", conflict="none") == "decision"
    assert script.do(ref, "award", "council2@demo.example", conflict="none") == "certified"
    for kind, ending in (
        ("survey-report", "docx"),
        ("survey-report", "pdf"),
        ("decision-letter", "pdf"),
        ("certificate", "pdf"),
        ("case-file", "zip"),
    ):
        output = tmp_path / f"{kind}.{ending}"
        script.run("case", "document", ref, kind, "--output", str(output))
        assert output.stat().st_size > 2_000
    assert script.json("audit", "verify")["sound"] is True


def standards(edition: str) -> list[str]:
    """The codes of an edition's standards."""
    return list(current().editions[edition].standards)


def survey_script(script: Script, surveyor: str, folder: Path) -> None:
    """Answer every element at every visited site through `certify survey sync`."""
    number = script.json("case", "list", "--state", "survey_in_progress")[0]["survey"]
    body = script.json("survey", "show", str(number), "--as", surveyor)
    at = datetime.combine(script.on, datetime.min.time()).isoformat() + "Z"
    device, ops = str(uuid.uuid4()), list[dict[str, Any]]()
    for site in (s["id"] for s in body["sites"] if s["visited"]):
        for element in (e["id"] for d in body["domains"] for s in d["standards"] for e in s["elements"]):
            for field, value in (("rating", "yes"), ("seen_documentation", True)):
                ops.append(
                    {
                        "op": str(uuid.uuid4()),
                        "site": site,
                        "element": element,
                        "field": field,
                        "value": value,
                        "base": None,
                        "at": at,
                    }
                )
    for start in range(0, len(ops), 500):
        file = folder / f"ops-{start}.json"
        file.write_text(json.dumps({"device": device, "since": 0, "ops": ops[start : start + 500]}))
        script.run("survey", "sync", str(number), str(file), "--as", surveyor)
