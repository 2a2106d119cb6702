"""Hashing of passwords: Argon2id with the parameters of the OWASP cheat sheet (19 MiB, 2 passes, 1 lane)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_decoy = ""


def use_hasher(hasher: PasswordHasher) -> None:
    """Hash with other parameters from now on (tests use the cheapest)."""
    global _hasher, _decoy
    _hasher, _decoy = hasher, ""


def hash_password(password: str) -> str:
    """Return the hash to store, with its salt and parameters."""
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; without a stored hash it takes as long and says no."""
    global _decoy
    if password_hash is None:
        _decoy = _decoy or _hasher.hash("nobody has this password")
    try:
        _hasher.verify(password_hash or _decoy, password)
        return password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_new_hash(password_hash: str) -> bool:
    """Whether a stored hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
