"""What is wrong with a Word template, by paragraph: unknown fields, tags that do not close, macros, missing styles."""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from certify.outlets.documents.content.certificate import Certificate, Signatory
from certify.outlets.documents.content.decision_letter import DecisionLetter, Outcome, Reason
from certify.outlets.documents.docx_writer.letters import certificate_fields, letter_fields, sandbox
from certify.outlets.documents.docx_writer.templates import built_in, find_template

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_BYTES = 20_000_000
_TAG = re.compile(r"\{\{(?P<field>.*?)\}\}|\{%(?:p|tr|tc|r)?(?P<step>.*?)%\}|\{#.*?#\}", re.DOTALL)
_LOOP = re.compile(r"for\s+(?P<name>\w+)\s+in\s+(?P<source>\w+)(?:\.(?P<part>\w+))?\s*$")
_MACROS = re.compile(r"vbaProject|activeX", re.IGNORECASE)


@dataclass(frozen=True)
class Mistake:
    """What is wrong; paragraph 0 is the file as a whole. Paragraphs count from 1: body first, then headers and footers."""

    paragraph: int
    reason: str

    def __str__(self) -> str:
        return f"paragraph {self.paragraph}: {self.reason}" if self.paragraph else self.reason


def check_template(content: bytes, kind: str) -> list[Mistake]:
    """Return every mistake of a template for `kind`, an empty list when it can be used.

    Raises: NotFound for an unknown kind.
    """
    find_template(kind)
    if mistakes := _file_mistakes(content):
        return mistakes
    import docx

    try:
        document = docx.Document(io.BytesIO(content))
    except (KeyError, ValueError, zipfile.BadZipFile) as problem:
        return [Mistake(0, f"The file cannot be opened as a Word document: {problem}.")]
    paragraphs = list(_paragraphs(document))
    if kind == "survey-report":
        return _tags_without_meaning(paragraphs) + _missing_styles(document)
    mistakes = list(_tag_mistakes(paragraphs, _example(kind)))
    return mistakes or _trial(content, kind)


def _file_mistakes(content: bytes) -> list[Mistake]:
    if len(content) > MAX_BYTES:
        return [Mistake(0, f"The file is larger than {MAX_BYTES // 1_000_000} MB.")]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            unpacked = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile:
        return [Mistake(0, "This is not a Word document (.docx).")]
    if "word/document.xml" not in names:
        return [Mistake(0, "This is not a Word document (.docx): it has no text.")]
    if unpacked > 10 * MAX_BYTES:
        return [Mistake(0, "The file grows too large when unpacked.")]
    if any(_MACROS.search(name) for name in names):
        return [Mistake(0, "The file holds macros. Save it as .docx without macros.")]
    return []


def _paragraphs(document: Any) -> Iterator[str]:
    """Yield the text of each paragraph in the order of the file, tables included, then of headers and footers."""
    paragraph = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"
    text = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t"
    roots = [document.element.body]
    for section in document.sections:
        parts = (section.header, section.first_page_header, section.footer, section.first_page_footer)
        roots += [part._element for part in parts if not part.is_linked_to_previous]
    for root in roots:
        for element in root.iter(paragraph):
            yield "".join(node.text or "" for node in element.iter(text))


def _tag_mistakes(paragraphs: list[str], fields: dict[str, Any]) -> Iterator[Mistake]:
    environment = sandbox()
    scope: dict[str, Any] = dict(fields)
    opened: list[tuple[str, int, str, Any]] = []
    for number, text in enumerate(paragraphs, start=1):
        for found in _TAG.finditer(text):
            if found["field"] is not None:
                yield from _expression_mistakes(environment, found["field"], number, scope)
            elif found["step"] is not None:
                yield from _step_mistakes(environment, found["step"].strip(" -+"), number, scope, opened)
        rest = _TAG.sub("", text)
        if mark := next((mark for mark in ("{{", "}}", "{%", "%}") if mark in rest), ""):
            yield Mistake(number, f"“{mark}” has no counterpart in the same paragraph.")
    for word, number, _, _ in opened:
        yield Mistake(number, f"“{word}” is never closed; add “end{word}”.")


def _step_mistakes(
    environment: Environment, step: str, number: int, scope: dict[str, Any], opened: list[tuple[str, int, str, Any]]
) -> Iterator[Mistake]:
    word, _, rest = step.partition(" ")
    if word in ("endfor", "endif"):
        if not opened or opened[-1][0] != word[3:]:
            yield Mistake(number, f"“{word}” closes nothing.")
            return
        _, _, name, before = opened.pop()
        if name:
            scope[name] = before
    elif word == "for":
        loop = _LOOP.fullmatch(step)
        if loop is None:
            yield Mistake(number, f"“{step}” is not understood; write “for NAME in LIST”.")
            opened.append(("for", number, "", None))
            return
        items = scope.get(loop["source"])
        if items is None or (loop["part"] and not isinstance(items, dict)):
            yield from _expression_mistakes(environment, loop["source"], number, scope)
        items = items.get(loop["part"]) if loop["part"] and isinstance(items, dict) else items
        if items is not None and not isinstance(items, list):
            yield Mistake(number, f"“{loop['source']}” is not a list; use it as {{{{ {loop['source']} }}}}.")
        opened.append(("for", number, loop["name"], scope.get(loop["name"])))
        scope[loop["name"]] = items[0] if isinstance(items, list) and items else ""
    elif word in ("if", "elif", "else"):
        if word == "if":
            opened.append(("if", number, "", None))
        elif not opened or opened[-1][0] != "if":
            yield Mistake(number, f"“{word}” stands outside of an “if”.")
        if word != "else":
            yield from _expression_mistakes(environment, rest, number, scope)
    else:
        yield Mistake(
            number, f"“{word}” is not a step a template may take; there are for, if, elif, else, endfor, endif."
        )


def _expression_mistakes(
    environment: Environment, expression: str, number: int, scope: dict[str, Any]
) -> Iterator[Mistake]:
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = environment.parse("{{ " + expression.strip() + " }}")
    except TemplateSyntaxError as problem:
        yield Mistake(number, f"“{expression.strip()}” is not understood: {problem.message}.")
        return
    for name in tree.find_all(nodes.Name):
        if name.name not in scope and name.name != "loop":
            yield Mistake(number, f"unknown field “{name.name}”.{_nearest(name.name, list(scope))}")
    for part in tree.find_all(nodes.Getattr):
        owner = part.node
        if isinstance(owner, nodes.Name) and owner.name in scope:
            known = scope[owner.name]
            if not isinstance(known, dict):
                yield Mistake(number, f"“{owner.name}” has no part “{part.attr}”.")
            elif part.attr not in known:
                yield Mistake(number, f"unknown field “{owner.name}.{part.attr}”.{_nearest(part.attr, list(known))}")


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean “{close[0]}”?" if close else f" Known are: {', '.join(sorted(known))}."


def _tags_without_meaning(paragraphs: list[str]) -> list[Mistake]:
    return [
        Mistake(
            number, "The survey report is written by the program; its template holds styles and page only, no fields."
        )
        for number, text in enumerate(paragraphs, start=1)
        if _TAG.search(text)
    ]


def _missing_styles(document: Any) -> list[Mistake]:
    import docx

    known = {style.style_id for style in document.styles}
    wanted = {style.style_id: style.name for style in docx.Document(io.BytesIO(built_in("survey-report"))).styles}
    missing = [name for key, name in wanted.items() if key not in known]
    return [Mistake(0, f"The style “{name}” is missing; the report is written in it.") for name in missing]


def _trial(content: bytes, kind: str) -> list[Mistake]:
    """Fill the template with an example: whatever the reading above does not see shows here."""
    from docxtpl import DocxTemplate
    from jinja2 import TemplateError
    from lxml.etree import LxmlError

    template = DocxTemplate(io.BytesIO(content))
    try:
        template.render(_example(kind), sandbox())
    except (TemplateError, LxmlError, ValueError, TypeError, KeyError) as problem:
        return [Mistake(0, f"Filling the template with an example fails: {problem}.")]
    return []


def _example(kind: str) -> dict[str, Any]:
    """Return fields with every list filled, so that loops can be looked into."""
    if kind == "certificate":
        example = Certificate(
            number="OMH-2027-0001",
            case_ref="LO-2026-001",
            program="Program",
            practice="Practice",
            sites=("First site", "Second site"),
            edition_title="Standards",
            award_on=date(2027, 1, 4),
            end_on=date(2030, 1, 3),
            verification_code="AAAA-BBBB-CCCC",
            register_url="https://example.org/register/OMH-2027-0001",
            signatories=(Signatory("Name", "Title"),),
        )
        return {**certificate_fields(example), "qr_code": ""}
    letter = DecisionLetter(
        case_ref="LO-2026-001",
        program="Program",
        practice="Practice",
        address=("Street", "Town"),
        recipient="Name",
        recipient_title="Title",
        outcome=Outcome.DENIAL,
        decided_on=date(2027, 1, 4),
        edition_title="Standards",
        sites=("First site", "Second site"),
        signatory="Name",
        signatory_title="Title",
        reasons=(Reason("7.3", "Title", "Text"),),
        contact="Contact",
    )
    return {**letter_fields(letter), "facts": [{"label": "Award date", "value": "January 4, 2027"}]}
