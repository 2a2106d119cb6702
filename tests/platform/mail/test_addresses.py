"""Whose address stands in a mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from certify.config import Settings
from certify.platform.mail import addresses, transport
from certify.platform.mail.setup import init_mail


@pytest.mark.parametrize(
    ("host", "given"),
    [
        ("localhost:8410", "http://localhost:8410"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("evil.example", addresses.DEFAULT),
        ("127.0.0.1.evil.example", addresses.DEFAULT),
        ("localhost@evil.example", addresses.DEFAULT),
        ("10.0.0.9", addresses.DEFAULT),
    ],
)
def test_a_link_in_a_mail_never_leads_to_a_host_that_the_asker_chose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, given: str
) -> None:
    monkeypatch.setattr(addresses, "_configured", None)
    monkeypatch.setattr(transport, "_url", None)
    app = Flask("certify")
    app.extensions["certify_settings"] = Settings(instance=tmp_path, database_url="", secret_key="")
    init_mail(app)
    app.add_url_rule("/", view_func=lambda: addresses.absolute("/reset/secret"))
    assert app.test_client().get("/", headers={"Host": host}).text == f"{given}/reset/secret"
