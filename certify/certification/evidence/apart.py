"""Reads PDFs and workbooks in a process of its own: a few bytes may unpack to more than the machine holds, or never end.

Run as a program it takes the kind as its argument and the file on its input, and answers in JSON; it knows nothing of the rest.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import warnings
from functools import lru_cache
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 20
WAIT_SECONDS = 120  # of a busy machine; what runs away is ended by the limit of computing time
QUIET = {"RUST_BACKTRACE": "0"}  # where memory has run out, telling the way there would wait for memory for ever
MAX_TEXT = 4_000_000  # characters looked through in one file
SMALL = 100_000  # bytes; what was read of the last few files of this size is kept, as the same file often comes again

DAMAGED = {
    "pdf": "the PDF is damaged. Print it to PDF again.",
    "xlsx": "the workbook is damaged. Open it in Excel and save it again.",
}
TOO_MUCH = "it unpacks to far more than a document holds."

Part = dict[str, Any]  # where: str, text: str, rows: list of rows of cells, for a sheet


class NotRead(Exception):
    """Why a file is not taken, as the end of a sentence."""


def read_apart(content: bytes, kind: str) -> list[Part]:
    """Return the text of each page or sheet. Raises: NotRead."""
    return _read_once(content, kind) if len(content) <= SMALL else _read(content, kind)


@lru_cache(maxsize=16)
def _read_once(content: bytes, kind: str) -> list[Part]:
    return _read(content, kind)


def _read(content: bytes, kind: str) -> list[Part]:
    command = [sys.executable, "-P", __file__, kind]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=WAIT_SECONDS, check=False, env={**os.environ, **QUIET}
        )
    except subprocess.TimeoutExpired as endless:
        raise NotRead(TOO_MUCH) from endless
    if done.returncode != 0:
        raise NotRead(TOO_MUCH)
    return parts_of(json.loads(done.stdout))


def answer_to(content: bytes, kind: str) -> dict[str, Any]:
    """Read the file here and now, and return its parts, or why it is refused."""
    try:
        return {"parts": READERS[kind](content)}
    except NotRead as refused:
        return {"refused": str(refused)}
    except MemoryError:
        return {"refused": TOO_MUCH}
    except Exception:  # noqa: BLE001 - the readers raise whatever a damaged file makes of them
        return {"refused": DAMAGED[kind]}


def parts_of(answer: dict[str, Any]) -> list[Part]:
    """Return the parts that an answer holds. Raises: NotRead."""
    if "refused" in answer:
        raise NotRead(answer["refused"])
    parts: list[Part] = answer["parts"]
    return parts


def pages_of_pdf(content: bytes) -> list[Part]:
    """Return the text of each page. Raises: NotRead for what is protected or would act by itself, whatever for what is damaged."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        raise NotRead("it is protected by a password. Save it without one.")
    _refuse_active(reader)
    parts: list[Part] = []
    left = MAX_TEXT
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()[:left]
        parts.append({"where": f"page {number}", "text": text})
        left -= len(text)
        if left <= 0:
            break
    return parts


def sheets_of_workbook(content: bytes) -> list[Part]:
    """Return each sheet's rows and their text, as far as a file is looked through. Raises: whatever for what is damaged."""
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    parts: list[Part] = []
    left = MAX_TEXT
    for name in workbook.sheet_names:
        rows = []
        for cells in workbook.get_sheet_by_name(name).to_python():
            row = [str(cell) for cell in cells]
            left -= sum(len(cell) + 1 for cell in row)
            if left <= 0:
                break
            if any(row):
                rows.append(row)
        text = "\n".join(" ".join(row) for row in rows)
        parts.append({"where": f"sheet {name[:60]}", "text": text, "rows": rows})
        if left <= 0:
            break
    return parts


READERS = {"pdf": pages_of_pdf, "xlsx": sheets_of_workbook}


def _refuse_active(reader: Any) -> None:
    root = reader.trailer["/Root"].get_object()
    names = root["/Names"].get_object() if "/Names" in root else {}
    action = root["/OpenAction"].get_object() if "/OpenAction" in root else None
    launches = isinstance(action, dict) and action.get("/S") in ("/JavaScript", "/Launch")
    if "/JavaScript" in names or "/AA" in root or launches:
        raise NotRead("it holds a script. Print it to PDF again, which leaves the script out.")
    if "/EmbeddedFiles" in names:
        raise NotRead("other files are attached inside it. Upload them one by one.")


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))


def _main(kind: str) -> None:
    content = sys.stdin.buffer.read()
    _limit()
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(answer_to(content, kind)))


if __name__ == "__main__":
    _main(sys.argv[1])
