"""Reading what a tablet sends: every op checked against the survey's checklist, each mistake said for that op alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from certify.certification.surveys.values import (
    ATTACHMENT,
    NOTE,
    SIGNATURE,
    UUID,
    Malformed,
    check_name,
    check_value,
    plain,
)
from certify.core.foundation.clock import parse_instant
from certify.core.foundation.errors import Conflict, FieldError, Invalid

MOST_OPS = 500
HIGHEST_SEQ = 2**31 - 1
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
ELEMENT_FIELDS = frozenset(
    {"rating", "note", "na_reason", "risk", "seen_documentation", "seen_observation", "seen_data"}
)
STANDARD_FIELDS = frozenset({"strength", "recommendation", "standard_note"})
AGREED = "na_agreed"  # a second reviewer's word on a critical standard; never a tablet's
SITE_FIELDS = frozenset({"site_note", "remote_interview"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a survey's ops may be about: sites (id to whether it is visited), elements and standards (to their domain)."""

    sites: Mapping[int, bool]
    elements: Mapping[str, int]
    standards: Mapping[str, int]

    def knows(self, about: str) -> bool:
        """Whether this is one of the survey's elements or standards."""
        return about in self.elements or about in self.standards


@dataclass(frozen=True, slots=True)
class Op:
    """A well-formed op; `element` is "" for the site as a whole."""

    op: str
    site: int
    element: str
    field: str
    value: Any
    base: int | None
    at: datetime

    @property
    def key(self) -> tuple[int, str, str]:
        return (self.site, self.element, self.field)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sync request whose frame is right; the ops are still as they came."""

    device: str
    since: int
    ops: list[Any]
    person: int | None = None  # whose entries these are, when the tablet says so
    most: int | None = None  # so many changes are heard at once; all when nothing is said


class OtherPerson(Conflict):
    """A tablet would send one person's entries while another is signed in."""


def read_envelope(body: Any) -> Envelope:
    """Return the frame of a sync request.

    Raises: Invalid for what is not such a request: no object, no device, too many ops.
    """
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object with device, since and ops.")
    errors = []
    device, since, ops = body.get("device"), body.get("since"), body.get("ops", [])
    if not isinstance(device, str) or not UUID.fullmatch(device):
        errors.append(FieldError("device", "device: a UUID is needed, the same for every call of one tablet."))
    if since is None:
        since = 0
    if isinstance(since, bool) or not isinstance(since, int) or not 0 <= since <= HIGHEST_SEQ:
        errors.append(FieldError("since", "since: give the seq of the last answer received, 0 at first."))
    if not isinstance(ops, list):
        errors.append(FieldError("ops", "ops: a list is needed."))
    elif len(ops) > MOST_OPS:
        errors.append(
            FieldError(
                "ops", f"ops: at most {MOST_OPS} fit in one call; this has {len(ops)}. Send the rest in the next."
            )
        )
    person = body.get("person")
    if person is not None and (isinstance(person, bool) or not isinstance(person, int)):
        errors.append(
            FieldError("person", "person: give the number of the person whose entries these are, or nothing.")
        )
    most = body.get("most")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        errors.append(
            FieldError("most", "most: give how many changes you take at once, 1 or more, or nothing for all.")
        )
    if errors:
        raise Invalid(errors)
    return Envelope(str(device).lower(), since, ops, person, most)


def op_id(raw: Any) -> str | None:
    """Return the id of an op as it is stored, None when it has none."""
    given = raw.get("op") if isinstance(raw, dict) else None
    return given.lower() if isinstance(given, str) and UUID.fullmatch(given) else None


def read_op(raw: Any, scope: Scope) -> Op:
    """Return a well-formed op of this survey's checklist. Raises: Malformed."""
    if not isinstance(raw, dict):
        raise Malformed("This entry is not an object.")
    op = op_id(raw)
    if op is None:
        raise Malformed("op: this entry has no UUID.")
    site = raw.get("site")
    if isinstance(site, bool) or not isinstance(site, int) or site not in scope.sites:
        raise Malformed("site: this site is not part of the survey.")
    element = raw.get("element")
    if element is not None and not isinstance(element, str):
        raise Malformed("element: give an element such as 7.3.b, a standard such as 7.3, or null for the site.")
    field = raw.get("field")
    if not isinstance(field, str) or not field:
        raise Malformed("field: this entry does not say which field it is about.")
    about = element or ""
    _check_place(site, about, field, scope)
    value = plain(field, raw.get("value"))
    check_value(field, value, scope.knows)
    base = raw.get("base")
    if base is not None and (isinstance(base, bool) or not isinstance(base, int) or base < 0):
        raise Malformed("base: give the seq of the value that was seen, or null.")
    # A number no journal reaches was never given either; it is kept as the highest that a column holds.
    seen = None if base is None else min(base, HIGHEST_SEQ)
    return Op(op, site, about, field, value, seen, _read_at(raw.get("at")))


def _check_place(site: int, about: str, field: str, scope: Scope) -> None:
    check_name(field)
    bound = field.startswith(ATTACHMENT)
    if about in scope.elements:
        fits = bound or field in ELEMENT_FIELDS
    elif about in scope.standards:
        fits = bound or field in STANDARD_FIELDS
    elif about == "":
        fits = field in SITE_FIELDS or field.startswith((ATTACHMENT, NOTE, SIGNATURE))
    else:
        raise Malformed(f"element: {about[:20]!r} is not part of this survey's checklist.")
    if not fits:
        what = "an element" if about in scope.elements else "a standard" if about else "a site"
        raise Malformed(f"field: {field[:40]!r} is not a field of {what}.")
    if about and not scope.sites[site]:
        raise Malformed("site: this site is not visited; only notes on the site as a whole can be kept for it.")


def _read_at(given: Any) -> datetime:
    try:
        at = parse_instant(given) if isinstance(given, str) else None
    except (ValueError, OverflowError):
        at = None
    if at is None or not EARLIEST <= at <= LATEST:
        raise Malformed("at: give the time of the entry, for example 2026-03-05T14:00:00Z.")
    return at
