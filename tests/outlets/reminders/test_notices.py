"""Who is told of a step, and with which words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import add_member, end_member, open_case
from certify.core.access.roles import PRACTICE_ROLES, SYSTEM, Role
from certify.core.foundation.clock import now
from certify.core.rulebook.current import current
from certify.outlets.reminders.operations import tell
from certify.platform.identity.models import Person
from certify.platform.identity.operations import close_account
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write
from certify.platform.practices.models import Practice
from tests.builders import make_actor, make_person, make_practice


class Scene:
    """A case with everyone around it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.practice: Practice = make_practice(session, legal_name="Lakeside Oncology")
        self.other: Practice = make_practice(session)
        self.people: dict[str, Person] = {}
        for role in Role:
            if role is not Role.SYSTEM:
                place = self.practice if role in PRACTICE_ROLES else None
                self.people[role] = make_person(
                    session, role, practice=place, email=f"{role}@people.example", name=role.replace("_", " ").title()
                )
        for role in PRACTICE_ROLES:
            make_person(session, role, practice=self.other)
        self.case: Case = open_case(
            session, self.practice.id, self.practice.legal_name, zone="America/Chicago", actor=SYSTEM, at=now()
        )

    def step(
        self, trigger: str, target: str, *, by: str = "", reason: str = "", version: int | None = None
    ) -> list[Outbox]:
        """Tell of a step and return the mails, by address."""
        self.session.flush()
        state = current().machine(self.case.kind).states[target]
        self.session.connection().execute(
            Case.__table__.update()
            .where(Case.id == self.case.id)
            .values(state=target, step=state.step, holder=state.holder, version=version or Case.version + 1)  # type: ignore[attr-defined]
        )
        self.session.refresh(self.case)
        person = self.people.get(by)
        event = CaseAdvanced(
            self.case.id, self.case.ref, self.practice.id, trigger, "before", target, person.id if person else None, person.name if person else "", now(), reason
        )  # fmt: skip
        before = set(self.session.scalars(select(Outbox.id)))
        tell(self.session, event)
        return list(self.session.scalars(select(Outbox).where(Outbox.id.not_in(before)).order_by(Outbox.to_email)))


@pytest.fixture
def scene(session: Session) -> Scene:
    """A case with everyone around it."""
    return Scene(session)


def addresses(mails: list[Outbox]) -> list[str]:
    """Return whom the mails go to."""
    return [m.to_email.split("@")[0] for m in mails]


def test_the_practice_gets_a_receipt_even_who_sent_it(scene: Scene) -> None:
    mails = scene.step("submit", "submitted", by="practice_admin")
    assert addresses(mails) == ["physician_lead", "practice_admin"]
    text, _ = write(mails[1])
    assert "receipt" in text
    assert "Lakeside Oncology" in text
    assert scene.case.ref in text
    assert "Waiting for the program" in text
    assert f"/cases/{scene.case.ref}" in text
    assert "You are practice administrator of Lakeside Oncology." in text


def test_what_is_asked_next_comes_with_the_date_and_the_very_page(scene: Scene) -> None:
    scene.case.due_key, scene.case.due_on = "answer_days", now().date() + timedelta(days=30)
    mails = scene.step(
        "ask_for_information", "returned", by="program_staff", reason="Which of your sites gives infusions?"
    )
    text, html = write(next(m for m in mails if m.to_email.startswith("practice_admin")))
    for words in (text, html):
        assert "Waiting for you" in words
        assert "Which of your sites gives infusions?" in words
        assert "Wednesday 2 December 2026" in words
        assert "in 30 days" in words
        assert "closed as withdrawn" in words
    assert mails[0].subject == f"The program has questions about your application (Lakeside Oncology, {scene.case.ref})"


def test_who_takes_a_step_is_not_told_of_it(scene: Scene) -> None:
    assert "council" not in addresses(scene.step("return_report", "report_staff_review", by="council", reason="x"))
    assert addresses(scene.step("declare_conflict", "pending", by="program_staff")) == []


def test_the_contact_is_the_assigned_person_and_everyone_while_nobody_is(scene: Scene) -> None:
    second = make_person(scene.session, Role.PROGRAM_STAFF, email="second@people.example")
    assert addresses(scene.step("send_documents", "desk_review", by="practice_admin")) == ["program_staff", "second"]
    scene.case.staff_id = second.id
    assert addresses(scene.step("send_documents", "desk_review", by="practice_admin")) == ["second"]


def test_only_the_surveyor_on_the_case_is_meant(scene: Scene) -> None:
    on_it = make_person(scene.session, Role.SURVEYOR, email="on-it@people.example")
    assert "surveyor" not in addresses(scene.step("clear_conflicts", "scheduling"))
    add_member(scene.session, scene.case, on_it.id, "surveyor", at=now() - timedelta(days=2))
    assert "on-it" in addresses(scene.step("clear_conflicts", "scheduling"))
    end_member(scene.session, scene.case, on_it.id, "surveyor", at=now() - timedelta(days=1))
    assert "on-it" not in addresses(scene.step("clear_conflicts", "scheduling"))


def test_a_proposed_surveyor_is_led_to_the_own_page_not_into_the_case(scene: Scene) -> None:
    proposed = make_person(scene.session, Role.SURVEYOR, email="proposed@people.example")
    add_member(scene.session, scene.case, proposed.id, "proposed_surveyor", at=now())
    mail = next(
        m
        for m in scene.step("propose_surveyor", "surveyor_proposed", by="program_staff")
        if m.to_email.startswith("proposed")
    )
    assert mail.context["action_path"] == "/my-surveys"


def test_a_declared_conflict_is_not_quoted(scene: Scene) -> None:
    mails = scene.step("declare_conflict", "pending", by="practice_admin", reason="She once worked for our competitor.")
    assert addresses(mails) == ["program_staff"]
    assert all("competitor" not in "".join(write(m)) for m in mails)


def test_closed_accounts_get_no_mail(scene: Scene) -> None:
    close_account(
        scene.session, scene.people["physician_lead"].id, actor=make_actor(scene.session, Role.ADMINISTRATOR), at=now()
    )
    assert addresses(scene.step("submit", "submitted", by="practice_admin")) == ["practice_admin"]


def test_the_same_step_is_told_once(scene: Scene) -> None:
    assert scene.step("submit", "submitted", by="practice_admin", version=7) != []
    assert scene.step("submit", "submitted", by="practice_admin", version=7) == []


def test_decisions_are_not_repeated_by_themselves(scene: Scene) -> None:
    assert {m.once_only for m in scene.step("award", "certified", by="council")} == {True}
    assert {m.once_only for m in scene.step("mark_complete", "pending", by="program_staff")} == {False}


def test_every_notice_of_the_rules_can_be_written_for_everyone_it_names(scene: Scene) -> None:
    on_it = make_person(scene.session, Role.SURVEYOR, email="on-it@people.example")
    add_member(scene.session, scene.case, on_it.id, "surveyor", at=now())
    machine = current().machine("certification")
    told = 0
    for notice in current().notices:
        way = next(t for t in machine.transitions if t.trigger == notice.trigger)
        mails = scene.step(notice.trigger, way.target, by="auditor", reason="Because of this.")
        assert mails, notice.trigger
        for mail in mails:
            text, html = write(mail)
            assert notice.subject in text
            assert notice.subject.split(",")[0] in html
            assert "None" not in text, text
            assert "\n\n\n" not in text, text
            told += 1
    assert told > len(current().notices)


def test_a_rejected_application_is_told_as_what_it_is(scene: Scene) -> None:
    """The program's staff found it; the council has decided nothing, and there is no letter."""
    mails = scene.step("reject", "ineligible", by="program_staff", reason="The sites have no common policies.")
    assert addresses(mails) == ["physician_lead", "practice_admin"]
    for words in (w for mail in mails for w in write(mail)):
        assert "Your application is not accepted" in words
        assert "The sites have no common policies." in words
        assert "You may appeal within 30 days" in words
        assert "council" not in words
        assert "letter" not in words
