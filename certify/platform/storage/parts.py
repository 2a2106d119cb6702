"""Uploads that come in parts: what has come so far is kept beside the store until it is whole or was given up."""

from __future__ import annotations

import fcntl
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Session

from certify.core.foundation.errors import Conflict
from certify.platform.storage.operations import root

KEPT = timedelta(days=30)
NAME = re.compile(r"[0-9a-z.-]{1,200}")
TO_DROP = "parts to drop"  # in a session's info: one listener for all, not one a file


class Elsewhere(Conflict):
    """A part that does not begin where the last one ended; `offset` is where the next has to begin."""

    def __init__(self, offset: int) -> None:
        self.members = {"offset": offset}
        super().__init__(f"The part does not begin where the last one ended; send from byte {offset}.")


def offset_of(name: str) -> int:
    """Return how many bytes have come so far."""
    try:
        return _path(name).stat().st_size
    except FileNotFoundError:
        return 0


def append(name: str, offset: int, content: bytes) -> int:
    """Add a part durably and return how many bytes there are now. Raises: Elsewhere; then nothing has changed."""
    path = _path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as out:
        fcntl.flock(out, fcntl.LOCK_EX)  # another process may be at the same part
        size = os.fstat(out.fileno()).st_size
        if size != offset:
            raise Elsewhere(size)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
        return size + len(content)


def whole(name: str) -> bytes:
    """Return all that has come."""
    try:
        return _path(name).read_bytes()
    except FileNotFoundError:
        return b""


def drop(name: str) -> None:
    """Let go of what has come: it is in the store, or was wrong."""
    _path(name).unlink(missing_ok=True)


def drop_when_kept(session: Session, name: str) -> None:
    """Let go of it once the transaction is committed that keeps what it became; after a rollback it is still here."""
    session.info.setdefault(TO_DROP, set()).add(name)


@event.listens_for(Session, "after_commit")
def _drop_kept(session: Session) -> None:
    if not session.in_nested_transaction():
        for name in session.info.pop(TO_DROP, ()):
            drop(name)


@event.listens_for(Session, "after_rollback")
def _keep_on(session: Session) -> None:
    session.info.pop(TO_DROP, None)


def sweep(at: datetime) -> int:
    """Let go of what nothing was added to for 30 days; return how many."""
    before = (at - KEPT).timestamp()
    gone = 0
    for path in _folder().glob("*"):
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _folder() -> Path:
    return root().parent / "parts"


def _path(name: str) -> Path:
    if not NAME.fullmatch(name) or name.startswith("."):
        raise ValueError(f"{name!r} is no name of a part")
    return _folder() / name
