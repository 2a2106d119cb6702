"""How often a mail is tried, and which kinds must never go out twice by themselves."""

from __future__ import annotations

from datetime import timedelta

LEASE = timedelta(seconds=60)
BATCH = 20
REFUSALS_UNTIL_FAILED = 6
# A crash between the server's answer and our commit leaves it open whether the mail left. These kinds wait for a person
# then; all others go out again under the same Message-ID, which receivers drop when they have it.
ONCE_ONLY = frozenset({"decision", "invoice", "report_issued", "award", "deny"})

# Their text lets the reader in: it is not kept once it has left, and never shown to others.
SECRET = frozenset({"invitation", "reset"})


def next_try(attempts: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, then longer, at most an hour.

    >>> [str(next_try(n)) for n in (1, 2, 3, 9)]
    ['0:01:00', '0:03:00', '0:09:00', '1:00:00']
    """
    return min(timedelta(minutes=3 ** min(max(attempts, 1) - 1, 5)), timedelta(hours=1))


def is_for_good(code: int) -> bool:
    """Whether a mail server's answer means that trying again is of no use (RFC 5321: 5yz)."""
    return 500 <= code < 600


def plain_line(text: str, limit: int = 200) -> str:
    """Return text as one line without control characters, as headers need it.

    >>> plain_line("Dana\\r\\nBcc: all@example.org")
    'Dana Bcc: all@example.org'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
