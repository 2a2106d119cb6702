"""`certify audit verify`: recompute the chain of events."""

from __future__ import annotations

import click

from certify.cli.edges import json_option, open_session, print_json


@click.group("audit")
def command() -> None:
    """The chain of events."""


@command.command("verify")
@click.option("--case", "ref", help="Only this case, for example LO-2026-014.")
@json_option
def verify(ref: str | None, as_json: bool) -> None:
    """Recompute every event's hash; exit 1 and name the first broken event when one was changed."""
    from certify.platform.audit.queries import verify_chain

    with open_session() as session:
        verdict = verify_chain(session, f"case:{ref}" if ref is not None else None)
    if ref is not None and not verdict.streams:
        raise click.ClickException(f"There is no case {ref}.")
    if as_json:
        print_json(
            {
                "sound": verdict.sound,
                "events": verdict.events,
                "streams": verdict.streams,
                "broken": None
                if verdict.sound
                else {"stream": verdict.broken_stream, "seq": verdict.broken_seq, "why": verdict.why},
            }
        )
    elif verdict.sound:
        click.echo(f"{verdict.events} events in {verdict.streams} chains: every hash fits.")
    if not verdict.sound:
        click.echo(f"{verdict.broken_stream}, event {verdict.broken_seq}: {verdict.why}", err=True)
        raise click.exceptions.Exit(1)
