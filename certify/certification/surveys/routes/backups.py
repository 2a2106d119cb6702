"""Taking in the backup file of a tablet: what it holds first, then, once agreed, each entry with what became of it."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, header_for, zone_of
from certify.certification.surveys.backup import LARGEST, Backup, Entry, keep_backup, take_in_backup
from certify.certification.surveys.queries import sites_of, survey_for
from certify.certification.surveys.routes.blueprint import bp
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.limits import takes_up_to


@bp.get("/surveys/<int(max=2147483647):survey_id>/backup")
@requires(Permission.TAKE_BACKUP)
def backup(survey_id: int) -> ResponseReturnValue:
    """Where a tablet's backup file is chosen."""
    return _page(survey_id)


@bp.post("/surveys/<int(max=2147483647):survey_id>/backup")
@takes_up_to(LARGEST)
@requires(Permission.TAKE_BACKUP)
@commits
def look_at_backup(survey_id: int) -> ResponseReturnValue:
    """Say what a backup file holds; nothing of it is taken in yet."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        survey_for(db.session, current_actor(), survey_id, Permission.TAKE_BACKUP)
        raise Invalid("Choose the backup file.", "file")
    return _page(survey_id, keep_backup(db.session, survey_id, sent.read(), actor=current_actor()))


@bp.post("/surveys/<int(max=2147483647):survey_id>/backup/take")
@requires(Permission.TAKE_BACKUP)
@commits
def take_backup(survey_id: int) -> ResponseReturnValue:
    """Take the file in; doing it again changes nothing."""
    sha256 = request.form.get("file", "")
    taken, entries = take_in_backup(db.session, survey_id, sha256, actor=current_actor(), at=now())
    return _page(survey_id, taken, entries)


def _page(survey_id: int, found: Backup | None = None, entries: list[Entry] | None = None) -> str:
    actor = current_actor()
    opened = survey_for(db.session, actor, survey_id, Permission.TAKE_BACKUP)
    return render_template(
        "certification/surveys/backup.html", header=header_for(db.session, opened.case, actor, now(), tab="survey"), survey=opened.survey,
        found=found, entries=entries, trusted=actor_may(db.session, opened.case, actor, Permission.PLAN_SURVEY), sites={s.site_id: s.name for s in sites_of(db.session, survey_id)}, zone=zone_of(db.session, opened.case),
    )  # fmt: skip
