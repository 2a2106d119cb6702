"""Every mistake that can be made in workflows/ is refused with file, line and reason; every honest edit simply works."""

from __future__ import annotations

import shutil
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from certify.core.access.roles import Role
from certify.core.catalogue.deadlines import due_on
from certify.core.declarations.reading import Broken, Mistake
from certify.core.rulebook import current as in_force
from certify.core.rulebook.loading import check_files, load_rulebook, read_rulebook
from certify.core.rulebook.model import Rulebook
from certify.core.workflow.machine import next_state, openings
from certify.resources import WORKFLOWS
from certify.wiring import guard_keys, wire

APPLICATION = "machines/certification/1-application.yaml"
SURVEY = "machines/certification/2-site-survey.yaml"
DECISION = "machines/certification/4-decision.yaml"
STANDARDS = "standards/omh-2021.yaml"
QUESTIONS = "questionnaires/oncology-medical-home-1.yaml"
AGREEMENT = "agreements/participation-1.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the product's rules to spoil."""
    return Path(shutil.copytree(WORKFLOWS, tmp_path / "workflows"))


@cache
def guards() -> frozenset[str]:
    wire()
    return guard_keys()


def edit(root: Path, file: str, old: str, new: str) -> int:
    """Replace the first `old` and return the line on which the new text's `§` stood, else the line it begins on."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} holds no {old!r}"
    at = text.index(old)
    path.write_text(text.replace(old, new.replace("§", ""), 1), encoding="utf-8")
    marked = at + (new.index("§") if "§" in new else 0)
    return (text[:at] + new)[:marked].count("\n") + 1


def found(root: Path) -> list[Mistake]:
    return sorted(set(read_rulebook(root, guards=guards())[1]))


def test_the_rules_of_the_product_are_without_a_mistake() -> None:
    assert [str(m) for m in check_files(WORKFLOWS, [], guards=guards())] == []


def test_the_edit_under_test_is_seen_on_its_line(root: Path) -> None:
    line = edit(root, APPLICATION, "    label: Application sent\n", "§    label: 5\n")
    assert (root / APPLICATION).read_text().splitlines()[line - 1] == "    label: 5"


# file, what stands there, what is written instead (§ marks the line expected), the reason
BROKEN = [
    # machines: names of other things
    (APPLICATION, "    to: submitted\n", "§    to: submited\n", "'submited' is not a state; did you mean submitted?"),
    (APPLICATION, "    from: [submitted]\n", "§    from: [sent]\n", "'sent' is not a state"),
    (APPLICATION, "has_site,", "has_sight§,", "transition 'submit': 'has_sight' is not a guard; did you mean has_site?"),
    (APPLICATION, "has_site,", "has_site,§ has_site,", "the guard 'has_site' stands twice"),
    (APPLICATION, "roles: [finance]", "§roles: [financee]", "'financee' is not a role; did you mean finance?"),
    (APPLICATION, "roles: [finance]", "§roles: []", "'roles' names no one who may take this step"),
    (APPLICATION, "due: answer_days", "§due: anser_days", "'anser_days' is not a deadline of deadlines.yaml; did you mean"),
    (APPLICATION, "kind: money", "§kind: cash", "'kind' must be one of text, longtext"),
    (APPLICATION, "holder: finance", "§holder: bank", "'holder' must be one of practice, program"),
    (APPLICATION, "page: /cases/{ref}/application", "§page: /cases/{id}/application", "may hold {ref} and no other"),
    (APPLICATION, "page: /cases/{ref}/application", "§page: cases/{ref}/application", "'page' must begin with /"),
    (APPLICATION, "    page: /cases/{ref}/application\n", "", "'prepare' leads to the page of the step: declare 'page' too"),
    (APPLICATION, "sets: [submitted_on]", "sets: [sent_on]", "'sets' names 'sent_on', which no deadline counts from"),
    (APPLICATION, "initial: draft", "initial: begin", "'initial' names no state: 'begin'"),
    (APPLICATION, "machine: certification", "§machine: other", "'machine' must be 'certification'"),
    # machines: what is missing, twice, or of the wrong type
    (APPLICATION, "    label: Application sent\n", "", "state 'submitted': 'label' is missing"),
    (APPLICATION, "    label: Application sent\n", "§    label: ''\n", "state 'submitted': 'label' is empty"),
    (APPLICATION, "    label: Send the application\n", "", "transition 'submit': 'label' is missing"),
    (APPLICATION, "    done: sent the application\n", "", "transition 'submit': 'done' is missing"),
    (APPLICATION, "    holder: program\n", "", "state 'submitted': 'holder' must be one of"),
    (APPLICATION, "holder: program", "§holder: none", "state 'submitted': says no holder; someone must have the ball"),
    (APPLICATION, "number: 2\n", "§number: 1\n", "number 1 is used twice (first in workflows/machines/certification/1-"),
    (APPLICATION, "number: 2\n", "§number: two\n", "'number' must be a whole number, not 'two'"),
    (APPLICATION, "trigger: ask_for_information", "trigger: accept", "transition 'accept': leads on from 'submitted' twice (see workflows/"),
    (APPLICATION, "from: [draft]", "§from: [draft, draft]", "transition 'submit': leads on from 'draft' twice"),
    (APPLICATION, "primary: true", "§primary: perhaps", "'primary' must be true or false"),
    (APPLICATION, "primary: true", "§primry: true", "the key 'primry' is not known here; did you mean primary?"),
    (APPLICATION, "initial: draft\n", "initial: draft\n§initial: draft\n", "the key 'initial' stands twice"),
    (APPLICATION, "  submitted:\n", "§  draft:\n", "the key 'draft' stands twice"),
    (SURVEY, "  pending:\n", "§  draft:\n", "state 'draft' is declared twice (first in workflows/machines/certification/1-"),
    (SURVEY, "step:\n", "initial: pending\nstep:\n", "'initial' is declared twice"),
    (SURVEY, "number: 2\n", "§number: 1\n", "step 1 is declared twice"),
    (APPLICATION, "key: integration_note", "key: integration", "the input 'integration' stands twice"),
    # machines: where they lead
    (APPLICATION, "from: [draft]", "§from: [draft, withdrawn]", "leads on from 'withdrawn', which is an end"),
    (APPLICATION, "    ends: true\n", "    ends: true\n§    due: answer_days\n", "an end has no due date"),
    (APPLICATION, "  ineligible:\n", "§  attic:\n    label: Attic\n    holder: program\n    status: Look\n  ineligible:\n", "state 'attic': cannot be reached from 'draft'"),
    (APPLICATION, "  ineligible:\n", "§  attic:\n    label: Attic\n    holder: program\n    status: Look\n  ineligible:\n", "state 'attic': is a dead end"),
    (SURVEY, "roles: [system]", "§roles: [system, council]", "what happens by itself is taken by 'system' alone"),
    (SURVEY, "    automatic: true\n", "    automatic: true\n§    clock: true\n", "at once ('automatic') or when its time has come"),
    (SURVEY, "    automatic: true\n", "    automatic: true\n§    inputs: [{key: a, label: A, kind: text}]\n", "it takes no required inputs"),
    # deadlines, reminders, notices, fees, settings
    ("deadlines.yaml", "kind: business", "§kind: working", "'kind' must be one of calendar, business, not 'working'"),
    ("deadlines.yaml", "days: 30", "§days: soon", "'days' must be a whole number, not 'soon'"),
    ("deadlines.yaml", "days: 30", "§days: -1", "'days' must be from 0 to 4000, not -1"),
    ("deadlines.yaml", "anchor: pending_on", "§anchor: pendng_on", "'anchor' must be one of"),
    ("deadlines.yaml", "ends_in: [certified, denied]", "ends_in: [certifed]", "'ends_in' names 'certifed', which is not a state"),
    ("deadlines.yaml", "runs_in: [denied, revoked, ineligible]", "runs_in: [denyed]", "'runs_in' names 'denyed', which is not a state"),
    ("deadlines.yaml", "  pending_days:\n", "  pending_day:\n", "the deadline 'pending_days' is missing"),
    ("deadlines.yaml", "    label: Check of the documents\n", "", "deadline 'desk_review_business_days': 'label' is missing"),
    ("reminders.yaml", "deadline: answer_days", "§deadline: answers_day", "is not a deadline of deadlines.yaml; did you mean"),
    ("reminders.yaml", "deadline: answer_days", "deadline: payment_days", "reminders of 'payment_days' are declared twice"),
    ("reminders.yaml", "before: [14, 7, 2, 0]", "§before: [14, -7]", "days are counted without a sign"),
    ("reminders.yaml", "to: [practice_admin]", "§to: [everybody]", "'everybody' is not a role"),
    ("notices.yaml", "trigger: resubmit", "§trigger: resend", "'resend' is not a trigger of any machine"),
    ("notices.yaml", "to: [contact]", "§to: [contac]", "'contac' is not a role; did you mean contact?"),
    ("notices.yaml", "resend: ask", "§resend: maybe", "'resend' must be one of repeat, ask"),
    ("notices.yaml", "audience: survey_team", "§audience: everyone", "'audience' must be one of practice_and_program"),
    ("notices.yaml", "audience: survey_team", "§audience: program_only", "'program_only' is declared twice"),
    ("notices.yaml", "to: [surveyor, contact, writers]", "§to: [surveyor, writer]", "'writer' is not a role"),
    ("fees.yaml", "cents: 600000", "§cents: free", "'cents' must be a whole number, not 'free'"),
    ("fees.yaml", "cents: 600000", "§cents: 6000.00", "'cents' must be a whole number"),
    ("fees.yaml", "up_to_fte: 20", "§up_to_fte: 4", "the bands must rise"),
    ("fees.yaml", "label: over 50 physicians,", "label: over 50 physicians, up_to_fte: 99,", "the last band must have no 'up_to_fte'"),
    ("fees.yaml", "percent: 75", "§percent: 175", "'percent' must be from 0 to 100, not 175"),
    ("fees.yaml", "until: [desk_review]", "§until: [desk]", "'desk' is not a state"),
    ("settings.yaml", "plan_rounds: 2", "§plan_rounds: two", "'plan_rounds' must be a whole number, true or false"),
    ("settings.yaml", "plan_rounds: 2", "§plan_rounds: true", "'plan_rounds' must be a whole number from 0 on, not True"),
    ("settings.yaml", "plan_rounds: 2", "§plan_rounds: -2", "'plan_rounds' must be a whole number from 0 on, not -2"),
    ("settings.yaml", "plan_rounds: 2\n", "", "'plan_rounds' is missing"),
    ("settings.yaml", "surveyor_same_state_blocks: true", "§surveyor_same_state_blocks: 1", "must be true or false, not 1"),
    # standards
    (STANDARDS, "code: '1.2'", "§code: '1.1'", "code '1.1' stands twice"),
    (STANDARDS, "code: '1.2'", "§code: '3.2'", "the code '3.2' must begin with the number of its domain, 1"),
    (STANDARDS, "code: '1.2'", "§code: 1.2", "'code' must be text; put it in quotes"),
    (STANDARDS, "key: education-and-plan", "§key: omh-orientation", "key 'omh-orientation' stands twice"),
    (STANDARDS, "title: Orientation to the medical home\n", "critical: no\n", "standard 1.1: 'title' is missing"),
    (STANDARDS, "- observation", "§- watching", "'watching' is not a review mode"),
    (STANDARDS, "- number: 2", "§- number: 1", "number 1 stands twice"),
    (STANDARDS, "in_force_from: '2021-07-13'", "§in_force_from: July 2021", "'in_force_from' must be a date like 2026-03-05"),
    (STANDARDS, "in_force_to: null", "§in_force_to: '2020-01-01'", "'in_force_to' lies before 'in_force_from'"),
    (STANDARDS, "edition: '2021'", "edition: '2025'", "says it is '2025', as workflows/standards/omh-2021.yaml does already"),
    (STANDARDS, "standards: ['7.8', '7.9']", "§standards: ['7.8', '9.9']", "'9.9' is not in this domain"),
    (STANDARDS, "standards: ['7.8', '7.9']", "§standards: ['7.8', '7.1']", "'7.1' stands in two sections"),
    (STANDARDS, "standards: ['7.8', '7.9']", "standards: ['7.8']", "no section holds 7.9"),
    (STANDARDS, "  mho:\n", "  mho_:\n", "does not describe 'mho', which standard 1.1 names"),
    # questionnaire and agreement
    (QUESTIONS, "key: pathway_tool,", "§key: emr,", "field 'emr' stands twice (first in line 38)"),
    (QUESTIONS, "kind: email", "§kind: mail", "'kind' must be one of text, textarea"),
    (QUESTIONS, "  - key: integration\n", "§  - key: practice\n", "section 'practice' stands twice"),
    (QUESTIONS, "  - key: integration\n", "§  - key: answers\n", "'answers' is taken by the addresses of the application"),
    (QUESTIONS, "  - key: integration\n", "§  - key: a/b\n", "'a/b' must be lower-case letters, digits and underscores"),
    (QUESTIONS, "key: emr,", "§key: then,", "'then' is taken by the form of every section"),
    (QUESTIONS, "minimum: 1,", "§minimum: 900000,", "'minimum' is above 'maximum'"),
    (QUESTIONS, "label: New patients a year,", "", "field 'new_patients_per_year': 'label' is missing"),
    (AGREEMENT, "signers: [physician_lead, practice_admin]", "§signers: [anyone]", "'anyone' is not a role"),
    (AGREEMENT, "  - title: Fees\n", "  - title: ''\n", "'title' is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "reason"), BROKEN, ids=lambda v: str(v)[:60].strip().replace("\n", " "))
def test_a_mistake_is_named_with_file_line_and_reason(root: Path, file: str, old: str, new: str, reason: str) -> None:
    line = edit(root, file, old, new)
    mistakes = found(root)
    fitting = [m for m in mistakes if reason in m.reason]
    assert fitting, [str(m) for m in mistakes]
    expected = file if file != STANDARDS or "says it is" not in reason else "standards/omh-2025.yaml"
    assert fitting[0].file == f"workflows/{expected}"
    if "§" in new:
        assert line in {m.line for m in fitting}, ([str(m) for m in fitting], line)


def test_a_misspelled_state_is_the_one_mistake_told_of_not_all_that_it_cuts_off(root: Path) -> None:
    edit(root, APPLICATION, "to: submitted", "to: submited")
    (only,) = found(root)
    assert "'submited' is not a state; did you mean submitted?" in str(only)


def test_a_case_that_goes_round_for_ever_is_refused(root: Path) -> None:
    loop = (
        "  - {number: 801, trigger: enter_maze, from: [submitted], to: maze, roles: [program_staff], label: Enter, done: entered}\n"
        "  - {number: 802, trigger: turn, from: [maze], to: corner, roles: [program_staff], label: Turn, done: turned}\n"
        "  - {number: 803, trigger: return_turn, from: [corner], to: maze, roles: [program_staff], label: Turn back, done: turned}\n"
    )
    edit(root, APPLICATION, "transitions:\n", "transitions:\n" + loop)
    states = "".join(f"  {k}:\n    label: {k}\n    holder: program\n    status: Go on\n" for k in ("maze", "corner"))
    line = edit(root, APPLICATION, "  ineligible:\n", states + "  ineligible:\n")
    assert [(m.line, m.reason) for m in found(root)] == [
        (line, "state 'maze': goes in a circle: nothing that follows from it leads to an end or a rest"),
        (line + 4, "state 'corner': goes in a circle: nothing that follows from it leads to an end or a rest"),
    ]


def test_a_state_may_await_a_later_machine_with_the_reason_written_down(root: Path) -> None:
    waiting = (
        "  hearing:\n    label: Hearing\n    holder: council\n    status: Hear\n    awaits: The hearing comes later.\n"
    )
    edit(root, DECISION, "  denied:\n", waiting + "  denied:\n")
    assert found(root) == []


def test_a_file_that_would_not_be_read_is_not_passed_over_in_silence(root: Path) -> None:
    (root / "standards" / "omh-2030.yml").write_text("edition: '2030'\n")
    assert [str(m) for m in found(root)] == [
        "workflows/standards/omh-2030.yml:1: is not read: let its name end in .yaml"
    ]


@pytest.mark.parametrize("name", ["deadlines.yaml", "fees.yaml", "notices.yaml", "reminders.yaml", "settings.yaml"])
def test_a_missing_file_is_named(root: Path, name: str) -> None:
    (root / name).unlink()
    assert any(m.file == f"workflows/{name}" and "cannot be read" in m.reason for m in found(root))


@pytest.mark.parametrize("name", ["machines", "standards", "questionnaires", "agreements"])
def test_an_empty_folder_is_named(root: Path, name: str) -> None:
    shutil.rmtree(root / name)
    assert any(m.file == f"workflows/{name}" for m in found(root))


def test_all_mistakes_of_all_files_come_at_once(root: Path) -> None:
    edit(root, APPLICATION, "holder: finance", "holder: bank")
    edit(root, "fees.yaml", "cents: 600000", "cents: free")
    edit(root, STANDARDS, "code: '1.2'", "code: '1.1'")
    with pytest.raises(Broken) as refusal:
        load_rulebook(root, guards=None)
    assert {m.file.rsplit("/", 1)[-1] for m in refusal.value.mistakes} == {
        "1-application.yaml",
        "fees.yaml",
        "omh-2021.yaml",
    }


def test_only_the_mistakes_of_the_files_asked_for_are_given(root: Path) -> None:
    edit(root, APPLICATION, "holder: finance", "holder: bank")
    edit(root, "fees.yaml", "cents: 600000", "cents: free")
    assert [m.file for m in check_files(root, [root / "fees.yaml"], guards=None)] == ["workflows/fees.yaml"]
    assert len(check_files(root, [], guards=None)) == 2


def test_a_guard_free_state_added_in_yaml_is_offered_and_can_be_walked(root: Path) -> None:
    edit(
        root,
        APPLICATION,
        "  ineligible:\n",
        "  talk:\n    label: Talk with the practice\n    holder: program\n    status: Call the practice\n    due: talk_days\n  ineligible:\n",
    )
    ways = (
        "  - {number: 901, trigger: invite_to_talk, from: [submitted], to: talk, roles: [program_staff], label: Invite, done: invited}\n"
        "  - {number: 902, trigger: end_talk, from: [talk], to: submitted, roles: [program_staff], label: End the talk, done: talked}\n"
    )
    edit(root, APPLICATION, "transitions:\n", "transitions:\n" + ways)
    edit(
        root,
        "deadlines.yaml",
        "deadlines:\n",
        "deadlines:\n  talk_days:\n    label: Talk\n    kind: business\n    days: 3\n    after: The program calls again.\n",
    )
    book = load_rulebook(root, guards=guards())
    machine = book.machine("certification")
    staff = [Role.PROGRAM_STAFF]
    offered = {o.trigger: o for o in openings(machine, "submitted", roles=staff, check=lambda _guard: [])}
    assert offered["invite_to_talk"].allowed
    assert offered["invite_to_talk"].label == "Invite"
    assert next_state(machine, "submitted", "invite_to_talk", roles=staff, check=lambda _guard: []) == "talk"
    assert next_state(machine, "talk", "end_talk", roles=staff, check=lambda _guard: []) == "submitted"
    due = machine.states["talk"].due
    assert due is not None
    assert due_on(book.deadlines[due], {"entered": date(2026, 11, 6)}) == date(2026, 11, 12)


def test_a_deadline_changed_in_yaml_changes_the_due_date(root: Path) -> None:
    anchors = {"entered": date(2026, 11, 2)}
    before = load_rulebook(root, guards=None).deadlines["documents_window_days"]
    edit(root, "deadlines.yaml", "    days: 28\n", "    days: 21\n")
    after = load_rulebook(root, guards=None).deadlines["documents_window_days"]
    assert (due_on(before, anchors), due_on(after, anchors)) == (date(2026, 11, 30), date(2026, 11, 23))


def test_a_guard_taken_away_in_yaml_is_asked_no_more(root: Path) -> None:
    edit(root, APPLICATION, "webinar_attended, ", "")
    machine = load_rulebook(root, guards=guards()).machine("certification")
    assert "webinar_attended" not in next(t for t in machine.transitions if t.trigger == "submit").guards


def test_a_standard_added_in_yaml_is_part_of_its_edition(root: Path) -> None:
    added = (
        "  - code: '1.6'\n    key: interpreters\n    title: Interpreters\n    requirement: Patients can have an interpreter.\n"
        "    evidence: [documentation]\n    elements:\n      a: Is there an interpreter service?\n"
    )
    edit(root, STANDARDS, "- number: 2\n", added + "- number: 2\n")
    edition = load_rulebook(root, guards=None).editions["2021"]
    assert edition.standards["1.6"].title == "Interpreters"
    assert edition.elements["1.6.a"].question == "Is there an interpreter service?"
    assert len(edition.standards) == 38


def test_a_newer_questionnaire_and_agreement_are_for_new_cases_and_the_old_ones_stay(root: Path) -> None:
    for file in (QUESTIONS, AGREEMENT):
        text = (root / file).read_text(encoding="utf-8").replace('version: "1"', 'version: "10"', 1)
        (root / file.replace("-1.", "-10.")).write_text(text, encoding="utf-8")
    book = load_rulebook(root, guards=None)
    assert (book.newest_questionnaire().version, book.newest_agreement().version) == ("10", "10")
    assert set(book.questionnaires) == set(book.agreements) == {"1", "10"}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(WORKFLOWS, guards=None)


@pytest.mark.parametrize(
    ("on", "open_ones"),
    [
        (date(2021, 7, 12), ["2025"]),  # nothing is in force yet: the newest
        (date(2021, 7, 13), ["2021"]),
        (date(2026, 6, 30), ["2021"]),
        (date(2026, 7, 1), ["2025", "2021"]),
        (date(2026, 12, 28), ["2025", "2021"]),  # the last of 180 days
        (date(2026, 12, 29), ["2025"]),
    ],
)
def test_an_older_edition_stays_open_for_the_overlap(book: Rulebook, on: date, open_ones: list[str]) -> None:
    assert [e.edition for e in book.editions_open_on(on)] == open_ones
    assert book.newest_edition(on).edition == open_ones[0]


def test_the_process_runs_by_one_rulebook(book: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "_rulebook", None)
    with pytest.raises(RuntimeError):
        in_force.current()
    in_force.use(book)
    assert in_force.current() is book
    with pytest.raises(KeyError):
        book.machine("nothing")
