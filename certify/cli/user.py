"""`certify user`: accounts."""

from __future__ import annotations

import sys

import click

from certify.cli.edges import json_option, open_session, print_json, print_table, row_number
from certify.core.access.roles import ROLE_TITLES, Role

ROLES = [r.value for r in Role if r is not Role.SYSTEM]


@click.group("user")
def command() -> None:
    """Accounts and their roles."""


@command.command("add")
@click.argument("email")
@click.option(
    "--role", required=True, type=click.Choice(ROLES), help="What the person is to the practice or the program."
)
@click.option("--practice", "practice_id", type=row_number, help="The practice's id; practice roles need one.")
@click.option("--name", help="The person's name; the address's first part when left out.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of the input instead of inviting."
)
@json_option
def add(email: str, role: str, practice_id: int | None, name: str | None, password_stdin: bool, as_json: bool) -> None:
    """Give EMAIL a role; a new account gets an invitation, whose link is also printed here."""
    from certify.core.access.roles import SYSTEM
    from certify.core.foundation.clock import now
    from certify.platform.identity.operations import add_person, grant_role, invite
    from certify.platform.identity.places import places_of
    from certify.platform.identity.queries import find_person_by_email
    from certify.platform.mail.addresses import absolute

    name = name or email.split("@")[0].replace(".", " ").title()
    link = None
    with open_session(commit=True) as session:
        if password_stdin:
            person = find_person_by_email(session, email)
            if person is None:
                secret = sys.stdin.readline().rstrip("\r\n")
                person = add_person(session, email=email, name=name, password=secret, actor=SYSTEM, at=now())
            grant_role(session, person.id, Role(role), practice_id, actor=SYSTEM, at=now())
        else:
            place = places_of(session, [practice_id]).get(practice_id or 0, "")
            person, link_secret = invite(
                session,
                email=email,
                name=name,
                role=Role(role),
                practice_id=practice_id,
                place=place,
                actor=SYSTEM,
                at=now(),
            )
            link = absolute(f"/invitation/{link_secret}") if link_secret else None
        answer = {
            "id": person.id,
            "email": person.email,
            "name": person.name,
            "role": role,
            "practice": practice_id,
            "invitation": link,
        }
    if as_json:
        print_json(answer)
        return
    click.echo(
        f"{answer['email']} is {ROLE_TITLES[Role(role)].lower()}{f' of practice {practice_id}' if practice_id else ''}."
    )
    if link:
        click.echo(f"Invitation, good for 7 days and one use: {link}")


@command.command("list")
@click.option("--search", default="", help="Only people whose name or address begins so.")
@json_option
def list_(search: str, as_json: bool) -> None:
    """List accounts by name."""
    from certify.platform.identity.queries import list_people

    lines = []
    with open_session() as session:
        after = None
        while chunk := list_people(session, text=search, after=after, back=False, limit=500):
            lines += chunk
            after = (chunk[-1].name_key, chunk[-1].id)
    if as_json:
        print_json(
            [
                {
                    "id": p.id, "email": p.email, "name": p.name, "active": p.active, "invited": not p.has_password,
                    "roles": [{"role": g.role, "practice": g.practice_id} for g in p.grants],
                }
                for p in lines
            ]
        )  # fmt: skip
        return
    rows = [
        (
            p.id,
            p.email,
            p.name,
            ", ".join(f"{g.role}{f'@{g.practice_id}' if g.practice_id else ''}" for g in p.grants),
            _account(p.active, p.has_password),
        )
        for p in lines
    ]
    print_table(("id", "email", "name", "roles", "account"), rows)


def _account(active: bool, has_password: bool) -> str:
    return "closed" if not active else "open" if has_password else "invited"
