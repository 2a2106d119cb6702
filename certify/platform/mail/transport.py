"""The mail server: one connection for a batch, by SMTP or SMTPS, signed in and encrypted where it can be."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20.0

_url: str | None = None


def use_smtp(url: str | None) -> None:
    """Take CERTIFY_SMTP_URL; None keeps all mail in the outbox."""
    global _url
    _url = url


def smtp_url() -> str | None:
    """Return the mail server's address, or None when there is none."""
    return _url


@contextmanager
def connection(url: str) -> Iterator[smtplib.SMTP]:
    """Give an open connection; raises OSError or smtplib.SMTPException when there is none to be had."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
    finally:
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()  # it has already gone; there is nothing left to say goodbye to
