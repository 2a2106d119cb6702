"""How an event's hash is computed and a chain is checked."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

START = "0" * 64


def canonical(value: Any) -> str:
    """Return JSON that is the same text for the same content on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def link_hash(
    prev_hash: str,
    *,
    stream: str,
    seq: int,
    at: datetime,
    actor_id: int | None,
    actor_name: str,
    kind: str,
    summary: str,
    reason: str,
    subject: str,
    data: dict[str, Any],
    internal: bool,
) -> str:
    """Return the SHA-256, in hex, of an event and of the hash before it."""
    body = [stream, seq, at.isoformat(), actor_id, actor_name, kind, summary, reason, subject, data, internal]
    return hashlib.sha256((prev_hash + canonical(body)).encode()).hexdigest()
