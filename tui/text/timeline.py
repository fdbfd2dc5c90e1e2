"""The timeline of a store as lines: when, what, how long it took, and gaps in which nothing was reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.phases import MOVING_PHASES
from tui.text.pieces import GAP, Line, Pieces, aligned, cells
from tui.text.progress import status_text
from tui.text.values import clock, duration
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from urumi.wire import Store, StoreEvent

GAP_SECONDS = 10.0
WIDE = 90
KEPT_EVENTS = 20  # the most that the status of a store holds

_TONES = {"info": "plain", "warning": "warning", "error": "error"}


def timeline(store: Store, glyphs: Glyphs, now: datetime, *, width: int = WIDE) -> Iterator[Line]:
    """Return the lines, oldest first; a store that moves has one more, for its current step.

    In a narrow view the duration follows the message, as a separate column would leave little room for messages.
    """
    is_wide = width >= WIDE
    if len(store.events) >= KEPT_EVENTS:
        yield Line(body=((f"{glyphs.ellipsis} earlier events are not kept", "quiet"),))
    if not store.events:
        yield Line(body=(("No events yet.", "quiet"),))
    entries = [_event_entry(event, glyphs, now) for event in store.events]
    if store.phase in MOVING_PHASES:
        entries.append(_now_entry(store, glyphs, now))
    heads = aligned(
        [head if is_wide else head[:-1] for head, _ in entries], width, glyphs.ellipsis, right=frozenset({0, 3})
    )
    for place, (head, (whole, body)) in enumerate(zip(heads, entries, strict=True)):
        if 0 < place < len(store.events):
            before, event = store.events[place - 1 : place + 1]
            seconds = (event.timestamp - before.timestamp).total_seconds() - (event.seconds or 0.0)
            if seconds >= GAP_SECONDS:
                indent = " " * cells(head[:1])
                yield Line(((indent, "quiet"),), ((f"{glyphs.ellipsis} {duration(seconds)}", "quiet"),))
        took = whole[-1][0]
        if took and not is_wide:
            body = (*body, (" " * GAP * bool(body[-1][0]) + took, "quiet"))
        yield Line(head, body)


def _event_entry(event: StoreEvent, glyphs: Glyphs, now: datetime) -> tuple[Pieces, Pieces]:
    is_ready = event.type == "Ready"
    tone = "good" if is_ready else _TONES[event.level]
    sign = glyphs.phases[Phase.READY] if is_ready else glyphs.levels[event.level]
    took = "" if event.seconds is None else duration(event.seconds)
    head = ((clock(event.timestamp, now), "quiet"), (sign, tone), (event.type, tone), (took, "quiet"))
    repeated = ((f"{glyphs.times}{event.count} ", "warning"),) if event.count > 1 else ()
    return head, (*repeated, (event.message, "plain" if event.level == "info" else tone))


def _now_entry(store: Store, glyphs: Glyphs, now: datetime) -> tuple[Pieces, Pieces]:
    since = store.events[-1].timestamp if store.events else store.created_at
    took = duration(max(0.0, (now - since).total_seconds())) if since else ""
    tone = store.phase.value.lower()
    head = (("now", "quiet"), (glyphs.phases[store.phase], tone), (store.phase.value, tone), (took, "quiet"))
    return head, ((status_text(store), "plain"),)
