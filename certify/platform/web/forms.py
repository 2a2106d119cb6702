"""The base of every form: trimmed text, sentences for errors, a version, and a key that lets it act once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Field, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    Optional,
    ValidationError,
)

from certify.core.foundation.errors import FieldError, Invalid
from certify.core.foundation.ids import new_secret
from certify.platform.web.transactions import FORM_KEY


class Form(FlaskForm):
    """A form of a page. The page's security token is checked once for all requests, in `web.csrf`."""

    class Meta(FlaskForm.Meta):
        csrf = False

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            if issubclass(unbound_field.field_class, StringField | TextAreaField):
                filters = list(unbound_field.kwargs.get("filters", ()))
                unbound_field.kwargs["filters"] = [strip_text, *[f for f in filters if f is not strip_text]]
            return unbound_field.bind(form=form, **options)  # type: ignore[no-any-return]

    def field_errors(self) -> list[FieldError]:
        """Return every mistake with its field, in the order of the form."""
        return [FieldError(f.name, str(message)) for f in self for message in f.errors]

    def refuse(self, invalid: Invalid) -> None:
        """Hang what an operation found wrong on the fields it named, so that the page shows it there."""
        for error in invalid.errors:
            target = self._fields.get(error.field)
            if target is None:
                self.form_errors.append(error.message)
            else:
                target.errors = [*target.errors, error.message]


class Option(SelectChoice):
    """One thing to choose; for the page's macros it is a pair of value and label."""

    def __iter__(self) -> Iterator[str]:
        return iter((self.value, self.label))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> str:
        return str((self.value, self.label)[index])


def options(pairs: Mapping[Any, str] | Iterable[tuple[Any, str]]) -> list[Option]:
    """Return choices of a select, radio or check-box field from values and labels."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return [Option(value, label) for value, label in items]


class VersionField(HiddenField):
    """The version the person saw; a whole number, or the form is refused."""

    def pre_validate(self, form: Any) -> None:
        """Refuse what is no version."""
        if _version(self.data) is None:
            raise ValidationError("The page is incomplete. Reload it and try again.")

    @property
    def number(self) -> int:
        """The version; -1, which no row has, when there is none."""
        found = _version(self.data)
        return -1 if found is None else found


def _version(text: object) -> int | None:
    text = str(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def strip_text(value: Any) -> Any:
    """Trim white space at both ends and drop characters no keyboard makes."""
    if not isinstance(value, str):
        return value
    return "".join(c for c in value.replace("\r\n", "\n") if c in "\n\t" or c.isprintable() or ord(c) > 159).strip()


def one_line(_form: Any, field: Field) -> None:
    """Refuse line breaks in what must be one line (names, addresses, subjects)."""
    if isinstance(field.data, str) and any(c in field.data for c in "\r\n\t"):
        raise ValidationError("Write this in one line.")


def required(message: str) -> list[Any]:
    """Return the validators of a field that must be filled, with a sentence that says what to do."""
    return [InputRequired(message), DataRequired(message)]


def posted_version() -> int:
    """Return the version a plain form carries.

    Raises: Invalid when there is none or it is not a whole number.
    """
    found = _version(request.form.get("version", ""))
    if found is None:
        raise Invalid(
            "The page is incomplete: it does not say which version you saw. Reload it and try again.", "version"
        )
    return found


def form_key() -> str:
    """Return a fresh key; the second of two clicks carries the same one and gets the first one's answer."""
    return new_secret()


def once() -> Markup:
    """Return the hidden field that makes a form act once."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_KEY, form_key())


__all__ = [
    "Form",
    "IntegerField",
    "Length",
    "Option",
    "Optional",
    "VersionField",
    "once",
    "one_line",
    "options",
    "posted_version",
    "required",
    "strip_text",
]
