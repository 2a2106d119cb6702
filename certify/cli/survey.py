"""`certify survey`: the checklist of a survey, and what a device would send."""

from __future__ import annotations

import json
from pathlib import Path

import click

from certify.cli.edges import json_option, open_session, print_json, print_table, row_number

as_option = click.option("--as", "email", required=True, metavar="EMAIL", help="Who does it: a person with an account.")


@click.group("survey")
def command() -> None:
    """Surveys and their checklists."""


@command.command("show")
@click.argument("survey_id", type=row_number)
@as_option
@json_option
def show(survey_id: int, email: str, as_json: bool) -> None:
    """Show the checklist of a survey: sites, domains, current answers."""
    from certify.certification.surveys.queries import checklist
    from certify.core.foundation.clock import now
    from certify.platform.identity.queries import actor_of

    with open_session() as session:
        body = checklist(session, survey_id, actor_of(session, email), now())
    if as_json:
        print_json(body)
        return
    rated = [a for a in body["answers"] if a["field"] == "rating" and a["value"]]
    print_table(
        ("Site", "Visited", "Answered", "Not met"),
        [
            (
                site["name"],
                "yes" if site["visited"] else "no",
                sum(1 for a in rated if a["site"] == site["id"]),
                sum(1 for a in rated if a["site"] == site["id"] and a["value"] == "no"),
            )
            for site in body["sites"]
        ],
    )


@command.command("sync")
@click.argument("survey_id", type=row_number)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_option
@json_option
def sync_(survey_id: int, file: Path, email: str, as_json: bool) -> None:
    """Send a sync request from a JSON file; exit 1 when an op is rejected."""
    from certify.certification.surveys.sync import sync
    from certify.core.foundation.clock import now
    from certify.platform.identity.queries import actor_of

    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise click.ClickException(f"{file} is not JSON: {wrong}.") from wrong
    with open_session(commit=True) as session:
        answer = sync(session, survey_id, body, actor=actor_of(session, email), at=now())
    rejected = [ack for ack in answer["acks"] if ack["status"] == "rejected"]
    if as_json:
        print_json(answer)
    else:
        counts: dict[str, int] = {}
        for ack in answer["acks"]:
            counts[ack["status"]] = counts.get(ack["status"], 0) + 1
        click.echo(
            f"seq {answer['seq']}: "
            + (", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "nothing sent")
        )
        for ack in rejected:
            click.echo(f"{ack['op']}: {ack['reason']}", err=True)
    if rejected:
        raise click.exceptions.Exit(1)
