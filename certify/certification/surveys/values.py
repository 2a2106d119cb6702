"""What each field of the checklist may hold, beyond where it may stand."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from certify.core.catalogue.survey import RATINGS, SIGNERS
from certify.core.rulebook.current import current

MOST_TEXT = 20_000
MOST_LINE = 200  # a name, a title, a code
MOST_ABOUT = 400
MOST_STROKES = 60 * 1024  # characters of the data URL
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
ATTACHMENT, NOTE, SIGNATURE = "attachment:", "note:", "signature:"
PNG = "data:image/png;base64,"
DIGEST = re.compile(r"[0-9a-f]{64}")


class Malformed(ValueError):
    """Why an op cannot be stored, in words for the person who will look at it."""


def plain(field: Any, value: Any) -> Any:
    """Return a value as it is stored: a rating may be spelt out."""
    return "na" if field == "rating" and value == "not_applicable" else value


def check_name(field: str) -> None:
    """Check the second half of a field such as `note:<uuid>`. Raises: Malformed."""
    for prefix, what in ((ATTACHMENT, "an attachment"), (NOTE, "a note")):
        if field.startswith(prefix) and not UUID.fullmatch(field.removeprefix(prefix)):
            raise Malformed(f"field: name {what} as {prefix}UUID.")
    if field.startswith(SIGNATURE) and field.removeprefix(SIGNATURE) not in SIGNERS:
        raise Malformed(f"field: a signature is {' or '.join(SIGNATURE + signer for signer in SIGNERS)}.")


def check_value(field: str, value: Any, knows: Callable[[str], bool]) -> None:
    """Check what a field is given; null takes anything back.

    Args:
        knows: whether the survey has an element or standard, for what a note is about.
    Raises: Malformed.
    """
    if value is None:
        return
    kind = field.split(":", 1)[0]
    if kind == "note" and field != "note":
        _note(value, knows)
    else:
        CHECKS.get("seen" if field.startswith("seen_") else kind, _text_value)(value)


def _rating(value: Any) -> None:
    if not isinstance(value, str) or value not in RATINGS:
        raise Malformed("value: a rating is yes, no or na (null takes it back).")


def _seen(value: Any) -> None:
    if isinstance(value, dict):
        if set(value) != {"what"} or not isinstance(value["what"], str):
            raise Malformed('value: say true, false, or {"what": text}.')
        check_text(value["what"])
    elif not isinstance(value, bool):
        raise Malformed('value: say true, false, or {"what": text}.')


def _attachment(value: Any) -> None:
    if not isinstance(value, dict) or set(value) - {"caption"} or not isinstance(value.get("caption", ""), str):
        raise Malformed('value: give {"caption": text}, or null to take the attachment away.')
    check_text(value.get("caption", ""))


def _risk(value: Any) -> None:
    rules = current().survey
    if (
        not isinstance(value, dict)
        or set(value) != {"harm", "scope"}
        or not rules.is_place(value["harm"], value["scope"])
    ):
        harms, scopes = ", ".join(h.key for h in rules.harm), ", ".join(s.key for s in rules.scope)
        raise Malformed(f'value: give {{"harm": one of {harms}, "scope": one of {scopes}}}, or null.')


def _note(value: Any, knows: Callable[[str], bool]) -> None:
    kinds = current().survey.note_kinds
    keys = {"kind", "text", "about", "pseudonym"}
    if not isinstance(value, dict) or set(value) - keys or not isinstance(value.get("text"), str):
        raise Malformed(
            'value: give {"kind", "text", "about": [elements]} and, of a patient or record, "pseudonym"; or null.'
        )
    if not isinstance(value.get("kind"), str) or value["kind"] not in kinds:
        raise Malformed(f"value: the kind of a note is one of {', '.join(kinds)}.")
    about = value.get("about")
    if not isinstance(about, list) or len(about) > MOST_ABOUT or not all(isinstance(a, str) for a in about):
        raise Malformed(f"value: about is a list of at most {MOST_ABOUT} elements or standards.")
    strange = next((a for a in about if not knows(a)), None)
    if strange is not None:
        raise Malformed(f"value: {strange[:20]!r} is not part of this survey's checklist.")
    if len(set(about)) != len(about):
        raise Malformed("value: about names something twice.")
    check_text(value["text"])
    _line("pseudonym", value.get("pseudonym", ""))


def _signature(value: Any) -> None:
    if not isinstance(value, dict) or set(value) != {"name", "title", "strokes", "digest"}:
        raise Malformed('value: give {"name", "title", "strokes", "digest"}, or null to take the signature back.')
    _line("name", value["name"])
    _line("title", value["title"])
    if not value["name"].strip():
        raise Malformed("value: a signature needs the name of who signs.")
    digest, strokes = value["digest"], value["strokes"]
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise Malformed("value: digest is the SHA-256 of the answers, in hex.")
    if not isinstance(strokes, str) or len(strokes) > MOST_STROKES:
        raise Malformed(f"value: strokes is a picture of at most {MOST_STROKES // 1024} KB.")
    if strokes and not _is_png(strokes):
        raise Malformed("value: strokes is a PNG picture as a data URL, or empty for a typed name.")


def _is_png(strokes: str) -> bool:
    try:
        content = base64.b64decode(strokes.removeprefix(PNG), validate=True) if strokes.startswith(PNG) else b""
    except (binascii.Error, ValueError):
        return False
    return content.startswith(b"\x89PNG\r\n\x1a\n")


def _text_value(value: Any) -> None:
    if not isinstance(value, str):
        raise Malformed("value: a text is needed.")
    check_text(value)


def _line(name: str, value: Any) -> None:
    if not isinstance(value, str) or len(value) > MOST_LINE:
        raise Malformed(f"value: {name} is a text of at most {MOST_LINE} characters.")
    check_text(value)


def check_text(text: str) -> None:
    """Check that a text can be stored. Raises: Malformed."""
    if len(text) > MOST_TEXT:
        raise Malformed(f"value: this text has {len(text):,} characters; at most {MOST_TEXT:,} fit.")
    if any((ord(c) < 32 and c not in "\n\r\t") or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise Malformed("value: the text holds characters that cannot be stored.")


CHECKS: dict[str, Callable[[Any], None]] = {
    "rating": _rating, "seen": _seen, "attachment": _attachment, "risk": _risk, "signature": _signature,
}  # fmt: skip
