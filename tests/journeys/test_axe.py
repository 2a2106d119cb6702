"""Every page that a person can reach is without barriers, in light and dark, and fits a phone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

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
from tests.support.worlds import LiveServer

# How many pages of one kind are looked at for one person; cases differ by state, most other pages do not.
QUOTA = {"cases.detail": 2, "cases.action": 2}
USUAL_QUOTA = 1
# Pages that differ so much by person that each person's is looked at; all others are looked at once.
LOOK_AGAIN = {"home.index", "cases.detail"}
PEOPLE = ("staff", "council", "finance", "auditor", "admin")
# Their cases stand in these states.
PRACTICE_STATES = ("draft", "returned", "plan_due", "correction_open", "certified")
FILE = re.compile(r"\.(pdf|docx|zip|ics|csv|svg|json|png|jpg)$|/files?(/|$)|/download|\.txt$")
# Pages that need a secret link, or that only programs read.
NOT_WALKED = ("api", "static", "openapi", "health", "metrics", "invitation", "reset", "resume", "calendar")
# Reached in another way, no page of their own (files to download, answers to a script), or only there for a moment of a case that the demo has left.
NOT_IN_THE_WALK = {
    "home.search",  # reached by the search field, looked at below
    "documents.download",
    "surveys.attachment_file",
    "surveys.after",
    "applications.field_history",
    "surveyors.conflict",
}
CONTRAST = "async () => await axe.run(document, {runOnly: {type: 'rule', values: ['color-contrast']}})"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_every_page_of_every_role_is_without_barriers(
    live_server: LiveServer, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]]
) -> None:
    """Slow (minutes): it walks the links of each role through a demo program, and looks at each page with axe."""
    with live_server.session() as session:
        load_demo(practices=12, seed=1, progress=False)
        users = demo_users(session)
        emails = [*_practice_people(session), *_visiting_surveyors(session)]
    emails += [u["email"] for u in users if u["email"].split("@")[0] in PEOPLE]
    found: list[str] = []
    seen: set[str] = set()

    for email in emails:
        page = new_page()
        page.goto(f"{live_server.url}/sign-in")
        page.fill("#email", email)
        page.fill("#password", next(u["password"] for u in users if u["email"] == email))
        page.click("main button[type=submit]")
        for endpoint, path in _walk(live_server.app, page, live_server.url):
            if endpoint in seen and endpoint not in LOOK_AGAIN:
                continue
            seen.add(endpoint)
            found += [f"{email} {path}: {line}" for line in _look(page, barriers)]
        if email.startswith("staff@"):
            page.goto(f"{live_server.url}/search?q=a")
            found += [f"{email} /search: {line}" for line in _look(page, barriers)]
        page.context.close()

    assert found == []
    with live_server.app.app_context():
        unreached = sorted(_pages(live_server.app) - seen - NOT_IN_THE_WALK)
        assert unreached == [], "pages that nobody's links lead to"


def _walk(app: Flask, page: Page, base: str) -> Iterator[tuple[str, str]]:
    """Follow links from the front page, so many of each kind, and yield each page once it is shown."""
    waiting, known, visited = ["/"], {"/"}, Counter[str]()
    while waiting:
        path = waiting.pop(0)
        endpoint = _endpoint(app, path)
        if endpoint is None or visited[endpoint] >= QUOTA.get(endpoint, USUAL_QUOTA):
            continue
        visited[endpoint] += 1
        answer = page.goto(base + path)
        if answer is None or answer.status >= 400 or "text/html" not in answer.headers.get("content-type", ""):
            assert answer is not None
            assert answer.status < 500, f"{path} answers {answer.status}"
            continue
        yield _endpoint(app, urlsplit(page.url).path) or endpoint, path
        for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))"):
            target = urlsplit(link)
            if target.scheme or target.netloc or not target.path.startswith("/") or target.path in known:
                continue
            known.add(target.path)
            if not FILE.search(target.path):
                waiting.append(target.path)


def _practice_people(session: Session) -> list[str]:
    """The administrators of one practice in each of these states."""
    rows = session.execute(
        select(Case.state, Person.email)
        .join(RoleGrant, RoleGrant.practice_id == Case.practice_id)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(Case.state.in_(PRACTICE_STATES), RoleGrant.role == Role.PRACTICE_ADMIN)
    )
    return list({row.state: row.email for row in rows}.values())


def _visiting_surveyors(session: Session) -> list[str]:
    """The surveyor in the middle of a visit, and one who still has to answer for conflicts."""
    rows = session.execute(
        select(Case.state, Person.email)
        .join(CaseMember, CaseMember.case_id == Case.id)
        .join(Person, Person.id == CaseMember.person_id)
        .where(Case.state.in_(("survey_in_progress", "surveyor_proposed", "scheduling")))
    )
    return list({row.state: row.email for row in rows}.values())


def _look(page: Page, barriers: Callable[[Page], list[str]]) -> list[str]:
    """What is wrong with the page that is open: axe in light, contrast in dark, width on a phone."""
    page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
    found = barriers(page)
    page.emulate_media(color_scheme="dark")
    for violation in page.evaluate(CONTRAST)["violations"]:
        found += [f"dark {violation['id']}: {node['html'][:120]}" for node in violation["nodes"]]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    if page.evaluate(TOO_WIDE) > 0:
        found.append("wider than a phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


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
