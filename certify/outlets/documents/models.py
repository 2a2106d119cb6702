"""Table of the files that were given out: which bytes stand for which frozen content."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Model, UtcDateTime


class Document(Model):
    """A file as first made from content that no longer changes; the same bytes are served ever after.

    `source` names that content: `report:12`, `decision:3`, `certificate:OMH-2027-0031`, `invoice:INV-2026-00007:paid`.
    """

    __tablename__ = "document"
    __table_args__ = (sa.UniqueConstraint("source", "kind", "ext"), sa.Index("ix_document_case_id_id", "case_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    kind: Mapped[str] = mapped_column(sa.String(30))
    source: Mapped[str] = mapped_column(sa.String(60))
    ext: Mapped[str] = mapped_column(sa.String(5))
    sha256: Mapped[str] = mapped_column(sa.String(64))  # also the key in the file store
    size: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
