"""The timeline of a store as lines: when, what, how long it took, and gaps where nothing was heard for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.values import MOVING_PHASES, clock, duration, now_words
from tui.widgets.lines import Line
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from tui.widgets.toned import Pieces
    from urumi.wire import Store, StoreEvent

GAP_SECONDS = 10.0
TYPE_WIDTH = 20
WIDE = 90
TOOK_WIDTH = len("59 min 59 s")
KEPT_EVENTS = 20  # what a store's status holds at most

_TONES = {"info": "plain", "warning": "warning", "error": "error"}


def timeline(store: Store, glyphs: Glyphs, now: datetime, *, width: int = WIDE) -> list[Line]:
    """Return the lines, oldest first; a store that moves has one more, for what it is at."""
    return list(_lines(store, glyphs, now, width < WIDE))


def _lines(store: Store, glyphs: Glyphs, now: datetime, is_narrow: bool) -> Iterator[Line]:
    events = store.events
    times = [clock(event.timestamp, now) for event in events]
    width = max(map(len, times), default=len("00:00:00"))
    if len(events) >= KEPT_EVENTS:
        yield Line(body=((f"{glyphs.ellipsis} what happened before is not kept", "quiet"),))
    for place, event in enumerate(events):
        if place and (gap := _gap_seconds(events[place - 1], event)) >= GAP_SECONDS:
            yield Line(head=((" " * (width + 1), "quiet"),), body=((f"{glyphs.ellipsis} {duration(gap)}", "quiet"),))
        yield _event_line(event, f"{times[place]:>{width}}", glyphs, is_narrow)
    if not events:
        yield Line(body=(("Nothing has happened yet.", "quiet"),))
    if store.phase in MOVING_PHASES:
        yield _now_line(store, f"{'now':>{width}}", glyphs, now, is_narrow)


def _event_line(event: StoreEvent, at: str, glyphs: Glyphs, is_narrow: bool) -> Line:
    tone = "good" if event.type == "Ready" else _TONES[event.level]
    took = "" if event.seconds is None else duration(event.seconds)
    sign = glyphs.phases[Phase.READY] if event.type == "Ready" else glyphs.levels[event.level]
    folded = ((f"{glyphs.times}{event.count} ", "warning"),) if event.count > 1 else ()
    body = (*folded, (event.message, "plain" if event.level == "info" else tone))
    return _line(at, (sign, event.type, tone), took, body, is_narrow)


def _now_line(store: Store, at: str, glyphs: Glyphs, now: datetime, is_narrow: bool) -> Line:
    since = store.events[-1].timestamp if store.events else store.created_at
    took = duration(max(0.0, (now - since).total_seconds())) if since else ""
    tone = store.phase.value.lower()
    what = (glyphs.phases[store.phase], store.phase.value, tone)
    return _line(at, what, took, ((now_words(store), "plain"),), is_narrow)


def _line(at: str, what: tuple[str, str, str], took: str, body: Pieces, is_narrow: bool) -> Line:
    sign, kind, tone = what
    head: Pieces = ((f"{at} ", "quiet"), (f"{sign} ", tone), (f"{kind:<{TYPE_WIDTH}} ", tone))
    if is_narrow:
        gap = "  " if took and body[-1][0] else ""
        return Line(head, (*body, (f"{gap}{took}", "quiet")))
    return Line((*head, (f"{took:>{TOOK_WIDTH}}  ", "quiet")), body)


def _gap_seconds(before: StoreEvent, event: StoreEvent) -> float:
    return (event.timestamp - before.timestamp).total_seconds() - (event.seconds or 0.0)
