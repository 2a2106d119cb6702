"""`certify demo load` and `certify demo users`: the demonstration program."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask

from certify.cli.edges import json_option, open_app, open_session, print_json, print_table
from certify.core.foundation.errors import Refusal


class DemoRefused(Refusal):
    """The demo may not be loaded here."""


@click.group("demo")
def command() -> None:
    """The demonstration program."""


@command.command("load")
@click.option("--practices", type=click.IntRange(1, 200_000), default=12, show_default=True, help="How many practices.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same data.")
@json_option
def load(practices: int, seed: int, as_json: bool) -> None:
    """Load practices with a case in every step and a person in every role, into an empty database."""
    from certify.demo.load import load_demo

    with open_app() as app:
        refuse_in_production(app)
        if has_people():
            raise DemoRefused("The database already holds people: the demo is loaded into an empty one only.")
        summary = load_demo(practices=practices, seed=seed, progress=not as_json)
    if as_json:
        print_json(summary)
    else:
        click.echo(", ".join(f"{count} {what}" for what, count in summary.items()))


@command.command("users")
@json_option
def users(as_json: bool) -> None:
    """List the sign-ins of the demo."""
    from certify.demo.load import demo_users

    with open_session() as session:
        found = demo_users(session)
    if as_json:
        # As everywhere else where programs read: a practice is named by its id.
        print_json([{**user, "practice": user["practice_id"], "practice_name": user["practice"]} for user in found])
    else:
        print_users(found)


def prepare_demo(app: Flask) -> list[dict[str, Any]]:
    """Create or upgrade the database, fill an empty one with the demo, and return one sign-in per role."""
    from certify.db import db
    from certify.demo.load import demo_users, load_demo
    from certify.schema import upgrade

    refuse_in_production(app)
    upgrade()
    if not has_people():
        click.echo("Loading the demo program (once)…")
        load_demo(practices=12, seed=1, progress=True)
    found = demo_users(db.session())
    db.session.remove()
    roles: dict[str, dict[str, Any]] = {}
    for user in found:
        roles.setdefault(user["role"], user)
    return list(roles.values())


def has_people() -> bool:
    """Whether anyone has an account yet."""
    from certify.db import db
    from certify.platform.identity.queries import has_people as anyone

    found = anyone(db.session())
    db.session.remove()
    return found


def print_users(found: list[dict[str, Any]]) -> None:
    """Print sign-ins for a person to try."""
    print_table(
        ("Role", "Email", "Password", "Practice"),
        ((user["role"], user["email"], user["password"], user["practice"] or "") for user in found),
    )


def refuse_in_production(app: Flask) -> None:
    """Raise DemoRefused where real practices are certified."""
    if app.config["SETTINGS"].production:
        raise DemoRefused("CERTIFY_ENV=production: the demo is never loaded into a production database.")
