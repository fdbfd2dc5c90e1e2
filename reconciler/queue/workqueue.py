"""The workqueue: every key at most once in line, at most once in flight, and never forgotten.

A key that is added while it is being worked on is marked dirty and comes back when the work is done. Urgent keys (a
person's edit) overtake the others (a resync). `add_later` keeps the earliest time that was asked for; `retry` backs a
key off on its own, whatever the others do.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time

RETRY_FIRST_SECONDS = 1.0
RETRY_MOST_SECONDS = 300.0


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: doubling, capped, jittered by a fifth."""
    wait = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(failures, 12))
    return wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


class WorkQueue:
    """Keys waiting for a worker; use from one event loop."""

    def __init__(self) -> None:
        self._urgent: dict[str, None] = {}
        self._routine: dict[str, None] = {}
        self._in_flight: set[str] = set()
        self._dirty: dict[str, bool] = {}
        self._due: dict[str, float] = {}
        self._alarms: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: str, *, urgent: bool = True) -> None:
        """Put a key in line; urgent ones come first."""
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
        """Put a key in line after a while, unless an earlier time is already set."""
        due = time.monotonic() + max(0.0, seconds)
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._alarms, (due, key))
            self._wake.set()

    def retry(self, key: str, *, at_least_seconds: float = 0.0) -> None:
        """Put a key in line after a wait that doubles with every failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_later(key, max(at_least_seconds, backoff_seconds(failures)))

    def succeeded(self, key: str) -> None:
        """Say that the work on a key went well: its next failure is its first."""
        self._failures.pop(key, None)

    def forget(self, key: str) -> None:
        """Forget a key that is gone, alarms and failures included."""
        self._failures.pop(key, None)
        self._due.pop(key, None)
        self._dirty.pop(key, None)
        self._urgent.pop(key, None)
        self._routine.pop(key, None)

    async def take(self) -> str:
        """Return the next key and mark it in flight; pair with `done`."""
        while True:
            self._ring_alarms()
            line = self._urgent or self._routine
            if line:
                key = next(iter(line))
                del line[key]
                self._in_flight.add(key)
                self._due.pop(key, None)
                return key
            self._wake.clear()
            await self._sleep()

    def done(self, key: str) -> None:
        """Say that the work on a key has ended; it comes back if it was added meanwhile."""
        self._in_flight.discard(key)
        if key in self._dirty:
            self.add(key, urgent=self._dirty.pop(key))

    def __len__(self) -> int:
        return len(self._urgent) + len(self._routine)

    def _ring_alarms(self) -> None:
        now = time.monotonic()
        while self._alarms and self._alarms[0][0] <= now:
            due, key = heapq.heappop(self._alarms)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key, urgent=False)

    async def _sleep(self) -> None:
        wait = self._alarms[0][0] - time.monotonic() if self._alarms else None
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return
