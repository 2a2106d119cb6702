"""The rules of the product say everything a person needs, in plain words, and hold all of the process."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from certify.certification.applications import fields
from certify.certification.cases.inputs import READERS
from certify.core.access.roles import Role
from certify.core.catalogue.loading import FIELD_KINDS
from certify.core.rulebook.loading import load_rulebook
from certify.core.workflow.loading import INPUT_KINDS
from certify.core.workflow.machine import State, Transition
from certify.resources import TEMPLATES, WORKFLOWS

BOOK = load_rulebook(WORKFLOWS, guards=None)
MACHINE = BOOK.machine("certification")
STATES = pytest.mark.parametrize("state", MACHINE.states.values(), ids=list(MACHINE.states))
TRANSITIONS = pytest.mark.parametrize("step", MACHINE.transitions, ids=[t.trigger for t in MACHINE.transitions])

# process.md, section 3: the state and the step it is shown in.
STEPS = {
    1: "draft submitted returned awaiting_payment documents_open desk_review",
    2: "pending surveyor_proposed scheduling survey_scheduled survey_in_progress",
    3: "report_drafting report_staff_review report_council_review report_issued plan_due plan_review correction_open "
    "correction_review repeat_survey",
    4: "decision appeal_open",
    5: "certified annual_review off_cycle_review suspended renewal grace",
}
ENDS = {"ineligible", "withdrawn", "expired", "denied", "revoked", "lapsed"}
ADDED = {"close_unanswered", "close_unpaid"}  # the two clocks that the table names in its deadline column


def test_every_state_of_the_process_stands_in_its_step() -> None:
    for number, keys in STEPS.items():
        for key in keys.split():
            assert MACHINE.states[key].step == number, key
    assert {s.key for s in MACHINE.states.values() if s.ends} == ENDS
    assert set(MACHINE.states) == {k for keys in STEPS.values() for k in keys.split()} | ENDS


def test_every_row_of_the_process_up_to_the_decision_is_a_transition() -> None:
    numbers = {t.number for t in MACHINE.transitions if t.trigger not in ADDED}
    assert numbers == {*range(1, 34), 37, 38}


def test_six_steps_are_named_and_explained() -> None:
    assert [s.number for s in MACHINE.steps] == [1, 2, 3, 4, 5, 6]
    assert all(s.title and s.explanation.endswith(".") for s in MACHINE.steps)


def test_nothing_but_the_award_leads_to_a_certificate() -> None:
    assert [t.trigger for t in MACHINE.transitions if t.target == "certified"] == ["award"]
    award = next(t for t in MACHINE.transitions if t.trigger == "award")
    assert {"all_standards_met", "no_open_critical", "fees_settled", "agreement_valid", "decider_uninvolved"} <= set(
        award.guards
    )


def test_closing_the_requirements_is_the_only_way_on_from_their_review() -> None:
    ways = {t.trigger: t.target for t in MACHINE.leaving("correction_review")}
    assert ways.pop("close_requirements") == "decision"
    assert set(ways.values()) == {"correction_open", "repeat_survey", "withdrawn", "expired"}


def test_only_the_practice_withdraws_and_only_before_the_decision() -> None:
    withdraw = next(t for t in MACHINE.transitions if t.trigger == "withdraw")
    assert withdraw.roles == {Role.PRACTICE_ADMIN}
    assert set(withdraw.sources) == {k for n in (1, 2, 3) for k in STEPS[n].split()}


def test_the_pending_year_runs_out_from_pending_to_the_decision() -> None:
    expire = next(t for t in MACHINE.transitions if t.trigger == "expire")
    assert set(expire.sources) == {*STEPS[2].split(), *STEPS[3].split(), "decision"}
    assert expire.clock


@STATES
def test_a_state_says_where_things_stand_and_what_comes_next(state: State) -> None:
    assert _plain(state.label)
    assert _plain(state.status)
    assert _plain(state.status_others)
    assert not state.status.endswith("."), "it is a headline"
    if not state.awaits:
        assert state.next.endswith("."), "it is a sentence"
        assert _plain(state.next)


@STATES
def test_who_holds_the_ball_has_a_date(state: State) -> None:
    free = {"draft", "survey_in_progress", "report_issued", "certified"}
    assert bool(state.due) == (not state.ends and not state.awaits and state.key not in free)


@TRANSITIONS
def test_a_step_says_what_it_does(step: Transition) -> None:
    assert _plain(step.label)
    assert _plain(step.done)
    assert not step.done.endswith(".")
    assert step.explanation.endswith(".") or step.automatic or step.clock
    assert not step.prepare or _plain(step.prepare)
    for one in step.inputs:
        assert _plain(one.label)
        assert all(_plain(words) for _key, words in one.choices)


@TRANSITIONS
def test_what_a_state_calls_primary_is_one_button_for_each_person(step: Transition) -> None:
    for source in step.sources:
        primary = Counter(r for t in MACHINE.leaving(source) if t.primary for r in t.roles)
        assert max(primary.values(), default=0) <= 1, source


@TRANSITIONS
def test_every_person_concerned_hears_of_a_step(step: Transition) -> None:
    assert any(n.trigger == step.trigger for n in BOOK.notices)


def test_every_deadline_says_what_happens_after_it() -> None:
    assert all(d.after.endswith(".") and _plain(d.label) for d in BOOK.deadlines.values())


def test_every_deadline_is_used() -> None:
    used = {s.due for s in MACHINE.states.values() if s.due} | {
        d.key for d in BOOK.deadlines.values() if d.runs == "case" or d.runs_in
    }
    assert set(BOOK.deadlines) == used


@pytest.mark.parametrize(
    ("deadline", "before", "after", "kind"),
    [
        ("documents_window_days", (14, 7, 2, 0), (1, 7), "calendar"),
        ("survey_visit", (30, 14, 7, 1), (), "calendar"),
        ("report_days", (5, 0), (), "business"),
        ("cap_business_days", (5, 2, 0), (), "business"),
        ("correction_new_days_before_anniversary", (90, 60, 30, 14, 7, 1), (), "calendar"),
        ("pending_days", (120, 60, 30), (), "calendar"),
    ],
)
def test_people_are_reminded_when_the_process_says(
    deadline: str, before: tuple[int, ...], after: tuple[int, ...], kind: str
) -> None:
    found = next(r for r in BOOK.reminders if r.deadline == deadline)
    assert (found.before, found.after, found.kind) == (before, after, kind)


def test_every_notice_has_its_mail_in_text_and_html() -> None:
    for template in (*(n.template for n in BOOK.notices), *(n.template for n in BOOK.message_notices)):
        for ending in ("txt", "html"):
            assert (TEMPLATES / "mail" / f"{template}.{ending}").is_file(), template


def test_decisions_and_invoices_are_never_sent_twice_without_asking() -> None:
    asked = {n.trigger for n in BOOK.notices if n.resend == "ask"}
    assert {"award", "deny", "reject", "approve_report"} <= asked


def test_the_fees_are_those_of_the_process() -> None:
    fees = BOOK.fees
    assert [(b.up_to_fte, b.cents) for b in fees.bands] == [
        (5, 600_000),
        (20, 900_000),
        (50, 1_300_000),
        (None, 1_800_000),
    ]
    assert (fees.site_cents, fees.repeat_survey_cents, fees.late_reschedule_cents) == (50_000, 250_000, 100_000)
    assert (fees.annual_cents, fees.appeal_cents, fees.currency) == (150_000, 50_000, "USD")
    assert [r.percent for r in fees.refunds] == [75, 50]


def test_the_questionnaire_asks_what_the_process_lists() -> None:
    asked = BOOK.newest_questionnaire().fields
    assert {
        "ownership_type", "new_patients_per_year", "emr", "pathway_tool", "patient_survey_vendor", "accreditations", "payers",
        "shared_policies", "rotating_staff", "policy_owner", "common_tax_id", "common_address", "survey_windows", "blackout_days",
        "survey_mode", "attestation", "practice_record",
    } <= set(asked)  # fmt: skip
    assert asked["survey_windows"].kind == "date_windows"
    assert asked["attestation"].kind == "attestation"
    assert all(_plain(f.label) for f in asked.values())
    assert all(s.intro for s in BOOK.newest_questionnaire().sections)


def test_the_agreement_covers_what_the_process_lists_and_is_known_by_its_digest() -> None:
    agreement = BOOK.newest_agreement()
    text = agreement.text.lower()
    for matter in ("business associate", "confidential", "fee", "name and logo", "within 30 days", "reviews", "data"):
        assert matter in text, matter
    assert re.fullmatch(r"[0-9a-f]{64}", agreement.sha256)
    assert agreement.text.startswith(agreement.title)
    assert set(agreement.signers) <= {"practice_admin", "physician_lead"}


def test_whatever_may_be_declared_can_be_read_when_people_send_it() -> None:
    assert set(INPUT_KINDS) == set(READERS)
    assert set(FIELD_KINDS) - {"practice_record"} == set(fields.READERS)


def _plain(text: str) -> bool:
    """Whether words are written for people: some, no placeholder, no key with underscores, no capitals throughout."""
    assert text.strip(), "there are no words"
    assert not re.search(r"[{}<>]|\b\w+_\w+\b", text), text
    assert not text.isupper(), text
    return True


def test_the_keys_of_settings_are_numbers_or_switches() -> None:
    kinds: dict[str, Any] = {k: type(v) for k, v in BOOK.settings.items()}
    assert kinds.pop("surveyor_same_state_blocks") is bool
    assert set(kinds.values()) == {int}


BRITISH = re.compile(
    r"\b(counselling|colours?|licences?|labell(?:ed|ing)|cancell(?:ed|ing)|centres?|programmes?|ageing|judgements?|whilst|learnt|fulfil|grey|"
    r"behaviours?|neighbours?|tumours?|favour\w*|honour\w*|anal?ysed|analysing|catalogues?|practis\w+|"
    r"(?:recogn|organ|author|standard|util|prior|summar|minim|special|individual|immun|stabil|steril|normal|categor|emphas|final|custom)is(?:e|es|ed|ing|ation\w*)|"
    r"haemat\w+|anaem\w+|paediatr\w+|leukaem\w+|oedema|diarrhoea)\b",
    re.IGNORECASE,
)


def test_people_in_the_united_states_read_their_own_spelling() -> None:
    texts = {}
    for path in WORKFLOWS.rglob("*.yaml"):
        lines = (line.partition(" #")[0] for line in path.read_text("utf-8").splitlines())
        texts[path] = "\n".join(line for line in lines if not re.match(r"\s*(?:#|-?\s*(?:key|source|sources):)", line))
    for path in sorted({*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt")}):
        # What stands between marks and tags: names of the program's own things are not read by anyone.
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.DOTALL)
        texts[path] = text
    for path in (*(WORKFLOWS.parent / "docs").glob("*.md"), WORKFLOWS.parent / "README.md"):
        texts[path] = re.sub(r"`[^`]*`|```.*?```", " ", path.read_text("utf-8"), flags=re.DOTALL)
    found = [(path.name, m.group()) for path, text in texts.items() for m in BRITISH.finditer(text)]
    assert found == []
