"""The names of the practices that roles are held for; the room of practices lies above this one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.foundation.errors import Invalid
from certify.core.foundation.words import name_key

# The foreign key of role_grant names this table; three of its columns are all that is needed here.
_practice = sa.table("practice", sa.column("id"), sa.column("legal_name"), sa.column("name_key"))
_PRACTICE_IS_THERE = select(_practice.c.id).where(_practice.c.id == sa.bindparam("practice_id"))


class Place(NamedTuple):
    """A practice by number and name."""

    id: int
    name: str


def place_named(session: Session, text: str) -> Place:
    """Return the one practice of that number, or whose name begins so; raises Invalid naming those that fit."""
    query = select(_practice.c.id, _practice.c.legal_name)
    if text.isascii() and text.isdigit() and len(text) < 10:
        found = session.execute(query.where(_practice.c.id == int(text))).all()
    elif text:
        begin = name_key(text)
        within = (_practice.c.name_key >= begin, _practice.c.name_key < begin + "\uffff")
        found = session.execute(query.where(*within).order_by(_practice.c.name_key).limit(6)).all()
        exact = [row for row in found if name_key(row.legal_name) == begin]
        found = exact if len(exact) == 1 else found
    else:
        raise Invalid("Name the practice this role is held for.", "practice")
    if not found:
        raise Invalid("No practice has this number or begins with this name.", "practice")
    if len(found) > 1:
        fitting = "; ".join(f"{row.id} {row.legal_name}" for row in found[:5])
        raise Invalid(f"Several practices fit; write the number of one of them: {fitting}.", "practice")
    return Place(found[0].id, found[0].legal_name)


def places_of(session: Session, practice_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of practices by their numbers."""
    ids = {p for p in practice_ids if p is not None}
    if not ids:
        return {}
    rows = session.execute(select(_practice.c.id, _practice.c.legal_name).where(_practice.c.id.in_(ids)))
    return {row.id: row.legal_name for row in rows}


def place_exists(session: Session, practice_id: int) -> bool:
    """Whether there is a practice of that number."""
    return session.scalar(_PRACTICE_IS_THERE, {"practice_id": practice_id}) is not None
