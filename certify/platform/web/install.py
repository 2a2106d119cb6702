"""Puts everything of this room into an app; `create_app` calls it once, before any blueprint."""

from __future__ import annotations

from flask import Flask, current_app, request

from certify.platform.web.access import is_public
from certify.platform.web.csrf import install_csrf
from certify.platform.web.drawn import register_drawn
from certify.platform.web.errors import install_errors
from certify.platform.web.formats import register_formats
from certify.platform.web.forms import form_key, once
from certify.platform.web.health import install_health
from certify.platform.web.security import install_security
from certify.platform.web.texts import install_texts
from certify.platform.web.transactions import install_transactions

# Files come one at a time and may be large; what people type and programs send as JSON is not.
LARGEST_REQUEST = 60 * 1024 * 1024
LARGEST_FORM = 5 * 1024 * 1024


def init_web(app: Flask) -> None:
    """Install transactions, CSRF, refusals, headers, filters and request limits."""
    settings = app.extensions["certify_settings"]
    app.config.update(
        SESSION_COOKIE_NAME="__Host-certify" if settings.production else "certify",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_FORM, MAX_FORM_PARTS=5000)
    app.before_request(_limit_body)
    install_transactions(app)
    install_health(app)
    install_texts(app)
    install_csrf(app)
    install_errors(app)
    install_security(app)
    register_formats(app)
    register_drawn(app)
    app.jinja_env.globals["once"] = once
    app.jinja_env.globals["form_key"] = form_key


def _limit_body() -> None:
    """Whole forms and JSON are read into memory at once, so they get a limit of their own; so does what strangers send."""
    view = current_app.view_functions.get(request.endpoint or "")
    files = request.mimetype == "multipart/form-data" or (request.method == "PUT" and not request.is_json)
    if files and not is_public(request.endpoint):
        request.max_content_length = getattr(view, "largest_request", LARGEST_REQUEST)
    else:
        request.max_content_length = LARGEST_FORM
