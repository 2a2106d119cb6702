"""Settings: each wrong one stops the start with one line that names it."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from certify.config import WrongSetting, load_settings


def load(folder: Path, **env: str) -> object:
    """Load settings from these variables alone."""
    return load_settings({"CERTIFY_INSTANCE": str(folder / "instance"), **env})


def test_without_settings_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path / "instance")})
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/certify.db"
    assert (settings.env, settings.base_url, settings.smtp_url, settings.clock) == ("development", None, None, None)


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = load_settings({"CERTIFY_INSTANCE": str(tmp_path)})
    assert load_settings({"CERTIFY_INSTANCE": str(tmp_path)}).secret_key == first.secret_key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_two_that_start_together_end_with_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def interrupted(size: int) -> str:
        """Let another process start, and come to its end, while the first makes its key."""
        monkeypatch.undo()
        made.append(load_settings({"CERTIFY_INSTANCE": str(tmp_path)}).secret_key)
        return secrets.token_urlsafe(size)

    monkeypatch.setattr(secrets, "token_urlsafe", interrupted)
    assert load_settings({"CERTIFY_INSTANCE": str(tmp_path)}).secret_key == made[0]
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(WrongSetting, match=r"secret_key .*directory"):
        load_settings({"CERTIFY_INSTANCE": str(tmp_path)})


def test_a_new_instance_folder_is_its_owners_alone(tmp_path: Path) -> None:
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path / "deep" / "instance")})
    assert stat.S_IMODE(settings.instance.stat().st_mode) == 0o700


def test_the_file_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    (tmp_path / "certify.toml").write_text(
        'CERTIFY_BASE_URL = "https://a.example"\nCERTIFY_SMTP_URL = "smtp://mail:25"\n'
    )
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path), "CERTIFY_BASE_URL": "https://b.example/"})
    assert (settings.base_url, settings.smtp_url) == ("https://b.example", "smtp://mail:25")


@pytest.mark.parametrize("start", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_every_way_to_write_postgresql_is_understood(tmp_path: Path, start: str) -> None:
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path), "CERTIFY_DATABASE_URL": f"{start}u:p@h/db"})
    assert settings.database_url == "postgresql+psycopg://u:p@h/db"


@pytest.mark.parametrize(
    ("written", "hosts"),
    [
        ("u:p@a,b/db", ["a", "b"]),
        ("u:p@a:5432,b:5433/db?target_session_attrs=read-write", ["a:5432", "b:5433"]),
        ("u:p@/db?host=a:5432&host=b:5433", ["a:5432", "b:5433"]),
    ],
)
def test_several_hosts_may_stand_side_by_side(tmp_path: Path, written: str, hosts: list[str]) -> None:
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path), "CERTIFY_DATABASE_URL": f"postgresql://{written}"})
    url = make_url(settings.database_url)
    assert (url.username, url.password, url.database, url.query["host"]) == ("u", "p", "db", tuple(hosts))
    assert ("target_session_attrs" in url.query) == ("read-write" in written)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CERTIFY_ENV", "staging"),
        ("CERTIFY_DATABASE_URL", "sqlite:///:memory:"),
        ("CERTIFY_BASE_URL", "https://certify.example.org/ and more"),
        ("CERTIFY_BASE_URL", "https://user:hush@certify.example.org"),
        ("CERTIFY_DATABASE_URL", "mysql://u:p@h/db"),
        ("CERTIFY_BASE_URL", "certify.example.org"),
        ("CERTIFY_BASE_URL", "https://a.example/?x=1"),
        ("CERTIFY_BASE_URL", "http://a.example:99999"),
        ("CERTIFY_BASE_URL", "http://a.example:0"),
        ("CERTIFY_BASE_URL", "http://[::1"),
        ("CERTIFY_BASE_URL", "https://user@"),
        ("CERTIFY_DATABASE_URL", "postgresql://u:p@h:notaport/db"),
        ("CERTIFY_SMTP_URL", "smtp://[bad"),
        ("CERTIFY_SMTP_URL", "smtp://host:0"),
        ("CERTIFY_SECRET_KEY", "\udcff" * 40),
        ("CERTIFY_SMTP_URL", "mail.example:25"),
        ("CERTIFY_SMTP_URL", "smtp://host:port"),
        ("CERTIFY_SECRET_KEY", "short"),
        ("CERTIFY_CLOCK", "tomorrow"),
        ("CERTIFY_CLOCK", "2026-03-05T14:00:00"),
        ("CERTIFY_TRUSTED_PROXIES", "proxy.example.org"),
        ("CERTIFY_TRUSTED_PROXIES", "10.0.0.0/8, 10.1.2.3/16"),
        ("CERTIFY_TRUSTED_PROXIES", "0.0.0.0/0"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name) as wrong:
        load(tmp_path, **{name: value})
    assert "\n" not in str(wrong.value)


def test_a_secret_in_a_wrong_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting) as wrong:
        load(tmp_path, CERTIFY_DATABASE_URL="mysql://user:hush@host/db")
    assert "hush" not in str(wrong.value)


@pytest.mark.parametrize(
    ("extra", "named"), [({}, "CERTIFY_BASE_URL"), ({"CERTIFY_CLOCK": "2026-03-05T14:00:00Z"}, "CERTIFY_CLOCK")]
)
def test_production_needs_an_address_and_a_running_clock(tmp_path: Path, extra: dict[str, str], named: str) -> None:
    with pytest.raises(WrongSetting, match=named):
        load(tmp_path, CERTIFY_ENV="production", **extra)


@pytest.mark.parametrize("text", ["CERTIFY_BASE_URL = ", 'CERTIFY_COLOUR = "blue"', "CERTIFY_ENV = 1"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "certify.toml").write_text(text)
    with pytest.raises(WrongSetting, match=r"certify\.toml"):
        load_settings({"CERTIFY_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("content", [b"x", b"\xff\xfe" * 40])
def test_a_damaged_secret_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(WrongSetting, match="secret_key"):
        load_settings({"CERTIFY_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("value", ["10.0.0.5, 10.1.0.0/16, fd00::/8", "10.0.0.5 10.1.0.0/16,fd00::/8,"])
def test_proxies_are_addresses_or_networks(tmp_path: Path, value: str) -> None:
    settings = load_settings({"CERTIFY_INSTANCE": str(tmp_path), "CERTIFY_TRUSTED_PROXIES": value})
    assert [str(n) for n in settings.trusted_proxies] == ["10.0.0.5/32", "10.1.0.0/16", "fd00::/8"]
