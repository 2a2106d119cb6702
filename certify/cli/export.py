"""`certify export`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from certify.cli.edges import json_option, open_session, print_json, row_number


@click.command("export")
@click.option("--practice", "practice_id", type=row_number, required=True, help="Its id, see `certify practice list`.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The .zip to write.")
@json_option
def command(practice_id: int, output: Path, as_json: bool) -> None:
    """Write everything the practice owns into one ZIP: JSON, CSV, files, events."""
    from certify.outlets.belongings.queries import pack_practice

    partial = output.with_name(f".{output.name}.partial")
    try:
        with open_session() as session, partial.open("wb") as target:
            counts = pack_practice(session, practice_id, target)
        os.replace(partial, output)
    except OSError as problem:
        raise click.ClickException(f"{output} cannot be written: {problem.strerror}.") from problem
    finally:
        partial.unlink(missing_ok=True)
    if as_json:
        print_json({"output": str(output), "rows": counts})
    else:
        click.echo(f"{sum(counts.values())} rows and {counts['evidence_version']} files are in {output}.")
