"""From where a request comes: a header that anyone can send is believed only from those who may say so."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask

import certify
from certify.platform.web.access import client_network

CODE = Path(certify.__file__).parent


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", "", (), "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", (), "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", (), "198.51.100.1"),
        ("::1", "198.51.100.1", (), "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", (), "198.51.100.1"),
        # What the caller wrote stands before what the proxy added.
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", (), "198.51.100.1"),
        # A neighbor in the same network is no proxy, unless it is named.
        ("10.0.0.5", "198.51.100.1", (), "10.0.0.5"),
        ("192.168.1.7", "198.51.100.1", ("10.0.0.0/8",), "192.168.1.7"),
        ("10.0.0.5", "198.51.100.1", ("10.0.0.5/32",), "198.51.100.1"),
        # A chain of them is followed as far as it is trusted.
        ("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.5", ("10.0.0.5/32",), "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.0.0.5", (), "10.0.0.5"),
        ("127.0.0.1", "10.0.0.5", ("10.0.0.5/32",), "10.0.0.5"),
        ("127.0.0.1", "unknown", (), "127.0.0.1"),
        ("", "198.51.100.1", (), ""),
    ],
)
def test_the_address_is_the_last_one_that_a_trusted_proxy_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch, remote: str, forwarded: str, trusted: tuple[str, ...], address: str
) -> None:
    settings = replace(app.extensions["certify_settings"], trusted_proxies=tuple(ip_network(t) for t in trusted))
    monkeypatch.setitem(app.extensions, "certify_settings", settings)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with app.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": remote}):
        assert client_network() == address


def test_what_is_signed_keeps_the_signers_address_and_not_the_proxys() -> None:
    readers = {
        path.relative_to(CODE).as_posix() for path in CODE.rglob("*.py") if "remote_addr" in path.read_text("utf-8")
    }
    assert {r for r in readers if not r.startswith("platform/web/")} == set()
