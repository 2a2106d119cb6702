"""Settings of contract.md section 2: from the environment, else from instance/certify.toml; each refused clearly when wrong."""

from __future__ import annotations

import ipaddress
import os
import secrets
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from certify.core.foundation.clock import parse_instant

KEYS = {
    "CERTIFY_INSTANCE",
    "CERTIFY_DATABASE_URL",
    "CERTIFY_BASE_URL",
    "CERTIFY_SMTP_URL",
    "CERTIFY_SECRET_KEY",
    "CERTIFY_CLOCK",
    "CERTIFY_ENV",
    "CERTIFY_TRUSTED_PROXIES",
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class WrongSetting(Exception):
    """A setting that stops the start, with the one line that says why."""


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    instance: Path
    database_url: str
    secret_key: str
    base_url: str | None = None
    smtp_url: str | None = None
    clock: datetime | None = None
    env: str = "development"
    workflows: Path | None = None
    testing: bool = False
    trusted_proxies: tuple[Network, ...] = ()  # beside this very machine

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read and check every setting, creating the instance folder and its secret key when they are not there.

    Raises: WrongSetting, with one line that names the setting and what would be right.
    """
    env = os.environ if env is None else env
    instance = Path(env.get("CERTIFY_INSTANCE") or "instance").absolute()
    try:
        # Its owner's alone: the database holds what other accounts of the machine must not read.
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise WrongSetting(
            f"CERTIFY_INSTANCE={instance}: cannot be used as a folder ({problem.strerror})."
        ) from problem
    values = {**_file_values(instance / "certify.toml"), **{k: v for k, v in env.items() if k in KEYS and v}}
    for name, value in values.items():
        try:
            value.encode()
        except UnicodeEncodeError as wrong:
            raise WrongSetting(f"{name}: holds characters that cannot be read; write it as UTF-8 text.") from wrong
    kind = values.get("CERTIFY_ENV", "development")
    if kind not in {"development", "production"}:
        raise WrongSetting(f"CERTIFY_ENV={kind!r}: must be development or production.")
    base_url = _web_address(values.get("CERTIFY_BASE_URL"))
    clock = _clock(values.get("CERTIFY_CLOCK"))
    if kind == "production":
        if clock is not None:
            raise WrongSetting("CERTIFY_CLOCK: a standing clock is refused when CERTIFY_ENV=production; remove it.")
        if base_url is None:
            raise WrongSetting(
                "CERTIFY_BASE_URL: required when CERTIFY_ENV=production, for example https://certify.example.org."
            )
    return Settings(
        instance=instance,
        database_url=_database_url(values.get("CERTIFY_DATABASE_URL"), instance),
        secret_key=_secret_key(values.get("CERTIFY_SECRET_KEY"), instance / "secret_key"),
        base_url=base_url,
        smtp_url=_smtp_url(values.get("CERTIFY_SMTP_URL")),
        clock=clock,
        env=kind,
        trusted_proxies=_networks(values.get("CERTIFY_TRUSTED_PROXIES")),
    )


def _file_values(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise WrongSetting(f"{path.name}: cannot be read ({problem.strerror}).") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise WrongSetting(f"{path.name}: is not valid TOML ({broken}).") from broken
    for key, value in data.items():
        if key not in KEYS - {"CERTIFY_INSTANCE"}:
            raise WrongSetting(
                f"{path.name}: {key} is not a setting; the settings are {', '.join(sorted(KEYS - {'CERTIFY_INSTANCE'}))}."
            )
        if not isinstance(value, str):
            raise WrongSetting(f"{path.name}: {key} must be text in quotes.")
    return data


def _database_url(value: str | None, instance: Path) -> str:
    if not value:
        return f"sqlite:///{instance / 'certify.db'}"
    if value.startswith(("postgres://", "postgresql://")):
        value = "postgresql+psycopg://" + value.split("://", 1)[1]
    if value.endswith(":memory:"):
        raise WrongSetting(
            "CERTIFY_DATABASE_URL: a database in memory keeps nothing; name a file, like sqlite:///certify.db."
        )
    if value.startswith("sqlite:///") and not value.startswith("sqlite:////"):
        return f"sqlite:///{Path(value.removeprefix('sqlite:///')).absolute()}"
    if not value.startswith(("sqlite:////", "postgresql+psycopg://")):
        shown = value.split("://", 1)[0]
        raise WrongSetting(
            f"CERTIFY_DATABASE_URL: {shown}:// is not supported; use sqlite:///file.db or postgresql+psycopg://user:password@host/name."
        )
    if value.startswith("postgresql"):
        # Here and not above: `certify --help` is to start without the database's library.
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        value = _several_hosts(value)
        try:
            make_url(value)
        except (ArgumentError, ValueError) as wrong:
            raise WrongSetting(
                "CERTIFY_DATABASE_URL: cannot be read; write postgresql+psycopg://user:password@host:5432/name, "
                "several hosts with commas between."
            ) from wrong
    return value


def _several_hosts(value: str) -> str:
    """Return the address with hosts that stand side by side, as PostgreSQL writes them, where SQLAlchemy looks for them."""
    start, rest = value.split("://", 1)
    authority, slash, tail = rest.partition("/")
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts:
        return value
    path, _, query = tail.partition("?")
    named = [f"host={host}" for host in hosts.split(",")]
    return f"{start}://{user}{at}{slash or '/'}{path}?{'&'.join([*named, *([query] if query else [])])}"


def _parts(value: str) -> SplitResult | None:
    """Return the parts of an address; None without a host, with a port that is none, or a bracket left open."""
    try:
        parts = urlsplit(value)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _web_address(value: str | None) -> str | None:
    if not value:
        return None
    parts = _parts(value)
    if (
        parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment
        or "@" in parts.netloc or any(character.isspace() for character in value)
    ):  # fmt: skip
        shown = "CERTIFY_BASE_URL" if "@" in value else f"CERTIFY_BASE_URL={value!r}"  # it may hold a password
        raise WrongSetting(f"{shown}: must be an address like https://certify.example.org.")
    return value.rstrip("/")


def _smtp_url(value: str | None) -> str | None:
    if not value:
        return None
    parts = _parts(value)
    if parts is None or parts.scheme not in {"smtp", "smtps"}:
        raise WrongSetting("CERTIFY_SMTP_URL: must be smtp://user:password@host:port or smtps://….")
    return value


def _networks(value: str | None) -> tuple[Network, ...]:
    found = []
    for word in (value or "").replace(",", " ").split():
        try:
            network = ipaddress.ip_network(word)
        except ValueError as wrong:
            raise WrongSetting(
                f"CERTIFY_TRUSTED_PROXIES: {word!r} is not an address or network; write like 10.0.0.5, 10.1.0.0/16, with commas between."
            ) from wrong
        if network.prefixlen == 0:
            raise WrongSetting(f"CERTIFY_TRUSTED_PROXIES: {word} is everyone; name the proxies alone, like 10.0.0.5.")
        found.append(network)
    return tuple(found)


def _clock(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        return parse_instant(value)
    except ValueError as wrong:
        raise WrongSetting(f"CERTIFY_CLOCK={value!r}: must be an instant like 2026-03-05T14:00:00Z.") from wrong


def _secret_key(value: str | None, path: Path) -> str:
    if value:
        if len(value) < 32:
            raise WrongSetting("CERTIFY_SECRET_KEY: must have at least 32 characters; leave it unset to have one made.")
        return value
    try:
        if not path.exists():
            _make_secret_key(path)
        key = path.read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise WrongSetting(
            f"{path.name} in the instance folder cannot be read or made ({problem.strerror}); set CERTIFY_SECRET_KEY, or mend the folder."
        ) from problem
    except UnicodeDecodeError:
        key = ""
    if len(key) < 32:
        raise WrongSetting(
            f"{path.name} in the instance folder is damaged: it must hold at least 32 characters; delete it to have a new one made."
        )
    return key


def _make_secret_key(path: Path) -> None:
    """Put a new key in its place whole: of two processes that start together, both read the one that came first."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
