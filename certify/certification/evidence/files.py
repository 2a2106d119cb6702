"""What an uploaded file really is: its type by content, a safe name, its text; refuses what is not on the list."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from certify.certification.evidence.apart import MAX_TEXT, TOO_MUCH, NotRead, Part, read_apart
from certify.certification.evidence.identifiers import Suspicion, merged, suspicions_in_table, suspicions_in_text
from certify.core.foundation.errors import Invalid

MAX_BYTES = 25 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_ENTRIES = 5_000
MAX_PIXELS = 60_000_000

TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
}
ACCEPT = ".pdf,.docx,.xlsx,.png,.jpg,.jpeg,.txt,.csv"
ALLOWED_WORDS = "PDF, Word (.docx), Excel (.xlsx), PNG, JPEG, text (.txt) or CSV"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
_MARKUP = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|script|svg|\?xml|iframe)", re.IGNORECASE)


@dataclass(frozen=True)
class Inspected:
    """A file fit to be kept: what to store (pictures are written anew), under which name and type."""

    file_name: str
    media_type: str
    content: bytes
    original_sha256: str
    suspicions: list[Suspicion] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """The digest of what is stored."""
        return hashlib.sha256(self.content).hexdigest()


def inspect(content: bytes, file_name: str, *, form_field: str = "file") -> Inspected:
    """Return what may be stored of an upload.

    Raises: Invalid, on `form_field`, when the file is empty, too large, of a type that is not on the list, damaged,
        protected by a password, or carries macros or scripts.
    """
    shown = safe_name(file_name)
    try:
        kind = _kind(content, file_name)
        reader = {
            "pdf": _pdf,
            "docx": _docx,
            "xlsx": _xlsx,
            "png": _picture,
            "jpg": _picture,
            "txt": _text,
            "csv": _csv,
        }[kind]
        kept, suspicions = reader(content, kind)
    except _Refused as refused:
        raise Invalid(f"“{shown}” cannot be taken: {refused}", form_field) from refused
    in_name = suspicions_in_text(re.sub(r"[_]+", " ", file_name), "the file name") + suspicions_in_text(
        file_name, "the file name"
    )
    return Inspected(
        safe_name(file_name, kind), TYPES[kind], kept, hashlib.sha256(content).hexdigest(), merged(in_name + suspicions)
    )


def safe_name(name: str, extension: str = "") -> str:
    """Return a file name without path, control or reserved characters, at most 120 long, ending in `extension` when given.

    >>> safe_name("../../etc/pass\\x00wd.PDF", "pdf"), safe_name("", "txt"), safe_name("con.txt", "txt")
    ('passwd.pdf', 'file.txt', 'file-con.txt')
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "<>:\"/|?*;%`$&'")
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if not dot or len(ending) > 8:
        stem, ending = kept.strip(" ."), ""
    stem = re.sub(r"\s+", " ", stem).strip(" .-")[:110].strip(" .") or "file"
    if stem.lower() in _RESERVED:
        stem = f"file-{stem}"
    ending = extension or ending.lower()
    return f"{stem}.{ending}" if ending else stem


class _Refused(Exception):
    """Why a file is not taken, as the end of a sentence."""


def _kind(content: bytes, name: str) -> str:
    if not content:
        raise _Refused("it is empty.")
    if len(content) > MAX_BYTES:
        raise _Refused("it is larger than 25 MB. Split it, or save it with smaller pictures.")
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(_OLD_OFFICE):
        raise _Refused(
            "it is in an old Office format or protected by a password. Save it as .docx, .xlsx or PDF without a password."
        )
    if content.startswith(b"PK\x03\x04"):
        return _office_kind(content)
    import filetype

    guess = filetype.guess(content)
    if guess is not None:
        kind = {"image/png": "png", "image/jpeg": "jpg"}.get(guess.mime)
        if kind is None:
            raise _Refused(f"it is not one of {ALLOWED_WORDS}.")
        return kind
    if _MARKUP.match(content[:2_000]):
        raise _Refused(f"it is a web page or other markup, not one of {ALLOWED_WORDS}. Print it to PDF.")
    if not _looks_like_text(content):
        raise _Refused(f"it is not one of {ALLOWED_WORDS}, or it is damaged.")
    return "csv" if name.lower().endswith(".csv") else "txt"


def _office_kind(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise _Refused(TOO_MUCH)
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise _Refused("it holds macros. Save it as .docx or .xlsx without macros.")
            if any("/embeddings/" in name.lower() or "/activex/" in name.lower() for name in names):
                raise _Refused("another file or control is embedded in it. Take that out, or save it as PDF.")
            if "word/document.xml" in names:
                return "docx"
            if "xl/workbook.xml" in names:
                return "xlsx"
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as damaged:
        raise _Refused("it is damaged.") from damaged
    raise _Refused(f"it is an archive. Upload the documents in it one by one, as {ALLOWED_WORDS}.")


Read = tuple[bytes, list[Suspicion]]


def _pdf(content: bytes, kind: str) -> Read:
    found: list[Suspicion] = []
    for part in _parts(content, kind):
        found += suspicions_in_text(part["text"], part["where"])
    return content, found


def _parts(content: bytes, kind: str) -> list[Part]:
    try:
        return read_apart(content, kind)
    except NotRead as refused:
        raise _Refused(str(refused)) from refused


def _docx(content: bytes, _kind: str) -> Read:
    found: list[Suspicion] = []
    for name, text in _xml_texts(
        content, re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml$")
    ):
        where = {"document": "the text", "comments": "a comment"}.get(
            name.split("/")[-1].rstrip("0123456789.xml"), "a header, footer or note"
        )
        found += suspicions_in_text(text, where)
        found += suspicions_in_table((line.split("\t") for line in text.split("\n")), where)
    return content, found


def _xml_texts(content: bytes, wanted: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if wanted.match(name):
                    tree = etree.fromstring(archive.read(name), parser)
                    yield name, _plain(tree)[:MAX_TEXT]
    except (
        etree.XMLSyntaxError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        ValueError,
        OSError,
    ) as damaged:
        raise _Refused("the document is damaged. Open it in Word and save it again.") from damaged


def _plain(tree: object) -> str:
    """Text of WordprocessingML: a paragraph a line, a table row a line with tabs between its cells."""
    out: list[str] = []
    for element in tree.iter():  # type: ignore[attr-defined]
        tag = element.tag if isinstance(element.tag, str) else ""
        name = tag.rsplit("}", 1)[-1]
        if name == "t":
            out.append(element.text or "")
        elif name == "tab":
            out.append("\t")
        elif name == "tr":
            out.append("\n")
        elif name == "tc":
            out.append("\t")
        elif name in ("p", "br") and not any(a.tag.rsplit("}", 1)[-1] == "tc" for a in element.iterancestors()):
            out.append("\n")
        elif name in ("p", "br"):
            out.append(" ")
    # Each cell opens with a tab: drop the first so that columns line up.
    return "\n".join(line.removeprefix("\t") for line in "".join(out).split("\n"))


def _xlsx(content: bytes, kind: str) -> Read:
    found: list[Suspicion] = []
    for part in _parts(content, kind):
        found += suspicions_in_text(part["text"], part["where"]) + suspicions_in_table(part["rows"], part["where"])
    return content, found


def _picture(content: bytes, kind: str) -> Read:
    """Write the picture anew: what else the file carried (place, camera, hidden script) is gone."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    form = {"png": "PNG", "jpg": "JPEG"}[kind]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[form]) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise _Refused("the picture has more than 60 million points. Save it smaller.")
                upright = ImageOps.exif_transpose(picture)
                plain = (
                    upright.convert("RGB")
                    if kind == "jpg"
                    else upright.convert(
                        "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
                    )
                )
                plain.info = {}
                out = io.BytesIO()
                plain.save(out, form, **({"quality": 88, "optimize": True} if kind == "jpg" else {"optimize": False}))
    except _Refused:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as damaged:
        raise _Refused("the picture is damaged.") from damaged
    return out.getvalue(), []


def _looks_like_text(content: bytes) -> bool:
    text = _decoded(content[: len(content) - len(content) % 2])
    if text is None:
        return False
    odd = sum(1 for c in text[:20_000] if unicodedata.category(c) == "Cc" and c not in "\t\r\n\f")
    return odd == 0


def _decoded(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content:
        return None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", errors="ignore") if _cut_only(content) else None


def _cut_only(content: bytes) -> bool:
    """Whether the text is sound but for a character cut in two at its end."""
    try:
        content[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text(content: bytes, _kind: str) -> Read:
    text = (_decoded(content) or "")[:MAX_TEXT]
    return content, suspicions_in_text(text, "the text")


def _csv(content: bytes, _kind: str) -> Read:
    text = (_decoded(content) or "")[:MAX_TEXT]
    delimiter = max(",;\t|", key=text[:5_000].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        rows = [line.split(delimiter) for line in text.splitlines()]
    return content, suspicions_in_text(text, "the table") + suspicions_in_table(rows, "the table")
