"""Reads about practices, their sites and providers; lists show what the actor's roles reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.policy import Permission, Reach, Subject, allowed, reach
from certify.core.access.roles import Actor
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.core.foundation.words import name_key
from certify.db import UtcDateTime
from certify.platform.practices.models import Practice, Provider, Site


class PracticeChoice(NamedTuple):
    """A practice as a choice in a form."""

    id: int
    name: str


@dataclass(frozen=True)
class PracticeLine:
    """A practice in a list."""

    id: int
    legal_name: str
    name_key: str
    city: str
    state: str
    setting: str
    sites: int


def named(text: str) -> sa.ColumnElement[bool]:
    """Return the predicate of the practices whose name begins so.

    A range, not LIKE: both databases walk the index whatever their collation makes of patterns.
    """
    begin = name_key(text)
    return sa.and_(Practice.name_key >= begin, Practice.name_key < begin + "\uffff")


def practice_for(
    session: Session,
    actor: Actor,
    practice_id: int,
    permission: Permission = Permission.VIEW_PRACTICE,
    *,
    lock: bool = False,
) -> Practice:
    """Return the practice, if the actor may do this to it.

    Raises: NotFound when it is not there or not theirs to see; NotAllowed when they see it but may not do this.
    """
    query = select(Practice).where(Practice.id == practice_id)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("There is no such practice.")
    subject = Subject(practice_id=found.id, team=team_of(session, actor, found.id))
    if allowed(actor, permission, subject):
        return found
    if allowed(actor, Permission.VIEW_PRACTICE, subject):
        raise NotAllowed("You may see this practice, but not do this for it.")
    raise NotFound("There is no such practice.")


def team_of(session: Session, actor: Actor, practice_id: int) -> frozenset[int]:
    """Return the actor alone when the actor is at work on a case of the practice today, else nobody."""
    if actor.user_id is None or reach(actor, Permission.VIEW_PRACTICE).team_member_id is None:
        return frozenset()
    on_it = session.scalar(_team_practices(actor.user_id).where(_case.c.practice_id == practice_id).limit(1))
    return frozenset({actor.user_id}) if on_it is not None else frozenset()


def find_practice(session: Session, practice_id: int) -> Practice | None:
    """Return the practice, or None; for rooms that have asked for access themselves."""
    return session.get(Practice, practice_id)


def list_practices(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    permission: Permission = Permission.VIEW_PRACTICE,
    after: tuple[Any, ...] | None = None,
    back: bool = False,
    limit: int = 20,
) -> list[PracticeLine]:
    """Return practices by name beyond the key (name_key, id), with the number of open sites; `text` begins the name."""
    order = (Practice.name_key, Practice.id)
    query = (
        select(Practice)
        .where(_within(reach(actor, permission)))
        .order_by(*[c.desc() if back else c.asc() for c in order])
        .limit(limit)
    )
    if text:
        query = query.where(named(text))
    if after is not None:
        bound, row = sa.tuple_(*[sa.literal(k) for k in after]), sa.tuple_(*order)
        query = query.where(row < bound if back else row > bound)
    practices = session.scalars(query).all()
    counted = (
        select(Site.practice_id, sa.func.count().label("sites"))
        .where(Site.practice_id.in_([p.id for p in practices]), Site.closed_on.is_(None))
        .group_by(Site.practice_id)
    )
    sites = {row.practice_id: row.sites for row in session.execute(counted)}
    return [
        PracticeLine(p.id, p.legal_name, p.name_key, p.city, p.state, p.setting, sites.get(p.id, 0)) for p in practices
    ]


def list_practices_to_apply(session: Session, actor: Actor, q: str = "") -> list[PracticeChoice]:
    """Return up to 50 practices for which the actor may begin a case, by name."""
    lines = list_practices(session, actor, text=q, permission=Permission.START_CASE, limit=50)
    return [PracticeChoice(p.id, f"{p.legal_name}, {p.city}" if p.city else p.legal_name) for p in lines]


def names_of_practices(session: Session, practice_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of several practices at once."""
    ids = {p for p in practice_ids if p is not None}
    if not ids:
        return {}
    rows = session.execute(select(Practice.id, Practice.legal_name).where(Practice.id.in_(ids)))
    return {row.id: row.legal_name for row in rows}


def list_sites(session: Session, practice_id: int, *, closed: bool = True) -> Sequence[Site]:
    """Return a practice's sites in the order they were added; `closed=False` leaves closed ones out."""
    query = select(Site).where(Site.practice_id == practice_id).order_by(Site.id)
    return session.scalars(query if closed else query.where(Site.closed_on.is_(None))).all()


def sites_of(session: Session, practice_ids: Iterable[int]) -> dict[int, list[Site]]:
    """Return the sites of several practices at once, closed ones too."""
    found: dict[int, list[Site]] = {}
    for site in session.scalars(
        select(Site).where(Site.practice_id.in_(list(practice_ids))).order_by(Site.practice_id, Site.id)
    ):
        found.setdefault(site.practice_id, []).append(site)
    return found


def site_for(session: Session, practice_id: int, site_id: int) -> Site:
    """Return a site of this practice; raises NotFound."""
    found = session.scalars(select(Site).where(Site.id == site_id, Site.practice_id == practice_id)).one_or_none()
    if found is None:
        raise NotFound("This practice has no such site.")
    return found


def list_providers(session: Session, practice_id: int, *, left: bool = False) -> Sequence[Provider]:
    """Return a practice's providers by name; `left=True` also those who no longer work there."""
    query = select(Provider).where(Provider.practice_id == practice_id).order_by(Provider.name, Provider.id)
    return session.scalars(query if left else query.where(Provider.active)).all()


def provider_for(session: Session, practice_id: int, provider_id: int) -> Provider:
    """Return a provider of this practice; raises NotFound."""
    found = session.scalars(
        select(Provider).where(Provider.id == provider_id, Provider.practice_id == practice_id)
    ).one_or_none()
    if found is None:
        raise NotFound("This practice has no such provider.")
    return found


# Who is on a case is kept above this room; access only needs these four columns of it.
_case = sa.table("case", sa.column("id"), sa.column("practice_id"))
_member = sa.table(
    "case_member", sa.column("case_id"), sa.column("person_id"), sa.column("role"), sa.column("until_at", UtcDateTime())
)


def _team_practices(person_id: int) -> sa.Select[Any]:
    """Practices of cases the person is on; a proposed surveyor is not on one yet, and an ended membership is over."""
    return (
        select(_case.c.practice_id)
        .join(_member, _member.c.case_id == _case.c.id)
        .where(
            _member.c.person_id == person_id,
            _member.c.role == "surveyor",
            sa.or_(_member.c.until_at.is_(None), _member.c.until_at > now()),
        )
    )


def _within(bounds: Reach) -> Any:
    if bounds.everything:
        return sa.true()
    parts = []
    if bounds.practice_ids:
        parts.append(Practice.id.in_(bounds.practice_ids))
    if bounds.team_member_id is not None:
        parts.append(Practice.id.in_(_team_practices(bounds.team_member_id)))
    return sa.or_(*parts) if parts else sa.false()
