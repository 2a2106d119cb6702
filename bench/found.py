"""What a dataset offers to be asked for: surveys in progress, drafts, cases to step on, people."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.data import Dataset
from bench.pages import STAFF

FIELD = "pathway_tool"  # a text that the drafts of the dataset lack


@dataclass
class Found:
    """What the dataset offers."""

    surveys: list[tuple[int, str, int]] = field(default_factory=list)  # survey in progress, surveyor, a site
    seqs: dict[int, int] = field(default_factory=dict)  # where each survey's journal stood at first
    elements: list[str] = field(default_factory=list)
    practice: tuple[str, str] = ("", "")  # a case and its administrator
    drafts: list[tuple[str, str, int]] = field(default_factory=list)  # case, its administrator, revision of FIELD
    practices: list[tuple[int, int]] = field(default_factory=list)  # practice, its version
    report_cases: list[str] = field(default_factory=list)  # with a report under review
    submitted: list[tuple[str, int]] = field(default_factory=list)  # case, its version
    unpaid: list[tuple[str, int, int]] = field(default_factory=list)  # case, its version, what it owes


def find(data: Dataset) -> Found:
    """Look up cases, surveys and people in the dataset."""
    found = Found()
    found.surveys = [
        (int(str(a)), str(b), int(str(c)))
        for a, b, c in data.rows(
            """select s.id, min(p.email), min(ss.site_id) from survey s join "case" c on c.id = s.case_id
            join case_member m on m.case_id = c.id and m.role = 'surveyor' join person p on p.id = m.person_id
            join survey_site ss on ss.survey_id = s.id and ss.visited
            where c.state = 'survey_in_progress' and s.finished_at is null group by s.id order by s.id"""
        )
    ]
    found.seqs = {int(str(a)): int(str(b)) for a, b in data.rows("select id, seq from survey")}
    found.elements = [
        str(row[0])
        for row in data.rows("select distinct element from survey_answer where element like '%.%.%' order by element")
    ]
    administrator = """join role_grant g on g.practice_id = c.practice_id and g.role = 'practice_admin'
        join person p on p.id = g.person_id"""
    found.practice = next(
        (str(ref), str(email))
        for ref, email in data.rows(
            f"""select c.ref, p.email from "case" c {administrator} where c.state = 'documents_open' order by c.id limit 1"""  # noqa: S608
        )
    )
    found.drafts = [
        (str(ref), str(email), int(str(rev)))
        for ref, email, rev in data.rows(
            f"""select c.ref, p.email, coalesce(max(a.rev), 0) from "case" c {administrator}
            left join answer a on a.case_id = c.id and a.field = '{FIELD}'
            where c.state = 'draft' group by c.id, c.ref, p.email order by c.id limit 64"""  # noqa: S608
        )
    ]
    found.practices = [
        (int(str(key)), int(str(version)))
        for key, version in data.rows("select id, version from practice order by id desc limit 64")
    ]
    found.report_cases = [
        str(row[0])
        for row in data.rows("""select ref from "case" where state = 'report_staff_review' order by id desc limit 8""")
    ]
    found.submitted = [
        (str(ref), int(str(version)))
        for ref, version in data.rows("""select ref, version from "case" where state = 'submitted' order by id""")
    ]
    found.unpaid = [
        (str(ref), int(str(version)), int(str(owed)))
        for ref, version, owed in data.rows(
            """select c.ref, c.version, i.total_cents from "case" c join invoice i on i.case_id = c.id and i.kind = 'application'
            where c.state = 'awaiting_payment' and i.state = 'open' order by c.id"""
        )
    ]
    assert found.surveys, "the dataset has no survey in progress"
    assert found.report_cases, "the dataset has no report under review"
    assert found.drafts, "the dataset has no draft"
    return found


__all__ = ["FIELD", "STAFF", "Found", "find"]
