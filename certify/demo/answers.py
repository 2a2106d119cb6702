"""What the demo's practices write and its surveyors see."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from certify.certification.surveys.models import Survey
from certify.core.catalogue.standards import Edition

SEEN = {
    "seen_documentation": (
        "Policy of the current year, approved by the quality committee",
        "Procedure and form, both with version and date",
        "Ten charts drawn at random show it",
    ),
    "seen_observation": (
        "Seen at two infusion chairs",
        "Staff describe the steps the same way",
        "Watched from order to administration",
    ),
    "seen_data": ("Report of the last two quarters", "Audit of 30 charts", "Dashboard shown by the quality lead"),
}
NOT_MET = (
    "Two of six charts looked at did not show it.",
    "The procedure exists, but staff at this site could not find it.",
    "The log has gaps on weekends; nobody is named for those days.",
    "The form in use is older than the policy and lacks this part.",
)
STRENGTHS = (
    "Nurses call every new patient within two days of the first treatment, and keep what they learn.",
    "The pharmacy shows its near misses on a board that everyone reads.",
    "Patients are asked every quarter, and the answers change what the practice does.",
)
ADVICE = (
    "Put the date of the next review on the first page of each policy.",
    "Give the triage nurses one list of whom to call at night.",
)


def questionnaire(visit_on: date, chance: random.Random, *, several_sites: bool) -> dict[str, Any]:
    """Return a complete set of answers whose survey windows hold the day of the visit."""
    windows = [
        {"from": (visit_on - timedelta(days=3)).isoformat(), "to": (visit_on + timedelta(days=6)).isoformat()},
        {"from": (visit_on + timedelta(days=14)).isoformat(), "to": (visit_on + timedelta(days=20)).isoformat()},
        {"from": (visit_on + timedelta(days=28)).isoformat(), "to": (visit_on + timedelta(days=34)).isoformat()},
    ]
    return {
        "ownership_type": chance.choice(["physician_owned", "hospital_owned", "network"]),
        "new_patients_per_year": chance.randint(180, 3200),
        "change_expected": False,
        "common_tax_id": True,
        "common_address": not several_sites,
        "shared_policies": True,
        "rotating_staff": several_sites,
        "common_record": True,
        "policy_owner": "The practice's quality committee",
        "emr": chance.choice(["OncoRecord 9", "ChartWell Oncology", "InfuseEMR"]),
        "pathway_tool": chance.choice(["PathGuide", "none", "Guideline Navigator"]),
        "patient_survey_vendor": chance.choice(["ourselves", "CareVoice"]),
        "patient_survey_frequency": chance.choice(["monthly", "quarterly", "half_yearly"]),
        "quality_programs": ["qopi"],
        "accreditations": "",
        "payers": "",
        "earlier_survey": False,
        "primary_contact_name": "Practice manager",
        "primary_contact_email": "office@demo.example",
        "primary_contact_phone": "312-555-0100",
        "billing_contact_name": "Accounts",
        "billing_contact_email": "accounts@demo.example",
        "survey_windows": windows,
        "survey_mode": "on_site",
        "attestation": True,
    }


# Where in the matrix of severity and scope the findings of the demonstration stand, in turn.
PLACES = (
    ("high", "pattern"), ("moderate", "limited"), ("low", "limited"), ("moderate", "widespread"), ("low", "pattern"), ("moderate", "pattern"),
)  # fmt: skip
TRACED = ("2.1.a", "6.1.a", "7.3.a", "7.3.b")
TRACER = {
    "kind": "tracer",
    "text": "From the first call to the second cycle: called back within the hour, both checks signed, goals of care in the chart.",
    "pseudonym": "Journey A",
}


def checklist(
    survey: Survey, sites: list[int], edition: Edition, chance: random.Random, not_met: int
) -> Iterator[tuple[int, str | None, str, Any]]:
    """Yield a surveyor's entries for every element at every visited site; so many elements are not met at one site."""
    places = [(site, element) for site in sites for element in edition.element_ids]
    missed = set(chance.sample(range(len(places)), min(not_met, len(places))))
    for index, (site, element) in enumerate(places):
        mode = f"seen_{edition.standard_of[element].evidence[index % len(edition.standard_of[element].evidence)]}"
        yield site, element, mode, {"what": SEEN[mode][index % len(SEEN[mode])]}
        if index in missed:
            yield site, element, "note", chance.choice(NOT_MET)
            harm, scope = PLACES[sum(other < index for other in missed) % len(PLACES)]
            yield site, element, "risk", {"harm": harm, "scope": scope}
        yield site, element, "rating", "no" if index in missed else "yes"
    for site in sites:
        standard = chance.choice(list(edition.standards))
        yield site, standard, "strength", chance.choice(STRENGTHS)
        yield site, chance.choice(list(edition.standards)), "recommendation", chance.choice(ADVICE)
        uuid = uuid5(NAMESPACE_URL, f"demo/{survey.id}/{site}")
        about = [element for element in TRACED if element in edition.element_ids]
        yield site, None, f"note:{uuid}", TRACER | {"about": about}
