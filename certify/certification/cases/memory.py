"""Within one page, what was read once is not read again.

The head of a case page judges every guard, and the page below shows what they judged: the same draft, the same
requirements. A request that only reads remembers by itself; where something is written, nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from certify.db import write_intent

Found = TypeVar("Found")
KEY = "read_on_this_page"


def remember_reads(session: Session) -> None:
    """Remember from now on what this session reads; for views that write, but change nothing of what they show."""
    session.info[KEY] = {}


def remembered(session: Session, key: tuple[Any, ...], read: Callable[[], Found]) -> Found:
    """Return what was read under the key on this page, or read it."""
    known: dict[tuple[Any, ...], Any] | None = session.info.get(KEY)
    if known is None:
        if write_intent.get():
            return read()
        known = session.info[KEY] = {}
    if key not in known:
        known[key] = read()
    found: Found = known[key]
    return found
