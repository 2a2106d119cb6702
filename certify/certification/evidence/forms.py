"""Reading what the evidence pages send: files, what they prove, for which site and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import FileStorage, MultiDict

from certify.certification.evidence.files import Inspected
from certify.certification.evidence.operations import inspect_file, use_of
from certify.certification.evidence.rules import Use
from certify.core.foundation.errors import FieldError, Invalid

MOST_FILES = 20


@dataclass(frozen=True)
class UploadForm:
    """What was typed beside the files; kept so that a refused page shows it again."""

    title: str
    items: tuple[str, ...]
    site: str
    pages: str
    effective_from: str
    effective_to: str

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> UploadForm:
        """Return the fields as typed."""
        return cls(
            form.get("title", "").strip(), tuple(form.getlist("item")), form.get("site", ""), form.get("pages", "").strip(),
            form.get("effective_from", "").strip(), form.get("effective_to", "").strip(),
        )  # fmt: skip

    @property
    def site_id(self) -> int | None:
        """The site the evidence is for; None means all. Raises: Invalid when it is not a number."""
        if not self.site:
            return None
        if not self.site.isascii() or not self.site.isdigit() or len(self.site) > 9:
            raise Invalid("Choose a site, or all sites.", "site")
        return int(self.site)

    def uses(self) -> list[Use]:
        """Return the items chosen, each for the site chosen."""
        return [use_of(item, self.site_id, self.pages) for item in self.items]

    def period(self) -> tuple[date | None, date | None]:
        """Return the period as days. Raises: Invalid naming each day that cannot be read."""
        errors: list[FieldError] = []
        days = [_day(getattr(self, name), name, errors) for name in ("effective_from", "effective_to")]
        if errors:
            raise Invalid(errors)
        return days[0], days[1]


def read_files(files: list[FileStorage]) -> list[tuple[str, bytes]]:
    """Return name and content of each file sent. Raises: Invalid when there is none or there are too many."""
    found = []
    for file in files:
        if file.filename:
            found.append((file.filename, file.read()))
            file.stream.seek(0)  # whoever compares what was sent reads it again
    if not found:
        raise Invalid("Choose a file to add.", "file")
    if len(found) > MOST_FILES:
        raise Invalid(f"At most {MOST_FILES} files can be sent at once; you chose {len(found)}.", "file")
    return found


def inspect_all(files: list[tuple[str, bytes]]) -> list[Inspected]:
    """Look at every file. Raises: Invalid naming every file that cannot be taken."""
    inspected: list[Inspected] = []
    errors: list[FieldError] = []
    for name, content in files:
        try:
            inspected.append(inspect_file(content, name))
        except Invalid as invalid:
            errors.extend(invalid.errors)
    if errors:
        raise Invalid(errors)
    return inspected


def _day(text: str, field: str, errors: list[FieldError]) -> date | None:
    if not text:
        return None
    try:
        on = date.fromisoformat(text)
    except ValueError:
        errors.append(FieldError(field, "Write the day like 2026-12-04."))
        return None
    if not 1950 <= on.year <= 2100:
        errors.append(FieldError(field, "Write a day between 1950 and 2100."))
    return on
