"""Every page that a person can reach is without barriers, in light and dark, and fits a phone.

How a page looks does not hang on the database: axe looks on the first that is wanted; on the other every page is opened too, and
must be shown without an error of server or script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing.exceptions import RequestRedirect

from certify.certification.cases.models import Case, CaseMember
from certify.core.access.roles import Role
from certify.demo.load import demo_users, load_demo
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.web.access import is_public
from tests.support.worlds import LiveServer, wanted_kinds

# Who looks at what, so that several processes share the work: the practice looks at all that is not named here.
SHARES: dict[str, set[str]] = {
    "surveyor": {
        "home.my_surveys", "surveyors.conflict", "surveys.backup", "surveys.overview", "surveys.sample", "surveys.standard",
    },
    "program": {
        "account.show", "calendar.show", "calibration.program", "calibration.show", "cases.action", "cases.history", "cases.index", "cases.new", "fees.index", "fees.overview",
        "home.help_page", "home.search", "home.today", "mail.index", "mail.show", "people.index", "people.show",
        "practices.edit", "practices.index", "practices.new", "practices.new_site", "practices.show", "practices.site",
        "register.certificate", "register.index", "reports.audit", "surveyors.edit", "surveyors.index",
    },
}  # fmt: skip
# Pages that differ so much by person that each person's is looked at.
LOOK_AGAIN = {"home.index", "cases.detail"}
# Pages that differ by side, looked at once by each.
BOTH_SIDES = {"decisions.show", "discussions.index", "evidence.index", "reports.show", "surveys.planning"}
# Pages whose links depend on where the case stands: opened for each person, though looked at once.
ROADS = {"applications.show", "decisions.show"}
# How many pages of one kind are opened for one person; cases differ by state, most other pages do not.
QUOTA = {"cases.action": 2, "applications.show": 9}
USUAL_QUOTA = 1
# A search is looked at with something found.
QUERIES = {"home.search": "?q=a"}
PROGRAM = ("staff", "admin", "finance", "council", "auditor")
# Their cases stand in these states.
PRACTICE_STATES = ("draft", "returned", "plan_due", "correction_open", "certified")
SURVEYOR_STATES = ("survey_in_progress", "surveyor_proposed", "scheduling")
FILE = re.compile(r"\.(pdf|docx|zip|ics|csv|svg|json|png|jpg)$|/files?(/|$)|/download|\.txt$")
# Pages that need a secret link, or that only programs read.
NOT_WALKED = ("api", "static", "openapi", "health", "metrics", "invitation", "reset", "resume", "calendar.feed")
# No pages of their own: files to download, answers to a script. What is scored blind is looked at in test_calibration.
NOT_IN_THE_WALK = {"calibration.sheet", "documents.download", "surveys.attachment_file", "surveys.after"}
CONTRAST = "async () => await axe.run(document, {runOnly: {type: 'rule', values: ['color-contrast']}})"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

NewPage = Callable[..., Page]
Barriers = Callable[[Page], list[str]]


@pytest.mark.parametrize("side", ["practice", "surveyor", "program"])
def test_every_page_of_every_role_is_without_barriers(
    live_server: LiveServer, new_page: NewPage, barriers: Barriers, database: str, side: str
) -> None:
    """Slow (a minute or so): it walks the links of each role through a demo program, and looks at each page with axe."""
    # The fifteenth practice is the first with a surveyor who has not answered yet.
    with live_server.session() as session:
        load_demo(practices=15 if side == "surveyor" else 12, seed=1, progress=False)
        emails = {"practice": _practice_people, "surveyor": _visiting_surveyors, "program": _program_people}[side](
            session
        )
    share = _share(live_server.app, side)
    found: list[str] = []
    seen: set[str] = set()

    for email in emails:
        page = _signed_in(live_server, new_page, email)
        for endpoint, path in _walk(live_server.app, page, live_server.url, seen - LOOK_AGAIN - ROADS):
            wanted = endpoint in LOOK_AGAIN or (endpoint not in seen and endpoint in share | BOTH_SIDES)
            seen.add(endpoint)
            if wanted and _looks_here(database):
                found += [f"{email} {path}: {line}" for line in _look(page, barriers)]
        page.context.close()

    assert found == []
    assert sorted(share - seen) == [], "pages that nobody's links lead to; SHARES says who else looks at them"


def test_the_case_is_without_barriers_wherever_it_stands(
    live_server: LiveServer, new_page: NewPage, barriers: Barriers, database: str
) -> None:
    """Slow (a minute or so): the case as the program sees it in every state, each with its own steps and words."""
    with live_server.session() as session:
        load_demo(practices=26, seed=1, progress=False)
        refs = list({row.state: row.ref for row in session.execute(select(Case.state, Case.ref))}.values())
    found: list[str] = []

    page = _signed_in(live_server, new_page, "staff@demo.example")
    for ref in refs:
        answer = page.goto(f"{live_server.url}/cases/{ref}")
        assert answer is not None
        assert answer.ok
        if not _looks_here(database):
            continue
        page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
        found += [f"{ref}: {line}" for line in [*barriers(page), *_too_wide(page)]]

    assert len(refs) > 20
    assert found == []


def _looks_here(database: str) -> bool:
    return database == wanted_kinds()[0]


def _walk(app: Flask, page: Page, base: str, known_well: set[str]) -> Iterator[tuple[str, str]]:
    """Follow links from the front page, so many of each kind, and yield each page once it is shown.

    Kinds that are known well from another person are not opened again.
    """
    waiting, known, visited = ["/"], {"/"}, Counter[str]()
    while waiting:
        path = waiting.pop(0)
        endpoint = _endpoint(app, path)
        if endpoint is None or endpoint in known_well or visited[endpoint] >= QUOTA.get(endpoint, USUAL_QUOTA):
            continue
        visited[endpoint] += 1
        answer = page.goto(base + path + QUERIES.get(endpoint, ""))
        if answer is None or answer.status >= 400 or "text/html" not in answer.headers.get("content-type", ""):
            assert answer is not None
            assert answer.status < 500, f"{path} answers {answer.status}"
            continue
        yield _endpoint(app, urlsplit(page.url).path) or endpoint, path
        forms = page.eval_on_selector_all("form[role=search]", "all => all.map(a => a.getAttribute('action'))")
        for link in forms + page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))"):
            target = urlsplit(link)
            if target.scheme or target.netloc or not target.path.startswith("/") or target.path in known:
                continue
            known.add(target.path)
            if not FILE.search(target.path):
                waiting.append(target.path)


def _signed_in(live_server: LiveServer, new_page: NewPage, email: str) -> Page:
    with live_server.session() as session:
        password = next(user["password"] for user in demo_users(session) if user["email"] == email)
    page = new_page()
    page.goto(f"{live_server.url}/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("main button[type=submit]")
    return page


def _practice_people(session: Session) -> list[str]:
    """The administrators of one practice in each of these states."""
    rows = session.execute(
        select(Case.state, Person.email)
        .join(RoleGrant, RoleGrant.practice_id == Case.practice_id)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(Case.state.in_(PRACTICE_STATES), RoleGrant.role == Role.PRACTICE_ADMIN)
        .order_by(Case.id)
    )
    return list({row.state: row.email for row in rows}.values())


def _visiting_surveyors(session: Session) -> list[str]:
    """The surveyor in the middle of a visit, and one who still has to answer for conflicts."""
    rows = session.execute(
        select(Case.state, Person.email)
        .join(CaseMember, CaseMember.case_id == Case.id)
        .join(Person, Person.id == CaseMember.person_id)
        .where(Case.state.in_(SURVEYOR_STATES))
        .order_by(Case.id)
    )
    return list(dict.fromkeys({row.state: row.email for row in rows}.values()))


def _program_people(session: Session) -> list[str]:
    """One person of each role at the program."""
    emails = [str(user["email"]) for user in demo_users(session)]
    return [email for name in PROGRAM for email in emails if email.split("@")[0] == name]


def _look(page: Page, barriers: Barriers) -> list[str]:
    """What is wrong with the page that is open: axe in light, contrast in dark, width on a phone."""
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
    found = barriers(page)
    page.emulate_media(color_scheme="dark")
    for violation in page.evaluate(CONTRAST)["violations"]:
        found += [f"dark {violation['id']}: {node['html'][:120]}" for node in violation["nodes"]]
    page.emulate_media(color_scheme="light")
    return found + _too_wide(page)


def _too_wide(page: Page) -> list[str]:
    page.set_viewport_size({"width": 390, "height": 844})
    found = ["wider than a phone"] if page.evaluate(TOO_WIDE) > 0 else []
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def _share(app: Flask, side: str) -> set[str]:
    """The pages this side has to look at; the practice has all that nobody else has."""
    with app.app_context():
        pages = _pages(app)
    named = set().union(*SHARES.values())
    assert sorted(named - pages - {"home.help_page", "register.certificate", "register.index"}) == [], "no such page"
    return SHARES.get(side, pages - named - NOT_IN_THE_WALK)


def _endpoint(app: Flask, path: str) -> str | None:
    adapter = app.url_map.bind("localhost")
    try:
        endpoint, _values = adapter.match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return None
    return None if any(part in f"{endpoint} {path}" for part in NOT_WALKED) else str(endpoint)


def _pages(app: Flask) -> set[str]:
    """Every endpoint that shows a page to someone who is signed in."""
    found = set()
    for rule in app.url_map.iter_rules():
        name = f"{rule.endpoint} {rule.rule}"
        if "GET" not in (rule.methods or ()) or FILE.search(rule.rule) or any(part in name for part in NOT_WALKED):
            continue
        if not is_public(rule.endpoint):
            found.add(rule.endpoint)
    return found
