"""`certify user`, `token`, `practice`, `mail` and `clock`, as an operator calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certify.cli.main import main


@pytest.fixture
def certify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Calls a command on an installation of its own: gives exit code, output and messages."""
    for name in ("DATABASE_URL", "BASE_URL", "SMTP_URL", "CLOCK", "ENV"):
        monkeypatch.delenv(f"CERTIFY_{name}", raising=False)
    monkeypatch.setenv("CERTIFY_INSTANCE", str(tmp_path))

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main(list(arguments))
        caught = capsys.readouterr()
        return int(leaving.value.code or 0), caught.out, caught.err

    assert call("init")[0] == 0
    return call


def test_an_account_is_made_listed_and_refused_when_wrong(certify) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = certify("user", "add", "Root@program.example", "--role", "administrator")
    assert code == 0
    assert "root@program.example is administrator." in out
    assert "/invitation/" in out
    code, out, _ = certify("user", "list", "--json")
    assert code == 0
    (person,) = json.loads(out)
    assert person["email"] == "root@program.example"
    assert person["roles"] == [{"role": "administrator", "practice": None}]
    assert "invited" in certify("user", "list")[1]
    assert certify("user", "add", "x", "--role", "council")[0] == 1
    assert certify("user", "add", "a@b.example", "--role", "practice_admin")[0] == 1
    assert certify("user", "add", "a@b.example", "--role", "practice_admin", "--practice", "77")[0] == 1
    assert certify("user", "add", "a@b.example", "--role", "king")[0] == 2
    assert len(json.loads(certify("user", "list", "--json")[1])) == 1


def test_a_token_is_printed_alone_on_stdout_and_can_be_revoked(certify) -> None:  # type: ignore[no-untyped-def]
    certify("user", "add", "root@program.example", "--role", "administrator")
    code, out, err = certify(
        "token", "create", "root@program.example", "--name", "Backup", "--days", "7", "--scope", "read"
    )
    assert code == 0
    assert out.strip().startswith("certify_")
    assert len(out.split()) == 1
    assert "not shown again" in err
    (token,) = json.loads(certify("token", "list", "root@program.example", "--json")[1])
    assert (token["name"], token["scope"]) == ("Backup", "read")
    assert "token" not in token
    assert "Backup" in certify("token", "list", "root@program.example")[1]
    assert certify("token", "revoke", "root@program.example", str(token["id"]))[0] == 0
    assert certify("token", "revoke", "root@program.example", str(token["id"]))[0] == 1
    assert certify("token", "create", "nobody@program.example")[0] == 1
    assert certify("token", "create", "root@program.example", "--days", "0")[0] == 2


def test_mail_practices_and_the_clock_answer_for_people_and_programs(certify) -> None:  # type: ignore[no-untyped-def]
    certify("user", "add", "root@program.example", "--role", "administrator")
    outbox = json.loads(certify("mail", "outbox", "--json")[1])
    assert outbox["counts"] == {"queued": 1, "unclear": 0, "sent": 0, "failed": 0}
    assert outbox["items"][0]["to"] == "root@program.example"
    assert outbox["items"][0]["state"] == "queued"
    assert "root@program.example" in certify("mail", "outbox", "--state", "queued")[1]
    assert json.loads(certify("practice", "list", "--json")[1]) == []
    assert certify("practice", "list")[0] == 0
    assert json.loads(certify("clock", "run", "--json")[1])["mail"] == 0
    assert "reminders: 0" in certify("clock", "run", "--as-of", "2027-01-05T12:00:00Z")[1]
    assert certify("clock", "run", "--as-of", "tomorrow")[0] == 2
