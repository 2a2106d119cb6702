"""Tables of people: accounts, roles, sessions, mailed links, tokens, attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.core.foundation.words import name_key
from certify.db import Model, SortKey, UtcDateTime


def _key_of_name(context: Any) -> str:
    return name_key(context.get_current_parameters()["name"])


class Person(Model):
    """Someone with an account. Accounts are closed, never deleted: events refer to them."""

    __tablename__ = "person"
    __table_args__ = (sa.Index("ix_person_name_key_id", "name_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(SortKey(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(SortKey(200), default=_key_of_name)  # for lists and search by prefix
    title: Mapped[str] = mapped_column(sa.String(200), default="")
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    time_zone: Mapped[str] = mapped_column(sa.String(60), default="America/New_York")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class RoleGrant(Model):
    """A role a person holds, for a practice or (practice_id null) for the program."""

    __tablename__ = "role_grant"
    __table_args__ = (
        sa.Index("uq_role_grant_practice", "person_id", "role", "practice_id", unique=True, sqlite_where=sa.text("practice_id IS NOT NULL"), postgresql_where=sa.text("practice_id IS NOT NULL")),
        sa.Index("uq_role_grant_program", "person_id", "role", unique=True, sqlite_where=sa.text("practice_id IS NULL"), postgresql_where=sa.text("practice_id IS NULL")),
        sa.Index("ix_role_grant_practice_id_role", "practice_id", "role"),
        # The partial ones above are not used to read all roles of a person, which every request does.
        sa.Index("ix_role_grant_person_id", "person_id"),
        sa.Index("ix_role_grant_role", "role"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(sa.String(30))
    practice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practice.id"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignIn(Model):
    """A session kept on the server: it can be listed, ended, and dies of idleness or age."""

    __tablename__ = "sign_in"
    __table_args__ = (sa.Index("ix_sign_in_person_id_ended_at", "person_id", "ended_at"),)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # digest of the cookie's secret
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    network: Mapped[str] = mapped_column(sa.String(60), default="")  # the address it was made from
    user_agent: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MailedLink(Model):
    """A single-use link sent by mail: an invitation or a password reset."""

    __tablename__ = "mailed_link"
    __table_args__ = (sa.Index("ix_mailed_link_person_id_kind", "person_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))  # invitation | reset
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Model):
    """A bearer token for the HTTP API; only its digest is stored."""

    __tablename__ = "api_token"
    __table_args__ = (sa.Index("ix_api_token_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    scope: Mapped[str] = mapped_column(sa.String(20), default="write")  # read | write
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInAttempt(Model):
    """A failed sign-in, counted per address typed and per network address, whether or not there is an account."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (sa.Index("ix_sign_in_attempt_key_at", "key", "at"), sa.Index("ix_sign_in_attempt_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(
        sa.String(80)
    )  # `mail:` and the digest of the address typed, or `net:` and the network
    at: Mapped[datetime] = mapped_column(UtcDateTime)
