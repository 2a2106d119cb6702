"""Downloads through the browser: who gets what, and how it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from certify.db import db
from certify.outlets.documents import operations
from certify.outlets.documents.case_file import CaseFile, on_disk
from certify.outlets.documents.models import Document
from certify.platform.audit.queries import list_events
from certify.platform.identity.tokens import create_token
from tests.outlets.documents.conftest import Paperwork, decide

SignIn = Callable[[str], FlaskClient]


def test_the_practice_downloads_its_report(paperwork: Paperwork, sign_in: SignIn) -> None:
    client = sign_in("practice_admin")
    answer = client.get(f"/cases/{paperwork.ref}/documents/survey-report.docx")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={paperwork.ref}-survey-report-v1.docx"
    assert answer.headers["Cache-Control"] == "private, no-store"
    again = client.get(f"/cases/{paperwork.ref}/documents/survey-report.docx")
    assert again.data == answer.data
    assert paperwork.session.scalar(select(func.count()).select_from(Document)) == 1
    assert list_events(paperwork.session, f"case:{paperwork.ref}")[0].kind == "report.read"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("practice_admin", 200),
        ("surveyor", 200),
        ("staff", 200),
        ("council", 200),
        ("auditor", 200),
        ("finance", 403),
        ("stranger", 404),
        ("other_surveyor", 404),
    ],
)
def test_each_role_gets_its_answer(paperwork: Paperwork, sign_in: SignIn, who: str, status: int) -> None:
    assert sign_in(who).get(f"/cases/{paperwork.ref}/documents/survey-report.pdf").status_code == status


def test_without_a_sign_in_the_page_leads_there(paperwork: Paperwork, client: FlaskClient) -> None:
    answer = client.get(f"/cases/{paperwork.ref}/documents/survey-report.pdf")
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


def test_what_is_not_there_is_not_found(paperwork: Paperwork, sign_in: SignIn) -> None:
    client = sign_in("staff")
    for path in ("certificate.pdf", "survey-report.exe", "nothing.pdf", "survey-report.pdf?version=99999"):
        assert client.get(f"/cases/{paperwork.ref}/documents/{path}").status_code == 404
    assert client.get("/cases/XX-2020-999/documents/survey-report.pdf").status_code == 404
    assert client.get("/invoices/INV-1999-00001.pdf").status_code == 404


def test_an_invoice_is_sent_as_pdf(paperwork: Paperwork, sign_in: SignIn) -> None:
    answer = sign_in("physician_lead").get(f"/invoices/{paperwork.invoice.number}.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF")


def test_a_surveyor_sees_no_invoice(paperwork: Paperwork, sign_in: SignIn) -> None:
    assert sign_in("surveyor").get(f"/invoices/{paperwork.invoice.number}.pdf").status_code in (403, 404)


def test_the_case_file_is_sent_whole(paperwork: Paperwork, sign_in: SignIn) -> None:
    decide(paperwork)
    with sign_in("practice_admin").get(f"/cases/{paperwork.ref}/documents/case-file.zip") as answer:
        assert answer.status_code == 200
        assert answer.data.startswith(b"PK")
    assert list_events(paperwork.session, f"case:{paperwork.ref}")[0].kind == "case.exported"


def test_the_qr_code_of_a_certificate_leads_to_this_very_server(paperwork: Paperwork, sign_in: SignIn) -> None:
    decide(paperwork)
    answer = sign_in("practice_admin").get(f"/cases/{paperwork.ref}/documents/certificate.pdf")
    assert answer.status_code == 200


def test_the_api_gives_the_same_bytes(paperwork: Paperwork, sign_in: SignIn) -> None:
    page = sign_in("staff").get(f"/cases/{paperwork.ref}/documents/survey-report.pdf")
    answer = sign_in("staff").get(
        f"/api/v1/cases/{paperwork.ref}/documents/survey-report.pdf", headers=token(paperwork)
    )
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data == page.data


def token(paperwork: Paperwork) -> dict[str, str]:
    staff = paperwork.people["staff"].id
    _, secret = create_token(
        paperwork.session, staff, name="script", scope="read", days=30, actor=paperwork.actors["staff"], at=paperwork.at
    )
    return {"Authorization": f"Bearer {secret}"}


def test_the_api_sends_the_case_file_from_disk(
    paperwork: Paperwork, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[IO[bytes]] = []

    def watched(content: CaseFile) -> IO[bytes]:
        made.append(on_disk(content))
        return made[-1]

    monkeypatch.setattr(operations, "on_disk", watched)
    with client.get(f"/api/v1/cases/{paperwork.ref}/documents/case-file.zip", headers=token(paperwork)) as answer:
        assert answer.headers["Content-Disposition"] == f"attachment; filename={paperwork.ref}-case-file.zip"
        assert answer.data.startswith(b"PK")
    assert len(made) == 1
    assert made[0].closed


def test_nothing_is_locked_while_pages_are_set(
    paperwork: Paperwork, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting takes a tenth of a second or more; nobody who saves an answer waits for it."""
    client, open_transactions = sign_in("staff"), []

    def slow(_content: object) -> bytes:
        open_transactions.append(db.session().in_transaction())
        return b"%PDF"

    monkeypatch.setitem(operations._WRITERS, ("survey-report", "pdf"), slow)
    assert client.get(f"/cases/{paperwork.ref}/documents/survey-report.pdf").status_code == 200
    assert open_transactions == [False]
