"""The way through the site: what the header offers each person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import Flask, has_request_context, request

from certify.certification.cases.queries import TABS
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Actor, Role
from certify.db import db
from certify.outlets.home.queries import find_current_ref
from certify.platform.web.access import SignedIn, find_signed_in

# Shown to whoever may; the practice's own way through its case comes before these.
PLACES: tuple[tuple[str, str, Permission], ...] = (
    ("Today", "/today", Permission.VIEW_QUEUE),
    ("My surveys", "/my-surveys", Permission.VIEW_OWN_SURVEYS),
    ("Cases", "/cases", Permission.VIEW_QUEUE),
    ("Practices", "/practices", Permission.VIEW_QUEUE),
    ("Surveyors", "/surveyors", Permission.MANAGE_SURVEYORS),
    ("Calibration", "/calibration", Permission.VIEW_CALIBRATION),
    ("Invoices", "/invoices", Permission.RECORD_PAYMENT),
    ("People", "/people", Permission.MANAGE_PEOPLE),
    ("Mail", "/mail", Permission.VIEW_MAIL),
)
HELP_OF_ROLE: tuple[tuple[Role, str], ...] = (
    (Role.PRACTICE_ADMIN, "practice"),
    (Role.PHYSICIAN_LEAD, "practice"),
    (Role.PRACTICE_STAFF, "practice"),
    (Role.SURVEYOR, "surveyor"),
    (Role.ADMINISTRATOR, "operator"),
)
# Where in the help a page is explained: the first that fits the address.
HELP_OF_PATH: tuple[tuple[str, str], ...] = (
    ("/application", "application"),
    ("/agreement", "application"),
    ("/webinar", "application"),
    ("/fees", "fees"),
    ("/invoices", "fees"),
    ("/evidence", "evidence"),
    ("/surveyors", "surveyors"),
    ("/surveys", "survey"),
    ("/conflict", "conflict"),
    ("/survey", "survey"),
    ("/report", "report"),
    ("/corrections", "corrections"),
    ("/decision", "decision"),
    ("/messages", "messages"),
    ("/history", "history"),
    ("/today", "today"),
    ("/team", "team"),
    ("/practices", "practices"),
    ("/people", "people"),
    ("/mail", "mail"),
    ("/account", "account"),
)


@dataclass(frozen=True)
class Entry:
    """One place in the header."""

    label: str
    url: str
    current: bool = False
    count: int = 0


class Navigation:
    """What the header of this request shows; entries are made when the header is drawn, not before."""

    def __init__(self, signed_in: SignedIn, path: str, ref: str | None) -> None:
        self._signed_in = signed_in
        self._path = path
        self._ref = ref

    @property
    def person(self) -> str:
        return self._signed_in.name or self._signed_in.email

    @property
    def roles(self) -> str:
        return ", ".join(ROLE_TITLES[role] for role in Role if role in self._actor.roles)

    @property
    def follows_case(self) -> bool:
        """Whether the header leads through one case, as for a practice; then the case page needs no tabs of its own."""
        return bool(self._actor.roles & PRACTICE_ROLES) and not allowed(self._actor, Permission.VIEW_QUEUE)

    @property
    def search(self) -> str:
        return "/search" if allowed(self._actor, Permission.VIEW_QUEUE) else ""

    @property
    def query(self) -> str:
        return request.args.get("q", "") if self._path == "/search" else ""

    @property
    def help(self) -> str:
        return help_address(self._actor, self._path)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        places = [
            Entry(label, url, self._at(url)) for label, url, permission in PLACES if allowed(self._actor, permission)
        ]
        if not self.follows_case:
            if Role.ADMINISTRATOR in self._actor.roles and not allowed(self._actor, Permission.VIEW_QUEUE):
                places.insert(0, Entry("Start", "/", self._path == "/"))
                places.insert(1, Entry("Practices", "/practices", self._at("/practices")))
            return (*places, Entry("Register", "/register", self._at("/register")))
        return (Entry("Overview", "/", self._path == "/"), *self._case_entries(), *places)

    @property
    def _actor(self) -> Actor:
        return self._signed_in.actor

    def _case_entries(self) -> list[Entry]:
        ref = self._ref or find_current_ref(db.session, self._actor)
        if ref is None:
            return []
        return [
            Entry(label, f"/cases/{ref}{path}")
            for key, label, path, permission in TABS
            if key != "overview" and allowed(self._actor, permission)
        ]

    def _at(self, url: str) -> bool:
        return self._path == url or self._path.startswith(f"{url}/")


def help_address(actor: Actor, path: str) -> str:
    """Return the help page of a person's role, at the heading that explains the page."""
    page = next((name for role, name in HELP_OF_ROLE if role in actor.roles), "program-staff")
    heading = next((anchor for part, anchor in HELP_OF_PATH if part in path), "")
    return f"/help/{page}#{heading}" if heading else f"/help/{page}"


def register_navigation(app: Flask) -> None:
    """Give every page its header."""
    app.context_processor(_context)


def _context() -> dict[str, object]:
    if not has_request_context():
        return {}
    signed_in = find_signed_in()
    if signed_in is None:
        return {"nav": None}
    ref = (request.view_args or {}).get("ref")
    return {"nav": Navigation(signed_in, request.path, ref)}
