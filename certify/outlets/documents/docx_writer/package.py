"""Open the base file, fill it, and save it so that the same content always gives the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certify.core.foundation.errors import Conflict
from certify.outlets.documents.content.wording import clean
from certify.outlets.documents.docx_writer import markup
from certify.outlets.documents.docx_writer.templates import find_template

if TYPE_CHECKING:
    from docx.document import Document

JSON_PART = "/certify/report.json"
JSON_RELATIONSHIP = "urn:certify:relationships:machine-readable-twin"
# The ZIP format cannot write an earlier instant, nor one without a year.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def fill_body(document: Document, body: str) -> None:
    """Replace the paragraphs of the base by `body`; its section, which holds the page size, stays."""
    from docx.oxml import parse_xml

    parsed = parse_xml(f"<w:body {markup.NAMESPACES}>{body}</w:body>")
    target = document.element.body
    section = target.sectPr
    for child in list(target):
        if child is not section:
            target.remove(child)
    for child in list(parsed):
        section.addprevious(child)


def fill_margins(document: Document, *, header: str, footer: str, draft: bool, first_header: str = "") -> None:
    """Write header and footer; the first page has `first_header`, a draft its watermark on each page."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    mark = markup.watermark("DRAFT") if draft else ""
    _replace(section.header, header + mark)
    _replace(section.first_page_header, (first_header or markup.paragraph("Header")) + mark)
    _replace(section.footer, footer)
    _replace(section.first_page_footer, footer)


def fill_footer(document: Document, footer: str) -> None:
    """Write the footer of every page, unless the template has one of its own."""
    section = document.sections[0]
    if section.footer.is_linked_to_previous:
        _replace(section.footer, footer)


def add_draft_mark(document: Document) -> None:
    """Lay the watermark over every page of a filled template."""
    from docx.oxml import parse_xml

    for section in document.sections:
        for header in (section.header, section.first_page_header):
            if header is section.header or section.different_first_page_header_footer:
                header.is_linked_to_previous = False
                mark = parse_xml(f"<w:hdr {markup.NAMESPACES}>{markup.watermark('DRAFT')}</w:hdr>")
                header._element.extend(list(mark))


def _replace(part: Any, inside: str) -> None:
    from docx.oxml import parse_xml

    part.is_linked_to_previous = False
    element = part._element
    for child in list(element):
        element.remove(child)
    element.extend(list(parse_xml(f"<w:hdr {markup.NAMESPACES}>{inside}</w:hdr>")))


def set_properties(document: Document, *, title: str, subject: str, author: str, at: datetime | None) -> None:
    """Write the properties that Word shows under File > Info; without `at` the instant of a draft is left out of time."""
    instant = (at or datetime(1980, 1, 1, tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties = document.core_properties
    properties.title, properties.subject, properties.author = (
        clean(title)[:255],
        clean(subject)[:255],
        clean(author)[:255],
    )
    properties.last_modified_by, properties.language, properties.revision = clean(author)[:255], "en-US", 1
    properties.created = properties.modified = instant


def attach_json(document: Document, data: Any) -> None:
    """Add the machine-readable twin as a part of the file; word processors leave it alone."""
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    blob = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    package = document.part.package
    package.relate_to(Part(PackURI(JSON_PART), "application/json", blob, package), JSON_RELATIONSHIP)


def add_picture(document: Document, png: bytes) -> str:
    """Add a PNG and return the id by which the body refers to it."""
    relationship, _ = document.part.get_or_add_image(io.BytesIO(png))
    return relationship


def open_base() -> Document:
    """Return a fresh document with the styles of the house, or of the program's own template.

    Raises: Conflict when the program's own template cannot be opened.
    """
    return open_document(find_template("survey-report").path)


def open_document(path: Path) -> Document:
    """Return a template as a document. Raises: Conflict when it cannot be opened."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        return docx.Document(str(path))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as problem:
        raise Conflict(f"The template {path.name} cannot be opened as a Word document: {problem}.") from problem


def to_bytes(document: Document) -> bytes:
    """Return the finished file: parts in a fixed order, no wall clock in it."""
    from docx.opc.packuri import CONTENT_TYPES_URI, PACKAGE_URI
    from docx.opc.pkgwriter import _ContentTypesItem

    package = document.part.package
    parts = sorted(package.parts, key=lambda part: str(part.partname))
    for part in parts:
        part.before_marshal()
    files = [
        (CONTENT_TYPES_URI.membername, _ContentTypesItem.from_parts(parts).blob),  # type: ignore[no-untyped-call]
        (PACKAGE_URI.rels_uri.membername, package.rels.xml),
    ]
    for part in parts:
        files.append((part.partname.membername, part.blob))
        if len(part.rels):
            files.append((part.partname.rels_uri.membername, part.rels.xml))
    return zipped(files)


def zipped(files: list[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of (name, bytes) pairs in the given order, with a fixed date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, blob in files:
            info = zipfile.ZipInfo(name, _ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_STORED if name.endswith((".png", ".jpg", ".pdf")) else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, blob)
    return stream.getvalue()
