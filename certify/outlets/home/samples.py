"""Made-up data for the style guide: every macro in every state, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace

from certify.core.foundation.errors import FieldError, Unmet
from certify.outlets.home.practice import DateLine, MissingGroup

STEP_TITLES = ("Application", "Site survey", "Survey report", "Decision", "Ongoing assessment", "Quality measures")
DOMAINS = (
    ("Patient engagement", 26, 0, 0),
    ("Availability and access", 12, 0, 1),
    ("Evidence-based medicine", 10, 0, 0),
    ("Team-based care", 24, 0, 0),
    ("Quality improvement", 9, 4, 0),
    ("Goals of care, palliative and end-of-life care", 9, 0, 0),
    ("Chemotherapy safety", 88, 10, 3),
)
TODAY = date(2027, 3, 5)
DATES = (
    DateLine("Answer to the program", date(2027, 3, 3), -2),
    DateLine("Corrective action plan", date(2027, 3, 14), 9),
    DateLine("Site survey begins", date(2027, 5, 4), 60),
)


@dataclass(frozen=True)
class SampleDue:
    """A due date as a case header gives it."""

    label: str
    on: date
    days_left: int
    text: str
    after: str
    key: str = "plan"

    @property
    def weekday(self) -> str:
        return f"{self.on:%A}"

    @property
    def overdue(self) -> bool:
        return self.days_left < 0


@dataclass(frozen=True)
class SampleStep:
    """One step of the tracker."""

    number: int
    title: str
    status: str


@dataclass(frozen=True)
class SampleHeader:
    """A case header with only what the macros read."""

    step: int
    state_label: str
    status: str
    holder_label: str
    next: str
    due: SampleDue | None = None
    primary: SimpleNamespace | None = None
    waiting_for_me: bool = True
    missing: tuple[Unmet, ...] = ()
    ref: str = "LO-2026-014"
    practice_id: int = 1
    practice_name: str = "Lakeside Oncology"
    sites_count: int = 2
    edition_title: str = "OMH standards 2025"
    tabs: tuple[SimpleNamespace, ...] = field(default=())

    @property
    def steps(self) -> tuple[SampleStep, ...]:
        def status(number: int) -> str:
            return "done" if number < self.step else "current" if number == self.step else "todo"

        return tuple(SampleStep(n, title, status(n)) for n, title in enumerate(STEP_TITLES, 1))


MISSING = (
    Unmet("plan_complete", "7.3 Independent double check: name an owner and a date", "#text"),
    Unmet("plan_complete", "7.9 Extravasation: attach the revised policy", "#text"),
    Unmet("plan_complete", "2.1 Triage line: say when it will be staffed on weekends", "#text"),
)
MISSING_GROUPS = (
    MissingGroup("Domain 7, Chemotherapy safety", MISSING),
    MissingGroup("", (Unmet("agreement_signed", "The participation agreement is not signed yet.", "#text"),)),
)


def headers() -> list[SampleHeader]:
    """Return a case waiting for the reader, one late, one waiting for another, and one at its end."""
    plan = SampleDue(
        "Due", date(2026, 12, 4), 12, "12 days left", "If it is late, your case stays open but the survey team is told."
    )
    late = SampleDue("Staff review of the report", date(2026, 11, 20), -2, "2 days late", "The program has been told.")
    write = SimpleNamespace(label="Write the plan", url="#status-title")
    return [
        SampleHeader(
            3,
            "Corrective action plan",
            "Send your corrective action plan",
            "Waiting for you",
            "Then the program reads it, usually within 10 business days.",
            plan,
            write,
            missing=MISSING,
        ),
        SampleHeader(
            3,
            "Report with the program",
            "Check the report, then pass it to the council",
            "Waiting for you",
            "Then a council member who took no part approves it.",
            late,
            SimpleNamespace(label="Open the report", url="#status-title"),
        ),
        SampleHeader(
            1,
            "Application sent",
            "The program is checking your application",
            "Waiting for the program",
            "You will hear within 10 business days; nothing is asked of you now.",
            SampleDue("Check of the application", date(2027, 1, 6), 45, "45 days left", ""),
            waiting_for_me=False,
        ),
        SampleHeader(
            5,
            "Certified",
            "Your practice is certified until 3 March 2029",
            "Nothing is asked of anyone",
            "The yearly review opens on 3 December.",
            waiting_for_me=False,
        ),
    ]


def openings() -> list[SimpleNamespace]:
    """Return one action that is ready and one that still lacks something."""
    return [
        SimpleNamespace(
            trigger="pass_report",
            label="Pass to the council",
            explanation="A council member approves it.",
            allowed=True,
            unmet=(),
            url="#actions",
        ),
        SimpleNamespace(
            trigger="approve_report",
            label="Approve the report",
            explanation="",
            allowed=False,
            unmet=(
                Unmet("approver_is_third_person", "The approver must be neither the surveyor nor the reviewer.", ""),
                MISSING[0],
            ),
            url="#actions",
        ),
    ]


def events() -> list[SimpleNamespace]:
    """Return three lines of a timeline, one with what it changed."""
    return [
        SimpleNamespace(
            text="The program sent the survey report",
            at=datetime(2026, 11, 19, 20, 2, tzinfo=UTC),
            by="",
            reason="",
            changes=[],
        ),
        SimpleNamespace(
            text="The report was sent back to the surveyor",
            at=datetime(2026, 11, 17, 15, 40, tzinfo=UTC),
            by="Dana Whitfield",
            reason="Please say in 7.9 which bays you looked at.",
            changes=[("State", "With the program", "With the surveyor"), ("Due", "Fri 20 Nov", "Tue 24 Nov")],
        ),
        SimpleNamespace(
            text="Your surveyor finished the visit at Site B",
            at=datetime(2026, 10, 16, 21, 25, tzinfo=UTC),
            by="",
            reason="",
            changes=[],
        ),
    ]


def domains() -> list[SimpleNamespace]:
    """Return the seven domains with counts of elements."""
    return [
        SimpleNamespace(number=n, title=t, met=m, open=o, not_met=x, url="#bars" if n == 2 else "")
        for n, (t, m, o, x) in enumerate(DOMAINS, 1)
    ]


def field_errors() -> list[FieldError]:
    """Return the mistakes that the sample fields show."""
    return [
        FieldError("wrong_email", "Write an e-mail address like name@practice.org."),
        FieldError("wrong_setting", "Choose the setting that fits best."),
    ]
