"""The command line as a program sees it: exit codes, JSON on stdout, reasons on stderr; backups that can be trusted."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from certify import schema
from certify.app import create_app
from certify.cli import main as command_line
from certify.cli.serve import PortBusy, check_port
from certify.core.access.roles import SYSTEM
from certify.db import db
from certify.platform.audit.models import Event
from certify.platform.audit.operations import record
from certify.platform.identity.models import Person
from certify.platform.storage.backup import BackupRefused, back_up
from certify.platform.storage.instance import give_back
from certify.platform.storage.operations import store
from certify.platform.storage.restore import checked_manifest, holds_rows, restore
from certify.platform.storage.rows import from_plain, to_plain
from tests.support.worlds import Worlds

AT = datetime(2026, 11, 2, 15, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def empty_app(worlds: Worlds, database: str) -> Flask:
    """The program on a database without any table."""
    return worlds.new_app(worlds.empty_database(database))


@pytest.fixture
def run(empty_app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command of the program on this test's database."""
    build = create_app
    monkeypatch.setattr("certify.app.create_app", lambda settings=None: build(settings) if settings else empty_app)

    def call(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as leaving:
            command_line.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = leaving.value.code
        assert isinstance(code, int)
        return Said(code, captured.out, captured.err)

    return call


@pytest.fixture
def filled(empty_app: Flask, run: Run) -> Flask:
    """The program with a person, two events and a stored file."""
    run("init")
    with empty_app.app_context():
        session = db.session()
        session.add(Person(email="ada@practice.example", name="Ada Grün", created_at=AT))
        record(session, "people", "person.added", "Ada was added", actor=SYSTEM, at=AT, data={"n": [1, 2.5, None, "ü"]})
        record(session, "people", "person.changed", "Ada was changed", actor=SYSTEM, at=AT)
        store(b"what a practice uploaded")
        session.commit()
    return empty_app


@pytest.mark.parametrize("group", command_line.cli.list_commands(None))  # type: ignore[arg-type]
def test_every_command_explains_itself(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        command_line.main([group, "--help"])
    assert leaving.value.code == 0
    assert "Usage: certify" in capsys.readouterr().out


def test_wrong_usage_leaves_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nonsense"], ["audit", "verify", "--nonsense"], ["serve", "--port", "eighty"]):
        with pytest.raises(SystemExit) as leaving:
            command_line.main(arguments)
        assert leaving.value.code == 2
        assert capsys.readouterr().out == ""


def test_a_command_before_init_says_what_to_do(run: Run) -> None:
    said = run("audit", "verify")
    assert (said.code, said.out) == (1, "")
    assert "certify init" in said.err


def test_init_can_be_repeated(run: Run) -> None:
    assert run("init", "--json").json == {"before": None, "after": schema.head_revision(), "changed": True}
    assert run("init", "--json").json["changed"] is False


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://u:hush@127.0.0.1:1/db?connect_timeout=5", "sqlite:////no/such/folder/certify.db"]
)
def test_a_database_that_cannot_be_opened_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setattr("certify.app.create_app", lambda: sa.create_engine(url).connect())
    with pytest.raises(SystemExit) as leaving:
        command_line.main(["audit", "verify"])
    said = capsys.readouterr()
    assert (leaving.value.code, said.out) == (1, "")
    assert said.err.startswith("CERTIFY_DATABASE_URL: ")
    assert said.err.count("\n") == 1
    assert "hush" not in said.err


def test_a_failure_within_the_database_is_not_taken_for_its_absence(session: Session) -> None:
    with pytest.raises(sa.exc.DBAPIError) as failure:
        session.execute(sa.text("select nothing from nowhere"))
    assert command_line.no_database(failure.value) is None


def test_a_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CERTIFY_INSTANCE", str(tmp_path))
    monkeypatch.setenv("CERTIFY_DATABASE_URL", "mysql://somewhere/certify")
    with pytest.raises(SystemExit) as leaving:
        command_line.main(["init"])
    assert leaving.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("CERTIFY_DATABASE_URL")
    assert "postgresql+psycopg://" in said


def test_a_taken_port_is_named_with_a_way_out() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=f"PORT={port + 1} make run"):
            check_port("127.0.0.1", port)


def test_a_sound_chain_verifies_and_a_changed_event_is_named(run: Run, filled: Flask) -> None:
    assert run("audit", "verify", "--json").json["sound"] is True
    with filled.app_context():
        db.session.execute(sa.update(Event).where(Event.seq == 2).values(summary="Nothing happened"))
        db.session.commit()
    said = run("audit", "verify", "--json")
    assert said.code == 1
    assert said.json["broken"] == {"stream": "people", "seq": 2, "why": "its content does not fit its hash"}
    assert "people, event 2" in said.err


def test_a_backup_can_be_restored_and_is_the_same(run: Run, filled: Flask, tmp_path: Path, worlds: Worlds) -> None:
    """Also from one kind of database into the other."""
    copy = tmp_path / "backup"
    assert run("backup", copy, "--json").json["rows"] == 4
    manifest = checked_manifest(copy)
    for kind in ("sqlite", "postgresql"):
        other = worlds.new_app(worlds.empty_database(kind))
        with other.app_context():
            schema.upgrade()
            restore(db.session(), copy, manifest, progress=lambda line: None)
            db.session.commit()
            person = db.session.scalars(sa.select(Person)).one()
            assert (person.name, person.created_at) == ("Ada Grün", AT)
            db.session.add(Person(email="new@practice.example", name="New", created_at=AT))
            db.session.commit()  # the next number is free on PostgreSQL too


def test_restore_refuses_a_database_that_is_not_empty(run: Run, filled: Flask, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    said = run("restore", tmp_path / "backup")
    assert said.code == 1
    assert "not empty" in said.err


def test_restore_fills_an_empty_database(run: Run, filled: Flask, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    with filled.app_context():
        schema.downgrade("base")
        db.session.remove()
    assert run("restore", tmp_path / "backup", "--json").json["events"] == 2
    assert run("audit", "verify").code == 0
    with filled.app_context():
        assert holds_rows(db.session())


def test_templates_and_settings_go_along_and_come_back_without_passwords(filled: Flask, tmp_path: Path) -> None:
    old, copy, new = tmp_path / "old", tmp_path / "backup", tmp_path / "new"
    for place in (old, new):
        (place / "templates").mkdir(parents=True)
    (old / "templates" / "decision-letter.docx").write_bytes(b"our letter")
    (old / "templates" / "certificate.docx").write_bytes(b"our certificate")
    (old / "certify.toml").write_text(
        'CERTIFY_BASE_URL = "https://Übersee.example"\nCERTIFY_SMTP_URL = "smtp://u:hush@h"\n', encoding="utf-8"
    )
    (new / "templates" / "certificate.docx").write_bytes(b"another certificate")
    with filled.app_context():
        back_up(db.engine, old, copy, schema="0001", at=AT, progress=lambda line: None)
    back, kept = give_back(copy, checked_manifest(copy)["sha256"], new)
    assert back == ["certify.toml", "templates/decision-letter.docx"]
    assert kept == ["templates/certificate.docx"]
    assert (new / "templates" / "certificate.docx").read_bytes() == b"another certificate"
    assert (new / "templates" / "decision-letter.docx").read_bytes() == b"our letter"
    text = (new / "certify.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text) == {"CERTIFY_BASE_URL": "https://Übersee.example"}
    assert "CERTIFY_SMTP_URL is not in the backup" in text
    assert "hush" not in text


def test_a_backup_never_overwrites(run: Run, filled: Flask, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "letter.txt").write_text("dear reader")
    said = run("backup", tmp_path / "backup")
    assert said.code == 1
    assert [p.name for p in (tmp_path / "backup").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    "harm", ["changed row", "changed file", "lost file", "added file", "changed manifest", "no manifest"]
)
def test_a_damaged_backup_is_refused_by_name(filled: Flask, tmp_path: Path, harm: str) -> None:
    copy = tmp_path / "backup"
    with filled.app_context():
        back_up(
            db.engine,
            filled.config["SETTINGS"].instance,
            copy,
            schema="0001",
            at=AT,
            progress=lambda line: None,
        )
    stored = next(p for p in copy.rglob("*") if len(p.name) == 64)
    rows = copy / "tables" / "person.jsonl"
    match harm:
        case "changed row":
            rows.write_text(rows.read_text(encoding="utf-8").replace("Ada", "Eve"), encoding="utf-8")
        case "changed file":
            stored.write_bytes(b"something else")
        case "lost file":
            stored.unlink()
        case "added file":
            (copy / "files" / "extra").write_text("x")
        case "changed manifest":
            manifest = copy / "manifest.json"
            manifest.write_text(manifest.read_text().replace('"person": 1', '"person": 2'))
        case "no manifest":
            (copy / "manifest.json").unlink()
    with pytest.raises(BackupRefused, match=r"damaged|not a backup"):
        checked_manifest(copy)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (sa.Column("n", sa.Numeric(5, 2)), Decimal("12.50")),
        (sa.Column("d", sa.Date), date(2026, 2, 28)),
        (sa.Column("t", sa.DateTime(timezone=True)), AT),
        (sa.Column("b", sa.LargeBinary), b"\x00\xff"),
        (sa.Column("j", sa.JSON), {"a": [1, None]}),
        (sa.Column("x", sa.Integer), None),
    ],
)
def test_every_kind_of_value_survives_the_trip_through_json(column: sa.Column[Any], value: object) -> None:
    assert from_plain(column, json.loads(json.dumps(to_plain(value)))) == value
