"""What a practice, a site and a provider must look like, field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from certify.core.foundation.days import zone
from certify.core.foundation.errors import FieldError

SETTINGS = {
    "community": "Community practice",
    "hospital": "Hospital outpatient department",
    "academic": "Academic medical center",
    "rural": "Rural or critical access",
}
SERVICES = {
    "infusion": "Infusion",
    "pharmacy": "Pharmacy that prepares chemotherapy",
    "oral_dispensing": "Dispensing of oral anticancer medicine",
    "intrathecal": "Intrathecal chemotherapy",
    "pediatric": "Pediatric oncology",
    "home": "Treatment at home",
}
PROFESSIONS = {
    "physician": "Physician",
    "app": "Nurse practitioner or physician assistant",
    "nurse": "Nurse",
    "pharmacist": "Pharmacist",
}
# The fifty states, the district and the territories of the Postal Service's list, with the time zone of most people there.
STATES = {
    "AL": "Alabama", "AK": "Alaska", "AS": "American Samoa", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "GU": "Guam", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
    "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "MP": "Northern Mariana Islands", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota",
    "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VI": "Virgin Islands", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
TIME_ZONES = {
    "America/New_York": "Eastern", "America/Chicago": "Central", "America/Denver": "Mountain", "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific", "America/Anchorage": "Alaska", "Pacific/Honolulu": "Hawaii", "America/Puerto_Rico": "Atlantic",
    "Pacific/Guam": "Guam and Marianas", "Pacific/Pago_Pago": "Samoa",
}  # fmt: skip
MOST_FTE = Decimal(999)
MOST_CHAIRS = 500

# The first two digits the IRS gives out; others have never been a valid EIN.
_EIN_PREFIXES = frozenset(
    {
        *range(1, 7),
        *range(10, 17),
        *range(20, 28),
        *range(30, 49),
        *range(50, 69),
        *range(71, 78),
        *range(80, 89),
        *range(90, 96),
        98,
        99,
    }
)
_ZIP = re.compile(r"\d{5}(?:-\d{4})?")
_PHONE = re.compile(r"[0-9+()./ \-]{7,30}(?: ?(?:x|ext\.?) ?\d{1,6})?", re.IGNORECASE)


def tidy_tax_id(text: str) -> str:
    """Return an employer identification number as NN-NNNNNNN when it has nine digits, else as it came.

    >>> tidy_tax_id("36 1234567"), tidy_tax_id("12")
    ('36-1234567', '12')
    """
    digits = re.sub(r"[\s-]", "", text)
    return f"{digits[:2]}-{digits[2:]}" if re.fullmatch(r"[0-9]{9}", digits) else text.strip()


def tax_id_problem(text: str) -> str:
    """Return what is wrong with an employer identification number, or an empty text.

    >>> tax_id_problem("36-1234567"), tax_id_problem("00-1234567")
    ('', '00-1234567 is not an employer identification number: no number begins with 00.')
    """
    if re.fullmatch(r"[0-9]{2}-[0-9]{7}", text) is None:
        return f"{text[:30]} is not an employer identification number: write nine digits, like 36-1234567."
    if int(text[:2]) not in _EIN_PREFIXES:
        return f"{text} is not an employer identification number: no number begins with {text[:2]}."
    return ""


def practice_problems(values: Mapping[str, Any]) -> list[FieldError]:
    """Return every mistake in the fields of a practice; keys are the columns' names."""
    found = _text(
        values, "legal_name", "Give the legal name, as on the tax return, up to 200 letters.", 200, needed=True
    )
    if values.get("setting") not in SETTINGS:
        found.append(FieldError("setting", f"Choose the setting: {', '.join(SETTINGS.values())}."))
    found += [FieldError("tax_ids", problem) for problem in map(tax_id_problem, values.get("tax_ids") or []) if problem]
    if len(set(values.get("tax_ids") or [])) != len(values.get("tax_ids") or []):
        found.append(FieldError("tax_ids", "The same number is listed twice."))
    found += _text(values, "ownership", "Say who owns the practice in up to 60 letters.", 60)
    found += _place(values)
    if values.get("phone") and _PHONE.fullmatch(values["phone"]) is None:
        found.append(FieldError("phone", "Write a telephone number, like (312) 555-0100."))
    try:
        zone(values.get("time_zone") or "")
    except ValueError:
        found.append(FieldError("time_zone", "Choose the time zone; deadlines end at midnight there."))
    return found


def site_problems(values: Mapping[str, Any]) -> list[FieldError]:
    """Return every mistake in the fields of a site."""
    found = _text(values, "name", "Give the site a name, up to 200 letters.", 200, needed=True)
    found += _place(values)
    services = values.get("services") or []
    if any(s not in SERVICES for s in services) or len(set(services)) != len(services):
        found.append(FieldError("services", "Choose services from the list."))
    for key, words in (
        ("physician_fte", "physicians"),
        ("app_fte", "advanced practice providers"),
        ("nurse_fte", "nurses"),
        ("pharmacist_fte", "pharmacists"),
    ):
        value = values.get(key)
        if (
            not isinstance(value, Decimal)
            or not value.is_finite()
            or not 0 <= value <= MOST_FTE
            or value != round(value, 2)
        ):
            found.append(
                FieldError(
                    key, f"Write the full-time equivalents of {words} as a number from 0 to {MOST_FTE}, like 2.5."
                )
            )
    chairs = values.get("infusion_chairs")
    if not isinstance(chairs, int) or not 0 <= chairs <= MOST_CHAIRS:
        found.append(FieldError("infusion_chairs", f"Write the number of infusion chairs, from 0 to {MOST_CHAIRS}."))
    elif chairs and "infusion" not in services:
        found.append(FieldError("services", "The site has infusion chairs: tick infusion, or set the chairs to 0."))
    opened = values.get("opened_on")
    if isinstance(opened, date) and opened.year < 1900:
        found.append(FieldError("opened_on", "Write the year in four digits."))
    return found


def provider_problems(values: Mapping[str, Any]) -> list[FieldError]:
    """Return every mistake in the fields of a provider."""
    found = _text(values, "name", "Give the provider's name, up to 200 letters.", 200, needed=True)
    if values.get("profession") not in PROFESSIONS:
        found.append(FieldError("profession", f"Choose the profession: {', '.join(PROFESSIONS.values())}."))
    found += _text(values, "credentials", "Write credentials in up to 60 letters, like MD or OCN.", 60)
    fte = values.get("fte")
    if not isinstance(fte, Decimal) or not fte.is_finite() or not 0 < fte <= Decimal("1.5") or fte != round(fte, 2):
        found.append(FieldError("fte", "Write the full-time equivalent as a number above 0 and up to 1.5, like 0.8."))
    return found


def _place(values: Mapping[str, Any]) -> list[FieldError]:
    found = _text(values, "address", "Write street and number in up to 300 letters.", 300)
    found += _text(values, "city", "Write the city in up to 100 letters.", 100)
    if values.get("state") and values["state"] not in STATES:
        found.append(FieldError("state", "Choose the state from the list, or write its two letters."))
    if values.get("postal_code") and _ZIP.fullmatch(values["postal_code"]) is None:
        found.append(FieldError("postal_code", "Write a ZIP code: five digits, or nine like 60601-1234."))
    return found


def _text(values: Mapping[str, Any], key: str, message: str, limit: int, *, needed: bool = False) -> list[FieldError]:
    value = values.get(key) or ""
    wrong = (
        not isinstance(value, str)
        or len(value) > limit
        or any(c in value for c in "\r\n\x00")
        or (needed and not value.strip())
    )
    return [FieldError(key, message)] if wrong else []
