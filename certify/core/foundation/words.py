"""Names as lists sort and search them."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """Return a name in lower case, without accents, with single spaces, up to 200 letters.

    >>> name_key("  Clínica  Oncológica ")
    'clinica oncologica'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(plain.lower().split())[:200]
