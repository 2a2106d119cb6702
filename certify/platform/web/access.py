"""Who is asking, and whether the door is open to them: every route carries `requires` or `public`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from flask import current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import NOBODY, Actor
from certify.core.foundation.errors import NotAllowed, Refusal

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]
AnyView = TypeVar("AnyView", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "bearer"


@dataclass(frozen=True)
class SignedIn:
    """The person behind the request, read once: who, in which roles, and by which key they came in."""

    actor: Actor
    person_id: int
    name: str
    email: str
    time_zone: str
    sign_in_id: str | None = None  # None when a bearer token was shown
    token_id: int | None = None
    scope: str = "write"  # read | write; a session may always write


class SignInRequired(Refusal):
    """Nobody is signed in, or the sign-in has ended."""


class _LoadedUser(Protocol):
    signed_in: SignedIn


def find_signed_in() -> SignedIn | None:
    """Return who is signed in, or None; the database is asked once a request."""
    if "signed_in" not in g:
        found = cast(_LoadedUser, current_user).signed_in if current_user and current_user.is_authenticated else None
        g.signed_in = found
        if found is not None:
            g.setdefault("time_zone", found.time_zone)
    return cast("SignedIn | None", g.signed_in)


def current_person() -> SignedIn:
    """Return who is signed in.

    Raises: SignInRequired when nobody is.
    """
    found = find_signed_in()
    if found is None:
        raise SignInRequired(_how_to_sign_in())
    return found


def _how_to_sign_in() -> str:
    if bearer_token() is not None:
        return "This token does not work: it is not whole, has run out or was revoked. Create a new one."
    if request.path.startswith("/api/"):
        return "Send the header Authorization: Bearer TOKEN; the account page and `certify token create` give tokens."
    return "Please sign in first."


def current_actor() -> Actor:
    """Return the actor of this request, with all roles; on a public page without a sign-in, one who may nothing."""
    found = find_signed_in()
    return found.actor if found else NOBODY


def forget_signed_in() -> None:
    """Let the next question ask again; called when a person signs in or out within the request."""
    g.pop("signed_in", None)


def requires(permission: Permission) -> Callable[[Callable[P, ResponseReturnValue]], View[P]]:
    """Open a route only to those whom the policy grants `permission` on any object at all.

    Whether it holds for the very object is asked by the room's query, which answers 404 for what is not theirs.
    """

    def decorate(view: Callable[P, ResponseReturnValue]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            person = current_person()
            # The own account is everyone's, also of a person whose last role was taken away.
            if permission is not Permission.SIGNED_IN and not allowed(person.actor, permission):
                raise NotAllowed("Your role does not allow this.")
            if person.scope == "read" and request.method not in SAFE_METHODS:
                raise NotAllowed("This token may only read. Create one with the scope “write”.")
            return view(*args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: AnyView) -> AnyView:
    """Mark a route as open to everyone, with or without a sign-in."""
    marked = cast(Any, view)
    marked.required_permission = None
    marked.is_public = True
    return view


def is_public(endpoint: str | None) -> bool:
    """Whether the endpoint is open to everyone (Flask's own `static` is)."""
    view = current_app.view_functions.get(endpoint or "")
    return endpoint == "static" or bool(getattr(view, "is_public", False))


def body_counts() -> bool:
    """Whether what this request brings is read: not from somebody unknown where one must be signed in."""
    if request.method in SAFE_METHODS or request.endpoint is None:
        return False
    return is_public(request.endpoint) or find_signed_in() is not None


def bearer_token() -> str | None:
    """Return the token of the Authorization header, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == BEARER else None  # RFC 9110: a scheme may be written in any case


def wants_problem() -> bool:
    """Whether the answer to a refusal must be a problem document: the HTTP API, or a client that takes only JSON."""
    if request.path.startswith("/api/"):
        return True
    if not request.headers.get("Accept"):
        return False
    accepted = request.accept_mimetypes
    json = max(accepted["application/json"], accepted["application/problem+json"])
    return bool(json) and json > accepted["text/html"]


def safe_next(target: str | None, default: str = "/") -> str:
    """Return `target` when it is a path of this very site, else `default`: a link must not lead a person elsewhere.

    >>> safe_next("/cases?step=2"), safe_next("//evil.example"), safe_next("https://evil.example"), safe_next("/\\\\evil.example")
    ('/cases?step=2', '/', '/', '/')
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return default
    if any(ord(c) < 32 or ord(c) == 127 for c in target):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default


def same_origin() -> bool:
    """Whether a browser sent this request from a page of this very site (`Sec-Fetch-Site`, else `Origin`)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and is_own_host(urlsplit(origin).netloc)


def is_own_host(host: str) -> bool:
    """Whether a host is ours: the one this request came to, or the one people use in front of a proxy."""
    base = current_app.extensions["certify_settings"].base_url
    return bool(host) and (host == request.host or (base is not None and host == urlsplit(base).netloc))


def way_back() -> str:
    """Return where to go after signing in: this page, or for a form that was sent the page it was on."""
    if request.method in SAFE_METHODS:
        return safe_next(request.full_path.rstrip("?"))
    referrer = urlsplit(request.referrer or "")
    if not is_own_host(referrer.netloc):
        return "/"
    return safe_next(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def client_network() -> str:
    """Return the address the request comes from.

    What `X-Forwarded-For` says is believed only as far as a proxy that may say so wrote it: one on this very machine, or
    one named by CERTIFY_TRUSTED_PROXIES. Anyone can send the header, so each of its addresses counts, from the last on,
    only when the one that handed it over is trusted.
    """
    trusted = current_app.extensions["certify_settings"].trusted_proxies
    named = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    address = _address(request.remote_addr or "")
    if address is None:
        return request.remote_addr or ""
    while named and (address.is_loopback or any(address in network for network in trusted)):
        handed_over = _address(named.pop())
        if handed_over is None:
            break
        address = handed_over
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
