"""The timeline of a store: what happened, in order, bounded in entries and bytes, repeats folded into one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reconciler.kube.resources import Object

MAX_BYTES = 4096
MAX_MESSAGE_CHARACTERS = 600

Level = Literal["info", "warning", "error"]


def stamp(at: datetime | None = None) -> str:
    """Return a time as the timeline writes it: RFC 3339, UTC, milliseconds."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the time that a stamp names."""
    return datetime.fromisoformat(text)


def timeline_event(
    kind: str, message: str, *, level: Level = "info", step: str = "", seconds: float | None = None
) -> Object:
    """Return a new event that happened now."""
    event: Object = {
        "type": kind,
        "message": shortened(message),
        "timestamp": stamp(),
        "level": level,
        "step": step,
        "count": 1,
    }
    if seconds is not None:
        event["seconds"] = round(seconds, 2)
    return event


def appended(events: list[Object], event: Object, *, max_entries: int) -> list[Object]:
    """Return the timeline with the event at its end; the oldest go where there is no room."""
    last = events[-1] if events else {}
    if last.get("type") == event["type"] and last.get("message") == event["message"]:
        kept = [*events[:-1], {**last, "timestamp": event["timestamp"], "count": int(last.get("count", 1)) + 1}]
    else:
        kept = [*events, event]
    kept = kept[-max_entries:]
    while len(kept) > 1 and len(json.dumps(kept).encode()) > MAX_BYTES:
        kept = kept[1:]
    return kept


def shortened(message: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Return the message, its middle left out where it is longer than the limit."""
    if len(message) <= limit:
        return message
    half = limit // 2 - 2
    return f"{message[:half]} ... {message[-half:]}"
