"""`certify backup DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from certify.cli.edges import json_option, open_app, print_json


@click.command("backup")
@click.argument("directory", type=click.Path(path_type=Path))
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Copy database, files, Word templates and settings into a new folder, with checksums, while the program runs.

    Settings that hold passwords, and the secret key, stay out of it.
    """
    from certify.core.foundation.clock import now
    from certify.db import db
    from certify.platform.storage.backup import back_up
    from certify.schema import head_revision

    with open_app() as app:
        manifest = back_up(
            db.engine,
            app.config["SETTINGS"].instance,
            directory.absolute(),
            schema=head_revision(),
            at=now(),
            progress=lambda line: click.echo(line, err=True) if not as_json else None,
        )
    files = sum(name.startswith("files/") for name in manifest["sha256"])
    own = sum(name.startswith("instance/") for name in manifest["sha256"])
    rows = sum(manifest["rows"].values())
    if as_json:
        print_json(
            {"directory": str(directory), "rows": rows, "files": files, "own": own, "schema": manifest["schema"]}
        )
    else:
        click.echo(
            f"{rows} rows, {files} files and {own} templates and settings are in {directory}. "
            "The secret key and passwords are not: keep those too, in another place."
        )
