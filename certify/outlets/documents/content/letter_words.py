"""What the decision letter says in each case, shared by Word and PDF."""

from __future__ import annotations

from certify.outlets.documents.content.decision_letter import DecisionLetter, Outcome
from certify.outlets.documents.content.wording import counted, day, listed, weekday


def letter_title(letter: DecisionLetter) -> str:
    """Return the subject line."""
    return "Certification awarded" if letter.outcome is Outcome.AWARD else "Certification not awarded"


def letter_date(letter: DecisionLetter) -> str:
    """Return the date above the address."""
    return day(letter.decided_on) if letter.decided_on else "Draft, not sent"


def opening(letter: DecisionLetter) -> list[str]:
    """Return the paragraphs that say what was decided."""
    surveyed = f" after the survey of {letter.survey_days}" if letter.survey_days else ""
    if letter.outcome is Outcome.AWARD:
        return [
            f"It is our pleasure to tell you that the Certification Council has awarded certification to {letter.practice}. "
            f"The council found{surveyed} that every applicable standard of the {letter.edition_title} is met at all sites.",
            f"The award covers {counted(len(letter.sites), 'site')}: {listed(letter.sites)}."
            if letter.sites
            else "The award covers the practice as named in its application.",
        ]
    named = counted(len(letter.reasons), "standard")
    return [
        f"The Certification Council has considered the application of {letter.practice} under the {letter.edition_title}"
        f"{surveyed}. It has decided not to award certification.",
        f"Certification needs every applicable standard to be met at all sites. The decision rests on {named}:"
        if letter.reasons
        else "Certification needs every applicable standard to be met at all sites.",
    ]


def facts(letter: DecisionLetter) -> list[tuple[str, str]]:
    """Return what an award is known by, as label and value."""
    if letter.outcome is not Outcome.AWARD:
        return []
    known = [
        ("Certificate number", letter.certificate_number),
        ("Award date", day(letter.award_on) if letter.award_on else ""),
        ("Valid until", day(letter.end_on) if letter.end_on else ""),
    ]
    return [(label, value) for label, value in known if value]


def closing(letter: DecisionLetter) -> list[str]:
    """Return what happens next and whom to ask."""
    ask = f"Questions reach us at {letter.contact}." if letter.contact else ""
    if letter.outcome is Outcome.AWARD:
        said = [
            "Compliance is reviewed every year around the date of the award. Please report changes of ownership, leadership, "
            "sites or services within 30 days, and plan to renew nine to twelve months before the term ends.",
            "Thank you, and your whole team, for the care that stands behind this result.",
        ]
    else:
        until = f" until {weekday(letter.appeal_until)}" if letter.appeal_until else " within 30 days of this letter"
        said = [
            f"The physician lead may appeal{until}, stating the grounds. Three council members who took no part in this decision "
            "consider the appeal.",
            "A new application is welcome at any time. The survey report stays available to you.",
        ]
    return [*said, ask] if ask else said
