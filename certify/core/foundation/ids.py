"""Identifiers people read and secrets nobody can guess."""

from __future__ import annotations

import hashlib
import secrets
import uuid

# Without 0/O, 1/I/L: read aloud over the telephone and typed from paper.
READABLE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_uuid() -> str:
    """Return a random UUID as text."""
    return str(uuid.uuid4())


def new_secret() -> str:
    """Return 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, which is what gets stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def readable_code(length: int = 12, *, group: int = 4) -> str:
    """Return a random code in groups, for example `7KQM-2XHD-9RTB`."""
    letters = "".join(secrets.choice(READABLE) for _ in range(length))
    return "-".join(letters[i : i + group] for i in range(0, length, group))


def initials(name: str) -> str:
    """Return two capital letters that stand for a practice's name in a case reference."""
    words = [w for w in "".join(c if c.isascii() and c.isalpha() else " " for c in name).split() if w[0].isupper()] or [
        "Practice"
    ]
    return (words[0][0] + (words[1][0] if len(words) > 1 else words[0][1:2] or "X")).upper()
