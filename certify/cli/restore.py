"""`certify restore DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from certify.cli.edges import json_option, open_unchecked, print_json


@click.command("restore")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Fill an empty database and the instance folder from a backup; refuses a damaged one, and replaces no file."""
    from certify.db import db
    from certify.platform.audit.queries import verify_chain
    from certify.platform.storage.backup import BackupRefused
    from certify.platform.storage.instance import give_back
    from certify.platform.storage.restore import checked_manifest, holds_rows, restore
    from certify.schema import head_revision, upgrade

    manifest = checked_manifest(directory)
    if manifest["schema"] != head_revision():
        raise BackupRefused(
            f"The backup has schema {manifest['schema']}, this version has {head_revision()}: restore it with the version "
            "that made it, then upgrade with `certify init`."
        )
    with open_unchecked() as app:
        upgrade()
        session = db.session()
        if holds_rows(session):
            raise BackupRefused(
                "The database is not empty: restore into a new instance (CERTIFY_INSTANCE, CERTIFY_DATABASE_URL)."
            )
        restore(session, directory, manifest, progress=lambda line: click.echo(line, err=True) if not as_json else None)
        verdict = verify_chain(session)
        if not verdict.sound:
            raise BackupRefused(
                f"The backup's chain of events is broken at {verdict.broken_stream}, event {verdict.broken_seq}."
            )
        session.commit()
        back, kept = give_back(directory, manifest["sha256"], app.config["SETTINGS"].instance)
    rows = sum(manifest["rows"].values())
    if as_json:
        print_json({"rows": rows, "events": verdict.events, "made_at": manifest["made_at"], "back": back, "kept": kept})
    else:
        click.echo(f"{rows} rows are restored; the chain of {verdict.events} events is sound.")
        for name in back:
            click.echo(f"{name} is back in the instance folder.")
        for name in kept:
            click.echo(f"{name} was there already and stays as it is; the backup's is {directory / 'instance' / name}.")
        click.echo("Settings that hold passwords, and the secret key, are in no backup: set them now.")
