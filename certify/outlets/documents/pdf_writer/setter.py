"""A program of its own that sets one document and ends: JSON in on standard input, the PDF out on standard output.

The typesetter keeps what it has set in memory for ever, and holds the interpreter while it works. In a process that
ends with the document, neither reaches the server: its memory stays as it was, and nobody's saving waits.

Needs nothing of the product but this file, so that it starts at once.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from datetime import datetime
from functools import lru_cache

import typst

# What stands for a letter that no font at hand can draw.
MISSING = "\u25a1"
_PLAIN = re.compile("[^\n\t\x20-\x7e\u00a0-\u017e\u2010-\u2026]")
# Distinct unusual letters that are tried one by one; a text with more of them is no text of ours.
_TRIED = 400


@lru_cache(maxsize=1)
def fonts(folder: str) -> typst.Fonts:
    """Return the fonts at hand: the typesetter's own and those of `folder`, never the machine's."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])


@lru_cache(maxsize=4096)
def drawable(letter: str, folder: str) -> bool:
    """Whether the fonts at hand can draw one letter; PDF/UA refuses a document with a letter that cannot be drawn."""
    probe = b'#set document(title: "probe")\n#set text(font: "Source Sans Pro", lang: "en")\n#sys.inputs.letter'
    try:
        typst.compile(probe, font_paths=fonts(folder), sys_inputs={"letter": f"a{letter}"}, pdf_standards=["ua-1"])
    except typst.TypstError:
        return False
    return True


def printable(text: str, folder: str) -> str:
    """Return `text` with every letter that cannot be drawn replaced by a box."""
    unusual = sorted(set(_PLAIN.findall(text)))
    if not unusual:
        return text
    kept = {
        letter
        for letter in unusual[:_TRIED]
        if unicodedata.category(letter) not in ("Cc", "Cn", "Co", "Cs") and drawable(letter, folder)
    }
    return _PLAIN.sub(lambda found: found.group() if found.group() in kept else MISSING, text)


def main() -> None:
    """Set what standard input asks for: root and name of the template, folder of the fonts, data as text, instant."""
    asked = json.load(sys.stdin.buffer)
    text = printable(asked["data"], asked["fonts"])
    made = typst.compile(
        f"{asked['root']}/{asked['template']}",
        root=asked["root"],
        font_paths=fonts(asked["fonts"]),
        ignore_system_fonts=True,
        sys_inputs={"data": text},
        pdf_standards=["ua-1"],
        timestamp=datetime.fromisoformat(asked["at"]),
    )
    sys.stdout.buffer.write(bytes(made))


if __name__ == "__main__":
    main()
