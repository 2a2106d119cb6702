"""The address of this program as mail, calendars and codes give it."""

from __future__ import annotations

from contextvars import ContextVar

DEFAULT = "http://127.0.0.1:8000"

_configured: str | None = None
# In development nobody sets an address; then it is that of the request at hand, when it came to this very machine.
_of_request: ContextVar[str | None] = ContextVar("base_of_request", default=None)


def use_base_url(url: str | None) -> None:
    """Take CERTIFY_BASE_URL, or None when it is not set."""
    global _configured
    _configured = url.rstrip("/") if url else None


def configured_base() -> str | None:
    """Return CERTIFY_BASE_URL, or None when it is not set."""
    return _configured


def note_request(root: str | None) -> None:
    """Remember the address the present request came to."""
    _of_request.set(root.rstrip("/") if root else None)


def base_url() -> str:
    """Return the program's address without a slash at the end."""
    return _configured or _of_request.get() or DEFAULT


def absolute(path: str) -> str:
    """Return the full address of a path that begins with a slash."""
    return base_url() + path
