"""Photos as they may be kept: upright, without where and with what they were taken; and PDF files as they are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certify.core.foundation.errors import Invalid

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 60_000_000
# What the decoder calls it: a phone's JPEG with a second picture in it (depth, brightness) is an "MPO".
KINDS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
WRITTEN_AS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo or PDF as it is to be kept."""

    content: bytes
    media_type: str


def without_place(content: bytes) -> Picture:
    """Return a picture without its metadata (position, device), turned upright, or a PDF as it is.

    Takes a while for a large photo: call it before any row is held.
    Raises: Invalid for anything else.
    """
    if content.startswith(b"%PDF-"):
        return Picture(content, "application/pdf")
    from PIL import Image  # heavy: only uploads pay for it

    try:
        with Image.open(io.BytesIO(content), formats=list(WRITTEN_AS.values())) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid("The picture has too many pixels; take it in a smaller size.", "body")
            kind = KINDS[image.format or ""]
            upright = _upright(image)
            clean = upright.convert("RGB") if kind == "image/jpeg" else upright.copy()
            clean.info = {}
            out = io.BytesIO()
            how = {"quality": 88, "optimize": True} if kind == "image/jpeg" else {}
            clean.save(out, format=WRITTEN_AS[kind], **how)
    except Invalid:
        raise
    except Exception as broken:  # a damaged file makes a decoder fail in any way there is
        message = "Only photos (JPEG, PNG, WebP) and PDF files can be attached; this is neither, or it is damaged."
        raise Invalid(message, "body") from broken
    return Picture(out.getvalue(), kind)


def _upright(image: Image) -> Image:
    """Return the picture turned as its metadata says, or as it is when that cannot be read: its content is what matters."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    try:
        turn = turns.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001  one damaged byte in the metadata must not cost the photo
        turn = None
    return image if turn is None else image.transpose(turn)
