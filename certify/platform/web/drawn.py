"""Pieces of pages that are drawn once and shown again until something in them changes.

A list of twenty cases costs more to draw than to read, and the same rows, menus and filters are asked for all day. Such a piece
shows nothing but what it is told (and what the rulebook says), so the same words always give the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock

from flask import Flask
from markupsafe import Markup

from certify.core.rulebook.current import current
from certify.core.rulebook.model import Rulebook

# A row of a list is about 700 characters: some three megabytes in each worker.
MOST_PIECES = 4096
LONGEST_PIECE = 20_000


class Drawn:
    """What this process has drawn, the oldest forgotten first.

    >>> drawn = Drawn()
    >>> drawn.piece(None, "greeting", lambda name: Markup("<b>%s</b>") % name, "Ana & Co")
    Markup('<b>Ana &amp; Co</b>')
    >>> drawn.piece(None, "greeting", lambda name: Markup("never drawn again"), "Ana & Co")
    Markup('<b>Ana &amp; Co</b>')
    """

    def __init__(self, most: int = MOST_PIECES) -> None:
        self._most = most
        self._book: Rulebook | None = None
        self._pieces: dict[tuple[Hashable, ...], Markup] = {}
        self._adding = Lock()

    def __len__(self) -> int:
        return len(self._pieces)

    def piece(self, book: Rulebook | None, name: str, draw: Callable[..., Markup], *told: Hashable) -> Markup:
        """Return the piece of that name for what it is told; `draw` makes it from the same words when it is new.

        Raises: TypeError when it is told something that can change, such as a list.
        """
        if book is not self._book:
            self._book, self._pieces = book, {}
        found = self._pieces.get((name, *told))
        if found is None:
            found = draw(*told)
            if len(found) <= LONGEST_PIECE:
                with self._adding:
                    self._keep((name, *told), found)
        return found

    def _keep(self, key: tuple[Hashable, ...], piece: Markup) -> None:
        if len(self._pieces) >= self._most:
            for oldest in list(self._pieces)[: self._most // 2]:
                del self._pieces[oldest]
        self._pieces[key] = piece


def register_drawn(app: Flask) -> None:
    """Give templates `drawn(name, macro, …what it shows)`; while templates are being edited, everything is drawn anew."""
    kept = Drawn()

    def drawn(name: str, macro: Callable[..., Markup], *told: Hashable) -> Markup:
        return macro(*told) if app.jinja_env.auto_reload else kept.piece(current(), name, macro, *told)

    app.jinja_env.globals["drawn"] = drawn
