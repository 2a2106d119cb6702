"""Word templates that the program's staff may edit: which there are, and which file is in use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certify.core.foundation.errors import NotFound
from certify.outlets.documents.palette import WORD_TEMPLATES

_own: Path | None = None


@dataclass(frozen=True)
class Template:
    """A template: its kind, what it makes, the file in use and whether that is the program's own."""

    kind: str
    title: str
    path: Path
    own: bool


TITLES = {
    "decision-letter": "Letter of award or denial",
    "certificate": "Certificate",
    "survey-report": "Styles and page of the survey report",
}
_BUILT_IN = {"decision-letter": "decision-letter.docx", "certificate": "certificate.docx", "survey-report": "base.docx"}


def use_own_templates(folder: Path) -> None:
    """Take a template from this folder (`<instance>/templates`) where it holds one of that name."""
    global _own
    _own = folder


def find_template(kind: str) -> Template:
    """Return the template in use. Raises: NotFound for an unknown kind."""
    if kind not in TITLES:
        raise NotFound(f"There is no template {kind}. There are: {', '.join(TITLES)}.")
    own = _own / f"{kind}.docx" if _own else None
    if own is not None and own.is_file():
        return Template(kind, TITLES[kind], own, True)
    return Template(kind, TITLES[kind], WORD_TEMPLATES / _BUILT_IN[kind], False)


def list_templates() -> list[Template]:
    """Return every kind of template with the file in use."""
    return [find_template(kind) for kind in TITLES]


def built_in(kind: str) -> bytes:
    """Return the template that comes with the product. Raises: NotFound for an unknown kind."""
    if kind not in _BUILT_IN:
        raise NotFound(f"There is no template {kind}. There are: {', '.join(TITLES)}.")
    return (WORD_TEMPLATES / _BUILT_IN[kind]).read_bytes()
