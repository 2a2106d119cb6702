"""The rulebook this process runs by."""

from __future__ import annotations

from certify.core.rulebook.model import Rulebook

_rulebook: Rulebook | None = None


def use(rulebook: Rulebook) -> None:
    """Run by this rulebook from now on."""
    global _rulebook
    _rulebook = rulebook


def current() -> Rulebook:
    """Return the rulebook in force. Raises: RuntimeError when none is loaded yet."""
    if _rulebook is None:
        raise RuntimeError("no rulebook is loaded; create_app does it")
    return _rulebook
