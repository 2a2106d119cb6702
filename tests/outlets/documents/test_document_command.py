"""`certify case document`: the same files as in the browser, with the program's own address or none that lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.cli import case as commands
from certify.outlets.documents.models import Document
from certify.platform.mail import addresses
from tests.outlets.documents.conftest import Paperwork, decide


@pytest.fixture
def decided(paperwork: Paperwork, monkeypatch: pytest.MonkeyPatch) -> Paperwork:
    """A decided case that the commands find in the test's own session."""
    decide(paperwork)

    @contextmanager
    def opened(*, commit: bool = False) -> Iterator[Session]:
        yield paperwork.session

    monkeypatch.setattr(commands, "open_session", opened)
    return paperwork


def written(decided: Paperwork, target: Path, kind: str = "certificate") -> Path:
    answer = CliRunner().invoke(commands.command, ["document", decided.ref, kind, "--output", str(target)])
    assert answer.exit_code == 0, answer.output
    return target


def kept(decided: Paperwork) -> int:
    return decided.session.scalar(select(func.count()).select_from(Document)) or 0


def test_a_certificate_bears_the_configured_address(
    decided: Paperwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_configured", "https://certify.example.org")
    text = "\n".join(p.text for p in docx.Document(str(written(decided, tmp_path / "c.docx"))).paragraphs)
    assert "certify.example.org/register/OMH-2026-0001" in text
    assert kept(decided) == 1


def test_without_an_address_a_certificate_is_written_but_not_kept(
    decided: Paperwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_configured", None)
    assert written(decided, tmp_path / "c.docx").stat().st_size > 0
    assert kept(decided) == 0


def test_the_case_file_goes_from_disk_to_disk(decided: Paperwork, tmp_path: Path) -> None:
    assert written(decided, tmp_path / "case.zip", "case-file").read_bytes().startswith(b"PK")


def test_a_folder_that_is_not_there_is_named(decided: Paperwork, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "c.pdf"
    answer = CliRunner().invoke(commands.command, ["document", decided.ref, "certificate", "--output", str(target)])
    assert answer.exit_code == 1
    assert "cannot be written" in answer.output
