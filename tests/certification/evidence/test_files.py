"""What a file really is: taken by its content, never by its name; what is dangerous is refused with what to do."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from certify.certification.evidence import apart, files
from certify.certification.evidence.files import MAX_BYTES, Inspected, inspect, safe_name
from certify.core.foundation.errors import Invalid
from tests.support.applied import picture


def pdf(*, script: bool = False, attached: bool = False, password: str = "") -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    if script:
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
        )
    if attached:
        writer.add_attachment("inside.exe", b"MZ")
    if password:
        writer.encrypt(password)
    writer.write(out)
    return out.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def archive_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return {name: made.read(name) for name in made.namelist()}


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(*paragraphs: str) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{p}</w:t></w:r></w:p>" for p in paragraphs)
    document = f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'.encode()
    return archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": document})


def xlsx(rows: list[list[object]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def why_not(content: bytes, name: str = "file.pdf") -> str:
    with pytest.raises(Invalid) as refusal:
        inspect(content, name)
    assert [e.field for e in refusal.value.errors] == ["file"]
    return refusal.value.errors[0].message


def kinds(found: Inspected) -> list[str]:
    return [s.kind for s in found.suspicions]


def test_the_content_decides_and_the_name_follows() -> None:
    cases = [
        (pdf(), "a.exe", "a.pdf", "application/pdf"),
        (
            docx("Policy"),
            "policy",
            "policy.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            xlsx([["Month", "Audits"], ["May", 12]]),
            "x.csv",
            "x.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (b"Our policy, in words.", "notes.md", "notes.txt", "text/plain"),
        (b"month,audits\nMay,12\n", "audits.csv", "audits.csv", "text/csv"),
        (picture(), "photo.png", "photo.jpg", "image/jpeg"),
        (picture("PNG"), "photo.jpeg", "photo.png", "image/png"),
        ("Grüße".encode("utf-16"), "note.txt", "note.txt", "text/plain"),
    ]
    for content, sent, kept, media_type in cases:
        found = inspect(content, sent)
        assert (found.file_name, found.media_type, found.suspicions) == (kept, media_type, [])


def test_a_picture_loses_camera_and_place_and_keeps_its_first_digest() -> None:
    import hashlib

    sent = picture()
    found = inspect(sent, "photo.jpg")
    assert b"Camera Maker" in sent
    assert b"Camera Maker" not in found.content
    assert dict(Image.open(io.BytesIO(found.content)).getexif()) == {}
    assert found.original_sha256 == hashlib.sha256(sent).hexdigest()


def test_a_picture_that_is_also_a_script_is_only_a_picture_afterwards() -> None:
    sent = picture() + b"<script>alert(1)</script>"
    assert b"<script>" not in inspect(sent, "photo.jpg").content


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.pdf", "empty"),
        (b"x" * (MAX_BYTES + 1), "a.txt", "25 MB"),
        (b"<html><script>alert(1)</script>", "a.txt", "web page"),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "a.pdf", "web page"),
        (b'<svg onload="alert(1)">', "a.png", "web page"),
        (b"MZ\x90\x00\x03", "a.pdf", "not one of"),
        (b"GIF89a" + b"\0" * 20, "a.png", "not one of"),
        (b"%PDF-1.7 broken", "a.pdf", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "a.png", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 40, "a.doc", "old Office format"),
        (b"PK\x03\x04broken", "a.docx", "damaged"),
        (archive({"a.pdf": b"x"}), "a.zip", "archive"),
        (b"\x00\x01\x02\x03", "a.txt", "not one of"),
        (b"bell \x07 inside", "a.txt", "not one of"),
    ],
)
def test_what_is_not_on_the_list_is_refused_with_what_to_do(content: bytes, name: str, words: str) -> None:
    assert words in why_not(content, name)


def test_macros_embedded_files_scripts_and_passwords_are_refused() -> None:
    assert "macros" in why_not(archive({"word/document.xml": b"<d/>", "word/vbaProject.bin": b"x"}), "a.docx")
    assert "embedded" in why_not(archive({"word/document.xml": b"<d/>", "word/embeddings/o.bin": b"x"}), "a.docx")
    assert "script" in why_not(pdf(script=True))
    assert "attached inside" in why_not(pdf(attached=True))
    assert "password" in why_not(pdf(password="secret"))


def test_what_unpacks_to_far_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 1_000_000)
    assert "unpacks" in why_not(archive({"word/document.xml": b"0" * 1_000_001}), "a.docx")


def test_a_sheet_whose_last_cell_lies_far_out_is_refused_and_takes_nothing_down() -> None:
    """Its rows and columns would be half a terabyte."""
    small = archive_of(xlsx([["A"]]))
    sheet = small["xl/worksheets/sheet1.xml"].replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    assert "unpacks" in why_not(archive({**small, "xl/worksheets/sheet1.xml": sheet}), "a.xlsx")


def test_what_takes_too_long_to_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WAIT_SECONDS", 0)
    assert "unpacks" in why_not(xlsx([["A"]]), "a.xlsx")


@pytest.mark.parametrize("what", ["stream", "version", "checksum"])
def test_a_damaged_archive_is_refused_whatever_is_damaged(what: str) -> None:
    content = bytearray(docx("Our policy. " * 500))
    if what == "stream":
        at = content.index(b"word/document.xml") + len(b"word/document.xml")
        content[at : at + 4] = b"\xff\xff\xff\xff"
    elif what == "version":
        content[content.rindex(b"PK\x01\x02") + 6] = 255
    else:
        content[content.rindex(b"PK\x01\x02") + 16] ^= 255
    assert "damaged" in why_not(bytes(content), "a.docx")


def test_an_entity_bomb_in_a_document_is_refused() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><w:document xmlns:w="'
        + W.encode()
        + b'"><w:t>&b;</w:t></w:document>'
    )
    try:
        found = inspect(archive({"word/document.xml": bomb}), "a.docx")
    except Invalid:
        return
    assert found.suspicions == []


def test_identifiers_are_noticed_in_every_kind_of_document() -> None:
    assert kinds(inspect(docx("Policy", "MRN: 00123456"), "a.docx")) == ["mrn"]
    assert kinds(inspect(xlsx([["Name", "DOB"], ["A", "1/2/1950"], ["B", "2/3/1951"]]), "a.xlsx")) == ["birth_date"]
    assert kinds(inspect(b"SSN 123-45-6789", "a.txt")) == ["ssn"]
    assert kinds(inspect(b"MRN;Dose\n1234567;20\n", "a.csv")) == ["mrn"]
    assert kinds(inspect(pdf(), "MRN_1234567.pdf")) == ["mrn"]
    where = [s.where for s in inspect(docx("DOB 1/2/1950"), "MRN 7654321.docx").suspicions]
    assert where == ["the file name", "the text"]


def test_identifiers_in_a_word_table_are_noticed() -> None:
    def cell(text: str) -> str:
        return f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    rows = "".join(
        f"<w:tr>{cell(a)}{cell(b)}</w:tr>" for a, b in (("Chart", "MRN"), ("1", "5551234"), ("2", "5559876"))
    )
    document = f'<w:document xmlns:w="{W}"><w:body><w:tbl>{rows}</w:tbl></w:body></w:document>'.encode()
    found = inspect(archive({"word/document.xml": document}), "audit.docx")
    assert [(s.kind, s.count) for s in found.suspicions] == [("mrn", 2)]


@given(st.text(max_size=300), st.sampled_from(["", "pdf", "txt"]))
def test_any_name_becomes_a_safe_one(name: str, extension: str) -> None:
    made = safe_name(name, extension)
    assert 0 < len(made) <= 120
    assert not set(made) & set('/\\<>:"|?*\0\r\n')
    assert not made.startswith(".")
    assert made.strip(" ") == made
    if extension:
        assert made.endswith(f".{extension}")
    assert safe_name(made, extension) == made


@given(st.binary(max_size=400), st.sampled_from(["a.pdf", "a.csv", "a.docx", "a.png"]))
def test_any_bytes_are_taken_or_refused_never_a_crash(
    monkeypatch: pytest.MonkeyPatch, content: bytes, name: str
) -> None:
    # Here and now: hundreds of processes would cost a minute and show no more.
    monkeypatch.setattr(files, "read_apart", lambda sent, kind: apart.parts_of(apart.answer_to(sent, kind)))
    for start in (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
        try:
            taken = inspect(start + content, name)
        except Invalid:
            continue
        assert taken.content
        assert taken.media_type
        assert safe_name(taken.file_name, taken.file_name.rsplit(".", 1)[-1]) == taken.file_name
