"""`certify mail`: the outbox."""

from __future__ import annotations

import click

from certify.cli.edges import json_option, open_session, print_json, print_table


@click.group("mail")
def command() -> None:
    """Mail the program has written."""


@command.command("outbox")
@click.option("--state", type=click.Choice(["queued", "unclear", "sent", "failed"]), help="Only these.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many.")
@json_option
def outbox(state: str | None, limit: int, as_json: bool) -> None:
    """Show queued, sent and failed mail, newest first."""
    from certify.platform.mail.queries import count_by_group, group_of, list_mail

    with open_session() as session:
        counts = count_by_group(session)
        mails = [
            {
                "id": m.id, "state": group_of(m.state), "kind": m.kind, "to": m.to_email, "subject": m.subject, "case": m.case_ref or None,
                "created_at": m.created_at, "due_at": m.due_at, "sent_at": m.sent_at, "attempts": m.attempts, "error": m.last_error or None,
                "message_id": m.message_id or None,
            }
            for m in list_mail(session, group=state or "", limit=limit)
        ]  # fmt: skip
    if as_json:
        print_json({"counts": counts, "items": mails})
        return
    print_table(
        ("id", "state", "to", "subject", "tries", "error"),
        [(m["id"], m["state"], m["to"], m["subject"], m["attempts"] or "", m["error"] or "") for m in mails],
    )
    click.echo(", ".join(f"{number} {group}" for group, number in counts.items()), err=True)
