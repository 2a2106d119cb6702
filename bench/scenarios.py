"""What is measured: a request as a real role makes it, the floor it is compared with, and how they may differ."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.data import Dataset
from bench.floors import CASES, ITEMS
from bench.traffic import Maker, Request, as_json


@dataclass
class Scenario:
    """One line of the table."""

    name: str
    ours: Maker
    people: list[str]  # who is signed in, client by client
    floor: Maker | None = None
    aim: float | None = None  # processor time per request, at most this many times the floor's
    counted: Request | None = None  # for the number of queries
    clients: tuple[int, ...] = (1, 8, 32)
    note: str = ""
    once: bool = False  # what is asked for can be had only once, so nothing is spent on warming up


@dataclass
class Found:
    """What the dataset offers to be asked for."""

    surveys: list[tuple[int, str, int]] = field(default_factory=list)  # survey in progress, surveyor, a site
    seqs: dict[int, int] = field(default_factory=dict)  # where each survey's journal stood at first
    elements: list[str] = field(default_factory=list)
    staff: str = "staff@demo.example"
    practice: tuple[str, str] = ("", "")  # a case and its administrator
    report_case: str = ""
    submitted: list[tuple[str, int]] = field(default_factory=list)


def find(data: Dataset) -> Found:
    """Look up cases, surveys and people in the dataset."""
    found = Found()
    surveys = data.rows(
        """select s.id, min(p.email), min(ss.site_id) from survey s join "case" c on c.id = s.case_id
        join case_member m on m.case_id = c.id and m.role = 'surveyor' join person p on p.id = m.person_id
        join survey_site ss on ss.survey_id = s.id and ss.visited
        where c.state = 'survey_in_progress' and s.finished_at is null group by s.id order by s.id"""
    )
    found.surveys = [(int(str(a)), str(b), int(str(c))) for a, b, c in surveys]
    found.seqs = {int(str(a)): int(str(b)) for a, b in data.rows("select id, seq from survey")}
    found.elements = [
        str(row[0])
        for row in data.rows("select distinct element from survey_answer where element like '%.%.%' order by element")
    ]
    found.practice = tuple(  # type: ignore[assignment]
        str(cell)
        for cell in data.rows(
            """select c.ref, p.email from "case" c join role_grant g on g.practice_id = c.practice_id and g.role = 'practice_admin'
            join person p on p.id = g.person_id where c.state = 'documents_open' order by c.id limit 1"""
        )[0]
    )
    found.report_case = str(
        data.rows(
            """select c.ref from "case" c join report r on r.case_id = c.id where r.state = 'issued' order by c.id desc limit 1"""
        )[0][0]
    )
    found.submitted = [
        (str(ref), int(str(version)))
        for ref, version in data.rows("""select ref, version from "case" where state = 'submitted' order by id""")
    ]
    return found


def always(request: Request) -> Maker:
    """The same request from every client."""
    return lambda client, number: request


def ops(found: Found, count: int) -> Maker:
    """Answers of a surveyor, each new; a client has a survey of its own while there are enough.

    As on a real tablet, each call says what it has seen so far, and learns where the journal stands.
    """
    devices = [str(uuid.uuid4()) for _ in range(64)]
    seen: dict[int, int] = {}

    def make(client: int, number: int) -> Request:
        survey, _who, site = found.surveys[client % len(found.surveys)]
        since = seen.get(client, found.seqs[survey])
        at = datetime.now(UTC).isoformat()
        sent = [
            {
                "op": str(uuid.uuid4()), "site": site, "element": found.elements[(number * count + i) % len(found.elements)],
                "field": "note", "value": f"Seen at visit {number}-{i} by tablet {client}", "base": since, "at": at,
            }
            for i in range(count)
        ]  # fmt: skip
        body = as_json({"device": devices[client], "since": since, "ops": sent})

        def learn(answer: bytes) -> None:
            seen[client] = json.loads(answer)["seq"]

        return Request(f"/surveys/{survey}/sync", "POST", body, "application/json", contains=b'"acks"', learn=learn)

    return make


def floor_answers(count: int) -> Maker:
    """The floor saves as many."""

    def make(client: int, number: int) -> Request:
        sent = [{"item": (number * count + i) % ITEMS, "value": f"Seen at visit {number}-{i}"} for i in range(count)]
        return Request(f"/answers/{client % 32}", "POST", as_json(sent), "application/json", contains=b"saved")

    return make


def steps(refs: Iterator[tuple[str, int]]) -> Maker:
    """Staff asks for information, each time of another case."""

    def make(client: int, number: int) -> Request | None:
        # There are only so many cases to ask about: a turn takes at most this many.
        taken = next(refs, None) if number < STEPS_A_TURN else None
        if taken is None:
            return None
        ref, version = taken
        data = {"reason": "We need one more detail.", "questions": [{"field": FIELD, "question": "Please say more."}]}
        body = json.dumps({"trigger": "ask_for_information", "version": version, "data": data}).encode()
        return Request(f"/api/v1/cases/{ref}/transitions", "POST", body, "application/json", contains=b'"returned"')

    return make


def floor_list(client: int, number: int) -> Request:
    """Another page of the floor's list each time."""
    return Request(f"/cases?after={(number * 37 + client) % (CASES - 20)}", contains=b"FL-")


FIELD = "ownership_type"
STEPS_A_TURN = 25


def scenarios(found: Found) -> list[Scenario]:
    """Every line of the table."""
    surveyors = [who for _, who, _ in found.surveys] or [found.staff]
    survey, _, site = found.surveys[0]
    code = found.elements[0].rpartition(".")[0]
    floor_page = always(Request("/cases", contains=b"FL-"))
    today, listing = Request("/today", contains=b"</html>"), Request("/cases", contains=b"</html>")
    case = Request(f"/cases/{found.practice[0]}", contains=found.practice[0].encode())
    pack = Request(f"/surveys/{survey}/checklist.json", contains=b'"domains"')
    standard = Request(f"/surveys/{survey}/sites/{site}/standards/{code}", contains=b"</html>")
    api_list = Request("/api/v1/cases?limit=20", contains=b'"items"')
    waiting = iter(found.submitted)
    return [
        Scenario(
            "sign-in page",
            always(Request("/sign-in")),
            [],
            always(Request("/empty")),
            None,
            Request("/sign-in"),
            note="floor: empty route",
        ),
        Scenario("staff: what needs me today", always(today), [found.staff], floor_list, 2.5, today),
        Scenario("staff: list of cases, 20", always(listing), [found.staff], floor_list, 2.5, listing),
        Scenario("API: list of cases, 20", always(api_list), [found.staff], floor_list, 2.5, api_list),
        Scenario("practice: its case", always(case), [found.practice[1]], floor_page, None, case),
        Scenario(
            "surveyor: one standard of the checklist",
            always(standard),
            [surveyors[0]],
            always(Request("/checklist/1")),
            1.6,
            standard,
        ),
        Scenario(
            "surveyor: whole checklist as JSON",
            always(pack),
            [surveyors[0]],
            always(Request("/checklist/1.json")),
            2.5,
            pack,
        ),
        Scenario("surveyor: save one answer", ops(found, 1), surveyors, floor_answers(1), 2.0, ops(found, 1)(0, 1)),
        Scenario(
            "surveyor: sync 60 answers",
            ops(found, 60),
            surveyors,
            floor_answers(60),
            2.5,
            ops(found, 60)(0, 2),
            clients=(1, 8),
        ),
        Scenario(
            "surveyor: sync 240 answers",
            ops(found, 240),
            surveyors,
            floor_answers(240),
            2.5,
            ops(found, 240)(0, 3),
            clients=(1, 8),
        ),
        Scenario("staff: a step of a case (API)", steps(waiting), [found.staff], floor_answers(1), 2.5, once=True),
        Scenario("public register", always(Request("/register")), [], floor_page, None, Request("/register")),
    ]
