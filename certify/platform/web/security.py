"""Headers that keep browsers honest, and addresses of static files that change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request, url_for

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TWO_YEARS = 63_072_000
ONE_YEAR = 31_536_000
ONE_DAY = 86_400


def install_security(app: Flask) -> None:
    """Add the headers to every answer and content digests to static addresses."""
    app.after_request(_headers)
    app.url_defaults(_digest_of_static)
    app.extensions["certify_assets"] = {}
    app.jinja_env.globals["asset"] = asset


def asset(path: str) -> str:
    """Return the address of a static file, with the digest of its content in it.

    Worked out once a file (every page names a dozen); in development, where files change, each time.
    """
    known: dict[tuple[str, str], str] = current_app.extensions["certify_assets"]
    key = (request.script_root if has_request_context() else "", path)
    if key not in known or current_app.debug:
        known[key] = url_for("static", filename=path)
    return known[key]


def _digest_of_static(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "filename" in values and "v" not in values and current_app.static_folder:
        found = _stamped_digest(current_app.static_folder, values["filename"], current_app.debug)
        if found:
            values["v"] = found


def _stamped_digest(folder: str, filename: str, watch: bool) -> str:
    path = Path(folder, filename)
    # In development the file changes under us; in production it is read once.
    stamp = path.stat().st_mtime_ns if watch and path.is_file() else 0
    return _file_digest(folder, filename, stamp)


@lru_cache(maxsize=512)
def _file_digest(folder: str, filename: str, _stamp: int) -> str:
    path = Path(folder, filename)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""


def _headers(response: Response) -> Response:
    given = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - Headers yields pairs
    response.headers.extend({name: value for name, value in HEADERS.items() if name.lower() not in given})
    if current_app.config.get("SESSION_COOKIE_SECURE"):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={TWO_YEARS}; includeSubDomains")
    if request.endpoint == "static":
        named = request.args.get("v")
        lasting = bool(named) and response.status_code in (200, 304)
        response.headers["Cache-Control"] = (
            f"public, max-age={ONE_YEAR}, immutable" if lasting else f"public, max-age={ONE_DAY}"
        )
    elif g.get("signed_in") is not None:
        response.headers.setdefault("Cache-Control", "no-store, private")
        if response.headers["Cache-Control"] == "no-cache":
            response.headers["Cache-Control"] = "no-store, private"
    return response
