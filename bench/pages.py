"""The pages people open: lists, queues, and the pages of cases, each with who opens it, as the dataset offers them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.data import Dataset

STAFF, FINANCE, COUNCIL, ADMIN, AUDITOR = (
    f"{name}@demo.example" for name in ("staff", "finance", "council", "admin", "auditor")
)
OF_A_CASE = (
    "", "/application", "/agreement", "/webinar", "/evidence", "/survey", "/report", "/corrections", "/decision", "/certificate",
    "/fees", "/messages", "/history",
)  # fmt: skip
# Where a page is asked for in its full length: the case of each of these states.
STATES = ("documents_open", "submitted", "survey_in_progress", "plan_due", "certified")


@dataclass(frozen=True)
class Page:
    """One page and its reader; an empty reader is the public. `more` opens the second page of the list, too."""

    name: str
    who: str
    path: str
    more: bool = False


def lists() -> list[Page]:
    """Lists and queues, narrowed in the ways people narrow them."""
    found = [Page(f"{who.partition('@')[0]}: today", who, "/today", True) for who in (STAFF, FINANCE, COUNCIL, AUDITOR)]
    found += [
        Page(f"staff: {path}", STAFF, path, True)
        for path in (
            "/today?holder=program", "/today?holder=practice", "/today?mine=1", "/today?late=1", "/cases", "/cases?step=1",
            "/cases?step=2", "/cases?state=submitted", "/cases?state=certified", "/cases?state=denied", "/cases?mine=1",
            "/practices", "/practices?q=Lake", "/practices?q=zzz", "/surveyors", "/mail", "/mail?state=queued",
            "/mail?state=failed", "/mail?q=practice1", "/search?q=Lake", "/search?q=LO-2026", "/cases/new", "/cases/new?q=Lake",
        )
    ]  # fmt: skip
    found += [
        Page(f"finance: {path}", FINANCE, path, True)
        for path in ("/invoices", "/invoices?state=paid", "/invoices?state=all", "/invoices?q=Lake")
    ]
    found += [Page(f"administrator: {path}", ADMIN, path, True) for path in ("/people", "/people?q=Rob", "/mail")]
    found += [Page("council: /cases", COUNCIL, "/cases", True), Page("auditor: /cases", AUDITOR, "/cases", True)]
    found += [
        Page(f"API: {path}", STAFF, f"/api/v1{path}")
        for path in ("/cases?limit=20", "/cases?step=2&limit=20", "/cases?state=certified", "/cases?mine=true", "/practices")
    ]  # fmt: skip
    found += [Page(f"public: {path}", "", path, True) for path in ("/register", "/register?q=Lake", "/register?q=zzz")]
    return found


def of_cases(data: Dataset) -> list[Page]:
    """Every page of a case in each of some states, as those open it who work on it."""
    found: list[Page] = []
    for state in STATES:
        rows = data.rows(
            f"""select c.id, c.ref, p.email from "case" c
            join role_grant g on g.practice_id = c.practice_id and g.role = 'practice_admin'
            join person p on p.id = g.person_id where c.state = '{state}' order by c.id desc limit 1"""  # noqa: S608
        )
        for case_id, ref, practice in rows:
            for tab in OF_A_CASE:
                found += [Page(f"{reader}: {state}{tab or ' case'}", who, f"/cases/{ref}{tab}") for reader, who in (("practice", str(practice)), ("staff", STAFF))]  # fmt: skip
            found += [
                Page(f"practice: front page, {state}", str(practice), "/"),
                Page(f"API: {state}", STAFF, f"/api/v1/cases/{ref}"),
            ]
            found += _of_survey(data, state, int(str(case_id)))
    return found


def _of_survey(data: Dataset, state: str, case_id: int) -> list[Page]:
    rows = data.rows(
        f"""select s.id, min(p.email), min(ss.site_id), min(a.element) from survey s
        join case_member m on m.case_id = s.case_id and m.role = 'surveyor' join person p on p.id = m.person_id
        join survey_site ss on ss.survey_id = s.id and ss.visited
        left join survey_answer a on a.survey_id = s.id and a.element like '%.%.%'
        where s.case_id = {case_id} group by s.id"""  # noqa: S608
    )
    found = []
    for survey, who, site, element in rows:
        standard = str(element or "1.1.a").rpartition(".")[0]
        found += [
            Page(f"surveyor: {state}, {what}", str(who), path)
            for what, path in (
                ("my surveys", "/my-surveys"), ("survey", f"/surveys/{survey}"), ("checklist", f"/surveys/{survey}/checklist.json"),
                ("standard", f"/surveys/{survey}/sites/{site}/standards/{standard}"), ("API", f"/api/v1/surveys/{survey}"),
            )
        ]  # fmt: skip
    return found
