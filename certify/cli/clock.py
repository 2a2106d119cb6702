"""`certify clock run`: what the scheduler would do, once."""

from __future__ import annotations

import click

from certify.cli.edges import json_option, open_app, print_json


@click.group("clock")
def command() -> None:
    """What passes by time alone."""


@command.command("run")
@click.option("--as-of", metavar="INSTANT", help="As if it were this instant, like 2026-03-05T14:00:00Z.")
@json_option
def run(as_of: str | None, as_json: bool) -> None:
    """Do once what the scheduler does: time transitions, reminders, mail; print what was done."""
    from contextlib import nullcontext

    from certify.core.foundation.clock import parse_instant, standing_at
    from certify.core.foundation.errors import NotAllowed
    from certify.scheduler import ProgramClock, run_once

    try:
        at = parse_instant(as_of) if as_of else None
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--as-of") from wrong
    with open_app() as app, standing_at(at) if at else nullcontext():
        if at and app.extensions["certify_settings"].production:
            raise NotAllowed("In production the clock is the machine's: --as-of would end cases before their time.")
        done = run_once(ProgramClock())
    if as_json:
        print_json(done)
        return
    for name, count in done.items():
        click.echo(f"{name}: {count}")
