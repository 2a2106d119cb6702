"""Who can read and write what, in words and as a rule."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from certify.core.access.roles import PRACTICE_ROLES, Role
from certify.core.foundation.errors import FieldError

MAX_BODY = 10_000
ITEM_FORM = re.compile(r"(?:standard|element|requirement|section|evidence|site|invoice):[A-Za-z0-9._-]{1,60}")


class Audience(StrEnum):
    """For whom a message is written."""

    PRACTICE_AND_PROGRAM = "practice_and_program"
    PROGRAM_ONLY = "program_only"
    SURVEY_TEAM = "survey_team"


READERS = {
    Audience.PRACTICE_AND_PROGRAM: PRACTICE_ROLES | {Role.PROGRAM_STAFF, Role.COUNCIL, Role.SURVEYOR, Role.AUDITOR},
    Audience.PROGRAM_ONLY: frozenset({Role.PROGRAM_STAFF, Role.COUNCIL, Role.AUDITOR}),
    Audience.SURVEY_TEAM: frozenset({Role.SURVEYOR, Role.PROGRAM_STAFF, Role.AUDITOR}),
}
WRITERS = {audience: readers - {Role.AUDITOR} for audience, readers in READERS.items()}
INTERNAL = frozenset({Audience.PROGRAM_ONLY, Audience.SURVEY_TEAM})
WORDS = {
    Audience.PRACTICE_AND_PROGRAM: "the practice, the program and the survey team",
    Audience.PROGRAM_ONLY: "program staff and the council, not by the practice",
    Audience.SURVEY_TEAM: "the survey team and program staff, not by the practice",
}
LABELS = {
    Audience.PRACTICE_AND_PROGRAM: "Practice and program",
    Audience.PROGRAM_ONLY: "Program only",
    Audience.SURVEY_TEAM: "Survey team",
}


def readable(roles: Collection[Role]) -> frozenset[Audience]:
    """Return the audiences that someone with these roles in this case belongs to.

    A role in the practice shuts every internal audience, whatever else the person is to the program.
    """
    return _open_to(roles, READERS)


def writable(roles: Collection[Role]) -> frozenset[Audience]:
    """Return the audiences that someone with these roles may write to."""
    return _open_to(roles, WRITERS)


def message_errors(body: str, audience: str, roles: Collection[Role]) -> list[FieldError]:
    """Return what is wrong with a message before it is sent."""
    errors = []
    if not body.strip():
        errors.append(FieldError("body", "Write the message."))
    elif len(body) > MAX_BODY:
        errors.append(FieldError("body", f"The message has {len(body):,} characters; at most {MAX_BODY:,} fit."))
    if audience not in writable(roles):
        errors.append(FieldError("audience", "Choose who is to read the message."))
    return errors


def side_of(roles: Collection[Role]) -> str:
    """Return on whose side someone writes: practice, program, surveyor or council."""
    held = set(roles)
    if held & PRACTICE_ROLES:
        return "practice"
    if Role.PROGRAM_STAFF in held:
        return "program"
    return "surveyor" if Role.SURVEYOR in held else "council" if Role.COUNCIL in held else "program"


def item_label(item: str) -> str:
    """Name what a message is about.

    >>> item_label("standard:7.3"), item_label(""), item_label("section:sites")
    ('Standard 7.3', 'The case', 'Section sites')
    """
    kind, _, key = item.partition(":")
    return f"{kind.capitalize()} {key.replace('_', ' ')}" if key else "The case"


def item_url(ref: str, item: str) -> str:
    """Return where the thing a message is about is found."""
    kind, _, key = item.partition(":")
    paths = {
        "standard": f"/evidence#s{key}",
        "element": f"/evidence#s{key.rpartition('.')[0] or key}",
        "requirement": f"/corrections#r{key}",
        "section": f"/application/{key}",
        "evidence": f"/evidence/{key}",
        "invoice": "/fees",
        "site": "/survey",
    }
    return f"/cases/{ref}{paths.get(kind, '')}"


def _open_to(roles: Collection[Role], table: dict[Audience, frozenset[Role]]) -> frozenset[Audience]:
    held = set(roles)
    found = {audience for audience, who in table.items() if held & who}
    if held & PRACTICE_ROLES:
        found -= INTERNAL
    return frozenset(found)
