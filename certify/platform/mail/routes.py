"""The staff page of queued, sent and failed mail."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission, allowed
from certify.core.foundation.clock import now
from certify.db import db
from certify.platform.mail.operations import send_again, try_now
from certify.platform.mail.queries import GROUPS, count_by_group, list_mail, mail_for
from certify.platform.mail.rules import SECRET, goes_again
from certify.platform.mail.transport import smtp_url
from certify.platform.mail.writing import write_text
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import PAGE, Key, linked, page_of

bp = Blueprint("mail", __name__)

# More are shown as “1,000+”.
MOST_COUNTED = 1000
GROUP_TITLES = {"queued": "Waiting", "unclear": "Unclear", "sent": "Sent", "failed": "Failed"}


@bp.get("/mail")
@requires(Permission.VIEW_MAIL)
def index() -> ResponseReturnValue:
    """All mail, newest first, filtered by what became of it."""
    group = request.args.get("state", "")
    group = group if group in GROUPS else ""
    text = request.args.get("q", "").strip()[:254]

    def fetch(key: Key | None, back: bool, limit: int) -> list[object]:
        bound = cast(int, key[0]) if key else None
        return list(
            list_mail(
                db.session(),
                group=group,
                text=text,
                before=None if back else bound,
                after=bound if back else None,
                limit=limit,
            )
        )

    page = page_of(fetch, lambda mail: (mail.id,), cursor=request.args.get("cursor"), shape=(int,), limit=PAGE)  # type: ignore[attr-defined]
    return render_template(
        "platform/mail/index.html",
        page=linked(page, "/mail", {"state": group, "q": text}),
        counts=count_by_group(db.session(), most=MOST_COUNTED + 1),
        most_counted=MOST_COUNTED,
        titles=GROUP_TITLES,
        group=group,
        q=text,
        server=smtp_url() is not None,
        may_send=allowed(current_actor(), Permission.RESEND_MAIL),
    )


@bp.get("/mail/<int:mail_id>")
@requires(Permission.VIEW_MAIL)
def show(mail_id: int) -> ResponseReturnValue:
    """One mail as it was, or will be, written."""
    mail = mail_for(db.session(), mail_id)
    secret = mail.kind in SECRET
    return render_template(
        "platform/mail/show.html",
        mail=mail,
        text=None if secret else (mail.text or write_text(mail)),
        titles=GROUP_TITLES,
        may_send=allowed(current_actor(), Permission.RESEND_MAIL),
        goes_again=goes_again(mail.state, mail.lease_until, now()),
    )


@bp.post("/mail/<int:mail_id>/again")
@requires(Permission.RESEND_MAIL)
@commits
def again(mail_id: int) -> ResponseReturnValue:
    """Send a mail that left, failed or hangs once more."""
    mail = send_again(db.session(), mail_id, actor=current_actor(), at=now())
    flash(f"The mail to {mail.to_email} goes out again within seconds.")
    return redirect(f"/mail/{mail_id}")


@bp.post("/mail/<int:mail_id>/now")
@requires(Permission.RESEND_MAIL)
@commits
def hurry(mail_id: int) -> ResponseReturnValue:
    """Try a waiting mail at once."""
    mail = try_now(db.session(), mail_id, actor=current_actor(), at=now())
    flash(f"The mail to {mail.to_email} is tried within seconds.")
    return redirect(f"/mail/{mail_id}")
