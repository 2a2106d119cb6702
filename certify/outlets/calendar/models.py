"""Table of the calendars that people asked for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Model, UtcDateTime


class CalendarFeed(Model):
    """A person's calendar: which of its secret addresses holds. The address itself is worked out, not stored."""

    __tablename__ = "calendar_feed"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column()  # of the address: one more each time it is renewed
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
