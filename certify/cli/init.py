"""`certify init`."""

from __future__ import annotations

import click

from certify.cli.edges import json_option, open_unchecked, print_json


@click.command("init")
@json_option
def command(as_json: bool) -> None:
    """Create the database or upgrade it to this version, and check the catalogues in workflows/. Safe to repeat."""
    from certify.schema import upgrade

    with open_unchecked():
        before, after = upgrade()
    if as_json:
        print_json({"before": before, "after": after, "changed": before != after})
    elif before == after:
        click.echo(f"The database is at the newest schema ({after}).")
    else:
        click.echo(f"The database is ready (schema {after}).")
