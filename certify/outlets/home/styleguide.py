"""The style guide: every macro in every state on one page, in development only."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from certify.outlets.home import samples
from certify.outlets.home.practice import months_ahead
from certify.platform.web.edges import public

bp = Blueprint("styleguide", __name__)

MARKS = (
    "mark",
    "check",
    "cross",
    "alert",
    "info",
    "clock",
    "calendar",
    "eye",
    "lock",
    "file",
    "image",
    "camera",
    "download",
    "upload",
)
MORE_MARKS = (
    "message",
    "mail",
    "person",
    "building",
    "search",
    "filter",
    "left",
    "right",
    "down",
    "plus",
    "edit",
    "print",
    "link",
)
COLOURS = (
    ("ink", "Words"),
    ("muted", "Quieter words"),
    ("line", "Lines"),
    ("wash", "Behind cards"),
    ("accent", "The one accent"),
    ("accent-soft", "Chosen"),
    ("due", "Due soon"),
    ("late", "Late, not met"),
    ("met", "Met"),
)


@bp.get("/styleguide")
@public
def show() -> ResponseReturnValue:
    """Show all pieces with made-up data."""
    return render_template(
        "outlets/home/styleguide.html",
        headers=samples.headers(),
        openings=samples.openings(),
        missing=samples.MISSING,
        missing_groups=samples.MISSING_GROUPS,
        events=samples.events(),
        domains=samples.domains(),
        dates=samples.DATES,
        months=months_ahead(samples.TODAY),
        errors=samples.field_errors(),
        marks=MARKS + MORE_MARKS,
        colours=COLOURS,
        step_titles=samples.STEP_TITLES,
    )
