"""The file a practice takes along."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from sqlalchemy.orm import Session

from certify.certification.evidence.operations import add_file
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotFound
from certify.outlets.belongings.queries import pack_practice
from tests.builders import make_practice
from tests.support.applied import apply


def test_a_practice_gets_its_own_rows_and_no_one_elses(session: Session) -> None:
    mine, theirs = make_practice(session, sites=2), make_practice(session)
    target = io.BytesIO()
    counts = pack_practice(session, mine.id, target)
    assert (counts["practice"], counts["site"]) == (1, 2)
    with zipfile.ZipFile(target) as pack:
        assert {row["practice_id"] for row in json.loads(pack.read("json/site.json"))} == {mine.id}
        assert pack.read("csv/site.csv").decode().count("\n") == 3
        text = b"".join(pack.read(name) for name in pack.namelist()).decode()
    assert mine.legal_name in text
    assert theirs.legal_name not in text


def test_two_documents_of_the_same_bytes_are_one_file(session: Session) -> None:
    applied = apply(session)
    admin = applied.actor("admin")
    for name in ("policy.txt", "again.txt"):
        add_file(
            session, applied.case, file_name=name, content=b"One policy.", elements=["7.3.b"], actor=admin, at=now()
        )
    target = io.BytesIO()
    counts = pack_practice(session, applied.case.practice_id, target)
    assert counts["evidence_version"] == 2
    with zipfile.ZipFile(target) as pack:
        files = [name for name in pack.namelist() if name.startswith("files/")]
        assert [pack.read(name) for name in files] == [b"One policy."]


def test_an_unknown_practice_is_refused(session: Session) -> None:
    with pytest.raises(NotFound):
        pack_practice(session, 999_999, io.BytesIO())
