"""Forms of practices, sites and providers; what is right is said by rules.py, here only how text becomes values."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import BooleanField, DateField, EmailField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional

from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Role
from certify.platform.practices.rules import PROFESSIONS, SERVICES, SETTINGS, STATES, TIME_ZONES
from certify.platform.web.forms import Form, VersionField, one_line, options, required

STATE_CHOICES = options([("", "Choose…"), *[(k, f"{name} ({k})") for k, name in STATES.items()]])
TEAM_ROLES = options((r.value, ROLE_TITLES[r]) for r in Role if r in PRACTICE_ROLES)


def _text(value: Any) -> str:
    """A choice that was not sent is an empty one; rules.py says what is wrong with it."""
    return "" if value is None else str(value)


class NumberField(StringField):
    """A number with up to two decimals, written as people write it; what is no number stays for the page to show."""

    def process_data(self, value: Any) -> None:
        self.data = (
            "" if value is None else f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) else str(value)
        )

    def decimal(self) -> Decimal | None:
        """Return the number, or None when it is none."""
        try:
            return Decimal((self.data or "0").replace(",", ""))
        except InvalidOperation:
            return None


class PracticeForm(Form):
    """The practice itself."""

    version = VersionField()
    legal_name = StringField("Legal name", [*required("Give the legal name, as on the tax return."), one_line])
    tax_ids = StringField(
        "Employer identification numbers",
        description="Nine digits each, like 36-1234567. Several: with commas between them.",
    )
    setting = SelectField("Setting", choices=options(SETTINGS), validators=[InputRequired("Choose the setting.")])
    ownership = StringField(
        "Ownership", [one_line], description="For example: physician-owned, hospital, health system."
    )
    address = StringField("Street and number", [one_line])
    city = StringField("City", [one_line])
    state = SelectField("State", choices=STATE_CHOICES, coerce=_text, validate_choice=False)
    postal_code = StringField("ZIP code", [one_line])
    phone = StringField("Telephone", [one_line])
    time_zone = SelectField(
        "Time zone",
        choices=options(TIME_ZONES),
        coerce=_text,
        validate_choice=False,
        description="Deadlines end at midnight there.",
    )

    def values(self) -> dict[str, Any]:
        """Return the fields as an operation takes them."""
        names = ("legal_name", "setting", "ownership", "address", "city", "state", "postal_code", "phone", "time_zone")
        taxes = [t for t in re.split(r"[,;\n]+", self.tax_ids.data or "") if t.strip()]
        return {**{n: self[n].data or "" for n in names}, "tax_ids": taxes}


class NewPracticeForm(PracticeForm):
    """A practice that is not there yet has no version."""

    version = None  # type: ignore[assignment]


class SiteForm(Form):
    """One site."""

    version = VersionField()
    name = StringField("Name of the site", [*required("Give the site a name."), one_line])
    address = StringField("Street and number", [one_line])
    city = StringField("City", [one_line])
    state = SelectField("State", choices=STATE_CHOICES, coerce=_text, validate_choice=False)
    postal_code = StringField("ZIP code", [one_line])
    services = SelectMultipleField("Services given here", choices=options(SERVICES))
    physician_fte = NumberField("Physicians (FTE)")
    app_fte = NumberField("Nurse practitioners and physician assistants (FTE)")
    nurse_fte = NumberField("Nurses (FTE)")
    pharmacist_fte = NumberField("Pharmacists (FTE)")
    infusion_chairs = StringField("Infusion chairs")
    opened_on = DateField("Open since", [Optional()])

    def values(self) -> dict[str, Any]:
        """Return the fields as an operation takes them."""
        chairs = self.infusion_chairs.data or "0"
        return {
            **{n: self[n].data or "" for n in ("name", "address", "city", "state", "postal_code")},
            **{n: self[n].decimal() for n in ("physician_fte", "app_fte", "nurse_fte", "pharmacist_fte")},
            "services": self.services.data or [],
            "infusion_chairs": int(chairs) if chairs.isascii() and chairs.isdigit() and len(chairs) < 7 else None,
            "opened_on": self.opened_on.data,
        }


class NewSiteForm(SiteForm):
    """A site that is not there yet has no version."""

    version = None  # type: ignore[assignment]


class CloseSiteForm(Form):
    """The last day of a site."""

    version = VersionField()
    closed_on = DateField("Closed on", [InputRequired("Give the day the site closed.")])


class ProviderForm(Form):
    """A clinician."""

    name = StringField("Name", [*required("Give the provider's name."), one_line])
    profession = SelectField("Profession", choices=options(PROFESSIONS))
    credentials = StringField("Credentials", [one_line], description="For example: MD, OCN, PharmD.")
    site_id = SelectField("Site", coerce=int, validate_choice=False)
    fte = NumberField("FTE", default="1")

    def values(self) -> dict[str, Any]:
        """Return the fields as an operation takes them."""
        return {
            "name": self.name.data or "", "profession": self.profession.data, "credentials": self.credentials.data or "",
            "site_id": self.site_id.data, "fte": self.fte.decimal(),
        }  # fmt: skip


class TeamForm(Form):
    """Someone of the own practice to take part."""

    name = StringField(
        "Name", [*required("Write the person's name."), Length(max=200, message="Use up to 200 letters."), one_line]
    )
    email = EmailField(
        "Email address", [*required("Write the person's email address."), Length(max=254, message="That is too long.")]
    )
    title = StringField("Title", [Optional(), Length(max=200, message="Use up to 200 letters."), one_line])
    role = SelectField("Role", choices=TEAM_ROLES, validators=[InputRequired("Choose a role.")])


class ConsentForm(Form):
    """Whether the register may show the practice."""

    consent = BooleanField("Show our practice, its sites and its certification in the public register")
