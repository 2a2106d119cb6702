"""What a good password is, how long things live, and when too many wrong tries are made to wait."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from certify.core.access.roles import PRACTICE_ROLES, PROGRAM_ROLES, Role
from certify.core.foundation.errors import FieldError
from certify.platform.identity.common_passwords import COMMON_PASSWORDS

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
IDLE_LIMIT = timedelta(hours=12)
ABSOLUTE_LIMIT = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
INVITATION_LIFE = timedelta(days=7)
RESET_LIFE = timedelta(hours=2)
LONGEST_TOKEN_DAYS = 366

# Failures count for an hour. From the fifth on an address waits, twice as long each time, at most 15 minutes; a network
# has many people behind it, so it may fail more often.
COUNTED_FOR = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=15)
FIRST_WAIT = timedelta(seconds=15)
TRIES_PER_ADDRESS = 5
TRIES_PER_NETWORK = 40

_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)


def password_problems(password: str, *, email: str, name: str = "") -> list[FieldError]:
    """Return what is wrong with a new password; empty when it will do.

    Long, not widely known, not made of the person's own address: NIST SP 800-63B asks for no more, and no signs or digits.
    """
    problems = []
    if len(password) < SHORTEST_PASSWORD:
        problems.append(
            FieldError(
                "password", f"Use at least {SHORTEST_PASSWORD} characters. A few words together are easy to remember."
            )
        )
    if len(password) > LONGEST_PASSWORD:
        problems.append(FieldError("password", f"Use at most {LONGEST_PASSWORD} characters."))
    plain = "".join(c for c in password.lower() if c.isalnum())
    own = {"".join(c for c in part.lower() if c.isalnum()) for part in (email, email.split("@")[0], name)}
    if plain and (plain in own or plain.rstrip("0123456789") in own - {""}):
        problems.append(FieldError("password", "Choose something other than your own name or email address."))
    elif (
        password.lower() in COMMON_PASSWORDS or plain.rstrip("0123456789") in COMMON_PASSWORDS or len(set(password)) < 4
    ):
        problems.append(FieldError("password", "This password is one of the first that are tried. Choose another."))
    return problems


def tidy_email(text: str) -> str:
    """Return an email address as it is stored and compared: trimmed, lower case."""
    return text.strip().lower()


def email_problem(email: str) -> str:
    """Return what is wrong with an address, or an empty text.

    >>> email_problem("dana@lakeside.example"), email_problem("dana@lakeside")
    ('', 'Write a full email address, like name@practice.org.')
    """
    good = len(email) <= 254 and _EMAIL.fullmatch(email) is not None and ".." not in email and not email.startswith(".")
    return "" if good else "Write a full email address, like name@practice.org."


def waits_until(failures: Sequence[datetime], *, tries: int) -> datetime | None:
    """Return until when no further try is heard, or None.

    Args:
        failures: instants of the failures that still count, in any order.
        tries: how many are free.
    """
    if len(failures) < tries:
        return None
    over = min(len(failures) - tries, 10)
    wait: timedelta = min(FIRST_WAIT * (1 << over), LONGEST_WAIT)
    return max(failures) + wait


def role_place_problem(role: Role, practice_id: int | None) -> str:
    """Return why a role cannot be held there, or an empty text: practice roles need a practice, program roles none."""
    if role in PRACTICE_ROLES and practice_id is None:
        return "Choose the practice this role is held for."
    if role in PROGRAM_ROLES and practice_id is not None:
        return "This role is held for the program, not for a practice."
    return "" if role in PRACTICE_ROLES | PROGRAM_ROLES else "This role cannot be given to a person."
