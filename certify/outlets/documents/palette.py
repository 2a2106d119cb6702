"""The colours and the typeface of all documents, the same as the pages use."""

from __future__ import annotations

from pathlib import Path

from certify.outlets.documents.content.wording import Rating
from certify.resources import STATIC, TEMPLATES

INK = "#14212b"
MUTED = "#566573"
LINE = "#dfe6ea"
WASH = "#f5f8f9"
WHITE = "#ffffff"
ACCENT, ACCENT_WASH = "#0b6b74", "#e3f1f2"
DUE, DUE_WASH = "#8a4b00", "#fdf1e0"
NOT_MET, NOT_MET_WASH, NOT_MET_DEEP = "#9b1c31", "#fbe9ec", "#f2c4cc"
MET, MET_WASH = "#1c6b43", "#e5f3eb"

RATING_COLOURS: dict[Rating, tuple[str, str]] = {
    Rating.MET: (MET, MET_WASH),
    Rating.NOT_MET: (NOT_MET, NOT_MET_WASH),
    Rating.NOT_APPLICABLE: (MUTED, WASH),
    Rating.NOT_ASSESSED: (DUE, DUE_WASH),
}

# Ink and fill of a level of risk; the word stands in every cell.
LEVEL_COLOURS: dict[str, tuple[str, str]] = {
    "low": (INK, WASH),
    "moderate": (DUE, DUE_WASH),
    "high": (NOT_MET, NOT_MET_DEEP),
}

FONT = "Source Sans Pro"
FONT_FOLDER: Path = STATIC / "vendor" / "uswds" / "fonts" / "source-sans-pro"
WORD_TEMPLATES: Path = TEMPLATES / "word"
TYPST_TEMPLATES: Path = TEMPLATES / "typst"
