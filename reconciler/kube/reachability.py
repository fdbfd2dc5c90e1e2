"""Whether the API server can be reached, according to all calls of this process.

    a call without a response -> outage starts -> any response, an error included -> outage ends

The lease is read every 2 s, so both are noticed within seconds. A pending call counts before it times out, unless
another call gets a response meanwhile. Whatever waits before a retry can await the end of the outage. An API server
that returns errors is reachable; its errors are reported by the callers.
"""

from __future__ import annotations

import asyncio
import time

# A broken connection is replaced within two seconds; that is not worth a report.
REPORTED_AFTER_SECONDS = 3.0
# Longer than a busy API server takes.
NO_RESPONSE_SECONDS = 6.0


class Outage:
    """The current outage, if there is one; use it from one event loop.

    Args:
        host: the address of the API server, for the message.
    """

    def __init__(self, host: str) -> None:
        self.reason = ""
        self._host = host
        self._started_at = 0.0
        self._pending_since: float | None = None
        self._ended = asyncio.Event()
        self._ended.set()

    def message(self) -> str:
        """Return the message about an outage that has lasted long enough to be reported; empty otherwise."""
        now = time.monotonic()
        if self._pending_since is not None and now - self._pending_since >= NO_RESPONSE_SECONDS:
            cause = f"no response for {now - self._pending_since:.0f} s"
            return self.reason or f"The Kubernetes API at {self._host} does not answer: {cause}."
        return self.reason if now - self._started_at >= REPORTED_AFTER_SECONDS else ""

    def call_started(self) -> None:
        """Record a call; its wait ends with a response to any call, not when it is given up."""
        if self._pending_since is None:
            self._pending_since = time.monotonic()

    def call_failed(self, reason: str) -> None:
        """Record a call that got no response."""
        if not self.reason:
            self._started_at = time.monotonic()
            self._ended.clear()
        self.reason = reason

    def call_succeeded(self) -> None:
        """Record a response, an error of the API server included."""
        self._pending_since = None
        self.reason = ""
        self._ended.set()

    async def ended(self) -> None:
        """Wait until no outage is known."""
        await self._ended.wait()
