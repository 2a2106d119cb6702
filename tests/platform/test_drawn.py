"""Pieces of pages drawn once: the same words give the same text, other words another, and memory has an end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from markupsafe import Markup

from certify.platform.web.drawn import Drawn


class Pen:
    """A macro that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, *told: object) -> Markup:
        self.asked += 1
        return Markup("<b>%s</b>") % repr(told)


def test_a_piece_is_drawn_again_only_when_something_it_shows_has_changed() -> None:
    kept, pen = Drawn(), Pen()
    first = kept.piece(None, "row", pen, "LO-1", 3)
    assert kept.piece(None, "row", pen, "LO-1", 3) == first
    assert pen.asked == 1
    assert kept.piece(None, "row", pen, "LO-1", 2) != first
    assert kept.piece(None, "other row", pen, "LO-1", 3) == first
    assert pen.asked == 3


def test_another_rulebook_draws_everything_anew() -> None:
    books: list[Any] = [object(), object()]
    kept, pen = Drawn(), Pen()
    for book in (books[0], books[0], books[1]):
        kept.piece(book, "filters", pen, "all")
    assert pen.asked == 2


def test_what_can_change_under_ones_hands_is_refused() -> None:
    with pytest.raises(TypeError):
        Drawn().piece(None, "row", Pen(), ["LO-1"])


def test_no_more_is_kept_than_agreed_and_the_newest_stay() -> None:
    kept, pen = Drawn(most=10), Pen()
    for number in range(25):
        kept.piece(None, "row", pen, number)
    asked = pen.asked
    kept.piece(None, "row", pen, 24)
    assert pen.asked == asked
    kept.piece(None, "row", pen, 0)
    assert pen.asked == asked + 1
    assert len(kept) <= 10


def test_threads_share_what_is_kept() -> None:
    kept = Drawn(most=8)
    wrong: list[object] = []

    def look(start: int) -> None:
        for number in range(2000):
            piece = kept.piece(None, "row", lambda n: Markup("%d") % n, (start + number) % 20)
            if piece != str((start + number) % 20):
                wrong.append(piece)

    threads = [threading.Thread(target=look, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(kept) <= 8
