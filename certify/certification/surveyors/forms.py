"""Forms of surveyors: the profile, an absence, the conflict question."""

from __future__ import annotations

from datetime import date

from werkzeug.datastructures import ImmutableMultiDict
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from certify.certification.surveyors.operations import Profile
from certify.certification.surveyors.rules import QUALIFICATIONS
from certify.core.foundation.errors import FieldError, Invalid
from certify.platform.web.forms import Form, one_line, options, required


class ProfileForm(Form):
    """What makes a person fit to survey."""

    qualification = SelectField(
        "Qualification", choices=options(QUALIFICATIONS), validators=required("Choose the qualification.")
    )
    qualified_until = DateField(
        "Valid until", validators=[InputRequired("Give the day until which the qualification is valid.")]
    )
    licence = StringField("License or certificate number", validators=[Optional(), Length(max=80), one_line])
    oncology_years = IntegerField(
        "Years in oncology",
        validators=[InputRequired("Give the years."), NumberRange(0, 70, "Give a number from 0 to 70.")],
    )
    shadowed_surveys = IntegerField(
        "Surveys shadowed",
        validators=[InputRequired("Give the number, 0 if none."), NumberRange(0, 500, "Give a number from 0 to 500.")],
    )
    home_city = StringField("Home city", validators=[Optional(), Length(max=100), one_line])
    home_state = StringField(
        "Home state", description="Two letters, for example OH.", validators=required("Give the home state.")
    )
    max_load = IntegerField(
        "Cases at one time",
        validators=[InputRequired("Give the number."), NumberRange(0, 500, "Give a number from 0 to 500.")],
    )
    active = BooleanField("Surveys at present")

    def profile(self, trained: dict[str, date]) -> Profile:
        """Return what the form says."""
        return Profile(
            qualification=self.qualification.data,
            qualified_until=self.qualified_until.data,
            licence=self.licence.data or "",
            oncology_years=self.oncology_years.data or 0,
            shadowed_surveys=self.shadowed_surveys.data or 0,
            home_city=self.home_city.data or "",
            home_state=(self.home_state.data or "").upper(),
            max_load=self.max_load.data or 0,
            active=bool(self.active.data),
            trained=trained,
        )


class AbsenceForm(Form):
    """Days on which a surveyor cannot visit."""

    from_on = DateField("First day", validators=[InputRequired("Give the first day.")])
    to_on = DateField("Last day", validators=[InputRequired("Give the last day.")])
    note = StringField("Note", validators=[Optional(), Length(max=200), one_line])


def trained_days(form: ImmutableMultiDict[str, str], editions: list[str]) -> dict[str, date]:
    """Return the days of training per edition. Raises: Invalid."""
    found, errors = {}, []
    for edition in editions:
        text = form.get(f"trained-{edition}", "").strip()
        if not text:
            continue
        try:
            found[edition] = date.fromisoformat(text)
        except ValueError:
            errors.append(
                FieldError(f"trained-{edition}", f"Edition {edition}: give the day of the training as a date.")
            )
    if errors:
        raise Invalid(errors)
    return found
