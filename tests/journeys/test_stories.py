"""The stories of one practice in a real browser, by pages alone: it applies, is asked back, is surveyed, corrects and is certified."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.applications.operations import put_answers, sign_agreement
from certify.certification.applications.queries import agreement_of
from certify.certification.cases.models import Case
from certify.certification.cases.operations import take
from certify.certification.cases.queries import case_by_id
from certify.certification.surveyors.operations import Profile, save_surveyor
from certify.certification.surveys.models import Survey
from certify.certification.surveys.operations import answer_all
from certify.certification.surveys.queries import answers_of, latest_survey, sites_of
from certify.core.access.roles import Actor, Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from certify.platform.mail.models import Outbox
from tests.builders import PASSWORD, make_person
from tests.certification.surveys.visits import FITTING
from tests.support.applied import ANSWERS, apply
from tests.support.worlds import LiveServer

NewPage = Callable[..., Page]

# Ten in the morning of the visit, in the practice's zone; a day inside the first window it offers.
VISIT = datetime(2027, 2, 1, 16, 0, tzinfo=UTC)
TABLET = {"width": 820, "height": 1180, "has_touch": True}


class Journey:
    """One practice with two sites on the live server, and everyone who has a part in its case."""

    def __init__(self, server: LiveServer, new_page: NewPage) -> None:
        self.server, self.new_page = server, new_page
        with server.session() as session:
            made = apply(session, sites=2)
            made.attend()
            made.practice.register_consent = True
            self.ref, self.case_id, self.name = made.case.ref, made.case.id, made.practice.legal_name
            made.people["decider"] = make_person(session, Role.COUNCIL, name="Decider One")
            self.people = {who: (person.id, person.email) for who, person in made.people.items()}
            trained = {made.case.edition: date(2026, 9, 1)}
            profile = Profile(**(FITTING | {"trained": trained}))
            save_surveyor(session, self.people["surveyor"][0], profile, actor=Actor(None, name="Program"), at=now())

    def enter(self, who: str, **options: Any) -> Page:
        """Sign one of the people in and return what they see first."""
        page: Page = self.new_page(**options)
        page.goto(f"{self.server.url}/sign-in")
        page.get_by_label("Email address").fill(self.people[who][1])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    def home(self, page: Page) -> None:
        """Go to the person's front page."""
        page.goto(self.server.url)

    def open(self, page: Page, tab: str) -> None:
        """Go to one of the places of the case by its name."""
        page.get_by_role("link", name=re.compile(rf"^{tab}( \d+)?$")).first.click()

    def actor(self, session: Session, who: str) -> Actor:
        """Return one of the people as an actor."""
        return actor_as(session, session.get_one(Person, self.people[who][0]))

    def case(self, session: Session) -> Case:
        """Return the case."""
        return case_by_id(session, self.case_id)


def choose(page: Page, question: str, answer: str) -> None:
    """Tick one answer to a question."""
    page.get_by_role("group", name=question).get_by_text(answer, exact=True).click()


def write(page: Page, **answers: str) -> None:
    """Fill fields by their labels, written with _ for spaces."""
    for label, text in answers.items():
        page.get_by_label(label.replace("_", " ")).fill(text)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def read_and_sign(page: Page) -> None:
    page.get_by_role("link", name="Read and sign").first.click()
    page.get_by_label("Your title in the practice").fill("Practice administrator")
    page.get_by_text("I have read the agreement and sign it").click()
    page.get_by_role("button", name="Sign the agreement").click()
    expect(page.get_by_role("region", name="Signed")).to_be_visible()


def fill_questionnaire(page: Page) -> None:
    """Answer the seven sections one after the other, as they follow each other."""
    page.get_by_role("link", name="Your practice").click()
    choose(page, "Who owns the practice", "Its physicians")
    write(page, New_patients_a_year="900")
    choose(page, "Do you expect a merger", "No")
    go_on(page)
    for question in (
        "Do all sites share one tax id", "Do all sites share one business address", "Do the same written policies apply",
        "Do staff work at more than one site", "Do all sites use the same electronic medical record",
    ):  # fmt: skip
        choose(page, question, "Yes")
    write(page, Which_person_or_body_is_responsible="The medical director")
    go_on(page)
    write(page, Electronic_medical_record="Charts 5", Treatment_pathway_tool="none")
    write(page, Who_carries_out_your_patient_survey="ourselves")
    choose(page, "How often do you survey patients", "Every quarter")
    go_on(page)
    choose(page, "Has a surveyor of this program visited", "No")
    go_on(page)
    page.get_by_label("Main contact", exact=True).fill("Ana Brook")
    write(page, **{"Main_contact's_e-mail": "ana@practice.example.org", "Main_contact's_telephone": "312-555-0100"})
    write(page, **{"Contact_for_invoices": "Bo Chen", "E-mail_for_invoices": "bo@practice.example.org"})
    go_on(page)
    windows = (("2027-02-01", "2027-02-05"), ("2027-02-15", "2027-02-19"), ("2027-03-01", "2027-03-05"))
    for number, (first, last) in enumerate(windows, 1):
        write(page, **{f"First_day_of_window_{number}": first, f"Last_day_of_window_{number}": last})
    choose(page, "How the survey takes place", "On site")
    go_on(page)
    page.get_by_text("I affirm for the practice").click()
    page.get_by_role("button", name="Save", exact=True).click()


def apply_by_pages(page: Page) -> None:
    """Sign, fill in, offer windows and send."""
    read_and_sign(page)
    page.get_by_role("link", name="Application", exact=True).first.click()
    fill_questionnaire(page)
    page.get_by_role("link", name="Application", exact=True).first.click()
    page.get_by_role("button", name="Send the application").click()


def accept(staff: Page) -> None:
    staff.get_by_role("link", name="Accept the application").first.click()
    staff.get_by_text("All sites share a tax id and a business address").click()
    staff.get_by_role("button", name="Accept the application").click()


def record_payment(finance: Page) -> None:
    finance.get_by_role("link", name="Confirm the payment").first.click()
    whole = finance.get_by_text("The whole amount:").inner_text()
    amount = re.search(r"\$([\d,]+\.\d\d)", whole)
    assert amount is not None
    finance.get_by_label("Amount received").fill(amount.group(1))
    finance.get_by_label("The bank's reference").fill("WIRE 20261102")
    finance.get_by_role("button", name="Record the payment").click()


def status(page: Page) -> Any:
    """Return the card that says where the case stands."""
    return page.locator(".status")


def test_a_practice_applies_and_pays(live_server: LiveServer, new_page: NewPage) -> None:
    """Slow because a whole questionnaire is filled in and three people sign in: only a browser shows that it can be done."""
    journey = Journey(live_server, new_page)
    admin = journey.enter("admin")
    expect(admin.get_by_role("heading", level=1)).to_have_text("Fill in and send your application")
    apply_by_pages(admin)
    journey.home(admin)
    expect(status(admin)).to_contain_text("Step 1 of 6, application: waiting for the program")

    accept(journey.enter("staff"))
    journey.home(admin)
    journey.open(admin, "Fees")
    expect(admin.get_by_text("How to pay")).to_be_visible()
    expect(admin.get_by_text(re.compile(r"name the reference \S+"))).to_be_visible()
    record_payment(journey.enter("finance"))

    with live_server.session() as session:
        wanted = select(Outbox.subject).where(
            Outbox.case_ref == journey.ref, Outbox.to_email == journey.people["admin"][1]
        )
        subjects = session.scalars(wanted).all()
    assert any("payment" in subject.lower() for subject in subjects), subjects

    journey.home(admin)
    journey.open(admin, "Application")
    admin.get_by_role("link", name="Systems you use").click()
    expect(admin.get_by_text("Read-only")).to_be_visible()
    expect(admin.get_by_role("textbox", name="Electronic medical record")).to_have_count(0)
    admin.get_by_role("link", name="Request a change to Treatment pathway tool").click()
    admin.get_by_label("What should change, and why").fill("We changed the tool in October.")
    admin.get_by_role("button", name="Send the request").click()
    expect(admin.get_by_text("with the program", exact=True)).to_be_visible()


def test_the_home_page_says_what_one_thing_is_missing(
    live_server: LiveServer, new_page: NewPage, barriers: Callable[[Page], list[str]]
) -> None:
    """Slow because the program asks and the practice answers, each in a browser of its own."""
    journey = Journey(live_server, new_page)
    with live_server.session() as session:
        case, admin_actor = journey.case(session), journey.actor(session, "admin")
        put_answers(session, case, ANSWERS, actor=admin_actor, at=now())
        sign_agreement(
            session, case, name="Ana Brook", title="Administrator", agreed=True, address="192.0.2.7",
            shown_sha256=agreement_of(case).sha256, actor=admin_actor, at=now(),
        )  # fmt: skip
        take(session, case, "submit", {}, actor=admin_actor, at=now())

    staff = journey.enter("staff")
    staff.get_by_role("link", name="Ask for information").click()
    staff.get_by_label("What do you need to know and why").fill("One answer needs a little more.")
    staff.get_by_label("About").first.select_option(label="Systems you use: Treatment pathway tool")
    staff.get_by_label("Question 1").fill("Which version of the tool do you use?")
    staff.get_by_role("button", name="Ask for information").click()

    admin = journey.enter("admin")
    expect(status(admin)).to_contain_text(
        "Step 1 of 6, application: waiting for you, due Wednesday 2 December 2026 (30 days left), and one thing is missing: "
        "The program asks: Which version of the tool do you use?"
    )
    assert barriers(admin) == []
    status(admin).get_by_role("link", name="The program asks: Which version of the tool do you use?").click()
    field = admin.get_by_role("textbox", name="Treatment pathway tool")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    field.fill("none; we follow the guidelines of 2026")
    expect(admin.get_by_text("Everything is saved.")).to_be_visible()
    journey.home(admin)
    expect(admin.get_by_text("Nothing is missing. You can go on.")).to_be_visible()
    status(admin).get_by_role("link", name="Send the answers").click()
    admin.get_by_role("button", name="Send the answers").click()
    journey.home(admin)
    expect(status(admin)).to_contain_text("waiting for the program")


def test_from_the_first_draft_to_the_certificate(
    live_server: LiveServer, new_page: NewPage, clock: FixedClock, tmp_path: Path
) -> None:
    """Slow because it is the whole path by pages alone, ten people signing in; each form is used by whom it is for.

    Only the bulk of the checklist is entered as a tablet would send it: hundreds of equal taps prove no more than ten.
    """
    journey = Journey(live_server, new_page)
    admin = journey.enter("admin")
    apply_by_pages(admin)
    staff = journey.enter("staff")
    accept(staff)
    record_payment(journey.enter("finance"))
    send_documents(journey, admin, tmp_path)
    journey.home(staff)
    staff.get_by_role("link", name="Mark the documents complete").first.click()
    staff.get_by_role("button", name="Mark the documents complete").click()
    journey.home(admin)
    expect(status(admin)).to_contain_text("Step 2 of 6, site survey: waiting for the program")

    name_surveyor(journey, admin, staff)
    clock.move(to=VISIT)
    survey_by_taps(journey)
    write_and_approve_report(journey)
    correct(journey)
    decide(journey)
    see_certificate(journey)


def send_documents(journey: Journey, admin: Page, folder: Path) -> None:
    """Add one file that proves every standard, and send the documents."""
    policies = folder / "policies.txt"
    policies.write_text("Our policies and procedures.")
    journey.home(admin)
    status(admin).get_by_role("link", name="Add documents").click()
    admin.get_by_role("link", name="Add evidence").click()
    admin.get_by_label("Files", exact=True).set_input_files(str(policies))
    for domain in admin.locator("summary").filter(has_text=re.compile(r"^\s*Domain \d")).all():
        domain.click()
    for whole in admin.get_by_role("checkbox", name=re.compile("all of it$")).all():
        whole.check()
    admin.get_by_role("button", name="Add the files").click()
    expect(
        admin.get_by_role("link", name="Download policies.txt").or_(admin.get_by_text("policies").first)
    ).to_be_visible()
    journey.open(admin, "Evidence")
    admin.get_by_role("button", name="Send the documents").click()


def declare(page: Page, name: str) -> None:
    """Answer every question on conflicts with no, and sign."""
    for question in page.get_by_role("group").filter(has=page.get_by_text("No", exact=True)).all():
        question.get_by_text("No", exact=True).click()
    page.get_by_label("Your full name, as your signature").fill(name)
    page.get_by_role("button", name="Sign and send").click()


def name_surveyor(journey: Journey, admin: Page, staff: Page) -> None:
    """The program proposes, both sides declare, the surveyor takes a day of a window."""
    journey.home(staff)
    staff.get_by_role("link", name="Choose a surveyor").or_(
        staff.get_by_role("link", name="Propose a surveyor")
    ).first.click()
    staff.get_by_text("Surveyor One").first.click()
    staff.get_by_role("button", name="Propose").click()
    surveyor = journey.enter("surveyor")
    surveyor.get_by_role("link", name="Declare conflicts of interest").click()
    declare(surveyor, "Surveyor One")
    journey.home(admin)
    status(admin).get_by_role("link").last.click()
    declare(admin, "Admin One")
    journey.home(surveyor)
    surveyor.get_by_role("link", name="Choose the date").click()
    surveyor.get_by_label("First day of the visit").first.fill("2027-02-01")
    surveyor.get_by_role("button", name="Agree on this day").click()
    journey.home(admin)
    journey.open(admin, "Survey")
    expect(admin.get_by_role("region", name="The visit")).to_contain_text("Mon 1 Feb 2027")


def survey_by_taps(journey: Journey) -> None:
    """Check in, tap the first standard on a tablet, enter the rest as a tablet sends it, and finish."""
    surveyor = journey.enter("surveyor", **TABLET)
    surveyor.get_by_role("link", name="Prepare for the visit").click()
    surveyor.get_by_role("button", name="Check in").click()
    surveyor.get_by_role("link", name="Next open").click()
    expect(surveyor.get_by_role("heading", level=1)).to_contain_text("1.1")
    items = surveyor.get_by_role("group").filter(has=surveyor.get_by_text("Not applicable", exact=True))
    for item in items.all():
        item.get_by_text("Yes", exact=True).tap()
        item.locator(".chip-toggle").first.tap()
    expect(surveyor.get_by_role("status").filter(has_text="All sent")).to_be_visible()
    with journey.server.session() as session:
        survey = latest_survey(session, journey.case_id)
        assert survey is not None
        survey_id = survey.id
        visited = [site.site_id for site in sites_of(session, survey.id) if site.visited]
        answer_all(
            session, survey.id, rest_of(session, survey, visited), actor=journey.actor(session, "surveyor"), at=now()
        )
    surveyor.goto(f"{journey.server.url}/surveys/{survey_id}")
    surveyor.get_by_role("button", name="Finish the survey").click()


def rest_of(session: Session, survey: Survey, visited: list[int]) -> Iterator[tuple[int, str | None, str, Any]]:
    """Yield what is not answered yet: everything is in order but for one element at the second site."""
    given = {(answer.site_id, answer.element) for answer in answers_of(session, survey.id)}
    edition = current().editions[survey.edition]
    for site in visited:
        for element in edition.element_ids:
            if (site, element) in given:
                continue
            missed = element == "7.3.b" and site == visited[-1]
            yield site, element, "note", "Half of the charts name one person." if missed else "Seen."
            yield site, element, "rating", "no" if missed else "yes"


def write_and_approve_report(journey: Journey) -> None:
    """The surveyor writes, the program passes, a council member approves: three people."""
    surveyor = journey.enter("surveyor")
    surveyor.get_by_role("link", name=re.compile("report")).first.click()
    surveyor.get_by_label("What a reader should know in one minute").fill(
        "A careful practice with one gap in checking."
    )
    surveyor.get_by_label("What a reader should know in one minute").blur()
    expect(surveyor.get_by_text("Saved ")).to_be_visible()
    surveyor.get_by_role("button", name="Send the report to the program").click()
    staff = journey.enter("staff")
    staff.get_by_role("link", name="Read the report").first.click()
    staff.get_by_role("button", name="Pass to the council").click()
    council = journey.enter("council")
    council.get_by_role("link", name="Read the report").first.click()
    declare_none(council)
    council.get_by_role("button", name="Approve the report").click()


def declare_none(council: Page) -> None:
    """Say that there is no conflict of interest, where it is asked before a step of the council."""
    council.get_by_text("No, I have none").click()
    council.get_by_role("button", name="Keep my answer").click()


def correct(journey: Journey) -> None:
    """The practice plans, the program accepts, the practice proves, the program closes."""
    admin = journey.enter("admin")
    expect(admin.get_by_role("heading", level=1)).to_have_text("Send your corrective action plan")
    status(admin).get_by_role("link", name="Write the plan").click()
    write(admin, **{"What_will_you_do?": "Train both shifts.", "Who_is_responsible?": "A. Nurse"})
    write(admin, **{"What_will_prove_it?": "The training log", "By_when?": "2027-03-19"})
    admin.get_by_label("By when?").blur()
    expect(admin.get_by_text("Saved ").first).to_be_visible()
    admin.get_by_role("button", name="Send the plan").click()

    staff = journey.enter("staff")
    staff.get_by_role("link", name="Read the plan").first.click()
    staff.get_by_text("Accept", exact=True).click()
    staff.get_by_role("button", name="Keep this answer").click()
    staff.get_by_role("button", name="Approve the plan").click()

    journey.home(admin)
    status(admin).get_by_role("link", name="Add evidence").click()
    admin.get_by_label("Add a document of your library").select_option(index=1)
    admin.get_by_role("button", name="Add it").click()
    admin.get_by_role("button", name="Send the evidence").click()

    journey.home(staff)
    staff.get_by_role("link", name="Judge the evidence").first.click()
    staff.get_by_text("Close the requirement", exact=True).click()
    staff.get_by_label("What the evidence shows, or what is missing").fill("Both shifts are trained.")
    staff.get_by_role("button", name="Keep this answer").click()
    staff.get_by_role("button", name="Close the corrections").click()


def decide(journey: Journey) -> None:
    """Another council member than the one who approved the report awards certification."""
    decider = journey.enter("decider")
    decider.get_by_role("link", name="Look at the case").first.click()
    declare_none(decider)
    decider.get_by_role("button", name="Award certification").click()


def see_certificate(journey: Journey) -> None:
    """Letter and certificate can be had; the public page and the register say what holds."""
    admin = journey.enter("admin")
    expect(status(admin)).to_contain_text("Step 5 of 6")
    journey.open(admin, "Decision")
    for link, beginning in (("Decision letter (PDF)", b"%PDF"), ("Word", b"PK")):
        assert downloaded(admin, link).startswith(beginning)
    admin.get_by_role("link", name="Open the certificate").click()
    number = re.sub("^Certificate ", "", admin.get_by_role("heading", name=re.compile("^Certificate OMH")).inner_text())
    for link, beginning in (("Download the certificate (PDF)", b"%PDF"), ("Word", b"PK")):
        assert downloaded(admin, link).startswith(beginning)

    public = journey.new_page()
    public.goto(f"{journey.server.url}/register/{number}")
    expect(public.get_by_role("region", name=journey.name)).to_contain_text(
        re.compile(r"valid\s+until \w+day", re.IGNORECASE)
    )
    public.goto(f"{journey.server.url}/register")
    row = public.get_by_role("row").filter(has_text=journey.name)
    expect(row).to_contain_text("Site A, Site B")


def downloaded(page: Page, link: str) -> bytes:
    """Return the file behind a link."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    return Path(download.value.path()).read_bytes()
