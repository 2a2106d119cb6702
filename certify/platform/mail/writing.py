"""From a template and its facts to text and HTML, and from those to a message."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jinja2

from certify import resources
from certify.core.foundation.ids import digest
from certify.platform.mail.addresses import base_url, configured_base
from certify.platform.mail.models import Outbox
from certify.platform.mail.rules import plain_line


@cache
def _environment(html: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.TEMPLATES / "mail"),
        autoescape=html,  # noqa: S701 - plain text must stay as it is written
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write(mail: Outbox) -> tuple[str, str]:
    """Return text and HTML of a mail: as it was sent, or as it would be sent now."""
    if mail.text is not None and mail.html is not None:
        return mail.text, mail.html
    return write_text(mail), write_html(mail)


def write_text(mail: Outbox) -> str:
    """Return the plain text, written from the template."""
    text = _environment(False).get_template(f"{mail.template}.txt").render(_facts(mail))
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept) + "\n"


def write_html(mail: Outbox) -> str:
    """Return the HTML with its styles inside the tags, as mail readers need it."""
    import css_inline

    html = _environment(True).get_template(f"{mail.template}.html").render(_facts(mail))
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True).inline(html)


def message_id(mail: Outbox, domain: str) -> str:
    """Return an id that is the same for each try of the same sending, so that receivers can drop repeats."""
    return f"<{digest(f'{mail.dedupe_key}#{mail.again}')[:32]}@{domain}>"


def compose(mail: Outbox, *, sender: str, at: datetime) -> EmailMessage:
    """Return the message; raises ValueError when an address or header cannot be written safely."""
    domain = sender.rpartition("@")[2]
    message = EmailMessage()
    message["From"] = Address("certify", addr_spec=sender)
    message["To"] = Address(plain_line(mail.to_name), addr_spec=mail.to_email)
    message["Subject"] = plain_line(mail.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(mail, domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if mail.case_ref:
        # Readers keep the mails of one case together.
        message["References"] = f"<case.{mail.case_ref}@{domain}>"
    text, html = write(mail)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def sender_of(smtp_url: str) -> str:
    """Return the address mail comes from: the account of the mail server, else certify@ our own host."""
    user = urlsplit(smtp_url).username or ""
    name = user.replace("%40", "@")
    if "@" in name:
        return name
    host = urlsplit(base_url()).hostname or "localhost"
    return f"certify@{'localhost.localdomain' if host in ('localhost', '127.0.0.1', '::1') else host}"


def _facts(mail: Outbox) -> dict[str, Any]:
    """What a template may use; `action_path` becomes a full address."""
    given = {
        "lines": [],
        "facts": [],
        "items": [],
        "action_label": "",
        "action_path": "",
        "headline": mail.subject,
        **mail.context,
    }
    base = configured_base() or given.get("base") or base_url()
    link = {
        "link": base + given["action_path"] if given["action_path"] else "",
        "link_label": given["action_label"] or "Open it",
    }
    return {
        **given,
        **link,
        "base": base,
        "subject": mail.subject,
        "why": mail.why,
        "case_ref": mail.case_ref,
        "to_name": mail.to_name,
    }
