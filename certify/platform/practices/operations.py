"""Writing practices, sites and providers; each change leaves before and after in the practice's chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import Actor, Role
from certify.core.foundation.days import local_date, written, zone
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed, NotOpen, Stale
from certify.core.foundation.words import name_key
from certify.platform.audit.operations import record
from certify.platform.audit.queries import list_events
from certify.platform.practices.models import Practice, Provider, Site
from certify.platform.practices.queries import list_sites, practice_for, provider_for, site_for
from certify.platform.practices.rules import practice_problems, provider_problems, site_problems, tidy_tax_id

PRACTICE_FIELDS = (
    "legal_name",
    "tax_ids",
    "setting",
    "ownership",
    "address",
    "city",
    "state",
    "postal_code",
    "phone",
    "time_zone",
)
SITE_FIELDS = (
    "name", "address", "city", "state", "postal_code", "services", "physician_fte", "app_fte", "nurse_fte", "pharmacist_fte",
    "infusion_chairs", "opened_on",
)  # fmt: skip
PROVIDER_FIELDS = ("site_id", "name", "profession", "credentials", "fte")
SITE_DEFAULTS: dict[str, Any] = {
    "services": [], "physician_fte": Decimal(0), "app_fte": Decimal(0), "nurse_fte": Decimal(0), "pharmacist_fte": Decimal(0),
    "infusion_chairs": 0,
}  # fmt: skip


def create_practice(session: Session, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> Practice:
    """Make a practice from the fields of PRACTICE_FIELDS; raises NotAllowed, Invalid."""
    if not _is_system(actor) and not allowed(actor, Permission.CREATE_PRACTICE):
        raise NotAllowed("Only program staff may add a practice.")
    fields = _tidy_practice({"time_zone": "America/New_York", "setting": "community", **values})
    _refuse(practice_problems(fields))
    practice = Practice(**fields, name_key=name_key(fields["legal_name"]), register_consent=False, created_at=at)
    session.add(practice)
    session.flush()
    _note(
        session,
        practice.id,
        "practice.added",
        f"Added the practice {practice.legal_name}",
        {},
        fields,
        actor=actor,
        at=at,
    )
    return practice


def edit_practice(
    session: Session, practice_id: int, values: Mapping[str, Any], *, version: int, actor: Actor, at: datetime
) -> Practice:
    """Change the fields given; the others stay.

    Raises: NotFound, NotAllowed; Stale with who changed what meanwhile; Invalid.
    """
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    _same_version(session, practice, practice.version, version)
    before = _fields(practice, PRACTICE_FIELDS)
    fields = _tidy_practice({**before, **{k: v for k, v in values.items() if k in PRACTICE_FIELDS}})
    _refuse(practice_problems(fields))
    _apply(practice, fields)
    practice.name_key = name_key(practice.legal_name)
    session.flush()
    _note(session, practice.id, "practice.edited", "Changed the practice's details", before, fields, actor=actor, at=at)
    return practice


def set_register_consent(session: Session, practice_id: int, consent: bool, *, actor: Actor, at: datetime) -> Practice:
    """Say whether the public register may show the practice; only its own administrator decides (process.md, section 8)."""
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    if not actor.holds(Role.PRACTICE_ADMIN, practice.id):
        raise NotAllowed("Only the practice's own administrator decides about the public register.")
    if practice.register_consent != consent:
        practice.register_consent = consent
        session.flush()
        words = "Agreed to be shown in the public register" if consent else "Withdrew from the public register"
        record(
            session,
            f"practice:{practice.id}",
            "practice.register",
            words,
            actor=actor,
            at=at,
            subject=f"/practices/{practice.id}",
        )
    return practice


def add_site(session: Session, practice_id: int, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> Site:
    """Add a site; raises NotFound, NotAllowed, Invalid."""
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    fields = {k: v for k, v in {**SITE_DEFAULTS, **values}.items() if k in SITE_FIELDS}
    _refuse(site_problems(fields) + _twin(session, practice.id, fields.get("name"), None))
    site = Site(practice_id=practice.id, **fields)
    session.add(site)
    session.flush()
    _note(session, practice.id, "site.added", f"Added the site {site.name}", {}, fields, actor=actor, at=at)
    return site


def edit_site(
    session: Session,
    practice_id: int,
    site_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    actor: Actor,
    at: datetime,
) -> Site:
    """Change a site; raises NotFound, NotAllowed, Stale, NotOpen (closed site), Invalid."""
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    site = site_for(session, practice_id, site_id)
    _same_version(session, practice, site.version, version)
    if site.closed_on is not None:
        raise NotOpen("This site is closed. Open it again to change it.")
    before = _fields(site, SITE_FIELDS)
    fields = {**before, **{k: v for k, v in values.items() if k in SITE_FIELDS}}
    _refuse(site_problems(fields) + _twin(session, practice_id, fields.get("name"), site.id))
    _apply(site, fields)
    session.flush()
    _note(
        session,
        practice_id,
        "site.edited",
        f"Changed the site {site.name}",
        before,
        fields,
        actor=actor,
        at=at,
        place=f"/sites/{site.id}",
    )
    return site


def close_site(
    session: Session, practice_id: int, site_id: int, *, on: date, version: int, actor: Actor, at: datetime
) -> Site:
    """Close a site; it stays in every case, survey and certificate it was part of.

    `on` is a day of the practice's own calendar. Raises also NotOpen for the last one.
    """
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    site = site_for(session, practice_id, site_id)
    _same_version(session, practice, site.version, version)
    if site.closed_on is not None:
        raise NotOpen("This site is closed already.")
    if len(list_sites(session, practice_id, closed=False)) == 1:
        raise NotOpen("This is the practice's only open site. Add the new one before you close it.")
    if on > local_date(at, practice.time_zone) or (site.opened_on is not None and on < site.opened_on):
        raise Invalid("The day must not lie ahead, nor before the site was opened.", "closed_on")
    site.closed_on = on
    session.flush()
    data = {"site_id": site.id, "closed_on": on.isoformat()}
    record(
        session, f"practice:{practice_id}", "site.closed", f"Closed the site {site.name}", actor=actor, at=at, data=data,
        subject=f"/practices/{practice_id}/sites/{site.id}",
    )  # fmt: skip
    return site


def reopen_site(session: Session, practice_id: int, site_id: int, *, version: int, actor: Actor, at: datetime) -> Site:
    """Open a closed site again; raises NotFound, NotAllowed, Stale, NotOpen, and Invalid when its name is taken by now."""
    practice = practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    site = site_for(session, practice_id, site_id)
    _same_version(session, practice, site.version, version)
    if site.closed_on is None:
        raise NotOpen("This site is open.")
    if _twin(session, practice_id, site.name, site.id):
        raise Invalid(f"Another open site is named {site.name} by now. Give that one another name first.", "name")
    site.closed_on = None
    session.flush()
    record(
        session, f"practice:{practice_id}", "site.reopened", f"Opened the site {site.name} again", actor=actor, at=at,
        subject=f"/practices/{practice_id}/sites/{site.id}",
    )  # fmt: skip
    return site


def add_provider(
    session: Session, practice_id: int, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Provider:
    """Add a clinician at one of the practice's open sites; raises NotFound, NotAllowed, Invalid."""
    practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    fields = {k: v for k, v in values.items() if k in PROVIDER_FIELDS}
    open_sites = {s.id for s in list_sites(session, practice_id, closed=False)}
    wrong_site = (
        []
        if fields.get("site_id") in open_sites
        else [FieldError("site_id", "Choose one of the practice's open sites.")]
    )
    _refuse(wrong_site + provider_problems(fields))
    provider = Provider(practice_id=practice_id, active=True, **fields)
    session.add(provider)
    session.flush()
    _note(
        session,
        practice_id,
        "provider.added",
        f"Added {provider.name}",
        {},
        fields,
        actor=actor,
        at=at,
        place="#providers",
    )
    return provider


def remove_provider(session: Session, practice_id: int, provider_id: int, *, actor: Actor, at: datetime) -> Provider:
    """Note that a clinician no longer works at the practice; raises NotFound, NotAllowed, NotOpen."""
    practice_for(session, actor, practice_id, Permission.EDIT_PRACTICE, lock=True)
    provider = provider_for(session, practice_id, provider_id)
    if not provider.active:
        raise NotOpen("This provider has left already.")
    provider.active = False
    session.flush()
    record(
        session, f"practice:{practice_id}", "provider.left", f"{provider.name} no longer works here", actor=actor, at=at,
        subject=f"/practices/{practice_id}#providers", data={"provider_id": provider.id},
    )  # fmt: skip
    return provider


def touch_practice(session: Session, practice_id: int) -> None:
    """Count the practice's version up, for a change that belongs to it but lies in another table."""
    session.execute(update(Practice).where(Practice.id == practice_id).values(version=Practice.version + 1))


def _same_version(session: Session, practice: Practice, present: int, seen: int) -> None:
    """Refuse what was written on an older state, and say who changed what since."""
    if present == seen:
        return
    last = next(iter(list_events(session, f"practice:{practice.id}", limit=1)), None)
    if last is None:
        raise Stale("This has changed since you opened it.")
    what = ", ".join(sorted(k.replace("_", " ") for k in last.data.get("after", {}))) if last.data else ""
    at = last.at.astimezone(zone(practice.time_zone))
    raise Stale(
        f"{last.actor_name} changed this on {written(at)} at {at:%H:%M} ({at.tzname()}; {last.summary}{': ' + what if what else ''}). "
        "Your change was not saved."
    )


def _note(
    session: Session,
    practice_id: int,
    kind: str,
    summary: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    place: str = "",
) -> None:
    """Record what differs; a save that changes nothing leaves no line."""
    changed = [k for k in after if k not in before or before[k] != after[k]]
    if before and not changed:
        return
    data = {
        "before": {k: _plain(before[k]) for k in changed if k in before},
        "after": {k: _plain(after[k]) for k in changed},
    }
    record(
        session,
        f"practice:{practice_id}",
        kind,
        summary,
        actor=actor,
        at=at,
        data=data,
        subject=f"/practices/{practice_id}{place}",
    )


def _tidy_practice(values: Mapping[str, Any]) -> dict[str, Any]:
    fields = {k: values.get(k, [] if k == "tax_ids" else "") for k in PRACTICE_FIELDS}
    fields["tax_ids"] = [tidy_tax_id(t) for t in fields["tax_ids"] if t.strip()]
    fields["legal_name"] = " ".join(str(fields["legal_name"]).split())
    fields["state"] = str(fields["state"]).upper()
    return fields


def _twin(session: Session, practice_id: int, name: object, own_id: int | None) -> list[FieldError]:
    query = select(Site.id).where(
        Site.practice_id == practice_id, func.lower(Site.name) == str(name or "").lower(), Site.closed_on.is_(None)
    )
    twin = session.scalar(query if own_id is None else query.where(Site.id != own_id))
    return [] if twin is None else [FieldError("name", "Another open site of the practice has this name.")]


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _apply(row: Any, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value


def _is_system(actor: Actor) -> bool:
    return actor.user_id is None and Role.SYSTEM in actor.roles


def _refuse(problems: list[FieldError]) -> None:
    if problems:
        raise Invalid(problems)
