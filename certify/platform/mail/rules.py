"""How often a mail is tried, and which kinds must never go out twice by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

LEASE = timedelta(seconds=60)
BATCH = 20
PAUSE = timedelta(minutes=1)  # after trouble of the mail server itself
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


def is_the_servers(code: int, *, sender_refused: bool = False) -> bool:
    """Whether an answer speaks of the mail server or of our account there, not of this mail: then every mail waits.

    421 closes the line; 530, 534 and 535 want us to sign in otherwise (RFC 4954). A sender is refused for every mail,
    except when it is this one that is too large (552).

    >>> [is_the_servers(421), is_the_servers(550), is_the_servers(550, sender_refused=True), is_the_servers(552, sender_refused=True)]
    [True, False, True, False]
    """
    return code in (421, 530, 534, 535) or (sender_refused and code != 552)


def goes_again(state: str, lease_until: datetime | None, at: datetime) -> bool:
    """Whether staff may let a mail go out once more: not while a sender still has it in hand.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> [goes_again("handed", noon, noon - LEASE), goes_again("handed", noon, noon), goes_again("pending", None, noon)]
    [False, True, False]
    """
    return state in ("sent", "failed") or (state == "handed" and (lease_until is None or lease_until <= at))


def plain_line(text: str, limit: int = 200) -> str:
    """Return text as one line without control characters, as headers need it.

    >>> plain_line("Dana\\r\\nBcc: all@example.org")
    'Dana Bcc: all@example.org'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
