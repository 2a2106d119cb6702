"""Forms carry a token; calls from our own pages are known by where they come from; bearer tokens need neither."""

from __future__ import annotations

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from certify.core.foundation.errors import NotAllowed
from certify.platform.web.access import (
    SAFE_METHODS,
    bearer_token,
    find_signed_in,
    is_public,
    same_origin,
)

csrf = CSRFProtect()


def install_csrf(app: Flask) -> None:
    """Check every request that may change something, before its view runs."""
    # We call `protect` ourselves: which check applies depends on who calls, not on the blueprint.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # As long as the sign-in lives the form is good: a long text must not be lost to a clock.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)
    app.before_request(_check)


def _check() -> None:
    if request.method in SAFE_METHODS or not current_app.config["WTF_CSRF_ENABLED"] or request.endpoint is None:
        return
    if request.path.startswith("/api/"):
        # A bearer token is never sent by a browser on its own; a session cookie is, so the page must be ours.
        if bearer_token() is None and find_signed_in() is not None and not same_origin():
            raise NotAllowed("This call comes from another site.")
        return
    if not is_public(request.endpoint) and find_signed_in() is None:
        return  # nothing will be done: `requires` leads to the sign-in page
    # Neither JSON nor a PUT leaves another site's page without the browser asking us first, and we never agree.
    if (request.is_json or request.method == "PUT") and same_origin():
        return
    csrf.protect()


__all__ = ["CSRFError", "csrf", "install_csrf"]
