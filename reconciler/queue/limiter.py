"""The concurrency limiter of Helm: a limited number of slots and a waiting line that blocks no worker.

A store that finds no free slot joins the line, and its reconcile ends. A slot that becomes free is reserved for the
first in line, which is reported through `on_turn`. A store that is deleted or no longer needs Helm leaves the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ConcurrencyLimiter:
    """At most `limit` keys hold a slot at the same time.

    Args:
        on_turn: called with the key that a slot is reserved for.
    """

    def __init__(self, limit: int, on_turn: Callable[[str], None]) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self.limit = limit
        self._on_turn = on_turn
        self._held: set[str] = set()
        self._reserved: set[str] = set()
        self._line: dict[str, None] = {}

    def acquire(self, key: str) -> bool:
        """Return whether the key holds a slot now; otherwise it waits in line."""
        if key in self._reserved:
            self._reserved.discard(key)
        elif len(self._held) + len(self._reserved) >= self.limit:
            self._line.setdefault(key)
            return False
        self._held.add(key)
        return True

    def release(self, key: str) -> None:
        """Release what the key has: a slot, a reservation or a place in line."""
        self._held.discard(key)
        self._reserved.discard(key)
        self._line.pop(key, None)
        while self._line and len(self._held) + len(self._reserved) < self.limit:
            next_key = next(iter(self._line))
            del self._line[next_key]
            self._reserved.add(next_key)
            self._on_turn(next_key)
