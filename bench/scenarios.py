"""The lines of the table of requests: each as a real role makes it, the floor it is compared with, and how they may differ."""

from __future__ import annotations

from dataclasses import dataclass

from bench.found import STAFF, Found
from bench.makers import Saves, always, answers, asking, floor_answers, floor_list
from bench.traffic import Maker, Request

STEPS_A_TURN = 25  # of one client: there are only so many cases to ask about


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
    once: bool = False  # what is asked for can be had only once, so nothing is spent on warming up


def scenarios(found: Found, saves: Saves) -> list[Scenario]:
    """Every line of the table."""
    surveyors = [who for _, who, _ in found.surveys]
    survey, _, site = found.surveys[0]
    code = found.elements[0].rpartition(".")[0]
    floor_page = always(Request("/cases", contains=b"FL-"))
    sign_in, register = Request("/sign-in", contains=b"</html>"), Request("/register", contains=b"</html>")
    today, listing = Request("/today", contains=b"</html>"), Request("/cases", contains=b"</html>")
    case = Request(f"/cases/{found.practice[0]}", contains=found.practice[0].encode())
    pack = Request(f"/surveys/{survey}/checklist.json", contains=b'"domains"')
    standard = Request(f"/surveys/{survey}/sites/{site}/standards/{code}", contains=b"</html>")
    api_list = Request("/api/v1/cases?limit=20", contains=b'"items"')
    html, packed = Request("/checklist/1", contains=b"</html>"), Request("/checklist/1.json", contains=b"yes")
    made = [
        Scenario("sign-in page", always(sign_in), [], always(Request("/empty")), None, sign_in),
        Scenario("staff: what needs me today", always(today), [STAFF], floor_list, 2.5, today),
        Scenario("staff: list of cases, 20", always(listing), [STAFF], floor_list, 2.5, listing),
        Scenario("API: list of cases, 20", always(api_list), [STAFF], floor_list, 2.5, api_list),
        Scenario("practice: its case", always(case), [found.practice[1]], floor_page, None, case),
        Scenario("surveyor: one standard of the checklist", always(standard), surveyors[:1], always(html), 1.6, standard),
        Scenario("surveyor: whole checklist as JSON", always(pack), surveyors[:1], always(packed), 2.5, pack),
    ]  # fmt: skip
    for count, name, aim in ((1, "save one answer", 2.0), (60, "sync 60 answers", 2.5), (240, "sync 240 answers", 2.5)):
        clients = (1, 8, 32) if count == 1 else (1, 8)
        made.append(
            Scenario(
                f"surveyor: {name}", answers(found, count, saves), surveyors, floor_answers(count), aim,
                answers(found, count)(0, 1), clients,
            )
        )  # fmt: skip
    steps = asking(iter(found.submitted), STEPS_A_TURN)
    made.append(Scenario("staff: a step of a case (API)", steps, [STAFF], floor_answers(1), 2.5, once=True))
    made.append(Scenario("public register", always(register), [], floor_page, None, register))
    return made
