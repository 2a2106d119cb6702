"""Set a typst template with data as a tagged PDF (PDF/UA-1); the same data gives the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from certify.outlets.documents import palette

SETTER = Path(__file__).with_name("setter.py")
# Far beyond the longest report; a process that hangs must not hold a request for ever.
LONGEST_SECONDS = 60


class NotSet(RuntimeError):
    """The typesetter could not set a document; its own words say why."""


def pdf(template: str, data: dict[str, Any], *, on: date | datetime | None) -> bytes:
    """Return the PDF of `template` (a name below templates/typst) filled with `data`.

    Args:
        data: JSON types only; it reaches the template as data and is never read as markup.
        on: the day or instant that the document bears as its date; None for a draft.

    Raises: NotSet when the template or the typesetter fails.
    """
    asked = {
        "root": str(palette.TYPST_TEMPLATES),
        "template": template,
        "fonts": str(palette.FONT_FOLDER),
        # Slashes of letters beyond ASCII stay as they are, so that the setter sees each one.
        "data": json.dumps(data, ensure_ascii=False, sort_keys=True),
        "at": _instant(on).isoformat(),
    }
    # Our own interpreter and file with our own data: no shell, nothing of a person's in the command.
    done = subprocess.run(
        [sys.executable, "-I", str(SETTER)],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise NotSet(done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "no reason given")
    return done.stdout


def _instant(on: date | datetime | None) -> datetime:
    if isinstance(on, datetime):
        return on.astimezone(UTC).replace(microsecond=0)
    return datetime(on.year, on.month, on.day, tzinfo=UTC) if on else datetime(1980, 1, 1, tzinfo=UTC)
