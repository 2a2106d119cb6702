"""Forms of signing in, the own account, and other people's roles."""

from __future__ import annotations

from typing import Any

from wtforms import EmailField, HiddenField, IntegerField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, NumberRange, Optional

from certify.core.access.roles import ROLE_TITLES, Role
from certify.platform.identity.rules import LONGEST_PASSWORD, LONGEST_TOKEN_DAYS, SHORTEST_PASSWORD
from certify.platform.web.forms import Form, VersionField, one_line, options, required

ALL_ROLES = options((r.value, ROLE_TITLES[r]) for r in Role if r is not Role.SYSTEM)
ZONES = (
    ("America/New_York", "Eastern"),
    ("America/Chicago", "Central"),
    ("America/Denver", "Mountain"),
    ("America/Phoenix", "Arizona"),
    ("America/Los_Angeles", "Pacific"),
    ("America/Anchorage", "Alaska"),
    ("Pacific/Honolulu", "Hawaii"),
    ("America/Puerto_Rico", "Atlantic (Puerto Rico)"),
    ("Pacific/Guam", "Guam and Marianas"),
    ("Pacific/Pago_Pago", "Samoa"),
    ("UTC", "UTC"),
)
PASSWORD_HINT = f"At least {SHORTEST_PASSWORD} characters. A few words together are easy to remember."


class SignInForm(Form):
    """Address and password."""

    email = EmailField("Email address", required("Write your email address."))
    password = PasswordField(
        "Password", [InputRequired("Write your password."), Length(max=LONGEST_PASSWORD, message="That is too long.")]
    )
    next = HiddenField()
    kept = HiddenField()


class ResetForm(Form):
    """Where to send the way back in."""

    email = EmailField("Email address", required("Write your email address."))


class NewPasswordForm(Form):
    """A new password, twice."""

    password = PasswordField("New password", [InputRequired("Write a new password.")], description=PASSWORD_HINT)
    again = PasswordField(
        "New password again",
        [
            InputRequired("Write the new password again."),
            EqualTo("password", "The two passwords differ. Write the same one twice."),
        ],
    )


class ChangePasswordForm(NewPasswordForm):
    """The present password and a new one."""

    old = PasswordField("Present password", [InputRequired("Write your present password.")])


class DetailsForm(Form):
    """The own name, title and time zone."""

    version = VersionField()
    name = StringField(
        "Name", [*required("Write your name."), Length(max=200, message="Use up to 200 letters."), one_line]
    )
    title = StringField(
        "Title",
        [Optional(), Length(max=200, message="Use up to 200 letters."), one_line],
        description="For example: Practice administrator, RN, OCN.",
    )
    time_zone = SelectField(
        "Time zone", choices=options(ZONES), description="Times on pages without a practice are shown in it."
    )

    def __init__(self, *args: Any, present_zone: str, **kwargs: Any) -> None:
        """Offer also the zone the person has: an invitation gives that of the practice, which may be any."""
        super().__init__(*args, **kwargs)
        if present_zone not in dict(ZONES):
            self.time_zone.choices = options([*ZONES, (present_zone, present_zone)])


class TokenForm(Form):
    """An API token."""

    name = StringField(
        "What is it for",
        [*required("Say what the token is for."), Length(max=100, message="Use up to 100 letters."), one_line],
    )
    scope = RadioField(
        "It may",
        choices=options({"read": "Read only", "write": "Read and change"}),
        default="read",
        validators=[InputRequired("Choose what it may do.")],
    )
    days = IntegerField(
        "Days it works",
        [NumberRange(1, LONGEST_TOKEN_DAYS, f"Write a number of days from 1 to {LONGEST_TOKEN_DAYS}.")],
        default=90,
    )


class RoleForm(Form):
    """A role for someone, and where."""

    role = SelectField("Role", choices=ALL_ROLES, validators=[InputRequired("Choose a role.")])
    practice = StringField(
        "Practice",
        [Optional(), Length(max=200), one_line],
        description="Only for practice roles: its number, or how its name begins.",
    )


class InviteForm(RoleForm):
    """Someone to take part."""

    name = StringField(
        "Name", [*required("Write the person's name."), Length(max=200, message="Use up to 200 letters."), one_line]
    )
    email = EmailField(
        "Email address", [*required("Write the person's email address."), Length(max=254, message="That is too long.")]
    )
    title = StringField("Title", [Optional(), Length(max=200, message="Use up to 200 letters."), one_line])
