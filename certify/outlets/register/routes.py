"""Public pages of the register: search, and the page a certificate's QR code opens."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotFound
from certify.db import db
from certify.outlets.register.queries import count_listed, list_register, number_of, register_entry
from certify.platform.web.edges import public
from certify.platform.web.paging import linked, page_of

bp = Blueprint("register", __name__)


@bp.get("/register")
@public
def index() -> ResponseReturnValue:
    """Certified practices that agreed to be listed; a certificate's number or code leads to its page."""
    query = request.args.get("q", "").strip()[:200]
    found = number_of(db.session, query) if query else None
    if found is not None:
        number, code = found
        return redirect(url_for("register.certificate", number=number, code=code or None))
    at = now()
    page = page_of(
        lambda key, back, limit: list_register(db.session, query, at, key=key, back=back, limit=limit),
        lambda entry: entry.key,
        cursor=request.args.get("cursor"),
        shape=(str, int),
    )
    return render_template(
        "outlets/register/index.html",
        page=linked(page, "/register", {"q": query}),
        query=query,
        listed=count_listed(db.session),
    )


@bp.get("/register/<number>")
@public
def certificate(number: str) -> ResponseReturnValue:
    """Whether a certificate holds today, and how to check it."""
    try:
        entry = register_entry(db.session, number, now(), code=request.args.get("code", ""))
    except NotFound:
        return render_template("outlets/register/unknown.html", number=number[:40]), 404
    return render_template("outlets/register/certificate.html", entry=entry)
