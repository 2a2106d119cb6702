"""`certify case`, `demo users` and `mail outbox` as a program reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certify.cli.main import main
from tests.support.worlds import Worlds


class Calls:
    """Calls commands on an installation of its own that holds a demo of two practices."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str, status: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as leaving:
            main(list(words))
        said = self.capsys.readouterr()
        assert (leaving.value.code or 0) == status, said.err
        return said.out, said.err

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json")[0])


@pytest.fixture
def certify(
    tmp_path: Path, database: str, worlds: Worlds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Calls:
    monkeypatch.setenv("CERTIFY_INSTANCE", str(tmp_path))
    monkeypatch.setenv("CERTIFY_DATABASE_URL", worlds.empty_database(database))
    calls = Calls(capsys)
    calls("init")
    calls("demo", "load", "--practices", "2")
    return calls


def test_commands_tell_a_program_what_the_contract_says(certify: Calls, tmp_path: Path) -> None:
    """One test for many commands, because loading the demo is what takes long."""
    listed = certify.json("case", "list")
    assert len(listed) == 2
    for case in listed:
        shown = certify.json("case", "show", case["ref"])
        for key in ("kind", "practice", "edition", "state", "step", "version", "waiting_for", "actions"):
            assert case[key] == shown[key]
        assert case["due"] is None or case["due"].keys() == {"key", "on", "overdue"}
    assert "actions" not in certify.json("case", "list", "--brief")[0]
    assert "lacks" in certify("case", "list")[0]
    assert "there are more" in certify("case", "list", "--limit", "1")[1]
    assert "there are more" not in certify("case", "list", "--limit", "2")[1]
    assert "no state 'drafft'" in certify("case", "list", "--state", "drafft", status=2)[1]

    users = certify.json("demo", "users")
    ids = {practice["id"]: practice["name"] for practice in certify.json("practice", "list")}
    assert {user["practice"]: user["practice_name"] for user in users if user["practice"]} == ids

    assert {mail["state"] for mail in certify.json("mail", "outbox")["items"]} == {"queued"}

    ref = listed[0]["ref"]
    for kind, name in (("certificate", "c"), ("certificate", "c.zip"), ("case-file", "c.pdf")):
        _out, err = certify("case", "document", ref, kind, "--output", str(tmp_path / name), status=2)
        assert "ends in ." in err
    certify("case", "document", ref, "case-file", "--output", str(tmp_path / "FILE.ZIP"))
    assert (tmp_path / "FILE.ZIP").read_bytes().startswith(b"PK")
    assert "write for example" in certify("clock", "run", "--as-of", "tomorrow", status=2)[1]

    beyond = str(2**31)
    for words in (
        ("case", "list", "--practice", beyond),
        ("case", "open", "--practice", beyond, "--as", "practice1@demo.example"),
        ("survey", "show", beyond, "--as", "staff@demo.example"),
        ("export", "--practice", beyond, "--output", str(tmp_path / "e.zip")),
        ("practice", "list", "--search", "\udcff"),
    ):
        certify(*words, status=2)
    assert "There is no case ." in certify("audit", "verify", "--case", "", status=1)[1]


def test_an_answer_that_no_database_keeps_is_refused(certify: Calls) -> None:
    (case,) = [c for c in certify.json("case", "list") if c["practice"] == 2]
    assert case["state"] == "draft"
    _out, err = certify("case", "answer", case["ref"], '{"emr": "\\ud800"}', "--as", "practice2@demo.example", status=1)
    assert err.startswith("emr: ")
