"""The work queue: every key is queued at most once, in flight at most once, and never lost.

A key that is added while it is in flight is marked dirty and queued again when the work is done. Urgent keys (an edit)
overtake routine ones (a resync). `add_later` keeps the earliest time that was requested; `retry` backs off each key
independently.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time

from reconciler.backoff import Backoff

RETRY_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=300.0, jitter=(0.8, 1.2))


class WorkQueue:
    """Keys waiting for a worker; use from one event loop."""

    def __init__(self) -> None:
        self._urgent: dict[str, None] = {}
        self._routine: dict[str, None] = {}
        self._in_flight: set[str] = set()
        self._dirty: dict[str, bool] = {}
        self._due: dict[str, float] = {}
        self._timers: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: str, *, urgent: bool = True) -> None:
        """Queue a key; urgent keys come first."""
        if key in self._in_flight:
            self._dirty[key] = self._dirty.get(key, False) or urgent
            return
        if urgent:
            self._routine.pop(key, None)
            self._urgent[key] = None
        elif key not in self._urgent:
            self._routine[key] = None
        self._wake.set()

    def add_later(self, key: str, seconds: float) -> None:
        """Queue a key after a delay, unless it is due earlier already."""
        due = time.monotonic() + max(0.0, seconds)
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._timers, (due, key))
            self._wake.set()

    def retry(self, key: str, *, at_least_seconds: float = 0.0) -> None:
        """Queue a key after a wait that doubles with every failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_later(key, max(at_least_seconds, RETRY_BACKOFF.wait_seconds(failures)))

    def succeeded(self, key: str) -> None:
        """Record a success: the next failure of the key is its first."""
        self._failures.pop(key, None)

    def forget(self, key: str) -> None:
        """Remove a deleted key with its timers and failures."""
        self._failures.pop(key, None)
        self._due.pop(key, None)
        self._dirty.pop(key, None)
        self._urgent.pop(key, None)
        self._routine.pop(key, None)

    async def take(self) -> str:
        """Return the next key and mark it in flight; pair with `done`."""
        while True:
            self._add_due()
            queued = self._urgent or self._routine
            if queued:
                key = next(iter(queued))
                del queued[key]
                self._in_flight.add(key)
                self._due.pop(key, None)
                return key
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timers[0][0] - time.monotonic() if self._timers else None):
                    await self._wake.wait()

    def done(self, key: str) -> None:
        """End the work on a key; it is queued again if it was added meanwhile."""
        self._in_flight.discard(key)
        if key in self._dirty:
            self.add(key, urgent=self._dirty.pop(key))

    def __len__(self) -> int:
        return len(self._urgent) + len(self._routine)

    def _add_due(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            due, key = heapq.heappop(self._timers)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key, urgent=False)
