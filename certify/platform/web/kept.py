"""What a person wrote when the sign-in had ended: carried through the sign-in page, signed, and offered for sending again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from certify.platform.web.access import safe_next, same_origin
from certify.platform.web.transactions import FORM_KEY

GOOD_FOR_SECONDS = 24 * 3600
MOST_CHARACTERS = 400_000
_LEFT_OUT = {"csrf_token", FORM_KEY}


@dataclass(frozen=True)
class Kept:
    """A form that was sent too late: where to, and every field as it was."""

    path: str
    fields: tuple[tuple[str, str], ...]
    back: str


def keep_posted(back: str) -> str | None:
    """Return what the present request carries as a signed text, or None when there is nothing to keep.

    Only what our own page sent is kept: another site must not plant text for someone to send on.
    """
    if not same_origin():
        return None
    fields = [(k, v) for k, v in request.form.items(multi=True) if k not in _LEFT_OUT]
    secret = any("password" in k or k in ("old", "again") for k, _ in fields)
    size = sum(len(k) + len(v) for k, v in fields)
    if not any(v.strip() for _, v in fields) or secret or size > MOST_CHARACTERS:
        return None
    return _signer().dumps({"path": request.full_path.rstrip("?"), "fields": fields, "back": back})


def read_kept(text: str | None) -> Kept | None:
    """Return what was kept, or None when the text is not ours or too old."""
    if not text:
        return None
    try:
        body = _signer().loads(text, max_age=GOOD_FOR_SECONDS)
        return Kept(
            safe_next(body["path"]), tuple((str(k), str(v)) for k, v in body["fields"]), safe_next(body["back"])
        )
    except (BadData, KeyError, TypeError, ValueError):
        return None


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="kept-form")
