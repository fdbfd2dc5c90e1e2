"""Whether the API server can be reached, as all calls of this process find it together.

    a call without an answer -> begun -> any call with an answer, a refusal included -> over

The lease is looked at every 2 s, so both are known within seconds; a call that still waits while no other is answered
is known before it is given up. Who waits long before it asks again is called by the end. An API server that answers
with errors is within reach; its errors are told where they are met.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A connection that breaks is replaced within two seconds, which is nothing to tell people of.
TOLD_AFTER_SECONDS = 3.0
# Longer than an API server takes that is merely busy.
UNHEARD_SECONDS = 6.0


class Outage:
    """One outage after another; use from one event loop.

    Args:
        host: the API server, as people know it.
    """

    def __init__(self, host: str) -> None:
        self.reason = ""
        self._host = host
        self._began_at = 0.0
        self._answered_at = time.monotonic()
        self._waiting_since: list[float] = []
        self._over = asyncio.Event()
        self._over.set()

    def told(self) -> str:
        """Return what is to be told of an outage; empty where there is none, or none to speak of."""
        now = time.monotonic()
        if self.reason:
            return self.reason if now - self._began_at >= TOLD_AFTER_SECONDS else ""
        waited = now - max(self._waiting_since[0], self._answered_at) if self._waiting_since else 0.0
        if waited < UNHEARD_SECONDS:
            return ""
        return f"The Kubernetes API at {self._host} does not answer: nothing for {waited:.0f} s."

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Have a call counted that waits for the beginning of its answer."""
        started_at = time.monotonic()
        self._waiting_since.append(started_at)
        try:
            yield
        finally:
            self._waiting_since.remove(started_at)

    def unanswered(self, reason: str) -> None:
        """Take a call that got no answer."""
        if not self.reason:
            self._began_at = time.monotonic()
            self._over.clear()
        self.reason = reason

    def answered(self) -> None:
        """Take a call that got one."""
        self._answered_at = time.monotonic()
        self.reason = ""
        self._over.set()

    async def over(self) -> None:
        """Wait until the API server answers."""
        await self._over.wait()
