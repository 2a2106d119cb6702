"""Set a typst template with data as a tagged PDF (PDF/UA-1); the same data gives the same bytes."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from certify.outlets.documents import palette

if TYPE_CHECKING:
    import typst

# What stands for a letter that no font at hand can draw.
MISSING = "\u25a1"
_PLAIN = re.compile("[^\n\t\x20-\x7e\u00a0-\u017e\u2010-\u2026]")
# Distinct unusual letters that are tried one by one; a text with more of them is no text of ours.
_TRIED = 400


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(palette.FONT_FOLDER)])


@lru_cache(maxsize=4096)
def drawable(letter: str) -> bool:
    """Whether the fonts at hand can draw one letter; PDF/UA refuses a document with a letter that cannot be drawn."""
    import typst

    probe = b'#set document(title: "probe")\n#set text(font: "Source Sans Pro", lang: "en")\n#sys.inputs.letter'
    try:
        typst.compile(probe, font_paths=_fonts(), sys_inputs={"letter": f"a{letter}"}, pdf_standards=["ua-1"])
    except typst.TypstError:
        return False
    return True


def printable(text: str) -> str:
    """Return `text` with every letter that cannot be drawn replaced by a box."""
    unusual = sorted(set(_PLAIN.findall(text)))
    if not unusual:
        return text
    kept = {
        letter
        for letter in unusual[:_TRIED]
        if unicodedata.category(letter) not in ("Cc", "Cn", "Co", "Cs") and drawable(letter)
    }
    return _PLAIN.sub(lambda found: found.group() if found.group() in kept else MISSING, text)


def pdf(template: str, data: dict[str, Any], *, on: date | datetime | None) -> bytes:
    """Return the PDF of `template` (a name below templates/typst) filled with `data`.

    Args:
        data: JSON types only; it reaches the template as data and is never read as markup.
        on: the day or instant that the document bears as its date; None for a draft.
    """
    import typst

    # Slashes of letters beyond ASCII stay as they are, so that `printable` sees each one.
    text = printable(json.dumps(data, ensure_ascii=False, sort_keys=True))
    return bytes(
        typst.compile(
            str(palette.TYPST_TEMPLATES / template),
            root=str(palette.TYPST_TEMPLATES),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"data": text},
            pdf_standards=["ua-1"],
            timestamp=_instant(on),
        )
    )


def _instant(on: date | datetime | None) -> datetime:
    if isinstance(on, datetime):
        return on.astimezone(UTC).replace(microsecond=0)
    return datetime(on.year, on.month, on.day, tzinfo=UTC) if on else datetime(1980, 1, 1, tzinfo=UTC)
