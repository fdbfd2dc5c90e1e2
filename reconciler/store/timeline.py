"""The timeline of a store: its events in order, bounded in entries and bytes, equal ones in a row folded into one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.kube.resources import Object

MAX_BYTES = 4096
MAX_MESSAGE_CHARACTERS = 600
# An event that is added once may appear again after one of these.
_ROUND_STARTS = ("ProvisioningStarted", "DriftCorrected")

Level = Literal["info", "warning", "error"]


class Timeline:
    """The events of one store; `entries` is the list that belongs in the status."""

    def __init__(self, entries: Iterable[Object], *, max_entries: int) -> None:
        self.entries: list[Object] = list(entries)
        self._max_entries = max_entries
        self._new: list[Object] = []

    def add(
        self, kind: str, message: str, *, level: Level = "info", step: str = "", seconds: float | None = None
    ) -> None:
        """Append an event that happened now; the oldest entries are removed when there is no room."""
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
        self._new.append(event)
        last = self.entries[-1] if self.entries else {}
        if last.get("type") == kind and last.get("message") == event["message"]:
            folded = {**last, "timestamp": event["timestamp"], "count": int(last.get("count", 1)) + 1}
            self.entries[-1] = folded
        else:
            self.entries.append(event)
        self.entries = self.entries[-self._max_entries :]
        while len(self.entries) > 1 and len(json.dumps(self.entries).encode()) > MAX_BYTES:
            del self.entries[0]

    def add_once(self, kind: str, message: str, *, step: str = "", seconds: float | None = None) -> None:
        """Append an event unless the current provision, or drift correction, already has one of its type."""
        for event in reversed(self.entries):
            if event["type"] == kind:
                return
            if event["type"] in _ROUND_STARTS:
                break
        self.add(kind, message, step=step, seconds=seconds)

    def has(self, kind: str) -> bool:
        """Return whether there is an event of a type."""
        return any(event["type"] == kind for event in self.entries)

    def take_new(self) -> list[Object]:
        """Return the events added since the last call."""
        events, self._new = self._new, []
        return events


def shortened(message: str, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Return the message without its middle if it is longer than the limit."""
    if len(message) <= limit:
        return message
    half = limit // 2 - 2
    return f"{message[:half]} ... {message[-half:]}"
