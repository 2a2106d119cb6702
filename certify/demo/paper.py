"""A small PDF that stands for the papers a practice sends."""

from __future__ import annotations

from functools import cache


@cache
def policy_pdf(title: str = "Policies and procedures") -> bytes:
    """Return a one-page PDF with a title and a few lines, the same bytes each time."""
    lines = (
        title,
        "This is a sample paper of the demo program.",
        "Every procedure names its owner, its version and the day of its next review.",
        "No patient is named here.",
    )
    text = "BT /F1 18 Tf 72 720 Td 26 TL " + " ".join(f"({line}) Tj T* /F1 11 Tf" for line in lines) + " ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text.encode("ascii")),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
