"""Puts the mail room into an app: which server, which address."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, request

from certify.platform.mail.addresses import note_request, use_base_url
from certify.platform.mail.transport import use_smtp


def init_mail(app: Flask) -> None:
    """Take the settings; in development the address of mail is that of the request which causes it."""
    settings = app.extensions["certify_settings"]
    use_base_url(settings.base_url)
    use_smtp(settings.smtp_url)
    if settings.base_url is None:

        @app.before_request
        def _note() -> None:
            # Who sends a request chooses its Host: only this machine's own names may end up in somebody's mail.
            note_request(request.host_url if _is_this_machine(request.host) else None)

        @app.teardown_request
        def _forget(_error: BaseException | None) -> None:
            note_request(None)


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
