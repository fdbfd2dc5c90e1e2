"""The columns of the list: what each shows, what it is sorted by, and which columns fit a width.

Widths depend on the width of the list and on the longest id, never on anything that changes while a store comes up, so
nothing moves sideways during a provision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.model.order import (
    BY_AGE,
    BY_ENGINE,
    BY_LAST_EVENT,
    BY_NAME,
    BY_PHASE,
    BY_PROGRESS,
    BY_URL,
    Order,
)
from tui.model.phases import FAILING_PHASES
from tui.text.pieces import GAP
from tui.text.progress import status_text
from urumi.store import Phase
from urumi.text import span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Piece
    from urumi.wire import Store

MARGIN = 2
NARROW, MIDDLE, WIDE = 72, 112, 150
NARROWEST_NAME, NARROWEST_PROGRESS = 16, 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        cell: returns the text and its tone.
        terse: shortens a text that does not fit.
    """

    title: str
    order: Order
    cell: Callable[[Store, Glyphs, datetime], Piece]
    terse: Callable[[str], str] = str


def _progress_cell(store: Store, glyphs: Glyphs, now: datetime) -> Piece:
    tone = "failed" if store.phase in FAILING_PHASES else "quiet" if store.phase is Phase.READY else "plain"
    return status_text(store), tone


def _event_cell(store: Store, glyphs: Glyphs, now: datetime) -> Piece:
    if not store.events:
        return "", "quiet"
    event = store.events[-1]
    count = f"{glyphs.times}{event.count} " if event.count > 1 else ""
    age = span((now - event.timestamp).total_seconds())
    return f"{age:>3} {count}{event.type}", "quiet" if event.level == "info" else event.level


NAME = Column("NAME", BY_NAME, lambda store, glyphs, now: (store.store_id, "name"))
PHASE = Column(
    "PHASE",
    BY_PHASE,
    lambda store, glyphs, now: (f"{glyphs.phases[store.phase]} {store.phase}", store.phase.value.lower()),
)
PROGRESS = Column(
    "PROGRESS OR ERROR", BY_PROGRESS, _progress_cell, terse=lambda text: text.replace(" waiting for ", " ", 1)
)
ENGINE = Column("ENGINE", BY_ENGINE, lambda store, glyphs, now: (store.engine.display_name, "quiet"))
URL = Column("URL", BY_URL, lambda store, glyphs, now: (store.url, "quiet"))
AGE = Column(
    "AGE",
    BY_AGE,
    lambda store, glyphs, now: (span((now - store.created_at).total_seconds()) if store.created_at else "-", "quiet"),
)
LAST_EVENT = Column("LAST EVENT", BY_LAST_EVENT, _event_cell)
COLUMNS = (NAME, PHASE, PROGRESS, ENGINE, URL, AGE, LAST_EVENT)

_WIDTHS = {NAME: NARROWEST_NAME, PHASE: 14, PROGRESS: NARROWEST_PROGRESS, ENGINE: 11, URL: 35, AGE: 5}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that fit a width, each with its own width."""

    columns: tuple[tuple[Column, int], ...]

    def column_at(self, x: int) -> Column | None:
        """Return the column at a cell of the line."""
        start = MARGIN
        for column, width in self.columns:
            if start <= x < start + width + GAP:
                return column
            start += width + GAP
        return None


@lru_cache(maxsize=64)
def layout(width: int, longest_id: int = NARROWEST_NAME) -> Layout:
    """Return the columns for a list of that width.

    NAME holds the longest id where PROGRESS keeps its least width; PROGRESS gets what is left.
    """
    if width < NARROW:
        sizes = {column: _WIDTHS[column] for column in (NAME, PHASE, PROGRESS, AGE)}
    elif width < MIDDLE:
        sizes = {column: _WIDTHS[column] for column in (NAME, PHASE, PROGRESS, ENGINE, AGE)}
    elif width < WIDE:
        sizes = {column: _WIDTHS[column] for column in (NAME, PHASE, PROGRESS, ENGINE, AGE)} | {LAST_EVENT: 24}
    else:
        sizes = {**_WIDTHS, LAST_EVENT: 28}
    rest = width - MARGIN - sum(sizes.values()) - GAP * (len(sizes) - 1) - 1
    sizes[NAME] += max(0, min(longest_id - sizes[NAME], rest))
    sizes[PROGRESS] = max(8, sizes[PROGRESS] + rest - (sizes[NAME] - NARROWEST_NAME))
    return Layout(tuple(sizes.items()))
