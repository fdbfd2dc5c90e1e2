"""The columns of the list: what stands in each, how it is ordered, and which of them fit a width.

Widths are fixed by the width of the list alone, never by what is in it, so nothing jumps when a store changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.text.values import ENGINE_NAMES, FAILING_PHASES, now_words
from urumi.store import Phase
from urumi.text import span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from urumi.wire import Store

    Cell = tuple[str, str]

GAP = 2
MARGIN = 2
NARROW, WIDE = 112, 150
PHASE_ORDER = (
    Phase.FAILED,
    Phase.DEGRADED,
    Phase.PROVISIONING,
    Phase.PENDING,
    Phase.DELETING,
    Phase.READY,
    Phase.DELETED,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        cell: returns a text and the tone it is drawn in.
        key: what a store is ordered by.
        terse: makes a text shorter that does not fit.
    """

    title: str
    cell: Callable[[Store, Glyphs, datetime], Cell]
    key: Callable[[Store], tuple[object, ...]]
    terse: Callable[[str], str] = str


def _phase_cell(store: Store, glyphs: Glyphs, now: datetime) -> Cell:
    return f"{glyphs.phases[store.phase]} {store.phase}", store.phase.value.lower()


def _now_cell(store: Store, glyphs: Glyphs, now: datetime) -> Cell:
    tone = "failed" if store.phase in FAILING_PHASES else "quiet" if store.phase is Phase.READY else "plain"
    return now_words(store), tone


def _age_cell(store: Store, glyphs: Glyphs, now: datetime) -> Cell:
    return ("-" if store.created_at is None else span((now - store.created_at).total_seconds())), "quiet"


def _event_cell(store: Store, glyphs: Glyphs, now: datetime) -> Cell:
    if not store.events:
        return "", "quiet"
    event = store.events[-1]
    count = f" {glyphs.times}{event.count}" if event.count > 1 else ""
    age = span((now - event.timestamp).total_seconds())
    return f"{age:>3} {event.type}{count}", "quiet" if event.level == "info" else event.level


def _progress_key(store: Store) -> tuple[object, ...]:
    progress = store.progress
    return (progress.index / max(1, progress.total) if progress else 2.0, store.store_id)


def _newest_first(at: datetime | None) -> float:
    return -at.timestamp() if at else 0.0


NAME = Column("NAME", lambda store, glyphs, now: (store.store_id, "name"), lambda store: (store.store_id,))
PHASE = Column("PHASE", _phase_cell, lambda store: (PHASE_ORDER.index(store.phase), store.store_id))
PROGRESS = Column(
    "PROGRESS OR ERROR", _now_cell, _progress_key, terse=lambda words: words.replace(" waiting for ", " ", 1)
)
ENGINE = Column(
    "ENGINE",
    lambda store, glyphs, now: (ENGINE_NAMES[store.engine], "quiet"),
    lambda store: (store.engine.value, store.store_id),
)
URL = Column("URL", lambda store, glyphs, now: (store.url, "quiet"), lambda store: (store.url, store.store_id))
AGE = Column("AGE", _age_cell, lambda store: (_newest_first(store.created_at), store.store_id))
LAST_EVENT = Column(
    "LAST EVENT",
    _event_cell,
    lambda store: (_newest_first(store.events[-1].timestamp if store.events else None), store.store_id),
)
COLUMNS = (NAME, PHASE, PROGRESS, ENGINE, URL, AGE, LAST_EVENT)


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
def layout(width: int) -> Layout:
    """Return the columns for a list of that width; what is left over goes to PROGRESS."""
    if width < NARROW:
        fixed = {NAME: 18, PHASE: 14, PROGRESS: 0, ENGINE: 11, AGE: 5}
    elif width < WIDE:
        fixed = {NAME: 22, PHASE: 14, PROGRESS: 0, ENGINE: 11, AGE: 5, LAST_EVENT: 23}
    else:
        fixed = {NAME: 32, PHASE: 14, PROGRESS: 0, ENGINE: 11, URL: 38, AGE: 5, LAST_EVENT: 27}
    rest = width - MARGIN - sum(fixed.values()) - GAP * (len(fixed) - 1) - 1
    return Layout(tuple((column, size or max(8, rest)) for column, size in fixed.items()))
