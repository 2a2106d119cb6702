"""`certify practice`: practices and their sites."""

from __future__ import annotations

from typing import Any

import click

from certify.cli.edges import json_option, open_session, print_json, print_table


@click.group("practice")
def command() -> None:
    """Practices."""


@command.command("list")
@click.option("--search", default="", help="Only practices whose name begins so.")
@json_option
def list_(search: str, as_json: bool) -> None:
    """List practices with id, name and sites, by name."""
    from certify.core.access.roles import Actor, Grant, Role
    from certify.platform.practices.queries import list_practices, sites_of

    # Whoever sits at this command line has the database anyway; the list is the auditor's.
    reader = Actor(None, frozenset({Grant(Role.AUDITOR)}))
    found: list[dict[str, Any]] = []
    with open_session() as session:
        after = None
        while chunk := list_practices(session, reader, text=search, after=after, limit=500):
            sites = sites_of(session, [line.id for line in chunk])
            found += [
                {
                    "id": line.id, "name": line.legal_name, "city": line.city, "state": line.state, "setting": line.setting,
                    "sites": [{"id": s.id, "name": s.name, "closed": s.closed_on is not None} for s in sites.get(line.id, [])],
                }
                for line in chunk
            ]  # fmt: skip
            after = (chunk[-1].name_key, chunk[-1].id)
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "name", "place", "sites"),
        [
            (
                p["id"],
                p["name"],
                f"{p['city']} {p['state']}".strip(),
                ", ".join(f"{s['id']} {s['name']}" for s in p["sites"]),
            )
            for p in found
        ],
    )
