"""Pages of practices: list, one practice, its details, sites and providers."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission, Subject, allowed
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.practices.forms import (
    CloseSiteForm,
    ConsentForm,
    NewPracticeForm,
    NewSiteForm,
    PracticeForm,
    ProviderForm,
    SiteForm,
)
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.operations import (
    add_provider,
    add_site,
    close_site,
    create_practice,
    edit_practice,
    edit_site,
    remove_provider,
    reopen_site,
    set_register_consent,
)
from certify.platform.practices.queries import (
    PracticeLine,
    list_practices,
    list_providers,
    list_sites,
    practice_for,
    site_for,
)
from certify.platform.practices.rules import PROFESSIONS, SERVICES, SETTINGS, STATES, TIME_ZONES
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.forms import options, posted_version
from certify.platform.web.paging import PAGE, Key, linked, page_of

bp = Blueprint("practices", __name__)


@bp.get("/practices")
@requires(Permission.VIEW_PRACTICE)
def index() -> ResponseReturnValue:
    """Practices within reach, by name."""
    text = request.args.get("q", "").strip()[:100]
    actor = current_actor()

    def fetch(key: Key | None, back: bool, limit: int) -> list[PracticeLine]:
        return list_practices(db.session(), actor, text=text, after=key, back=back, limit=limit)

    page = page_of(
        fetch, lambda line: (line.name_key, line.id), cursor=request.args.get("cursor"), shape=(str, int), limit=PAGE
    )
    return render_template(
        "platform/practices/index.html", page=linked(page, "/practices", {"q": text}), q=text, settings=SETTINGS,
        may_add=allowed(actor, Permission.CREATE_PRACTICE),
    )  # fmt: skip


@bp.get("/practices/new")
@requires(Permission.CREATE_PRACTICE)
def new() -> ResponseReturnValue:
    """The form of a new practice."""
    return render_template("platform/practices/new.html", form=NewPracticeForm(formdata=None))


@bp.post("/practices/new")
@requires(Permission.CREATE_PRACTICE)
@commits
def create() -> ResponseReturnValue:
    """Add a practice."""
    form = NewPracticeForm()
    try:
        if form.validate():
            practice = create_practice(db.session(), form.values(), actor=current_actor(), at=now())
            flash(
                f"{practice.legal_name} is added. Next: add its sites, then have an administrator of accounts invite the practice’s own administrator."
            )
            return redirect(f"/practices/{practice.id}")
    except Invalid as wrong:
        form.refuse(wrong)
    return render_template("platform/practices/new.html", form=form), 422


@bp.get("/practices/<int:practice_id>")
@requires(Permission.VIEW_PRACTICE)
def show(practice_id: int) -> ResponseReturnValue:
    """One practice."""
    return _show(practice_for(db.session(), current_actor(), practice_id), ProviderForm(formdata=None))


@bp.get("/practices/<int:practice_id>/edit")
@requires(Permission.EDIT_PRACTICE)
def edit(practice_id: int) -> ResponseReturnValue:
    """The form of its details."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    form = PracticeForm(formdata=None, obj=practice)
    form.tax_ids.data = ", ".join(practice.tax_ids)
    _keep_zone(form, practice)
    return render_template("platform/practices/edit.html", practice=practice, form=form)


@bp.post("/practices/<int:practice_id>/edit")
@requires(Permission.EDIT_PRACTICE)
@commits
def save(practice_id: int) -> ResponseReturnValue:
    """Change its details."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    form = PracticeForm()
    _keep_zone(form, practice)
    try:
        if form.validate():
            edit_practice(
                db.session(), practice_id, form.values(), version=form.version.number, actor=current_actor(), at=now()
            )
            flash("The practice's details are saved.")
            return redirect(f"/practices/{practice_id}")
    except Invalid as wrong:
        form.refuse(wrong)
    return render_template("platform/practices/edit.html", practice=practice, form=form), 422


@bp.post("/practices/<int:practice_id>/register")
@requires(Permission.EDIT_PRACTICE)
@commits
def consent(practice_id: int) -> ResponseReturnValue:
    """Agree to the public register, or withdraw."""
    agreed = bool(ConsentForm().consent.data)
    set_register_consent(db.session(), practice_id, agreed, actor=current_actor(), at=now())
    flash(
        "The public register shows your certification."
        if agreed
        else "The public register no longer shows your practice."
    )
    return redirect(f"/practices/{practice_id}#register")


@bp.get("/practices/<int:practice_id>/sites/new")
@requires(Permission.EDIT_PRACTICE)
def new_site(practice_id: int) -> ResponseReturnValue:
    """The form of a new site."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    return _site_page(practice, None, NewSiteForm(formdata=None))


@bp.post("/practices/<int:practice_id>/sites/new")
@requires(Permission.EDIT_PRACTICE)
@commits
def create_site(practice_id: int) -> ResponseReturnValue:
    """Add a site."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    form = NewSiteForm()
    try:
        if form.validate():
            site = add_site(db.session(), practice_id, form.values(), actor=current_actor(), at=now())
            flash(f"The site {site.name} is added.")
            return redirect(f"/practices/{practice_id}#sites")
    except Invalid as wrong:
        form.refuse(wrong)
    return _site_page(practice, None, form), 422


@bp.get("/practices/<int:practice_id>/sites/<int:site_id>")
@requires(Permission.VIEW_PRACTICE)
def site(practice_id: int, site_id: int) -> ResponseReturnValue:
    """One site: to read, or for those who may, to change."""
    practice = practice_for(db.session(), current_actor(), practice_id)
    found = site_for(db.session(), practice_id, site_id)
    return _site_page(practice, found, SiteForm(formdata=None, obj=found))


@bp.post("/practices/<int:practice_id>/sites/<int:site_id>")
@requires(Permission.EDIT_PRACTICE)
@commits
def save_site(practice_id: int, site_id: int) -> ResponseReturnValue:
    """Change a site."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    found = site_for(db.session(), practice_id, site_id)
    form = SiteForm()
    try:
        if form.validate():
            edit_site(
                db.session(),
                practice_id,
                site_id,
                form.values(),
                version=form.version.number,
                actor=current_actor(),
                at=now(),
            )
            flash(f"The site {form.name.data} is saved.")
            return redirect(f"/practices/{practice_id}#sites")
    except Invalid as wrong:
        form.refuse(wrong)
    return _site_page(practice, found, form), 422


@bp.post("/practices/<int:practice_id>/sites/<int:site_id>/close")
@requires(Permission.EDIT_PRACTICE)
@commits
def shut_site(practice_id: int, site_id: int) -> ResponseReturnValue:
    """Close a site; it stays in the record."""
    form = CloseSiteForm()
    if not form.validate():
        raise Invalid(form.field_errors())
    closed = close_site(
        db.session(),
        practice_id,
        site_id,
        on=form.closed_on.data or date.min,
        version=form.version.number,
        actor=current_actor(),
        at=now(),
    )
    flash(f"The site {closed.name} is closed. It stays in the record of past surveys.")
    return redirect(f"/practices/{practice_id}#sites")


@bp.post("/practices/<int:practice_id>/sites/<int:site_id>/reopen")
@requires(Permission.EDIT_PRACTICE)
@commits
def open_site(practice_id: int, site_id: int) -> ResponseReturnValue:
    """Open a closed site again."""
    opened = reopen_site(db.session(), practice_id, site_id, version=posted_version(), actor=current_actor(), at=now())
    flash(f"The site {opened.name} is open again.")
    return redirect(f"/practices/{practice_id}#sites")


@bp.post("/practices/<int:practice_id>/providers")
@requires(Permission.EDIT_PRACTICE)
@commits
def create_provider(practice_id: int) -> ResponseReturnValue:
    """Add a provider."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.EDIT_PRACTICE)
    form = ProviderForm()
    try:
        if form.validate():
            provider = add_provider(db.session(), practice_id, form.values(), actor=current_actor(), at=now())
            flash(f"{provider.name} is added.")
            return redirect(f"/practices/{practice_id}#providers")
    except Invalid as wrong:
        form.refuse(wrong)
    return _show(practice, form), 422


@bp.post("/practices/<int:practice_id>/providers/<int:provider_id>/remove")
@requires(Permission.EDIT_PRACTICE)
@commits
def drop_provider(practice_id: int, provider_id: int) -> ResponseReturnValue:
    """Note that a provider has left."""
    provider = remove_provider(db.session(), practice_id, provider_id, actor=current_actor(), at=now())
    flash(f"{provider.name} no longer counts among your providers.")
    return redirect(f"/practices/{practice_id}#providers")


def _show(practice: Practice, form: ProviderForm) -> str:
    actor, subject = current_actor(), Subject(practice_id=practice.id)
    sites = list_sites(db.session(), practice.id)
    form.site_id.choices = options((s.id, s.name) for s in sites if s.closed_on is None)
    return render_template(
        "platform/practices/show.html",
        practice=practice,
        sites=sites,
        site_names={s.id: s.name for s in sites},
        providers=list_providers(db.session(), practice.id),
        form=form,
        may_edit=allowed(actor, Permission.EDIT_PRACTICE, subject),
        may_team=allowed(actor, Permission.MANAGE_TEAM, subject),
        may_consent=actor.holds(Role.PRACTICE_ADMIN, practice.id),
        settings=SETTINGS,
        services=SERVICES,
        states=STATES,
        professions=PROFESSIONS,
        zones=TIME_ZONES,
    )


def _site_page(practice: Practice, found: Site | None, form: SiteForm) -> str:
    may_edit = allowed(current_actor(), Permission.EDIT_PRACTICE, Subject(practice_id=practice.id))
    return render_template(
        "platform/practices/site.html", practice=practice, site=found, form=form, services=SERVICES, states=STATES,
        may_edit=may_edit, today=local_date(now(), practice.time_zone), close_form=CloseSiteForm(formdata=None),
    )  # fmt: skip


def _keep_zone(form: PracticeForm, practice: Practice) -> None:
    """A zone that is not in the short list, set by a command or import, must not be lost by saving the form."""
    if practice.time_zone not in TIME_ZONES:
        form.time_zone.choices = options({**TIME_ZONES, practice.time_zone: practice.time_zone})
