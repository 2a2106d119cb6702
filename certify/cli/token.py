"""`certify token`: API tokens."""

from __future__ import annotations

import click

from certify.cli.edges import json_option, open_session, print_json, row_number


@click.group("token")
def command() -> None:
    """API tokens."""


@command.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long it works.")
@click.option(
    "--scope",
    default="write",
    show_default=True,
    type=click.Choice(["read", "write"]),
    help="Whether it may change things.",
)
@json_option
def create(email: str, name: str, days: int, scope: str, as_json: bool) -> None:
    """Create a token for EMAIL; it is printed this once."""
    from certify.core.access.roles import SYSTEM
    from certify.core.foundation.clock import now
    from certify.platform.identity.queries import actor_of
    from certify.platform.identity.tokens import create_token

    with open_session(commit=True) as session:
        person = actor_of(session, email)
        token, secret = create_token(
            session, person.user_id or 0, name=name, scope=scope, days=days, actor=SYSTEM, at=now()
        )
        answer = {
            "id": token.id,
            "email": person.email,
            "name": token.name,
            "scope": token.scope,
            "expires_at": token.expires_at,
            "token": secret,
        }
    if as_json:
        print_json(answer)
        return
    click.echo(secret)
    click.echo(f"Token {answer['id']} of {email}, {scope}, works for {days} days. It is not shown again.", err=True)


@command.command("list")
@click.argument("email")
@json_option
def list_(email: str, as_json: bool) -> None:
    """List EMAIL's tokens, without their secrets."""
    from certify.cli.edges import print_table
    from certify.platform.identity.queries import actor_of
    from certify.platform.identity.tokens import list_tokens

    with open_session() as session:
        tokens = list_tokens(session, actor_of(session, email).user_id or 0)
        rows = [{"id": t.id, "name": t.name, "scope": t.scope, "expires_at": t.expires_at} for t in tokens]
    if as_json:
        print_json(rows)
    else:
        print_table(("id", "name", "scope", "works until"), [tuple(r.values()) for r in rows])


@command.command("revoke")
@click.argument("email")
@click.argument("token_id", type=row_number)
def revoke(email: str, token_id: int) -> None:
    """Revoke the token TOKEN_ID of EMAIL at once."""
    from certify.core.access.roles import SYSTEM
    from certify.core.foundation.clock import now
    from certify.platform.identity.queries import actor_of
    from certify.platform.identity.tokens import revoke_token

    with open_session(commit=True) as session:
        token = revoke_token(session, token_id, person_id=actor_of(session, email).user_id or 0, actor=SYSTEM, at=now())
        click.echo(f"The token “{token.name}” no longer works.")
