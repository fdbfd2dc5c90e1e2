"""The timeline of a store: what happened, in order, bounded in entries and bytes, repeats folded into one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from reconciler.kube.resources import Object

MAX_BYTES = 4096
MAX_MESSAGE_CHARACTERS = 600

Level = Literal["info", "warning", "error"]


def timeline_event(
    kind: str, message: str, *, level: Level = "info", step: str = "", seconds: float | None = None
) -> Object:
    """Return a new event that happened now."""
    event: Object = {
        "type": kind,
        "message": shortened(message),
        "timestamp": format_timestamp(),
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
