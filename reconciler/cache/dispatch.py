"""Dispatch of changes: every handler of an informer is called with (before, after) of every change.

Handlers run in the event loop, in the order of their registration, and must not block. An error in a handler is a
defect: it ends the informer.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.kube.resources import Object

Handler = Callable[[Object | None, Object | None], None]
"""Called with (before, after); before is None for a new object, after is None for a deleted one."""


class Dispatch:
    """The handlers of one informer."""

    def __init__(self) -> None:
        self._handlers: list[Handler] = []

    def add(self, handler: Handler) -> None:
        """Register a handler."""
        self._handlers.append(handler)

    def send(self, before: Object | None, after: Object | None) -> None:
        """Call every handler with a change."""
        for handler in self._handlers:
            handler(before, after)
